"""The behaviour report as a worker makes it, of a company of any size (docs/behaviour.md)."""

from __future__ import annotations

import strawberry

from saas.analytics import FileFormat, Writing, export_stored_behaviour, names_for, read_behaviour, start_behaviour
from saas.graphql.fields import Info, mutation, query
from saas.graphql.rooms.behaviour import (
    RETURNS_MAX,
    BehaviourFile,
    BehaviourReport,
    WantedFormat,
    shown_report,
    written_file,
)
from saas.graphql.rooms.behaviour_inputs import BehaviourInput, wish_of
from saas.graphql.rooms.plain_pages import After, First, page_of
from saas.graphql.rooms.report_jobs import ReportId, ReportStartPayload, report_id_of
from saas.kernel import Catalogue


@strawberry.input(description="Which behaviour report to have made. Since 0.1.")
class BehaviourReportStartInput:
    """As behaviourReport takes it."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key gives the same report.")
    report: BehaviourInput = strawberry.field(description="What to report on.")


@mutation(
    requires="behaviour:read",
    idempotent=True,
    description="Have a worker make the behaviour report, of any number of ownerships, with the lines that the caller"
    " may see; reportJob tells how far it is, behaviourReportResult and behaviourReportFile what came of it",
)
async def behaviour_report_start(info: Info, input: BehaviourReportStartInput) -> ReportStartPayload:  # noqa: A002
    report_id = await start_behaviour(
        info.actor,
        wish_of(input.report),
        time_zone=info.time_zone,
        currency=info.currency,
        today=info.today,
        clock=info.clock,
    )
    return ReportStartPayload.of(report_id)


@query(
    requires="behaviour:read",
    description="What a worker made for behaviourReportStart; only whoever asked for it reads it, and only while they"
    " still see everybody whom it tells of",
)
async def behaviour_report_result(info: Info, report: ReportId, first: First, after: After = None) -> BehaviourReport:
    page = page_of("behaviourReportResult", first=first, after=after)
    found = await read_behaviour(
        info.actor,
        info.rights,
        report_id_of(report),
        after=page.after_place,
        lines=page.size + 1,
        returns=RETURNS_MAX,
    )
    begins = page.after_place + 1
    rows, page_info = page.cut(list(enumerate(found.lines, begins)), lambda row: str(row[0]))
    names = await names_for(info.actor, info.rights, found)
    writing = Writing(info.room(Catalogue), info.locale, info.currency, names)
    return shown_report(found, ([line for _, line in rows], page_info), writing)


@query(
    requires="behaviour:read",
    description="The same as a file in the caller's language; who had it made stands in the audit trail",
)
async def behaviour_report_file(info: Info, report: ReportId, file_format: WantedFormat) -> BehaviourFile:
    wanted = FileFormat[file_format.name]
    found = await export_stored_behaviour(
        info.actor, info.rights, report_id_of(report), wanted=wanted, clock=info.clock
    )
    return await written_file(info, found, wanted)
