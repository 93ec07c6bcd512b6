"""Somebody leaves: the customers go to a successor or to the pool the same day, within every limit (L30)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest_asyncio

from saas.background import take_over
from saas.customers import Left, PersonLimit, Separation
from saas.customers.errors import AssigneeNotOnStaff, ClaimantNotOnStaff, CooldownRunning
from saas.kernel import Actor, new_id
from saas.people import separate_employee
from saas.people.errors import EmployeeNotFound, SeparationRefused
from saas.sales import find_activity
from tests.staging import ZONE, Company, refused

TODAY = date(2026, 11, 23)
OWNERS = "SELECT name, status, owner_id, received_on, due_on, due_rule, settings_version FROM customer ORDER BY name"
HISTORY = """
SELECT o.owner_id, o.start_kind, o.end_kind, o.ended_on, o.reason FROM ownership o
JOIN customer c ON c.tenant_id = o.tenant_id AND c.id = o.customer_id WHERE c.name = $1 ORDER BY o.started_at, o.id
"""


@pytest_asyncio.fixture(loop_scope="session")
async def leaver(company: Company) -> Actor:
    return await company.hire("0002", name="离职者")


async def separate(company: Company, who: Actor, successor_id: UUID | None = None, left_on: date | None = None) -> Left:
    assert who.employee_id is not None
    employee_id = who.employee_id
    separation = Separation(company.founder, "离职交接", find_activity, ZONE, company.clock)

    async def whole() -> Left:
        await separate_employee(
            company.founder, employee_id=employee_id, left_on=left_on, time_zone=ZONE, clock=company.clock
        )
        return await separation.leave_customers(employee_id=employee_id, successor_id=successor_id)

    return await company.within(whole)


async def test_l30_a_successor_begins_a_holding_of_their_own(company: Company, leaver: Actor) -> None:
    successor = await company.hire("0003")
    await company.enter("甲", keeper=leaver)
    company.clock.advance(timedelta(days=25))
    today = TODAY + timedelta(days=25)
    assert await separate(company, leaver, successor.employee_id) == Left(handed_over=1)
    assert await company.rows(OWNERS) == [
        ("甲", "owned", successor.employee_id, today, today + timedelta(days=31), "no_follow_up", 1)
    ]
    assert await company.rows(HISTORY, "甲") == [
        (leaver.employee_id, "created", "separation", today, "离职交接"),
        (successor.employee_id, "transfer", None, None, None),
    ]
    assert await company.rows("SELECT status, left_on FROM employee WHERE id = $1", leaver.employee_id) == [
        ("separated", today)
    ]
    assert await company.rows("SELECT valid_to FROM employment WHERE employee_id = $1", leaver.employee_id) == [
        (today + timedelta(days=1),)
    ]
    lines = "SELECT kind, employee_id, former_owner_id, reason FROM pool_event WHERE kind = 'transferred'"
    assert await company.rows(lines) == [("transferred", successor.employee_id, leaver.employee_id, "离职交接")]
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'customer.transferred'") == 1


async def test_l30_without_a_successor_all_go_to_their_pool_with_its_cooldown(company: Company, leaver: Actor) -> None:
    for name in ("甲", "乙"):
        await company.enter(name, keeper=leaver)
    assert await separate(company, leaver) == Left(pooled=2)
    assert await company.rows(OWNERS) == [(name, "pooled", None, None, None, None, None) for name in ("乙", "甲")]
    assert await company.value("SELECT count(*) FROM pool_event WHERE kind = 'released'") == 2
    (customer_id,) = (await company.rows("SELECT id FROM customer WHERE name = '甲'"))[0]
    assert isinstance(customer_id, UUID)
    assert isinstance(await refused(company.claim(leaver, customer_id)), ClaimantNotOnStaff)
    await company.run("UPDATE employee SET status = 'active', left_on = NULL WHERE id = $1", leaver.employee_id)
    assert isinstance(await refused(company.claim(leaver, customer_id)), CooldownRunning)


async def test_l30_a_successor_takes_as_many_as_their_limit_lets_them(company: Company, leaver: Actor) -> None:
    successor = await company.hire("0003")
    assert successor.employee_id is not None
    for name in ("甲", "乙", "丙"):
        await company.enter(name, keeper=leaver)
    await company.enter("自有", keeper=successor)
    await company.run("UPDATE customer SET last_deal_on = $1 WHERE name = '丙'", TODAY)
    await company.configure(holding_limits_of_people=(PersonLimit(successor.employee_id, 2),))
    assert await separate(company, leaver, successor.employee_id) == Left(handed_over=2, pooled=1)
    held = "SELECT count(*) FROM customer WHERE owner_id = $1 AND last_deal_on IS NULL"
    assert await company.value(held, successor.employee_id) == 2
    assert await company.value("SELECT owner_id FROM customer WHERE name = '丙'") == successor.employee_id


async def test_what_can_not_be_separated_changes_nothing(company: Company, leaver: Actor) -> None:
    await company.enter("甲", keeper=leaver)
    gone = await company.hire("0004")
    await company.run("UPDATE employee SET status = 'separated', left_on = $2 WHERE id = $1", gone.employee_id, TODAY)
    stranger = await company.hire("0005")
    await company.run("UPDATE employee SET hired_on = $2 WHERE id = $1", stranger.employee_id, TODAY)
    before = await company.everything()
    for attempt, kind, key in (
        (separate(company, leaver, new_id()), AssigneeNotOnStaff, "customers.assignee_not_on_staff"),
        (separate(company, leaver, leaver.employee_id), AssigneeNotOnStaff, "customers.assignee_not_on_staff"),
        (separate(company, leaver, gone.employee_id), AssigneeNotOnStaff, "customers.assignee_not_on_staff"),
        (separate(company, gone), SeparationRefused, "people.left_already"),
        (separate(company, leaver, left_on=TODAY + timedelta(days=1)), SeparationRefused, "people.left_out_of_range"),
        (separate(company, stranger, left_on=TODAY - timedelta(days=1)), SeparationRefused, "people.left_out_of_range"),
    ):
        refusal = await refused(attempt)
        assert (type(refusal), refusal.key) == (kind, key)
    nobody = replace(leaver, employee_id=new_id())
    assert isinstance(await refused(separate(company, nobody)), EmployeeNotFound)
    assert await company.everything() == before


async def test_l30_whom_a_list_lets_go_loses_the_customers_the_same_day(company: Company, leaver: Actor) -> None:
    """The job that looks every quarter of an hour; run again it finds nothing more."""
    for name in ("甲", "乙"):
        await company.enter(name, keeper=leaver)
    staying = await company.hire("0003")
    await company.enter("丙", keeper=staying)
    await company.run("UPDATE employee SET status = 'separated', left_on = $2 WHERE id = $1", leaver.employee_id, TODAY)
    for _ in range(2):
        await take_over(company.database, company.clock)
        owners = await company.rows("SELECT name, owner_id, version FROM customer ORDER BY name")
        assert owners == [("丙", staying.employee_id, 1), ("乙", None, 2), ("甲", None, 2)]
    assert await company.rows("SELECT DISTINCT operator_id, reason FROM pool_event WHERE kind = 'released'") == [
        (None, "离职 / left the company")
    ]
