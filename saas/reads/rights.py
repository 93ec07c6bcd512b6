"""What the caller's access table means for a type's rows and fields, as SQL conditions and refusals.

A type is read through the union of the row scopes the caller has on it; a structural field comes with its type;
every other field needs a right of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from saas.access.table import ALLOWED, AccessTable, FieldAccess, FieldRight
from saas.kernel import FieldForbidden
from saas.reads.contract import Caller
from saas.reads.errors import UnknownField, field_forbidden
from saas.reads.mapping import Column, Expression, FieldMapping, ReadType, Sealed, Veil
from saas.reads.registry import Registry
from saas.reads.statement import Statement

_PLACEHOLDER = re.compile(r"\{(t|tenant|employee|today|now)\}")
EVERY_ROW = "all"
"""The row scope that every type has, whether it declares it or not."""

EVERYTHING, NOTHING = "true", "false"
_ALLOWED_ROWS = FieldRight(FieldAccess.ROWS, frozenset({EVERY_ROW}))


class Rights:
    """The rights of one caller, ready for one statement."""

    def __init__(self, registry: Registry, access: AccessTable, plugins: frozenset[str], statement: Statement) -> None:
        self._registry = registry
        self._access = access
        self._plugins = plugins
        self._statement = statement

    @property
    def tenant(self) -> str:
        """The caller's tenant as a parameter."""
        return self._statement.parameter(_tenant_of, "uuid", name="tenant")

    def rows(self, read_type: ReadType, alias: str) -> list[str]:
        """The conditions that every scan of the type carries: its tenant, and the caller's row scopes."""
        scope = self._any_scope(read_type, self._access.visible(read_type.name), alias)
        return [f"{alias}.tenant_id = {self.tenant}", *([scope] if scope != EVERYTHING else [])]

    def of_field(self, read_type: ReadType, field: FieldMapping) -> FieldRight:
        """The right to read a field; a right on rows that covers every visible row is a plain one."""
        return self._veiled(read_type, field.name, self._granted(read_type, field))

    def of_masked(self, read_type: ReadType, field: Sealed) -> FieldRight:
        """The right to a sealed field's masked form: never less than the right to its value."""
        return self._veiled(read_type, masked_name(field), self._granted_masked(read_type, field))

    def _granted(self, read_type: ReadType, field: FieldMapping) -> FieldRight:
        if is_structural(field):
            return ALLOWED
        return self._covering(read_type, self._access.read(read_type.name, field.name))

    def _granted_masked(self, read_type: ReadType, field: Sealed) -> FieldRight:
        right = self._granted(read_type, field)
        if right.access in (FieldAccess.ALLOW, FieldAccess.MASKED):
            return ALLOWED
        masked = self._access.read(read_type.name, masked_name(field))
        if masked.access in (FieldAccess.DENY, FieldAccess.ROWS):
            scopes = right.scopes | masked.scopes
            return self._covering(read_type, FieldRight(FieldAccess.ROWS, scopes)) if scopes else right
        return ALLOWED

    def _veiled(self, read_type: ReadType, name: str, right: FieldRight) -> FieldRight:
        """The right, on rows only where some rows hide the field."""
        if right.access is FieldAccess.ALLOW and self._veil_over(read_type, name) is not None:
            return _ALLOWED_ROWS
        return right

    def _veil_over(self, read_type: ReadType, name: str) -> str | None:
        """The predicate of the rows that hide a field from the caller."""
        veil = read_type.veil
        return None if veil is None else self._unlifted(veil, veil.hidden.get(name))

    def _unlifted(self, veil: Veil, rows: str | None) -> str | None:
        """Of the rows that a veil is about, those in which the caller's permission does not lift it."""
        if rows is None or not self._access.may(veil.lifted_by):
            return rows
        return None if veil.but_in is None else f"({rows}) AND {veil.but_in}"

    def _covering(self, read_type: ReadType, right: FieldRight) -> FieldRight:
        covers = right.access is FieldAccess.ROWS and self._access.visible(read_type.name) <= right.scopes
        return ALLOWED if covers else right

    def counted_rows(self, read_type: ReadType, alias: str) -> str | None:
        """The rows whose reading by id is counted; None where none is, or the caller's is not."""
        veil = read_type.veil
        counted = None if veil is None else self._unlifted(veil, veil.counted)
        return None if counted is None else self.expand(counted, alias)

    def readable_rows(self, read_type: ReadType, name: str, right: FieldRight, alias: str) -> str:
        """The condition under which a right on rows to the field of that name (or masked form) holds."""
        scope, hidden = self.granted_rows(read_type, right, alias), self._veil_over(read_type, name)
        if hidden is None:
            return scope
        shown = f"NOT ({self.expand(hidden, alias)})"
        return shown if scope == EVERYTHING else f"({scope} AND {shown})"

    def used(self, read_type: ReadType, field: FieldMapping, sql: str, alias: str) -> str:
        """`sql`, a value of the field, to order or group by: NULL in rows where the caller may not read it."""
        self.require_use(read_type, field)
        right = self.of_field(read_type, field)
        if right.access is not FieldAccess.ROWS:
            return sql
        return f"CASE WHEN {self.readable_rows(read_type, field.name, right, alias)} THEN {sql} END"

    def matched(self, read_type: ReadType, field: FieldMapping, condition: str, alias: str) -> str:
        """`condition` on the field, to filter by: false in rows where the caller may not read it."""
        self.require_use(read_type, field)
        right = self.of_field(read_type, field)
        if right.access is not FieldAccess.ROWS:
            return condition
        return f"({self.readable_rows(read_type, field.name, right, alias)} AND {condition})"

    def may_use(self, read_type: ReadType, field: FieldMapping) -> bool:
        """Whether the field may be filtered, ordered or grouped by, which implies reading it, in full."""
        readable = self.of_field(read_type, field).access in (FieldAccess.ALLOW, FieldAccess.ROWS)
        return readable and self._access.may_use(read_type.name, field.name)

    def require_use(self, read_type: ReadType, field: FieldMapping) -> None:
        """Refuse the whole operation unless the field may be used."""
        self.require_known(f"{read_type.name}.{field.name}")
        if not self.may_use(read_type, field):
            raise self.refusal("reads.field_not_usable", read_type, field)

    def aggregated(self, read_type: ReadType, field: FieldMapping, sql: str, alias: str) -> str:
        """`sql`, a value of the field, to aggregate; refuses the whole operation unless that is allowed."""
        self.require_known(f"{read_type.name}.{field.name}")
        if not self._access.may_aggregate(read_type.name, field.name):
            raise self.refusal("reads.field_not_aggregable", read_type, field)
        right = self.of_field(read_type, field)
        if right.access is not FieldAccess.ROWS:
            return sql
        return f"CASE WHEN {self.readable_rows(read_type, field.name, right, alias)} THEN {sql} END"

    def granted_rows(self, read_type: ReadType, right: FieldRight, alias: str) -> str:
        """The condition under which a right on rows holds but for a veil."""
        return self._any_scope(read_type, right.scopes, alias)

    def refusal_by_veil(self, read_type: ReadType, name: str) -> FieldForbidden | None:
        """The error of the rows whose veil hides a field, where there are such rows."""
        veil = read_type.veil
        if veil is None or self._veil_over(read_type, name) is None:
            return None
        grantors = ", ".join(self._access.who_grants(veil.lifted_by)) or None
        return FieldForbidden(veil.key, {"permission": veil.lifted_by, "grantors": grantors})

    def refusal(self, key: str, read_type: ReadType, field: FieldMapping) -> FieldForbidden:
        """The error that says which right is missing, and who could grant it."""
        return field_forbidden(key, f"{read_type.name}.{field.name}", self._access)

    def require_known(self, name: str) -> None:
        """Fail for a type, field or root field of a plugin that the company has not enabled."""
        plugin = self._registry.plugin_of(name)
        if plugin is not None and plugin not in self._plugins:
            raise UnknownField("reads.unknown_field", {"field": name})

    def knows(self, type_name: str) -> bool:
        """Whether the type is the core's or an enabled plugin's."""
        plugin = self._registry.plugin_of(type_name)
        return plugin is None or plugin in self._plugins

    def expand(self, snippet: str, alias: str) -> str:
        """A snippet of a declaration with its placeholders replaced: by the row's alias, by parameters."""
        return _PLACEHOLDER.sub(lambda match: alias if match[1] == "t" else self._value(match[1]), snippet)

    def _any_scope(self, read_type: ReadType, names: Collection[str], alias: str) -> str:
        if EVERY_ROW in names:
            return EVERYTHING
        known = [read_type.scopes[name] for name in sorted(names) if name in read_type.scopes]
        if EVERYTHING in known:
            return EVERYTHING
        return f"({' OR '.join(f'({self.expand(item, alias)})' for item in known)})" if known else NOTHING

    def _value(self, name: str) -> str:
        if name == "tenant":
            return self.tenant
        source, sql_type = _VALUES[name]
        return self._statement.parameter(source, sql_type, name=name)


def is_structural(field: FieldMapping) -> bool:
    """Whether the field comes with its type, without a right of its own."""
    return isinstance(field, Column | Expression) and field.structural


def masked_name(field: Sealed) -> str:
    """How rights call the masked form of a sealed field."""
    return f"{field.name}.masked"


def _tenant_of(binding: object) -> object:
    caller: Caller = binding.caller  # type: ignore[attr-defined]
    return caller.actor.tenant_id


_VALUES = {
    "employee": (lambda binding: binding.caller.actor.employee_id, "uuid"),
    "today": (lambda binding: binding.caller.today, "date"),
    "now": (lambda binding: binding.caller.now, "timestamptz"),
}
