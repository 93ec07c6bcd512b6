"""The bell that wakes the relay after a commit: a courtesy that saves up to a second, never a record."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Protocol

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

_CHANNEL = "fairlead:relay"
_PAUSE_SECONDS = 0.05
_log = structlog.get_logger()


class Bell(Protocol):
    """Tells the relays that there is something in the outbox."""

    async def ring(self) -> None:
        """Return at once and never raise: the business transaction has committed already."""
        ...


class SilentBell:
    """For processes without Redis: the relay looks each second anyway."""

    async def ring(self) -> None:
        return


class RedisBell:
    """A bell by Redis pub/sub, heard by every worker.

    The first ring goes out at once; those of the next moment are one more ring at its end, so a burst of commits costs
    few messages.
    """

    def __init__(self, redis_url: str) -> None:
        self._redis: Redis = Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=5)
        self._rung = False
        self._ringing: asyncio.Task[None] | None = None
        self._ear: PubSub | None = None
        self._closing = asyncio.Event()

    async def ring(self) -> None:
        self._rung = True
        if self._ringing is None or self._ringing.done():
            # An empty context, so that the task does not carry the transaction that has just closed.
            self._ringing = asyncio.create_task(self._publish(), context=Context())

    async def wait(self, seconds: float) -> None:
        """Return when the bell rings, or after `seconds`; without Redis it is always the latter."""
        try:
            ear = await self._listen()
            await ear.get_message(timeout=seconds)
        except (RedisError, OSError):
            await self._stop_listening()
            await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Ring what is to be rung, then close the connections."""
        self._closing.set()
        if self._ringing is not None:
            await self._ringing
        await self._stop_listening()
        await self._redis.aclose()

    async def _publish(self) -> None:
        while self._rung:
            self._rung = False
            try:
                await self._redis.publish(_CHANNEL, b"")
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
            await ear.subscribe(_CHANNEL)
            self._ear = ear
        return self._ear

    async def _stop_listening(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            await ear.aclose()  # type: ignore[no-untyped-call]
