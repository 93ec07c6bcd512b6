"""The behaviour report that a job makes: the same as at once, page by page, over a kill; of whom its reader sees."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from saas.access import AccessTable
from saas.analytics import BehaviourReportKind, BehaviourWish, Grouping, ShownBehaviour, read_behaviour, start_behaviour
from saas.analytics import behaviour_reports as room
from saas.analytics.behaviour import period_before
from saas.analytics.errors import ReportDepartmentNotFound
from saas.kernel import Actor, new_id
from saas.reports import Presence, Report, Reporter, ReportState, get_report
from tenants import current_transaction
from tests.rooms.behaving import set_stage, write, write_customer
from tests.rooms.test_behaviour_reports import EVERYBODY, OWN, TEAM, WISH, report
from tests.rules.behaviour_samples import ANN, BOB, CAT, EAST, MARCH, POOL, TODAY, WEST, customer, day, history, owned
from tests.staging import ZONE, Company, refused

BOTH = replace(WISH, other=period_before(MARCH))


def reporter(company: Company, access: AccessTable) -> Reporter:
    async def context(actor: Actor) -> Presence:
        return Presence(actor, access, ZONE, "CNY")

    return Reporter([BehaviourReportKind()], context, company.clock)


async def start(company: Company, wish: BehaviourWish, *, actor: Actor | None = None) -> UUID:
    given: dict[str, Any] = {"time_zone": ZONE, "currency": "CNY", "today": TODAY, "clock": company.clock}
    return await company.within(partial(start_behaviour, actor or company.founder, wish, **given))


async def finish(
    company: Company, report_id: UUID, *, access: AccessTable = EVERYBODY, actor: Actor | None = None
) -> Report:
    asking = actor or company.founder
    for step in range(20):
        await company.within(partial(reporter(company, access).advance, report_id, step=step))
        found = await company.within(partial(get_report, report_id, actor=asking))
        if found.state is not ReportState.RUNNING:
            return found
    raise AssertionError("it does not come to an end")


async def stored(
    company: Company, report_id: UUID, *, access: AccessTable = EVERYBODY, actor: Actor | None = None, **part: int
) -> ShownBehaviour:
    return await company.within(partial(read_behaviour, actor or company.founder, access, report_id, **part))


@pytest.mark.parametrize("grouping", list(Grouping))
async def test_a_job_finds_what_is_found_at_once(
    company: Company, monkeypatch: pytest.MonkeyPatch, grouping: Grouping
) -> None:
    monkeypatch.setattr(room, "PAGE", 4)
    await set_stage(company)
    await write(company, history(5, customers=15), paid_on=day(5))
    wish = replace(BOTH, grouping=grouping)
    at_once = await report(company, wish)
    report_id = await start(company, wish)
    ready = await finish(company, report_id)
    assert ready.state is ReportState.READY
    assert ready.done == ready.total > 4
    found = await stored(company, report_id)
    assert found == at_once
    assert await company.value("SELECT count(*) FROM report_item WHERE list_name IN ('total', 'found')") == 0


async def test_a_department_without_a_comparison_and_lists_in_pages(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PAGE", 2)
    await set_stage(company)
    await write(company, history(11, customers=10), paid_on=day(5))
    wish = replace(WISH, department_id=EAST)
    at_once = await report(company, wish)
    report_id = await start(company, wish)
    await finish(company, report_id)
    assert await stored(company, report_id) == at_once
    part = await stored(company, report_id, after=0, lines=1, returns=0)
    assert (part.lines, part.returns) == (at_once.lines[1:2], ())
    assert (part.line_count, part.return_count) == (len(at_once.lines), at_once.return_count)


async def test_no_more_returns_are_kept_than_a_report_lists(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAGE", 1)
    await set_stage(company)
    for number in range(4):
        back = customer(owned(ANN, 1, 3 + number), owned(ANN, 5 + number), number=number)
        await write_customer(company, back)
    at_once = await report(company)
    assert at_once.return_count == 4
    for name, most in (("MOST_RETURNS", 2), ("_KEPT_TWICE", 2)):
        monkeypatch.setattr(room, name, most)
    report_id = await start(company, WISH)
    await finish(company, report_id)
    found = await stored(company, report_id)
    assert (found.returns, found.return_count) == (at_once.returns[:2], 4)


async def test_a_report_goes_on_after_a_kill(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAGE", 4)
    await set_stage(company)
    await write(company, history(3, customers=12), paid_on=day(5))
    at_once, report_id = await report(company, BOTH), await start(company, BOTH)
    steps = reporter(company, EVERYBODY)
    await company.within(partial(steps.advance, report_id, step=0))

    class Killed(Exception):
        """The worker ends, and its transaction with it."""

    async def dying() -> None:
        await steps.advance(report_id, step=1)
        assert await current_transaction().fetchval("SELECT done_count FROM report") == 8
        raise Killed

    with pytest.raises(Killed):
        await company.within(dying)
    assert await company.rows("SELECT step, done_count FROM report") == [(1, 4)]
    await finish(company, report_id)
    assert await stored(company, report_id) == at_once


async def test_it_tells_of_whom_its_asker_sees_and_no_more_once_they_see_less(company: Company) -> None:
    await set_stage(company)
    for number, (person, team) in enumerate([(ANN, EAST), (BOB, EAST), (CAT, WEST)]):
        await write_customer(company, customer(owned(person, 1, team=team), number=number))
    manager = replace(company.founder, employee_id=ANN, account_id=new_id())
    report_id = await start(company, WISH, actor=manager)
    await finish(company, report_id, access=TEAM, actor=manager)
    found = await stored(company, report_id, access=TEAM, actor=manager)
    assert ([line.id for line in found.lines], found.people) == ([ANN, BOB], 3)
    assert found == await report(company, access=TEAM, actor=manager)
    assert await stored(company, report_id, access=EVERYBODY, actor=manager) == found
    narrower = await refused(stored(company, report_id, access=OWN, actor=manager))
    assert narrower.key == "analytics.report_scope_narrower"
    moved = replace(manager, employee_id=CAT)
    assert (await refused(stored(company, report_id, access=TEAM, actor=moved))).key == narrower.key
    owner = await refused(stored(company, report_id, actor=company.founder))
    assert owner.key == "reports.report_not_found"


async def test_settings_that_change_meanwhile_end_it(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAGE", 1)
    await set_stage(company)
    for number in range(2):
        await write_customer(company, customer(owned(ANN, 1), number=number))
    report_id = await start(company, WISH)
    steps = reporter(company, EVERYBODY)
    await company.within(partial(steps.advance, report_id, step=0))
    await company.run("UPDATE customer_pool SET version = version + 1 WHERE id = $1", POOL)
    await company.within(partial(steps.advance, report_id, step=1))
    failed = await company.within(partial(get_report, report_id, actor=company.founder))
    assert failed.state is ReportState.FAILED
    assert failed.problem is not None
    assert failed.problem.key == "analytics.report_settings_changed"


async def test_a_wish_that_can_not_be_is_refused_before_anything_runs(company: Company) -> None:
    await set_stage(company)
    before = await company.everything()
    with pytest.raises(ReportDepartmentNotFound):
        await start(company, replace(WISH, department_id=new_id()))
    missing = await refused(start(company, replace(WISH, pool_ids=(POOL, new_id()))))
    assert missing.key == "customers.pool_not_found"
    assert await company.everything() == before
