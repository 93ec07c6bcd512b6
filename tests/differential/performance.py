"""The real run: resolvers over rows in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from graphql import GraphQLResolveInfo

from saas.reads.mapping import (
    Column,
    EnumKind,
    Expression,
    FieldMapping,
    GroupRoot,
    ListRoot,
    ReadType,
    ScalarKind,
    Sealed,
    ToMany,
    ToOne,
    ToUnion,
)
from saas.reads.naming import PAGE_INFO, summed_columns
from tests.differential.checks import Checks
from tests.differential.judgement import Refused, Row
from tests.differential.lists import Grouping, Page, id_of, split_id, summed

CURSOR = "cursor at "
"""Before a row's id: stands for the cursor of that row."""


@dataclass(frozen=True)
class Found:
    """A visible row, as an object of its type."""

    read_type: ReadType
    row: Row


@dataclass(frozen=True)
class Edge:
    found: Found


@dataclass(frozen=True)
class Aggregated:
    """Rows behind a summary."""

    read_type: ReadType
    rows: Sequence[Row]


@dataclass(frozen=True)
class Numbers:
    """One column of rows that are aggregated."""

    read_type: ReadType
    column: Column
    rows: Sequence[Row]


@dataclass(frozen=True)
class Groups:
    grouping: Grouping


@dataclass(frozen=True)
class Group:
    grouping: Grouping
    key: Any
    rows: Sequence[Row]


@dataclass(frozen=True)
class Opening:
    """A sealed field of a row."""

    found: Found
    field: Sealed


class Performance(Checks):
    """Every field over the rows."""

    def resolve(self, source: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        """The field's value, or what refuses it."""
        name = info.field_name
        match source:
            case Found():
                return self._of_row(source, name, given)
            case Page():
                return self._of_page(source, name)
            case Edge():
                return source.found if name == "node" else CURSOR + source.found.row["id"].hex
            case Opening():
                return self._of_sealed(source, name)
            case Aggregated():
                return self._of_summary(source, name)
            case Numbers():
                return self._of_numbers(source, name)
            case Groups():
                return self._of_groups(source, name)
            case Group():
                return self._of_group(source, name)
            case dict():
                assert info.parent_type.name == PAGE_INFO
                return source[name]
            case _:
                return self._root(name, given)

    def _root(self, name: str, given: Mapping[str, Any]) -> Any:
        if name == "node":
            return self._find(self.type_of(given["id"]), split_id(given["id"])[1])
        if name == "nodes":
            types = self.types_of(given["ids"])
            return [self._find(item, split_id(text)[1]) for item, text in zip(types, given["ids"], strict=True)]
        root = self.world.registry.roots_by_name[name]
        read_type = self.world.registry.types[root.target]
        if isinstance(root, GroupRoot):
            grouping = Grouping(self.arguments(read_type, given))
            grouping.check()
            return Groups(grouping)
        if isinstance(root, ListRoot):
            connection = self.root_list(root, given)
            connection.check()
            return connection.page(lambda row: True)
        return self._find(read_type, id_of(given["id"], read_type.prefix))

    def _find(self, read_type: ReadType, row_id: Any) -> Found | None:
        row = self.world.by_id(read_type, row_id)
        return None if row is None else Found(read_type, row)

    def _of_row(self, found: Found, name: str, given: Mapping[str, Any]) -> Any:
        read_type, row = found.read_type, found.row
        if name == "id":
            return f"{read_type.prefix}_{row['id'].hex}"
        of = self.world.registry.field(read_type.name, name)
        assert of is not None
        self.check_field(read_type, of)
        connection = self.children(read_type, of, given) if isinstance(of, ToMany) else None
        if connection is not None:
            connection.check()
        if not self.world.shown_in(read_type, of, row):
            raise Refused("FIELD_FORBIDDEN", f"{read_type.name}.{name}", of_row=True)
        if connection is not None and isinstance(of, ToMany):
            column = of.foreign_column
            return connection.page(lambda child: bool(child[column] == row["id"]))
        return self._value(found, of)

    def _value(self, found: Found, of: FieldMapping) -> Any:
        row, types = found.row, self.world.registry.types
        match of:
            case Column():
                return printed(row[of.column], of.kind)
            case Expression():
                compute = self.world.semantics.expressions[f"{found.read_type.name}.{of.name}"]
                return printed(compute(self.world, row), of.kind)
            case Sealed():
                return None if row[of.masked_column] is None else Opening(found, of)
            case ToOne():
                return self._find(types[of.target], row[of.column])
            case ToUnion():
                named = row[of.type_column]
                return self._find(types[named], row[of.id_column]) if named in of.targets else None
            case _:
                raise TypeError(f"no value: {of}")

    def _of_sealed(self, opening: Opening, name: str) -> Any:
        found, of = opening.found, opening.field
        if name == "masked":
            return found.row[of.masked_column]
        self.check_value(found.read_type, of)
        if not self.world.readable_in(found.read_type, of, found.row):
            raise Refused("FIELD_FORBIDDEN", f"{found.read_type.name}.{of.name}", of_row=True)
        text = self.world.semantics.open(found.read_type, of, found.row)
        if text is None:
            raise Refused("INTERNAL", f"{found.read_type.name}.{of.name}", of_row=True)
        self.world.opened.add((found.read_type.name, of.name, found.row["id"]))
        return text

    def _of_page(self, page: Page, name: str) -> Any:
        items = [Found(page.read_type, row) for row in page.rows]
        ends = [CURSOR + row["id"].hex for row in (page.rows[:1] + page.rows[-1:])] or [None, None]
        values: dict[str, Any] = {
            "nodes": items,
            "edges": [Edge(item) for item in items],
            "totalCount": len(page.matching),
            "summary": Aggregated(page.read_type, page.matching),
            "pageInfo": {
                "hasNextPage": page.has_next,
                "hasPreviousPage": page.has_previous,
                "startCursor": ends[0],
                "endCursor": ends[-1],
            },
        }
        return values[name]

    def _of_summary(self, summary: Aggregated, name: str) -> Any:
        if name == "count":
            return len(summary.rows)
        column = next(item for item in summed_columns(summary.read_type) if item.name == name)
        return Numbers(summary.read_type, column, summary.rows)

    def _of_numbers(self, numbers: Numbers, name: str) -> Any:
        self.check_numbers(numbers.read_type, numbers.column, name)
        value = summed(self.world, numbers.read_type, numbers.column, name, numbers.rows)
        if value is None or numbers.column.kind is not ScalarKind.AMOUNT:
            return None if value is None else format(value, "f")
        return printed(int(value), ScalarKind.AMOUNT)

    def _of_groups(self, groups: Groups, name: str) -> Any:
        found = groups.grouping.groups()
        if name == "totalCount":
            return len(found)
        size = groups.grouping.arguments.given["first"]
        return [Group(groups.grouping, key, rows) for key, rows in found[:size]]

    def _of_group(self, group: Group, name: str) -> Any:
        by, read_type = group.grouping.by, group.grouping.arguments.read_type
        if name == "count":
            return len(group.rows)
        if name in {column.name for column in summed_columns(read_type)}:
            return self._of_summary(Aggregated(read_type, group.rows), name)
        if name not in ("key", by.name):
            return None
        if isinstance(by, Column):
            value = printed(group.key, by.kind)
            return _text(value) if name == "key" else value
        found = self._find(self.world.registry.types[by.target], group.key)
        if found is None or name != "key":
            return found
        return f"{found.read_type.prefix}_{found.row['id'].hex}"


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def printed(value: Any, kind: ScalarKind | EnumKind) -> Any:
    """A stored value as GraphQL shows it."""
    if value is None:
        return None
    if isinstance(kind, EnumKind):
        return next((name for name, (stored, _) in kind.values.items() if stored == value), None)
    if isinstance(value, datetime):
        text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
        return (text.rstrip("0") if "." in text else text) + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if kind is ScalarKind.AMOUNT:
        return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02}"
    return format(value, "f") if kind is ScalarKind.DECIMAL else value
