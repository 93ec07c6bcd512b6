"""Recipes: how the files of a folder, as another product exports them, become one workbook of our kinds.

A recipe is data, a JSON file; the code here knows no product. Values are copied, replaced, put together or counted
on; nothing is invented but what the recipe itself states as a constant.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import xlsxwriter

from saas.exchange.cells import as_text
from saas.exchange.errors import FileRefused, RecipeRefused
from saas.exchange.kinds import Kinds
from saas.exchange.sheets import open_sheets
from saas.kernel import rounded

MAPPINGS = Path(__file__).parent / "mappings"
"""The recipes that come with the product."""

Record = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a column's value comes from: one of a header, a template of headers, a constant, or the next row.

    `replace` maps whole values to others, `round_to` cuts a figure to decimals (half up). `next_of` takes the header's
    value from the next row of the file that agrees in those headers: a period that ends where the next one begins.
    """

    header: str | None = None
    template: str | None = None
    constant: str | None = None
    replace: Mapping[str, str] = field(default_factory=dict)
    round_to: int | None = None
    next_of: tuple[str, ...] = ()

    @property
    def name_of_next(self) -> str:
        """Under which name a row holds the next row's value."""
        return f"next {self.header} of {self.next_of}"

    @property
    def headers(self) -> list[str]:
        """The headers it needs."""
        parts = string.Formatter().parse(self.template or "")
        return [*filter(None, [self.header]), *self.next_of, *(name for _, name, _, _ in parts if name)]

    def of(self, record: Record) -> str | None:
        """The value for a row; None where anything that it needs is empty."""
        if self.constant is not None:
            return self.constant
        if any(not record[header] for header in self.headers):
            return None
        value = self.template.format_map(record) if self.template is not None else record[self._name]
        if not value:
            return None
        value = self.replace.get(value, value)
        return value if self.round_to is None else self._cut(value)

    @property
    def _name(self) -> str:
        return self.name_of_next if self.next_of else self.header or ""

    def _cut(self, value: str) -> str:
        try:
            return format(rounded(Decimal(value), self.round_to or 0), "f")
        except InvalidOperation:
            return value  # the preview will say what is wrong with it, in its row


@dataclass(frozen=True, slots=True)
class RecipeSheet:
    """A sheet of the workbook: rows of `kind` from a file, those that have one of the values of `where` ("*" for any
    value at all), each combination of `distinct` once."""

    kind: str
    file: str
    columns: Mapping[str, Source]
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    distinct: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to make of a folder."""

    title: str
    sheets: tuple[RecipeSheet, ...]


def load_recipe(place: str) -> Recipe:
    """The recipe of that name that comes with the product, or in that JSON file.

    :raises RecipeRefused: there is none, or it is malformed; names what is wrong.
    """
    path = MAPPINGS / f"{place}.json" if place.isidentifier() else Path(place)
    try:
        plain = orjson.loads(path.read_bytes())
        sheets = tuple(_sheet(each) for each in plain["sheets"])
        return Recipe(str(plain["title"]), sheets)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        known = ", ".join(sorted(each.stem for each in MAPPINGS.glob("*.json")))
        raise RecipeRefused(
            "exchange.recipe_unusable", {"place": place, "reason": str(error), "known": known}
        ) from None


def _sheet(plain: Mapping[str, Any]) -> RecipeSheet:
    where = {name: ("*",) if value == "*" else tuple(value) for name, value in plain.get("where", {}).items()}
    columns = {key: _source(value) for key, value in plain["columns"].items()}
    return RecipeSheet(plain["kind"], plain["file"], columns, where, tuple(plain.get("distinct", ())))


def _source(plain: str | Mapping[str, Any]) -> Source:
    if isinstance(plain, str):
        return Source(header=plain)
    known = {"from", "template", "constant", "replace", "round", "next_of"}
    if set(plain) - known or not {"from", "template", "constant"} & set(plain):
        raise ValueError(f"a column is one of from, template, constant, not {sorted(plain)}")
    return Source(
        header=plain.get("from"),
        template=plain.get("template"),
        constant=plain.get("constant"),
        replace=plain.get("replace", {}),
        round_to=plain.get("round"),
        next_of=tuple(plain.get("next_of", ())),
    )


def cook(recipe: Recipe, folder: Path, target: BinaryIO, *, kinds: Kinds, locale: str) -> None:
    """Write the workbook that a recipe makes of a folder's files.

    :raises FileRefused, FileTooLarge: a file is missing, or can't be read.
    :raises RecipeRefused: a file lacks a header that the recipe needs, or a kind has no such column.
    :raises KindUnknown: no such kind is installed.
    """
    with xlsxwriter.Workbook(target, {"constant_memory": True}) as book:
        for number, sheet in enumerate(recipe.sheets):
            kind = kinds.get(sheet.kind)
            titles = {column.key: column.title[locale] for column in kind.columns}
            unknown = next((key for key in sheet.columns if key not in titles), None)
            if unknown is not None:
                raise RecipeRefused("exchange.recipe_column", {"kind": sheet.kind, "column": unknown})
            is_again = any(each.kind == sheet.kind for each in recipe.sheets[:number])
            page = book.add_worksheet(f"{kind.title[locale]} {number + 1}" if is_again else kind.title[locale])
            page.write_row(0, 0, [titles[key] for key in sheet.columns])
            for place, values in enumerate(_rows(sheet, folder), start=1):
                for column, value in enumerate(values):
                    if value is not None:
                        page.write_string(place, column, value)


def _rows(sheet: RecipeSheet, folder: Path) -> Iterator[list[str | None]]:
    seen: set[tuple[str, ...]] = set()
    for record in _records(sheet, folder):
        if not all(_fits(record[name], values) for name, values in sheet.where.items()):
            continue
        mark = tuple(record[name] for name in sheet.distinct)
        if mark and mark in seen:
            continue
        seen.add(mark)
        yield [source.of(record) for source in sheet.columns.values()]


def _fits(value: str, wanted: Sequence[str]) -> bool:
    return bool(value) if tuple(wanted) == ("*",) else value in wanted


def _records(sheet: RecipeSheet, folder: Path) -> Iterator[Record]:
    """The file's rows by header; where a column needs the next row, all of the file is held."""
    path = folder / sheet.file
    if not path.is_file():
        raise FileRefused("exchange.recipe_file_missing", {"file": sheet.file, "folder": str(folder)})
    with open_sheets(path, filename=sheet.file) as sheets:
        rows = (row.cells for row in sheets.rows(sheets.names[0]) if not row.is_blank)
        headers = [as_text(cell).strip() for cell in next(rows, [])]
        _check_headers(sheet, headers)
        records = ({name: _text(cells, place) for place, name in enumerate(headers)} for cells in rows)
        looking_on = [source for source in sheet.columns.values() if source.next_of]
        yield from _with_next(list(records), looking_on) if looking_on else records


def _with_next(records: Sequence[dict[str, str]], looking_on: Sequence[Source]) -> Sequence[Record]:
    """The rows with what the next of their group has, under the name that `Source.of` looks for."""
    for source in looking_on:
        behind: dict[tuple[str, ...], str] = {}
        for record in reversed(records):
            group = tuple(record[name] for name in source.next_of)
            record[source.name_of_next] = behind.get(group, "")
            behind[group] = record[source.header or ""]
    return records


def _check_headers(sheet: RecipeSheet, headers: Sequence[str]) -> None:
    needed = {*sheet.where, *sheet.distinct, *(name for source in sheet.columns.values() for name in source.headers)}
    lacking = sorted(needed - set(headers))
    if lacking:
        raise RecipeRefused("exchange.recipe_headers", {"file": sheet.file, "headers": ", ".join(lacking)})


def _text(cells: Sequence[Any], place: int) -> str:
    return as_text(cells[place]).strip() if place < len(cells) else ""
