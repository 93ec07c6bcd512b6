"""Reports as files that spreadsheets open: XLSX, and CSV in UTF-8 with its mark, as Excel needs it for Chinese.

Numbers stay numbers with the digits that they have; a text is never taken for a formula, whatever it begins with.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any, BinaryIO, TypeAlias

import xlsxwriter

from saas.exchange.error_files import STARTS_FORMULA, shown_text

TableCell: TypeAlias = str | Decimal | int | date | None
_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet: its name (at most 31 characters, none of ``[]:*?/\\``), headers, and rows of as many cells."""

    name: str
    headers: Sequence[str]
    rows: Iterable[Sequence[TableCell]]


def write_workbook(target: BinaryIO, tables: Iterable[Table]) -> None:
    """Tables as the sheets of a workbook, row by row; none is held."""
    with xlsxwriter.Workbook(target, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        formats = _Formats(book)
        for table in tables:
            page = book.add_worksheet(table.name)
            page.freeze_panes(1, 0)
            at = 0
            for at, cells in enumerate(chain([table.headers], table.rows)):
                for place, cell in enumerate(cells):
                    formats.write(page, at, place, cell)
            page.autofilter(0, 0, at, len(table.headers) - 1)


class _Formats:
    """Cell formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._quoted = book.add_format({"quote_prefix": True})
        self._digits: dict[int, Any] = {}

    def write(self, page: Any, row: int, place: int, cell: TableCell) -> None:
        match cell:
            case None:
                pass
            case str():
                text = shown_text(cell)
                page.write_string(row, place, text, self._quoted if text.startswith(STARTS_FORMULA) else None)
            case date():
                page.write_datetime(row, place, cell)
            case _:
                page.write_number(row, place, cell, self._of_digits(_digits(cell)))

    def _of_digits(self, digits: int) -> Any:
        if digits not in self._digits:
            pattern = "0." + "0" * digits if digits else "0"
            self._digits[digits] = self._book.add_format({"num_format": pattern})
        return self._digits[digits]


def _digits(number: Decimal | int) -> int:
    exponent = number.as_tuple().exponent if isinstance(number, Decimal) else 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def csv_of(table: Table) -> bytes:
    """A table as CSV: UTF-8 with its mark, lines end with CR LF (RFC 4180)."""
    target = io.StringIO(newline="")
    target.write(_MARK)
    writer = csv.writer(target)
    writer.writerow([_defused(each) for each in table.headers])
    writer.writerows([_defused(each) for each in row] for row in table.rows)
    return target.getvalue().encode()


def _defused(cell: TableCell) -> str:
    """A text that begins as a formula does stands behind an apostrophe: CSV has no other way to say that it is one."""
    plain = plain_cell(cell)
    return f"'{plain}" if isinstance(cell, str) and plain.startswith(STARTS_FORMULA) else plain


def plain_cell(cell: TableCell) -> str:
    """A cell as a text of its own; what is empty is an empty one."""
    match cell:
        case None:
            return ""
        case str():
            return shown_text(cell)
        case date():
            return cell.isoformat()
        case Decimal():
            return format(cell, "f")
        case _:
            return str(cell)
