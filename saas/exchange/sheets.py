"""From a file to rows of cells, whatever it is: `open_sheets`. Nothing here knows what the columns mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath
from typing import BinaryIO

from saas.exchange.archives import ROWS_MAX, check_not_old_excel
from saas.exchange.cells import Cell
from saas.exchange.errors import FileRefused, FileTooLarge
from saas.exchange.text_files import TextEncoding, detect_encoding, records
from saas.exchange.workbooks import Workbook

FILE_MAX = 100 << 20
"""Bytes of an uploaded file."""

_ZIP = b"PK\x03\x04"
_OTHER_FORMATS = (b"%PDF", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")
_MARKUP = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head")


class FileFormat(Enum):
    """What an uploaded file is, by its content; its name decides nothing."""

    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row as it stands: its number in the file, from 1 and as Excel counts, and its cells from column A."""

    number: int
    cells: list[Cell]

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands in it."""
        return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in self.cells)


class Sheets:
    """The sheets of an open file by name; a CSV file is one sheet that is called as the file is.

    Rows are read as they are asked for; one sheet at a time. The memory that a CSV takes does not grow with it. A
    workbook's sheet is held while its rows are read, at most four million cells of it.
    """

    def __init__(
        self, file: BinaryIO, *, filename: str, encoding: TextEncoding | None, workbook: Workbook | None
    ) -> None:
        self._file, self._encoding, self._workbook = file, encoding, workbook
        self.format = FileFormat.CSV if workbook is None else FileFormat.XLSX
        self.encoding = encoding.name if encoding else None
        self.names = workbook.sheets if workbook else (PurePath(filename).stem or filename,)

    def rows(self, name: str) -> Iterator[SheetRow]:
        """The rows of a sheet, blank ones too, in the file's order.

        :raises FileTooLarge: more than 1,048,576 rows.
        :raises FileRefused: damage that shows only while reading.
        """
        for number, cells in enumerate(self._cells(name), start=1):
            if number > ROWS_MAX:
                raise FileTooLarge("exchange.too_many_rows", {"most": ROWS_MAX})
            yield SheetRow(number, cells)

    def _cells(self, name: str) -> Iterator[list[Cell]]:
        if self._workbook is not None:
            yield from self._workbook.rows(name)
        elif self._encoding is not None:
            for record in records(self._file, self._encoding):
                yield [cell or None for cell in record]


@contextmanager
def open_sheets(source: Path | BinaryIO, *, filename: str) -> Iterator[Sheets]:
    """The sheets of an XLSX or CSV file, told apart by their content; a binary file stays open afterwards.

    :raises FileRefused: empty, damaged, encrypted, of another format (.xls among them), in an unknown encoding.
    :raises FileTooLarge: more than 100 MB, or a workbook that would unpack to more than is taken.
    """
    if isinstance(source, Path):
        with source.open("rb") as file, open_sheets(file, filename=filename) as sheets:
            yield sheets
        return
    head = _checked_head(source)
    workbook = Workbook(source) if head.startswith(_ZIP) else None
    try:
        encoding = None if workbook else detect_encoding(source)
        yield Sheets(source, filename=filename, encoding=encoding, workbook=workbook)
    finally:
        if workbook is not None:
            workbook.close()


def _checked_head(file: BinaryIO) -> bytes:
    size = file.seek(0, 2)
    if size > FILE_MAX:
        raise FileTooLarge("exchange.file_too_large", {"megabytes": size >> 20, "most": FILE_MAX >> 20})
    file.seek(0)
    head = file.read(512)
    if not head.strip():
        raise FileRefused("exchange.file_empty")
    check_not_old_excel(head)
    if head.startswith(_OTHER_FORMATS) or head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP):
        raise FileRefused("exchange.not_a_sheet")
    return head
