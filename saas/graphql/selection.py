"""Which fields a selection asks for: fragments spread, conditions applied, equal response keys merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)

Fragments = Mapping[str, FragmentDefinitionNode]
Variables = Mapping[str, object]


def collect_fields(
    schema: GraphQLSchema,
    type_name: str,
    nodes: Iterable[FieldNode | OperationDefinitionNode],
    fragments: Fragments,
    variables: Variables,
) -> dict[str, list[FieldNode]]:
    """The fields selected below `nodes` on an object of `type_name`, by response key, in the document's order.

    Each fragment is entered once, as the specification says, so nested spreads cost no more than their text.
    """
    collected: dict[str, list[FieldNode]] = {}
    entered: set[str] = set()
    for node in nodes:
        if node.selection_set is not None:
            _collect(schema, type_name, node.selection_set, fragments, variables, collected, entered)
    return collected


def has_conditions(selection_set: SelectionSetNode, fragments: Fragments) -> bool:
    """Whether @include or @skip decides about the fields of this level, fragments followed."""
    todo, entered = [selection_set], set[str]()
    while todo:
        for node in todo.pop().selections:
            if node.directives:
                return True
            if isinstance(node, InlineFragmentNode):
                todo.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in entered:
                entered.add(node.name.value)
                todo.append(fragments[node.name.value].selection_set)
    return False


def _collect(
    schema: GraphQLSchema,
    type_name: str,
    selection_set: SelectionSetNode,
    fragments: Fragments,
    variables: Variables,
    collected: dict[str, list[FieldNode]],
    entered: set[str],
) -> None:
    for node in selection_set.selections:
        if not _is_included(node.directives, variables):
            continue
        if isinstance(node, FieldNode):
            collected.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else type_name
            if _applies(schema, condition, type_name):
                _collect(schema, type_name, node.selection_set, fragments, variables, collected, entered)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in entered:
            entered.add(node.name.value)
            fragment = fragments[node.name.value]
            if _applies(schema, fragment.type_condition.name.value, type_name):
                _collect(schema, type_name, fragment.selection_set, fragments, variables, collected, entered)


def _applies(schema: GraphQLSchema, condition: str, type_name: str) -> bool:
    if condition == type_name:
        return True
    abstract, concrete = schema.type_map[condition], schema.type_map[type_name]
    return is_abstract_type(abstract) and schema.is_sub_type(abstract, concrete)


def _is_included(directives: Iterable[DirectiveNode] | None, variables: Variables) -> bool:
    for directive in directives or ():
        name = directive.name.value
        if name in ("include", "skip") and _condition(directive, variables) is not (name == "include"):
            return False
    return True


def _condition(directive: DirectiveNode, variables: Variables) -> bool:
    (argument,) = directive.arguments or ()
    value = argument.value
    if isinstance(value, VariableNode):
        return bool(variables.get(value.name.value))
    return isinstance(value, BooleanValueNode) and value.value
