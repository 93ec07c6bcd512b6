"""What thresholds keep from everybody goes to the overflow assignee (P13): planned, given, told, refused when unfit."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from saas.access import AccessTable
from saas.customers import Method, OnChange, PersonLimit, draw_certificate, explain_allocation
from saas.customers.actions.giving import OVERFLOW
from saas.customers.allocation import verify_certificate
from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.given_queries import GivenAllocation, find_given, measure_given
from saas.kernel import AppErrors
from tests.rooms.allocation_stage import MANAGER, employee, give, picks, plan, pooled, staff
from tests.rooms.arriving import Worker, automatic, only_members, owners
from tests.staging import ZONE, Company, refused

FLAGS = "SELECT employee_id, nobody, is_overflow FROM allocation_pick WHERE allocation_id = $1 ORDER BY place"


async def test_what_is_over_is_planned_given_and_told(company: Company) -> None:
    one, two, boss = await staff(company, 3)
    await company.configure(assignment_threshold=1, assignment_overflow_to=employee(boss))
    customers = await pooled(company, 4)
    planned = await plan(company, Method.FLEXIBLE, [one, two], take=4)
    shown = await picks(company, planned)
    assert [person for _, person, _ in shown[2:]] == [boss.employee_id] * 2
    assert await company.rows(FLAGS, planned) == [
        (shown[0][1], None, False),
        (shown[1][1], None, False),
        (boss.employee_id, "all_full", True),
        (boss.employee_id, "all_full", True),
    ]
    assert await company.rows("SELECT unplaced FROM pool_allocation") == [(0,)]
    given = await give(company, planned)
    assert (len(given.places), given.skipped, given.overflow) == (4, 0, frozenset({2, 3}))
    assert await owners(company) == {customer: person for customer, person, _ in shown}
    lines = "SELECT employee_id, reason FROM pool_event WHERE kind = 'allocated' ORDER BY reason NULLS FIRST, id"
    assert (await company.rows(lines))[2:] == [(boss.employee_id, OVERFLOW)] * 2
    why = await company.within(
        lambda: explain_allocation(
            one, allocation_id=planned, customer_id=customers[3], employee_id=None, access=MANAGER
        )
    )
    assert (why.key, why.args["name"]) == ("customers.allocated_overflow", boss_name := "员工4")
    assert [part.key for part in why.parts] == ["customers.filtered_threshold"] * 2
    await company.run("UPDATE customer_pool SET shows_names = false")
    rep = AccessTable("rep", scopes={"Allocation": frozenset({"all"})}, permissions=frozenset())
    hidden = await company.within(
        lambda: explain_allocation(
            boss, allocation_id=planned, customer_id=customers[3], employee_id=employee(boss), access=rep
        )
    )
    assert hidden.args["name"] == boss_name
    mine = await company.within(
        lambda: explain_allocation(
            one, allocation_id=planned, customer_id=customers[3], employee_id=employee(one), access=rep
        )
    )
    assert mine.key == "customers.filtered_threshold"


@pytest.mark.parametrize("method", [Method.STRICT, Method.WEIGHTED])
async def test_turns_and_balances_go_on_as_without_it(company: Company, method: Method) -> None:
    one, two, boss = await staff(company, 3)
    await company.configure(assignment_threshold=1, assignment_overflow_to=employee(boss))
    await pooled(company, 4)
    people = [one, two, boss] if method is Method.WEIGHTED else [one, two]
    planned = await plan(company, method, people, take=4)
    given = await give(company, planned)
    assert len(given.places) == 4
    turns: dict[object, object] = dict(
        await company.rows("SELECT employee_id, turn FROM pool_standing")  # type: ignore[arg-type]
    )
    if method is Method.STRICT:
        last = [place for place in sorted(given.places) if place not in given.overflow][-1]
        assert await company.value("SELECT turn_after FROM customer_pool") == turns[given.places[last]]
    else:
        assert await company.value("SELECT sum(balance) FROM pool_standing") == 0


async def test_an_assignee_who_is_full_when_it_is_given_misses_it_and_is_owed_nothing(company: Company) -> None:
    one, boss = await staff(company, 2)
    await company.configure(
        assignment_threshold=1,
        assignment_overflow_to=employee(boss),
        holding_limits_of_people=(PersonLimit(employee(boss), 1),),
    )
    await pooled(company, 2)
    planned = await plan(company, Method.WEIGHTED, [one], take=2)
    await company.enter("自有", keeper=boss)
    given = await give(company, planned, on_change=OnChange.SKIP)
    assert (dict(given.places), given.missed, given.skipped) == ({0: employee(one)}, (), 1)


async def test_a_draw_goes_over_beside_its_certificate(company: Company) -> None:
    one, boss = await staff(company, 2)
    await company.configure(assignment_threshold=1, assignment_overflow_to=employee(boss))
    await pooled(company, 3)
    planned = await plan(company, Method.DRAW, [one], take=3)
    assert {row[0] for row in await company.rows(FLAGS, planned)} == {None}
    await give(company, planned)
    assert sorted(map(str, (await owners(company)).values())) == sorted(
        map(str, [one.employee_id, boss.employee_id, boss.employee_id])
    )
    found = await company.within(lambda: draw_certificate(company.founder, allocation_id=planned, access=MANAGER))
    assert (
        verify_certificate(found.certificate.encode(), commitment=found.commitment, picks_root=found.picks_root) == []
    )
    assert str(boss.employee_id) not in found.certificate


async def test_what_arrives_goes_over_too(company: Company) -> None:
    (one,) = await automatic(company, 1)
    (boss,) = await staff(company, 1, first=50)
    await only_members(company, [boss])
    await company.configure(2, assignment_threshold=1, assignment_overflow_to=employee(boss))
    for number in range(3):
        await company.enter(f"客户{number}")

    async def claimants() -> list[UUID]:
        return [employee(one)]

    await Worker(company, claimants).gather()
    assert sorted(map(str, (await owners(company)).values())) == sorted(
        map(str, [one.employee_id, boss.employee_id, boss.employee_id])
    )


async def test_audits_of_fairness_leave_it_out(company: Company) -> None:
    one, boss = await staff(company, 2)
    await company.configure(assignment_threshold=1, assignment_overflow_to=employee(boss))
    await pooled(company, 2)
    await give(company, await plan(company, Method.FLEXIBLE, [one], take=2))
    day = date(2026, 11, 23)

    async def dealt() -> GivenAllocation:
        sizes = await measure_given(pool_id=company.pool_id, first=day, last=day, time_zone=ZONE)
        return (await find_given(sizes, time_zone=ZONE))[0]

    given = await company.within(dealt)
    assert [unit.employee_id for unit in given.dealt().units] == [one.employee_id]
    assert len(list(given.customers())) == 1


@pytest.mark.parametrize(
    ("settings", "key"),
    [({}, "customers.overflow_without_threshold"), ({"assignment_threshold": 5}, "customers.overflow_assignee_unfit")],
)
async def test_an_overflow_of_nothing_or_to_nobody_fit_is_refused(
    company: Company, settings: dict[str, Any], key: str
) -> None:
    member, outsider = await staff(company, 2)
    await only_members(company, [member])
    before = await company.everything()
    if settings:
        refusal = await refused(company.configure(**settings, assignment_overflow_to=employee(outsider)))
        assert isinstance(refusal, PoolRuleOutOfRange)
    else:
        with pytest.raises(AppErrors) as several:
            await company.configure(assignment_overflow_to=employee(member))
        (refusal,) = several.value.errors
    assert (refusal.field, refusal.key) == (("assignmentOverflowTo",), key)
    assert await company.everything() == before


async def test_a_pool_without_members_on_the_staff_allocates_nothing_by_itself(company: Company) -> None:
    (member,) = await staff(company, 1)
    await only_members(company, [member])
    await company.run("UPDATE employee SET status = 'separated' WHERE id = $1", employee(member))
    before = await company.everything()
    refusal = await refused(company.configure(arrival_method="flexible"))
    assert (refusal.field, refusal.key) == (("arrivalMethod",), "customers.arrival_without_members")
    assert await company.everything() == before
