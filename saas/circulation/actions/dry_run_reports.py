"""The dry run of a decline policy as a report that a job reckons: of any number of customers, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from saas.circulation.actions.dry_running import (
    DeclineForecast,
    DeclineTrial,
    TrialDay,
    prepare_decline_trial,
)
from saas.circulation.errors import PlanChanged
from saas.circulation.queries import find_policies
from saas.circulation.rules.terms import DeclineTerms, PolicyKind
from saas.customers import count_dealt_customers, find_dealt_customers, get_pool
from saas.kernel import Actor, Clock, local_date
from saas.reports import Asked, Finished, Found, Page, get_ready, start_report

DECLINE_DRY_RUN = "circulation.dry_run"
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class StoredForecast:
    """What terms would have found on a day; `version` is the policy's newest of then, `is_stale` whether another is
    by now.
    """

    found: DeclineForecast
    pool_id: UUID
    on: date
    version: int
    is_stale: bool


async def start_decline_dry_run(
    actor: Actor, pool_id: UUID, wanted: Mapping[str, Any], *, time_zone: str, clock: Clock
) -> UUID:
    """Have a decline policy tried by a job (permission ``circulation:configure``); the report's id.

    :raises PoolNotFound, AppErrors: see `dry_run_declines`.
    :raises ReportsRunning: as many of the company's reports are reckoned as may be.
    """
    trial = await prepare_decline_trial(pool_id, wanted)
    wish = {
        "pool": str(pool_id),
        "version": trial.version,
        "terms": trial.terms.plain(),
        "settings_version": trial.settings_version,
        "today": local_date(clock.now(), time_zone).isoformat(),
    }
    total = await count_dealt_customers(pool_id)
    return await start_report(actor, DECLINE_DRY_RUN, wish=wish, total=total, clock=clock)


async def get_decline_dry_run(report_id: UUID) -> StoredForecast:
    """The result of such a report, for everybody who may configure circulation (``circulation:configure``).

    :raises ReportNotFound: missing, removed, another company's, or no dry run of declines.
    :raises ReportNotReady: it is being reckoned, or could not be.
    """
    report = await get_ready(report_id, kind=DECLINE_DRY_RUN, actor=None)
    wish, pool_id = report.wish, UUID(report.wish["pool"])
    newest = next((each.version for each in await find_policies(pool_id, PolicyKind.DECLINE)), 0)
    found, on = DeclineForecast.of_plain(report.summary["people"]), date.fromisoformat(wish["today"])
    return StoredForecast(found, pool_id, on, wish["version"], newest != wish["version"])


@dataclass(frozen=True, slots=True)
class DeclineDryRunReport:
    """How it is reckoned, with the settings that the pool had when it was asked for."""

    name: str = DECLINE_DRY_RUN
    permission: str = "circulation:configure"

    async def reckon(self, asked: Asked, *, after: UUID, total: Any) -> Page:
        """A page of the pool's dealt customers.

        :raises PlanChanged: the pool's settings were changed since the dry run was asked for.
        """
        trial, today = await _trial(asked.wish), date.fromisoformat(asked.wish["today"])
        forecast = DeclineForecast.of_plain(total or {})
        held = await find_dealt_customers(trial.pool_id, after=after, most=_PAGE, today=today)
        if held:
            await trial.judge(held, forecast, TrialDay(today, asked.by.time_zone, asked.by.currency))
        return Page(forecast.plain(), len(held), held[-1].customer_id if held else None)

    async def finish(self, asked: Asked, *, total: Any, found: Found) -> Finished:
        """All pages together.

        :raises PlanChanged: see `reckon`.
        """
        await _trial(asked.wish)
        return Finished({"people": total or {}}, {})


async def _trial(wish: Mapping[str, Any]) -> DeclineTrial:
    pool = await get_pool(UUID(wish["pool"]))
    if pool.settings_version != wish["settings_version"]:
        raise PlanChanged("circulation.dry_run_outdated", {"pool": pool.name})
    terms = DeclineTerms.of_plain(wish["terms"])
    return DeclineTrial(pool.id, wish["version"], terms, pool.settings, pool.settings_version)
