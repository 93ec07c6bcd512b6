"""Reads of reports and of the lists of their results."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from saas.kernel import Actor, InputProblem, Scalar
from saas.reports.errors import ReportNotFound, ReportNotReady
from saas.reports.rules import KEPT, ReportState
from tenants import current_tenant_id, current_transaction

TOTAL, FOUND = "total", "found"
"""Lists of a report that runs: what all pages came to, in one entry, and what was found, an entry a page."""

_COLUMNS = """
SELECT id, kind, state, wish::text AS wish, account_id, actor::text AS actor, step, at_id, is_read, done_count,
       total_count, summary::text AS summary, problem::text AS problem, created_at, ended_at
FROM report
"""
_ONE = f"{_COLUMNS} WHERE tenant_id = $1 AND id = $2"
_LOCKED = f"{_ONE} FOR UPDATE"
_OWN = f"""
{_COLUMNS} WHERE tenant_id = $1 AND account_id = $2 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4
"""
_ITEMS = """
SELECT place, content::text AS content FROM report_item
WHERE tenant_id = $1 AND report_id = $2 AND list_name = $3 AND place > $4 ORDER BY place LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class Report:
    """A report; `actor` is whoever asked for it, as they were then."""

    id: UUID
    kind: str
    state: ReportState
    wish: dict[str, Any]
    account_id: UUID
    actor: Actor
    step: int
    at_id: UUID | None
    is_read: bool
    done: int
    total: int
    summary: dict[str, Any]
    problem: InputProblem | None
    created_at: datetime
    ended_at: datetime | None

    @property
    def kept_until(self) -> datetime:
        """When it may be removed."""
        return self.created_at + KEPT


async def get_report(report_id: UUID, *, actor: Actor) -> Report:
    """A report of the caller's own.

    :raises ReportNotFound: missing, removed, another person's or company's.
    """
    report = await _one(_ONE, report_id)
    if report is None or report.account_id != actor.account_id:
        raise ReportNotFound("reports.report_not_found", field=("report",))
    return report


async def get_ready(report_id: UUID, *, kind: str, actor: Actor | None) -> Report:
    """A report of a kind that can be read; of the caller's own, where an actor is given.

    :raises ReportNotFound: missing, removed, of another kind, another person's or company's.
    :raises ReportNotReady: it is being reckoned, or could not be.
    """
    report = await _one(_ONE, report_id)
    if report is None or report.kind != kind or (actor is not None and report.account_id != actor.account_id):
        raise ReportNotFound("reports.report_not_found", field=("report",))
    if report.state is not ReportState.READY:
        values: dict[str, Scalar] = {"state": report.state.name, "done": report.done, "total": report.total}
        raise ReportNotReady("reports.report_not_ready", values, field=("report",))
    return report


async def list_reports(actor: Actor, *, after: UUID | None, first: int) -> list[Report]:
    """The caller's own reports, the newest first, `first` of them behind `after`."""
    rows = await current_transaction().fetch(_OWN, current_tenant_id(), actor.account_id, after, first)
    return [_report(row) for row in rows]


async def list_items(report_id: UUID, list_name: str, *, after: int = -1, first: int) -> list[tuple[int, Any]]:
    """Entries of a list of a report's result, each with its place, `first` of them behind the place `after`."""
    rows = await current_transaction().fetch(_ITEMS, current_tenant_id(), report_id, list_name, after, first)
    return [(row["place"], orjson.loads(row["content"])) for row in rows]


async def lock_report(report_id: UUID) -> Report | None:
    """The report, held until the transaction ends: its steps follow each other. None where it is gone."""
    return await _one(_LOCKED, report_id)


async def total_of(report_id: UUID) -> Any:
    """What the pages of a report that runs have come to; None before the first."""
    return next((content for _, content in await list_items(report_id, TOTAL, first=1)), None)


async def found_of(report_id: UUID) -> AsyncIterator[Any]:
    """What was found in the report's pages, in their order; one at a time is in memory."""
    place = -1
    while entries := await list_items(report_id, FOUND, after=place, first=1):
        ((place, content),) = entries
        yield content


async def _one(sql: str, report_id: UUID) -> Report | None:
    row = await current_transaction().fetchrow(sql, current_tenant_id(), report_id)
    return None if row is None else _report(row)


def _report(row: asyncpg.Record) -> Report:
    problem = None if row["problem"] is None else InputProblem.of_plain(orjson.loads(row["problem"]))
    return Report(
        id=row["id"],
        kind=row["kind"],
        state=ReportState(row["state"]),
        wish=orjson.loads(row["wish"]),
        account_id=row["account_id"],
        actor=Actor.of_plain(orjson.loads(row["actor"]), tenant_id=current_tenant_id()),
        step=row["step"],
        at_id=row["at_id"],
        is_read=row["is_read"],
        done=row["done_count"],
        total=row["total_count"],
        summary={} if row["summary"] is None else orjson.loads(row["summary"]),
        problem=problem,
        created_at=row["created_at"],
        ended_at=row["ended_at"],
    )
