"""Answers of ordinary root fields: plain values walked along the selection, mapped objects read by the reader.

The walk runs twice where a value holds references: first to gather them, so that each selection reads all its
objects with one statement, then to put the answer together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    is_leaf_type,
)

from saas.graphql.documents import Document, Member
from saas.graphql.errors import Fault, Path, internal
from saas.graphql.payloads import Ref
from saas.graphql.selection import collect_fields, has_conditions
from saas.reads import ReadResult

Nodes = list[FieldNode]
Variables = Mapping[str, object]
_UNWRITABLE = (GraphQLError, TypeError, ValueError)


class _Nulled(Exception):
    """A null where the schema allows none: it moves up to the next field that allows it."""


@dataclass(slots=True)
class Wanted:
    """All references of one type with one selection: read together."""

    type_name: str
    nodes: Nodes
    ids: list[UUID] = field(default_factory=list)
    places: dict[UUID, Path] = field(default_factory=dict)
    found: Mapping[UUID, bytes] | None = None

    def add(self, reference: UUID, path: Path) -> None:
        """Note an object and the first place where it is shown."""
        if reference not in self.places:
            self.ids.append(reference)
            self.places[reference] = path


class Completion:
    """One root field's answer on its way from Python values to JSON.

    `depends_on_variables`: @include or @skip decided about a field of it.
    """

    def __init__(self, schema: GraphQLSchema, document: Document, variables: Variables) -> None:
        self._schema = schema
        self._document = document
        self._variables = variables
        self.wanted: dict[tuple[str, tuple[int, ...]], Wanted] = {}
        self.faults: list[Fault] = []
        self.depends_on_variables = False

    def finish(self, kind: GraphQLOutputType, value: object, nodes: Nodes, path: Path) -> bytes | None:
        """The answer as JSON, None for null; what is wrong is in `faults` afterwards."""
        self.faults.clear()
        try:
            whole = self._value(kind, value, nodes, path)
        except _Nulled:
            return None
        return None if whole is None else orjson.dumps(whole)

    def _value(self, kind: GraphQLOutputType, value: object, nodes: Nodes, path: Path) -> object:
        if isinstance(kind, GraphQLNonNull):
            inner = self._value(kind.of_type, value, nodes, path)
            if inner is None:
                self._note_null(path)
                raise _Nulled
            return inner
        if value is None:
            return None
        if isinstance(kind, GraphQLList):
            return self._list(kind, value, nodes, path)
        if isinstance(value, Ref):
            return self._reference(value, nodes, path)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            return self._object(kind, value, nodes, path)
        try:
            return kind.coerce_output_value(value)
        except _UNWRITABLE:
            self.faults.append(internal(path))
            return None

    def _note_null(self, path: Path) -> None:
        """A null that moves up needs a reason: one that lies at or below the place, or a fault of ours."""
        if not any(fault.path[: len(path)] == path for fault in self.faults):
            self.faults.append(internal(path))

    def _list(self, kind: GraphQLList[Any], values: Any, nodes: Nodes, path: Path) -> object:
        try:
            return [self._value(kind.of_type, value, nodes, (*path, at)) for at, value in enumerate(values)]
        except _Nulled:
            return None

    def _reference(self, reference: Ref, nodes: Nodes, path: Path) -> object:
        key = (reference.type_name, tuple(map(id, nodes)))
        wanted = self.wanted.setdefault(key, Wanted(reference.type_name, nodes))
        wanted.add(reference.id, path)
        if wanted.found is None:
            return {}  # being gathered: anything but null, which would move up
        text = wanted.found.get(reference.id)
        return None if text is None or text == b"null" else orjson.Fragment(text)

    def _object(
        self, kind: GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType, value: object, nodes: Nodes, path: Path
    ) -> object:
        actual = kind if isinstance(kind, GraphQLObjectType) else self._type_of(value)
        answer: dict[str, object] = {}
        try:
            for member in self._members(actual, nodes):
                if member.kind is None:
                    answer[member.key] = actual.name
                    continue
                inner = getattr(value, member.attribute)
                answer[member.key] = _plain(member, inner) or self._value(
                    member.kind, inner, member.nodes, (*path, member.key)
                )
        except _Nulled:
            return None
        return answer

    def _members(self, kind: GraphQLObjectType, nodes: Nodes) -> list[Member]:
        """What is selected of an object; kept with the document where no variable decides about it."""
        place = (kind.name, *map(id, nodes))
        known = self._document.members.get(place)
        if known is not None:
            return known
        fragments = self._document.fragments
        fields = collect_fields(self._schema, kind.name, nodes, fragments, self._variables)
        members = [_member(kind, key, found) for key, found in fields.items()]
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        if any(has_conditions(each, fragments) for each in sets):
            self.depends_on_variables = True
        else:
            self._document.members[place] = members
        return members

    def _type_of(self, value: object) -> GraphQLObjectType:
        name = type(value).__strawberry_definition__.name  # type: ignore[attr-defined]
        found = self._schema.type_map[name]
        if not isinstance(found, GraphQLObjectType):
            raise TypeError(f"{name} is no object type")
        return found


def _member(kind: GraphQLObjectType, key: str, nodes: Nodes) -> Member:
    name = nodes[0].name.value
    if name == "__typename":
        return Member(key, None, "", nodes)
    definition = kind.fields[name]
    inner = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
    written = inner.coerce_output_value if is_leaf_type(inner) else None
    return Member(key, definition.type, definition.extensions["strawberry-definition"].python_name, nodes, written)


def _plain(member: Member, value: object) -> object:
    """A scalar's value that is simply there; what is empty, or can't be written, is looked at with its place."""
    if value is None or member.written is None:
        return None
    try:
        return member.written(value)
    except _UNWRITABLE:
        return None


def faults_of_reads(result: ReadResult, prefix: Path = ()) -> list[Fault]:
    """What the reader refused, placed in the whole answer."""
    return [
        Fault(
            error.code,
            error.key,
            error.args,
            (*prefix, *error.path),
            extensions={"field": error.field} if error.field else {},
        )
        for error in result.errors
    ]
