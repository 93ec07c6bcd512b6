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
        self._waiters: deque[asyncio.Future[None]] = deque()
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
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        timer = asyncio.get_running_loop().call_later(self._wait, _give_up, waiter, self._wait)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self._wake_one()  # it had been woken already: another takes its place
            raise
        finally:
            timer.cancel()
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _wake_one(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return


def _give_up(waiter: asyncio.Future[None], seconds: float) -> None:
    if not waiter.done():
        waiter.set_exception(Unavailable("tenants.database_busy", {"seconds": str(seconds)}))
