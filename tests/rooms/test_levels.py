"""Levels of customers: changed by right, on the trail, and with more days to hold one once at the most (L13)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest_asyncio

from saas.access import AccessTable
from saas.customers import LevelDays, change_level
from saas.customers.errors import CustomerNotFound
from saas.kernel import Actor, new_id
from saas.sales import find_activity
from tests.staging import ALL, BLIND, ZONE, Company, refused

TODAY = date(2026, 11, 23)
LEVELS = (LevelDays("A", 90), LevelDays("C", 10))
DUE = "SELECT level, due_on - $2 FROM customer WHERE id = $1"


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    await company.configure(recycle_follow_up_days_by_level=LEVELS, grace_days=1)
    return await company.hire("0002")


async def change(
    company: Company, customer_id: UUID, level: str | None, *, reason: str = "年采购额核实", access: AccessTable = ALL
) -> None:
    await company.within(
        partial(
            change_level,
            company.founder,
            customer_id=customer_id,
            level=level,
            reason=reason,
            access=access,
            activity=find_activity,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    company.clock.advance(timedelta(hours=1))


async def test_a_longer_n_by_level_helps_once_in_a_holding(company: Company, rep: Actor) -> None:
    """L13: and moves no clock. Whoever holds it next begins anew."""
    customer_id = await company.enter("晨光", keeper=rep)
    found = []
    for level in ("C", "A", "C", "A", None, "A"):
        await change(company, customer_id, level)
        found += await company.rows(DUE, customer_id, TODAY)
    assert found == [("C", 11), ("A", 91), ("C", 11), ("A", 11), (None, 11), ("A", 11)]
    await company.run("UPDATE customer SET settings_version = NULL")
    await company.recycle()
    assert await company.rows(DUE, customer_id, TODAY) == [("A", 11)]
    await company.release(rep, customer_id)
    other = await company.hire("0003")
    await company.claim(other, customer_id)
    assert await company.rows(DUE, customer_id, TODAY) == [("A", 91)]


async def test_a_change_stands_in_the_trail_with_its_reason(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    await change(company, customer_id, " A ")
    await change(company, customer_id, "A")
    trail = "SELECT changes::text, reason FROM audit_entry WHERE action = 'customer.level_changed'"
    assert await company.rows(trail) == [('{"level": [null, "A"]}', "年采购额核实")]


async def test_a_level_of_a_pooled_customer_is_changed_and_nothing_is_due(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    await change(company, customer_id, "A")
    assert await company.rows(DUE, customer_id, TODAY) == [("A", None)]


async def test_levels_that_can_not_be_changed_change_nothing(company: Company, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    before = await company.everything()
    assert (await refused(change(company, customer_id, "A", reason=" "))).key == "customers.reason_needed"
    assert (await refused(change(company, customer_id, "A" * 21))).field[-1] == "level"
    for foreign, access in ((new_id(), ALL), (customer_id, BLIND)):
        assert isinstance(await refused(change(company, foreign, "A", access=access)), CustomerNotFound)
    assert await company.everything() == before
