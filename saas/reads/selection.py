"""From a selection set to the fields that are asked of one object type: fragments, directives, merging."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from saas.reads.arguments import plain, read_arguments
from saas.reads.registry import Registry

Fragments = Mapping[str, FragmentDefinitionNode]
Fields = dict[str, list[FieldNode]]


class Selections:
    """Collects fields for one document and one set of variables."""

    def __init__(self, registry: Registry, fragments: Fragments, variables: Mapping[str, object]) -> None:
        self._registry = registry
        self._fragments = fragments
        self._variables = variables

    def of(self, type_name: str, sets: Iterable[SelectionSetNode | None]) -> Fields:
        """The fields selected on an object type, by response key, in the document's order; equal keys are merged."""
        fields: Fields = {}
        spread: set[str] = set()
        for selection_set in sets:
            if selection_set is not None:
                for node in self._walk(type_name, selection_set, spread):
                    fields.setdefault(_response_key(node), []).append(node)
        return fields

    def below(self, type_name: str, nodes: Iterable[FieldNode]) -> Fields:
        """The fields selected below merged fields."""
        return self.of(type_name, [node.selection_set for node in nodes])

    def _walk(self, type_name: str, selection_set: SelectionSetNode, spread: set[str]) -> Iterator[FieldNode]:
        for selection in selection_set.selections:
            if not self._included(selection.directives):
                continue
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                if condition is None or self._applies(condition.name.value, type_name):
                    yield from self._walk(type_name, selection.selection_set, spread)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in spread:
                spread.add(selection.name.value)
                fragment = self._fragments[selection.name.value]
                if self._applies(fragment.type_condition.name.value, type_name):
                    yield from self._walk(type_name, fragment.selection_set, spread)

    def _applies(self, condition: str, type_name: str) -> bool:
        return condition == type_name or type_name in self._registry.members(condition)

    def _included(self, directives: Iterable[DirectiveNode] | None) -> bool:
        for directive in directives or ():
            name = directive.name.value
            if name in ("include", "skip") and self._condition(directive) is (name == "skip"):
                return False
        return True

    def _condition(self, directive: DirectiveNode) -> bool:
        arguments = read_arguments(directive, self._variables)
        return plain(arguments["if"]) is True


def _response_key(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value
