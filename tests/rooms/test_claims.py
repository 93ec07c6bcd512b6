"""Claiming: what a claim writes, each refusal with its values and nothing changed, and how many statements it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from saas.customers import ClaimFacts, claim_customer
from saas.customers.errors import (
    ClaimantNotOnStaff,
    ClaimLimitReached,
    CooldownRunning,
    CustomerAlreadyOwned,
    CustomerNotFound,
    HoldingLimitReached,
)
from saas.kernel import Actor, RuleRefused, new_id
from saas.people import create_department
from tests.staging import ALL, BLIND, MANAGER, REP, ZONE, Company, agreeing, refused


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def test_a_claim_writes_all_that_belongs_to_it(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    company.clock.advance(timedelta(hours=1))
    assert await company.claim(rep, customer_id) == customer_id
    department, now = company.founded.department_id, company.clock.now()
    assert await company.rows("SELECT status, owner_id, owner_department_id, received_on, version FROM customer") == [
        ("owned", rep.employee_id, department, date(2026, 11, 23), 2)
    ]
    assert await company.rows(
        "SELECT customer_id, owner_id, owner_department_id, pool_id, started_at, started_on, start_kind, operator_id,"
        " ended_at, end_kind FROM ownership"
    ) == [
        (
            customer_id,
            rep.employee_id,
            department,
            company.pool_id,
            now,
            date(2026, 11, 23),
            "claim",
            rep.account_id,
            None,
            None,
        )
    ]
    assert await company.rows("SELECT pool_id, employee_id, counted_on, claims FROM claim_count") == [
        (company.pool_id, rep.employee_id, date(2026, 11, 23), 1)
    ]
    assert await company.rows(
        "SELECT object_type, object_id, account_id, employee_id, changes - 'ledger', outcome, at FROM audit_entry"
        " WHERE action = 'customer.claimed'"
    ) == [
        (
            "Customer",
            customer_id,
            rep.account_id,
            rep.employee_id,
            f'{{"owner": [null, "{rep.employee_id}"]}}',
            "done",
            now,
        )
    ]
    assert await company.rows(
        "SELECT payload::text, handler, done_at, attempts FROM outbox WHERE topic = 'customers.customer_claimed'"
    ) == [(f'{{"owner_id": "{rep.employee_id}", "customer_id": "{customer_id}"}}', None, None, 0)]


async def test_an_owned_customer_is_taken(company: Company, rep: Actor) -> None:
    customer_id, other = await company.enter("晨光"), await company.hire("0003")
    await company.claim(rep, customer_id)
    before = await company.everything()
    for claimant in (other, rep):
        refusal = await refused(company.claim(claimant, customer_id))
        assert isinstance(refusal, CustomerAlreadyOwned)
        assert (refusal.values, refusal.field) == ({}, ("input", "customer"))
    assert await company.everything() == before


async def test_what_is_not_visible_is_not_found(company: Company, rep: Actor) -> None:
    other = await company.hire("0003")
    foreign, pooled = await company.enter("晨光", keeper=other), await company.enter("远山")
    before = await company.everything()
    missing = await refused(company.claim(rep, new_id()))
    assert isinstance(missing, CustomerNotFound)
    assert missing.field == ("input", "customer")
    for customer_id, access in ((foreign, REP), (pooled, BLIND)):
        refusal = await refused(company.claim(rep, customer_id, access=access))
        assert isinstance(refusal, CustomerNotFound)
        assert str(refusal) == str(missing)
    assert isinstance(await refused(company.claim(rep, foreign, access=ALL)), CustomerAlreadyOwned)
    assert await company.everything() == before


async def test_a_manager_sees_what_the_departments_below_own(company: Company) -> None:
    async def department(name: str, parent_id: UUID | None) -> UUID:
        made = await company.within(
            lambda: create_department(company.founder, name=name, parent_id=parent_id, clock=company.clock)
        )
        return made.id

    east = await department("华东", None)
    shanghai, west = await department("上海", east), await department("西部", None)
    manager = await company.hire("0002", department_id=east)
    below = await company.hire("0003", department_id=shanghai)
    beside = await company.hire("0004", department_id=west)
    theirs, foreign = await company.enter("甲", keeper=below), await company.enter("乙", keeper=beside)
    assert isinstance(await refused(company.claim(manager, theirs, access=MANAGER)), CustomerAlreadyOwned)
    assert isinstance(await refused(company.claim(manager, foreign, access=MANAGER)), CustomerNotFound)


async def test_only_people_on_the_staff_claim(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    await company.run("UPDATE employee SET status = 'separated', left_on = hired_on WHERE id = $1", rep.employee_id)
    before = await company.everything()
    for claimant in (rep, replace(rep, employee_id=None), replace(rep, employee_id=new_id())):
        assert isinstance(await refused(company.claim(claimant, customer_id)), ClaimantNotOnStaff)
    assert await company.everything() == before


async def test_the_claim_limit_counts_claims_of_the_local_day(company: Company, rep: Actor) -> None:
    first, second = await company.enter("甲"), await company.enter("乙")
    await company.set_rules(claim_limit=1)
    await company.claim(rep, first)
    before = await company.everything()
    refusal = await refused(company.claim(rep, second))
    assert isinstance(refusal, ClaimLimitReached)
    assert refusal.values == {"pool": "公海", "limit": 1, "free_from": "2026-11-24"}
    assert refusal.field == ("input", "customer")
    assert await company.everything() == before
    company.clock.advance(timedelta(hours=13, minutes=59, seconds=59))  # 23:59:59 in Shanghai
    assert isinstance(await refused(company.claim(rep, second)), ClaimLimitReached)
    company.clock.advance(timedelta(seconds=1))
    await company.claim(rep, second)
    assert await company.rows("SELECT counted_on, claims FROM claim_count ORDER BY 1") == [
        (date(2026, 11, 23), 1),
        (date(2026, 11, 24), 1),
    ]


async def test_a_released_claim_is_not_given_back(company: Company, rep: Actor) -> None:
    """L01: claim, copy the phone number, release, claim the next."""
    first, second = await company.enter("甲"), await company.enter("乙")
    await company.set_rules(claim_limit=1, cooldown_days=0)
    await company.claim(rep, first)
    await company.release(rep, first)
    before = await company.everything()
    for customer_id in (first, second):
        assert isinstance(await refused(company.claim(rep, customer_id)), ClaimLimitReached)
    assert await company.everything() == before


async def test_a_refused_claim_uses_up_nothing(company: Company, rep: Actor) -> None:
    """L06."""
    taken, free = await company.enter("甲", keeper=rep), await company.enter("乙")
    await company.set_rules(claim_limit=1)
    for _ in range(3):
        await refused(company.claim(rep, taken, access=ALL))
    await company.claim(rep, free)
    assert await company.value("SELECT claims FROM claim_count") == 1


async def test_a_pool_may_allow_no_claims(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    await company.set_rules(claim_limit=0)
    before = await company.everything()
    refusal = await refused(company.claim(rep, customer_id))
    assert (refusal.key, refusal.values) == ("customers.claims_off", {"pool": "公海"})
    assert await company.everything() == before


async def test_the_holding_limit_counts_all_that_one_owns(company: Company, rep: Actor) -> None:
    await company.enter("甲", keeper=rep)
    second, third = await company.enter("乙"), await company.enter("丙")
    await company.set_rules(holding_limit=2)
    await company.claim(rep, second)
    before = await company.everything()
    refusal = await refused(company.claim(rep, third))
    assert isinstance(refusal, HoldingLimitReached)
    assert refusal.values == {"pool": "公海", "limit": 2, "holding": 2}
    assert await company.everything() == before
    await company.release(rep, second)
    await company.claim(rep, third)


async def test_every_former_owner_waits_for_the_cooldown(company: Company, rep: Actor) -> None:
    """L07: A, then B, then the pool, then A again. Both are blocked, each from the end of their own ownership."""
    other, third = await company.hire("0003"), await company.hire("0004")
    customer_id = await company.enter("晨光", keeper=rep)
    await company.release(rep, customer_id)
    company.clock.advance(timedelta(days=2))
    await company.claim(other, customer_id)
    await company.release(other, customer_id)
    before = await company.everything()
    for former, free_from in ((rep, "2026-12-01"), (other, "2026-12-03")):
        refusal = await refused(company.claim(former, customer_id))
        assert isinstance(refusal, CooldownRunning)
        assert refusal.values == {"pool": "公海", "days": 7, "free_from": free_from}
    assert await company.everything() == before
    company.clock.advance(timedelta(days=5, hours=13, minutes=59))  # the end of 30 November in Shanghai
    assert isinstance(await refused(company.claim(rep, customer_id)), CooldownRunning)
    await company.claim(third, customer_id)
    await company.release(third, customer_id)
    company.clock.advance(timedelta(minutes=1))
    await company.claim(rep, customer_id)


async def test_a_plugin_hears_the_facts_and_may_refuse(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    await company.run("UPDATE customer SET district_code = '310104', industry = '制造', level = 'A'")
    heard: list[ClaimFacts] = []

    def refusing(facts: ClaimFacts) -> None:
        heard.append(facts)
        raise RuleRefused("realty.foreign_area", {"area": "徐汇"})

    before = await company.everything()
    refusal = await refused(
        company.within(
            lambda: claim_customer(
                rep, customer_id=customer_id, access=REP, guard=refusing, time_zone=ZONE, clock=company.clock
            )
        )
    )
    assert isinstance(refusal, RuleRefused)
    assert (refusal.key, refusal.values, refusal.field) == (
        "realty.foreign_area",
        {"area": "徐汇"},
        ("input", "customer"),
    )
    assert rep.employee_id is not None
    assert heard == [
        ClaimFacts(
            tenant_id=company.tenant_id,
            customer_id=customer_id,
            district_code="310104",
            industry="制造",
            level="A",
            claimant_id=rep.employee_id,
            claimant_department_id=company.founded.department_id,
            on=date(2026, 11, 23),
        )
    ]
    assert await company.everything() == before


@pytest.mark.parametrize(("is_taken", "statements"), [(False, 2), (True, 1)])
async def test_a_claim_takes_two_statements_and_a_lost_one_one(
    company: Company, rep: Actor, is_taken: bool, statements: int
) -> None:
    customer_id = await company.enter("晨光")
    if is_taken:
        await company.claim(await company.hire("0003"), customer_id)
    async with counted(company) as seen:
        try:
            await claim_customer(
                rep, customer_id=customer_id, access=REP, guard=agreeing, time_zone=ZONE, clock=company.clock
            )
        except CustomerAlreadyOwned:
            assert is_taken
    assert len(seen) == statements, seen


@asynccontextmanager
async def counted(company: Company) -> AsyncIterator[list[str]]:
    """The statements that run inside the block, in one transaction."""
    seen: list[str] = []
    async with company.database.transaction(company.tenant_id) as transaction:
        with transaction.connection.query_logger(lambda record: seen.append(record.query)):
            yield seen
