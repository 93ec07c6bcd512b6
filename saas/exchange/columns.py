"""Columns of a kind of import, and which column of a sheet is which of them.

A mapping is proposed from the headers, in either language; a remembered one comes before any proposal, and people
may correct both. What no column of the kind takes is listed as ignored, never silently dropped.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import Enum
from typing import Protocol, runtime_checkable

from saas.exchange.cells import Cell, Parser, Value, as_text, check_cell, folded
from saas.exchange.errors import CellRefused, MappingRefused, SheetRefused
from saas.reads.mapping import DataClass

ERROR_TITLES: Mapping[str, str] = {"zh-CN": "错误原因", "en": "Error"}
"""The last column of an error file; a sheet that is uploaded again may still have it."""

_BRACKETS = re.compile(r"[(\[【「《](.*?)[)\]】」》]")
_NOISE = re.compile(r"[\s*_:：\-/\\.·]+")
_CLOSE_ENOUGH = 0.8
_SENSITIVE = frozenset({DataClass.PERSONAL, DataClass.PAY, DataClass.SECRET})


@runtime_checkable
class UnitAware(Protocol):
    """A parser that reads figures otherwise below a header with a unit, as 金额（万元）."""

    def under(self, unit: str) -> Parser: ...


@runtime_checkable
class CurrencyAware(Protocol):
    """A parser of amounts, which are in the company's currency."""

    def in_currency(self, currency: str) -> Parser: ...


def _itself(value: Value) -> Value:
    return value


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """One value of a row.

    `title` is its header by locale, `synonyms` are other headers that mean the same, in any language. `required`:
    a row without it is refused. `unique`: two rows of a file may not both have one value of it, where `sameness` says
    what makes two values one (a name without its spaces, say). `is_name`: other rows may call the record by it, as
    long as no second row has the value. Values of a personal or pay `data_class` are masked wherever they are shown.
    """

    key: str
    title: Mapping[str, str]
    parser: Parser
    synonyms: tuple[str, ...] = ()
    required: bool = False
    unique: bool = False
    sameness: Callable[[Value], Value] = _itself
    is_name: bool = False
    data_class: DataClass = DataClass.INTERNAL

    @property
    def is_sensitive(self) -> bool:
        """Whether its values are shown masked."""
        return self.data_class in _SENSITIVE

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that a header may call it."""
        return (*self.title.values(), *self.synonyms, self.key)

    def in_currency(self, currency: str) -> ImportColumn:
        """The column of a company that reckons in `currency` (ISO 4217)."""
        parser = self.parser
        return replace(self, parser=parser.in_currency(currency)) if isinstance(parser, CurrencyAware) else self

    def under(self, *units: str) -> ImportColumn:
        """The column below a title and a header that name units (单位：万元, 金额（元）); the last one rules.

        :raises CellRefused: a unit contradicts the column, as another currency does.
        """
        parser = self.parser
        for unit in filter(None, units):
            parser = parser.under(unit) if isinstance(parser, UnitAware) else parser
        return replace(self, parser=parser)

    def parse(self, cell: Cell) -> Value:
        """The cell's value; None where it is empty.

        :raises CellRefused: the value can't be taken, or is missing and required.
        """
        checked = check_cell(cell)
        if checked is None and self.required:
            raise CellRefused("exchange.value_missing")
        return None if checked is None else self.parser(checked)


class MatchedBy(Enum):
    """Why a header was taken for a column."""

    TITLE = "title"
    CLOSENESS = "closeness"
    MEMORY = "memory"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class MappedHeader:
    """A column of the sheet: its place (0 is A), its header, and the kind's column it is taken for, if any."""

    place: int
    header: str
    key: str | None = None
    matched_by: MatchedBy | None = None

    @property
    def unit(self) -> str:
        """What its header has in brackets, as 元 in 金额（元）."""
        found = _BRACKETS.search(unicodedata.normalize("NFKC", self.header))
        return found[1].strip() if found else ""


def column_letters(place: int) -> str:
    """What a spreadsheet calls the column: 0 is A, 26 is AA."""
    letters, rest = "", place + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


def normalised(header: str) -> str:
    """A header without brackets, asterisks, spaces and case: 客户名称 * and 客户名称（必填） are the same."""
    text = folded(header)
    bare = _NOISE.sub("", _BRACKETS.sub("", text))
    return bare or _NOISE.sub("", text)


def fingerprint(headers: Iterable[MappedHeader]) -> str:
    """What a remembered mapping belongs to: the headers in their order, whatever their case and spaces."""
    joined = "\x1f".join(folded(each.header) for each in headers)
    return hashlib.sha256(joined.encode()).hexdigest()


def read_headers(cells: Sequence[Cell]) -> tuple[MappedHeader, ...]:
    """The headers of a sheet; columns without one, and the error column of a former upload, are left out.

    :raises SheetRefused: two columns have one header; names both.
    """
    found: dict[str, MappedHeader] = {}
    ignored = {normalised(title) for title in ERROR_TITLES.values()}
    for place, cell in enumerate(cells):
        header = folded_header(cell)
        name = folded(header)
        if not name or normalised(header) in ignored:
            continue
        if name in found:
            first, second = column_letters(found[name].place), column_letters(place)
            raise SheetRefused("exchange.header_twice", {"header": header[:60], "first": first, "second": second})
        found[name] = MappedHeader(place, header)
    return tuple(found.values())


def folded_header(cell: Cell) -> str:
    """A header in one line, at most 200 characters of it."""
    return " ".join(as_text(cell).split())[:200]


def recognised(cells: Sequence[Cell], columns: Sequence[ImportColumn]) -> set[str]:
    """The keys of those columns whose name stands in the row: how much of a header it is."""
    by_name = _by_name(columns)
    return {by_name[name] for name in (normalised(folded_header(cell)) for cell in cells) if name in by_name}


def _by_name(columns: Sequence[ImportColumn]) -> dict[str, str]:
    """Names to keys; a title wins over another column's synonym."""
    names = {normalised(name): column.key for column in columns for name in column.names}
    return names | {normalised(title): column.key for column in columns for title in column.title.values()}


def propose(headers: Sequence[MappedHeader], columns: Sequence[ImportColumn]) -> tuple[MappedHeader, ...]:
    """Each header with the column it means: by title or synonym, and what is left by closeness; each column once."""
    by_name = _by_name(columns)
    taken: dict[int, tuple[str, MatchedBy]] = {}
    for header in headers:
        key = by_name.get(normalised(header.header))
        if key is not None and key not in {key for key, _ in taken.values()}:
            taken[header.place] = (key, MatchedBy.TITLE)
    for _, place, key in sorted(_close_pairs(headers, columns), reverse=True):
        if place not in taken and key not in {key for key, _ in taken.values()}:
            taken[place] = (key, MatchedBy.CLOSENESS)
    return tuple(MappedHeader(each.place, each.header, *taken.get(each.place, (None, None))) for each in headers)


def _close_pairs(headers: Sequence[MappedHeader], columns: Sequence[ImportColumn]) -> Iterable[tuple[float, int, str]]:
    for header in headers:
        name = normalised(header.header)
        for column in columns:
            nearness = max(SequenceMatcher(None, name, normalised(other)).ratio() for other in column.names)
            if nearness >= _CLOSE_ENOUGH:
                yield nearness, header.place, column.key


def apply_mapping(
    headers: Sequence[MappedHeader],
    columns: Sequence[ImportColumn],
    chosen: Mapping[str, str | None],
    *,
    matched_by: MatchedBy = MatchedBy.PERSON,
) -> tuple[MappedHeader, ...]:
    """The mapping with what somebody chose: header → column key, or None to ignore it; other headers stay.

    :raises MappingRefused: an unknown header or key, or a column that two headers would give.
    """
    known, by_header = {column.key for column in columns}, {folded(header): key for header, key in chosen.items()}
    names = {folded(each.header) for each in headers}
    for header, key in chosen.items():
        if folded(header) not in names:
            raise MappingRefused("exchange.header_unknown", {"header": header[:60]})
        if key is not None and key not in known:
            raise MappingRefused("exchange.column_unknown", {"column": key[:60], "known": ", ".join(sorted(known))})
    claimed = {key for key in by_header.values() if key is not None}
    mapped = tuple(_chosen(each, by_header, claimed, matched_by) for each in headers)
    keys = [each.key for each in mapped if each.key is not None]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise MappingRefused("exchange.column_twice", {"column": twice})
    return mapped


def _chosen(
    header: MappedHeader, by_header: Mapping[str, str | None], claimed: set[str], matched_by: MatchedBy
) -> MappedHeader:
    """What was chosen for the header; a proposal gives way where its column was chosen for another one."""
    name = folded(header.header)
    if name not in by_header:
        return MappedHeader(header.place, header.header) if header.key in claimed else header
    key = by_header[name]
    return MappedHeader(header.place, header.header, key, matched_by if key else None)


def columns_by_place(
    mapped: Sequence[MappedHeader], columns: Sequence[ImportColumn], *, unit: str, locale: str, currency: str = "CNY"
) -> dict[int, ImportColumn]:
    """Which column of the kind each place of a row gives, read below its units; `unit` is that of the sheet's title.

    Amounts are in `currency`, the company's.

    :raises MappingRefused: a required column is not mapped; names those that lack.
    :raises CellRefused: a header's unit contradicts its column, as another currency does.
    """
    keys = {each.key for each in mapped}
    lacking = [column.title[locale] for column in columns if column.required and column.key not in keys]
    if lacking:
        raise MappingRefused("exchange.columns_lacking", {"columns": "、".join(lacking)})
    by_key = {column.key: column for column in columns}
    return {each.place: by_key[each.key].in_currency(currency).under(unit, each.unit) for each in mapped if each.key}
