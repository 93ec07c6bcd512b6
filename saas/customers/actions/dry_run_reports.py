"""The dry run of settings as a report that a job reckons: of a pool of any size, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from saas.customers.actions.dry_running import (
    SettingsWish,
    Trial,
    count_owned,
    find_version,
    prepare_trial,
    read_held,
)
from saas.customers.actions.due_dates import ActivitySource
from saas.customers.errors import PoolChanged
from saas.customers.recycling import Comparison, DryRun, Effect, Taken
from saas.customers.settings import settings_of
from saas.kernel import Actor, Clock, local_date
from saas.reports import Asked, Finished, Found, Page, get_ready, list_items, start_report

DRY_RUN = "customers.dry_run"
PERMISSION = "pool:configure"
PEOPLE, CUSTOMERS = "people", "customers"
MOST_NAMED = 1_000
"""Customers that a report names, the soonest taken; the others are in its counts."""

_PAGE = 1_000
"""Customers of a step: a fraction of a second of the processor, some seconds where it is shared with many."""


@dataclass(frozen=True, slots=True)
class StoredDryRun:
    """A dry run that was reckoned; `version` is the pool's that it compared, `is_stale` whether the pool's is another
    by now.
    """

    found: DryRun
    pool_id: UUID
    version: int
    is_stale: bool


async def start_dry_run(actor: Actor, wish: SettingsWish, *, time_zone: str, clock: Clock) -> UUID:
    """Have a change of settings tried by a job (permission ``pool:configure``); the report's id.

    :raises AppErrors, PoolNotFound, PoolChanged, BadUserInput: see `dry_run_settings`.
    :raises ReportsRunning: as many of the company's reports are reckoned as may be.
    """
    trial = await prepare_trial(wish, today=local_date(clock.now(), time_zone))
    total = await count_owned(wish.pool_id)
    return await start_report(actor, DRY_RUN, wish=_plain(trial), total=total, clock=clock)


async def get_dry_run(report_id: UUID, *, most: int) -> StoredDryRun:
    """The result of a dry run, with at most so many people and customers (permission ``pool:configure``): everybody
    who may configure pools reads it, for it is of the company's rules and of nobody's own.

    :raises ReportNotFound: missing, removed, another company's, or no dry run.
    :raises ReportNotReady: it is being reckoned, or could not be.
    """
    report = await get_ready(report_id, kind=DRY_RUN, actor=None)
    summary, pool_id = report.summary, UUID(report.wish["pool"])
    found = DryRun(
        on=date.fromisoformat(report.wish["on"]),
        total=Effect(*summary["total"]),
        people=summary["people"],
        effects=[each for _, each in await list_dry_run_people(report_id, first=most)],
        taken=[each for _, each in await list_dry_run_customers(report_id, first=most)],
    )
    version = report.wish["version"]
    return StoredDryRun(found, pool_id, version, await find_version(pool_id) != version)


async def list_dry_run_people(report_id: UUID, *, after: int = -1, first: int) -> list[tuple[int, tuple[UUID, Effect]]]:
    """What the change does to each owner, who loses the most first, with their places, behind the place `after`.

    :raises ReportNotFound, ReportNotReady: see `get_dry_run`.
    """
    await get_ready(report_id, kind=DRY_RUN, actor=None)
    rows = await list_items(report_id, PEOPLE, after=after, first=first)
    return [(place, (UUID(owner_id), Effect(*counts))) for place, (owner_id, counts) in rows]


async def list_dry_run_customers(report_id: UUID, *, after: int = -1, first: int) -> list[tuple[int, Taken]]:
    """The customers that only the new settings take, the soonest first, at most `MOST_NAMED` in all.

    :raises ReportNotFound, ReportNotReady: see `get_dry_run`.
    """
    await get_ready(report_id, kind=DRY_RUN, actor=None)
    rows = await list_items(report_id, CUSTOMERS, after=after, first=first)
    return [(place, Taken.of_plain(each)) for place, each in rows]


@dataclass(frozen=True, slots=True)
class DryRunReport:
    """How a dry run is reckoned. The pool must not change meanwhile: half of a report by other settings is none."""

    activity: ActivitySource
    name: str = DRY_RUN
    permission: str = PERMISSION

    async def reckon(self, asked: Asked, *, after: UUID, total: Any) -> Page:
        """A page of the pool's owned customers, judged by both settings.

        :raises PoolChanged: somebody changed or closed the pool since the dry run was asked for.
        """
        trial = _trial(asked.wish)
        await _require_unchanged(trial)
        held, last = await read_held(
            trial.pool_id, after=after, most=_PAGE, activity=self.activity, time_zone=asked.by.time_zone
        )
        comparison = _resumed(trial, total)
        comparison.add(held)
        return Page(comparison.plain(most=MOST_NAMED), len(held), last)

    async def finish(self, asked: Asked, *, total: Any, found: Found) -> Finished:
        """All pages together.

        :raises PoolChanged: see `reckon`.
        """
        trial = _trial(asked.wish)
        await _require_unchanged(trial)
        told = _resumed(trial, total).told()
        people = [(str(owner_id), astuple(effect)) for owner_id, effect in told.effects]
        summary = {"total": astuple(told.total), "people": told.people}
        return Finished(summary, {PEOPLE: people, CUSTOMERS: [each.plain() for each in told.taken]})


def _resumed(trial: Trial, total: Any) -> Comparison:
    comparison = trial.comparison()
    if total is not None:
        comparison.absorb(total)
    return comparison


async def _require_unchanged(trial: Trial) -> None:
    version = await find_version(trial.pool_id)
    if version != trial.version:
        raise PoolChanged("customers.pool_changed", {"expected": trial.version, "actual": version})


def _plain(trial: Trial) -> dict[str, Any]:
    return {
        "pool": str(trial.pool_id),
        "version": trial.version,
        "before": trial.before.text(),
        "after": trial.after.text(),
        "on": trial.on.isoformat(),
    }


def _trial(plain: Mapping[str, Any]) -> Trial:
    return Trial(
        UUID(plain["pool"]),
        plain["version"],
        settings_of(plain["before"]),
        settings_of(plain["after"]),
        date.fromisoformat(plain["on"]),
    )
