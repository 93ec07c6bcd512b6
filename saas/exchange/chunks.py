"""A thousand rows as they are kept between upload and commit: compressed, and sealed as personal data.

Sheets hold telephone numbers and worse in clear; so their rows lie in the database as one sealed value per chunk.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from saas.exchange.cells import Broken, Cell
from saas.exchange.kinds import Applied
from saas.exchange.sheets import SheetRow
from saas.sealing import Keyring, Place

_LEVEL = 1
_OWN_TAGS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_TAGS: tuple[tuple[str, type, Callable[[Any], str], Callable[[str], Cell]], ...] = (
    ("n", Decimal, str, Decimal),
    ("m", datetime, datetime.isoformat, datetime.fromisoformat),
    ("d", date, date.isoformat, date.fromisoformat),
    ("t", time, time.isoformat, time.fromisoformat),
    ("b", Broken, lambda cell: str(cell.what), Broken),
)
"""Kinds of cells that JSON lacks, each with its tag; a moment is a date too, so it comes first."""

_READERS = {tag: read for tag, _, _, read in _TAGS}


@dataclass(frozen=True, slots=True)
class Chunk:
    """The sealer of one chunk's columns."""

    keyring: Keyring
    chunk_id: UUID

    def seal_rows(self, rows: Iterable[SheetRow]) -> bytes:
        """Rows as they stand in the file."""
        plain = [[row.number, row.cells] for row in rows]
        return self._seal("content", orjson.dumps(plain, default=_tagged, option=_OWN_TAGS))

    def open_rows(self, sealed: bytes) -> list[SheetRow]:
        """What `seal_rows` took."""
        return [
            SheetRow(number, [_untagged(plain) if isinstance(plain, dict) else plain for plain in cells])
            for number, cells in self._open("content", sealed)
        ]

    def seal_undo(self, applied: Sequence[Applied]) -> bytes:
        """What will take the chunk back."""
        plain = [[each.number, each.object_id and each.object_id.hex, dict(each.undo)] for each in applied]
        return self._seal("undo", orjson.dumps(plain))

    def open_undo(self, sealed: bytes) -> list[Applied]:
        """What `seal_undo` took."""
        return [
            Applied(number, UUID(hex=object_id) if object_id else None, undo)
            for number, object_id, undo in self._open("undo", sealed)
        ]

    def _seal(self, column: str, plain: bytes) -> bytes:
        packed = zlib.compress(plain, _LEVEL)
        return self.keyring.seal("personal", self._place(column), base64.b64encode(packed).decode("ascii"))

    def _open(self, column: str, sealed: bytes) -> Any:
        packed = base64.b64decode(self.keyring.open(self._place(column), sealed))
        return orjson.loads(zlib.decompress(packed))

    def _place(self, column: str) -> Place:
        return Place(table="import_chunk", column=column, row_id=self.chunk_id)


def _tagged(cell: Cell) -> object:
    return next({tag: write(cell)} for tag, kind, write, _ in _TAGS if isinstance(cell, kind))


def _untagged(plain: Mapping[str, str]) -> Cell:
    ((tag, text),) = plain.items()
    return _READERS[tag](text)
