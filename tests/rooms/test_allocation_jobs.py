"""Large allocations: asked for in the request, planned and given by a job, once, whoever is killed in between."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest

from saas.customers import (
    COMMIT_AWAITED,
    PLAN_AWAITED,
    MatchPlan,
    Method,
    Participant,
    PerformancePlan,
    PoolAllocationRule,
    draw_certificate,
)
from saas.customers.actions.frozen_rosters import PICKS, restored_roster
from saas.customers.allocation import allocate, verify_certificate
from saas.customers.allocation.errors import DrawSeedRefused
from saas.events import Event, Handler, emit
from saas.kernel import ErrorCode, InputProblem, Period
from tests.rooms.allocation_stage import (
    CUSTOMERS,
    MANAGER,
    STATE,
    asked,
    awaited,
    cancel,
    deliver,
    delivery_of,
    employee,
    give,
    order,
    picks,
    plan,
    planned,
    pooled,
    problems,
    staff,
    without,
    work,
)
from tests.rules.allocation_samples import BUILT_IN
from tests.staging import Company, refused

pytestmark = pytest.mark.usefixtures("three_at_once")


@pytest.mark.parametrize("method", BUILT_IN)
async def test_a_job_plans_and_a_job_gives_what_the_plan_shows(company: Company, method: Method) -> None:
    await company.configure(allocation_rules=(PoolAllocationRule("all"),))
    before = without(await company.everything(), "employee", "customer", "audit_entry", "outbox")
    october = PerformancePlan(Period.of_month("2026-10"), newcomer_days=0)
    allocation_id = await asked(company, method, plan=october, match=MatchPlan())
    assert await company.rows("SELECT state, plan_hash, customers, roster FROM pool_allocation") == [
        ("planning", None, None, None)
    ]
    only_asked = without(await company.everything(), "employee", "customer", "audit_entry", "outbox", "pool_allocation")
    assert only_asked == without(before, "pool_allocation")
    await work(company)
    assert await company.rows("SELECT state, customers, wish, problems FROM pool_allocation") == [
        ("planned", CUSTOMERS, None, None)
    ]
    shown = await picks(company, allocation_id)
    assert [state for _, _, state in shown] == ["planned"] * CUSTOMERS
    assert await order(company, allocation_id) is None
    assert await company.value(STATE, allocation_id) == "committing"
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id IS NOT NULL") == 0
    await work(company)
    assert await company.rows("SELECT state, given, skipped, commit_order, sealed FROM pool_allocation") == [
        ("committed", CUSTOMERS, 0, None, None)
    ]
    given = await picks(company, allocation_id)
    if method is not Method.DRAW:
        assert given == [(customer, person, "given") for customer, person, _ in shown]
    assert dict(await company.rows("SELECT id, owner_id FROM customer")) == {  # type: ignore[arg-type]
        customer: person for customer, person, _ in given
    }


async def test_what_a_job_stored_deals_the_same_again(company: Company) -> None:
    allocation_id = await planned(company, Method.WEIGHTED)
    text = str(await company.value("SELECT roster::text FROM pool_allocation"))
    async with company.database.transaction(company.tenant_id) as transaction:
        rows = await transaction.fetch(PICKS, company.tenant_id, allocation_id)
    again = allocate(restored_roster(allocation_id, text, rows).roster)
    assert [pick.employee_id for pick in again.picks] == [
        person for _, person, _ in await picks(company, allocation_id)
    ]


async def test_person_and_moment_of_a_commit_are_those_of_the_request(company: Company) -> None:
    allocation_id = await planned(company)
    company.clock.advance(timedelta(hours=1))
    ordered_at = company.clock.now()
    await order(company, allocation_id)
    company.clock.advance(timedelta(days=3))
    await work(company)
    account_id, day = company.founder.account_id, date(2026, 11, 23)
    assert await company.rows("SELECT closed_at, closed_by FROM pool_allocation") == [(ordered_at, account_id)]
    for sql in (
        "SELECT DISTINCT happened_at, happened_on, operator_id FROM pool_event",
        "SELECT DISTINCT started_at, started_on, operator_id FROM ownership",
    ):
        assert await company.rows(sql) == [(ordered_at, day, account_id)]
    assert await company.rows("SELECT DISTINCT received_on FROM customer") == [(day,)]
    entries = "SELECT action, at, account_id, count(*) FROM audit_entry WHERE action ~ 'allocat' GROUP BY 1, 2, 3"
    assert (await company.rows(f"{entries} ORDER BY 2, 1"))[2:] == [
        ("allocation.commit_asked", ordered_at, account_id, 1),
        ("allocation.committed", ordered_at, account_id, 1),
        ("customer.allocated", ordered_at, account_id, CUSTOMERS),
    ]


async def test_a_pool_of_few_is_dealt_at_once_whatever_is_asked(company: Company) -> None:
    people = await staff(company, 3)
    await pooled(company, 3)
    allocation_id = await plan(company, Method.FLEXIBLE, people, take=100_000)
    assert await company.rows("SELECT state, customers FROM pool_allocation") == [("planned", 3)]
    assert await awaited(company) == []
    assert len((await give(company, allocation_id)).places) == 3


async def test_a_draw_is_committed_to_when_the_job_has_made_its_plan(company: Company) -> None:
    allocation_id = await asked(company, Method.DRAW)
    assert await company.rows("SELECT id FROM pool_event") == []
    company.clock.advance(timedelta(hours=1))
    await work(company)
    commitment = str(await company.value("SELECT commitment FROM pool_allocation"))
    assert await company.rows("SELECT kind, reason, happened_at, operator_id FROM pool_event") == [
        ("draw_committed", commitment, company.clock.now(), company.founder.account_id)
    ]
    await order(company, allocation_id)
    await work(company)
    found = await company.within(lambda: draw_certificate(company.founder, allocation_id=allocation_id, access=MANAGER))
    assert verify_certificate(found.certificate.encode(), commitment=commitment, picks_root=found.picks_root) == []


async def test_a_public_seed_has_to_be_there_when_the_commit_is_asked_for(company: Company) -> None:
    allocation_id = await planned(company, Method.DRAW, seed_source="2026年第138期双色球开奖号码")
    before = await company.everything()
    assert isinstance(await refused(order(company, allocation_id)), DrawSeedRefused)
    assert await company.everything() == before
    await order(company, allocation_id, seed_value="01 05 12 18 22 30 07")
    await work(company)
    assert await company.value(STATE, allocation_id) == "committed"
    assert '"01 05 12 18 22 30 07"' in str(await company.value("SELECT certificate FROM pool_allocation"))


async def dealt(company: Company) -> UUID:
    return await asked(company)


async def ordered(company: Company) -> UUID:
    allocation_id = await planned(company)
    await order(company, allocation_id)
    return allocation_id


STAGES = pytest.mark.parametrize("stage", [dealt, ordered], ids=["plan", "commit"])
Stage = Callable[[Company], Awaitable[UUID]]


@STAGES
async def test_an_event_that_comes_twice_does_nothing_twice(company: Company, stage: Stage) -> None:
    allocation_id = await stage(company)
    (message,) = await awaited(company)
    topic = await company.value("SELECT topic FROM outbox WHERE id = $1", UUID(message[1]))
    await work(company)
    before = await company.everything()
    await deliver(delivery_of(company), message)
    assert await company.everything() == before
    await company.within(lambda: emit(str(topic), {"allocation_id": str(allocation_id)}))
    await work(company)
    assert without(await company.everything(), "outbox") == without(before, "outbox")


@STAGES
async def test_a_killed_worker_leaves_nothing_and_the_next_one_does_all(company: Company, stage: Stage) -> None:
    allocation_id = await stage(company)
    before = without(await company.everything(), "outbox")

    def cut_off(handler: Handler) -> Handler:
        async def run(event: Event) -> None:
            await handler(event)
            raise asyncio.CancelledError  # as at a kill, when all is written and nothing committed

        return run

    (message,) = await awaited(company)
    await deliver(delivery_of(company, cut_off), message)
    assert without(await company.everything(), "outbox") == before
    assert await awaited(company) == [(*message[:2], 1)]
    await work(company)
    states = {"plan": "planned", "commit": "committed"}
    assert await company.value(STATE, allocation_id) == states["commit" if stage is ordered else "plan"]
    assert len(await picks(company, allocation_id)) == CUSTOMERS
    assert await company.value("SELECT count(*) FROM ownership") == (CUSTOMERS if stage is ordered else 0)


@STAGES
async def test_a_job_that_fails_for_good_is_given_up_and_says_so(company: Company, stage: Stage) -> None:
    allocation_id = await stage(company)
    before = without(await company.everything(), "outbox", "audit_entry", "pool_allocation")

    def failing(handler: Handler) -> Handler:
        async def run(event: Event) -> None:
            await handler(event)
            raise RuntimeError

        return run

    for attempt in range(2):
        assert await company.value(STATE, allocation_id) == ("committing" if stage is ordered else "planning")
        (message,) = await awaited(company)
        assert message[2] == attempt
        await deliver(delivery_of(company, failing, attempts=2), message)
    assert without(await company.everything(), "outbox", "audit_entry", "pool_allocation") == before
    assert await company.value(STATE, allocation_id) == ("planned" if stage is ordered else "failed")
    assert await problems(company, allocation_id) == [
        InputProblem("customers.allocation_given_up", {}, ErrorCode.UNAVAILABLE, ())
    ]
    await cancel(company, allocation_id)
    assert await company.value(STATE, allocation_id) == "cancelled"


@STAGES
async def test_the_job_of_one_company_touches_no_other(company: Company, other_company: Company, stage: Stage) -> None:
    theirs = await stage(other_company)
    before = await other_company.everything()
    for topic in (PLAN_AWAITED, COMMIT_AWAITED):
        await company.within(partial(emit, topic, {"allocation_id": str(theirs)}))
    await work(company)
    assert await other_company.everything() == before
    assert await company.rows("SELECT id FROM pool_allocation") == []


async def test_a_wish_is_kept_whole(company: Company) -> None:
    """Every part of it reaches the plan: people with all that was said of them, and the plan of performance."""
    people = await staff(company, 3)
    await pooled(company, CUSTOMERS)
    given = [
        Participant(employee(people[0]), weight=3, most=1),
        Participant(employee(people[1]), is_absent=True),
        Participant(employee(people[2])),
    ]
    allocation_id = await plan(company, Method.WEIGHTED, given)
    await work(company)
    counts = Counter(person for _, person, _ in await picks(company, allocation_id))
    assert counts == {employee(people[0]): 1, employee(people[2]): 6}
