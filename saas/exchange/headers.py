"""Where in a sheet the header and the rows are: below titles and blank lines, without total rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from saas.exchange.cells import Cell, as_text, folded
from saas.exchange.columns import ImportColumn, MappedHeader, read_headers, recognised
from saas.exchange.errors import CellRefused, SheetRefused
from saas.exchange.figures import Amount
from saas.exchange.sheets import SheetRow

_SEARCHED = 50
"""Rows among which the header is looked for."""

_UNIT = re.compile(r"单位\s*:\s*(?:人民币\s*)?([千万亿]?元)")
_TOTAL = re.compile(r"(?:本页|本月|全部)?(?:合计|总计|小计|共计|累计)|(?:grand |sub)?-?totals?|sum")
_TOTAL_TAIL = re.compile(r"[\s::]*[\d,.]*\s*[元条笔家行人个]?")


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet as a table: the kind whose columns fit best, the header's row and headers, and the rows below.

    `unit` is what a title above says of all amounts, as 万元 in 单位：万元.
    """

    kind: str
    header_row: int
    headers: tuple[MappedHeader, ...]
    unit: str
    rows: Iterator[SheetRow]


def find_table(
    rows: Iterator[SheetRow], kinds: Mapping[str, Sequence[ImportColumn]], *, named: str | None = None
) -> Table:
    """The row among the first fifty that names most columns of one of `kinds`; blank rows below it are left out.

    Of equal rows the upper counts, of equal kinds the one that has all its required columns, then the first. The kind
    that the sheet is `named` for comes before all others where the sheet has all its required columns.

    :raises SheetRefused: no row names any column, or two columns have one header.
    """
    first = list(islice(rows, _SEARCHED))
    if all(row.is_blank for row in first):
        raise SheetRefused("exchange.sheet_empty")
    best = max(_scored(first, kinds, named), default=None)
    if best is None:
        titles = "、".join(column.title["zh-CN"] for columns in kinds.values() for column in columns[:6])
        raise SheetRefused("exchange.header_missing", {"searched": _SEARCHED, "columns": titles[:200]})
    place, order = -best[3], -best[4]
    header, below = first[place], chain(first[place + 1 :], rows)
    return Table(
        kind=list(kinds)[order],
        header_row=header.number,
        headers=read_headers(header.cells),
        unit=_unit_of_titles(first[:place]),
        rows=(row for row in below if not row.is_blank),
    )


def _unit_of_titles(rows: Sequence[SheetRow]) -> str:
    cells = (folded(as_text(cell)) for row in rows for cell in row.cells)
    return next((found[1] for found in map(_UNIT.search, cells) if found), "")


def _scored(
    first: Sequence[SheetRow], kinds: Mapping[str, Sequence[ImportColumn]], named: str | None
) -> Iterator[tuple[bool, int, bool, int, int]]:
    """Whether it is named so, columns named, whether all required ones are, minus the row's and the kind's place."""
    for place, row in enumerate(first):
        for order, (kind, columns) in enumerate(kinds.items()):
            keys = recognised(row.cells, columns)
            if keys:
                is_whole = all(column.key in keys for column in columns if column.required)
                yield is_whole and kind == named, len(keys), is_whole, -place, -order


def is_total(row: SheetRow) -> bool:
    """Whether the row sums up those above: it begins with such a word, and all else in it are figures.

    A customer that is called Total and has a town is not one.
    """
    filled = (cell for cell in row.cells if cell is not None and folded(as_text(cell)))
    first = next(filled, None)
    if not isinstance(first, str):
        return False
    word = folded(first)
    found = _TOTAL.match(word)
    return bool(found and _TOTAL_TAIL.fullmatch(word[found.end() :])) and all(map(_is_figure, filled))


def _is_figure(cell: Cell) -> bool:
    try:
        Amount(integer_digits=20)(cell if not isinstance(cell, str) else re.sub(r"[条笔家行人个%]$", "", cell.strip()))
    except CellRefused as refused:
        return refused.key in {"exchange.too_many_decimals", "exchange.other_currency"}
    return True
