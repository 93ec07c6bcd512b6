"""Filters, orders and group-by enums of the rendered types, and the builder that makes Strawberry types from data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Optional, cast

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from saas.reads import naming
from saas.reads.mapping import Column, EnumKind, FilterOp, ReadType, ScalarKind, Sealed, ToOne
from saas.reads.registry import Registry

PYTHON_TYPES: Mapping[ScalarKind, Any] = {
    ScalarKind.ID: strawberry.ID,
    ScalarKind.STRING: str,
    ScalarKind.INT: int,
    ScalarKind.BOOLEAN: bool,
    ScalarKind.DECIMAL: Decimal,
    ScalarKind.AMOUNT: Decimal,
    ScalarKind.DATE: date,
    ScalarKind.DATETIME: datetime,
}

_OP_TEXTS: Mapping[FilterOp, str] = {
    FilterOp.EQ: "Equal to this value",
    FilterOp.IN: "Equal to one of these values, at most 100",
    FilterOp.GTE: "Greater than or equal to this value",
    FilterOp.LT: "Less than this value",
    FilterOp.IS_NULL: "Whether there is no value",
    FilterOp.STARTS_WITH: "Begins with this text",
}
_KIND_NAMES = {ScalarKind.ID: "Id", ScalarKind.AMOUNT: ScalarKind.DECIMAL.value}


def since(text: str, version: str) -> str:
    """A description that ends with the version the element came with."""
    return f"{text.rstrip('. ')}. Since {version}."


def argument(name: str, annotation: Any, description: str) -> StrawberryArgument:
    """An argument; optional ones have no default, so that the reader can tell absent from null."""
    return StrawberryArgument(
        python_name=name,
        graphql_name=name,
        type_annotation=StrawberryAnnotation(annotation),
        description=description,
    )


def member(
    name: str, annotation: Any, description: str, arguments: Iterable[StrawberryArgument] = ()
) -> StrawberryField:
    """A field of a rendered object type."""
    made = StrawberryField(
        python_name=name,
        graphql_name=name,
        type_annotation=StrawberryAnnotation(annotation),
        description=description,
    )
    made.arguments = list(arguments)
    return made


def described_enum(name: str, description: str, values: Mapping[str, str]) -> type[Enum]:
    """An enum whose members are named and valued alike; `values` maps a name to its description."""
    bare = Enum(name, {value: value for value in values})  # type: ignore[misc]
    made: Any = strawberry.enum(bare, name=name, description=description)
    for definition in made.__strawberry_definition__.values:
        definition.description = values[definition.name]
    return cast("type[Enum]", made)


def empty_input(name: str, description: str) -> type:
    """An input type whose fields are added afterwards, since they may refer to the type itself."""
    made: type = strawberry.input(type(name, (), {}), name=name, description=description)
    return made


def add_field(owner: type, field: StrawberryField) -> None:
    """Add a field to a rendered type."""
    owner.__strawberry_definition__.fields.append(field)  # type: ignore[attr-defined]


def nullable(annotation: Any) -> Any:
    """The annotation, or null."""
    return Optional[annotation]  # noqa: UP045 (the annotation is a value here, and may be no type)


def list_of(annotation: Any) -> Any:
    """A list of the annotation."""
    return list[annotation]


def _input_field(name: str, annotation: Any, description: str) -> StrawberryField:
    return StrawberryField(
        python_name=name,
        graphql_name=name,
        type_annotation=StrawberryAnnotation(nullable(annotation)),
        description=description,
        default=strawberry.UNSET,
    )


class Inputs:
    """Makes each input type and enum once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._enums: dict[str, type[Enum]] = {}
        self._filters: dict[str, type] = {}

    def kind(self, kind: ScalarKind | EnumKind) -> Any:
        """The Python type of a scalar or enum."""
        if isinstance(kind, ScalarKind):
            return PYTHON_TYPES[kind]
        if kind.name not in self._enums:
            values = {name: since(doc, "0.1") for name, (_, doc) in kind.values.items()}
            self._enums[kind.name] = described_enum(kind.name, since(kind.doc, "0.1"), values)
        return self._enums[kind.name]

    def filter_of(self, read_type: ReadType) -> type:
        """``CustomerFilter``: one entry per filterable field, and ``and``, ``or``, ``not``."""
        name = naming.filter_name(read_type.name)
        if name in self._filters:
            return self._filters[name]
        made = empty_input(
            name, since(f"Which {read_type.name} objects; what is given must hold together", read_type.since)
        )
        self._filters[name] = made
        for field in read_type.fields:
            operators = self._operators(field)
            if operators is not None:
                text = f"By {field.name}. Needs the right to use {read_type.name}.{field.name}"
                add_field(made, _input_field(field.name, operators, since(text, field.since)))
        depth = "to depth 3"
        add_field(made, _input_field("and", list_of(made), since(f"All of these hold, {depth}", "0.1")))
        add_field(made, _input_field("or", list_of(made), since(f"At least one of these holds, {depth}", "0.1")))
        add_field(made, _input_field("not", made, since(f"This does not hold, {depth}", "0.1")))
        return made

    def order_of(self, read_type: ReadType) -> type[Enum]:
        """``CustomerOrder``: each orderable field up and down."""
        values = {
            name: since(
                f"By {value.column.name if value.column else 'id (time of making)'}, "
                f"{'descending' if value.descending else 'ascending'}"
                + (f". Needs the right to use {read_type.name}.{value.column.name}" if value.column else ""),
                value.column.since if value.column else read_type.since,
            )
            for name, value in naming.order_values(read_type).items()
        }
        text = f"Orders of {read_type.name} objects; the id always ends the order"
        return self._enum(naming.order_name(read_type.name), since(text, read_type.since), values)

    def group_by_of(self, read_type: ReadType) -> type[Enum]:
        """``CustomerGroupBy``: each groupable field."""
        values = {
            name: since(f"By {field.name}. Needs the right to use {read_type.name}.{field.name}", field.since)
            for name, field in naming.group_values(read_type).items()
        }
        text = since(f"What {read_type.name} objects can be grouped by", read_type.since)
        return self._enum(naming.group_by_name(read_type.name), text, values)

    def group_order_of(self, read_type: ReadType) -> type[Enum]:
        """``CustomerGroupOrder``: by count, by key, by each sum."""
        values = {
            name: since(
                f"By {value.by}{f' of {value.column.name}' if value.column else ''}, "
                f"{'descending' if value.descending else 'ascending'}",
                read_type.since,
            )
            for name, value in naming.group_order_values(read_type).items()
        }
        text = since(f"Orders of groups of {read_type.name} objects", read_type.since)
        return self._enum(naming.group_order_name(read_type.name), text, values)

    def _enum(self, name: str, description: str, values: Mapping[str, str]) -> type[Enum]:
        if name not in self._enums:
            self._enums[name] = described_enum(name, description, values)
        return self._enums[name]

    def _operators(self, field: object) -> type | None:
        """The operators a field may be filtered with, as an input type; None for a field without any."""
        if isinstance(field, Column) and field.filters:
            return self._operator_input(field.kind, field.filters)
        if isinstance(field, ToOne) and field.filters:
            return self._operator_input(ScalarKind.ID, field.filters)
        if isinstance(field, Sealed) and field.index_column is not None:
            return self._operator_input(ScalarKind.STRING, frozenset({FilterOp.EQ}))
        return None

    def _operator_input(self, kind: ScalarKind | EnumKind, operators: frozenset[FilterOp]) -> type:
        """``StringFilter`` with all operators of its kind, or a named subset such as ``StringEqInFilter``."""
        listed = [operator for operator in FilterOp if operator in operators]
        stem = kind.name if isinstance(kind, EnumKind) else _KIND_NAMES.get(kind, kind.value)
        whole = set(listed) == _operators_of(kind)
        middle = "" if whole else "".join(operator.value[0].upper() + operator.value[1:] for operator in listed)
        name = f"{stem}{middle}Filter"
        if name not in self._filters:
            made = empty_input(name, since(f"Conditions on a {stem} value; all that are given hold together", "0.1"))
            python_type = self.kind(kind)
            for operator in listed:
                annotation = {FilterOp.IN: list_of(python_type), FilterOp.IS_NULL: bool}.get(operator, python_type)
                add_field(made, _input_field(operator.value, annotation, since(_OP_TEXTS[operator], "0.1")))
            self._filters[name] = made
        return self._filters[name]


def _operators_of(kind: ScalarKind | EnumKind) -> set[FilterOp]:
    """The operators that make sense for a kind of value."""
    equal = {FilterOp.EQ, FilterOp.IN, FilterOp.IS_NULL}
    if kind is ScalarKind.STRING:
        return {*equal, FilterOp.STARTS_WITH}
    if kind in (ScalarKind.INT, ScalarKind.DECIMAL, ScalarKind.AMOUNT, ScalarKind.DATE, ScalarKind.DATETIME):
        return {*equal, FilterOp.GTE, FilterOp.LT}
    return equal
