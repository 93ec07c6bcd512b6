"""An INSERT that goes along with a SELECT: both or neither, and one trip."""

from __future__ import annotations

from uuid import UUID

import pytest

from saas.kernel import Conflict, new_id
from tenants import Companion, Database, current_transaction

_INSERT = """
INSERT INTO idempotency (tenant_id, client, key, operation, body_hash, outcome, created_at)
VALUES ($1, $2, $3, 'test', '', '{}', now())
"""
_SELECT = "SELECT $1::int + $2::int AS sum"
_COUNT = "SELECT count(*) FROM idempotency WHERE client = $1"


def companion(tenant_id: UUID, client: str) -> Companion:
    return Companion(_INSERT, (tenant_id, client, "key"), taken=Conflict("test.taken"))


async def written(database: Database, tenant_id: UUID, client: str) -> int:
    async with database.transaction(tenant_id) as transaction:
        return int(await transaction.fetchval(_COUNT, client))


async def test_it_goes_along_with_the_first_select_and_is_not_sent_again(database: Database, tenant_id: UUID) -> None:
    client = new_id().hex
    async with database.transaction(tenant_id):
        going = companion(tenant_id, client)
        for expected in (5, 7):
            row = await going.fetchrow(_SELECT, 2, expected - 2)
            assert row is not None
            assert row["sum"] == expected
            assert await current_transaction().fetchval(_COUNT, client) == 1
        await going.send()
    assert await written(database, tenant_id, client) == 1


async def test_it_goes_by_itself_where_nothing_took_it_along(database: Database, tenant_id: UUID) -> None:
    client = new_id().hex
    async with database.transaction(tenant_id):
        going = companion(tenant_id, client)
        await going.send()
        await going.send()
        assert await going.fetchrow(_SELECT, 1, 1) is not None
    assert await written(database, tenant_id, client) == 1


@pytest.mark.parametrize("is_along", [True, False])
async def test_a_row_that_stands_refuses_both(database: Database, tenant_id: UUID, is_along: bool) -> None:
    client = new_id().hex
    async with database.transaction(tenant_id):
        await companion(tenant_id, client).send()
    with pytest.raises(Conflict, match=r"test\.taken"):
        async with database.transaction(tenant_id):
            again = companion(tenant_id, client)
            await (again.fetchrow(_SELECT, 1, 1) if is_along else again.send())
    assert await written(database, tenant_id, client) == 1


async def test_another_companys_row_can_not_be_smuggled_in(
    database: Database, tenant_id: UUID, other_tenant_id: UUID
) -> None:
    client = new_id().hex
    with pytest.raises(Exception, match="row-level security"):
        async with database.transaction(tenant_id):
            await companion(other_tenant_id, client).fetchrow(_SELECT, 1, 1)
    assert await written(database, other_tenant_id, client) == 0


async def test_only_a_select_takes_it_along(database: Database, tenant_id: UUID) -> None:
    client = new_id().hex
    with pytest.raises(ValueError, match="plain SELECT"):
        async with database.transaction(tenant_id):
            await companion(tenant_id, client).fetchrow("WITH a AS (SELECT 1) SELECT * FROM a")
    assert await written(database, tenant_id, client) == 0
