"""Follow-ups, claims and recycling at once: whoever commits first decides, and what is stored fits what happened."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from saas.customers import RecycleReport, recycling_jobs, transfer_customer
from saas.customers.errors import CustomerNotOwned
from saas.kernel import Actor, new_id
from saas.sales import find_activity
from saas.sales.errors import FollowUpOfForeignCustomer
from tests.staging import ALL, ZONE, Company

CROWD = 20
DUE = timedelta(days=31)


async def test_of_follow_ups_and_recycling_at_once_the_first_decides(company: Company) -> None:
    await company.configure(reminder_days=())
    rep = await company.hire("0002")
    customers = [await company.enter(f"客户{number}", keeper=rep) for number in range(CROWD)]
    company.clock.advance(DUE)
    outcomes = await asyncio.gather(
        *(company.follow_up(rep, customer_id, "上门拜访") for customer_id in customers[:10]),
        company.recycle(),
        company.recycle(),
        *(company.follow_up(rep, customer_id, "上门拜访") for customer_id in customers[10:]),
        return_exceptions=True,
    )
    late = sum(isinstance(each, FollowUpOfForeignCustomer) for each in outcomes)
    saved = CROWD - late
    assert [
        each for each in outcomes if isinstance(each, Exception) and not isinstance(each, FollowUpOfForeignCustomer)
    ] == []
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id IS NOT NULL") == saved
    assert await company.value("SELECT count(*) FROM follow_up") == saved
    assert await company.value("SELECT count(*) FROM pool_event WHERE kind = 'recycled'") == late
    assert await company.value("SELECT count(*) FROM ownership WHERE end_kind = 'recycle'") == late
    today = (company.clock.now() + timedelta(hours=8)).date()
    assert await company.rows(
        "SELECT DISTINCT due_on, effective_follow_up_on FROM customer WHERE owner_id IS NOT NULL"
    ) in (
        [],
        [(today + DUE, today)],
    )


async def test_twenty_runs_at_once_recycle_each_customer_once(company: Company) -> None:
    """L24."""
    await company.configure(reminder_days=())
    rep = await company.hire("0002")
    for number in range(5):
        await company.enter(f"客户{number}", keeper=rep)
    company.clock.advance(DUE)
    reports = await asyncio.gather(*(company.recycle() for _ in range(CROWD)))
    assert sum(report.recycled for report in reports) == 5
    assert sum(report.failed for report in reports) == 0
    assert await company.rows(
        "SELECT count(*), count(DISTINCT customer_id) FROM pool_event WHERE kind = 'recycled'"
    ) == [(5, 5)]
    assert await company.value("SELECT sum(version)::int FROM customer") == 10


async def test_twenty_runs_at_once_warn_and_postpone_once(company: Company) -> None:
    rep = await company.hire("0002")
    await company.enter("晨光", keeper=rep)
    company.clock.advance(DUE)
    reports = await asyncio.gather(*(company.recycle() for _ in range(CROWD)))
    assert (sum(each.postponed for each in reports), sum(each.warned for each in reports)) == (1, 1)
    assert await company.rows("SELECT kind, count(*) FROM pool_notice GROUP BY kind ORDER BY kind") == [
        ("postponed", 1),
        ("reminder", 1),
    ]


async def test_twenty_follow_ups_of_one_customer_and_a_recycling(company: Company) -> None:
    await company.configure(reminder_days=())
    rep = await company.hire("0002")
    customer_id = await company.enter("晨光", keeper=rep)
    company.clock.advance(DUE)
    outcomes = await asyncio.gather(
        company.recycle(),
        *(company.follow_up(rep, customer_id, f"第{number}次拜访") for number in range(CROWD)),
        return_exceptions=True,
    )
    kinds = Counter(type(each) for each in outcomes[1:])
    is_saved = await company.value("SELECT owner_id IS NOT NULL FROM customer")
    assert kinds == ({type(None): CROWD} if is_saved else {FollowUpOfForeignCustomer: CROWD})


async def test_transfers_and_recycling_at_once_leave_each_customer_with_one_history(company: Company) -> None:
    """Who is transferred first begins a new holding and stays; who went first can't be transferred any more."""
    await company.configure(reminder_days=(), transfer_keeps_clock=False)
    rep, other = await company.hire("0002"), await company.hire("0003")
    customers = [await company.enter(f"客户{number}", keeper=rep) for number in range(CROWD)]
    company.clock.advance(DUE)
    outcomes = await asyncio.gather(
        *(transferred(company, customer_id, other) for customer_id in customers[:10]),
        company.recycle(),
        company.recycle(),
        *(transferred(company, customer_id, other) for customer_id in customers[10:]),
        return_exceptions=True,
    )
    late = sum(isinstance(each, CustomerNotOwned) for each in outcomes)
    assert [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, CustomerNotOwned)] == []
    reports = [each for each in outcomes if isinstance(each, RecycleReport)]
    assert (sum(each.recycled for each in reports), sum(each.failed for each in reports)) == (late, 0)
    assert await company.rows("SELECT owner_id, count(*) FROM customer WHERE owner_id IS NOT NULL GROUP BY 1") == (
        [(other.employee_id, CROWD - late)] if late < CROWD else []
    )
    assert await company.value("SELECT count(*) FROM ownership WHERE end_kind = 'recycle'") == late
    assert await company.value("SELECT count(*) FROM ownership WHERE end_kind = 'transfer'") == CROWD - late
    assert await company.value("SELECT recycled FROM recycle_run") == late


async def transferred(company: Company, customer_id: UUID, to: Actor) -> None:
    """A supervisor hands the customer over."""
    await company.within(
        lambda: transfer_customer(
            company.founder,
            customer_id=customer_id,
            employee_id=to.employee_id or new_id(),
            reason="交接",
            access=ALL,
            activity=find_activity,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def test_two_nodes_share_the_pages(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """L24: each customer goes once, and the run's row counts what both did."""
    monkeypatch.setattr(recycling_jobs, "PAGE", 3)
    await company.configure(reminder_days=())
    rep = await company.hire("0002")
    for number in range(CROWD):
        await company.enter(f"客户{number}", keeper=rep)
    company.clock.advance(DUE)
    one, two = await asyncio.gather(company.recycle(), company.recycle())
    assert (one.recycled + two.recycled, one.failed + two.failed) == (CROWD, 0)
    assert await company.value("SELECT recycled FROM recycle_run") == CROWD
    assert await company.rows(
        "SELECT count(*), count(DISTINCT customer_id) FROM pool_event WHERE kind = 'recycled'"
    ) == [(CROWD, CROWD)]
