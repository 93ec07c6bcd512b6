"""The relay's role sees whose event is due and when, and nothing else in the database."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from saas.events import emit
from tenants import Database
from tenants.pool import ConnectionPool
from tests.jobs.cast import NOTED, outbox_row

GRANTED = """
SELECT table_schema || '.' || table_name || '.' || column_name AS place, privilege_type
FROM information_schema.column_privileges
WHERE grantee IN ('saas_relay', 'PUBLIC') AND table_schema NOT IN ('pg_catalog', 'information_schema')
ORDER BY 2, 1
"""


@pytest.fixture
async def events(database: Database, tenant_id: UUID, other_tenant_id: UUID) -> dict[UUID, UUID]:
    made = {}
    for owner in (tenant_id, other_tenant_id):
        async with database.transaction(owner):
            made[owner] = await emit(NOTED, {"text": "between us"})
    return made


async def test_relay_sees_events_of_all_companies_without_their_payload(
    relay_pool: ConnectionPool, events: dict[UUID, UUID]
) -> None:
    async with relay_pool.connection() as connection:
        rows = await connection.fetch("SELECT tenant_id, id, topic, attempts FROM outbox WHERE due_at <= now()")
        assert {row["tenant_id"]: row["id"] for row in rows} == events
        for column in ("payload", "last_error", "handler", "created_at", "*"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT {column} FROM outbox")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outbox SET done_at = now()",
        "UPDATE outbox SET tenant_id = id",
        "UPDATE outbox SET attempts = 0",
        "DELETE FROM outbox",
        "INSERT INTO outbox (tenant_id, id) VALUES (gen_random_uuid(), gen_random_uuid())",
        "SELECT 1 FROM idempotency",
        "SELECT 1 FROM platform.tenant",
        "SET ROLE saas_app",
    ],
)
async def test_relay_may_change_nothing_but_when_an_event_is_sent(
    database: Database, relay_pool: ConnectionPool, events: dict[UUID, UUID], statement: str
) -> None:
    before = [await outbox_row(database, *event) for event in events.items()]
    async with relay_pool.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    assert [await outbox_row(database, *event) for event in events.items()] == before


async def test_catalogue_knows_no_other_right_of_the_relay(superuser_url: str, database_name: str) -> None:
    connection = await asyncpg.connect(superuser_url, database=database_name)
    try:
        granted = [(row["place"], row["privilege_type"]) for row in await connection.fetch(GRANTED)]
        policies = await connection.fetch(
            "SELECT tablename, policyname, cmd, roles::text[] FROM pg_policies WHERE qual NOT LIKE '%app.tenant_id%'"
            " ORDER BY policyname"
        )
    finally:
        await connection.close()
    assert granted == [
        *((f"public.outbox.{column}", "SELECT") for column in ("attempts", "due_at", "id", "tenant_id", "topic")),
        ("public.outbox.due_at", "UPDATE"),
        ("public.outbox.sent_at", "UPDATE"),
    ]
    assert [tuple(row) for row in policies] == [
        ("outbox", "relay_select", "SELECT", ["saas_relay"]),
        ("outbox", "relay_update", "UPDATE", ["saas_relay"]),
    ]


async def test_companies_do_not_see_each_other_in_the_outbox(
    database: Database, tenant_id: UUID, events: dict[UUID, UUID]
) -> None:
    async with database.transaction(tenant_id) as transaction:
        rows = await transaction.fetch("SELECT id FROM outbox")
    assert [row["id"] for row in rows] == [events[tenant_id]]
