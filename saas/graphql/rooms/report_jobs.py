"""Reports that a worker reckons: how far each is, and dropping one; what came of it is read by fields of its own."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated, Self
from uuid import UUID

import strawberry

from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import IdempotentPayload, Payload, UserError, user_error
from saas.graphql.render import PageInfo
from saas.graphql.render_inputs import described_enum
from saas.graphql.rooms.plain_pages import After, First, page_of
from saas.graphql.rooms.references import placed_id
from saas.kernel import Catalogue, public_id
from saas.reports import Report, discard_report, get_report, list_reports

PREFIX = "rpt"

ReportId = Annotated[strawberry.ID, strawberry.argument(description="The report (rpt_…). Since 0.1.")]
JobState = described_enum(
    "ReportJobState",
    "Where a report that a worker reckons is. Since 0.1.",
    {
        "RUNNING": "A worker reckons it, page by page. Since 0.1.",
        "READY": "It can be read. Since 0.1.",
        "FAILED": "It could not be reckoned; problem tells why. Since 0.1.",
    },
)


@strawberry.type(description="A report that a worker reckons. Since 0.1.")
class ReportJob:
    """One's own."""

    id: strawberry.ID = strawberry.field(description="Its id (rpt_…). Since 0.1.")
    kind: str = strawberry.field(
        description="customers.dry_run, circulation.dry_run or analytics.behaviour; never translated. Since 0.1."
    )
    state: Enum = strawberry.field(description="Where it is. Since 0.1.", graphql_type=JobState)
    done_count: int = strawberry.field(description="How many objects are read. Since 0.1.")
    total_count: int = strawberry.field(description="How many there were when it was asked for. Since 0.1.")
    asked_at: datetime = strawberry.field(description="When it was asked for. Since 0.1.")
    ended_at: datetime | None = strawberry.field(description="When it was ready, or failed. Since 0.1.")
    kept_until: datetime = strawberry.field(description="Until when it can be read. Since 0.1.")
    problem: UserError | None = strawberry.field(description="Why it could not be reckoned. Since 0.1.")


@strawberry.type(description="A page of the caller's reports, the newest first. Since 0.1.")
class ReportJobs:
    """One's own."""

    nodes: list[ReportJob] = strawberry.field(description="The reports, at most 100. Since 0.1.")
    page_info: PageInfo = strawberry.field(description="Where the page stands. Since 0.1.")


@strawberry.type(description="The report that was asked for. Since 0.1.")
class ReportStartPayload(IdempotentPayload):
    """Answer of the mutations that have a report reckoned."""

    report: strawberry.ID | None = strawberry.field(
        description="The report (rpt_…), for reportJob; null when refused. Since 0.1.", default=None
    )

    @classmethod
    def of(cls, report_id: UUID) -> Self:
        """The answer that names a report."""
        return cls(report=strawberry.ID(public_id(PREFIX, report_id)))


def report_id_of(text: str) -> UUID:
    """The id of a report in an argument."""
    return placed_id(text, prefix=PREFIX, field=("report",))


@query(signed_in=True, description="How far a report of the caller's own is; ask again every few seconds")
async def report_job(info: Info, report: ReportId) -> ReportJob:
    return _shown(await get_report(report_id_of(report), actor=info.actor), info)


@query(signed_in=True, description="The reports that the caller had reckoned and that are still kept")
async def report_jobs(info: Info, first: First, after: After = None) -> ReportJobs:
    page = page_of("reportJobs", first=first, after=after)
    rows = await list_reports(info.actor, after=page.after_id, first=page.size + 1)
    shown, page_info = page.cut(rows, lambda report: report.id.hex)
    return ReportJobs(nodes=[_shown(each, info) for each in shown], page_info=page_info)


@strawberry.input(description="Which report to drop. Since 0.1.")
class ReportDiscardInput:
    """One's own."""

    report: strawberry.ID = strawberry.field(description="The report (rpt_…).")


@strawberry.type(description="The dropped report. Since 0.1.")
class ReportDiscardPayload(Payload):
    """Answer of reportDiscard."""

    report: strawberry.ID | None = strawberry.field(
        description="The id it had; null when refused. Since 0.1.", default=None
    )


@mutation(signed_in=True, description="Drop a report of the caller's own, whether it runs or not")
async def report_discard(info: Info, input: ReportDiscardInput) -> ReportDiscardPayload:  # noqa: A002
    await discard_report(info.actor, report_id=report_id_of(input.report), clock=info.clock)
    return ReportDiscardPayload(report=input.report)


def _shown(report: Report, info: Info) -> ReportJob:
    problem = report.problem
    return ReportJob(
        id=strawberry.ID(public_id(PREFIX, report.id)),
        kind=report.kind,
        state=JobState[report.state.name],
        done_count=report.done,
        total_count=report.total,
        asked_at=report.created_at,
        ended_at=report.ended_at,
        kept_until=report.kept_until,
        problem=None if problem is None else user_error(problem, catalogue=info.room(Catalogue), locale=info.locale),
    )
