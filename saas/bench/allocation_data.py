"""The company that the benchmark of allocation deals in: one pool, its reps, the same customers at every run.

Each hundredth customer stands twice, under one name; each fiftieth was owned by a rep so lately that the cooldown
runs. Both take a method out of its shortest way, as life does.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg

from saas.bench.dataset import ANCHOR, sql_id, tenant_id
from saas.bench.errors import ForeignDatabase
from saas.customers import Method, PoolAllocationRule, PoolSettings
from saas.kernel import FrozenClock

TENANT = tenant_id(1)
ZONE = "Asia/Shanghai"
CLOCK = FrozenClock(ANCHOR + timedelta(days=1))
"""Stands on the day of the allocation; the month before it is closed, as performance first needs."""

_POOL, _ENTITY, _ROOT = sql_id("pool", "1"), sql_id("entity", "1"), sql_id("department", "1")
_REP = sql_id("employee", "n")
_AT = f"timestamptz '{ANCHOR.isoformat()}'"
_CREATED = f"({_AT} - interval '1 second' * ($1::int - n))"
_CUSTOMER = sql_id("customer", "n", f"extract(epoch FROM {_CREATED}) * 1000")
"""Ids rise with time, as those of the product do: what is written in their order lies together."""

_TENANT_ID = "current_setting('app.tenant_id')::uuid"
_COMPANY = (
    f"""
    INSERT INTO platform.tenant (id, name, preset, quotas, created_at)
    VALUES ({_TENANT_ID}, 'benchmark allocation', 'general', '{{}}', {_AT})
    """,
    f"""
    INSERT INTO legal_entity (id, tenant_id, name, created_at)
    VALUES ({_ENTITY}, {_TENANT_ID}, '晨光有限公司', {_AT})
    """,
    f"""
    INSERT INTO department (id, tenant_id, name, name_key, created_at)
    VALUES ({_ROOT}, {_TENANT_ID}, '销售部', 'xiaoshoubu', {_AT})
    """,
    f"""
    INSERT INTO department_closure (tenant_id, ancestor_id, descendant_id, depth)
    VALUES ({_TENANT_ID}, {_ROOT}, {_ROOT}, 0)
    """,
    f"""
    INSERT INTO customer_pool (id, tenant_id, name, is_default, holding_limit, cooldown_days, created_at)
    VALUES ({_POOL}, {_TENANT_ID}, '公海', true, 10000, 7, {_AT})
    """,
)
_REPS = f"""
INSERT INTO employee (id, tenant_id, number, name, name_key, department_id, legal_entity_id, position, hired_on,
    created_at)
SELECT {_REP}, {_TENANT_ID}, 'E' || lpad(n::text, 5, '0'), '销售' || n, 'xiaoshou ' || lpad(n::text, 5, '0'),
    {_ROOT}, {_ENTITY}, '销售顾问', date '2020-01-01', {_AT}
FROM generate_series(1, $1::int) n ORDER BY n
"""
DISTRICTS = ("310101", "310104", "310105", "310106", "310115")
"""Where customers are, one as many as another; each rep is there for one of them."""

_DISTRICT = f"(ARRAY{list(DISTRICTS)})[1 + {{n}} % {len(DISTRICTS)}]"
_TRAITS = f"""
INSERT INTO employee_trait (id, tenant_id, employee_id, kind, value)
SELECT {sql_id("trait", "n")}, {_TENANT_ID}, {_REP}, 'territory', {_DISTRICT.format(n="n")}
FROM generate_series(1, $1::int) n
"""
_SETTINGS = PoolSettings(
    holding_limit=10_000,
    allocation_rules=(
        PoolAllocationRule("市中心", territories=DISTRICTS[:2], method=Method.LOAD_RELATIVE.value),
        PoolAllocationRule("大客户", levels=("A", "B")),
        PoolAllocationRule("其余"),
    ),
)
"""Ordered rules: the first takes two fifths of the customers, the second none, the last what is left."""

_CUSTOMERS = f"""
INSERT INTO customer (id, tenant_id, pool_id, name, name_key, match_key, industry, level, source, district_code,
    district_name, contact_name, status, created_at)
SELECT {_CUSTOMER}, {_TENANT_ID}, {_POOL}, '恒信建材有限公司' || k, 'hengxin ' || lpad(k::text, 7, '0'),
    '恒信建材有限公司' || k, '建筑材料', 'C', '展会', {_DISTRICT.format(n="k")}, '上海市', '王经理', 'pooled',
    {_CREATED}
FROM (SELECT n, CASE WHEN n % 100 = 0 THEN n - 1 ELSE n END AS k FROM generate_series(1, $1::int) n) numbered
ORDER BY n
"""
_PAST = f"""
INSERT INTO ownership (id, tenant_id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    ended_at, ended_on, start_kind, end_kind, operator_id)
SELECT {sql_id("ownership", "n")}, {_TENANT_ID}, {_CUSTOMER}, {sql_id("employee", "1 + n % $2::int")}, {_ROOT}, {_POOL},
    {_AT} - interval '30 days', {_AT}::date - 30, {_AT} - interval '1 day', {_AT}::date - 1, 'claim', 'release', {_ROOT}
FROM generate_series(1, $1::int) n WHERE n % 50 = 0 ORDER BY n
"""
WRITTEN = (
    "customer",
    "ownership",
    "allocation_pick",
    "allocation_tally",
    "pool_allocation",
    "pool_standing",
    "pool_event",
    "audit_entry",
    "outbox",
)
"""The tables that an allocation writes, beside the pool's own row."""


async def hire(owner_url: str, *, reps: int) -> None:
    """Found the company, where it is not there, with exactly so many reps.

    :raises ForeignDatabase: the database holds companies that are not the benchmark's; its tables would be emptied.
    """
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        await _refuse_foreign(connection)
        async with connection.transaction():
            await bind(connection)
            if not await connection.fetchval("SELECT true FROM customer_pool"):
                for statement in _COMPANY:
                    await connection.execute(statement)
            await connection.execute("TRUNCATE employee CASCADE")
            await connection.execute(_REPS, reps)
            await connection.execute(_TRAITS, reps)
            await connection.execute("UPDATE customer_pool SET settings = $1::jsonb", _SETTINGS.text())
    finally:
        await connection.close()


async def _refuse_foreign(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    foreign = await connection.fetchval("SELECT count(*) FROM platform.tenant WHERE id <> $1", TENANT)
    if foreign:
        raise ForeignDatabase(foreign)


async def put_back(owner_url: str, *, customers: int) -> None:
    """So many customers in the pool, and no trace of an allocation: tables as new, for every contender alike.

    :raises ForeignDatabase: as `hire`.
    """
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        await _refuse_foreign(connection)
        async with connection.transaction():
            await bind(connection)
            await connection.execute(f"TRUNCATE {', '.join(WRITTEN)} CASCADE")
            await connection.execute("UPDATE customer_pool SET allocations = 0, turn_after = NULL")
            reps = await connection.fetchval("SELECT count(*) FROM employee")
            await connection.execute(_CUSTOMERS, customers)
            await connection.execute(_PAST, customers, reps)
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()


async def bind(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Bind the open transaction to the company."""
    await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(TENANT))


async def read_reps(connection: asyncpg.Connection[asyncpg.Record]) -> list[UUID]:
    """Ids of the reps, by number; within a transaction bound to the company."""
    return [row["id"] for row in await connection.fetch("SELECT id FROM employee ORDER BY number")]


def weight_of(place: int) -> int:
    """The weight of the rep at a place: uneven, as in life."""
    return 1 + place % 5


def attainment_of(place: int) -> Decimal:
    """What the rep at a place reached of the target, 0.50 to 1.49."""
    return Decimal(50 + place * 37 % 100).scaleb(-2)
