"""Asking for a report, one step of it in the open transaction, and dropping it.

A step is idempotent by its number: the report is locked, a step of another number does nothing, and what it found
commits together with the number's rise. So a killed worker loses at most the page it was at, and two do no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from saas.access import require
from saas.audit import record
from saas.events import emit
from saas.kernel import Actor, AppError, AppErrors, Clock, InputProblem, Scalar, new_id, refusals_of
from saas.reports.errors import PersonGone, ReportsRunning
from saas.reports.events import REPORT_STEP_DUE
from saas.reports.kinds import Asked, Contexts, Finished, Page, ReportKind
from saas.reports.queries import FOUND, TOTAL, Report, found_of, get_report, lock_report, total_of
from saas.reports.rules import MOST_RUNNING, ReportState
from tenants import current_tenant_id, current_transaction

_FIRST = UUID(int=0)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('reports of ' || $1::uuid, 0))"
_RUNNING = "SELECT count(*) FROM report WHERE tenant_id = $1 AND state = 'running'"
_INSERT = """
INSERT INTO report (tenant_id, id, kind, state, wish, account_id, actor, total_count, created_at)
VALUES ($1, $2, $3, 'running', $4::text::jsonb, $5, $6::text::jsonb, $7, $8)
"""
_ONWARD = """
UPDATE report SET step = step + 1, at_id = coalesce($3, at_id), is_read = $3 IS NULL, done_count = done_count + $4
WHERE tenant_id = $1 AND id = $2 RETURNING step
"""
_INSERT_ITEMS = """
INSERT INTO report_item (tenant_id, id, report_id, list_name, place, content)
SELECT $1, i.id, $2, $3, i.place, i.content::jsonb
FROM unnest($4::uuid[], $5::int[], $6::text[]) AS i (id, place, content)
ON CONFLICT (tenant_id, report_id, list_name, place) DO UPDATE SET content = excluded.content
"""
_DROP_PAGES = "DELETE FROM report_item WHERE tenant_id = $1 AND report_id = $2 AND list_name IN ('total', 'found')"
_END = """
UPDATE report SET state = $3, step = step + 1, ended_at = $4, summary = $5::text::jsonb, problem = $6::text::jsonb
WHERE tenant_id = $1 AND id = $2 AND state = 'running'
"""
_DELETE = "DELETE FROM report WHERE tenant_id = $1 AND id = $2"


async def start_report(actor: Actor, kind: str, *, wish: Mapping[str, Any], total: int, clock: Clock) -> UUID:
    """Have a report reckoned: what was asked for is in the audit trail, `total` tells how many objects it reads.

    The permission, and whether the wish is possible, are the caller's to check.

    :raises ReportsRunning: `MOST_RUNNING` of the company are being reckoned.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute(_LOCK, tenant_id)
    if await transaction.fetchval(_RUNNING, tenant_id) >= MOST_RUNNING:
        raise ReportsRunning("reports.reports_running", {"most": MOST_RUNNING})
    report_id, texts = new_id(), (_text(wish), _text(actor.plain()))
    await transaction.execute(
        _INSERT, tenant_id, report_id, kind, texts[0], actor.account_id, texts[1], total, clock.now()
    )
    told: dict[str, Sequence[Scalar]] = {"kind": [None, kind], "objects": [None, total]}
    await record(actor, "report.started", object_type="Report", object_id=report_id, changes=told, clock=clock)
    await _make_due(report_id, 0)
    return report_id


async def discard_report(actor: Actor, *, report_id: UUID, clock: Clock) -> None:
    """Drop a report of the caller's own, whether it runs or not.

    :raises ReportNotFound: missing, removed, another person's or company's.
    """
    report = await get_report(report_id, actor=actor)
    await current_transaction().execute(_DELETE, current_tenant_id(), report.id)
    told = {"kind": [report.kind, None]}
    await record(actor, "report.discarded", object_type="Report", object_id=report.id, changes=told, clock=clock)


@dataclass(frozen=True, slots=True)
class Reporter:
    """What steps are made of, put together by the wiring."""

    kinds: Sequence[ReportKind]
    contexts: Contexts
    clock: Clock
    _by_name: dict[str, ReportKind] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._by_name.update({each.name: each for each in self.kinds})

    async def advance(self, report_id: UUID, *, step: int) -> None:
        """Take that step of the report, where it is the next one; an event tells of the one behind it.

        A refusal ends the report as failed, with the refusal as its problem.
        """
        report = await lock_report(report_id)
        if report is None or report.state is not ReportState.RUNNING or report.step != step:
            return
        try:
            async with current_transaction().savepoint():
                found = await self._step(report)
        except (AppError, AppErrors) as refused:
            await fail_report(report.id, refusals_of(refused)[0], clock=self.clock)
            return
        if isinstance(found, Finished):
            await self._store(report, found)
        else:
            await _go_on(report, found)

    async def _step(self, report: Report) -> Page | Finished:
        kind, by = self._by_name[report.kind], await self.contexts(report.actor)
        if by is None:
            raise PersonGone("reports.person_gone")
        require(by.access, kind.permission)
        asked = Asked(by, report.wish, self.clock)
        total = await total_of(report.id)
        if report.is_read:
            return await kind.finish(asked, total=total, found=found_of(report.id))
        return await kind.reckon(asked, after=report.at_id or _FIRST, total=total)

    async def _store(self, report: Report, result: Finished) -> None:
        await current_transaction().execute(_DROP_PAGES, current_tenant_id(), report.id)
        for name, entries in result.lists.items():
            await _insert(report.id, name, enumerate(entries))
        await _end(report.id, ReportState.READY, summary=_text(result.summary), clock=self.clock)


async def fail_report(report_id: UUID, refused: AppError, *, clock: Clock) -> None:
    """End a report that runs with the problem that it met."""
    await current_transaction().execute(_DROP_PAGES, current_tenant_id(), report_id)
    await _end(report_id, ReportState.FAILED, problem=_text(InputProblem.of(refused).plain()), clock=clock)


async def _go_on(report: Report, page: Page) -> None:
    if page.last is not None:
        await _insert(report.id, TOTAL, [(0, page.total)])
        if page.found:
            await _insert(report.id, FOUND, [(report.step, page.found)])
    next_step = await current_transaction().fetchval(_ONWARD, current_tenant_id(), report.id, page.last, page.done)
    await _make_due(report.id, next_step)


async def _make_due(report_id: UUID, step: int) -> None:
    await emit(REPORT_STEP_DUE, {"report_id": str(report_id), "step": step})


async def _insert(report_id: UUID, list_name: str, entries: Iterable[tuple[int, Any]]) -> None:
    placed = [(new_id(), place, _text(content)) for place, content in entries]
    columns = [list(each) for each in zip(*placed, strict=True)] or [[], [], []]
    await current_transaction().execute(_INSERT_ITEMS, current_tenant_id(), report_id, list_name, *columns)


async def _end(
    report_id: UUID, state: ReportState, *, clock: Clock, summary: str | None = None, problem: str | None = None
) -> None:
    await current_transaction().execute(
        _END, current_tenant_id(), report_id, state.value, clock.now(), summary, problem
    )


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
