"""Which declared filters, orders and relations no index answers: asked of PostgreSQL itself, as the application role.

Each room's tests call `pretend_large` once and `missing_indexes` for its types. Under row-level security an operator
that is not leakproof (on numeric, for one) never reaches an index, however many there are: only the plan tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import asyncpg
import orjson

from saas.access.table import ALLOWED, AccessTable
from saas.kernel import Actor, minor_digits, new_id, public_id
from saas.reads.arguments import Argument, Binding, Leaf
from saas.reads.compilation import Compilation
from saas.reads.contract import Caller, OpenRow
from saas.reads.filters import FilterCompiler
from saas.reads.mapping import Column, EnumKind, FilterOp, ReadType, ScalarKind, Sealed, ToMany, ToOne
from saas.reads.naming import order_values
from saas.reads.orders import order_of
from saas.reads.registry import Registry
from saas.reads.rights import EVERY_ROW, Rights
from saas.reads.selection import Selections
from saas.reads.statement import At, Statement
from tenants import Transaction

_NO_DETOURS = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
_LARGE = """
SELECT pg_restore_relation_stats(
    'schemaname', n.nspname::text, 'relname', c.relname::text, 'relpages', 1, 'reltuples', 1000000::real
) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::text::regclass
"""
_SAMPLES: Mapping[ScalarKind, object] = {
    ScalarKind.ID: "x",
    ScalarKind.STRING: "x",
    ScalarKind.INT: 7,
    ScalarKind.BOOLEAN: True,
    ScalarKind.DECIMAL: Decimal(7),
    ScalarKind.AMOUNT: Decimal(7),
    ScalarKind.DATE: date(2026, 1, 2),
    ScalarKind.DATETIME: datetime(2026, 1, 2, tzinfo=UTC),
}


class _Question(NamedTuple):
    """A scan that an index should answer: the column it must find rows by, and the keys it must yield them in."""

    name: str
    column: str | None
    conditions: list[str]
    order: str | None


class _SampleKeys:
    """Keys for questions: no value is sealed or opened by them."""

    def __call__(self, data_class: str, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        raise NotImplementedError("questions to the planner open nothing")

    def blind_index(self, data_class: str, field: str, text: str) -> bytes:
        return b"\x00" * 16


async def pretend_large(owner: asyncpg.Connection[asyncpg.Record], registry: Registry) -> None:
    """Let the planner believe that the registry's tables are large, so that its choice of an index means something.

    With a handful of rows every index costs the same and any may be named. `owner` owns the tables (PostgreSQL 18).
    """
    for item in registry.types.values():
        await owner.execute(_LARGE, item.table)


async def missing_indexes(registry: Registry, type_name: str, transaction: Transaction) -> list[str]:
    """A sentence per declared filter, order and to-many relation of a type that PostgreSQL finds no index for.

    `transaction` must be bound to a tenant, as the application role; its planner settings are changed for its rest.
    """
    await transaction.execute(_NO_DETOURS)
    tenant_id = transaction.tenant_id
    assert tenant_id is not None
    found: list[str] = []
    for question, sql, binding_values in _questions(registry, registry.types[type_name], tenant_id):
        plan = orjson.loads(await transaction.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *binding_values))[0]["Plan"]
        complaint = _complaint(question, list(_nodes(plan)))
        if complaint:
            found.append(f"{question.name}: {complaint}")
    return found


def _complaint(question: _Question, nodes: list[dict[str, object]]) -> str | None:
    sorts = [node for node in nodes if "Sort" in str(node["Node Type"])]
    if question.order is not None and sorts:
        return f"no index yields the order ({question.order})"
    indexed = " ".join(str(node.get("Index Cond", "")) for node in nodes)
    if question.column is not None and question.column not in indexed:
        return f"no index begins with (tenant_id, {question.column})"
    return None


def _nodes(plan: dict[str, object]) -> Iterator[dict[str, object]]:
    yield plan
    children = plan.get("Plans", [])
    assert isinstance(children, list)
    for child in children:
        yield from _nodes(child)


def _questions(
    registry: Registry, read_type: ReadType, tenant_id: UUID
) -> Iterator[tuple[_Question, str, list[object]]]:
    binding = _everything(registry, tenant_id)
    for field in read_type.fields:
        for op in _operators(field):
            context = _context(registry, binding)
            operand: Argument = {field.name: {op.value: _sample(registry, field, op)}}
            condition = FilterCompiler(context, read_type, "a", At(("filter",))).condition(operand)
            name = f"{read_type.name}.{field.name} {op.value}"
            column = field.column if isinstance(field, Column | ToOne) else str(getattr(field, "index_column", None))
            yield _asked(context, binding, read_type, _Question(name, column, [condition or "true"], None))
        if isinstance(field, ToMany):
            target = registry.types[field.target]
            context = _context(registry, binding)
            parent = context.statement.parameter(lambda _: new_id(), "uuid")
            name = f"{read_type.name}.{field.name} {field.default_order}"
            tie = [f"a.{field.foreign_column} = {parent}"]
            order = _order_sql(context, target, field.default_order)
            yield _asked(context, binding, target, _Question(name, field.foreign_column, tie, order))
    for order_value in order_values(read_type):
        context = _context(registry, binding)
        order = _order_sql(context, read_type, order_value)
        yield _asked(context, binding, read_type, _Question(f"{read_type.name} {order_value}", None, [], order))


def _operators(field: object) -> list[FilterOp]:
    if isinstance(field, Column | ToOne):
        return sorted(field.filters, key=lambda op: op.value)
    return [FilterOp.EQ] if isinstance(field, Sealed) and field.index_column is not None else []


def _sample(registry: Registry, field: object, op: FilterOp) -> Leaf:
    if op is FilterOp.IS_NULL:
        return Leaf(value=True)
    if isinstance(field, ToOne):
        sample: object = public_id(registry.types[field.target].prefix, new_id())
    elif isinstance(field, Column):
        sample = next(iter(field.kind.values)) if isinstance(field.kind, EnumKind) else _SAMPLES[field.kind]
    else:
        sample = "x"
    return Leaf([sample] if op is FilterOp.IN else sample)


def _order_sql(context: Compilation, read_type: ReadType, order_value: str) -> str:
    order = order_of(context, read_type, Leaf(order_value), order_value, "a")
    ends = "a.id DESC" if order.id_descending else "a.id"
    return ", ".join([*(key.ordered(key.sql) for key in order.keys), ends])


def _asked(
    context: Compilation, binding: Binding, read_type: ReadType, question: _Question
) -> tuple[_Question, str, list[object]]:
    where = " AND ".join([*context.rights.rows(read_type, "a"), *question.conditions])
    order = f" ORDER BY {question.order} LIMIT 20" if question.order else ""
    sql, parameters, _ = context.statement.finish(f"SELECT a.id FROM {read_type.table} a WHERE {where}{order}")
    return question, sql, [parameter.source(binding) for parameter in parameters]


def _everything(registry: Registry, tenant_id: UUID) -> Binding:
    """A caller who may do everything with every type."""
    names = frozenset(f"{item.name}.{field.name}" for item in registry.types.values() for field in item.fields)
    access = AccessTable(
        fingerprint="everything",
        fields=dict.fromkeys(names, ALLOWED),
        usable=names,
        aggregable=names,
        scopes={name: frozenset({EVERY_ROW}) for name in registry.types},
    )
    plugins = frozenset(plugin for name in names if (plugin := registry.plugin_of(name)) is not None)
    actor = Actor(tenant_id, new_id(), None, frozenset())
    keys: OpenRow = _SampleKeys()
    return Binding({}, Caller(actor, access, datetime.now(UTC), date(2026, 1, 2), plugins=plugins), keys)


def _context(registry: Registry, binding: Binding) -> Compilation:
    caller, statement = binding.caller, Statement()
    digits = minor_digits(caller.currency)
    rights = Rights(registry, caller.access, caller.plugins, statement)
    return Compilation(registry, rights, statement, Selections(registry, {}, {}), {}, caller.max_page, {}, digits)
