"""The floor of an allocation: the bare round robin as a loop, and the same rows written in bulk.

Its tables have the columns, the checks and the indexes of the product's, but no row-level security and no foreign
keys; there is no roster, no filter, no ledger, no trail, no event, no explanation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter
from uuid import UUID

import asyncpg

from saas.bench.allocation_data import CLOCK, TENANT, bind, read_reps
from saas.bench.errors import BenchError
from saas.kernel import new_id

_SCHEMA = "bench_floor"
_TABLES = ("customer", "ownership", "allocation_pick")
_MAKE = (
    f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE",
    f"CREATE SCHEMA {_SCHEMA}",
    *(f"CREATE TABLE {_SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)" for table in _TABLES),
    f"INSERT INTO {_SCHEMA}.customer SELECT * FROM public.customer ORDER BY created_at",
)
_WAITING = f"""
SELECT id, name, pool_id FROM {_SCHEMA}.customer
WHERE tenant_id = $1 AND owner_id IS NULL ORDER BY created_at, id LIMIT $2
"""
_GIVE = f"""
UPDATE {_SCHEMA}.customer c SET owner_id = i.owner_id, owner_department_id = $4, status = 'owned', received_on = $5,
    settings_version = 1, version = c.version + 1
FROM unnest($2::uuid[], $3::uuid[]) AS i (customer_id, owner_id) WHERE c.tenant_id = $1 AND c.id = i.customer_id
"""
_PICK_COLUMNS: Sequence[str] = (
    "tenant_id",
    "id",
    "allocation_id",
    "place",
    "customer_id",
    "customer_version",
    "label",
    "employee_id",
    "state",
)
_OWNERSHIP_COLUMNS: Sequence[str] = (
    "tenant_id",
    "id",
    "customer_id",
    "owner_id",
    "owner_department_id",
    "pool_id",
    "started_at",
    "started_on",
    "start_kind",
    "operator_id",
)
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Floor:
    """Seconds of the deal with its picks, and of giving the customers."""

    plan_seconds: float
    commit_seconds: float


async def measure_floor(owner_url: str, *, customers: int) -> Floor:
    """Deal and give the pool's customers, which the floor copies for itself first.

    :raises BenchError: not every customer has an owner in the end.
    """
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        async with connection.transaction():
            await bind(connection)
            for statement in _MAKE:
                await connection.execute(statement)
            reps = await read_reps(connection)
            department_id = await connection.fetchval("SELECT id FROM department")
        await connection.execute(f"VACUUM (ANALYZE) {_SCHEMA}.customer")
        began = perf_counter()
        picks = await _plan(connection, reps, customers)
        planned = perf_counter()
        await _commit(connection, picks, department_id)
        committed = perf_counter()
        await _require_all_given(connection, customers)
        await connection.execute(f"DROP SCHEMA {_SCHEMA} CASCADE")
    finally:
        await connection.close()
    return Floor(planned - began, committed - planned)


_Pick = tuple[asyncpg.Record, UUID]


async def _plan(connection: asyncpg.Connection[asyncpg.Record], reps: list[UUID], customers: int) -> list[_Pick]:
    waiting = await connection.fetch(_WAITING, TENANT, customers)
    picks = list(zip(waiting, cycle(reps), strict=False))
    allocation_id = new_id()
    rows = [
        (TENANT, new_id(), allocation_id, place, customer["id"], 1, customer["name"][:2], rep, "planned")
        for place, (customer, rep) in enumerate(picks)
    ]
    await connection.copy_records_to_table("allocation_pick", records=rows, columns=_PICK_COLUMNS, schema_name=_SCHEMA)
    return picks


async def _commit(connection: asyncpg.Connection[asyncpg.Record], picks: list[_Pick], department_id: UUID) -> None:
    now = CLOCK.now()
    async with connection.transaction():
        for start in range(0, len(picks), _CHUNK):
            ids, owners = zip(*((row["id"], rep) for row, rep in picks[start : start + _CHUNK]), strict=True)
            await connection.execute(_GIVE, TENANT, ids, owners, department_id, now.date())
        await connection.execute(f"UPDATE {_SCHEMA}.allocation_pick SET state = 'given'")
        rows = [
            (TENANT, new_id(), row["id"], rep, department_id, row["pool_id"], now, now.date(), "assign", rep)
            for row, rep in picks
        ]
        await connection.copy_records_to_table(
            "ownership", records=rows, columns=_OWNERSHIP_COLUMNS, schema_name=_SCHEMA
        )


async def _require_all_given(connection: asyncpg.Connection[asyncpg.Record], customers: int) -> None:
    given = await connection.fetchval(f"SELECT count(*) FROM {_SCHEMA}.customer WHERE owner_id IS NOT NULL")
    if given != customers:
        raise BenchError(
            f"The floor gave {given:,} of {customers:,} customers; its speed counts only where it gives all."
        )
