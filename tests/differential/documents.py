"""Documents that are valid for the schema, generated: every shape the reader compiles, with good and bad arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_required_argument,
)

T = TypeVar("T")
PLACE = "cursor {}"
"""Stands in a document for a cursor that is known only when it runs."""
DEEPEST = 5
MOST_FIELDS = 45
_LOGIC = ("and", "not", "or")


@dataclass(frozen=True)
class Name:
    """An enum value, which is written without quotes."""

    text: str


@dataclass(frozen=True)
class Variable:
    name: str


@dataclass(frozen=True)
class CursorRef:
    """The cursor of the row at a position of a list in an order (none: the default); no list: no cursor at all."""

    list_name: str | None
    orders: tuple[str, ...] = ()
    position: int = 0


@dataclass(frozen=True)
class Generated:
    """A document and its variables; `cursors` tells, by their places' texts, which cursors to put in."""

    text: str
    variables: Mapping[str, Any]
    cursors: Mapping[str, CursorRef]


@dataclass(frozen=True)
class Values:
    """What is drawn from: compiled root fields, operands by (type, field), ids of every kind, the plainly wrong."""

    roots: Sequence[str]
    operands: Mapping[tuple[str, str], Sequence[Any]]
    ids: Mapping[str, Sequence[str]]
    wrong: Mapping[str, Sequence[Any]]
    refused: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By type: fields and order values whose use refuses the operation; mostly avoided, to get answers to compare."""

    def operand(self, type_name: str, field_name: str, scalar: str) -> Sequence[Any]:
        return self.operands.get((type_name, field_name)) or self.wrong[scalar]


def document(seed: int, schema: GraphQLSchema, values: Values) -> Generated:
    """The document of one query operation that a seed gives.

    Choices drawn one by one from hypothesis repeat each other (it varies a document a little at a time), which finds
    far less; a seed gives every document anew, at the price of shrinking.
    """
    return _Writer(Random(seed), schema, values).document()


@dataclass
class _Writer:
    """Writes one document."""

    random: Random
    schema: GraphQLSchema
    values: Values
    declared: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)
    cursors: dict[str, CursorRef] = field(default_factory=dict)
    fields: int = 0

    def document(self) -> Generated:
        query = self.schema.query_type
        assert query is not None
        if self._chance(45):
            lists = [name for name in self.values.roots for _ in range(_ways(query.fields[name]) ** 2)]
            roots = " ".join(self._probe(query, self._pick(lists), 1) for _ in range(4))
        else:
            names = [self._pick(self.values.roots) for _ in range(self._pick((1, 1, 1, 2, 3)))]
            roots = " ".join(self._field(query, name, DEEPEST) for name in names)
        header = f"query Generated({', '.join(self.declared)})" if self.declared else "query Generated"
        parts = [f"{header} {{ {self._wrapped(query, roots)} }}"]
        parts += [f"fragment {name} on {on} {{ {body} }}" for name, (on, body) in self.fragments.items()]
        return Generated("\n".join(parts), self.given, self.cursors)

    def _pick(self, items: Sequence[T]) -> T:
        return self.random.choice(items)

    def _allowed(self, type_name: str, names: Sequence[str]) -> Sequence[str]:
        """Mostly only the names whose use is not refused."""
        refused = self.values.refused.get(type_name, frozenset())
        return names if self._chance(4) else [name for name in names if name not in refused]

    def _chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def _probe(self, parent: GraphQLObjectType, name: str, deeper: int) -> str:
        """A list with most of its arguments and little below it: cheap, and it shows every row that is wrong."""
        self.fields += 1
        alias, definition = f"a{self.fields}", parent.fields[name]
        connection = get_named_type(definition.type)
        assert isinstance(connection, GraphQLObjectType)
        rows = get_named_type(connection.fields["nodes"].type)
        assert isinstance(rows, GraphQLObjectType)
        arguments = self._arguments(parent, name, definition, eager=True)
        lists = [each for each, item in rows.fields.items() if _ways(item)]
        below = self._probe(rows, self._pick(lists), deeper - 1) if lists and deeper and self._chance(50) else ""
        columns = [each for each, item in rows.fields.items() if not is_composite_type(get_named_type(item.type))]
        page = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
        shown = (
            f"nodes {{ id {self._pick(columns)} {below} }} {self._pick((page, page, 'totalCount', 'edges { cursor }'))}"
        )
        summed = [each for each in _summed(connection) if each not in self.values.refused.get(rows.name, ())]
        if summed and self._chance(20):
            shown += f" totalCount summary {{ count {self._pick(summed)} {{ sum avg }} }}"
        return f"{alias}: {name}{arguments} {{ {shown} }}"

    def _selection(self, kind: GraphQLNamedType, depth: int) -> str:
        if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
            return self._abstract(kind, depth)
        assert isinstance(kind, GraphQLObjectType)
        names = [name for name, item in kind.fields.items() if depth > 0 or not _leads_on(item)]
        chosen = [self._pick(names) for _ in range(self._pick((1, 2, 2, 3, 4)))]
        parts = [self._field(kind, name, depth) for name in chosen if self.fields < MOST_FIELDS]
        if self._chance(15) or not parts:
            parts.append(self._pick(("__typename", "typed: __typename")))
        return self._wrapped(kind, " ".join(parts))

    def _abstract(self, kind: GraphQLUnionType | GraphQLInterfaceType, depth: int) -> str:
        types = sorted(self.schema.get_possible_types(kind), key=lambda item: item.name)
        parts = ["__typename"]
        if isinstance(kind, GraphQLInterfaceType):
            parts.append("id")
        elif self._chance(50):
            parts.append("... on Node { id }")
        chosen = [self._pick(types) for _ in range(self._pick((1, 2, 3)))]
        parts += [f"... on {item.name} {{ {self._selection(item, depth - 1)} }}" for item in chosen]
        return self._wrapped(kind, " ".join(parts))

    def _wrapped(self, kind: GraphQLNamedType, body: str) -> str:
        """A selection, or the same inside a fragment, perhaps spread twice; or beside another's fragment."""
        known = [name for name, (on, _) in self.fragments.items() if on == kind.name]
        if known and self._chance(30):
            return f"{body} ...{self._pick(known)}{self._directives()}"
        way = self._pick(("plain",) * 6 + ("inline", "untyped", "named", "twice", "node"))
        if way == "inline":
            return f"... on {kind.name}{self._directives()} {{ {body} }}"
        if way == "untyped":
            return f"...{self._directives()} {{ {body} }}"
        if way in ("named", "twice"):
            name = f"F{len(self.fragments)}"
            self.fragments[name] = (kind.name, body)
            spread = f"...{name}{self._directives()}"
            return f"{spread} __typename ...{name}" if way == "twice" else f"{spread} __typename"
        if way == "node" and isinstance(kind, GraphQLObjectType) and kind.interfaces:
            return f"... on Node {{ id }} {body}"
        return body

    def _directives(self) -> str:
        if not self._chance(25):
            return ""
        value: Any = self._pick((True, True, False))
        if self._chance(50):
            value = self._variable("Boolean!", value)
        return f" @{self._pick(('include', 'skip'))}(if: {_literal(value)})"

    def _field(self, parent: GraphQLObjectType, name: str, depth: int) -> str:
        """A field; with arguments mostly under an alias of its own, since differing arguments may not merge."""
        self.fields += 1
        definition = parent.fields[name]
        alias = f"a{self.fields}: " if self._chance(85 if definition.args else 15) else ""
        arguments = self._arguments(parent, name, definition)
        whole = f"{alias}{name}{arguments}{self._directives()}"
        kind = get_named_type(definition.type)
        if not is_composite_type(kind):
            return whole
        below = depth - 1 if _is_row(kind) else depth
        once = f"{whole} {{ {self._selection(kind, below)} }}"
        if self._chance(8) and self.fields < MOST_FIELDS:
            return f"{once} {alias}{name}{arguments} {{ {self._selection(kind, below)} }}"
        return once

    def _arguments(self, parent: GraphQLObjectType, name: str, definition: GraphQLField, *, eager: bool = False) -> str:
        given: dict[str, Any] = {}
        if "after" in definition.args:
            given = self._page(f"{parent.name}.{name}", definition, eager=eager)
        for argument, item in definition.args.items():
            if argument in ("first", "last", "after", "before", "orderBy") and "after" in definition.args:
                continue
            if is_required_argument(item) or self._chance(70 if eager else 45):
                value = self._argument(argument, name, get_named_type(definition.type).name, item.type)
                given[argument] = self._maybe_variable(str(item.type), value)
        return f"({', '.join(f'{key}: {_literal(value)}' for key, value in given.items())})" if given else ""

    def _argument(self, argument: str, root: str, answer: str, kind: GraphQLInputType) -> Any:
        if argument == "filter":
            named = get_named_type(kind)
            assert isinstance(named, GraphQLInputObjectType)
            return self._filter(named, 0)
        if argument == "first":
            return self._size()
        if argument == "id":
            return self._id(answer if root != "node" else self._pick(sorted(self.values.ids)))
        if argument == "ids":
            return [self._id(self._pick(sorted(self.values.ids))) for _ in range(self._pick((0, 1, 2, 3, 5)))]
        named = get_named_type(kind)
        assert isinstance(named, GraphQLEnumType)
        return Name(self._pick(sorted(named.values)))

    def _id(self, type_name: str) -> str:
        if self._chance(6):
            return str(self._pick(self.values.wrong["ID"]))
        if self._chance(4):
            type_name = self._pick(sorted(self.values.ids))
        return str(self._pick(self.values.ids.get(type_name) or self.values.wrong["ID"]))

    def _size(self) -> int:
        return self._pick((0, 101, -1, 2**31 - 1)) if self._chance(3) else self._pick((1, 2, 3, 5, 10, 100, 100))

    def _page(self, list_name: str, definition: GraphQLField, *, eager: bool) -> dict[str, Any]:
        """Sizes, order and cursors of a list: mostly ``first`` or ``last``, sometimes both or neither."""
        sizes = self._pick((("first",),) * 14 + (("last",),) * 8 + (("first", "last"), ()))
        given: dict[str, Any] = {name: self._maybe_variable("Int", self._size()) for name in sizes}
        orders: tuple[str, ...] = ()
        if self._chance(70 if eager else 50):
            kind = definition.args["orderBy"].type
            named = get_named_type(kind)
            assert isinstance(named, GraphQLEnumType)
            known = self._allowed(named.name.removesuffix("Order"), sorted(named.values))
            count = self._pick((0, 1, 1, 1, 2, 2, 3, 4)) if self._chance(60) else 1
            asked = [Name(self._pick(known)) for _ in range(count)]
            single = len(asked) == 1 and self._chance(15)
            given["orderBy"] = self._maybe_variable(str(kind), asked[0] if single else asked)
            orders = tuple(each.text for each in asked)
            if isinstance(given["orderBy"], Variable) and self.given.get(given["orderBy"].name, None) is None:
                orders = ()
        for side in ("after", "before"):
            if self._chance(30 if eager else 18):
                given[side] = self._cursor(list_name, orders)
        return given

    def _cursor(self, list_name: str, orders: tuple[str, ...]) -> Any:
        position = self._pick((0, -1, *(self.random.randrange(200) for _ in range(2))))
        reference = CursorRef(list_name, orders, position)
        if self._chance(6):
            reference = self._pick((CursorRef(None), CursorRef("Query.customers"), CursorRef(list_name, ("ID_DESC",))))
        text = PLACE.format(len(self.cursors))
        self.cursors[text] = reference
        return self._variable("String", text) if self._chance(50) else text

    def _filter(self, kind: GraphQLInputObjectType, depth: int, *, plain: bool | None = None) -> dict[str, Any]:
        """A filter; `plain` without variables inside, for one that is a variable itself."""
        plain = self._chance(40) if plain is None else plain
        given: dict[str, Any] = {}
        for _ in range(self._pick((0, 1, 1, 2, 3) if depth else (1, 1, 1, 2))):
            fields = self._allowed(kind.name.removesuffix("Filter"), sorted(set(kind.fields) - set(_LOGIC)))
            name = self._pick(_LOGIC if self._chance(35) or not fields else fields)
            if name in _LOGIC:
                if depth > 2 and not self._chance(10):
                    continue
                parts = [self._filter(kind, depth + 1, plain=plain) for _ in range(self._pick((0, 1, 2, 2)))]
                given[name] = (parts or [{}])[0] if name == "not" else parts
            else:
                conditions = get_named_type(kind.fields[name].type)
                assert isinstance(conditions, GraphQLInputObjectType)
                given[name] = self._conditions(kind.name.removesuffix("Filter"), name, conditions, plain=plain)
        return given

    def _conditions(self, type_name: str, name: str, kind: GraphQLInputObjectType, *, plain: bool) -> Any:
        if self._chance(2):
            return self._pick((None, {}))
        known = [*sorted(kind.fields), *(("startsWith",) * 3 if "startsWith" in kind.fields else ())]
        operators = {self._pick(known) for _ in range(self._pick((1, 1, 1, 1, 1, 2)))}
        conditions: dict[str, Any] = {}
        for operator in sorted(operators):
            wanted = kind.fields[operator].type
            value = self._operand(type_name, name, operator, wanted)
            conditions[operator] = value if plain else self._maybe_variable(str(wanted), value)
        return conditions

    def _operand(self, type_name: str, name: str, operator: str, kind: GraphQLInputType) -> Any:
        named = get_named_type(kind)
        if self._chance(2):
            return None
        if isinstance(get_nullable_type(kind), GraphQLList):
            if self._chance(10):
                return self._one(type_name, name, operator, named)
            return [self._one(type_name, name, operator, named) for _ in range(self._pick((0, 1, 2, 4)))]
        return self._one(type_name, name, operator, named)

    def _one(self, type_name: str, name: str, operator: str, named: Any) -> Any:
        if isinstance(named, GraphQLEnumType):
            return Name(self._pick(sorted(named.values)))
        if named.name == "Boolean":
            return self._pick((True, False))
        pool = self.values.wrong[named.name] if self._chance(4) else self.values.operand(type_name, name, named.name)
        value = self._pick(pool)
        return value[: self._pick((0, 1, 2))] if operator == "startsWith" else value

    def _maybe_variable(self, kind: str, value: Any) -> Any:
        return self._variable(kind, value) if self._chance(30) and not _holds_variable(value) else value

    def _variable(self, kind: str, value: Any) -> Variable:
        """A variable with the value: given, or as its default; or null, or absent, where that is allowed."""
        name = f"v{len(self.declared)}"
        way = self._pick(("given",) * 8 + ("default", "both", "null", "absent"))
        if kind.endswith("!") and way in ("null", "absent"):
            way = "given"
        default = f" = {_literal(value)}" if way in ("default", "both") and value is not None else ""
        self.declared.append(f"${name}: {kind}{default}")
        if way in ("given", "both") or (way == "default" and value is None and kind.endswith("!")):
            self.given[name] = _plain(value)
        elif way == "null":
            self.given[name] = None
        return Variable(name)


def _ways(definition: GraphQLField) -> int:
    """In how many ways a connection is ordered; what is no connection, in none."""
    kind = get_named_type(definition.args["orderBy"].type) if "after" in definition.args else None
    return len(kind.values) // 2 if isinstance(kind, GraphQLEnumType) else 0


def _summed(connection: GraphQLObjectType) -> Sequence[str]:
    """The columns that a connection's summary sums."""
    if "summary" not in connection.fields:
        return ()
    summary = get_named_type(connection.fields["summary"].type)
    assert isinstance(summary, GraphQLObjectType)
    return sorted(name for name, item in summary.fields.items() if is_composite_type(get_named_type(item.type)))


def _leads_on(definition: GraphQLField) -> bool:
    """Whether the field leads to other rows."""
    kind = get_named_type(definition.type)
    return _is_row(kind) or (isinstance(kind, GraphQLObjectType) and "pageInfo" in kind.fields)


def _is_row(kind: GraphQLNamedType) -> bool:
    """Whether objects of the type are rows."""
    return isinstance(kind, GraphQLInterfaceType | GraphQLUnionType) or bool(getattr(kind, "interfaces", ()))


def _holds_variable(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_variable, value.values()))
    return isinstance(value, Variable) or (isinstance(value, list) and any(map(_holds_variable, value)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.text if isinstance(value, Name) else value


def _literal(value: Any) -> str:
    match value:
        case Name(text):
            return text
        case Variable(name):
            return f"${name}"
        case dict():
            return "{" + ", ".join(f"{key}: {_literal(part)}" for key, part in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_literal, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
