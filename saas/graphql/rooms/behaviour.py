"""The behaviour report of people who hold customers: as lines, as rows and as files (docs/behaviour.md)."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Annotated

import strawberry

from saas.analytics import (
    BEHAVIOUR_COLUMNS,
    Compared,
    FileFormat,
    Grouping,
    Return,
    ShownBehaviour,
    Unit,
    Writing,
    export_behaviour,
    file_of,
    names_for,
    report_behaviour,
    rows_of,
)
from saas.analytics import (
    BehaviourLine as Line,
)
from saas.exchange import TableCell, plain_cell
from saas.graphql.fields import Info, query
from saas.graphql.payloads import Ref, mapped
from saas.graphql.render import PageInfo
from saas.graphql.render_inputs import described_enum
from saas.graphql.rooms.behaviour_inputs import Wished, wish_of
from saas.graphql.rooms.plain_pages import After, First, Page, page_of
from saas.kernel import Catalogue

RETURNS_MAX = 100

BehaviourUnit = described_enum(
    "BehaviourUnit",
    "What a figure is. Since 0.1.",
    {
        "SHARE": "A part of 1, four digits. Since 0.1.",
        "DAYS": "Days. Since 0.1.",
        "HOURS": "Hours, two digits. Since 0.1.",
        "COUNT": "A number. Since 0.1.",
        "AMOUNT": "An amount in the report's currency. Since 0.1.",
    },
)
BehaviourFileFormat = described_enum(
    "BehaviourFileFormat",
    "A file of the behaviour report. Since 0.1.",
    {
        "XLSX": "A workbook; the returns stand on its second sheet. Since 0.1.",
        "CSV": "The report alone, in UTF-8 with its mark, as Excel opens it. Since 0.1.",
    },
)
WantedFormat = Annotated[
    Enum,
    strawberry.argument(name="format", description="Which file. Since 0.1.", graphql_type=BehaviourFileFormat),
]
ReturnTo = described_enum(
    "CustomerReturnTo",
    "To whom a customer came back. Since 0.1.",
    {
        "PERSON": "The former owner. Since 0.1.",
        "DEPARTMENT": "Somebody of the former owner's department, after people of others had it. Since 0.1.",
    },
)


@strawberry.type(description="A measure beside the other period and the group. Since 0.1.")
class BehaviourFigure:
    """Null is nothing to be told: no case, no other period, or a group of fewer than five."""

    measure: str = strawberry.field(description="The measure's key, which never changes. Since 0.1.")
    title: str = strawberry.field(description="Its title in the caller's language. Since 0.1.")
    unit: Enum = strawberry.field(description="What the figure is. Since 0.1.", graphql_type=BehaviourUnit)
    value: Decimal | None = strawberry.field(description="The figure of the period. Since 0.1.")
    sample: int = strawberry.field(description="How many cases it stands on. Since 0.1.")
    comparison: Decimal | None = strawberry.field(description="The same of the other period. Since 0.1.")
    comparison_sample: int = strawberry.field(description="How many cases that stands on. Since 0.1.")
    difference: Decimal | None = strawberry.field(description="The period's less the other's. Since 0.1.")
    median: Decimal | None = strawberry.field(
        description="The median of the people of the group; null where fewer than five have a figure. Since 0.1."
    )
    median_people: int = strawberry.field(description="How many people of the group have a figure. Since 0.1.")


@strawberry.type(description="The figures of a person, a department or all. Since 0.1.")
class BehaviourLine:
    """All measures, in their order."""

    employee: Ref | None = mapped("Employee", description="The person, of a person's line. Since 0.1.")
    department: Ref | None = mapped("Department", description="The department, of a department's line. Since 0.1.")
    group: Ref | None = mapped(
        "Department",
        description="Whose people the medians are of, those below included: the nearest department at or above with "
        "five people in the report; null: all. Since 0.1.",
    )
    people: int = strawberry.field(description="Of how many people it is. Since 0.1.", default=0)
    figures: list[BehaviourFigure] = strawberry.field(
        description="The measures, at most 100. Since 0.1.", default_factory=list
    )


@strawberry.type(description="A customer that came back to whoever had had it (回流). Since 0.1.")
class CustomerReturn:
    """Inside twice the cooldown of the pool."""

    to: Enum = strawberry.field(description="To whom. Since 0.1.", graphql_type=ReturnTo)
    customer: Ref | None = mapped("Customer", description="The customer, where the caller may see it. Since 0.1.")
    former_owner: Ref | None = mapped("Employee", description="Who had it before. Since 0.1.")
    receiver: Ref | None = mapped("Employee", description="Who has got it. Since 0.1.")
    through: list[Ref] = mapped(
        "Employee", description="Who held it meanwhile, in order, at most 100. Since 0.1.", many=True
    )
    ended_on: date | None = strawberry.field(description="The former ownership's last day. Since 0.1.", default=None)
    received_on: date | None = strawberry.field(description="The new one's first day. Since 0.1.", default=None)
    days: int = strawberry.field(description="Days between them. Since 0.1.", default=0)


@strawberry.type(description="A column of the report's rows. Since 0.1.")
class BehaviourColumn:
    """In the order of the cells."""

    key: str = strawberry.field(description="Its key, which never changes. Since 0.1.")
    title: str = strawberry.field(description="Its heading in the caller's language. Since 0.1.")


@strawberry.type(description="A row: one line's one measure. Since 0.1.")
class BehaviourRow:
    """As a spreadsheet takes it."""

    cells: list[str] = strawberry.field(
        description="A text for each column, empty where there is nothing; at most 20. Since 0.1."
    )


@strawberry.type(description="How people used what they held. Since 0.1.")
class BehaviourReport:
    """Each sees the lines of whom they see the ownerships."""

    first: date = strawberry.field(description="The period's first day. Since 0.1.")
    last: date = strawberry.field(description="The period's last day. Since 0.1.")
    comparison_first: date | None = strawberry.field(description="The other period's first day. Since 0.1.")
    comparison_last: date | None = strawberry.field(description="The other period's last day. Since 0.1.")
    currency: str = strawberry.field(description="The currency of amounts (ISO 4217). Since 0.1.")
    people_count: int = strawberry.field(description="How many people there are in the report, seen or not. Since 0.1.")
    line_count: int = strawberry.field(description="How many lines the caller may see. Since 0.1.")
    lines: list[BehaviourLine] = strawberry.field(
        description="The page's lines, by id, at most 100. A department's line, and that of all, is shown to who may "
        "see everybody in it. Since 0.1."
    )
    page_info: PageInfo = strawberry.field(description="Where the page of lines stands. Since 0.1.")
    columns: list[BehaviourColumn] = strawberry.field(description="The columns of rows, at most 20. Since 0.1.")
    rows: list[BehaviourRow] = strawberry.field(
        description="The page's lines as rows, one a measure, at most 10000. Since 0.1."
    )
    return_count: int = strawberry.field(
        description="How many customers came back to people that the caller may see. Since 0.1."
    )
    returns: list[CustomerReturn] = strawberry.field(
        description="Those, the newest first, at most 100; the file has more. Since 0.1."
    )


@strawberry.type(description="The behaviour report as a file. Since 0.1.")
class BehaviourFile:
    """All lines that the caller may see."""

    file_name: str = strawberry.field(description="A name for the file. Since 0.1.")
    content: str = strawberry.field(description="The file's bytes in base64. Since 0.1.")


@query(
    requires="behaviour:read",
    description="How people used what they held: new customers against old, hoarding, rhythm, response, conversion and "
    "holdings, beside another period and the group's median. Each sees the lines of whom they see the ownerships."
    " behaviourReportStart has a worker make it of any size",
)
async def behaviour_report(info: Info, wished: Wished, first: First, after: After = None) -> BehaviourReport:
    page = page_of("behaviourReport", first=first, after=after)
    report = await report_behaviour(
        info.actor, info.rights, wish_of(wished), time_zone=info.time_zone, currency=info.currency, today=info.today
    )
    names = await names_for(info.actor, info.rights, report)
    writing = Writing(info.room(Catalogue), info.locale, info.currency, names)
    return shown_report(report, page_in(report, page), writing)


@query(
    requires="behaviour:read",
    description="The behaviour report as a file in the caller's language, with all lines that they may see; who had it "
    "made stands in the audit trail",
)
async def behaviour_file(
    info: Info,
    wished: Wished,
    file_format: WantedFormat,
) -> BehaviourFile:
    wanted, wish = FileFormat[file_format.name], wish_of(wished)
    report = await export_behaviour(
        info.actor,
        info.rights,
        wish,
        wanted=wanted,
        time_zone=info.time_zone,
        currency=info.currency,
        today=info.today,
        clock=info.clock,
    )
    return await written_file(info, report, wanted)


def page_in(report: ShownBehaviour, page: Page) -> tuple[Sequence[Line], PageInfo]:
    """The page's lines of a report that has all, and where it stands."""
    later = [
        line for line in report.lines if page.after_id is None or (line.id is not None and line.id > page.after_id)
    ]
    return page.cut(later[: page.size + 1], lambda line: "" if line.id is None else line.id.hex)


def shown_report(report: ShownBehaviour, page: tuple[Sequence[Line], PageInfo], writing: Writing) -> BehaviourReport:
    """A report with a page of its lines."""
    wish, (shown, page_info) = report.wish, page
    return BehaviourReport(
        first=wish.period.first,
        last=wish.last,
        comparison_first=None if wish.other is None else wish.other.first,
        comparison_last=None if wish.other is None else wish.other.last,
        currency=writing.currency,
        people_count=report.people,
        line_count=report.line_count,
        lines=[_line(line, wish.grouping, writing) for line in shown],
        page_info=page_info,
        columns=[BehaviourColumn(key=key, title=writing.column(key)) for key in BEHAVIOUR_COLUMNS],
        rows=[_row(cells) for cells in rows_of(shown, wish.grouping, writing)],
        return_count=report.return_count,
        returns=[_return(each) for each in report.returns[:RETURNS_MAX]],
    )


async def written_file(info: Info, report: ShownBehaviour, wanted: FileFormat) -> BehaviourFile:
    """A report as a file, in the caller's language."""
    names, wish = await names_for(info.actor, info.rights, report), report.wish
    writing = Writing(info.room(Catalogue), info.locale, info.currency, names)
    content = await asyncio.to_thread(partial(file_of, report, writing, wanted))
    name = f"behaviour-{wish.period.first}-{wish.period.last}.{wanted.value}"
    return BehaviourFile(file_name=name, content=b64encode(content).decode())


def _row(cells: tuple[TableCell, ...]) -> BehaviourRow:
    return BehaviourRow(cells=[plain_cell(each) for each in cells])


def _line(line: Line, grouping: Grouping, writing: Writing) -> BehaviourLine:
    of_person, of_department = (grouping is each for each in (Grouping.PERSON, Grouping.DEPARTMENT))
    return BehaviourLine(
        employee=Ref("Employee", line.id) if of_person and line.id is not None else None,
        department=Ref("Department", line.id) if of_department and line.id is not None else None,
        group=None if line.group_id is None else Ref("Department", line.group_id),
        people=line.people,
        figures=[_figure(each, writing) for each in line.figures],
    )


def _figure(figure: Compared, writing: Writing) -> BehaviourFigure:
    unit: Unit = figure.measure.unit
    return BehaviourFigure(
        measure=figure.measure.key,
        title=writing.measure(figure.measure.key),
        unit=BehaviourUnit[unit.name],
        value=writing.number(figure.value, unit),
        sample=figure.sample,
        comparison=writing.number(figure.before, unit),
        comparison_sample=figure.sample_before,
        difference=writing.number(figure.difference, unit),
        median=writing.number(figure.median, unit),
        median_people=figure.people,
    )


def _return(each: Return) -> CustomerReturn:
    return CustomerReturn(
        to=ReturnTo[each.kind.name],
        customer=Ref("Customer", each.customer_id),
        former_owner=Ref("Employee", each.former_id),
        receiver=Ref("Employee", each.receiver_id),
        through=[Ref("Employee", person) for person in each.through[:RETURNS_MAX]],
        ended_on=each.ended_on,
        received_on=each.received_on,
        days=each.days,
    )
