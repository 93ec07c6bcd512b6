"""The arguments of a field as its node gives them, from builders made once per node.

The library walks the node and its types at each request, though only the variables differ. What is not plain (a value
that has to be refused, a variable inside a scalar's literal) is left to it, with its words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    VariableValues,
    get_argument_values,
)
from graphql.utilities import coerce_input_literal
from graphql.utilities.coerce_input_value import coerce_default_value

Coerced = Mapping[str, Any]
Build = Callable[[Coerced], Any]
"""From the coerced variables to a value; `Undefined` where nothing stands in its place."""


class _LeftToLibrary(Exception):
    """These variables give no plain value."""


class ArgumentBuilder:
    """The arguments of one node of a validated document."""

    def __init__(self, definition: GraphQLField, node: FieldNode) -> None:
        self._definition = definition
        self._node = node
        given = {each.name.value: each.value for each in node.arguments or ()}
        self._build = _members(definition.args, given)

    def values(self, variables: VariableValues) -> dict[str, Any]:
        """The arguments by name, as `get_argument_values` gives them.

        :raises GraphQLError: a value can't be taken.
        """
        try:
            return self._build(variables.coerced)
        except _LeftToLibrary:
            return get_argument_values(self._definition, self._node, variables, hide_suggestions=True)


def _members(
    declared: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField], given: Mapping[str, ValueNode]
) -> Callable[[Coerced], dict[str, Any]]:
    """Arguments of a field, or fields of an input object: each that is given or has a default."""
    parts = [(each.out_name or name, _member(each, given.get(name))) for name, each in declared.items()]

    def build(coerced: Coerced) -> dict[str, Any]:
        found = {}
        for name, part in parts:
            value = part(coerced)
            if value is not Undefined:
                found[name] = value
        return found

    return build


def _member(declared: GraphQLArgument | GraphQLInputField, node: ValueNode | None) -> Build:
    absent = _absent(declared)
    if node is None:
        return absent
    build = _value(declared.type, node)
    if not isinstance(node, VariableNode):
        return build
    name = node.name.value
    return lambda coerced: build(coerced) if name in coerced else absent(coerced)


def _absent(declared: GraphQLArgument | GraphQLInputField) -> Build:
    default = coerce_default_value(declared)
    if default is Undefined and isinstance(declared.type, GraphQLNonNull):
        return _leave
    return lambda _: default


def _value(kind: GraphQLInputType, node: ValueNode) -> Build:
    """How a value of this type is built from its node."""
    if isinstance(node, VariableNode):
        return _variable(node.name.value, is_required=isinstance(kind, GraphQLNonNull))
    if isinstance(node, NullValueNode):
        return _leave if isinstance(kind, GraphQLNonNull) else lambda _: None
    inner: GraphQLInputType = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(inner, GraphQLList):
        return _list(inner.of_type, node)
    if isinstance(inner, GraphQLInputObjectType):
        return _object(inner, node)
    return _leave if isinstance(node, ObjectValueNode | ListValueNode) else _constant(inner, node)


def _variable(name: str, *, is_required: bool) -> Build:
    def build(coerced: Coerced) -> Any:
        value = coerced.get(name, Undefined)
        if value is Undefined or (value is None and is_required):
            raise _LeftToLibrary
        return value

    return build


def _list(kind: GraphQLInputType, node: ValueNode) -> Build:
    items = [_value(kind, each) for each in (node.values if isinstance(node, ListValueNode) else (node,))]
    return lambda coerced: [build(coerced) for build in items]


def _object(kind: GraphQLInputObjectType, node: ValueNode) -> Build:
    given = {each.name.value: each.value for each in node.fields} if isinstance(node, ObjectValueNode) else None
    if given is None or not kind.fields.keys() >= given.keys():
        return _leave
    build = _members(kind.fields, given)
    is_one_of, out_type = kind.is_one_of, kind.out_type

    def build_object(coerced: Coerced) -> Any:
        found = build(coerced)
        if is_one_of and (len(found) != 1 or len(given) != 1 or None in found.values()):
            raise _LeftToLibrary
        return out_type(found)

    return build_object


def _constant(kind: GraphQLInputType, node: ValueNode) -> Build:
    """A scalar or enum that the text itself gives; none of ours makes a value that could change."""
    value = coerce_input_literal(node, kind)
    return _leave if value is Undefined else lambda _: value


def _leave(_: Coerced) -> Any:
    raise _LeftToLibrary
