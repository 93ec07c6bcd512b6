"""Reports that a job reckons: the same as at once, step by step, over a kill; who reads them; how many run; removal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from saas.access import AccessTable
from saas.customers import DryRunReport, SettingsWish, dry_run_settings, get_dry_run, start_dry_run
from saas.customers.actions import dry_run_reports
from saas.customers.actions.dry_run_reports import list_dry_run_customers, list_dry_run_people
from saas.customers.errors import PoolChanged
from saas.events import Event
from saas.kernel import Actor, Scalar, local_date, new_id
from saas.reports import (
    KEPT,
    MOST_RUNNING,
    REPORT_STEP_DUE,
    Presence,
    Report,
    Reporter,
    ReportJobs,
    ReportState,
    discard_report,
    get_report,
    list_reports,
    purge_reports,
    start_report,
)
from saas.sales import find_activity
from tenants import current_transaction
from tests.staging import ZONE, Company, refused

MAY = AccessTable("configures", permissions=frozenset({"pool:configure"}))


def reporter(company: Company, *, access: AccessTable = MAY, is_there: bool = True) -> Reporter:
    async def context(actor: Actor) -> Presence | None:
        return Presence(actor, access, ZONE, "CNY") if is_there else None

    return Reporter([DryRunReport(find_activity)], context, company.clock)


async def step(company: Company, report_id: UUID, *, by: Reporter | None = None, number: int | None = None) -> Report:
    """Take the next step, or that of a number; the report behind it."""
    report = await read(company, report_id)
    at = report.step if number is None else number
    await company.within(partial((by or reporter(company)).advance, report_id, step=at))
    return await read(company, report_id)


async def finish(company: Company, report_id: UUID) -> Report:
    while (report := await step(company, report_id)).state is ReportState.RUNNING:
        assert report.step < 20
    return report


async def read(company: Company, report_id: UUID) -> Report:
    return await company.within(partial(get_report, report_id, actor=company.founder))


def wish(company: Company, **settings: Any) -> SettingsWish:
    return SettingsWish(company.pool_id, settings, 1)


async def start(company: Company, *, by: Actor | None = None, **settings: Any) -> UUID:
    asking = by or company.founder
    return await company.within(
        partial(start_dry_run, asking, wish(company, **settings), time_zone=ZONE, clock=company.clock)
    )


@pytest_asyncio.fixture(loop_scope="session")
async def stocked(company: Company, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Seven customers of two owners, three of them entered ten days later; pages of two."""
    monkeypatch.setattr(dry_run_reports, "_PAGE", 2)
    reps = [await company.hire("0002"), await company.hire("0003", name="韩梅")]
    for place in range(4):
        await company.enter(f"旧客{place}", keeper=reps[place % 2])
    company.clock.advance(timedelta(days=10))
    for place in range(3):
        await company.enter(f"新客{place}", keeper=reps[0])
    await company.enter("公海客户")
    return company


async def test_a_job_finds_what_is_found_at_once(stocked: Company) -> None:
    today = local_date(stocked.clock.now(), ZONE)
    trial = wish(stocked, recycle_follow_up_days=12)
    at_once = await stocked.within(
        partial(dry_run_settings, trial, activity=find_activity, time_zone=ZONE, today=today)
    )
    told = at_once.told()
    assert (told.total.held, told.total.taken, told.people) == (7, 4, 2)
    report_id = await start(stocked, recycle_follow_up_days=12)
    before = await read(stocked, report_id)
    assert (before.state, before.done, before.total) == (ReportState.RUNNING, 0, 7)
    ready = await finish(stocked, report_id)
    assert (ready.state, ready.done, ready.step, ready.summary["people"]) == (ReportState.READY, 7, 6, 2)
    stored = await stocked.within(partial(get_dry_run, report_id, most=100))
    assert (stored.found, stored.version, stored.is_stale) == (told, 1, False)
    assert await stocked.value("SELECT count(*) FROM report_item WHERE list_name IN ('total', 'found')") == 0
    assert await stocked.value("SELECT count(*) FROM audit_entry WHERE action = 'report.started'") == 1


async def test_lists_are_read_a_page_at_a_time_and_counts_are_of_all(
    stocked: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run_reports, "MOST_NAMED", 3)
    report_id = await start(stocked, recycle_follow_up_days=12)
    await finish(stocked, report_id)
    stored = await stocked.within(partial(get_dry_run, report_id, most=2))
    assert (stored.found.total.taken, len(stored.found.taken), len(stored.found.effects)) == (4, 2, 2)
    first = await stocked.within(partial(list_dry_run_customers, report_id, first=2))
    later = await stocked.within(partial(list_dry_run_customers, report_id, after=1, first=2))
    assert [place for place, _ in [*first, *later]] == [0, 1, 2]
    assert [each for _, each in first] == stored.found.taken
    ((place, (owner_id, effect)),) = await stocked.within(partial(list_dry_run_people, report_id, after=0, first=5))
    assert (place, (owner_id, astuple(effect))) == (
        1,
        (stored.found.effects[1][0], astuple(stored.found.effects[1][1])),
    )


async def test_a_step_that_is_killed_is_taken_again_and_none_is_taken_twice(stocked: Company) -> None:
    report_id = await start(stocked, recycle_follow_up_days=12)
    once = await step(stocked, report_id)
    assert (once.step, once.done) == (1, 2)

    class Killed(Exception):
        """The worker ends, and its transaction with it."""

    async def dying() -> None:
        await reporter(stocked).advance(report_id, step=1)
        assert await current_transaction().fetchval("SELECT step FROM report WHERE id = $1", report_id) == 2
        raise Killed

    before = await stocked.everything()
    with pytest.raises(Killed):
        await stocked.within(dying)
    assert await stocked.everything() == before
    again = await step(stocked, report_id)
    assert (again.step, again.done) == (2, 4)
    for stale in (0, 1, 3):
        assert (await step(stocked, report_id, number=stale)).step == 2
    ready = await finish(stocked, report_id)
    assert (ready.state, ready.done) == (ReportState.READY, 7)
    stored = await stocked.within(partial(get_dry_run, report_id, most=100))
    assert (stored.found.total.held, stored.found.total.taken) == (7, 4)
    assert (await step(stocked, report_id)).step == ready.step


async def test_it_fails_where_the_pool_is_changed_meanwhile_and_is_stale_afterwards(stocked: Company) -> None:
    report_id, other = await start(stocked, recycle_follow_up_days=12), await start(stocked, recycle_follow_up_days=9)
    await finish(stocked, other)
    await step(stocked, report_id)
    await stocked.configure(claim_limit=5)
    failed = await step(stocked, report_id)
    assert failed.state is ReportState.FAILED
    assert failed.problem is not None
    assert (failed.problem.key, dict(failed.problem.values)) == (
        "customers.pool_changed",
        {"expected": 1, "actual": 2},
    )
    assert await stocked.value("SELECT count(*) FROM report_item WHERE report_id = $1", report_id) == 0
    unread = await refused(stocked.within(partial(get_dry_run, report_id, most=1)))
    assert (unread.key, unread.values["state"]) == ("reports.report_not_ready", "FAILED")
    stored = await stocked.within(partial(get_dry_run, other, most=1))
    assert (stored.version, stored.is_stale) == (1, True)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"is_there": False}, "reports.person_gone"),
        ({"access": AccessTable("rep")}, "access.permission_missing"),
    ],
)
async def test_who_lost_the_right_or_left_gets_nothing(stocked: Company, changes: Mapping[str, Any], key: str) -> None:
    report_id = await start(stocked)
    failed = await step(stocked, report_id, by=reporter(stocked, **changes))
    assert (failed.state, failed.problem and failed.problem.key) == (ReportState.FAILED, key)


async def test_a_report_is_of_who_asked_for_it(stocked: Company, other_company: Company) -> None:
    mine, colleague = await start(stocked), replace(stocked.founder, account_id=new_id())
    theirs = await start(stocked, by=colleague)
    for company, asking in ((stocked, colleague), (other_company, other_company.founder)):
        reading = await refused(company.within(partial(get_report, mine, actor=asking)))
        dropping = await refused(company.within(partial(discard_report, asking, report_id=mine, clock=company.clock)))
        assert {reading.key, dropping.key} == {"reports.report_not_found"}
    found = await stocked.within(partial(list_reports, stocked.founder, after=None, first=5))
    assert [each.id for each in found] == [mine]
    await stocked.within(partial(discard_report, stocked.founder, report_id=mine, clock=stocked.clock))
    assert await stocked.rows("SELECT id FROM report") == [(theirs,)]
    assert (await refused(step(stocked, mine))).key == "reports.report_not_found"


async def test_three_run_at_a_time_and_old_ones_are_removed(stocked: Company) -> None:
    reports = [await start(stocked) for _ in range(MOST_RUNNING)]
    before = await stocked.everything()
    much = await refused(start(stocked))
    assert (much.key, much.values) == ("reports.reports_running", {"most": 3})
    assert await stocked.everything() == before
    await finish(stocked, reports[0])
    stocked.clock.advance(timedelta(days=1))
    young = await start(stocked)
    stocked.clock.advance(KEPT - timedelta(hours=1))
    assert await stocked.within(partial(purge_reports, clock=stocked.clock)) == MOST_RUNNING
    assert await stocked.rows("SELECT id FROM report") == [(young,)]
    assert await stocked.value("SELECT count(*) FROM report_item") == 0


async def test_a_wish_that_can_not_be_is_refused_before_anything_runs(stocked: Company) -> None:
    stale = SettingsWish(stocked.pool_id, {}, 7)
    with pytest.raises(PoolChanged):
        await stocked.within(partial(start_dry_run, stocked.founder, stale, time_zone=ZONE, clock=stocked.clock))
    assert await stocked.rows("SELECT id FROM report") == []


async def test_a_report_given_up_tells_so_and_frees_its_place(stocked: Company) -> None:
    """As one would be whose kind this worker does not know: each try ends with a fault."""
    unknown = await stocked.within(
        partial(start_report, stocked.founder, "customers.unknown", wish={}, total=0, clock=stocked.clock)
    )
    with pytest.raises(KeyError):
        await step(stocked, unknown)
    payload: dict[str, Scalar] = {"report_id": str(unknown), "step": 0}
    event = Event(new_id(), stocked.tenant_id, REPORT_STEP_DUE, payload, stocked.clock.now(), 8)
    await stocked.within(partial(ReportJobs(reporter(stocked)).give_up, event))
    report = await read(stocked, unknown)
    assert (report.state, report.problem and report.problem.key) == (ReportState.FAILED, "reports.given_up")
    assert await stocked.value("SELECT count(*) FROM report WHERE state = 'running'") == 0
