"""Names of the GraphQL types and enum values that a mapping brings with it: one place, used by reader and schema."""

from __future__ import annotations

import re
from dataclasses import dataclass

from saas.reads.mapping import Column, ReadType, ToOne

NODE = "Node"
PAGE_INFO = "PageInfo"
NUMBER_SUMMARY = "NumberSummary"
"""``{sum avg min max}``, all `Decimal`: a sum of integers may leave the range of `Int`."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class OrderValue:
    """One value of a type's order enum; `column` is None for the order by id."""

    name: str
    column: Column | None
    descending: bool


@dataclass(frozen=True, slots=True)
class GroupOrderValue:
    """One value of a type's group-order enum: by ``count``, by ``key``, or by the sum of a `column`."""

    name: str
    by: str
    column: Column | None
    descending: bool


def connection_name(type_name: str) -> str:
    """``CustomerConnection {nodes edges pageInfo totalCount summary}``."""
    return f"{type_name}Connection"


def edge_name(type_name: str) -> str:
    """``CustomerEdge {cursor node}``."""
    return f"{type_name}Edge"


def summary_name(type_name: str) -> str:
    """``CustomerSummary {count <summed column>{sum avg min max}}``."""
    return f"{type_name}Summary"


def filter_name(type_name: str) -> str:
    """``CustomerFilter {and or not <field>{eq in gte lt isNull startsWith}}``."""
    return f"{type_name}Filter"


def order_name(type_name: str) -> str:
    """``CustomerOrder``, whose values `order_values` lists."""
    return f"{type_name}Order"


def group_by_name(type_name: str) -> str:
    """``CustomerGroupBy``, whose values `group_values` lists."""
    return f"{type_name}GroupBy"


def group_order_name(type_name: str) -> str:
    """``CustomerGroupOrder``, whose values `group_order_values` lists."""
    return f"{type_name}GroupOrder"


def groups_name(type_name: str) -> str:
    """``CustomerGroups {nodes totalCount}``; `totalCount` counts groups."""
    return f"{type_name}Groups"


def group_name(type_name: str) -> str:
    """``CustomerGroup {key count <groupable field> <summed column>{sum avg min max}}``.

    `key` is the text of the value grouped by (an enum's name, an id, a date), null for rows without one. Each
    groupable field appears under its own name and type, filled when it is the one grouped by, else null.
    """
    return f"{type_name}Group"


def enum_value_name(field_name: str) -> str:
    """``receivedOn`` is ``RECEIVED_ON`` in enums."""
    return _HUMP.sub("_", field_name).upper()


def order_values(read_type: ReadType) -> dict[str, OrderValue]:
    """All orders of a type by name: each orderable column and the id (its time of making), up and down."""
    columns: list[Column | None] = [None]
    columns += [item for item in read_type.fields if isinstance(item, Column) and item.orderable]
    values = (
        OrderValue(f"{enum_value_name(column.name if column else 'id')}_{way}", column, way == "DESC")
        for column in columns
        for way in ("ASC", "DESC")
    )
    return {value.name: value for value in values}


def group_values(read_type: ReadType) -> dict[str, Column | ToOne]:
    """All groupable fields of a type, by their value in the group-by enum."""
    return {
        enum_value_name(item.name): item
        for item in read_type.fields
        if isinstance(item, Column | ToOne) and item.groupable
    }


def summed_columns(read_type: ReadType) -> tuple[Column, ...]:
    """The columns that summaries and groups aggregate."""
    return tuple(item for item in read_type.fields if isinstance(item, Column) and item.summed)


def group_order_values(read_type: ReadType) -> dict[str, GroupOrderValue]:
    """All orders of a type's groups, by name: COUNT, KEY and each summed column's sum, up and down."""
    kinds: list[tuple[str, str, Column | None]] = [("COUNT", "count", None), ("KEY", "key", None)]
    kinds += [(f"{enum_value_name(column.name)}_SUM", "sum", column) for column in summed_columns(read_type)]
    values = (
        GroupOrderValue(f"{stem}_{way}", by, column, way == "DESC")
        for stem, by, column in kinds
        for way in ("ASC", "DESC")
    )
    return {value.name: value for value in values}
