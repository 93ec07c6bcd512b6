"""From the arguments as GraphQL gives them to those that a resolver takes, by converters made once per root field.

What Strawberry's own conversion finds out about each type at each request (its fields, names and kinds) is found out
once here. Kinds that are rare in our inputs are left to Strawberry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING
from typing import Any, cast

import strawberry
from strawberry.scalars import is_scalar
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition

from saas.graphql.fields import RootField

Arguments = dict[str, Any]
Convert = Callable[[Any], Any]


class ArgumentConverters:
    """The converters of one schema, made when first needed."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = schema
        self._registry = schema.schema_converter.scalar_registry
        self._of_field: dict[str, list[tuple[str, str, Convert | None]]] = {}
        self._of_type: dict[type, Convert] = {}

    def convert(self, root: RootField, declared: Iterable[StrawberryArgument], given: Mapping[str, Any]) -> Arguments:
        """What the resolver of `root`, with its `declared` arguments, takes."""
        coordinate = f"{root.type_name}.{root.name}"
        parts = self._of_field.get(coordinate)
        if parts is None:
            names = self._schema.config.name_converter
            parts = [(each.python_name, names.from_argument(each), self._converter(each.type)) for each in declared]
            self._of_field[coordinate] = parts
        return {
            python_name: given[name] if convert is None else convert(given[name])
            for python_name, name, convert in parts
            if name in given
        }

    def _converter(self, kind: Any) -> Convert | None:
        """None where a value stays as it is."""
        if isinstance(kind, StrawberryOptional) and not isinstance(kind, StrawberryMaybe):
            return self._converter(kind.of_type)  # every converter lets null and absence pass
        if isinstance(kind, StrawberryEnumDefinition) or is_scalar(kind, self._registry):
            return None if kind is not strawberry.relay.GlobalID else self._strawberrys(kind)
        if isinstance(kind, StrawberryList):
            return _list_converter(self._converter(kind.of_type))
        if has_object_definition(kind) and kind.__strawberry_definition__.from_input is None:
            return self._object_converter(cast("type", kind))
        return self._strawberrys(kind)

    def _strawberrys(self, kind: Any) -> Convert:
        return lambda value: convert_argument(value, kind, self._registry, self._schema.config)

    def _object_converter(self, kind: type) -> Convert:
        known = self._of_type.get(kind)
        if known is not None:
            return known
        definition: StrawberryObjectDefinition = kind.__strawberry_definition__  # type: ignore[attr-defined]
        parts: list[tuple[str, str, Convert | None]] = []
        absent = {
            field.python_name: None
            for field in definition.fields
            if definition.is_input and field.default_value is MISSING and field.default_factory is MISSING
        }

        def convert(value: Any) -> Any:
            if value is None or value is strawberry.UNSET:
                return value
            given = dict(absent)
            for python_name, name, inner in parts:
                if name in value:
                    given[python_name] = value[name] if inner is None else inner(value[name])
            return kind(**given)

        self._of_type[kind] = convert  # before its fields are looked at: inputs may nest themselves
        for field in definition.fields:
            inner = self._converter(field.resolve_type(type_definition=definition))
            parts.append((field.python_name, self._schema.config.name_converter.from_field(field), inner))
        return convert


def _list_converter(inner: Convert | None) -> Convert:
    def convert(value: Any) -> Any:
        if value is None or value is strawberry.UNSET:
            return value
        return list(value) if inner is None else [inner(each) for each in value]

    return convert
