"""The oracle: graphql-core executes the printed schema with resolvers of our own over rows in memory.

It knows the declarations (`saas.reads.mapping`), not the compiler. Merging of fields, directives, defaults of
arguments and null propagation are graphql-core's. A document runs twice: a rehearsal over one phantom of everything
finds what is refused whether rows match or not; then the real run answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    execute_sync,
    get_named_type,
    get_nullable_type,
)

from saas.access.table import FieldAccess
from saas.reads.mapping import (
    Column,
    EnumKind,
    Expression,
    FieldMapping,
    GroupRoot,
    ListRoot,
    OneRoot,
    ReadType,
    ScalarKind,
    Sealed,
    ToMany,
    ToOne,
    ToUnion,
)
from saas.reads.naming import PAGE_INFO, summed_columns
from tests.differential.judgement import Refused, Row, World, bad_input
from tests.differential.lists import Connection, Grouping, ListArguments, Page, id_of, split_id, summed

CURSOR = "cursor at "
"""Before a row's id: stands for the cursor of that row."""
_MOST_IDS = 100

ErrorAt = tuple[str, tuple[str | int, ...], str, str | None]
"""Code, reported path, all response keys of the way, and the field."""


@dataclass(frozen=True)
class Outcome:
    """What a document comes to. `refusals` are the fields whose use refuses the whole operation."""

    data: dict[str, Any] | None
    errors: frozenset[ErrorAt]
    row_errors: frozenset[ErrorAt]
    refusals: frozenset[str]
    opened: frozenset[tuple[str, str, str]]


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


@dataclass(frozen=True)
class Phantom:
    """Stands for any object of a type while a document is rehearsed; `about` is what the real one would be about."""

    type_name: str
    about: Any = None


class Oracle:
    """Answers documents as the specification and the rooms' declarations say."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def run(self, document: DocumentNode, variables: Mapping[str, Any], world: World) -> Outcome:
        """The outcome for one caller."""
        always = self._rehearse(document, variables, world)
        performed = replace(world, refusals=set(), opened=set())
        data, errors = self._execute(document, variables, Performance(performed))
        of_fields = {_reported(error) for error in errors if not _of_row(error)}
        assert of_fields <= always, f"not rehearsed: {of_fields - always}"
        return Outcome(
            data,
            frozenset(always),
            frozenset(_reported(error) for error in errors if _of_row(error)),
            frozenset(world.refusals),
            frozenset((type_name, name, row_id.hex) for type_name, name, row_id in performed.opened),
        )

    def _rehearse(self, document: DocumentNode, variables: Mapping[str, Any], world: World) -> set[ErrorAt]:
        """What is refused everywhere; once for each way in which unions may turn out."""
        always: set[ErrorAt] = set()
        unions = [item for item in self._schema.type_map.values() if isinstance(item, GraphQLUnionType)]
        for turn in range(max([len(union.types) for union in unions], default=1)):
            _, errors = self._execute(document, variables, Rehearsal(world, turn))
            always.update(_reported(error) for error in errors)
        return always

    def _execute(
        self, document: DocumentNode, variables: Mapping[str, Any], cast: Performance | Rehearsal
    ) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
        result = execute_sync(
            self._schema,
            document,
            variable_values=dict(variables),
            field_resolver=cast.resolve,
            type_resolver=lambda value, *_: _type_name(value),
        )
        for error in result.errors or []:
            if "code" not in (error.extensions or {}):
                raise AssertionError(f"the oracle failed at {error.path}: {error}") from error.original_error
        return result.data, result.errors or []


def _type_name(value: Found | Phantom) -> str:
    return value.type_name if isinstance(value, Phantom) else value.read_type.name


def _of_row(error: GraphQLError) -> bool:
    return bool((error.extensions or {})["of_row"])


def _reported(error: GraphQLError) -> ErrorAt:
    """An error with its exact place where it is one row's; else its place down to the first list."""
    extensions, path = error.extensions or {}, tuple(error.path or ())
    way = ".".join(key for key in path if isinstance(key, str))
    listed = next((at for at, key in enumerate(path) if isinstance(key, int)), len(path))
    return extensions["code"], path if extensions["of_row"] else path[:listed], way, extensions["field"]


class _Checks:
    """Rights and arguments of a field, decided before any row is looked at."""

    def __init__(self, world: World) -> None:
        self.world = world

    def arguments(self, read_type: ReadType, given: Mapping[str, Any]) -> ListArguments:
        return ListArguments(self.world, read_type, given)

    def check_field(self, read_type: ReadType, of: FieldMapping) -> None:
        """Refuse a field that is denied everywhere."""
        access = self.world.right(read_type, of).access
        if access is FieldAccess.DENY or (access is FieldAccess.MASKED and not isinstance(of, Sealed)):
            raise Refused("FIELD_FORBIDDEN", f"{read_type.name}.{of.name}")

    def check_value(self, read_type: ReadType, of: Sealed) -> None:
        """Refuse the clear value of a sealed field to whom only its masked form is given."""
        if self.world.right(read_type, of).access is FieldAccess.MASKED:
            raise Refused("FIELD_FORBIDDEN", f"{read_type.name}.{of.name}")

    def check_numbers(self, read_type: ReadType, column: Column, function: str) -> None:
        """Refuse extremes that would tell one person's value."""
        if function in ("min", "max") and self.world.guarded(read_type, column):
            raise Refused("FIELD_FORBIDDEN", f"{read_type.name}.{column.name}")

    def children(self, read_type: ReadType, of: ToMany, given: Mapping[str, Any]) -> Connection:
        target = self.world.registry.types[of.target]
        return Connection(f"{read_type.name}.{of.name}", self.arguments(target, given), of.default_order)

    def root_list(self, root: ListRoot, given: Mapping[str, Any]) -> Connection:
        target = self.world.registry.types[root.target]
        return Connection(f"Query.{root.name}", self.arguments(target, given), root.default_order)

    def type_of(self, public_id: str) -> ReadType:
        """The type that an id is of."""
        prefix, _ = split_id(public_id)
        found = self.world.registry.type_of(prefix)
        if found is None:
            raise bad_input()
        return found

    def types_of(self, public_ids: Sequence[str]) -> list[ReadType]:
        if len(public_ids) > _MOST_IDS:
            raise bad_input()
        return [self.type_of(each) for each in public_ids]


class Rehearsal(_Checks):
    """Every field once, over one phantom of every object; the `turn`-th type of each union."""

    def __init__(self, world: World, turn: int) -> None:
        super().__init__(world)
        self._turn = turn

    def resolve(self, source: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
        """A phantom of the field's type, or what refuses the field."""
        parent, name = info.parent_type.name, info.field_name
        about = source.about if isinstance(source, Phantom) else None
        if parent == "Query":
            about = self._root(name, given)
        elif parent in self.world.registry.types:
            about = self._of_object(self.world.registry.types[parent], name, given)
        elif isinstance(about, Sealed | tuple):
            self._of_value(about, name)
        elif isinstance(about, Grouping) and parent.endswith("Group"):
            about = self._of_group(about, name)
            if about is None and name not in ("key", "count"):
                return None
        elif isinstance(about, ReadType) and parent.endswith("Summary"):
            about = self._of_summary(about, name)
        return self._phantom(info.return_type, about)

    def _root(self, name: str, given: Mapping[str, Any]) -> Any:
        if name == "node":
            return [self.type_of(given["id"])]
        if name == "nodes":
            return self.types_of(given["ids"])
        root = self.world.registry.roots_by_name[name]
        read_type = self.world.registry.types[root.target]
        if isinstance(root, OneRoot):
            id_of(given["id"], read_type.prefix)
        elif isinstance(root, ListRoot):
            self.root_list(root, given).check()
        else:
            grouping = Grouping(self.arguments(read_type, given))
            grouping.check()
            return grouping
        return read_type

    def _of_object(self, read_type: ReadType, name: str, given: Mapping[str, Any]) -> Any:
        of = self.world.registry.field(read_type.name, name)
        if of is None:
            return None
        self.check_field(read_type, of)
        if isinstance(of, ToMany):
            self.children(read_type, of, given).check()
            return self.world.registry.types[of.target]
        return (read_type, of) if isinstance(of, Sealed) else None

    def _of_value(self, about: Any, name: str) -> None:
        read_type, of = about
        if isinstance(of, Sealed) and name == "value":
            self.check_value(read_type, of)
        elif isinstance(of, Column):
            self.check_numbers(read_type, of, name)

    def _of_group(self, grouping: Grouping, name: str) -> Any:
        read_type = grouping.arguments.read_type
        if name in {column.name for column in summed_columns(read_type)}:
            return self._of_summary(read_type, name)
        return True if name == grouping.by.name else None

    def _of_summary(self, read_type: ReadType, name: str) -> Any:
        columns = {column.name: column for column in summed_columns(read_type)}
        if name not in columns:
            return None
        self.world.require_aggregate(read_type, columns[name])
        return read_type, columns[name]

    def _phantom(self, kind: GraphQLOutputType, about: Any) -> Any:
        named = get_named_type(kind)
        if isinstance(get_nullable_type(kind), GraphQLList):
            each = about if isinstance(about, list) else [about]
            return [self._one(named, item) for item in each]
        return self._one(named, about[0] if isinstance(about, list) else about)

    def _one(self, named: Any, about: Any) -> Any:
        if isinstance(named, GraphQLUnionType):
            return Phantom(named.types[self._turn % len(named.types)].name)
        if isinstance(named, GraphQLEnumType):
            return next(iter(named.values))
        if named.name == "Node":
            return Phantom(about.name)
        return _DUMMIES[named.name] if named.name in _DUMMIES else Phantom(named.name, about)


_DUMMIES: Mapping[str, Any] = {
    **dict.fromkeys(("ID", "String", "Date", "DateTime", "Decimal"), ""),
    "Int": 0,
    "Boolean": False,
}


class Performance(_Checks):
    """Every field over the rows."""

    def resolve(self, source: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
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
        masked = isinstance(of, Sealed) and self.world.right(read_type, of).access is FieldAccess.MASKED
        if not masked and not self.world.readable_in(read_type, of, row):
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
        return None if value is None else format(value, "f")

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
    return format(value, "f") if kind is ScalarKind.DECIMAL else value
