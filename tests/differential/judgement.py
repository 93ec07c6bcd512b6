"""What a caller may see and use, decided row by row in Python: the oracle's own reading of the access table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from graphql import GraphQLError

from saas.access.table import ALLOWED, DENIED, AccessTable, FieldAccess, FieldRight
from saas.reads import Registry
from saas.reads.mapping import Column, DataClass, Expression, FieldMapping, ReadType, Sealed
from saas.reads.naming import order_values
from tests.differential.dataset import Tables

Row = Mapping[str, Any]
CursorPlace = tuple[str, tuple[str, ...], UUID]
"""List, order and row of a cursor that the product gave out before."""


class Refused(GraphQLError):
    """An error at a field: of the field wherever it stands, or (`of_row`) of one row only."""

    def __init__(self, code: str, field: str | None = None, *, of_row: bool = False) -> None:
        super().__init__(code, extensions={"code": code, "field": field, "of_row": of_row})


def bad_input(field: str | None = None) -> Refused:
    """An argument that no reader can take."""
    return Refused("BAD_USER_INPUT", field)


@dataclass(frozen=True)
class Semantics:
    """What declarations leave to SQL, once more in Python: scopes, expressions, sealed values."""

    registry: Registry
    scopes: Mapping[str, Mapping[str, Callable[[World, Row], bool]]]
    expressions: Mapping[str, Callable[[World, Row], object]]
    open: Callable[[ReadType, Sealed, Row], str | None]
    lookup: Callable[[ReadType, Sealed, Row], str | None]
    normalise: Callable[[str], str]


@dataclass
class World:
    """One caller over one tenant's rows; `refusals` collects what refuses the whole operation."""

    semantics: Semantics
    tables: Tables
    access: AccessTable
    employee_id: UUID | None
    today: date
    cursors: Mapping[str, CursorPlace] = field(default_factory=dict)
    most: int = 100
    refusals: set[str] = field(default_factory=set)
    opened: set[tuple[str, str, UUID]] = field(default_factory=set)

    @property
    def registry(self) -> Registry:
        return self.semantics.registry

    def visible(self, read_type: ReadType, among: Callable[[Row], bool]) -> Iterator[Row]:
        """The rows of a type that the caller sees, among those that a condition names."""
        seen = self.access.visible(read_type.name)
        return (row for row in self.tables[read_type.table] if among(row) and self.in_scope(read_type, seen, row))

    def by_id(self, read_type: ReadType, row_id: UUID | None) -> Row | None:
        """One visible row."""
        row = next((row for row in self.tables[read_type.table] if row["id"] == row_id), None)
        seen = self.access.visible(read_type.name)
        return row if row is not None and self.in_scope(read_type, seen, row) else None

    def in_scope(self, read_type: ReadType, names: frozenset[str], row: Row) -> bool:
        """Whether one of the scopes covers the row."""
        known = self.semantics.scopes[read_type.name]
        return "all" in names or any(known[name](self, row) for name in names if name in known)

    def right(self, read_type: ReadType, of: FieldMapping) -> FieldRight:
        """The right to read a field; a structural one comes with its type."""
        if isinstance(of, Column | Expression) and of.structural:
            return ALLOWED
        return self.access.read(read_type.name, of.name)

    def readable_in(self, read_type: ReadType, of: FieldMapping, row: Row) -> bool:
        """Whether the field may be read in this row, in full."""
        right = self.right(read_type, of)
        if right.access is FieldAccess.ROWS:
            return self.in_scope(read_type, right.scopes, row)
        return right.access is FieldAccess.ALLOW

    def maskable(self, read_type: ReadType, of: FieldMapping) -> FieldRight:
        """The right to a sealed field's masked form, as far as it goes beyond the right to its value."""
        if not isinstance(of, Sealed):
            return DENIED
        everywhere = self.right(read_type, of).access is FieldAccess.MASKED
        return ALLOWED if everywhere else self.access.read(read_type.name, f"{of.name}.masked")

    def shown_in(self, read_type: ReadType, of: FieldMapping, row: Row) -> bool:
        """Whether the field shows anything in this row: itself, or its masked form."""
        masked = self.maskable(read_type, of)
        shows_mask = masked.access is FieldAccess.ROWS and self.in_scope(read_type, masked.scopes, row)
        return masked.access is FieldAccess.ALLOW or shows_mask or self.readable_in(read_type, of, row)

    def usable(self, read_type: ReadType, of: FieldMapping) -> bool:
        """Whether it may be filtered, ordered and grouped by, which implies reading it."""
        readable = self.right(read_type, of).access in (FieldAccess.ALLOW, FieldAccess.ROWS)
        return readable and self.access.may_use(read_type.name, of.name)

    def require_use(self, read_type: ReadType, of: FieldMapping) -> None:
        """Refuse the whole operation for a use that is not allowed."""
        if not self.usable(read_type, of):
            self.refusals.add(f"{read_type.name}.{of.name}")

    def default_order(self, read_type: ReadType, name: str) -> str:
        """The order of a list that names none: the declared one, or by id where that may not be used."""
        column = order_values(read_type)[name].column
        return name if column is None or self.usable(read_type, column) else "ID_ASC"

    def require_aggregate(self, read_type: ReadType, of: Column) -> None:
        """Refuse the whole operation for a sum that is not allowed."""
        if not self.access.may_aggregate(read_type.name, of.name):
            self.refusals.add(f"{read_type.name}.{of.name}")

    def guarded(self, read_type: ReadType, column: Column) -> bool:
        """Whether a sum of few rows, or an extreme, would tell one person's value."""
        readable = self.right(read_type, column).access in (FieldAccess.ALLOW, FieldAccess.ROWS)
        return column.data_class is DataClass.PAY or not readable

    def used(self, read_type: ReadType, of: FieldMapping, column: str, row: Row) -> Any:
        """A stored value for ordering, grouping and summing: none in rows where it may not be read."""
        hidden = self.right(read_type, of).access is FieldAccess.ROWS and not self.readable_in(read_type, of, row)
        return None if hidden else row[column]
