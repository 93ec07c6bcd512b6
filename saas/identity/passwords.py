"""Password hashing: argon2id, off the event loop, few at a time.

Each hash takes 19 MiB and some 30 ms of a core on purpose; unbounded, a burst of sign-ins would take the machine.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from saas.identity.errors import SignInBusy

P = ParamSpec("P")
R = TypeVar("R")

_RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class HashCost:
    """Parameters of argon2id; the defaults are OWASP's minimum. A stored hash of another cost is renewed at sign-in."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password is right, and whether its stored hash should be renewed."""

    is_right: bool
    is_outdated: bool = False


@dataclass(slots=True)
class _Queue:
    """Who waits for one subject."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class Passwords:
    """Hashes and checks passwords for one process.

    `at_once` bounds the threads; beyond `waiting` further ones callers are refused. `computed` counts the
    hashes computed, right or wrong, for known and unknown accounts alike.
    """

    def __init__(self, cost: HashCost | None = None, *, at_once: int = 2, waiting: int = 200) -> None:
        cost = cost or HashCost()
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes)
        self._turns = asyncio.Semaphore(at_once)
        self._room = at_once + waiting
        self._present = 0
        self._queues: dict[str, _Queue] = {}
        self.computed = 0
        self._nobody = self._hasher.hash("the password of nobody")

    async def hash(self, password: str) -> str:
        """The hash to store.

        :raises SignInBusy: too many wait.
        """
        return await self._in_turn(self._digest, password)

    async def verify(self, stored: str | None, password: str) -> Verdict:
        """Check `password` against the stored hash; without one (unknown account) the same work is done in vain.

        :raises SignInBusy: too many wait.
        """
        is_right = await self._in_turn(self._matches, stored or self._nobody, password)
        if stored is None or not is_right:
            return Verdict(is_right=False)
        return Verdict(is_right=True, is_outdated=self._hasher.check_needs_rehash(stored))

    @asynccontextmanager
    async def one_at_a_time(self, subject: str) -> AsyncIterator[None]:
        """Let the attempts of one subject follow each other.

        Each counts as a failure until it has proven right, so right ones that came together would otherwise lock
        each other out.
        """
        queue = self._queues.setdefault(subject, _Queue())
        queue.length += 1
        try:
            async with queue.lock:
                yield
        finally:
            queue.length -= 1
            if queue.length == 0:
                self._queues.pop(subject, None)

    def _digest(self, password: str) -> str:
        return self._hasher.hash(_normal(password))

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _normal(password))
        except (VerifyMismatchError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[P, R], *values: P.args, **options: P.kwargs) -> R:
        if self._present >= self._room:
            raise SignInBusy(_RETRY_AFTER_SECONDS)
        self._present += 1
        try:
            async with self._turns:
                self.computed += 1
                return await asyncio.to_thread(work, *values, **options)
        finally:
            self._present -= 1


def _normal(password: str) -> str:
    """One form for characters that keyboards compose differently (NIST SP 800-63B asks for it)."""
    return unicodedata.normalize("NFKC", password)
