"""Who is on leave or off hours gets nothing, and what they missed is made up for as the pool says (P46)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from saas.customers import Method, OnChange, WorkingHours
from saas.customers.errors import PlanChanged
from saas.kernel import Actor, AppErrors
from saas.people import create_department
from tests.rooms.allocation_stage import employee, give, picks, plan, pooled, staff
from tests.rooms.test_allocation_methods import LONG_AGO, assert_dealt_again, hired, told
from tests.rooms.test_leave import cancel, enter
from tests.staging import Company, refused

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
SHARES = "SELECT counted_on, employee_id, missed, made_up FROM leave_share ORDER BY counted_on, made_up"


async def veterans(company: Company, count: int) -> list[Actor]:
    """People whom no guarantee of newcomers is for."""
    people = await staff(company, count)
    await hired(company, people, LONG_AGO)
    return people


async def got(company: Company, method: Method, people: Sequence[Actor], count: int, prefix: str) -> list[int]:
    """How many of so many new customers each of the people gets, by an allocation that deals again as it was stored."""
    await pooled(company, count, prefix=prefix)
    allocation_id = await plan(company, method, people)
    given = Counter((await give(company, allocation_id)).places.values())
    await assert_dealt_again(company, allocation_id)
    return [given[employee(each)] for each in people]


# Leave


async def test_who_is_on_leave_is_passed_over_and_told_why(company: Company) -> None:
    away, there = people = await veterans(company, 2)
    customer_id, _ = await pooled(company, 2)
    leave_id = await enter(company, away, TODAY, TODAY + DAY)
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    assert [person for _, person, _ in await picks(company, allocation_id)] == [there.employee_id] * 2
    assert await told(company, allocation_id, customer_id, away) == [
        "员工2 could not have “客户＊＊”: 员工2 was on leave on 2026-11-23."
    ]
    await company.configure(absence_skips=False)
    both = await plan(company, Method.FLEXIBLE, people)
    assert {person for _, person, _ in await picks(company, both)} == {away.employee_id, there.employee_id}
    await company.configure(2, absence_skips=True)
    await cancel(company, leave_id)
    again = await plan(company, Method.FLEXIBLE, people)
    assert {person for _, person, _ in await picks(company, again)} == {away.employee_id, there.employee_id}


@pytest.mark.parametrize("method", [Method.FLEXIBLE, Method.DRAW])
async def test_leave_that_is_entered_after_the_plan_is_found_by_the_commit(company: Company, method: Method) -> None:
    """A draw was committed to with everybody there: it is not given to who is not."""
    people = await veterans(company, 2)
    await pooled(company, 8)
    allocation_id = await plan(company, method, people)
    await enter(company, people[0], TODAY, TODAY)
    before = await company.everything()
    refusal = await refused(give(company, allocation_id))
    assert (type(refusal), refusal.key) == (PlanChanged, "customers.plan_items_changed")
    assert await company.everything() == before
    given = await give(company, allocation_id, on_change=OnChange.SKIP)
    assert set(given.places.values()) == {people[1].employee_id}
    assert given.missed == (people[0].employee_id,) * given.skipped
    assert given.skipped == 8 - len(given.places)


# Working hours


async def test_working_hours_are_the_person_s_the_department_s_or_everybody_s(company: Company) -> None:
    """It is Monday, 10:00 in the company's zone."""
    department = await company.within(
        lambda: create_department(company.founder, name="夜班", parent_id=None, clock=company.clock)
    )
    plain, own = await veterans(company, 2)
    night = await company.hire("0009", name="夜班员", department_id=department.id)
    hours = (
        WorkingHours((1, 2, 3, 4, 5), "09:00", "18:00"),
        WorkingHours((1,), "18:00", "24:00", departments=(department.id,)),
        WorkingHours((6, 7), "00:00", "24:00", people=(employee(own),)),
    )
    await company.configure(working_hours=hours)
    (customer_id,) = await pooled(company, 1)

    async def there(people: Sequence[Actor]) -> set[object]:
        return {person for _, person, _ in await picks(company, await plan(company, Method.FLEXIBLE, people))}

    assert [await there([each]) for each in (plain, own, night)] == [{plain.employee_id}, {None}, {None}]
    allocation_id = await plan(company, Method.FLEXIBLE, [night])
    assert await told(company, allocation_id, customer_id, night) == [
        "夜班员 could not have “客户＊＊”: 10:00 on 2026-11-23 is outside 夜班员's working hours."
    ]
    morning = await plan(company, Method.FLEXIBLE, [plain])
    company.clock.advance(timedelta(hours=8))
    assert [await there([each]) for each in (plain, own, night)] == [{None}, {None}, {night.employee_id}]
    assert list((await give(company, morning)).places.values()) == [plain.employee_id]


@pytest.mark.parametrize(
    ("hours", "key", "place"),
    [
        (WorkingHours((), "09:00", "18:00"), "customers.pool_hours_without_day", "days"),
        (WorkingHours((0,), "09:00", "18:00"), "customers.pool_rule_out_of_range", "days"),
        (WorkingHours((1,), "9:00", "18:00"), "customers.pool_time_malformed", "opensAt"),
        (WorkingHours((1,), "24:00", "24:00"), "customers.pool_time_malformed", "opensAt"),
        (WorkingHours((1,), "09:00", "25:00"), "customers.pool_time_malformed", "closesAt"),
        (WorkingHours((1,), "22:00", "06:00"), "customers.pool_hours_close_early", "closesAt"),
        (WorkingHours((1,), "09:00", "09:00"), "customers.pool_hours_close_early", "closesAt"),
    ],
)
async def test_hours_that_can_t_be_are_refused_at_save(
    company: Company, hours: WorkingHours, key: str, place: str
) -> None:
    before = await company.everything()
    with pytest.raises(AppErrors) as refusal:
        await company.configure(working_hours=(hours,))
    (fault,) = refusal.value.errors
    assert (fault.key, fault.field) == (key, ("workingHours", "0", place))
    assert await company.everything() == before


# Catching up


@pytest.mark.parametrize(
    ("options", "back_gets", "others_get", "made_up"),
    [
        ({}, 2, [2, 2], []),
        ({"absence_catch_up": "full"}, 4, [1, 1], [2]),
        ({"absence_catch_up": "capped", "absence_catch_up_cap": 1}, 3, [1, 2], [1]),
    ],
)
async def test_what_was_missed_is_counted_and_made_up_for_as_the_pool_says(
    company: Company, options: dict[str, Any], back_gets: int, others_get: list[int], made_up: list[int]
) -> None:
    """By level, whoever comes back stands level with the others, and what is made up for does not raise them."""
    people = await veterans(company, 3)
    if options:
        await company.configure(**options)
    assert await got(company, Method.LEVEL, people, 3, "甲") == [1, 1, 1]
    company.clock.advance(DAY)
    await enter(company, people[0], TODAY + DAY, TODAY + 2 * DAY)
    assert await got(company, Method.LEVEL, people, 4, "乙") == [0, 2, 2]
    missed = (TODAY + DAY, people[0].employee_id, Decimal(2), 0)
    assert await company.rows(SHARES) == [missed]
    company.clock.advance(2 * DAY)
    back, *others = await got(company, Method.LEVEL, people, 6, "丙")
    assert (back, sorted(others)) == (back_gets, others_get)
    caught = [(TODAY + 3 * DAY, people[0].employee_id, Decimal(0), each) for each in made_up]
    assert await company.rows(SHARES) == [missed, *caught]


async def test_an_explanation_tells_what_is_owed_and_left(company: Company) -> None:
    back, other = people = await veterans(company, 2)
    await company.configure(absence_catch_up="full")
    await enter(company, back, TODAY, TODAY)
    assert await got(company, Method.FLEXIBLE, people, 3, "甲") == [0, 3]
    company.clock.advance(DAY)
    customers = await pooled(company, 3, prefix="乙")
    allocation_id = await plan(company, Method.FLEXIBLE, people, take=2)
    assert [person for _, person, _ in await picks(company, allocation_id)] == [back.employee_id] * 2
    missed = "员工2 missed 3 customers on leave between 2026-11-23 and 2026-11-23: 0 were made up for"
    assert await told(company, allocation_id, customers[1]) == [
        (
            "“乙1＊＊” went to 员工2: what was missed on leave is made up for before the line goes on;"
            " 2 people could have it."
        ),
        f"{missed} before this allocation, which owed 3; 2 of them were left before this customer.",
    ]
    assert (await told(company, allocation_id, customers[0], other))[0] == (
        "“乙0＊＊” went to 员工2, for whom what was missed on leave is made up for before the line goes on."
    )
    await give(company, allocation_id)
    later = await plan(company, Method.FLEXIBLE, people)
    assert (await told(company, later, customers[2]))[1] == (
        missed.replace("0 were", "2 were")
        + " before this allocation, which owed 1; 1 of them were left before this customer."
    )


async def test_a_new_cycle_owes_nothing_and_two_plans_make_up_for_it_once(company: Company) -> None:
    back, _ = people = await veterans(company, 2)
    await company.configure(absence_catch_up="full")
    await enter(company, back, TODAY, TODAY)
    assert await got(company, Method.STRICT, people, 2, "甲") == [0, 2]
    company.clock.advance(DAY)
    await pooled(company, 2, prefix="乙")
    first, second = await plan(company, Method.STRICT, people), await plan(company, Method.STRICT, people)
    assert set((await give(company, first)).places.values()) == {back.employee_id}
    assert isinstance(await refused(give(company, second)), PlanChanged)
    company.clock.advance(10 * DAY)
    assert await got(company, Method.STRICT, people, 4, "丙") == [2, 2]


async def test_what_was_skipped_is_neither_missed_nor_made_up_for(company: Company) -> None:
    back, _ = people = await veterans(company, 2)
    await company.configure(absence_catch_up="full")
    await enter(company, back, TODAY, TODAY)
    first, *_ = await pooled(company, 4)
    allocation_id = await plan(company, Method.WEIGHTED, people)
    await company.run("UPDATE customer SET version = version + 1 WHERE id = $1", first)
    await give(company, allocation_id, on_change=OnChange.SKIP)
    assert await company.rows(SHARES) == [(TODAY, back.employee_id, Decimal(3), 0)]
    company.clock.advance(DAY)
    await pooled(company, 3, prefix="乙")
    allocation_id = await plan(company, Method.WEIGHTED, people, take=3)
    assert [person for _, person, _ in await picks(company, allocation_id)] == [back.employee_id] * 3
    await company.run("UPDATE customer SET version = version + 1 WHERE id = $1", first)
    await give(company, allocation_id, on_change=OnChange.SKIP)
    assert await company.value("SELECT sum(made_up) FROM leave_share") == 2
    assert await company.rows("SELECT DISTINCT balance FROM pool_standing WHERE method = 'weighted'") == [(0,)]
