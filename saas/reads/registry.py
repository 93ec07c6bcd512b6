"""All mappings of one process, merged and checked: rooms and plugins declare, the registry finds what contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from saas.reads.mapping import (
    Column,
    EnumKind,
    Expression,
    FieldMapping,
    GroupRoot,
    ListRoot,
    Member,
    Members,
    ReadType,
    RoomReads,
    RootMapping,
    ScalarKind,
    SealedDocument,
    ToMany,
    ToOne,
    ToUnion,
)
from saas.reads.naming import NODE, group_values, order_values

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_ENUM_VALUE = re.compile(r"[A-Z][A-Z0-9_]*")
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")
_PREFIX = re.compile(r"[a-z]{2,5}")
_COLUMNS = (
    "column",
    "order_column",
    "sealed_column",
    "masked_column",
    "index_column",
    "foreign_column",
    "type_column",
    "id_column",
)
_NUMBERS = (ScalarKind.INT, ScalarKind.DECIMAL, ScalarKind.AMOUNT)
_MINOR = "_minor"
_RESERVED = frozenset({"id", "and", "or", "not", "count", "key"})


class InvalidMapping(Exception):
    """The declarations of rooms or plugins contradict each other; raised at the start, never while serving."""


class Registry:
    """Types, root fields, unions and enums by name, with the plugin that each belongs to.

    :raises InvalidMapping: unknown targets, names given twice, a type without row scopes, an order that is not one.
    """

    def __init__(self, rooms: Iterable[RoomReads]) -> None:
        rooms = tuple(rooms)
        self._plugins: dict[str, str | None] = {}
        self.types: Mapping[str, ReadType] = self._merge_types(rooms)
        self.roots: tuple[RootMapping, ...] = tuple(root for room in rooms for root in room.roots)
        self.roots_by_name: Mapping[str, RootMapping] = {root.name: root for root in self.roots}
        self._by_prefix = {item.prefix: item for item in self.types.values()}
        self._fields = {name: {field.name: field for field in item.fields} for name, item in self.types.items()}
        self._note_root_plugins(rooms)
        self.unions: Mapping[str, tuple[str, ...]] = self._collect_unions()
        self.enums: Mapping[str, EnumKind] = self._collect_enums()
        self._check()

    def type_of(self, prefix: str) -> ReadType | None:
        """The type whose ids begin with `prefix`."""
        return self._by_prefix.get(prefix)

    def field(self, type_name: str, name: str) -> FieldMapping | None:
        """The mapping of ``type_name.name``; None for one that is not mapped (and for ``id``)."""
        return self._fields[type_name].get(name)

    def plugin_of(self, name: str) -> str | None:
        """The plugin that a type (``Customer``), field (``Customer.area``) or root field (``Query.areas``) is of."""
        return self._plugins.get(name)

    def members(self, abstract: str) -> tuple[str, ...]:
        """The object types of the interface Node or of a union; of an object type, itself."""
        if abstract == NODE:
            return tuple(self.types)
        return self.unions.get(abstract, (abstract,))

    def _merge_types(self, rooms: tuple[RoomReads, ...]) -> dict[str, ReadType]:
        types: dict[str, ReadType] = {}
        for room in rooms:
            for item in room.types:
                _require(item.name not in types, f"type {item.name} is declared twice")
                types[item.name] = item
                self._plugins[item.name] = room.plugin
        for room in rooms:
            for name, fields in room.extends.items():
                _require(name in types, f"fields {_names(fields)} extend {name}, which no room declares")
                types[name] = replace(types[name], fields=(*types[name].fields, *fields))
                self._plugins.update({f"{name}.{field.name}": room.plugin for field in fields})
        return types

    def _note_root_plugins(self, rooms: tuple[RoomReads, ...]) -> None:
        self._plugins.update({f"Query.{root.name}": room.plugin for room in rooms for root in room.roots})

    def _collect_unions(self) -> dict[str, tuple[str, ...]]:
        unions: dict[str, tuple[str, ...]] = {}
        for place, field in self._all_fields():
            if isinstance(field, ToUnion):
                known = unions.setdefault(field.union, field.targets)
                _require(known == field.targets, f"{place}: union {field.union} is declared with other members")
        return unions

    def _collect_enums(self) -> dict[str, EnumKind]:
        enums: dict[str, EnumKind] = {}
        for place, field in self._all_fields():
            for kind in _enums_of(field):
                known = enums.setdefault(kind.name, kind)
                _require(known == kind, f"{place}: enum {kind.name} is declared with other values")
        return enums

    def _all_fields(self) -> Iterable[tuple[str, FieldMapping]]:
        for item in self.types.values():
            for field in item.fields:
                yield f"{item.name}.{field.name}", field

    def _check(self) -> None:
        _require(len(self._by_prefix) == len(self.types), "two types share an id prefix")
        _require(len(self.roots_by_name) == len(self.roots), f"root fields are declared twice: {_names(self.roots)}")
        for item in self.types.values():
            names = [field.name for field in item.fields]
            _require(bool(_PREFIX.fullmatch(item.prefix)), f"type {item.name}: no id prefix: {item.prefix}")
            _require(bool(_IDENTIFIER.fullmatch(item.table)), f"type {item.name}: no table name: {item.table}")
            _require(bool(_NAME.fullmatch(item.name)), f"no type name: {item.name}")
            _require(bool(item.scopes), f"type {item.name} has no row scopes: nobody could ever see a row")
            _require(len(set(names)) == len(names), f"type {item.name} has two fields of one name: {names}")
        for place, field in self._all_fields():
            _require(field.name not in _RESERVED, f"{place}: the name is reserved")
            _check_names(place, field)
            self._check_field(place, field)
        for root in self.roots:
            self._check_root(root)

    def _check_field(self, place: str, field: FieldMapping) -> None:
        targets = {ToOne: "target", ToMany: "target", ToUnion: "targets"}.get(type(field))
        if targets is not None:
            named = getattr(field, targets)
            for target in (named,) if isinstance(named, str) else named:
                _require(target in self.types, f"{place}: no room declares its target {target}")
        if isinstance(field, ToMany):
            self._check_order(place, field.target, field.default_order)
        if isinstance(field, Column) and field.summed:
            _require(field.kind in _NUMBERS, f"{place}: only Int, Decimal and Amount columns can be summed")
        if isinstance(field, Column):
            is_amount = field.kind is ScalarKind.AMOUNT
            _require(
                is_amount == field.column.endswith(_MINOR),
                f"{place}: amounts stand in columns …{_MINOR}, and only they",
            )

    def _check_root(self, root: RootMapping) -> None:
        place = f"Query.{root.name}"
        _require(root.target in self.types, f"{place}: no room declares its target {root.target}")
        _require(root.name not in ("node", "nodes"), f"{place}: the name is reserved")
        if isinstance(root, ListRoot):
            self._check_order(place, root.target, root.default_order)
        if isinstance(root, GroupRoot):
            _require(bool(group_values(self.types[root.target])), f"{place}: {root.target} has no groupable field")

    def _check_order(self, place: str, target: str, order: str) -> None:
        known = order_values(self.types[target])
        _require(order in known, f"{place}: {order} is not an order of {target}; it has {', '.join(known)}")


def _enums_of(field: FieldMapping | Member | Members) -> Iterator[EnumKind]:
    """The enums of a column, or of all members of a document."""
    if isinstance(field, SealedDocument | Members):
        for member in field.members:
            yield from _enums_of(member)
    elif isinstance(field, Column | Expression | Member) and isinstance(field.kind, EnumKind):
        yield field.kind


def _check_names(place: str, field: FieldMapping) -> None:
    """Names end up in SQL and in JSON text unquoted, so they are plain words."""
    _require(bool(_NAME.fullmatch(field.name)), f"{place}: no field name")
    for attribute in _COLUMNS:
        column = getattr(field, attribute, None)
        _require(column is None or bool(_IDENTIFIER.fullmatch(column)), f"{place}: no column name: {column}")
    kind = getattr(field, "kind", None)
    if isinstance(kind, EnumKind):
        _require(all(_ENUM_VALUE.fullmatch(name) for name in kind.values), f"{place}: enum values are UPPER_CASE")


def _names(items: Iterable[FieldMapping | RootMapping]) -> str:
    return ", ".join(item.name for item in items)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise InvalidMapping(otherwise)
