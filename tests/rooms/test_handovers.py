"""Assigning and transferring: who may get one more, whose clock runs on, and a ledger line for each change of owner."""

from __future__ import annotations

import asyncio
import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from saas.customers import (
    assign_customer,
    find_owner_on,
    release_customers,
    transfer_customer,
)
from saas.customers.actions.due_dates import find_owned
from saas.customers.errors import (
    AssigneeNotOnStaff,
    ClaimLimitReached,
    CooldownRunning,
    CustomerAlreadyOwned,
    CustomerNotFound,
    CustomerNotOwned,
    HoldingLimitReached,
    NotTheOwner,
    ReasonUnlisted,
)
from saas.kernel import Actor, AppError, BadUserInput, local_date, new_id
from saas.people import create_department
from saas.sales import find_activity
from tests.staging import ALL, REP, ZONE, Company, refused

TODAY = date(2026, 11, 23)
DUE = timedelta(days=31)
LINES = "SELECT kind, customer_id, employee_id, former_owner_id, operator_id, reason FROM pool_event ORDER BY id"


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


@pytest_asyncio.fixture(loop_scope="session")
async def other(company: Company) -> Actor:
    return await company.hire("0003")


async def assign(
    company: Company, customer_id: UUID, to: Actor, *, by: Actor | None = None, reason: str = "重点客户"
) -> UUID:
    assert to.employee_id is not None
    employee_id = to.employee_id
    return await company.within(
        lambda: assign_customer(
            by or company.founder,
            customer_id=customer_id,
            employee_id=employee_id,
            reason=reason,
            access=ALL,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def transfer(company: Company, customer_id: UUID, to: Actor, *, reason: str = "区域调整") -> UUID:
    assert to.employee_id is not None
    employee_id = to.employee_id
    return await company.within(
        lambda: transfer_customer(
            company.founder,
            customer_id=customer_id,
            employee_id=employee_id,
            reason=reason,
            access=ALL,
            activity=find_activity,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def test_an_assignment_writes_all_that_belongs_to_it(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    await assign(company, customer_id, rep)
    assert await company.rows("SELECT status, owner_id, received_on, due_on, due_rule, version FROM customer") == [
        ("owned", rep.employee_id, TODAY, TODAY + DUE, "no_follow_up", 2)
    ]
    assert await company.rows("SELECT owner_id, start_kind, operator_id, ended_on FROM ownership") == [
        (rep.employee_id, "assign", company.founder.account_id, None)
    ]
    assert await company.rows(LINES) == [
        ("assigned", customer_id, rep.employee_id, None, company.founder.account_id, "重点客户")
    ]
    assert await company.rows("SELECT reason, changes::text FROM audit_entry WHERE action = 'customer.assigned'") == [
        ("重点客户", f'{{"owner": [null, "{rep.employee_id}"]}}')
    ]
    assert await company.rows("SELECT payload::text FROM outbox WHERE topic = 'customers.customer_assigned'") == [
        (f'{{"owner_id": "{rep.employee_id}", "customer_id": "{customer_id}"}}',)
    ]


async def test_an_assignment_is_not_the_other_persons_claim(company: Company, rep: Actor) -> None:
    """L27."""
    await company.set_rules(claim_limit=1)
    first, second = await company.enter("甲"), await company.enter("乙")
    await assign(company, first, rep)
    assert await company.rows("SELECT claims FROM claim_count") == []
    await company.claim(rep, second)


async def test_who_assigns_to_themselves_claims(company: Company, rep: Actor) -> None:
    """L26."""
    await company.set_rules(claim_limit=1)
    first, second = await company.enter("甲"), await company.enter("乙")
    await assign(company, first, rep, by=rep)
    assert await company.rows("SELECT employee_id, claims FROM claim_count") == [(rep.employee_id, 1)]
    before = await company.everything()
    assert isinstance(await refused(assign(company, second, rep, by=rep)), ClaimLimitReached)
    assert await company.everything() == before


async def test_the_cooldown_is_passed_by_assignments_where_the_pool_says_so(company: Company, rep: Actor) -> None:
    first, second = await company.enter("甲", keeper=rep), await company.enter("乙", keeper=rep)
    for customer_id in (first, second):
        await company.release(rep, customer_id)
    await assign(company, first, rep)
    await company.configure(assign_ignores_cooldown=False)
    before = await company.everything()
    assert isinstance(await refused(assign(company, second, rep)), CooldownRunning)
    assert isinstance(await refused(assign(company, second, rep, by=rep)), CooldownRunning)
    assert await company.everything() == before


async def test_refused_handovers_change_nothing(company: Company, rep: Actor, other: Actor) -> None:
    pooled, owned = await company.enter("甲"), await company.enter("乙", keeper=rep)
    full = await company.hire("0004")
    await company.enter("丙", keeper=full)
    await company.set_rules(holding_limit=1)
    stranger = Actor(company.tenant_id, new_id(), new_id(), frozenset())
    before = await company.everything()
    attempts: list[tuple[Any, type[AppError], tuple[str, ...]]] = [
        (assign(company, owned, other), CustomerAlreadyOwned, ("input", "customer")),
        (assign(company, pooled, full), HoldingLimitReached, ("input", "customer")),
        (assign(company, pooled, stranger), AssigneeNotOnStaff, ("input", "employee")),
        (assign(company, new_id(), other), CustomerNotFound, ("input", "customer")),
        (assign(company, pooled, other, reason=" "), BadUserInput, ("input", "reason")),
        (transfer(company, pooled, other), CustomerNotOwned, ("input", "customer")),
        (transfer(company, owned, rep), CustomerNotOwned, ("input", "employee")),
        (transfer(company, owned, full), HoldingLimitReached, ("input", "employee")),
        (transfer(company, owned, stranger), AssigneeNotOnStaff, ("input", "employee")),
        (transfer(company, owned, other, reason="x" * 201), BadUserInput, ("input", "reason")),
    ]
    for attempt, error, field in attempts:
        refusal = await refused(attempt)
        assert (type(refusal), refusal.field) == (error, field)
    assert await company.everything() == before


async def test_a_transfer_within_the_team_keeps_the_clock(company: Company, rep: Actor, other: Actor) -> None:
    """L09: passing a customer to and fro gains nothing."""
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(timedelta(days=5))
    await company.follow_up(rep, customer_id, "上门拜访")
    company.clock.advance(timedelta(days=5))
    await transfer(company, customer_id, other)
    due = TODAY + timedelta(days=5) + DUE
    assert await company.rows("SELECT owner_id, received_on, due_on, effective_follow_up_on FROM customer") == [
        (other.employee_id, TODAY, due, TODAY + timedelta(days=5))
    ]
    assert await company.rows("SELECT start_kind, end_kind, ended_on, reason FROM ownership ORDER BY started_at") == [
        ("created", "transfer", TODAY + timedelta(days=10), "区域调整"),
        ("transfer", None, None, None),
    ]
    assert (await company.rows(LINES))[-1] == (
        "transferred",
        customer_id,
        other.employee_id,
        rep.employee_id,
        company.founder.account_id,
        "区域调整",
    )


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_transfer_to_another_team_begins_anew(company: Company, rep: Actor, keeps: bool) -> None:
    team = await company.within(
        lambda: create_department(company.founder, name="华东", parent_id=None, clock=company.clock)
    )
    colleague = await company.hire("0003", department_id=None if not keeps else team.id)
    await company.configure(transfer_keeps_clock=keeps, grace_days=1)
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(timedelta(days=10))
    await transfer(company, customer_id, colleague)
    new_day = TODAY + timedelta(days=10)
    assert await company.rows("SELECT received_on, due_on FROM customer") == [(new_day, new_day + DUE)]


async def test_who_owned_it_on_a_day_is_one_question(company: Company, rep: Actor, other: Actor) -> None:
    first, second = await company.enter("甲", keeper=rep), await company.enter("乙")
    company.clock.advance(timedelta(days=3))
    await transfer(company, first, other)
    await assign(company, second, rep)
    company.clock.advance(timedelta(days=3))
    await company.release(other, first)
    days = [TODAY + timedelta(days=number) for number in (-1, 0, 2, 3, 5, 7)]
    found = await company.within(lambda: find_owner_on([(each, day) for each in (first, second) for day in days]))
    assert [found.get((first, day)) for day in days] == [
        None,
        rep.employee_id,
        rep.employee_id,
        other.employee_id,
        other.employee_id,
        None,
    ]
    assert [found.get((second, day)) for day in days] == [None, None, None, *[rep.employee_id] * 3]


async def test_after_any_history_the_stored_due_date_is_the_verdicts(
    company: Company, rep: Actor, other: Actor
) -> None:
    """Whatever is done in whatever order, no action forgets the clock: what is stored is what would be reckoned."""
    chance = random.Random(20261123)
    third = await company.hire("0004")
    people = (rep, other, third)
    await company.configure(claim_limit=200, cooldown_days=0, recycle_follow_up_days=12, reminder_days=(2,))
    customers = [await company.enter(f"客户{number}") for number in range(5)]

    async def step(number: int) -> None:
        customer_id, person = chance.choice(customers), chance.choice(people)
        action = chance.choice(("claim", "release", "follow", "follow", "assign", "transfer", "recycle", "day"))
        match action:
            case "claim":
                await company.claim(person, customer_id, access=ALL)
            case "release":
                await company.release(person, customer_id)
            case "follow":
                await company.follow_up(person, customer_id, f"第{chance.randrange(number + 1)}次拜访")
            case "assign":
                await assign(company, customer_id, person)
            case "transfer":
                await transfer(company, customer_id, person)
            case "recycle":
                await company.recycle()
            case _:
                company.clock.advance(timedelta(days=chance.randrange(1, 5)))

    done = 0
    for number in range(240):
        try:
            await step(number)
            done += 1
        except AppError:
            continue
        today = local_date(company.clock.now(), ZONE)
        async with company.database.transaction(company.tenant_id):
            owned = await find_owned(customers, activity=find_activity, time_zone=ZONE)
        stored = await company.rows(
            "SELECT id, due_on, due_rule, settings_version, earlier_version, effective_follow_up_on, received_on"
            " FROM customer WHERE owner_id IS NOT NULL ORDER BY id"
        )
        assert stored == [each.stored(today) for each in owned]
    assert done > 100


async def test_a_rep_sees_no_more_than_is_visible(company: Company, rep: Actor, other: Actor) -> None:
    foreign = await company.enter("晨光", keeper=other)
    before = await company.everything()
    hidden = await refused(
        company.within(
            lambda: transfer_customer(
                rep,
                customer_id=foreign,
                employee_id=rep.employee_id or new_id(),
                reason="x",
                access=REP,
                activity=find_activity,
                time_zone=ZONE,
                clock=company.clock,
            )
        )
    )
    assert isinstance(hidden, CustomerNotFound)
    assert await company.everything() == before


async def release(company: Company, by: Actor, *customer_ids: UUID, reason: str = "无需求") -> list[UUID]:
    return await company.within(
        lambda: release_customers(
            by, customer_ids=customer_ids, reason=reason, access=REP, time_zone=ZONE, clock=company.clock
        )
    )


async def test_several_are_released_at_once_or_none(company: Company, rep: Actor, other: Actor) -> None:
    mine = [await company.enter(f"客户{number}", keeper=rep) for number in range(3)]
    pooled, foreign = await company.enter("公海"), await company.enter("他人", keeper=other)
    for refused_one, error in ((pooled, NotTheOwner), (foreign, CustomerNotFound)):
        with pytest.raises(error):
            await release(company, rep, *mine, refused_one)
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id = $1", rep.employee_id) == 3
    assert await company.value("SELECT count(*) FROM pool_event") == 0
    assert await release(company, rep, *mine, mine[0]) == sorted(mine)
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id = $1", rep.employee_id) == 0
    assert [(row[0], row[1]) for row in await company.rows(LINES)] == [("released", each) for each in sorted(mine)]


async def test_of_twenty_releases_of_the_same_customers_one_is_done(company: Company, rep: Actor) -> None:
    mine = [await company.enter(f"客户{number}", keeper=rep) for number in range(5)]

    async def give_back(number: int) -> bool:
        try:
            await release(company, rep, *random.Random(number).sample(mine, 5))
        except (NotTheOwner, CustomerNotFound):
            return False
        return True

    assert sum(await asyncio.gather(*map(give_back, range(20)))) == 1
    assert await company.value("SELECT count(*) FROM pool_event WHERE kind = 'released'") == 5


async def test_a_pool_with_reasons_takes_no_other(company: Company, rep: Actor) -> None:
    """P32: the reason of a release comes from the pool's list."""
    first, second = await company.enter("甲", keeper=rep), await company.enter("乙", keeper=rep)
    await company.configure(release_reasons=("无需求", "已倒闭"))
    with pytest.raises(ReasonUnlisted) as refusal:
        await release(company, rep, first, second, reason="不想跟了")
    assert refusal.value.values["reasons"] == "无需求, 已倒闭"
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id = $1", rep.employee_id) == 2
    await release(company, rep, first, reason=" 已倒闭 ")
    assert [row[5] for row in await company.rows(LINES)] == ["已倒闭"]
