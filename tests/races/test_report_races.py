"""Twenty ask for a report at once, and no more run than may; two workers take the same step, and it is taken once."""

from __future__ import annotations

import asyncio
from functools import partial

from saas.access import AccessTable
from saas.customers import DryRunReport, SettingsWish, start_dry_run
from saas.kernel import Actor
from saas.reports import MOST_RUNNING, Presence, Reporter, ReportsRunning
from saas.sales import find_activity
from tests.staging import ZONE, Company


async def test_of_twenty_at_once_three_run_and_a_step_is_taken_once(company: Company) -> None:
    wish = SettingsWish(company.pool_id, {}, 1)
    start = partial(start_dry_run, company.founder, wish, time_zone=ZONE, clock=company.clock)
    outcomes = await asyncio.gather(*(company.within(start) for _ in range(20)), return_exceptions=True)
    refusals = [each for each in outcomes if isinstance(each, ReportsRunning)]
    started = [each for each in outcomes if not isinstance(each, BaseException)]
    assert (len(started), len(refusals)) == (MOST_RUNNING, 20 - MOST_RUNNING)
    assert await company.value("SELECT count(*) FROM report") == MOST_RUNNING
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'reports.step_due'") == MOST_RUNNING

    access = AccessTable("configures", permissions=frozenset({"pool:configure"}))

    async def context(actor: Actor) -> Presence:
        return Presence(actor, access, ZONE, "CNY")

    await company.enter("晨光", keeper=await company.hire("0002"))
    reporter = Reporter([DryRunReport(find_activity)], context, company.clock)
    await asyncio.gather(*(company.within(partial(reporter.advance, started[0], step=0)) for _ in range(20)))
    assert await company.rows("SELECT step, done_count FROM report WHERE id = $1", started[0]) == [(1, 1)]
    assert await company.value("SELECT count(*) FROM report_item") == 1
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'reports.step_due'") == MOST_RUNNING + 1
