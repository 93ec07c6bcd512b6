"""Several processes, one server: who may start it, who uses it, whether it lives.

Three lock files stand beside each server's data:

- ``<server>.start`` is held exclusively while a process starts, adopts or stops the server;
- ``<server>.use`` is held shared by every process that uses it: whoever can take it exclusively is the last;
- ``<server>.alive`` is held shared by the server itself, through a descriptor it inherits.

The kernel releases all of them when their holder dies, however it dies, so there is no list of users to clean up and no
process id to mistrust: a recycled id can't hold a lock. Run on Linux; macOS has the same flock. Windows (not
run) locks byte ranges and can't hand a lock to a child, so ``alive`` is always free there and adoption rests on
connecting alone.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from saas.servers.errors import ServerStartError, not_writable

START_LIMIT_SECONDS = 180.0
_POLL_SECONDS = 0.03
_RANGE = 0x3FFFFFFF

Progress = Callable[[str], None]


class FileLock:
    """One lock on one file, taken without waiting; each object is an owner of its own, also inside one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self, *, shared: bool = False) -> bool:
        """Take the lock now; False when another owner stands in the way."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(descriptor, shared):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock up; without effect when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def inheritable(self) -> int:
        """The descriptor to hand to a child, which then holds the lock too; it must be held."""
        if self._descriptor is None:
            raise RuntimeError(f"{self.path} is not locked")
        return self._descriptor

    def is_free(self) -> bool:
        """Whether nobody holds it, neither shared nor exclusively."""
        free = self.take()
        self.release()
        return free


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, shared: bool) -> bool:
        """A shared owner locks one byte by chance, an exclusive one all of them."""
        os.lseek(descriptor, random.randrange(_RANGE) if shared else 0, os.SEEK_SET)  # noqa: S311
        with suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1 if shared else _RANGE)
            return True
        return False
else:
    import fcntl

    def _lock(descriptor: int, shared: bool) -> bool:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            return True
        return False


class Server(Protocol):
    """A server that can be shared."""

    name: str  # for people
    key: str  # for file names
    folder: Path

    async def adopt_or_start(self, alive: FileLock) -> None:
        """Find the running server of this folder, or start it; afterwards it answers."""

    async def stop(self, alive: FileLock) -> None:
        """Stop the server and wait until its last process is gone."""


@asynccontextmanager
async def shared(server: Server) -> AsyncIterator[None]:
    """The server runs inside the block; the last process that leaves its block stops it."""
    start, use, alive = (FileLock(server.folder / f"{server.key}.{part}") for part in ("start", "use", "alive"))
    async with _alone(start, server.name):
        await server.adopt_or_start(alive)
        use.take(shared=True)  # an exclusive owner would also hold `start`, which is ours now
    try:
        yield
    finally:
        async with _alone(start, server.name):
            use.release()
            if use.take():
                try:
                    await server.stop(alive)
                finally:
                    use.release()


@asynccontextmanager
async def _alone(start: FileLock, name: str) -> AsyncIterator[None]:
    deadline = asyncio.get_running_loop().time() + START_LIMIT_SECONDS
    while not _take(start):
        if asyncio.get_running_loop().time() > deadline:
            raise ServerStartError(
                f"Another process has held {start.path} for {START_LIMIT_SECONDS:.0f} seconds.",
                rule=f"One process at a time starts or stops {name}.",
                remedy="End the hanging `saas` process and start again.",
            )
        await asyncio.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        start.release()


def _take(lock: FileLock) -> bool:
    try:
        return lock.take()
    except OSError as reason:
        raise not_writable(lock.path.parent, reason.strerror or str(reason)) from reason


async def until_free(alive: FileLock, limit_seconds: float) -> bool:
    """Wait until the last process of a server is gone; False when one is left after the limit."""
    deadline = asyncio.get_running_loop().time() + limit_seconds
    while not alive.is_free():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True
