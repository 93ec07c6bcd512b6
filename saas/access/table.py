"""The access table: what one role set of one tenant may do, compiled so that a check is a look-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class FieldAccess(Enum):
    """How a field may be read."""

    DENY = "deny"
    ALLOW = "allow"
    MASKED = "masked"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class FieldRight:
    """The right to read a field; with ROWS, only in the rows that one of `scopes` covers (own salary, my team)."""

    access: FieldAccess
    scopes: frozenset[str] = frozenset()


DENIED = FieldRight(FieldAccess.DENY)
ALLOWED = FieldRight(FieldAccess.ALLOW)
MASKED = FieldRight(FieldAccess.MASKED)


@dataclass(frozen=True, slots=True)
class AccessTable:
    """Compiled rights. Default deny: what is not listed is refused.

    `fields` maps ``Type.field`` to the right to read it; `usable` and `aggregable` hold the ``Type.field`` that may
    be filtered, ordered, grouped and searched, or aggregated; `writable` those that may be written; `permissions`
    the verbs (``customer:claim``); `scopes` maps a type to the row scopes whose union the caller sees (a type
    without any is invisible). `fingerprint` is a hash of all that: equal tables share compiled plans.
    `grantors` maps a permission or ``Type.field`` to the role names that could grant it.
    """

    fingerprint: str
    fields: Mapping[str, FieldRight] = field(default_factory=lambda: MappingProxyType({}))
    usable: frozenset[str] = frozenset()
    aggregable: frozenset[str] = frozenset()
    writable: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    scopes: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    grantors: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def read(self, type_name: str, field_name: str) -> FieldRight:
        """The right to read ``type_name.field_name``."""
        return self.fields.get(f"{type_name}.{field_name}", DENIED)

    def may_use(self, type_name: str, field_name: str) -> bool:
        """Whether the field may be filtered, ordered, grouped or searched by."""
        return f"{type_name}.{field_name}" in self.usable

    def may_aggregate(self, type_name: str, field_name: str) -> bool:
        """Whether sums, averages and the like of the field may be asked for."""
        return f"{type_name}.{field_name}" in self.aggregable

    def may(self, permission: str) -> bool:
        """Whether the caller holds a verb such as ``customer:claim``."""
        return permission in self.permissions

    def visible(self, type_name: str) -> frozenset[str]:
        """The row scopes whose union the caller sees."""
        return self.scopes.get(type_name, frozenset())

    def who_grants(self, permission: str) -> tuple[str, ...]:
        """The roles that could grant it."""
        return self.grantors.get(permission, ())
