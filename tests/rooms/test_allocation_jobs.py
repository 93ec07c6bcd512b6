"""Large allocations: asked for in the request, planned and given by a job; what refuses a job is kept and told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest

from saas.access import AccessTable
from saas.customers import (
    COMMIT_AWAITED,
    PLAN_AWAITED,
    AllocationProblem,
    Method,
    OnChange,
    Participant,
    PerformancePlan,
    PoolChange,
    cancel_allocation,
    configure_pool,
    draw_certificate,
    explain_allocation,
    list_allocation_problems,
)
from saas.customers.actions.rosters import PICKS, restored_roster
from saas.customers.allocation import PeriodStillOpen, RosterImpossible, allocate, verify_certificate
from saas.customers.allocation.errors import DrawSeedRefused
from saas.customers.errors import (
    AllocationClosed,
    AllocationNotPlanned,
    NotDrawnYet,
    PlanChanged,
    PoolBeingAllocated,
    PoolNotFound,
)
from saas.events import Event, Handler, emit
from saas.kernel import AppErrors, ErrorCode, Period, new_id
from tests.rooms.allocation_stage import (
    awaited,
    deliver,
    delivery_of,
    employee,
    give,
    order,
    picks,
    plan,
    pooled,
    staff,
    work,
)
from tests.staging import ZONE, Company, refused

MANAGER = AccessTable("manager", scopes={"Allocation": frozenset({"all"})}, permissions=frozenset({"pool:allocate"}))
CUSTOMERS = 7
STATE = "SELECT state FROM pool_allocation WHERE id = $1"


@pytest.fixture(autouse=True)
def three_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a request does by itself is small here, so that a job is asked for seven customers."""
    monkeypatch.setattr("saas.customers.actions.wishes.AT_ONCE", 3)


async def asked(company: Company, method: Method = Method.FLEXIBLE, **wish: object) -> UUID:
    """A plan of seven customers to three people that no job has made yet."""
    people = await staff(company, 3)
    await pooled(company, CUSTOMERS)
    return await plan(company, method, people, **wish)


async def planned(company: Company, method: Method = Method.FLEXIBLE, **wish: object) -> UUID:
    allocation_id = await asked(company, method, **wish)
    await work(company)
    return allocation_id


async def problems(company: Company, allocation_id: UUID) -> list[AllocationProblem]:
    return await company.within(
        lambda: list_allocation_problems(company.founder, allocation_id=allocation_id, access=MANAGER)
    )


async def cancel(company: Company, allocation_id: UUID) -> None:
    await company.within(lambda: cancel_allocation(company.founder, allocation_id=allocation_id, clock=company.clock))


def without(everything: dict[str, list[tuple[object, ...]]], *tables: str) -> dict[str, list[tuple[object, ...]]]:
    return {table: rows for table, rows in everything.items() if table not in tables}


@pytest.mark.parametrize("method", [each for each in Method if each is not Method.PERFORMANCE])
async def test_a_job_plans_and_a_job_gives_what_the_plan_shows(company: Company, method: Method) -> None:
    before = without(await company.everything(), "employee", "customer", "audit_entry", "outbox")
    allocation_id = await asked(company, method)
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


async def test_what_can_be_judged_at_once_is_refused_at_once(company: Company) -> None:
    people = await staff(company, 3)
    await pooled(company, CUSTOMERS)
    before = await company.everything()
    november = PerformancePlan(Period.of_month("2026-11"))
    for method, given, wish, error in (
        (Method.FLEXIBLE, people, {"take": 100_001}, RosterImpossible),
        (Method.FLEXIBLE, [], {}, RosterImpossible),
        (Method.FLEXIBLE, [Participant(new_id()) for _ in range(501)], {}, RosterImpossible),
        (Method.FLEXIBLE, [*people, Participant(new_id())], {}, RosterImpossible),
        (Method.FLEXIBLE, [*people, people[0]], {}, RosterImpossible),
        (Method.PERFORMANCE, people, {"plan": november}, PeriodStillOpen),
    ):
        assert isinstance(await refused(plan(company, method, given, **wish)), error)
    for method, given in (
        (Method.WEIGHTED, [Participant(employee(people[0]), weight=-1)]),
        (Method.DRAW, [Participant(employee(people[0]), weight=-1)]),
        (Method.PERFORMANCE, people),
    ):
        with pytest.raises(AppErrors):
            await plan(company, method, given)
    elsewhere = replace(company, pool_id=new_id())
    assert isinstance(await refused(plan(elsewhere, Method.FLEXIBLE, people)), PoolNotFound)
    assert await company.everything() == before


async def test_a_plan_that_can_not_be_made_fails_and_says_why(company: Company) -> None:
    people, customers = await staff(company, 3), await pooled(company, CUSTOMERS)
    allocation_id = await plan(company, Method.FLEXIBLE, people, customer_ids=customers)
    await company.claim(await company.hire("0099"), customers[0])
    before = await company.everything()
    await work(company)
    after = await company.everything()
    touched = ("pool_allocation", "audit_entry", "outbox")
    assert without(after, *touched) == without(before, *touched)
    assert await company.rows("SELECT state, plan_hash, wish FROM pool_allocation") == [("failed", None, None)]
    assert await problems(company, allocation_id) == [
        AllocationProblem(
            ErrorCode.BAD_USER_INPUT, "customers.roster_customers_missing", {"missing": 1}, ("customers",)
        )
    ]
    refusal = await refused(order(company, allocation_id, plan_hash="0" * 64))
    assert (type(refusal), refusal.key) == (AllocationNotPlanned, "customers.allocation_failed")
    assert await company.everything() == after
    await cancel(company, allocation_id)
    assert await company.value(STATE, allocation_id) == "cancelled"


async def test_every_problem_of_a_plan_is_kept(company: Company) -> None:
    """Weights were in order when they were asked for: they are judged again where the plan is made."""
    people = await staff(company, 2)
    await pooled(company, CUSTOMERS)
    allocation_id = await plan(company, Method.LOAD_RELATIVE, people)
    sql = "UPDATE pool_allocation SET wish = jsonb_set(wish, '{people}', $1::text::jsonb)"
    bad = [
        f'{{"employee": "{each.employee_id}", "weight": -1, "attainment": "-1", "most": null, "is_absent": false}}'
        for each in people
    ]
    await company.run(sql, f"[{', '.join(bad)}]")
    await work(company)
    assert Counter(each.key for each in await problems(company, allocation_id)) == {
        "customers.roster_weight_out_of_range": 2,
        "customers.roster_attainment_negative": 2,
    }


async def test_a_commit_that_is_refused_gives_nothing_and_may_be_asked_for_again(company: Company) -> None:
    allocation_id = await planned(company)
    ((first, _, _), *_) = await picks(company, allocation_id)
    plan_hash = await company.value("SELECT plan_hash FROM pool_allocation")
    await order(company, allocation_id)
    await company.claim(await company.hire("0099"), UUID(str(first)))
    before = await company.everything()
    await work(company)
    after = await company.everything()
    touched = ("pool_allocation", "audit_entry", "outbox")
    assert without(after, *touched) == without(before, *touched)
    assert await company.rows("SELECT state, plan_hash, commit_order FROM pool_allocation") == [
        ("planned", plan_hash, None)
    ]
    changed = {"changed": 1, "of": CUSTOMERS}
    assert await problems(company, allocation_id) == [
        AllocationProblem(ErrorCode.PLAN_CHANGED, "customers.plan_items_changed", changed, ("allocation",))
    ]
    await order(company, allocation_id, on_change=OnChange.SKIP)
    assert await problems(company, allocation_id) == []
    await work(company)
    assert await company.rows("SELECT state, given, skipped FROM pool_allocation") == [("committed", 6, 1)]
    assert Counter(state for _, _, state in await picks(company, allocation_id)) == {"given": 6, "skipped": 1}


async def test_a_commit_finds_other_settings_and_goes_back(company: Company) -> None:
    allocation_id = await planned(company)
    await order(company, allocation_id, on_change=OnChange.SKIP)
    change = PoolChange(settings={"cooldown_days": 1})
    await company.within(
        lambda: configure_pool(
            company.founder,
            pool_id=company.pool_id,
            change=change,
            expected_version=1,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    await work(company)
    assert await company.value(STATE, allocation_id) == "planned"
    assert [each.key for each in await problems(company, allocation_id)] == ["customers.plan_pool_changed"]
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id IS NOT NULL") == 0
    assert (await refused(order(company, allocation_id))).key == "customers.plan_pool_changed"


async def test_a_plan_that_is_being_made_is_not_committed_and_explains_nothing(company: Company) -> None:
    allocation_id = await asked(company)
    before = await company.everything()
    refusal = await refused(order(company, allocation_id, plan_hash="0" * 64))
    assert (type(refusal), refusal.key) == (AllocationNotPlanned, "customers.allocation_planning")
    customer_id = UUID(str(await company.value("SELECT id FROM customer LIMIT 1")))
    unplanned = await refused(
        company.within(
            lambda: explain_allocation(
                company.founder,
                allocation_id=allocation_id,
                customer_id=customer_id,
                employee_id=None,
                access=MANAGER,
            )
        )
    )
    assert (type(unplanned), unplanned.key) == (NotDrawnYet, "customers.allocation_unplanned")
    assert await problems(company, allocation_id) == []
    assert await company.everything() == before


async def test_a_commit_that_is_being_carried_out_is_neither_asked_for_again_nor_dropped(company: Company) -> None:
    allocation_id = await planned(company)
    await order(company, allocation_id)
    before = await company.everything()
    for attempt in (order(company, allocation_id), cancel(company, allocation_id)):
        refusal = await refused(attempt)
        assert (type(refusal), refusal.key) == (AllocationClosed, "customers.allocation_committing")
    assert await company.everything() == before
    await work(company)
    after = await company.everything()
    for attempt in (order(company, allocation_id), cancel(company, allocation_id)):
        refusal = await refused(attempt)
        assert (refusal.key, refusal.values) == ("customers.allocation_closed", {"state": "committed"})
    assert await company.everything() == after


async def test_another_plan_of_the_pool_waits_for_the_one_that_is_being_carried_out(company: Company) -> None:
    allocation_id = await planned(company)
    people = [Participant(UUID(str(row[0]))) for row in await company.rows("SELECT id FROM employee")]
    small, large = [await plan(company, Method.FLEXIBLE, people, take=take) for take in (2, 5)]
    await work(company)
    await order(company, allocation_id)
    before = await company.everything()
    for other in (small, large):
        refusal = await refused(order(company, other, on_change=OnChange.SKIP))
        assert (type(refusal), refusal.values) == (PoolBeingAllocated, {"pool": "公海"})
    assert await company.everything() == before
    await work(company)
    for other in (small, large):
        assert isinstance(await refused(order(company, other, on_change=OnChange.SKIP)), PlanChanged)


@pytest.mark.parametrize("is_planned", [False, True])
async def test_a_dropped_plan_is_neither_made_nor_given(company: Company, *, is_planned: bool) -> None:
    allocation_id = await (planned(company) if is_planned else asked(company))
    await cancel(company, allocation_id)
    before = await company.everything()
    await work(company)
    assert without(await company.everything(), "outbox") == without(before, "outbox")
    assert await company.rows("SELECT state, wish, closed_by FROM pool_allocation") == [
        ("cancelled", None, company.founder.account_id)
    ]
    assert isinstance(await refused(cancel(company, allocation_id)), AllocationClosed)
    assert isinstance(await refused(order(company, allocation_id, plan_hash="0" * 64)), AllocationClosed)


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
