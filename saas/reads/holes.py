"""Sealed values in finished text: the SQL leaves holes, one pass over the bytes fills them.

A hole is ``\\x01<slot>\\x01`` (a field refused in this row) or ``\\x01<slot>:<row id>:<sealed bytes in hex>\\x01`` (a
value to open; without bytes, a row whose reading is counted). Raw \\x01 can't occur in JSON text, since to_json escapes
it, so no stored text can forge one; nothing is parsed or built again, which keeps sealed values at the speed of plain
ones plus their decryption. Only when a hole becomes an error is the text parsed, once more, to find the error's place.
"""

from __future__ import annotations

import re
import secrets
from binascii import unhexlify
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace as with_changes
from itertools import count
from uuid import UUID

import orjson

from saas.kernel import AppError, ErrorCode
from saas.reads.contract import Opened, OpenRow, ReadError, ReadResult, Viewed
from saas.reads.statement import RefusedSlot, SealedSlot, Slot, ViewedSlot

_HOLE = re.compile(rb"\x01(\d+)(?::([0-9a-f]{32}):([0-9a-f]*))?\x01")

Fill = Callable[[bytes, OpenRow | None, ReadResult, tuple[str | int, ...]], bytes]


def filler(slots: Sequence[Slot]) -> Fill:
    """The function that fills the holes of one plan's answers."""
    table = tuple(slots)

    def fill(text: bytes, open_row: OpenRow | None, result: ReadResult, path: tuple[str | int, ...]) -> bytes:
        failed: dict[int, ReadError] = {}
        holes = count()

        def replace(match: re.Match[bytes]) -> bytes:
            ordinal, slot = next(holes), table[int(match[1])]
            if isinstance(slot, RefusedSlot):
                failed[ordinal] = slot.error
                return b"null"
            row_id = UUID(bytes=unhexlify(match[2]))
            if isinstance(slot, ViewedSlot):
                result.viewed.append(Viewed(slot.type_name, row_id))
                return b""
            value = _open(slot, row_id, unhexlify(match[3]), open_row)
            if value is None:
                failed[ordinal] = _unopenable(slot)
                return b"null"
            result.opened.append(Opened(slot.type_name, slot.field.name, row_id))
            return orjson.dumps(value if slot.project is None else slot.project(orjson.loads(value)))

        filled = _HOLE.sub(replace, text)
        if failed:
            result.errors.extend(_located(text, table, failed, path))
        return filled

    return fill


def _open(slot: SealedSlot, row_id: UUID, sealed: bytes, open_row: OpenRow | None) -> str | None:
    """The value; None where it can't be opened, whose reason is the sealing room's to log, not the caller's to see."""
    if open_row is None:
        raise RuntimeError("a plan with sealed values ran without keys")
    try:
        return open_row(slot.field.data_class.value, slot.table, slot.field.sealed_column, row_id, sealed)
    except AppError:
        return None


def _unopenable(slot: SealedSlot) -> ReadError:
    name = f"{slot.type_name}.{slot.field.name}"
    return ReadError(ErrorCode.INTERNAL, "reads.value_unopenable", {"field": name}, (), name)


def _located(
    text: bytes, table: Sequence[Slot], failed: Mapping[int, ReadError], path: tuple[str | int, ...]
) -> Iterator[ReadError]:
    """The errors with the exact places of their holes, list positions included.

    Holes that failed become marks that nobody can have stored (they carry a fresh random word); then the text is
    parsed and walked.
    """
    word = secrets.token_hex(16)
    holes = count()

    def mark(match: re.Match[bytes]) -> bytes:
        ordinal = next(holes)
        if isinstance(table[int(match[1])], ViewedSlot):
            return b""
        return f'"{word}{ordinal}"'.encode() if ordinal in failed else b"0"

    for place, value in _strings(orjson.loads(_HOLE.sub(mark, text)), path):
        if value.startswith(word):
            yield with_changes(failed[int(value[len(word) :])], path=place)


def _strings(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _strings(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _strings(part, (*path, index))
