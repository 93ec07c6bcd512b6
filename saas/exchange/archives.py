"""What an XLSX file is made of, looked at before anything is unpacked from it: sizes, ratios, damage, traps.

The reader behind this lays a sheet out as a full rectangle and shows errors and uncomputed formulas as empty cells.
So the sheets' XML is scanned first, in blocks: how far the rectangle would reach, and which cells hold no value.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from saas.exchange.cells import ERROR_SHOWN, UNCOMPUTED_SHOWN
from saas.exchange.errors import FileRefused, FileTooLarge

ROWS_MAX = 1_048_576
"""Rows of a sheet in Excel (its published specification)."""

_ENTRIES_MAX = 2_000
_UNPACKED_MAX = 512 << 20
_RATIO_MAX = 200
_RATIO_FREE = 1 << 20
_CELLS_MAX = 4_000_000
_BROKEN_MAX = 10_000
_BLOCK = 1 << 20
_OVERLAP = 1 << 10

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PARTS = re.compile(r"xl/worksheets/[^/]+\.xml")
_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*?\br=[\"'](\d+)[\"']")
_COLUMN = re.compile(rb"\br=[\"']([A-Z]{1,3})\d")
_ERROR = re.compile(rb"<(?:\w+:)?c\s[^>]*?\bt=[\"']e[\"'][^>]*>")
_UNCOMPUTED = re.compile(rb"<(?:\w+:)?c\s[^>]*><(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)</(?:\w+:)?c>")
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})(\d{1,7})[\"']")

_BrokenCells = dict[int, dict[int, str]]


@dataclass(frozen=True, slots=True)
class SheetScan:
    """What the XML of one sheet shows: the rectangle's edges, and cells without a value, by row and column from 1."""

    rows: int
    columns: int
    broken: Mapping[int, Mapping[int, str]]


def check_not_old_excel(head: bytes) -> None:
    """:raises FileRefused: an .xls file, or an encrypted workbook: both come in the same old container."""
    if head.startswith(_OLE):
        raise FileRefused("exchange.old_excel_or_encrypted")


def scan_archive(file: BinaryIO) -> Mapping[str, SheetScan]:
    """Check the archive whole and scan its sheets, by the name of their part (``xl/worksheets/sheet1.xml``).

    :raises FileRefused: damaged, cut short, encrypted, or no workbook.
    :raises FileTooLarge: it would unpack to more than is taken, or a sheet reaches too far.
    """
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_directory(entries)
            return {entry.filename: _scanned(archive, entry) for entry in entries if _is_read(archive, entry)}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError):
        raise FileRefused("exchange.archive_broken") from None


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    names = {entry.filename for entry in entries}
    if len(entries) > _ENTRIES_MAX or len(names) != len(entries):
        raise FileRefused("exchange.archive_broken")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise FileRefused("exchange.old_excel_or_encrypted")
    if "xl/workbook.xml" not in names:
        raise FileRefused("exchange.not_a_workbook")
    unpacked = sum(entry.file_size for entry in entries)
    dense = any(entry.file_size > max(_RATIO_FREE, entry.compress_size * _RATIO_MAX) for entry in entries)
    if unpacked > _UNPACKED_MAX or dense:
        raise FileTooLarge("exchange.unpacks_too_large", {"megabytes": unpacked >> 20, "most": _UNPACKED_MAX >> 20})


def _is_read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether it is a sheet; any other part is read through, so that damage in it is found here."""
    if _PARTS.fullmatch(entry.filename):
        return True
    for _ in _blocks(archive, entry):
        pass
    return False


def _blocks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Blocks of the entry; no more than its directory says ever leaves the archive, and its checksum must fit."""
    with archive.open(entry) as part:
        while block := part.read(_BLOCK):
            yield block


def _scanned(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> SheetScan:
    broken: _BrokenCells = {}
    rows, columns, tail = 0, 0, b""
    for block in _blocks(archive, entry):
        text = tail + block
        rows = max(rows, max(map(int, _ROW.findall(text)), default=0))
        columns = max(columns, max(map(_column_number, set(_COLUMN.findall(text))), default=0))
        _note_broken(text, broken)
        tail = text[-_OVERLAP:]
        _check_reach(rows, columns)
    return SheetScan(rows, columns, broken)


def _check_reach(rows: int, columns: int) -> None:
    if rows > ROWS_MAX:
        raise FileTooLarge("exchange.too_many_rows", {"most": ROWS_MAX})
    if rows * columns > _CELLS_MAX:
        raise FileTooLarge("exchange.too_many_cells", {"rows": rows, "columns": columns, "most": _CELLS_MAX})


def _note_broken(text: bytes, broken: _BrokenCells) -> None:
    for what, pattern in ((ERROR_SHOWN, _ERROR), (UNCOMPUTED_SHOWN, _UNCOMPUTED)):
        for found in pattern.finditer(text):
            place = _PLACE.search(found[0])
            if place is not None:
                broken.setdefault(int(place[2]), {})[_column_number(place[1])] = what
    count = sum(map(len, broken.values()))
    if count > _BROKEN_MAX:
        raise FileRefused("exchange.too_many_broken_cells", {"count": count, "most": _BROKEN_MAX})


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
