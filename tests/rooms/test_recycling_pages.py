"""The nightly run beyond its rules: pages that fail, runs that are cut off, missed nights, other times and zones."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from saas.customers import (
    PoolChange,
    RecyclingRun,
    configure_pool,
    create_pool,
    recycle_due_customers,
    recycling_jobs,
    transfer_customer,
)
from saas.customers.actions.ledger import job_actor
from saas.kernel import FrozenClock, new_id
from saas.sales import find_follow_up_facts
from tenants.schema import OWNER
from tests.conftest import role_url
from tests.staging import ALL, ZONE, Company

DUE = timedelta(days=31)
STUCK = """
CREATE FUNCTION refuse_stuck() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.object_id = '{id}' THEN RAISE EXCEPTION 'no entry for this one'; END IF; RETURN NEW;
END $$;
CREATE TRIGGER refuse_stuck BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION refuse_stuck();
"""
RUNS = "SELECT reckoned, recycled, warned, postponed, failed, missed_days FROM recycle_run ORDER BY ran_on"


async def entered(company: Company, number: int) -> list[UUID]:
    """So many customers of one owner that are due, and nobody is to be warned."""
    await company.configure(reminder_days=())
    rep = await company.hire("0002")
    customers = [await company.enter(f"客户{each}", keeper=rep) for each in range(number)]
    company.clock.advance(DUE)
    return customers


async def pooled(company: Company) -> set[object]:
    """Ids of the customers without an owner."""
    return {row[0] for row in await company.rows("SELECT id FROM customer WHERE owner_id IS NULL")}


async def test_one_that_fails_leaves_no_trace_and_holds_up_no_other(
    lone_company: Company, superuser_url: str, database_name: str
) -> None:
    """L23: after its row, its ownership and its ledger line were written, the trail refuses one of the page."""
    company = lone_company
    stuck, *others = await entered(company, 5)
    connection = await asyncpg.connect(role_url(superuser_url, OWNER, database_name))
    await connection.execute(STUCK.format(id=stuck))
    await connection.close()
    report = await company.recycle()
    assert (report.recycled, report.failed) == (4, 1)
    assert [customer_id for customer_id, _ in report.failures] == [stuck]
    assert report.failures[0][1].startswith("RaiseError")
    assert await pooled(company) == set(others)
    assert await company.rows("SELECT customer_id FROM ownership WHERE ended_at IS NULL") == [(stuck,)]
    assert await company.value("SELECT count(*) FROM pool_event WHERE kind = 'recycled'") == 4
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'customer.recycled'") == 4
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'customers.customer_recycled'") == 4
    assert await company.rows(RUNS) == [(0, 4, 0, 0, 1, 0)]


async def test_a_run_that_is_killed_goes_on_where_it_stood(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    customers = await entered(company, 5)
    monkeypatch.setattr(recycling_jobs, "PAGE", 2)
    asked, are_locked = 0, asyncio.Event()

    async def hanging(since: Mapping[UUID, Any]) -> Any:
        nonlocal asked
        asked += 1
        if asked == 3:  # of three pages one goes, and the others are locked
            are_locked.set()
        return await find_follow_up_facts(since) if asked == 1 else await asyncio.Event().wait()

    run = RecyclingRun(company.database, company.tenant_id, time_zone=ZONE, follow_ups=hanging, clock=company.clock)
    running = asyncio.create_task(run.run())
    await are_locked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(await pooled(company)) == 2
    assert await company.rows("SELECT finished_at, recycled FROM recycle_run") == [(None, 2)]
    assert (await company.recycle()).recycled == 3
    assert await pooled(company) == set(customers)
    assert await company.rows(RUNS) == [(0, 5, 0, 0, 0, 0)]
    assert await company.value("SELECT count(DISTINCT customer_id) FROM pool_event WHERE kind = 'recycled'") == 5


async def test_nights_that_were_missed_are_made_up_for_once(company: Company) -> None:
    customers = await entered(company, 2)
    company.clock.advance(-DUE)
    await company.recycle()
    company.clock.advance(DUE + timedelta(days=5))
    report = await company.recycling().run_wanted()
    assert report is not None
    assert (report.missed_days, report.recycled) == (35, 2)
    assert await pooled(company) == set(customers)
    assert await company.recycling().run_wanted() is None
    company.clock.advance(timedelta(days=1))
    report = await company.recycling().run_wanted()
    assert report is not None
    assert (report.missed_days, report.recycled) == (0, 0)
    assert [row[-1] for row in await company.rows(RUNS)] == [0, 35, 0]


async def test_a_reminder_that_no_night_sent_makes_recycling_wait(company: Company) -> None:
    """3.4: whoever was down for a week has warned nobody."""
    rep = await company.hire("0002")
    await company.enter("晨光", keeper=rep)
    company.clock.advance(DUE + timedelta(days=5))
    report = await company.recycle()
    assert (report.recycled, report.postponed, report.warned) == (0, 1, 1)
    await company.run("UPDATE pool_notice SET delivered_at = $1", company.clock.now())
    company.clock.advance(timedelta(days=1))
    assert (await company.recycle()).recycled == 1


async def test_claims_do_not_wait_for_a_page(company: Company) -> None:
    customers = await entered(company, 3)
    free, claimant = await company.enter("无主"), await company.hire("0003")
    former = await company.value("SELECT owner_id FROM customer WHERE id = $1", customers[0])
    async with company.database.transaction(company.tenant_id) as page:
        await recycle_due_customers(
            job_actor(company.tenant_id),
            customer_ids=customers,
            follow_ups=find_follow_up_facts,
            time_zone=ZONE,
            clock=company.clock,
        )
        await asyncio.wait_for(company.claim(claimant, free), timeout=2)
        assert await page.fetchval("SELECT count(*) FROM customer WHERE owner_id = $1", former) == 0
    assert await company.value("SELECT owner_id FROM customer WHERE id = $1", free) == claimant.employee_id
    assert await pooled(company) == set(customers)


async def test_what_changed_hands_since_the_page_was_read_is_judged_as_it_is(company: Company) -> None:
    """A page of customers that were transferred, released or moved meanwhile, and of one that is no customer."""
    transferred, released, moved, due = await entered(company, 4)
    other = await company.hire("0003")
    owner_id = await company.value("SELECT owner_id FROM customer LIMIT 1")
    rep = replace(company.founder, employee_id=UUID(str(owner_id)))
    await company.configure(2, transfer_keeps_clock=False)
    await company.run("UPDATE customer_pool SET settings = settings - 'not_before'")
    pool_id = await company.within(
        lambda: create_pool(company.founder, name="华东", time_zone=ZONE, clock=company.clock)
    )
    await company.run("UPDATE customer SET pool_id = $2, settings_version = NULL WHERE id = $1", moved, pool_id)
    await company.within(
        lambda: transfer_customer(
            company.founder,
            customer_id=transferred,
            employee_id=other.employee_id or new_id(),
            reason="交接",
            access=ALL,
            follow_ups=find_follow_up_facts,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    await company.release(rep, released)
    done = await company.within(
        lambda: recycle_due_customers(
            job_actor(company.tenant_id),
            customer_ids=[transferred, released, moved, due, new_id()],
            follow_ups=find_follow_up_facts,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    outcome = {each.customer_id: (each.pool_id, each.is_recycled, each.is_postponed) for each in done}
    assert outcome == {
        transferred: (company.pool_id, False, False),
        moved: (pool_id, False, True),
        due: (company.pool_id, True, False),
    }
    assert await pooled(company) == {released, due}


async def test_each_pool_has_its_own_time(company: Company) -> None:
    """P26."""
    early, late = await entered(company, 2)
    pool_id = await company.within(
        lambda: create_pool(company.founder, name="夜间", time_zone=ZONE, clock=company.clock)
    )
    change = PoolChange(settings={"recycle_time": "21:30", "reminder_days": ()})
    await company.within(
        lambda: configure_pool(
            company.founder, pool_id=pool_id, change=change, expected_version=1, time_zone=ZONE, clock=company.clock
        )
    )
    await company.run("UPDATE customer SET pool_id = $2, settings_version = NULL WHERE id = $1", late, pool_id)
    first = await company.recycling().run_wanted()
    assert first is not None
    assert (first.recycled, await pooled(company)) == (1, {early})
    company.clock.advance(timedelta(hours=11, minutes=29))  # 21:29 in Shanghai
    assert await company.recycling().run_wanted() is None
    company.clock.advance(timedelta(minutes=1))
    second = await company.recycling().run_wanted()
    assert second is not None
    assert (second.recycled, await pooled(company)) == (1, {early, late})
    assert await company.recycling().run_wanted() is None
    assert await company.rows("SELECT pool_id, recycled FROM recycle_run ORDER BY started_at") == [
        (company.pool_id, 1),
        (pool_id, 1),
    ]


NIGHTS = [
    # a zone, the midnight UTC to begin with, and the company's days whose runs begin within three days of it
    ("Asia/Shanghai", date(2026, 11, 23), [(23, "08:00"), (24, "02:00"), (25, "02:00"), (26, "02:00")]),
    ("America/New_York", date(2027, 3, 13), [(12, "19:00"), (13, "02:00"), (14, "03:00"), (15, "02:00")]),
    ("America/New_York", date(2026, 10, 31), [(30, "20:00"), (31, "02:00"), (1, "02:00"), (2, "02:00")]),
    ("Australia/Lord_Howe", date(2026, 10, 3), [(3, "10:30"), (4, "03:00"), (5, "02:00"), (6, "02:00")]),
    ("Australia/Lord_Howe", date(2026, 4, 4), [(4, "11:00"), (5, "02:30"), (6, "02:30"), (7, "02:30")]),
    ("Pacific/Apia", date(2011, 12, 29), [(28, "14:00"), (29, "02:00"), (31, "02:00"), (1, "02:00")]),
]


@pytest.mark.parametrize(("zone", "begin", "expected"), NIGHTS, ids=[f"{each[0]}-{each[1]}" for each in NIGHTS])
async def test_each_day_of_the_company_has_one_run_at_its_time(
    company: Company, zone: str, begin: date, expected: list[tuple[int, str]]
) -> None:
    """L18: hours that don't exist, that come twice, and a day that was left out; looked at once an hour."""
    clock = FrozenClock(datetime.combine(begin, datetime.min.time(), UTC))
    found = []
    for _ in range(72):
        run = RecyclingRun(
            company.database, company.tenant_id, time_zone=zone, follow_ups=find_follow_up_facts, clock=clock
        )
        report = await run.run_wanted()
        if report is not None:
            found.append((report.ran_on.day, clock.now().astimezone(ZoneInfo(zone)).strftime("%H:%M")))
        clock.advance(timedelta(hours=1))
    assert found == expected


async def test_a_day_that_comes_twice_has_one_run(company: Company) -> None:
    """The company moves from Shanghai to New York: there it is the day before again."""
    company.clock.advance(timedelta(hours=16))  # 02:00 on the 24th in Shanghai, 13:00 on the 23rd in New York
    zones = ["Asia/Shanghai", "America/New_York", "America/New_York", "America/New_York"]
    found = []
    for zone in zones:
        run = RecyclingRun(
            company.database, company.tenant_id, time_zone=zone, follow_ups=find_follow_up_facts, clock=company.clock
        )
        report = await run.run_wanted()
        found.append(report and report.ran_on.day)
        company.clock.advance(timedelta(hours=13))
    assert found == [24, None, None, 25]


async def test_walks_go_by_index(company: Company) -> None:
    """Neither what is due nor what is not reckoned is looked for among all customers."""
    plans = {}
    for name, sql, values in (
        ("unreckoned", recycling_jobs._UNRECKONED, (company.pool_id, 2, -1, new_id(), 200)),
        ("near", recycling_jobs._NEAR, (date(2026, 11, 30), date.min, new_id(), 200)),
    ):
        async with company.database.transaction(company.tenant_id) as transaction:
            await transaction.execute(recycling_jobs._IN_ORDER)
            rows = await transaction.fetch(f"EXPLAIN {sql}", company.tenant_id, *values)
        plans[name] = "\n".join(row[0] for row in rows)
    assert "customer_reckoned" in plans["unreckoned"]
    assert "settings_version END < 2" in plans["unreckoned"].partition("Index Cond")[2].splitlines()[0]
    assert "customer_due" in plans["near"]
    assert "due_on <= " in plans["near"].partition("Index Cond")[2].splitlines()[0]
    assert not any("Sort" in plan or "Seq Scan" in plan for plan in plans.values())
