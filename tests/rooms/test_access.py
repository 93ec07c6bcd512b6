"""A company's own rights: they act at once, stay in the company, are in the trail; and none where they can't load."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from saas.access import (
    ALLOWED,
    MASKED,
    AccessTables,
    Action,
    Effect,
    PermissionMissing,
    PolicyLine,
    PolicyUnusable,
    create_role,
    grant_right,
    revoke_right,
)
from saas.kernel import Actor, AppError, FrozenClock, Unavailable, new_id
from tenants import Database, DatabaseRole, DatabaseUrls
from tests.access_samples import catalogue

CATALOGUE = catalogue()
CLAIM = PolicyLine("auditor", Action.DO, "customer:claim")


def actor_of(tenant_id: UUID, *roles: str) -> Actor:
    return Actor(tenant_id, new_id(), None, frozenset(roles))


class Company:
    """One tenant, seen through the tables that all tests share."""

    def __init__(self, database: Database, tenant_id: UUID, clock: FrozenClock) -> None:
        self.database, self.tenant_id, self.clock = database, tenant_id, clock
        self.tables = AccessTables(database, CATALOGUE)

    async def grant(self, line: PolicyLine, *, by: str = "owner") -> UUID:
        actor = actor_of(self.tenant_id, by)
        access = await self.tables.table(actor)
        async with self.database.transaction(self.tenant_id, role=DatabaseRole.PLATFORM):
            return await grant_right(
                actor, line=line, reason="试点", access=access, catalogue=CATALOGUE, clock=self.clock
            )

    async def revoke(self, rule_id: UUID, *, by: str = "owner") -> None:
        actor = actor_of(self.tenant_id, by)
        access = await self.tables.table(actor)
        async with self.database.transaction(self.tenant_id, role=DatabaseRole.PLATFORM):
            await revoke_right(actor, rule_id=rule_id, reason="结束", access=access, clock=self.clock)

    async def add_role(self, name: str, parent: str | None, *, by: str = "owner") -> UUID:
        actor = actor_of(self.tenant_id, by)
        access = await self.tables.table(actor)
        async with self.database.transaction(self.tenant_id, role=DatabaseRole.PLATFORM):
            return await create_role(actor, name=name, parent=parent, reason="区域", access=access, clock=self.clock)

    async def may(self, role: str, verb: str) -> bool:
        return (await self.tables.table(actor_of(self.tenant_id, role))).may(verb)

    async def state(self) -> dict[str, Any]:
        """What a refused change must leave as it was."""
        async with self.database.transaction(self.tenant_id, role=DatabaseRole.PLATFORM) as transaction:
            row = await transaction.fetchrow(
                "SELECT (SELECT version FROM platform.tenant WHERE id = $1) AS version,"
                " (SELECT count(*) FROM access_rule) AS rules, (SELECT count(*) FROM access_role) AS roles,"
                " (SELECT count(*) FROM audit_entry) AS entries",
                self.tenant_id,
            )
        assert row is not None
        return dict(row)


@pytest.fixture
def company(database: Database, tenant_id: UUID, clock: FrozenClock) -> Company:
    return Company(database, tenant_id, clock)


@pytest.fixture
def other_company(database: Database, other_tenant_id: UUID, clock: FrozenClock) -> Company:
    return Company(database, other_tenant_id, clock)


async def test_right_acts_at_once_raises_the_version_and_is_in_the_trail(company: Company) -> None:
    assert not await company.may("auditor", "customer:claim")
    rule_id = await company.grant(CLAIM)
    assert await company.may("auditor", "customer:claim")
    assert await company.state() == {"version": 2, "rules": 1, "roles": 0, "entries": 1}
    await company.revoke(rule_id)
    assert not await company.may("auditor", "customer:claim")
    assert await company.state() == {"version": 3, "rules": 0, "roles": 0, "entries": 2}
    async with company.database.transaction(company.tenant_id) as transaction:
        rows = await transaction.fetch("SELECT action, object_id, changes::jsonb->'object' AS object FROM audit_entry")
    assert {(row["action"], row["object_id"], row["object"]) for row in rows} == {
        ("access.right_granted", rule_id, '[null, "customer:claim"]'),
        ("access.right_revoked", rule_id, '["customer:claim", null]'),
    }


async def test_deny_takes_a_built_in_right_away(company: Company) -> None:
    await company.grant(PolicyLine("rep", Action.READ, "Customer.phone", Effect.DENY))
    table = await company.tables.table(actor_of(company.tenant_id, "rep"))
    assert table.read("Customer", "phone") == MASKED
    assert table.read("Customer", "name") == ALLOWED


async def test_own_role_inherits_and_takes_rights(company: Company) -> None:
    await company.add_role("regional_manager", "sales_manager")
    await company.grant(PolicyLine("regional_manager", Action.DO, "department:write"))
    assert await company.may("regional_manager", "customer:assign")
    assert await company.may("regional_manager", "department:write")
    assert not await company.may("sales_manager", "department:write")


async def test_rights_stay_in_the_company_and_equal_policies_share_a_table(
    company: Company, other_company: Company
) -> None:
    before = await company.tables.table(actor_of(company.tenant_id, "auditor"))
    rule_id = await company.grant(CLAIM)
    await company.add_role("regional_manager", "sales_manager")
    assert not await other_company.may("auditor", "customer:claim")
    assert not await other_company.may("regional_manager", "customer:claim")
    foreign = await company.tables.table(actor_of(other_company.tenant_id, "auditor"))
    assert foreign is before
    with pytest.raises(AppError) as refused:
        await other_company.revoke(rule_id)
    assert refused.value.key == "access.rule_not_found"
    with pytest.raises(AppError) as missing:
        await other_company.revoke(new_id())
    assert missing.value.key == refused.value.key
    assert await company.may("auditor", "customer:claim")


@pytest.mark.parametrize(
    ("line", "by", "key"),
    [
        (CLAIM, "hr_admin", "access.permission_missing"),
        (PolicyLine("consultant", Action.DO, "customer:claim"), "consultant", "access.own_rights"),
        (PolicyLine("rep", Action.DO, "tenant:export"), "consultant", "access.reserved_right"),
        (PolicyLine("rep", Action.READ, "Employee.baseSalary"), "owner", "access.pay_needs_two"),
        (PolicyLine("boss", Action.DO, "customer:claim"), "owner", "access.unknown_role"),
        (PolicyLine("rep", Action.READ, "Customer.colour"), "owner", "access.unknown_object"),
    ],
)
async def test_refused_grant_changes_nothing(company: Company, line: PolicyLine, by: str, key: str) -> None:
    before = await company.state()
    with pytest.raises(AppError) as refused:
        await company.grant(line, by=by)
    assert refused.value.key == key
    assert await company.state() == before


async def test_same_right_twice_and_same_role_twice_are_conflicts_that_change_nothing(company: Company) -> None:
    await company.grant(CLAIM)
    await company.add_role("regional_manager", None)
    before = await company.state()
    with pytest.raises(AppError) as right:
        await company.grant(CLAIM)
    with pytest.raises(AppError) as role:
        await company.add_role("regional_manager", "rep")
    with pytest.raises(AppError) as built_in:
        await company.add_role("rep", None)
    keys = [refused.value.key for refused in (right, role, built_in)]
    assert keys == ["access.right_exists", "access.role_exists", "access.role_exists"]
    assert await company.state() == before


async def test_taking_back_a_deny_on_own_role_is_refused(company: Company) -> None:
    rule_id = await company.grant(PolicyLine("consultant", Action.READ, "Customer.name", Effect.DENY))
    with pytest.raises(PermissionMissing):
        await company.revoke(rule_id, by="rep")
    with pytest.raises(AppError) as refused:
        await company.revoke(rule_id, by="consultant")
    assert refused.value.key == "access.own_rights"
    assert (await company.state())["rules"] == 1


async def test_kept_table_costs_no_trip_and_a_raised_version_is_noticed(company: Company) -> None:
    auditor = actor_of(company.tenant_id, "auditor")
    first = await company.tables.table(auditor, version=1)
    assert await company.tables.table(auditor, version=1) is first
    await company.grant(CLAIM)
    assert (await company.tables.table(auditor, version=2)).may("customer:claim")
    elsewhere = AccessTables(company.database, CATALOGUE)
    assert (await elsewhere.table(auditor, version=2)).may("customer:claim")


async def test_a_table_that_is_known_is_looked_up_and_not_made_again(company: Company) -> None:
    actor = actor_of(company.tenant_id, "rep")
    table = await company.tables.table(actor, version=1)
    assert all([await company.tables.table(actor, version=1) is table for _ in range(3)])


async def test_policy_that_does_not_load_is_an_error_and_never_an_allowance(company: Company, tenant_id: UUID) -> None:
    nowhere = "postgres://nobody:x@127.0.0.1:1/none"
    gone = AccessTables(Database(DatabaseUrls(app=nowhere, platform=nowhere)), CATALOGUE)
    with pytest.raises(Unavailable):
        await gone.table(actor_of(tenant_id, "owner"))
    with pytest.raises(PolicyUnusable):
        await company.tables.table(actor_of(new_id(), "owner"))


async def test_application_role_reads_policy_of_its_tenant_alone_and_may_not_raise_versions(
    company: Company, other_company: Company
) -> None:
    await company.grant(CLAIM)
    async with company.database.transaction(other_company.tenant_id) as transaction:
        assert await transaction.fetchval("SELECT count(*) FROM access_rule") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with company.database.transaction(company.tenant_id) as transaction:
            await transaction.execute("UPDATE platform.tenant SET version = 9")
