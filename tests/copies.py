"""Databases lent to one test after another: a copy of the template, emptied and used again while it is as made.

Emptying a copy costs a tenth of making and removing one. A copy whose catalogue or seed rows differ afterwards (the
test altered a table, took a trigger away, pretended a size), or that has grown, is removed instead: no test sees
another's traces.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import asyncpg

from tenants.schema import APP, OWNER, PLATFORM, RELAY

_LARGE_BYTES = 8_000_000
_CATALOGUES = (
    *("pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index"),
    *("pg_trigger", "pg_policy", "pg_proc", "pg_namespace"),
)
_TABLES = """
SELECT c.oid::regclass::text AS name, pg_relation_size(c.oid) AS size FROM pg_class c
 WHERE c.relnamespace IN ('public'::regnamespace, 'platform'::regnamespace) AND c.relkind = 'r'
   AND pg_relation_size(c.oid) > 0
"""
_ITSELF = "(SELECT oid FROM pg_database WHERE datname = current_database())"
_MARKS = (
    *(f"(SELECT sum(xmin::text::bigint) FROM {catalogue})" for catalogue in _CATALOGUES),
    "(SELECT sum(xmin::text::bigint) FROM pg_statistic WHERE starelid >= 16384)",
    "(SELECT string_agg(s::text, ' ') FROM pg_sequences s)",
    f"(SELECT xmin FROM pg_database WHERE oid = {_ITSELF})",
    f"(SELECT sum(xmin::text::bigint) FROM pg_db_role_setting WHERE setdatabase = {_ITSELF})",
)
"""What changes with any statement that is not about rows: each row of a catalogue tells which transaction wrote it."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy, the administrator's connection to it, which of its tables hold seed rows, and the marks of its making."""

    name: str
    connection: asyncpg.Connection[asyncpg.Record]
    seeded: tuple[str, ...]
    marks: str


class Copies:
    """The copies of one test process."""

    def __init__(self, maintenance: asyncpg.Connection[asyncpg.Record], superuser_url: str, template: str) -> None:
        self._maintenance = maintenance
        self._superuser_url = superuser_url
        self._template = template
        self._free: list[_Copy] = []
        self._lent: dict[str, _Copy] = {}

    async def lend(self) -> str:
        """The name of a database like the template, which nobody else uses."""
        copy = self._free.pop() if self._free else await self._make()
        self._lent[copy.name] = copy
        return copy.name

    async def take_back(self, name: str) -> None:
        """End whoever is connected, and keep the database for the next test or remove it."""
        copy = self._lent.pop(name)
        if await self._is_emptied(copy):
            self._free.append(copy)
        else:
            await self._remove(copy)

    async def close(self) -> None:
        """Remove them all."""
        for copy in (*self._free, *self._lent.values()):
            await self._remove(copy)

    async def _make(self) -> _Copy:
        name = f"test_{secrets.token_hex(6)}"
        await self._maintenance.execute(
            f'CREATE DATABASE "{name}" OWNER {OWNER} TEMPLATE "{self._template}" STRATEGY file_copy'
        )
        await self._maintenance.execute(
            f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC;'
            f' GRANT CONNECT ON DATABASE "{name}" TO {APP}, {PLATFORM}, {RELAY}'
        )
        connection = await asyncpg.connect(self._superuser_url, database=name)
        await connection.execute(
            "SET session_replication_role = replica"
        )  # foreign keys and triggers don't stop emptying
        seeded = tuple(row["name"] for row in await connection.fetch(_TABLES))
        return _Copy(name, connection, seeded, await _marks(connection, seeded))

    async def _is_emptied(self, copy: _Copy) -> bool:
        if copy.connection.is_closed():
            return False
        await self._disconnect_others(copy)
        if await _marks(copy.connection, copy.seeded) != copy.marks:
            return False
        tables = await copy.connection.fetch(_TABLES)
        if sum(table["size"] for table in tables) > _LARGE_BYTES:
            return False
        used = [table["name"] for table in tables if table["name"] not in copy.seeded]
        if used:
            await copy.connection.execute("; ".join(f"DELETE FROM {name}" for name in used))
        return True

    async def _disconnect_others(self, copy: _Copy) -> None:
        """Returns once they are gone, and their locks and transactions with them."""
        await copy.connection.fetch(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    async def _remove(self, copy: _Copy) -> None:
        await copy.connection.close()
        await self._maintenance.execute(f'DROP DATABASE IF EXISTS "{copy.name}" WITH (FORCE)')


async def _marks(connection: asyncpg.Connection[asyncpg.Record], seeded: tuple[str, ...]) -> str:
    rows = (f"(SELECT concat(count(*), ':', sum(xmin::text::bigint)) FROM {table})" for table in seeded)
    found: str = await connection.fetchval(f"SELECT concat_ws(' ', {', '.join((*_MARKS, *rows))})")
    return found
