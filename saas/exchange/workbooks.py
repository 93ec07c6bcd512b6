"""XLSX workbooks: their visible sheets and the rows of each, with exact numbers in place of floats."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import BinaryIO
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from saas.exchange.archives import SheetScan, scan_archive
from saas.exchange.cells import Broken, Cell
from saas.exchange.errors import FileRefused

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_LINK_ID = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}id",
)


class Workbook:
    """An XLSX file that passed the checks of its archive."""

    def __init__(self, file: BinaryIO) -> None:
        """:raises FileRefused, FileTooLarge: see `scan_archive`; or the workbook's own parts don't fit together."""
        scans = scan_archive(file)
        self._scans = {name: scans[part] for name, part in _parts_by_sheet(file).items() if part in scans}
        file.seek(0)
        try:
            self._book = CalamineWorkbook.from_filelike(file)
        except CalamineError:
            raise FileRefused("exchange.archive_broken") from None
        self.sheets = tuple(
            sheet.name
            for sheet in self._book.sheets_metadata
            if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible
        )

    def rows(self, sheet: str) -> Iterator[list[Cell]]:
        """The rows of a sheet from the first on, empty ones too; a list begins with column A."""
        scan = self._scans.get(sheet, SheetScan(0, 0, {}))
        try:
            found = self._book.get_sheet_by_name(sheet)
        except CalamineError:
            raise FileRefused("exchange.archive_broken") from None
        before: list[Cell] = [None] * (found.start[1] if found.start else 0)
        number = 0
        for number, row in enumerate(found.iter_rows() if found.start else (), start=1):
            cells = before + [_cell(raw) for raw in row]
            yield _with_broken(cells, scan.broken[number]) if number in scan.broken else cells
        for behind in range(number + 1, max(scan.broken, default=0) + 1):  # the reader ends with the last value
            yield _with_broken([], scan.broken.get(behind, {}))

    def close(self) -> None:
        """Let go of what the workbook holds; the file stays open."""
        self._book.close()


def _cell(raw: object) -> Cell:
    match raw:
        case "" | None:
            return None
        case bool() | str() | datetime() | date() | time():
            return raw
        case float() | int():
            return Decimal(format(raw, ".15g"))  # Excel shows 15 digits: behind them the binary form begins to speak
        case _:
            return str(raw)


def _with_broken(cells: list[Cell], broken: Mapping[int, str]) -> list[Cell]:
    cells += [None] * (max(broken, default=0) - len(cells))
    for column, what in broken.items():
        cells[column - 1] = Broken(what)
    return cells


def _parts_by_sheet(file: BinaryIO) -> dict[str, str]:
    """Which part of the archive holds which sheet (ECMA-376 part 1, 18.2.19)."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 (entities are not resolved)
            links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (ElementTree.ParseError, KeyError, zipfile.BadZipFile):
        raise FileRefused("exchange.archive_broken") from None
    targets = {link.get("Id"): _part_name(link.get("Target", "")) for link in links}
    sheets = [*book.iter(f"{_MAIN}sheet"), *book.iter(f"{_STRICT}sheet")]
    return {sheet.get("name", ""): targets.get(_link(sheet), "") for sheet in sheets}


def _part_name(target: str) -> str:
    return target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))


def _link(sheet: ElementTree.Element) -> str | None:
    return next((sheet.get(name) for name in _LINK_ID if sheet.get(name)), None)
