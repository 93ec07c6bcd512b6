"""Tortoise under the gate: models reach the database only through the transaction that is open.

The ORM has no pool and no credentials of its own. Each of its statements runs on the connection of
`current_transaction`, so it shares the operation's tenant and its fate; with none open it raises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import asyncpg
from tortoise import Tortoise
from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.backends.base.client import TransactionContext

from tenants.database import current_transaction
from tenants.errors import NoTransaction


class _Borrowed:
    """The open transaction's connection, for one statement."""

    def __init__(self) -> None:
        self._lock: asyncio.Lock | None = None

    async def __aenter__(self) -> asyncpg.Connection[asyncpg.Record]:
        transaction = current_transaction()
        await transaction.lock.acquire()
        self._lock = transaction.lock
        return transaction.connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.release()


class BoundClient(AsyncpgDBClient):
    """A Tortoise client that borrows the open transaction's connection and can't open one itself."""

    def acquire_connection(self) -> Any:
        return _Borrowed()

    async def create_connection(self, with_db: bool) -> None:
        raise NoTransaction

    async def execute_many(self, query: str, values: list[Any]) -> None:
        async with self.acquire_connection() as connection:
            await connection.executemany(query, values)

    def _in_transaction(self) -> TransactionContext:
        raise NoTransaction  # transactions are opened by Database.transaction alone


client_class = BoundClient
"""Found by Tortoise, which names this module as its engine."""


def orm_config(apps: Mapping[str, Sequence[str]], *, url: str | None = None) -> dict[str, Any]:
    """Tortoise's configuration: `apps` maps an app label to (models module, migrations package).

    With `url` (the owner's, for migrations) Tortoise opens its own connections; without, models are bound to
    the open transaction.
    """
    connection: object = url or {"engine": "tenants.orm", "credentials": {}}
    return {
        "connections": {"default": connection},
        "apps": {
            label: {"models": [models], "migrations": migrations, "default_connection": "default"}
            for label, (models, migrations) in apps.items()
        },
        "use_tz": True,
        "timezone": "UTC",
    }


async def bind_models(apps: Mapping[str, Sequence[str]]) -> None:
    """Make the models usable in this process; done once at its start."""
    await Tortoise.init(config=orm_config(apps), _enable_global_fallback=True)


async def unbind_models() -> None:
    """Undo `bind_models`."""
    await Tortoise.close_connections()
