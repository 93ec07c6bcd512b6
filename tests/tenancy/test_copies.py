"""A database that tests lend one another is as the template was, or it is not lent again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from saas.kernel import FrozenClock
from tests.companies import found
from tests.conftest import gate_to
from tests.copies import Copies

TRACES = {
    "column": "ALTER TABLE customer ADD COLUMN colour text",
    "default": "ALTER TABLE customer ALTER COLUMN name SET DEFAULT '无'",
    "index": "CREATE INDEX customer_by_name ON customer (name)",
    "row security": "ALTER TABLE customer NO FORCE ROW LEVEL SECURITY",
    "policy": "CREATE POLICY everybody ON customer USING (true)",
    "right": "GRANT SELECT ON platform.account TO saas_app",
    "trigger": "ALTER TABLE ownership DISABLE TRIGGER ALL",
    "function": "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "pretended size": "UPDATE pg_class SET reltuples = 1000000 WHERE relname = 'customer'",
    "statistics": "ANALYZE tortoise_migrations",
    "changed seed row": "UPDATE tortoise_migrations SET name = '0099' WHERE app = 'customers' AND name LIKE '0001%'",
    "size": "INSERT INTO platform.security_event (id, at, kind, client, address, request_id)"
    " SELECT gen_random_uuid(), now(), repeat('k', 30), '', '', '' FROM generate_series(1, 90000)",
    "setting": "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''64kB''', current_database()); END $$",
}


@pytest_asyncio.fixture(loop_scope="session")
async def own_copies(
    maintenance: asyncpg.Connection[asyncpg.Record], superuser_url: str, template: str
) -> AsyncIterator[Copies]:
    """Copies that no other test is lent."""
    lending = Copies(maintenance, superuser_url, template)
    yield lending
    await lending.close()


async def contents(superuser_url: str, name: str) -> dict[str, int]:
    """How many rows each table holds, of those that hold any."""
    connection = await asyncpg.connect(superuser_url, database=name)
    try:
        tables = await connection.fetch(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r'"
            " AND c.relnamespace IN ('public'::regnamespace, 'platform'::regnamespace)"
        )
        counts = {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for (table,) in tables}
    finally:
        await connection.close()
    return {table: count for table, count in counts.items() if count}


async def test_rows_are_gone_when_it_is_lent_again(own_copies: Copies, superuser_url: str, clock: FrozenClock) -> None:
    name = await own_copies.lend()
    made = await contents(superuser_url, name)
    assert set(made) == {"tortoise_migrations"}
    gate = gate_to(superuser_url, name)
    await found(gate, clock)
    await gate.close()
    filled = await contents(superuser_url, name)
    assert {"platform.tenant", "platform.account", "employee", "audit_entry"} < set(filled)
    await own_copies.take_back(name)
    assert await own_copies.lend() == name
    assert await contents(superuser_url, name) == made
    await own_copies.take_back(name)


@pytest.mark.parametrize("trace", TRACES)
async def test_one_that_bears_another_trace_is_removed(own_copies: Copies, superuser_url: str, trace: str) -> None:
    name = await own_copies.lend()
    connection = await asyncpg.connect(superuser_url, database=name)
    await connection.execute(TRACES[trace])
    await connection.close()
    await own_copies.take_back(name)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(superuser_url, database=name)
    assert await own_copies.lend() != name


async def test_whoever_is_still_connected_is_sent_away(own_copies: Copies, superuser_url: str) -> None:
    name = await own_copies.lend()
    connection = await asyncpg.connect(superuser_url, database=name)
    await connection.execute("BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE; SELECT pg_advisory_lock(7)")
    await own_copies.take_back(name)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    connection.terminate()
    assert await own_copies.lend() == name
    await own_copies.take_back(name)


async def test_two_at_once_are_two(own_copies: Copies) -> None:
    first, second = await own_copies.lend(), await own_copies.lend()
    assert first != second
    await own_copies.take_back(first)
    await own_copies.take_back(second)
    assert {await own_copies.lend(), await own_copies.lend()} == {first, second}
