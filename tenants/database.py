"""The gate to PostgreSQL: one operation is one transaction that begins by setting its tenant.

Two roles connect: ``saas_app`` (tenant tables, under row-level security) and ``saas_platform`` (the same, and
the schema ``platform`` with what belongs to no tenant: accounts, sessions, memberships, the tenant directory).
Neither owns anything or can bypass row-level security. With no transaction there is no data: rooms reach the
database through `current_transaction`, which raises when none is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import asyncpg

from tenants.errors import NoTransaction
from tenants.pool import ConnectionPool

AfterCommit = Callable[[], Awaitable[None]]
Afterwards = Callable[[], Awaitable[None]]


class Question(NamedTuple):
    """A sub-select of one column that many callers may ask at once, inside a `bound_select` of somebody else's.

    ``$1`` in its `sql` is the tenant's id; a caller's own values are ``asked.v1``, ``asked.v2``, …, of the SQL types
    `kinds`; every scan has `BOUND` among its conditions.
    """

    sql: str
    kinds: tuple[str, ...]


class Ask(Protocol):
    """Asks a question of its own inside somebody else's statement, outside any transaction."""

    async def __call__(self, question: Question, *values: object) -> object:
        """The answer for these values, None where the sub-select has no row."""
        ...


BOUND = "bound.tenant IS NOT NULL"
"""What every scan of a `bound_select` names in its conditions: so none can begin before the tenant is set."""


def bound_select(columns: str, *, joined: str = "") -> str:
    """A statement that sets its own tenant, ``$1``, before it reads: for `Database.fetchrow` and `Database.fetch`.

    `columns` are expressions and scalar sub-selects, `joined` further lateral joins; each of their scans has `BOUND`
    among its conditions.
    """
    setting = "SELECT set_config('app.tenant_id', $1::uuid::text, true) AS tenant OFFSET 0"
    return f"SELECT {columns} FROM ({setting}) bound {joined}"


class DatabaseRole(Enum):
    """Which role an operation connects as."""

    APP = "saas_app"
    PLATFORM = "saas_platform"


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """PostgreSQL URLs, one per role."""

    app: str
    platform: str


@dataclass(slots=True)
class Transaction:
    """An open transaction: SQL of our own, and the connection that Tortoise models use while it is open."""

    connection: asyncpg.Connection[asyncpg.Record]
    tenant_id: UUID | None
    role: DatabaseRole
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_open: bool = True
    _after_commit: list[AfterCommit] = field(default_factory=list)
    _afterwards: list[Afterwards] = field(default_factory=list)

    async def fetch(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """All rows of a statement with ``$1``… parameters."""
        async with self.lock:
            return await self.connection.fetch(sql, *values)

    async def fetchrow(self, sql: str, *values: object) -> asyncpg.Record | None:
        """The first row, or None."""
        async with self.lock:
            return await self.connection.fetchrow(sql, *values)

    async def fetchval(self, sql: str, *values: object) -> Any:
        """The first column of the first row, or None."""
        async with self.lock:
            return await self.connection.fetchval(sql, *values)

    async def execute(self, sql: str, *values: object) -> int:
        """Run a statement; the number of rows it touched."""
        async with self.lock:
            status = await self.connection.execute(sql, *values)
        tail = status.rsplit(" ", 1)[-1]
        return int(tail) if tail.isdigit() else 0

    async def plan_by_index(self) -> None:
        """Have statements that are planned from here on look rows up by index, whatever is known of their tables.

        For long work in chunks. Plans are kept, and the first chunk's are made while its table has no rows yet: one
        that was just found empty would be read from end to end for each row from then on.
        """
        await self.execute("SET LOCAL enable_seqscan = off")

    async def bind_tenant(self, tenant_id: UUID) -> None:
        """Set the tenant of a platform transaction that began without one (sign-up, sign-in)."""
        await self.fetchval("SELECT set_config('app.tenant_id', $1, true)", str(tenant_id))
        self.tenant_id = tenant_id

    def after_commit(self, callback: AfterCommit) -> None:
        """Run `callback` once the transaction has committed; never if it rolls back."""
        self._after_commit.append(callback)

    def afterwards(self, callback: Afterwards) -> None:
        """Run `callback` in a transaction of its own, same tenant and role, once this one has committed or rolled back.

        For what must outlast a refusal: a rollback takes everything that the refused transaction wrote. Where the
        callback fails, its error takes the place of the refusal. A cancelled operation runs none: it told nobody.
        """
        self._afterwards.append(callback)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that may fail alone: its writes are rolled back, the transaction goes on."""
        await self.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            await self.execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")
            raise
        await self.execute("RELEASE SAVEPOINT part")


_current: ContextVar[Transaction | None] = ContextVar("current_transaction", default=None)


def current_transaction() -> Transaction:
    """The transaction of this operation.

    :raises NoTransaction: none is open: no tenant bound means an error, never "all tenants".
    """
    transaction = _current.get()
    if transaction is None or not transaction.is_open:
        raise NoTransaction
    return transaction


def current_tenant_id() -> UUID:
    """The tenant of this operation.

    :raises NoTransaction: no transaction is open, or it has no tenant.
    """
    tenant_id = current_transaction().tenant_id
    if tenant_id is None:
        raise NoTransaction
    return tenant_id


class Database:
    """The pools of one process."""

    def __init__(self, urls: DatabaseUrls, *, size: int = 8, platform_size: int = 4) -> None:
        self._pools = {
            DatabaseRole.APP: ConnectionPool(urls.app, size=size),
            DatabaseRole.PLATFORM: ConnectionPool(urls.platform, size=platform_size),
        }

    async def fetchrow(self, sql: str, *values: object) -> asyncpg.Record | None:
        """One statement as the application role, in one round trip; it must set its own tenant (compiled reads do)."""
        pool = self._pools[DatabaseRole.APP]
        connection = await pool.acquire()
        try:
            return await connection.fetchrow(sql, *values)
        finally:
            pool.release(connection)

    async def fetch(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """As `fetchrow`, all rows."""
        pool = self._pools[DatabaseRole.APP]
        connection = await pool.acquire()
        try:
            return await connection.fetch(sql, *values)
        finally:
            pool.release(connection)

    @asynccontextmanager
    async def transaction(
        self,
        tenant_id: UUID | None,
        *,
        role: DatabaseRole = DatabaseRole.APP,
        isolation: str = "READ COMMITTED",
    ) -> AsyncIterator[Transaction]:
        """Open a transaction bound to `tenant_id`; it commits at the end of the block, or rolls back on any error.

        Only a platform transaction may begin without a tenant.
        """
        if tenant_id is None and role is DatabaseRole.APP:
            raise NoTransaction
        connection = await self._pools[role].acquire()
        transaction = Transaction(connection, tenant_id, role)
        token = _current.set(transaction)
        refused: Exception | None = None
        try:
            await connection.execute(_begin(tenant_id, isolation))
            yield transaction
            await connection.execute("COMMIT")
        except BaseException as error:
            await _roll_back(connection)
            if not transaction._afterwards or not isinstance(error, Exception):
                raise
            refused = error
        finally:
            transaction.is_open = False
            _current.reset(token)
            self._pools[role].release(connection)
        if refused is None:
            for callback in transaction._after_commit:
                await callback()
        if transaction._afterwards:
            await self._run_afterwards(transaction)
        if refused is not None:
            raise refused

    async def _run_afterwards(self, ended: Transaction) -> None:
        """With the ended transaction's connection given back: nobody waits for a second one while holding the first."""
        async with self.transaction(ended.tenant_id, role=ended.role):
            for callback in ended._afterwards:
                await callback()

    async def close(self) -> None:
        """Close both pools."""
        for pool in self._pools.values():
            await pool.close()


def _begin(tenant_id: UUID | None, isolation: str) -> str:
    """BEGIN and the tenant in one round trip; a UUID's text can't carry SQL."""
    begin = f"BEGIN ISOLATION LEVEL {isolation}"
    if tenant_id is None:
        return begin
    return f"{begin}; SELECT set_config('app.tenant_id', '{UUID(str(tenant_id))}', true)"


async def _roll_back(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Roll back; where even that fails (the server is gone, the task is cancelled) the pool drops the connection."""
    if connection.is_closed():
        return
    try:
        await asyncio.shield(connection.execute("ROLLBACK"))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.CancelledError):
        connection.terminate()
