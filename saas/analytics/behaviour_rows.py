"""The behaviour report as rows with columns that never change, and as files: one row a line and measure."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from saas.access import AccessTable
from saas.analytics.behaviour import Compared, Grouping, Line, Return, Unit
from saas.analytics.behaviour_queries import FileFormat, ShownBehaviour
from saas.exchange import Table, TableCell, csv_of, write_workbook
from saas.kernel import Actor, Catalogue, Money, minor_digits, public_id
from saas.people import ReadableName, find_readable_departments, find_readable_names

BEHAVIOUR_COLUMNS = (
    "id",
    "name",
    "number",
    "people",
    "measure",
    "title",
    "unit",
    "value",
    "sample",
    "comparison",
    "comparison_sample",
    "difference",
    "median",
    "median_people",
)
RETURN_COLUMNS = (
    "kind",
    "customer",
    "former",
    "former_name",
    "receiver",
    "receiver_name",
    "through",
    "ended_on",
    "end_kind",
    "received_on",
    "start_kind",
    "days",
)
_NOBODY = ReadableName(None)


@dataclass(frozen=True, slots=True)
class Writing:
    """What rows are written with: the language, the currency, and names as far as the caller may read them."""

    catalogue: Catalogue
    locale: str
    currency: str
    names: Mapping[UUID, ReadableName]

    def column(self, key: str) -> str:
        """The heading of a column in the reader's language."""
        return self.catalogue.text(self.locale, f"analytics.behaviour_column_{key}")

    def measure(self, key: str) -> str:
        """The title of a measure."""
        return self.catalogue.text(self.locale, f"analytics.behaviour_{key}")

    def unit(self, unit: Unit) -> str:
        """How a unit is called; amounts name the currency."""
        if unit is Unit.AMOUNT:
            return self.currency
        return self.catalogue.text(self.locale, f"analytics.behaviour_unit_{unit.value}")

    def number(self, value: Decimal | None, unit: Unit) -> Decimal | None:
        """A figure as it is shown: an amount in the main unit, with the digits of its currency."""
        if value is None or unit is not Unit.AMOUNT:
            return value
        return Money.of_minor(int(value), self.currency).amount.quantize(
            Decimal(1).scaleb(-minor_digits(self.currency))
        )


async def names_for(actor: Actor, access: AccessTable, report: ShownBehaviour) -> dict[UUID, ReadableName]:
    """The names that rows of the report show, as far as the caller may read them."""
    people = {each for found in report.returns for each in (found.former_id, found.receiver_id, *found.through)}
    subjects = {line.id for line in report.lines if line.id is not None}
    if report.wish.grouping is Grouping.DEPARTMENT:
        departments = await find_readable_departments(actor, access, subjects)
        return {**await find_readable_names(actor, access, people), **departments}
    return await find_readable_names(actor, access, people | subjects)


def rows_of(lines: Sequence[Line], grouping: Grouping, writing: Writing) -> Iterator[tuple[TableCell, ...]]:
    """The rows of lines, a cell for each of `BEHAVIOUR_COLUMNS`."""
    for line in lines:
        name = writing.names.get(line.id, _NOBODY) if line.id is not None else _NOBODY
        subject = (_public(line.id, grouping), name.name, name.number, line.people)
        for figure in line.figures:
            yield (*subject, *_cells(figure, writing))


def _public(id_: UUID | None, grouping: Grouping) -> str | None:
    if id_ is None:
        return None
    return public_id("dep" if grouping is Grouping.DEPARTMENT else "emp", id_)


def _cells(figure: Compared, writing: Writing) -> tuple[TableCell, ...]:
    measure = figure.measure
    return (
        measure.key,
        writing.measure(measure.key),
        writing.unit(measure.unit),
        writing.number(figure.value, measure.unit),
        figure.sample,
        writing.number(figure.before, measure.unit),
        figure.sample_before,
        writing.number(figure.difference, measure.unit),
        writing.number(figure.median, measure.unit),
        figure.people,
    )


def file_of(report: ShownBehaviour, writing: Writing, wanted: FileFormat) -> bytes:
    """The whole report as a file."""
    headers = [writing.column(each) for each in BEHAVIOUR_COLUMNS]
    whole = Table(writing.column("sheet"), headers, rows_of(report.lines, report.wish.grouping, writing))
    if wanted is FileFormat.CSV:
        return csv_of(whole)
    titles = [writing.column(each) for each in RETURN_COLUMNS]
    back = Table(writing.column("returns"), titles, (_return_cells(each, writing) for each in report.returns))
    target = io.BytesIO()
    write_workbook(target, [whole, back])
    return target.getvalue()


def _return_cells(each: Return, writing: Writing) -> tuple[TableCell, ...]:
    names = writing.names
    through = ", ".join(names.get(person, _NOBODY).name or public_id("emp", person) for person in each.through)
    return (
        each.kind.value,
        public_id("cus", each.customer_id),
        public_id("emp", each.former_id),
        names.get(each.former_id, _NOBODY).name,
        public_id("emp", each.receiver_id),
        names.get(each.receiver_id, _NOBODY).name,
        through or None,
        each.ended_on,
        each.end_kind,
        each.received_on,
        each.start_kind,
        each.days,
    )
