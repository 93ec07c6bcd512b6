"""A last-in first-out pool of asyncpg connections that never resets on release.

asyncpg's own pool sends a reset at each release, which doubles the round trips of a one-statement read
(docs/adr/0004). Nothing session-level is ever set here, so there is nothing to reset: the tenant is set
inside the transaction or the statement. A connection that comes back inside a transaction is thrown away.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg

from saas.kernel import Unavailable

_SETTINGS = {"plan_cache_mode": "force_generic_plan", "jit": "off", "application_name": "fairlead"}


class ConnectionPool:
    """At most `size` connections to `dsn`, opened when first needed.

    `wait_seconds` bounds the wait for a free connection; past it the caller gets `Unavailable`.
    """

    def __init__(self, dsn: str, *, size: int, wait_seconds: float = 5.0) -> None:
        self._dsn = dsn
        self._size = size
        self._wait = wait_seconds
        self._idle: list[asyncpg.Connection[asyncpg.Record]] = []
        self._waiters: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._open = 0
        self._closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """Lend a connection; one left inside a transaction or broken by an error is not lent again."""
        connection = await self.acquire()
        try:
            yield connection
        finally:
            self.release(connection)

    async def acquire(self) -> asyncpg.Connection[asyncpg.Record]:
        """A connection for the caller alone, to be given back with `release`.

        :raises Unavailable: none came free in time, or the server does not answer.
        """
        while True:
            if self._closed:
                raise Unavailable("tenants.database_closed")
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
                self._open -= 1
            if self._open < self._size:
                return await self._connect()
            await self._wait_for_one()

    def release(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Take a connection back."""
        if connection.is_closed() or connection.is_in_transaction() or self._closed:
            connection.terminate()
            self._open -= 1
        else:
            self._idle.append(connection)
        self._wake_one()

    async def close(self) -> None:
        """Close what is idle; what is lent closes as it comes back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()
            self._open -= 1
        while self._waiters:
            self._wake_one()
        if self._timer is not None:
            self._timer.cancel()

    async def _connect(self) -> asyncpg.Connection[asyncpg.Record]:
        self._open += 1
        try:
            return await asyncpg.connect(self._dsn, statement_cache_size=1000, server_settings=_SETTINGS, timeout=10)
        except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
            self._open -= 1
            self._wake_one()
            raise Unavailable("tenants.database_unreachable", {"reason": str(error)}) from error
        except BaseException:
            self._open -= 1
            self._wake_one()
            raise

    async def _wait_for_one(self) -> None:
        """One timer for all who wait: one each would cost a busy process as much as the hand-over."""
        loop = asyncio.get_running_loop()
        waiter = _Waiter(loop.create_future(), loop.time() + self._wait)
        self._waiters.append(waiter)
        if self._timer is None:
            self._timer = loop.call_at(waiter.until, self._give_up)
        try:
            await waiter.woken
        except asyncio.CancelledError:
            if not waiter.woken.cancelled():
                self._wake_one()  # it had been woken already: another takes its place
            raise

    def _wake_one(self) -> None:
        while self._waiters:
            woken = self._waiters.popleft().woken
            if not woken.done():
                woken.set_result(None)
                return

    def _give_up(self) -> None:
        """Refuse those whose time is up; they stand in the order in which they came."""
        loop = asyncio.get_running_loop()
        while self._waiters and (self._waiters[0].until <= loop.time() or self._waiters[0].woken.done()):
            woken = self._waiters.popleft().woken
            if not woken.done():
                woken.set_exception(Unavailable("tenants.database_busy", {"seconds": str(self._wait)}))
        self._timer = loop.call_at(self._waiters[0].until, self._give_up) if self._waiters else None


class _Waiter(NamedTuple):
    """Somebody who waits for a connection, until an instant of the event loop's clock."""

    woken: asyncio.Future[None]
    until: float
