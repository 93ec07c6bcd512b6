"""Bells that processes ring after a commit: courtesies that save up to a second, never records.

One wakes the relay; the other tells every process in which companies something happened that people may be watching.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextvars import Context
from typing import Protocol
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

_PAUSE_SECONDS = 0.05
_ID_BYTES = 16
_log = structlog.get_logger()


class Bell(Protocol):
    """Tells the relays that there is something in the outbox."""

    async def ring(self) -> None:
        """Return at once and never raise: the business transaction has committed already."""
        ...


class CompanyBell(Protocol):
    """Tells whoever listens, in any process, that something happened in a company."""

    async def ring_for(self, tenant_id: UUID) -> None:
        """Return at once and never raise: the business transaction has committed already."""
        ...


class SilentBell:
    """For processes without Redis: who listens looks by himself after a while."""

    async def ring(self) -> None:
        return

    async def ring_for(self, tenant_id: UUID) -> None:
        return


class _RedisChannel(ABC):
    """A bell by Redis pub/sub, heard by every process.

    The first ring goes out at once; those of the next moment are one more ring at its end, so a burst of commits costs
    few messages.
    """

    channel: str

    def __init__(self, redis_url: str) -> None:
        self._redis: Redis = Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=5)
        self._ringing: asyncio.Task[None] | None = None
        self._ear: PubSub | None = None
        self._closing = asyncio.Event()

    @abstractmethod
    def _take(self) -> bytes | None:
        """What is to be told now, None where that is nothing; it counts as told."""

    async def close(self) -> None:
        """Ring what is to be rung, then close the connections."""
        self._closing.set()
        if self._ringing is not None:
            await self._ringing
        await self._stop_listening()
        await self._redis.aclose()

    def _go_out(self) -> None:
        if self._ringing is None or self._ringing.done():
            # An empty context, so that the task does not carry the transaction that has just closed.
            self._ringing = asyncio.create_task(self._publish(), context=Context())

    async def _hear(self, seconds: float) -> bytes | None:
        """What was told, within `seconds`; without Redis nothing is."""
        try:
            ear = await self._listen()
            message = await ear.get_message(timeout=seconds)
        except (RedisError, OSError):
            await self._stop_listening()
            await asyncio.sleep(seconds)
            return None
        except asyncio.CancelledError:
            await self._stop_listening()  # what was half read can't be gone on with
            raise
        return None if message is None else message["data"]

    async def _publish(self) -> None:
        while (told := self._take()) is not None:
            try:
                await self._redis.publish(self.channel, told)
            except (RedisError, OSError) as error:
                _log.warning("jobs.bell_unheard", reason=type(error).__name__)
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_PAUSE_SECONDS):
                await self._closing.wait()
        except TimeoutError:
            return

    async def _listen(self) -> PubSub:
        if self._ear is None:
            ear = self._redis.pubsub(ignore_subscribe_messages=True)
            await ear.subscribe(self.channel)
            self._ear = ear
        return self._ear

    async def _stop_listening(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            await ear.aclose()  # type: ignore[no-untyped-call]


class RedisBell(_RedisChannel):
    """The relay's bell."""

    channel = "fairlead:relay"

    def __init__(self, redis_url: str) -> None:
        super().__init__(redis_url)
        self._rung = False

    async def ring(self) -> None:
        self._rung = True
        self._go_out()

    async def wait(self, seconds: float) -> None:
        """Return when the bell rings, or after `seconds`; without Redis it is always the latter."""
        await self._hear(seconds)

    def _take(self) -> bytes | None:
        rung, self._rung = self._rung, False
        return b"" if rung else None


class RedisCompanyBell(_RedisChannel):
    """The bell of what people watch."""

    channel = "fairlead:companies"

    def __init__(self, redis_url: str) -> None:
        super().__init__(redis_url)
        self._rung: dict[UUID, None] = {}

    async def ring_for(self, tenant_id: UUID) -> None:
        self._rung[tenant_id] = None
        self._go_out()

    async def wait(self, seconds: float) -> frozenset[UUID]:
        """The companies that it was rung for, as soon as it is; none after `seconds`, and always without Redis."""
        told = await self._hear(seconds) or b""
        return frozenset(UUID(bytes=told[at : at + _ID_BYTES]) for at in range(0, len(told), _ID_BYTES))

    def _take(self) -> bytes | None:
        rung, self._rung = self._rung, {}
        return b"".join(each.bytes for each in rung) if rung else None
