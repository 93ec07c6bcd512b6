"""The variables of a request, coerced to the types that their operation declares.

What an operation declares is looked up once and kept with it; the library looks it up at each request. Its own
coercion still does whatever is not plain: defaults, and everything that has to be refused, with its words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLLeafType,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    VariableValues,
    get_variable_values,
    is_leaf_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValueSource
from graphql.type import GraphQLInputType, GraphQLNonNull
from graphql.utilities import coerce_input_value

MOST_ERRORS = 5
_NONE = VariableValues({}, {})


class VariableCoercion:
    """How the variables of one operation are coerced."""

    def __init__(self, schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode]) -> None:
        self._schema = schema
        self._definitions = definitions
        self._declared = [_Declared(schema, each) for each in definitions]

    def coerce(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """The coerced values, or at most five errors."""
        if not self._declared:
            return _NONE
        values = self._plainly(given)
        return values if values is not None else self._by_library(given)

    def _plainly(self, given: Mapping[str, Any]) -> VariableValues | None:
        """The values where all of them are plain and right; else None."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for declared in self._declared:
            name = declared.signature.name
            value = given.get(name, Undefined)
            sources[name] = VariableValueSource(declared.signature, value)
            if value is Undefined and not declared.is_required and declared.signature.default is None:
                continue
            found = declared.coerced(value)
            if found is Undefined:
                return None
            coerced[name] = found
        return VariableValues(sources, coerced)

    def _by_library(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        return get_variable_values(
            self._schema, self._definitions, dict(given), max_errors=MOST_ERRORS, hide_suggestions=True
        )


class _Declared:
    """One variable: its signature, and the scalar or enum where its type is one."""

    def __init__(self, schema: GraphQLSchema, definition: VariableDefinitionNode) -> None:
        signature = get_variable_signature(schema, definition)
        if not isinstance(signature, GraphQLVariableSignature):
            raise signature  # the document was validated: it can't be
        self.signature = signature
        self.kind: GraphQLInputType = signature.type
        self.is_required = isinstance(self.kind, GraphQLNonNull)
        inner = self.kind.of_type if isinstance(self.kind, GraphQLNonNull) else self.kind
        self._leaf: GraphQLLeafType | None = inner if is_leaf_type(inner) else None

    def coerced(self, value: Any) -> Any:
        """The value, or `Undefined` where the library has to look."""
        if value is Undefined:
            return Undefined
        try:
            if self._leaf is None:
                return coerce_input_value(value, self.kind)
            if value is None:
                return Undefined if self.is_required else None
            return self._leaf.coerce_input_value(value)
        except (GraphQLError, ValueError, TypeError, RecursionError):
            return Undefined
