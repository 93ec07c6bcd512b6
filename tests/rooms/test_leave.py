"""Leave by day: who enters it of whom, what overlaps or lies beyond the employment, and what the trail tells."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from saas.access import DEFAULT_POLICY, AccessTable
from saas.access.compiler import Compiler
from saas.kernel import Actor, BadUserInput, new_id
from saas.people import NewLeave, cancel_leave, create_department, enter_leave, shorten_leave
from saas.people.errors import EmployeeNotFound, LeaveNotFound, LeaveRefused
from tests.access_samples import catalogue
from tests.rooms.allocation_stage import employee
from tests.staging import Company, refused

COMPILER = Compiler(catalogue())
LEAVES = "SELECT first_on, last_on, kind, cancelled_at IS NULL FROM employee_leave ORDER BY first_on, entered_at"


def rights(role: str) -> AccessTable:
    return COMPILER.compile(DEFAULT_POLICY, roles=frozenset({role}), domain="t1", user="actor")


HR, MANAGER, REP = map(rights, ("hr_admin", "sales_manager", "rep"))


def days(first: int, last: int, month: int = 12) -> tuple[date, date]:
    return date(2026, month, first), date(2026, month, last)


async def enter(
    company: Company,
    who: Actor,
    first_on: date,
    last_on: date,
    *,
    kind: str = "年假",
    by: Actor | None = None,
    access: AccessTable = HR,
) -> UUID:
    wanted = NewLeave(employee(who), first_on, last_on, kind)
    return await company.within(lambda: enter_leave(by or company.founder, wanted, access=access, clock=company.clock))


async def shorten(company: Company, leave_id: UUID, last_on: date, access: AccessTable = HR) -> None:
    await company.within(
        lambda: shorten_leave(company.founder, leave_id=leave_id, last_on=last_on, access=access, clock=company.clock)
    )


async def cancel(company: Company, leave_id: UUID, access: AccessTable = HR) -> None:
    await company.within(lambda: cancel_leave(company.founder, leave_id=leave_id, access=access, clock=company.clock))


async def test_leave_is_entered_shortened_and_cancelled_and_the_trail_has_no_kind(company: Company) -> None:
    person = await company.hire("0002")
    leave_id = await enter(company, person, *days(3, 10), kind=" 病假 ")
    await shorten(company, leave_id, date(2026, 12, 7))
    await enter(company, person, *days(8, 8))
    await cancel(company, leave_id)
    await enter(company, person, *days(3, 4))
    first, last, middle = date(2026, 12, 3), date(2026, 12, 7), date(2026, 12, 8)
    assert sorted(await company.rows(LEAVES), key=str) == sorted(
        [
            (first, last, "病假", False),
            (first, date(2026, 12, 4), "年假", True),
            (middle, middle, "年假", True),
        ],
        key=str,
    )
    told = await company.rows(
        "SELECT action, changes::text FROM audit_entry WHERE object_id = $1 ORDER BY id", leave_id
    )
    assert [(action, json.loads(str(changes))) for action, changes in told] == [
        (
            "leave.entered",
            {
                "employee": [None, str(employee(person))],
                "first_on": [None, "2026-12-03"],
                "last_on": [None, "2026-12-10"],
            },
        ),
        ("leave.shortened", {"last_on": ["2026-12-10", "2026-12-07"]}),
        ("leave.cancelled", {"first_on": ["2026-12-03", None], "last_on": ["2026-12-07", None]}),
    ]


@pytest.mark.parametrize(
    ("first_on", "last_on", "key", "values"),
    [
        (*days(10, 12), "people.leave_overlaps", {"other_first": "2026-12-03", "other_last": "2026-12-10"}),
        (*days(1, 20), "people.leave_overlaps", {"other_first": "2026-12-03", "other_last": "2026-12-10"}),
        (*reversed(days(12, 13)), "people.leave_ends_before", {"first": "2026-12-13", "last": "2026-12-12"}),
        (*days(1, 2, 11), "people.leave_beyond_employment", {"hired_on": "2026-11-23", "left_on": "–"}),
    ],
)
async def test_days_that_can_t_be_leave_are_refused(
    company: Company, first_on: date, last_on: date, key: str, values: dict[str, str]
) -> None:
    person = await company.hire("0002")
    await enter(company, person, *days(3, 10))
    before = await company.everything()
    refusal = await refused(enter(company, person, first_on, last_on))
    assert isinstance(refusal, LeaveRefused)
    assert (refusal.key, dict(refusal.values) | values) == (key, dict(refusal.values))
    assert await company.everything() == before


async def test_leave_ends_with_the_employment_and_within_itself(company: Company) -> None:
    person = await company.hire("0002")
    leave_id = await enter(company, person, *days(3, 10))
    await company.run(
        "UPDATE employee SET status = 'separated', left_on = '2026-12-20' WHERE id = $1", person.employee_id
    )
    await enter(company, person, *days(20, 20))
    before = await company.everything()
    beyond = await refused(enter(company, person, *days(15, 21)))
    assert (beyond.key, beyond.values["left_on"]) == ("people.leave_beyond_employment", "2026-12-20")
    for day in (2, 11):
        assert (await refused(shorten(company, leave_id, date(2026, 12, day)))).key == "people.leave_day_outside"
    for kind in ("", "x" * 21):
        assert isinstance(await refused(enter(company, person, *days(12, 12), kind=kind)), BadUserInput)
    assert await company.everything() == before
    await cancel(company, leave_id)
    assert (await refused(cancel(company, leave_id))).key == "people.leave_cancelled"


async def test_a_manager_enters_leave_of_the_department_and_nobody_their_own(company: Company) -> None:
    department = await company.within(
        lambda: create_department(company.founder, name="华东", parent_id=None, clock=company.clock)
    )
    manager = await company.hire("0002", department_id=department.id)
    inside, outside = await company.hire("0003", department_id=department.id), await company.hire("0004")
    await enter(company, inside, *days(3, 4), by=manager, access=MANAGER)
    others = await enter(company, outside, *days(3, 4))
    before = await company.everything()
    assert isinstance(await refused(enter(company, outside, *days(7, 8), by=manager, access=MANAGER)), EmployeeNotFound)
    assert isinstance(await refused(enter(company, outside, *days(7, 8), access=REP)), EmployeeNotFound)
    stranger = replace(inside, employee_id=new_id())
    assert isinstance(await refused(enter(company, stranger, *days(7, 8))), EmployeeNotFound)
    own = await refused(enter(company, manager, *days(7, 8), by=manager, access=MANAGER))
    assert (type(own), own.key) == (LeaveRefused, "people.leave_of_oneself")

    async def by_manager() -> None:
        await company.within(lambda: cancel_leave(manager, leave_id=others, access=MANAGER, clock=company.clock))

    assert isinstance(await refused(by_manager()), LeaveNotFound)
    assert isinstance(await refused(cancel(company, new_id())), LeaveNotFound)
    assert await company.everything() == before
