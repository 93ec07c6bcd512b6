"""Twenty changes of one company's rights at once: each judged by what the last one left."""

from __future__ import annotations

import asyncio
from uuid import UUID

from saas.access import AccessTables, Action, PolicyLine, create_role, grant_right
from saas.kernel import Actor, AppError, FrozenClock, new_id
from tenants import Database, DatabaseRole
from tests.access_samples import catalogue

CATALOGUE = catalogue()


async def test_one_of_twenty_equal_grants_wins_and_the_version_rises_once(
    database: Database, tenant_id: UUID, clock: FrozenClock
) -> None:
    owner = Actor(tenant_id, new_id(), None, frozenset({"owner"}))
    access = await AccessTables(database, CATALOGUE).table(owner)
    line = PolicyLine("auditor", Action.DO, "customer:claim")

    async def attempt(number: int) -> str:
        try:
            async with database.transaction(tenant_id, role=DatabaseRole.PLATFORM):
                if number % 2:
                    await grant_right(owner, line=line, reason="race", access=access, catalogue=CATALOGUE, clock=clock)
                else:
                    await create_role(owner, name="regional", parent="rep", reason="race", access=access, clock=clock)
        except AppError as refused:
            return refused.key
        return "done"

    outcomes = await asyncio.gather(*(attempt(number) for number in range(20)))
    assert sorted(outcomes) == ["access.right_exists"] * 9 + ["access.role_exists"] * 9 + ["done"] * 2
    async with database.transaction(tenant_id, role=DatabaseRole.PLATFORM) as transaction:
        assert await transaction.fetchval("SELECT version FROM platform.tenant WHERE id = $1", tenant_id) == 3
        assert await transaction.fetchval("SELECT count(*) FROM access_rule") == 1
        assert await transaction.fetchval("SELECT count(*) FROM access_role") == 1
        assert await transaction.fetchval("SELECT count(*) FROM audit_entry") == 2
