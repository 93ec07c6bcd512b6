"""What rooms declare to read fits the tables: columns exist, and what is filtered or ordered has an index."""

from __future__ import annotations

import asyncpg
import pytest
import pytest_asyncio

import saas.circulation
import saas.customers
import saas.exchange
import saas.incentives
import saas.payroll
import saas.people
import saas.sales
from saas.reads.mapping import (
    Column,
    Expression,
    FieldMapping,
    ListRoot,
    ReadType,
    Sealed,
    SealedDocument,
    ToMany,
    ToOne,
    ToUnion,
)
from tenants.schema import OWNER
from tests.conftest import role_url

ROOMS = (
    saas.exchange.reads,
    saas.people.reads,
    saas.customers.reads,
    saas.sales.reads,
    saas.incentives.reads,
    saas.circulation.reads,
    saas.payroll.reads,
)
TYPES = {each.name: each for room in ROOMS for each in room.types}
ADDED = [(target, field) for room in ROOMS for target, fields in room.extends.items() for field in fields]
FIELDS = [(each, field) for each in TYPES.values() for field in each.fields] + [
    (TYPES[target], field) for target, field in ADDED
]
_INDEXES = """
    SELECT i.indrelid::regclass::text AS table,
           ARRAY(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY place) AS columns
    FROM pg_index i WHERE i.indpred IS NULL AND i.indexprs IS NULL
"""
_COLUMNS = """
    SELECT table_name || '.' || column_name AS name, collation_name FROM information_schema.columns
    WHERE table_schema = 'public'
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def indexes(superuser_url: str, template: str) -> set[tuple[str, ...]]:
    """(table, columns…) of every whole index, and of every beginning of one."""
    connection = await asyncpg.connect(role_url(superuser_url, OWNER, template))
    rows = await connection.fetch(_INDEXES)
    await connection.close()
    return {(row["table"], *row["columns"][:length]) for row in rows for length in range(1, len(row["columns"]) + 1)}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def columns(superuser_url: str, template: str) -> dict[str, str | None]:
    """``table.column`` → its collation."""
    connection = await asyncpg.connect(role_url(superuser_url, OWNER, template))
    rows = await connection.fetch(_COLUMNS)
    await connection.close()
    return {row["name"]: row["collation_name"] for row in rows}


def stored(field: FieldMapping) -> list[str]:
    """The columns of its own table that a field is read from."""
    match field:
        case Column():
            return [field.column, *([field.order_column] if field.order_column else [])]
        case Sealed():
            return [field.sealed_column, field.masked_column, *([field.index_column] if field.index_column else [])]
        case SealedDocument():
            return [field.sealed_column]
        case ToOne():
            return [field.column]
        case ToUnion():
            return [field.type_column, field.id_column]
        case ToMany() | Expression():
            return []


def looked_up(field: FieldMapping) -> list[str]:
    """The columns of its own table that a field is filtered or ordered by."""
    match field:
        case Column():
            filtered = [field.column] if field.filters else []
            return [*filtered, *([field.order_column or field.column] if field.orderable else [])]
        case Sealed():
            return [field.index_column] if field.index_column else []
        case ToOne():
            return [field.column] if field.filters else []
        case _:
            return []


def ordering(target: ReadType, order: str) -> Column:
    """The column behind an order value such as ``OCCURRED_AT_DESC``."""
    wanted = order.rsplit("_", 1)[0].replace("_", "").lower()
    return next(field for field in target.fields if isinstance(field, Column) and field.name.lower() == wanted)


@pytest.mark.parametrize(("owner", "field"), FIELDS, ids=[f"{each.name}.{field.name}" for each, field in FIELDS])
def test_declared_columns_exist(owner: ReadType, field: FieldMapping, columns: dict[str, str | None]) -> None:
    assert [column for column in stored(field) if f"{owner.table}.{column}" not in columns] == []


@pytest.mark.parametrize(("owner", "field"), FIELDS, ids=[f"{each.name}.{field.name}" for each, field in FIELDS])
def test_what_is_filtered_or_ordered_has_an_index(
    owner: ReadType, field: FieldMapping, indexes: set[tuple[str, ...]], columns: dict[str, str | None]
) -> None:
    for column in looked_up(field):
        assert (owner.table, "tenant_id", column) in indexes, column
        assert columns[f"{owner.table}.{column}"] in (None, "C"), f"{column} is not ordered by bytes"


@pytest.mark.parametrize(("owner", "field"), FIELDS, ids=[f"{each.name}.{field.name}" for each, field in FIELDS])
def test_to_many_relations_have_an_index_in_their_order(
    owner: ReadType, field: FieldMapping, indexes: set[tuple[str, ...]]
) -> None:
    if isinstance(field, ToMany):
        target = TYPES[field.target]
        order = ordering(target, field.default_order)
        column = order.order_column or order.column
        assert order.orderable
        assert (target.table, "tenant_id", field.foreign_column, column, "id") in indexes


def test_lists_have_an_index_in_their_order(indexes: set[tuple[str, ...]]) -> None:
    for root in (root for room in ROOMS for root in room.roots if isinstance(root, ListRoot)):
        target = TYPES[root.target]
        order = ordering(target, root.default_order)
        assert (target.table, "tenant_id", order.order_column or order.column, "id") in indexes, root.name
