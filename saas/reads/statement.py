"""One SQL statement in the making: its parameters, the holes in its text, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from saas.kernel import AppError
from saas.reads.arguments import Source
from saas.reads.contract import ReadError
from saas.reads.documents import Project
from saas.reads.kinds import quote
from saas.reads.mapping import Sealed, SealedDocument

_MARK = re.compile("\x02(\\d+)\x02")
_MOST_ARGUMENTS = 90
"""concat() takes 100; beyond that calls are nested."""

HOLE = "\x01"
"""Stands round a hole in the JSON text. JSON never holds it raw (to_json escapes it), so holes can't be forged."""


class Text(NamedTuple):
    """A piece of JSON text known at compile time."""

    text: str


class Sql(NamedTuple):
    """An SQL expression that yields a piece of JSON text, never NULL; `parts` where it only joins others."""

    sql: str
    parts: tuple[Piece, ...] = ()


Piece: TypeAlias = Text | Sql
NULL = Text("null")


@dataclass(frozen=True, slots=True)
class At:
    """A place in the answer: response keys from the root field down, and how many of them stand above any list."""

    keys: tuple[str, ...]
    listed: int | None = None

    def down(self, key: str) -> At:
        """One response key further."""
        return At((*self.keys, key), self.listed)

    def into_list(self) -> At:
        """Into the items of the list that stands here."""
        return self if self.listed is not None else At(self.keys, len(self.keys))

    @property
    def path(self) -> tuple[str, ...]:
        """The path to report: down to the first list, since one report stands for all of its items."""
        return self.keys[: self.listed]


@dataclass(frozen=True, slots=True)
class SealedSlot:
    """A hole that a sealed value falls into: the text itself, or what `project` takes out of a document."""

    type_name: str
    table: str
    field: Sealed | SealedDocument
    project: Project | None = None


@dataclass(frozen=True, slots=True)
class RefusedSlot:
    """A hole that marks a field refused in this row."""

    error: ReadError


@dataclass(frozen=True, slots=True)
class ViewedSlot:
    """A hole that marks a row whose reading by id is counted, and leaves nothing."""

    type_name: str


Slot = SealedSlot | RefusedSlot | ViewedSlot


class Parameter(NamedTuple):
    """One parameter: its source, and the field whose argument it comes from (None: not from an argument)."""

    source: Source
    keys: tuple[str, ...] | None


class Mark(NamedTuple):
    """How many errors, holes and parameters there were."""

    errors: int
    slots: int
    parameters: int


@dataclass(slots=True)
class Statement:
    """Collects what the pieces of one statement share. Parameters that end up unused are dropped by `finish`."""

    parameters: list[Parameter] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    errors: list[ReadError] = field(default_factory=list)
    needs_keys: bool = False
    _named: dict[Hashable, str] = field(default_factory=dict)
    _aliases: int = 0

    def parameter(self, source: Source, sql_type: str, *, at: At | None = None, name: Hashable | None = None) -> str:
        """SQL text of a parameter; one with a `name` is shared by all who use the name."""
        if name is not None and name in self._named:
            return self._named[name]
        self.parameters.append(Parameter(source, at.keys if at else None))
        text = f"\x02{len(self.parameters) - 1}\x02::{sql_type}"
        if name is not None:
            self._named[name] = text
        return text

    def alias(self) -> str:
        """A table alias that nothing else in the statement has."""
        self._aliases += 1
        return f"a{self._aliases}"

    def mark(self) -> Mark:
        """How far the statement has come, to take back what follows."""
        return Mark(len(self.errors), len(self.slots), len(self.parameters))

    def take_back(self, mark: Mark) -> None:
        """Forget errors, holes and arguments since the mark; parameters keep their numbers, and `finish` drops them."""
        del self.errors[mark.errors :]
        del self.slots[mark.slots :]
        self.parameters[mark.parameters :] = [item._replace(keys=None) for item in self.parameters[mark.parameters :]]

    def slot(self, slot: Slot) -> int:
        """The number of a new hole."""
        self.slots.append(slot)
        self.needs_keys |= isinstance(slot, SealedSlot)
        return len(self.slots) - 1

    def report(self, error: AppError, at: At, *, field: str | None = None) -> None:
        """Note that the field at a place is refused, or failed by its arguments."""
        self.errors.append(read_error(error, at, field=field))

    def finish(self, sql: str) -> tuple[str, tuple[Parameter, ...], tuple[Parameter, ...]]:
        """The SQL with numbered parameters, those parameters in order, and the arguments that it has no use for."""
        order: dict[int, int] = {}

        def number(match: re.Match[str]) -> str:
            return f"${order.setdefault(int(match[1]), len(order) + 1)}"

        numbered = _MARK.sub(number, sql)
        unsent = (item for index, item in enumerate(self.parameters) if index not in order and item.keys is not None)
        return numbered, tuple(self.parameters[index] for index in order), tuple(unsent)


def read_error(error: AppError, at: At, *, field: str | None = None) -> ReadError:
    """An error of the answer; ``args.selection`` is the whole way of response keys, through lists as well."""
    return ReadError(error.code, error.key, {**error.values, "selection": ".".join(at.keys)}, at.path, field)


def json_object(members: Sequence[tuple[str, Piece]]) -> Piece:
    """A JSON object of response keys and values."""
    pieces: list[Piece] = []
    for index, (key, value) in enumerate(members):
        pieces += [Text(f'{"{" if index == 0 else ","}"{key}":'), value]
    return join([*pieces, Text("}")] if members else [Text("{}")])


def join(pieces: Sequence[Piece]) -> Piece:
    """Pieces one after another, as one concat (nested where they are many)."""
    merged: list[Piece] = []
    flat = (part for piece in pieces for part in (piece.parts if isinstance(piece, Sql) and piece.parts else (piece,)))
    for piece in flat:
        if isinstance(piece, Text) and merged and isinstance(merged[-1], Text):
            merged[-1] = Text(merged[-1].text + piece.text)
        elif piece != Text(""):
            merged.append(piece)
    if not merged:
        return Text("")
    if len(merged) == 1:
        return merged[0]
    arguments = [sql_of(piece) for piece in merged]
    while len(arguments) > _MOST_ARGUMENTS:
        groups = range(0, len(arguments), _MOST_ARGUMENTS)
        arguments = [f"concat({', '.join(arguments[start : start + _MOST_ARGUMENTS])})" for start in groups]
    return Sql(f"concat({', '.join(arguments)})", tuple(merged))


def sql_of(piece: Piece) -> str:
    """The piece as an SQL expression."""
    return quote(piece.text) if isinstance(piece, Text) else piece.sql
