"""Root fields: each becomes one statement that sets its tenant, checks its session and returns finished JSON.

The tenant is set by a sub-select that every outermost scan depends on (`GATE`), in a scalar sub-select of the
select list: PostgreSQL evaluates those for a row of the setting sub-select, never before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphql import FieldNode, SelectionSetNode

from saas.kernel import split_public_id
from saas.reads.arguments import Argument, Binding, Leaf, plain, read_arguments, source_of
from saas.reads.compilation import GATE, Compilation
from saas.reads.connections import ListOf, connection
from saas.reads.contract import ReadError
from saas.reads.errors import bad_input
from saas.reads.groups import groups
from saas.reads.kinds import id_converter
from saas.reads.mapping import GroupRoot, ListRoot, OneRoot, ReadType
from saas.reads.objects import ObjectCompiler
from saas.reads.statement import At, Parameter, Piece, Slot, Sql, Text, sql_of

MOST_IDS = 100
_TENANT = "set_config('app.tenant_id', {tenant}::text, true) AS v"
_SESSION = "set_config('app.session', {session}, true) AS s"


@dataclass(frozen=True, slots=True)
class RootPlan:
    """One compiled root field. `sql` is None where nothing is left to ask; `constant` is the answer then.

    `unsent` are arguments that the SQL has no use for (the filter of a list of which nothing is selected): they are
    checked like all others.
    """

    sql: str | None
    constant: bytes
    parameters: tuple[Parameter, ...]
    unsent: tuple[Parameter, ...]
    errors: tuple[ReadError, ...]
    slots: tuple[Slot, ...]
    needs_keys: bool
    cacheable: bool


def compile_root(context: Compilation, nodes: Sequence[FieldNode], at: At, *, session: str | None) -> RootPlan:
    """A root field; `session` names the view that tells the session's present stamp, where one is asked for."""
    name = nodes[0].name.value
    context.count_field()

    def piece() -> Piece:
        if name == "node":
            return _node(context, nodes, at)
        if name == "nodes":
            return _nodes(context, nodes, at)
        context.rights.require_known(f"Query.{name}")
        return _declared(context, nodes, at)

    return _root_plan(context, context.attempt(at, piece), session)


def compile_objects(context: Compilation, read_type: ReadType, sets: Sequence[SelectionSetNode], at: At) -> RootPlan:
    """Rows of one type by id, the ids being given at each run; the statement returns a text per id, in their order."""
    fields = context.selections.of(read_type.name, sets)
    objects = ObjectCompiler(context)
    alias = context.statement.alias()
    where = " AND ".join([f"{alias}.id = o.id", *context.rights.rows(read_type, alias)])
    row = sql_of(objects.render_fields(read_type, alias, fields, at))
    one = f"coalesce((SELECT {row} FROM {read_type.table} {alias} WHERE {where}), 'null')"
    ids = context.statement.parameter(lambda binding: binding.ids, "uuid[]")
    listed = f"(SELECT array_agg({one} ORDER BY o.n) FROM unnest({ids}) WITH ORDINALITY o(id, n) WHERE {GATE})"
    return _finish(context, f"{listed} AS v", session=None)


def _declared(context: Compilation, nodes: Sequence[FieldNode], at: At) -> Piece:
    root = context.registry.roots_by_name[nodes[0].name.value]
    if isinstance(root, GroupRoot):
        return groups(context, root, nodes, at)
    read_type = context.registry.types[root.target]
    if isinstance(root, ListRoot):
        rows = ListOf(f"Query.{root.name}", read_type, root.default_order, lambda _: [GATE])
        return connection(context, rows, nodes, at, ObjectCompiler(context).render)
    return _one(context, root, read_type, nodes, at)


def _one(context: Compilation, root: OneRoot, read_type: ReadType, nodes: Sequence[FieldNode], at: At) -> Piece:
    argument = read_arguments(nodes[0], context.variables)["id"]
    return _by_id(context, read_type, argument, nodes, at)


def _by_id(context: Compilation, read_type: ReadType, argument: Argument, nodes: Sequence[FieldNode], at: At) -> Piece:
    row_id = context.statement.parameter(source_of(argument, id_converter(read_type.prefix)), "uuid", at=at)
    return ObjectCompiler(context).by_id(read_type, lambda alias: [GATE, f"{alias}.id = {row_id}"], nodes, at)


def _node(context: Compilation, nodes: Sequence[FieldNode], at: At) -> Piece:
    argument = read_arguments(nodes[0], context.variables)["id"]
    prefix, _ = split_public_id(str(plain(argument)))
    return _by_id(context, _type_of(context, prefix), argument, nodes, at)


def _nodes(context: Compilation, nodes: Sequence[FieldNode], at: At) -> Piece:
    """Each id by the type that its prefix names; a missing row is null in its place."""
    argument = read_arguments(nodes[0], context.variables)["ids"]
    given = plain(argument)
    ids = given if isinstance(given, list) else [given]
    if len(ids) > MOST_IDS:
        raise bad_input("reads.too_many_ids", given=len(ids), most=MOST_IDS)
    prefixes = sorted({split_public_id(str(item))[0] for item in ids})
    parameters = [
        context.statement.parameter(source_of(_listed(argument), part), sql_type, at=at)
        for part, sql_type in ((_uuids, "uuid[]"), (_prefixes, "text[]"))
    ]
    objects = ObjectCompiler(context)
    item_at = at.into_list()
    rows = {
        prefix: objects.by_id(_type_of(context, prefix), lambda alias: [f"{alias}.id = o.id"], nodes, item_at)
        for prefix in prefixes
    }
    if not rows:
        return Text("[]")
    whens = " ".join(f"WHEN '{prefix}' THEN {sql_of(row)}" for prefix, row in rows.items())
    source = f"unnest({parameters[0]}, {parameters[1]}) WITH ORDINALITY o(id, prefix, n)"
    texts = f"string_agg(CASE o.prefix {whens} END, ',' ORDER BY o.n)"
    return Sql(f"(SELECT concat('[', {texts}, ']') FROM {source} WHERE {GATE})")


def _listed(argument: Argument) -> Argument:
    return [argument] if isinstance(argument, Leaf) and not isinstance(argument.value, list) else argument


def _uuids(values: object) -> object:
    return [split_public_id(str(value))[1] for value in values]  # type: ignore[attr-defined]


def _prefixes(values: object) -> object:
    if len(values) > MOST_IDS:  # type: ignore[arg-type]
        raise bad_input("reads.too_many_ids", given=len(values), most=MOST_IDS)  # type: ignore[arg-type]
    return [split_public_id(str(value))[0] for value in values]  # type: ignore[attr-defined]


def _type_of(context: Compilation, prefix: str) -> ReadType:
    read_type = context.registry.type_of(prefix)
    if read_type is None or not context.rights.knows(read_type.name):
        raise bad_input("reads.id_prefix_unknown", prefix=prefix)
    return read_type


def _root_plan(context: Compilation, piece: Piece, session: str | None) -> RootPlan:
    if isinstance(piece, Text) and session is None:
        statement = context.statement
        _, _, unsent = statement.finish("")
        errors = tuple(statement.errors)
        return RootPlan(None, piece.text.encode(), (), unsent, errors, (), statement.needs_keys, context.cacheable)
    return _finish(context, f"convert_to({sql_of(piece)}, 'UTF8') AS v", session=session)


def _finish(context: Compilation, column: str, *, session: str | None) -> RootPlan:
    statement = context.statement
    columns, settings = [column], [_TENANT.format(tenant=context.rights.tenant)]
    if session is not None:
        columns.append(f"(SELECT p.stamp FROM {session} p WHERE t.s IS NOT NULL) AS stamp")
        settings.append(_SESSION.format(session=statement.parameter(_session_of, "text")))
    setting = f"(SELECT {', '.join(settings)} OFFSET 0) t"
    sql, parameters, unsent = statement.finish(f"SELECT {', '.join(columns)} FROM {setting}")
    return RootPlan(
        sql,
        b"null",
        parameters,
        unsent,
        tuple(statement.errors),
        tuple(statement.slots),
        statement.needs_keys,
        context.cacheable,
    )


def _session_of(binding: Binding) -> object:
    """In hexadecimal digits, as the setting holds it."""
    session_hash = binding.caller.session_hash
    return session_hash.hex() if session_hash is not None else None
