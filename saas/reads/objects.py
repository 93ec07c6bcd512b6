"""Objects: the selection on one row becomes one JSON object, relation by relation, right by right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from graphql import FieldNode

from saas.access.table import FieldAccess, FieldRight
from saas.kernel import FieldForbidden
from saas.reads.compilation import Compilation
from saas.reads.connections import ListOf, connection
from saas.reads.documents import Project, projection
from saas.reads.kinds import json_of
from saas.reads.mapping import (
    Column,
    Expression,
    FieldMapping,
    ReadType,
    Sealed,
    SealedDocument,
    ToMany,
    ToOne,
    ToUnion,
)
from saas.reads.rights import masked_name
from saas.reads.statement import (
    HOLE,
    NULL,
    At,
    Piece,
    RefusedSlot,
    SealedSlot,
    Sql,
    Text,
    ViewedSlot,
    join,
    json_object,
    read_error,
    sql_of,
)


class ObjectCompiler:
    """Renders rows of any type; lists and objects below call back into it."""

    def __init__(self, context: Compilation) -> None:
        self._context = context

    def render(self, read_type: ReadType, alias: str, nodes: Sequence[FieldNode], at: At) -> Piece:
        """The selection below merged fields, on the row that `alias` names."""
        return self.render_fields(read_type, alias, self._context.selections.below(read_type.name, nodes), at)

    def render_fields(
        self, read_type: ReadType, alias: str, fields: Mapping[str, Sequence[FieldNode]], at: At
    ) -> Piece:
        """Collected fields as a JSON object."""
        return json_object([(key, self._field(read_type, alias, nodes, at.down(key))) for key, nodes in fields.items()])

    def one(
        self, read_type: ReadType, conditions: Callable[[str], list[str]], nodes: Sequence[FieldNode], at: At
    ) -> Piece:
        """The one visible row that the conditions name, or null."""
        return self._row(read_type, conditions, nodes, at, lambda _: [])

    def by_id(
        self, read_type: ReadType, conditions: Callable[[str], list[str]], nodes: Sequence[FieldNode], at: At
    ) -> Piece:
        """The same of a row that the caller asks for by its id, which is noted where its type has that counted."""
        return self._row(read_type, conditions, nodes, at, partial(self._noted, read_type))

    def _noted(self, read_type: ReadType, alias: str) -> list[Piece]:
        counted = self._context.rights.counted_rows(read_type, alias)
        if counted is None:
            return []
        slot, row_id = self._context.statement.slot(ViewedSlot(read_type.name)), Sql(hex_id(f"{alias}.id"))
        hole = sql_of(join([Text(f"{HOLE}{slot}:"), row_id, Text(f":{HOLE}")]))
        return [Sql(f"CASE WHEN {counted} THEN {hole} ELSE '' END")]

    def _row(
        self,
        read_type: ReadType,
        conditions: Callable[[str], list[str]],
        nodes: Sequence[FieldNode],
        at: At,
        behind: Callable[[str], list[Piece]],
    ) -> Piece:
        if not self._context.rights.knows(read_type.name):
            return NULL
        alias = self._context.statement.alias()
        where = " AND ".join([*conditions(alias), *self._context.rights.rows(read_type, alias)])
        row = sql_of(join([self.render(read_type, alias, nodes, at), *behind(alias)]))
        return Sql(f"coalesce((SELECT {row} FROM {read_type.table} {alias} WHERE {where}), 'null')")

    def _field(self, read_type: ReadType, alias: str, nodes: Sequence[FieldNode], at: At) -> Piece:
        self._context.count_field()
        name = nodes[0].name.value
        if name == "__typename":
            return Text(f'"{read_type.name}"')
        if name == "id":
            return id_piece(read_type, f"{alias}.id")
        field = self._context.registry.field(read_type.name, name)
        if field is None:
            raise KeyError(f"{read_type.name}.{name} is not mapped")
        self._context.rights.require_known(f"{read_type.name}.{name}")
        return self._guarded(read_type, alias, field, nodes, at)

    def _guarded(
        self, read_type: ReadType, alias: str, field: FieldMapping, nodes: Sequence[FieldNode], at: At
    ) -> Piece:
        """The field as the right to read it allows: whole, masked, in some rows, or null with an error."""
        rights = self._context.rights
        right = rights.of_masked(read_type, field) if isinstance(field, Sealed) else rights.of_field(read_type, field)
        if right.access in (FieldAccess.DENY, FieldAccess.MASKED):
            error = rights.refusal("reads.field_forbidden", read_type, field)
            self._context.statement.report(error, at, field=f"{read_type.name}.{field.name}")
            return NULL
        piece = self._value(read_type, alias, field, nodes, at)
        if piece == NULL:
            return piece
        name = masked_name(field) if isinstance(field, Sealed) else field.name
        return self._in_rows(read_type, alias, field, right, piece, at, name=name)

    def _in_rows(
        self,
        read_type: ReadType,
        alias: str,
        field: FieldMapping,
        right: FieldRight,
        piece: Piece,
        at: At,
        *,
        name: str,
    ) -> Piece:
        """The piece in the rows that the right to `name` covers; elsewhere null with an error."""
        if right.access is not FieldAccess.ROWS:
            return piece
        rights = self._context.rights
        readable = rights.readable_rows(read_type, name, right, alias)
        otherwise = self._refused(
            read_type, field, rights.refusal("reads.field_forbidden_in_row", read_type, field), at
        )
        veiled = rights.refusal_by_veil(read_type, name)
        if veiled is not None:  # who would read it but for the veil is told so
            granted, told = rights.granted_rows(read_type, right, alias), self._refused(read_type, field, veiled, at)
            otherwise = f"CASE WHEN {granted} THEN {told} ELSE {otherwise} END"
        return Sql(f"CASE WHEN {readable} THEN {sql_of(piece)} ELSE {otherwise} END")

    def _refused(self, read_type: ReadType, field: FieldMapping, error: FieldForbidden, at: At) -> str:
        """The hole of a field that is refused in this row."""
        slot = self._context.statement.slot(RefusedSlot(read_error(error, at, field=f"{read_type.name}.{field.name}")))
        return sql_of(Text(f"{HOLE}{slot}{HOLE}"))

    def _value(
        self,
        read_type: ReadType,
        alias: str,
        field: FieldMapping,
        nodes: Sequence[FieldNode],
        at: At,
    ) -> Piece:
        match field:
            case Column():
                return self._printed(f"{alias}.{field.column}", field)
            case Expression():
                return self._printed(f"({self._context.rights.expand(field.sql, alias)})", field)
            case Sealed():
                return self._sealed(read_type, alias, field, nodes, at)
            case SealedDocument():
                return self._document(read_type, alias, field, nodes)
            case ToOne():
                return self._to_one(field, f"{alias}.{field.column}", nodes, at)
            case ToMany():
                return self._to_many(read_type, alias, field, nodes, at)
            case ToUnion():
                return self._to_union(alias, field, nodes, at)

    def _printed(self, sql: str, field: Column | Expression) -> Piece:
        return Sql(json_of(sql, field.kind, nullable=not field.structural, digits=self._context.digits))

    def _to_one(self, field: ToOne, reference: str, nodes: Sequence[FieldNode], at: At) -> Piece:
        target = self._context.registry.types[field.target]
        return self.one(target, lambda alias: [f"{alias}.id = {reference}"], nodes, at)

    def _to_many(self, read_type: ReadType, alias: str, field: ToMany, nodes: Sequence[FieldNode], at: At) -> Piece:
        rows = ListOf(
            name=f"{read_type.name}.{field.name}",
            read_type=self._context.registry.types[field.target],
            default_order=field.default_order,
            conditions=lambda inner: [f"{inner}.{field.foreign_column} = {alias}.id"],
        )
        return self._context.attempt(at, lambda: connection(self._context, rows, nodes, at, self.render))

    def _to_union(self, alias: str, field: ToUnion, nodes: Sequence[FieldNode], at: At) -> Piece:
        def row(name: str) -> str:
            target = self._context.registry.types[name]
            return sql_of(self.one(target, lambda inner: [f"{inner}.id = {alias}.{field.id_column}"], nodes, at))

        whens = " ".join(f"WHEN '{name}' THEN {row(name)}" for name in field.targets)
        return Sql(f"CASE {alias}.{field.type_column} {whens} ELSE 'null' END")

    def _sealed(
        self,
        read_type: ReadType,
        alias: str,
        field: Sealed,
        nodes: Sequence[FieldNode],
        at: At,
    ) -> Piece:
        """``{value masked}``; null where the row has no masked form, which is where it has no value.

        The right to the masked form has been looked at; the value may need more, or be for fewer rows.
        """
        right = self._context.rights.of_field(read_type, field)
        members: list[tuple[str, Piece]] = []
        for key, group in self._context.selections.below(field.type_name, nodes).items():
            self._context.count_field()
            name = group[0].name.value
            if name == "masked":
                members.append((key, Sql(f"to_json({alias}.{field.masked_column}::text)::text")))
            elif name == "__typename":
                members.append((key, Text(f'"{field.type_name}"')))
            elif right.access in (FieldAccess.DENY, FieldAccess.MASKED):
                error = self._context.rights.refusal("reads.value_masked", read_type, field)
                self._context.statement.report(error, at.down(key), field=f"{read_type.name}.{field.name}")
                members.append((key, NULL))
            else:
                hole = self._hole(read_type, alias, field)
                members.append(
                    (key, self._in_rows(read_type, alias, field, right, hole, at.down(key), name=field.name))
                )
        shown = sql_of(json_object(members))
        return Sql(f"CASE WHEN {alias}.{field.masked_column} IS NULL THEN 'null' ELSE {shown} END")

    def _document(self, read_type: ReadType, alias: str, field: SealedDocument, nodes: Sequence[FieldNode]) -> Piece:
        """The document's selected members; null where the row has none."""
        assert self._context.spoken is not None, "a reader of documents is wired with a catalogue"
        project = projection(field, nodes, self._counted, self._context.spoken)
        hole = sql_of(self._hole(read_type, alias, field, project))
        return Sql(f"CASE WHEN {alias}.{field.sealed_column} IS NULL THEN 'null' ELSE {hole} END")

    def _counted(self, type_name: str, nodes: Sequence[FieldNode]) -> Mapping[str, Sequence[FieldNode]]:
        """The fields selected below, each of which bounds the statement as any other does."""
        found = self._context.selections.below(type_name, nodes)
        for _ in found:
            self._context.count_field()
        return found

    def _hole(
        self, read_type: ReadType, alias: str, field: Sealed | SealedDocument, project: Project | None = None
    ) -> Piece:
        """A hole that names the slot and the row, and carries the sealed bytes to be opened in Python."""
        slot = self._context.statement.slot(SealedSlot(read_type.name, read_type.table, field, project))
        row_id, sealed = Sql(hex_id(f"{alias}.id")), Sql(f"encode({alias}.{field.sealed_column}, 'hex')")
        return join([Text(f"{HOLE}{slot}:"), row_id, Text(":"), sealed, Text(HOLE)])


def id_piece(read_type: ReadType, sql: str) -> Piece:
    """A public id: the type's prefix and 32 hex digits."""
    return join([Text(f'"{read_type.prefix}_'), Sql(hex_id(sql)), Text('"')])


def hex_id(sql: str) -> str:
    """The 32 hex digits of a uuid."""
    return f"replace({sql}::text, '-', '')"
