"""A small company for tests: its founder, a pool, people and customers, made by the product's own actions."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest_asyncio

from saas.access import PERMISSIONS, AccessTable
from saas.customers import (
    ClaimFacts,
    NewCustomer,
    PoolChange,
    RecycleReport,
    RecyclingRun,
    claim_customer,
    configure_pool,
    create_customer,
    create_default_pool,
    release_customer,
)
from saas.kernel import Actor, AppError, FrozenClock, new_id
from saas.people import FoundedCompany, create_employee, found_company
from saas.sales import create_first_stages, create_follow_up, find_activity
from saas.sealing import FileKeyProvider, Keyring, Sealer
from tenants import Database, DatabaseRole, DatabaseUrls, current_transaction
from tenants.roles import ensure_database
from tenants.schema import APP, PLATFORM
from tests.conftest import drop_database, make_tenant, role_url

T = TypeVar("T")
ZONE = "Asia/Shanghai"
REP = AccessTable(
    "rep",
    scopes={
        "Customer": frozenset({"self", "pool"}),
        "Deal": frozenset({"self", "credited"}),
        "Opportunity": frozenset({"self", "owned"}),
    },
)
MANAGER = AccessTable("manager", scopes={"Customer": frozenset({"self", "pool", "department"})})
ALL = AccessTable(
    "all",
    permissions=PERMISSIONS,
    scopes=dict.fromkeys(("Customer", "Deal", "Opportunity"), frozenset({"all"})),
)
BLIND = AccessTable("blind")
_TABLES = (
    "customer_pool",
    "employee",
    "employee_leave",
    "customer",
    "ownership",
    "claim_count",
    "pool_view_count",
    "refused_check_count",
    "claim_refusal_count",
    "pool_setting",
    "pool_department",
    "pool_member",
    "pool_administrator",
    "pool_event",
    "pool_notice",
    "holding_mark",
    "ownership_request",
    "pool_proposal",
    "recycle_run",
    "employee_trait",
    "allocation_credit",
    "pool_allocation",
    "allocation_pick",
    "allocation_tally",
    "pool_standing",
    "pool_arrival",
    "pool_alert",
    "leave_share",
    "follow_up",
    "opportunity_stage",
    "opportunity",
    "deal",
    "collection",
    "performance_credit",
    "performance_line",
    "target",
    "incentive_plan",
    "incentive_plan_version",
    "incentive_participant",
    "deal_stage",
    "settlement",
    "settlement_line",
    "settlement_part",
    "settlement_problem",
    "bonus_pool_run",
    "accrual",
    "circulation_policy",
    "customer_decline",
    "assessment",
    "assessment_person",
    "assessment_customer",
    "circulation_run",
    "report",
    "report_item",
    "audit_entry",
    "outbox",
)


def agreeing(facts: ClaimFacts) -> None:
    """A guard without plugins."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company, and short ways to act in it; every call is a transaction of its own."""

    database: Database
    tenant_id: UUID
    clock: FrozenClock
    keyring: Keyring
    founded: FoundedCompany
    pool_id: UUID
    founder: Actor

    async def within(self, action: Callable[[], Awaitable[T]]) -> T:
        """The answer of `action`, in a transaction as the application role."""
        async with self.database.transaction(self.tenant_id):
            return await action()

    async def hire(self, number: str, *, name: str = "李雷", department_id: UUID | None = None) -> Actor:
        """A person on the staff."""
        employee = await self.within(
            lambda: create_employee(
                self.founder,
                name=name,
                number=number,
                department_id=department_id,
                position=None,
                hired_on=None,
                phone=None,
                keyring=self.keyring,
                time_zone=ZONE,
                clock=self.clock,
            )
        )
        return replace(self.founder, account_id=new_id(), employee_id=employee.id, roles=frozenset({"rep"}))

    async def enter(self, name: str, *, keeper: Actor | None = None, phone: str | None = None) -> UUID:
        """A new customer: the keeper's own, or in the pool."""
        new = NewCustomer(name=name, phone=phone)
        entered = await self.within(
            lambda: create_customer(
                keeper or self.founder,
                new,
                keep=keeper is not None,
                keyring=self.keyring,
                time_zone=ZONE,
                clock=self.clock,
            )
        )
        return entered.customer_id

    async def claim(self, actor: Actor, customer_id: UUID, *, access: AccessTable = REP) -> UUID:
        """The actor claims."""
        return await self.within(
            lambda: claim_customer(
                actor, customer_id=customer_id, access=access, guard=agreeing, time_zone=ZONE, clock=self.clock
            )
        )

    async def release(self, actor: Actor, customer_id: UUID, *, reason: str = "无法联系") -> UUID:
        """The actor gives it back."""
        return await self.within(
            lambda: release_customer(
                actor, customer_id=customer_id, reason=reason, access=REP, time_zone=ZONE, clock=self.clock
            )
        )

    async def follow_up(
        self, actor: Actor, customer_id: UUID, content: str, *, kind: str = "visit", **more: Any
    ) -> None:
        """The actor does something for a customer of theirs, now."""
        facts: dict[str, Any] = {"kind": kind, "content": content, "occurred_at": None, **more}
        await self.within(
            lambda: create_follow_up(
                actor, customer_id=customer_id, access=REP, time_zone=ZONE, clock=self.clock, **facts
            )
        )

    async def configure(self, version: int = 1, **settings: Any) -> None:
        """Other settings of the pool, from today on; `version` is the pool's."""
        change = PoolChange(settings=settings)
        await self.within(
            lambda: configure_pool(
                self.founder,
                pool_id=self.pool_id,
                change=change,
                expected_version=version,
                time_zone=ZONE,
                clock=self.clock,
            )
        )

    def recycling(self) -> RecyclingRun:
        """A run of recycling on the company's present day."""
        return RecyclingRun(self.database, self.tenant_id, time_zone=ZONE, activity=find_activity, clock=self.clock)

    async def recycle(self) -> RecycleReport:
        """The nightly job, now."""
        return await self.recycling().run()

    async def set_rules(self, **rules: int) -> None:
        """Other rules for the pool: claim_limit, holding_limit, cooldown_days."""
        for column, value in rules.items():
            await self.run(f"UPDATE customer_pool SET {column} = $1", value)

    async def run(self, sql: str, *values: object) -> int:
        """A statement of the test's own."""
        return await self.within(lambda: current_transaction().execute(sql, *values))

    async def value(self, sql: str, *values: object) -> object:
        """The first column of the first row."""
        return await self.within(lambda: current_transaction().fetchval(sql, *values))

    async def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """All rows."""
        found = await self.within(lambda: current_transaction().fetch(sql, *values))
        return [tuple(row) for row in found]

    async def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """All that a refusal must leave as it was."""
        return {table: await self.rows(f"SELECT t::text FROM {table} t ORDER BY 1") for table in _TABLES}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_database(superuser_url: str, template: str) -> AsyncIterator[Database]:
    """One database for all tests that look at companies of their own only: row-level security keeps them apart."""
    name = f"shared_{secrets.token_hex(6)}"
    await ensure_database(superuser_url, name, template=template)
    urls = DatabaseUrls(app=role_url(superuser_url, APP, name), platform=role_url(superuser_url, PLATFORM, name))
    gate = Database(urls, size=24)
    yield gate
    await gate.close()
    await drop_database(superuser_url, name)


@pytest_asyncio.fixture(loop_scope="session")
async def company(shared_database: Database, clock: FrozenClock, tmp_path: Path) -> Company:
    """A company that this test has for itself."""
    tenant_id = await make_tenant(shared_database, "晨光销售")
    return await stage(shared_database, tenant_id, clock, tmp_path)


@pytest_asyncio.fixture(loop_scope="session")
async def other_company(shared_database: Database, clock: FrozenClock, tmp_path: Path) -> Company:
    """Another company in the same database."""
    tenant_id = await make_tenant(shared_database, "远山贸易")
    return await stage(shared_database, tenant_id, clock, tmp_path)


async def stage(database: Database, tenant_id: UUID, clock: FrozenClock, keys: Path) -> Company:
    """A company with a founder and a default pool."""
    keyring = await Sealer(FileKeyProvider(keys)).keyring(tenant_id)
    founder = Actor(tenant_id, account_id=new_id(), employee_id=None, roles=frozenset({"owner"}))
    async with database.transaction(tenant_id, role=DatabaseRole.PLATFORM):
        founded = await found_company(founder, legal_name="晨光销售有限公司", owner_name="韩梅梅", clock=clock)
        pool = await create_default_pool(name="公海")
        await create_first_stages()
    founder = replace(founder, employee_id=founded.employee_id)
    return Company(database, tenant_id, clock, keyring, founded, pool.id, founder)


async def refused(attempt: Awaitable[object]) -> AppError:
    """The refusal that `attempt` ends with."""
    try:
        await attempt
    except AppError as refusal:
        return refusal
    raise AssertionError("nothing was refused")
