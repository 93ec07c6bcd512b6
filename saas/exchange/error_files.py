"""The error file: the sheets as they were uploaded, only the failed rows, and a last column that says why.

It can be corrected and uploaded again: headers, order and values are those of the upload, and the last column is
left out when it is read. Nothing in it is a formula, whatever it begins with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a program that opens a sheet take a text for a formula."""


class ErrorFile:
    """A workbook that is written to `target` row by row; none is held. Close it, or use it in a ``with`` block."""

    def __init__(self, target: BinaryIO, *, locale: str) -> None:
        self._book = xlsxwriter.Workbook(target, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._time = self._book.add_format({"num_format": "hh:mm:ss"})
        self._error_title = ERROR_TITLES[locale]
        self._used: set[str] = set()
        self._page: Any = None
        self._places: tuple[int, ...] = ()
        self._row = 0

    def __enter__(self) -> ErrorFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def begin_sheet(self, name: str, headers: Sequence[MappedHeader]) -> None:
        """A sheet with the headers at their places and the error column behind the last; its rows follow."""
        self._page = self._book.add_worksheet(self._sheet_name(name))
        self._places = tuple(header.place for header in headers)
        self._row = 0
        for header in headers:
            self._write(header.place, header.header)
        self._write(self._last, self._error_title)

    def add_row(self, cells: Sequence[Cell], *, why: str) -> None:
        """A failed row, its cells from column A; columns without a header are left out."""
        self._row += 1
        for place in self._places:
            self._write(place, cells[place] if place < len(cells) else None)
        self._write(self._last, why)

    @property
    def _last(self) -> int:
        return max(self._places, default=-1) + 1

    def _sheet_name(self, wanted: str) -> str:
        """A name that a workbook takes, once."""
        number = len(self._used) + 1
        name = _NOT_IN_NAMES.sub("_", wanted)[:_NAME_MAX] or str(number)
        if name.lower() in self._used:
            name = f"{name[: _NAME_MAX - 4]} {number}"
        self._used.add(name.lower())
        return name

    def _write(self, place: int, cell: Cell) -> None:
        page, row = self._page, self._row
        match cell:
            case None:
                pass
            case str() | Broken():
                self._write_text(place, cell.what if isinstance(cell, Broken) else cell)
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

    def _write_text(self, place: int, text: str) -> None:
        """A text cell; one that begins as a formula does is marked as text, as if typed behind an apostrophe."""
        clean = shown_text(text)
        self._page.write_string(self._row, place, clean, self._quoted if clean.startswith(STARTS_FORMULA) else None)


def shown_text(text: str) -> str:
    """The part of a text that a cell can hold."""
    return _SURROGATES.sub("\ufffd", text)[:_TEXT_MAX]
