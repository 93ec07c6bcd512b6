"""The error file: the sheets as they were uploaded, only the failed rows, and a last column that says why.

It can be corrected and uploaded again: headers, order and values are those of the upload, and the last column is
left out when it is read. Nothing in it is a formula, whatever it begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, BinaryIO

import xlsxwriter

from saas.exchange.cells import Broken, Cell
from saas.exchange.columns import ERROR_TITLES, MappedHeader

_NAME_MAX = 31
_TEXT_MAX = 32_767
"""Characters of a sheet's name and of a cell (Excel's published specification)."""

_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]|^'|'$")
_SURROGATES = re.compile("[\ud800-\udfff]")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row's cells from column A, and why it failed, in the reader's language."""

    cells: Sequence[Cell]
    why: str


@dataclass(frozen=True, slots=True)
class FailedSheet:
    """A sheet's headers at their places, and its failed rows in the order of the file."""

    name: str
    headers: Sequence[MappedHeader]
    rows: Iterable[FailedRow]


def write_error_file(target: BinaryIO, sheets: Iterable[FailedSheet], *, locale: str) -> None:
    """Write a workbook with a sheet per given one; rows are written as they come, none is held."""
    with xlsxwriter.Workbook(target, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        writer = _Writer(book)
        for name, sheet in _with_names(sheets):
            writer.write(book.add_worksheet(name), sheet, ERROR_TITLES[locale])


def _with_names(sheets: Iterable[FailedSheet]) -> Iterator[tuple[str, FailedSheet]]:
    """Each sheet with a name that a workbook may hold, once."""
    used: set[str] = set()
    for number, sheet in enumerate(sheets, start=1):
        name = _NOT_IN_NAMES.sub("_", sheet.name)[:_NAME_MAX] or str(number)
        if name.lower() in used:
            name = f"{name[: _NAME_MAX - 4]} {number}"
        used.add(name.lower())
        yield name, sheet


class _Writer:
    """Writes cells with the formats of one workbook."""

    def __init__(self, book: Any) -> None:
        self._quoted = book.add_format({"quote_prefix": True})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._time = book.add_format({"num_format": "hh:mm:ss"})

    def write(self, page: Any, sheet: FailedSheet, error_title: str) -> None:
        last = 0
        for header in sheet.headers:
            self._cell(page, 0, header.place, header.header)
            last = max(last, header.place + 1)
        self._cell(page, 0, last, error_title)
        for number, row in enumerate(sheet.rows, start=1):
            for header in sheet.headers:
                self._cell(page, number, header.place, row.cells[header.place : header.place + 1])
            self._cell(page, number, last, row.why)

    def _cell(self, page: Any, row: int, place: int, cell: Cell | Sequence[Cell]) -> None:
        match cell:
            case [] | None:
                pass
            case [one]:
                self._cell(page, row, place, one)
            case str() | Broken():
                self._text(page, row, place, cell.what if isinstance(cell, Broken) else cell)
            case bool():
                page.write_boolean(row, place, cell)
            case Decimal():
                page.write_number(row, place, cell)
            case datetime():
                page.write_datetime(row, place, cell, self._moment)
            case date():
                page.write_datetime(row, place, cell)
            case time():
                page.write_datetime(row, place, cell, self._time)

    def _text(self, page: Any, row: int, place: int, text: str) -> None:
        """A text cell; one that begins as a formula does is marked as text, as if typed behind an apostrophe."""
        clean = _SURROGATES.sub("\ufffd", text)[:_TEXT_MAX]
        page.write_string(row, place, clean, self._quoted if clean.startswith(_STARTS_FORMULA) else None)
