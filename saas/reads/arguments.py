"""Arguments of a field as the compiler sees them: their shape now, and where their values come from at each run.

A plan is compiled for the *shape* of its variables (which filter keys are there, what is null, which order); the
values stay parameters. So every leaf of an argument knows its value at compile time, for the shape, and its source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from saas.kernel import BadUserInput, WrongIdType
from saas.reads.contract import Caller, OpenRow
from saas.reads.errors import bad_input


class Binding(NamedTuple):
    """What the parameters of one run are taken from."""

    variables: Mapping[str, object]
    caller: Caller
    open_row: OpenRow | None
    ids: tuple[UUID, ...] = ()


Source = Callable[[Binding], object]
Convert = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value: a constant of the document, or (with `path`) a place inside the variables."""

    value: object
    path: tuple[str | int, ...] | None = None

    @property
    def constant(self) -> bool:
        return self.path is None


Argument = Leaf | dict[str, "Argument"] | list["Argument"]
_ABSENT = object()
DEEPEST_INPUT = 20
"""Levels of input objects and lists that are looked at; no argument of ours is that deep."""


def read_arguments(node: FieldNode | DirectiveNode, variables: Mapping[str, object]) -> dict[str, Argument]:
    """The arguments of a field; one given by a variable that is absent is not given.

    :raises BadUserInput: input nested without end.
    """
    given = ((item.name.value, _from_ast(item.value, variables, 0)) for item in node.arguments or ())
    return {name: value for name, value in given if value is not None}


def source_of(argument: Argument, convert: Convert) -> Source:
    """Where a parameter's value comes from at each run, converted; constants are converted once, now.

    A constant that can't be converted fails where a variable would: when it is bound, after all was compiled.
    """
    if isinstance(argument, Leaf):
        if argument.path is None:
            return _constant(argument.value, convert)
        return _from_variables(argument.path, convert)
    if isinstance(argument, list):
        parts = [source_of(item, lambda value: value) for item in argument]
        return lambda binding: convert([part(binding) for part in parts])
    raise TypeError(f"an input object is not one value: {argument}")


def plain(argument: Argument) -> object:
    """The argument's value at compile time, as plain Python values."""
    if isinstance(argument, Leaf):
        return argument.value
    if isinstance(argument, list):
        return [plain(item) for item in argument]
    return {key: plain(item) for key, item in argument.items()}


def is_null(argument: Argument | None) -> bool:
    """Whether the argument is absent or null."""
    return argument is None or (isinstance(argument, Leaf) and argument.value is None)


def _constant(literal: object, convert: Convert) -> Source:
    try:
        value = convert(literal)
    except (BadUserInput, WrongIdType):
        return lambda _: convert(literal)
    return lambda _: value


def _from_variables(path: tuple[str | int, ...], convert: Convert) -> Source:
    if len(path) == 1:
        name = path[0]
        return lambda binding: convert(binding.variables[name])  # type: ignore[index]

    def walk(binding: Binding) -> object:
        value: object = binding.variables
        for step in path:
            value = value[step]  # type: ignore[index]
        return convert(value)

    return walk


def _from_ast(node: ValueNode, variables: Mapping[str, object], depth: int) -> Argument | None:
    _check_depth(depth)
    match node:
        case VariableNode():
            value = variables.get(node.name.value, _ABSENT)
            return None if value is _ABSENT else _from_value(value, (node.name.value,))
        case ObjectValueNode():
            parts = ((part.name.value, _from_ast(part.value, variables, depth + 1)) for part in node.fields)
            return {name: part for name, part in parts if part is not None}
        case ListValueNode():
            items = (_from_ast(item, variables, depth + 1) for item in node.values)
            return [Leaf(None) if item is None else item for item in items]
        case _:
            return Leaf(_literal(node))


def _from_value(value: object, path: tuple[str | int, ...]) -> Argument:
    _check_depth(len(path))
    if isinstance(value, Mapping):
        return {key: _from_value(part, (*path, key)) for key, part in value.items()}
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return [_from_value(item, (*path, index)) for index, item in enumerate(value)]
    return Leaf(value, path)


def _check_depth(depth: int) -> None:
    if depth > DEEPEST_INPUT:
        raise bad_input("reads.input_too_deep", deepest=DEEPEST_INPUT)


def _literal(node: ValueNode) -> object:
    match node:
        case IntValueNode():
            return int(node.value)
        case BooleanValueNode() | StringValueNode() | EnumValueNode() | FloatValueNode():
            return node.value
        case NullValueNode():
            return None
        case _:
            raise TypeError(f"no value node: {node.kind}")
