"""What every schema of ours must hold: each rule gives the places that break it, none when all is well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

from saas.graphql.schema import ApiSchema

_SINCE = re.compile(r"Since \d+\.\d+\.$")
_GUARD = re.compile(r"(Public|Needs (a session|a row scope on .+|[\w.:]+))\. Since")
_AT_MOST = re.compile(r"at most \d+")
_HOLDS_LISTS = ("Connection", "Groups", "Payload")
_BOUNDED_BY_INPUT = frozenset({"UserError.field", "UserError.args"})


def own_types(schema: ApiSchema) -> Iterator[GraphQLNamedType]:
    """The types that are not GraphQL's own."""
    builtin = {"String", "Int", "Float", "Boolean", "ID"}
    for name, kind in schema.graphql.type_map.items():
        if not name.startswith("__") and name not in builtin:
            yield kind


def elements(schema: ApiSchema) -> Iterator[tuple[str, str | None]]:
    """Every type, field, argument, input field and enum value, with its description."""
    for kind in own_types(schema):
        yield kind.name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{kind.name}.{name}", value.description) for name, value in kind.values.items())
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field.description
                for argument, definition in getattr(field, "args", {}).items():
                    yield f"{kind.name}.{name}({argument})", definition.description


def undescribed(schema: ApiSchema) -> list[str]:
    """Elements without a description that ends with the version they came with."""
    return [place for place, text in elements(schema) if text is None or not _SINCE.search(text)]


def unbounded_lists(schema: ApiSchema) -> list[str]:
    """Fields that give a list with no page size and no stated bound."""
    return [place for place in _list_fields(schema) if place not in _BOUNDED_BY_INPUT]


def _list_fields(schema: ApiSchema) -> Iterator[str]:
    for kind in own_types(schema):
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for name, field in kind.fields.items():
            bare = field.type.of_type if is_non_null_type(field.type) else field.type
            bounded = {"first", "ids"} & set(field.args) or _AT_MOST.search(field.description or "")
            if is_list_type(bare) and not bounded and not kind.name.endswith(_HOLDS_LISTS):
                yield f"{kind.name}.{name}"


def connections_without_page(schema: ApiSchema) -> list[str]:
    """Fields that give a connection or groups and don't take a page size."""
    found = []
    for kind in own_types(schema):
        for name, field in (kind.fields if isinstance(kind, GraphQLObjectType) else {}).items():
            if get_named_type(field.type).name.endswith(("Connection", "Groups")) and "first" not in field.args:
                found.append(f"{kind.name}.{name}")
    return found


def unguarded_roots(schema: ApiSchema) -> list[str]:
    """Root fields that say neither what they need nor that they are public, or that nobody answers."""
    found = []
    for kind in (schema.graphql.query_type, schema.graphql.mutation_type):
        for name, field in (kind.fields if kind else {}).items():
            answered = schema.is_compiled(name) or name in schema.queries or name in schema.mutations
            if not answered or not _GUARD.search(field.description or ""):
                found.append(f"{kind.name if kind else ''}.{name}")
    return found


def floats(schema: ApiSchema) -> list[str]:
    """Whether Float is anywhere: money and rates travel as Decimal."""
    return ["Float"] if "Float" in schema.graphql.type_map else []


def idempotency_gaps(schema: ApiSchema) -> list[str]:
    """Idempotent mutations whose input does not ask for a key, or whose payload does not tell a replay."""
    found = []
    for name, root in schema.mutations.items():
        if not root.idempotent or schema.graphql.mutation_type is None:
            continue
        field = schema.graphql.mutation_type.fields[name]
        wanted = get_named_type(field.args["input"].type) if "input" in field.args else None
        payload = get_named_type(field.type)
        key = wanted.fields.get("idempotencyKey") if isinstance(wanted, GraphQLInputObjectType) else None
        asks = key is not None and is_non_null_type(key.type)
        tells = isinstance(payload, GraphQLObjectType) and "replayed" in payload.fields
        if not asks or not tells:
            found.append(name)
    return found
