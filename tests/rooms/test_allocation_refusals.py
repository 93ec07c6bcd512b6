"""Large allocations refused: at once where that can be judged, else by the job, whose problems are kept and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from saas.customers import (
    Method,
    OnChange,
    Participant,
    PerformancePlan,
    explain_allocation,
)
from saas.customers.allocation import PeriodStillOpen, RosterImpossible
from saas.customers.errors import (
    AllocationClosed,
    AllocationNotPlanned,
    NotDrawnYet,
    PlanChanged,
    PoolBeingAllocated,
    PoolNotFound,
)
from saas.kernel import Actor, AppError, AppErrors, ErrorCode, InputProblem, Period, new_id
from tests.rooms.allocation_stage import (
    CUSTOMERS,
    MANAGER,
    STATE,
    asked,
    cancel,
    employee,
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
from tests.staging import Company, refused

pytestmark = pytest.mark.usefixtures("three_at_once")


async def test_what_can_be_judged_at_once_is_refused_at_once(company: Company) -> None:
    people = await staff(company, 3)
    await pooled(company, CUSTOMERS)
    before = await company.everything()
    november = PerformancePlan(Period.of_month("2026-11"))
    cases: list[tuple[Method, Sequence[Actor | Participant], dict[str, Any], type[AppError]]] = [
        (Method.FLEXIBLE, people, {"take": 100_001}, RosterImpossible),
        (Method.FLEXIBLE, [], {}, RosterImpossible),
        (Method.FLEXIBLE, [Participant(new_id()) for _ in range(501)], {}, RosterImpossible),
        (Method.FLEXIBLE, [*people, Participant(new_id())], {}, RosterImpossible),
        (Method.FLEXIBLE, [*people, people[0]], {}, RosterImpossible),
        (Method.PERFORMANCE, people, {"plan": november}, PeriodStillOpen),
    ]
    for method, given, wish, error in cases:
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
        InputProblem("customers.roster_customers_missing", {"missing": 1}, ErrorCode.BAD_USER_INPUT, ("customers",))
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
        InputProblem("customers.plan_items_changed", changed, ErrorCode.PLAN_CHANGED, ("allocation",))
    ]
    await order(company, allocation_id, on_change=OnChange.SKIP)
    assert await problems(company, allocation_id) == []
    await work(company)
    assert await company.rows("SELECT state, given, skipped FROM pool_allocation") == [("committed", 6, 1)]
    assert Counter(state for _, _, state in await picks(company, allocation_id)) == {"given": 6, "skipped": 1}


async def test_a_commit_finds_other_settings_and_goes_back(company: Company) -> None:
    allocation_id = await planned(company)
    await order(company, allocation_id, on_change=OnChange.SKIP)
    await company.configure(cooldown_days=1)
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
