"""The shape of an operation's variables: what of them decides the SQL, and so belongs to the key of a plan.

Found once per document without looking at values: which variables stand in directives, filters, orders, cursors and
page sizes. Each fragment is visited once, so the walk is linear in the document however fragments nest.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from saas.reads.arguments import DEEPEST_INPUT
from saas.reads.cursors import null_pattern

Selectable = FieldNode | SelectionSetNode


class Influence(Enum):
    """How a variable decides the SQL."""

    VALUE = "value"
    FILTER = "filter"
    GIVEN = "given"
    CURSOR = "cursor"
    PREFIX = "prefix"


class Probe(NamedTuple):
    """One variable and how it decides."""

    variable: str
    influence: Influence


_OF_ARGUMENT = {
    "filter": Influence.FILTER,
    "orderBy": Influence.VALUE,
    "groupBy": Influence.VALUE,
    "first": Influence.GIVEN,
    "last": Influence.GIVEN,
    "after": Influence.CURSOR,
    "before": Influence.CURSOR,
    "id": Influence.PREFIX,
    "ids": Influence.PREFIX,
}
_ABSENT = "absent"


def probes_of(nodes: Iterable[Selectable], fragments: Mapping[str, FragmentDefinitionNode]) -> tuple[Probe, ...]:
    """All probes in and below some nodes, in a fixed order."""
    found: set[Probe] = set()
    seen: set[str] = set()
    queue: list[Selectable] = list(nodes)
    while queue:
        node = queue.pop()
        if isinstance(node, FieldNode):
            found.update(_probes_of_field(node))
            if node.selection_set:
                queue.append(node.selection_set)
            continue
        for selection in node.selections:
            if isinstance(selection, FieldNode):
                queue.append(selection)
                continue
            assert isinstance(selection, FragmentSpreadNode | InlineFragmentNode)
            found.update(_probes_of_directives(selection))
            if isinstance(selection, InlineFragmentNode):
                queue.append(selection.selection_set)
            elif selection.name.value not in seen:
                seen.add(selection.name.value)
                queue.append(fragments[selection.name.value].selection_set)
    return tuple(sorted(found, key=lambda probe: (probe.variable, probe.influence.value)))


def shape_of(probes: tuple[Probe, ...], variables: Mapping[str, object]) -> Hashable:
    """The shape of these variables: equal shapes compile to the same SQL."""
    return tuple([_shape(variables.get(name, _ABSENT), influence) for name, influence in probes])


def _shape(value: object, influence: Influence) -> Hashable:
    if value is None or value is _ABSENT:
        return value is None
    if influence is Influence.GIVEN:
        return "given"
    if influence is Influence.VALUE:
        return tuple(value) if isinstance(value, list) else value
    if influence is Influence.CURSOR:
        return null_pattern(value)
    if influence is Influence.PREFIX:
        return _prefixes(value)
    return _filter_shape(value)


def _filter_shape(value: object, depth: int = 0) -> Hashable:
    if depth > DEEPEST_INPUT:
        return "too deep"
    if isinstance(value, Mapping):
        return tuple([(key, _filter_shape(part, depth + 1)) for key, part in value.items()])
    if isinstance(value, list):
        return tuple([_filter_shape(item, depth + 1) for item in value if isinstance(item, Mapping)])
    return value if value is None or isinstance(value, bool) else "value"


def _prefixes(value: object) -> Hashable:
    if isinstance(value, str):
        return value.partition("_")[0][:5]
    texts = value if isinstance(value, list) else [value]
    return tuple(sorted({str(text).partition("_")[0][:5] for text in texts}))


def _probes_of_field(node: FieldNode) -> Iterable[Probe]:
    yield from _probes_of_directives(node)
    for argument in node.arguments or ():
        influence = _OF_ARGUMENT.get(argument.name.value)
        if influence is not None:
            for variable in _variables_in(argument.value):
                yield Probe(variable, influence)


def _probes_of_directives(node: FieldNode | FragmentSpreadNode | InlineFragmentNode) -> Iterable[Probe]:
    for directive in node.directives or ():
        for argument in directive.arguments or ():
            for variable in _variables_in(argument.value):
                yield Probe(variable, Influence.VALUE)


def _variables_in(value: ValueNode) -> Iterable[str]:
    queue = [value]
    while queue:
        node = queue.pop()
        if isinstance(node, VariableNode):
            yield node.name.value
        elif isinstance(node, ListValueNode):
            queue.extend(node.values)
        elif isinstance(node, ObjectValueNode):
            queue.extend(part.value for part in node.fields)
