"""The data that every contender reads: one large company among many small ones, the same rows at every run.

All rows come from generate_series under row-level security, with ids, instants and texts computed from row numbers;
no random source and no clock, so that answers can be compared from run to run. Instants end at `ANCHOR`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from saas.bench.errors import ForeignDatabase
from saas.kernel import uuid7_from

ANCHOR = datetime(2026, 11, 1, tzinfo=UTC)
"""The "now" of the data."""

HISTORY_DAYS = 1095
"""Follow-ups lie in the three years before `ANCHOR`, customers were entered in the three years before those."""

KEY_ACCOUNT_FOLLOW_UPS = 16
"""Every tenth customer has level A and this many follow-ups; the pooled ones have none, all others three."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Company:
    """How many rows one tenant has."""

    departments: int
    employees: int
    customers: int


@dataclass(frozen=True, slots=True)
class Scale:
    """How many tenants, and how large the one that is asked and the others are."""

    name: str
    tenants: int
    large: Company
    small: Company


FULL = Scale("full", 50, large=Company(12, 60, 50_000), small=Company(3, 10, 500))
SHORT = Scale("short", 3, large=Company(12, 60, 2_000), small=Company(3, 10, 100))


def tenant_id(number: int) -> UUID:
    """Id of tenant `number`; 1 is the large one."""
    return uuid7_from(_milliseconds(ANCHOR - timedelta(days=7 * HISTORY_DAYS)), number)


async def fill(platform_url: str, owner_url: str, scale: Scale, *, progress: Progress) -> None:
    """Fill an empty database, or leave one alone that already holds this data.

    :raises ForeignDatabase: the database holds tenants that are not the benchmark's.
    """
    connection = await asyncpg.connect(platform_url, timeout=10)
    try:
        if not await _is_filled(connection, scale):
            async with connection.transaction():
                await connection.execute("SET LOCAL statement_timeout = 0")
                await _fill_tenants(connection, scale, progress)
            await _analyze(owner_url)
    finally:
        await connection.close()


async def _is_filled(connection: asyncpg.Connection[asyncpg.Record], scale: Scale) -> bool:
    names = await connection.fetch("SELECT name FROM platform.tenant ORDER BY name LIMIT 1000")
    found = {row["name"] for row in names}
    if found and found != {_name(scale, number) for number in range(1, scale.tenants + 1)}:
        raise ForeignDatabase(len(found))
    return bool(found)


async def _fill_tenants(connection: asyncpg.Connection[asyncpg.Record], scale: Scale, progress: Progress) -> None:
    for number in range(1, scale.tenants + 1):
        company = scale.large if number == 1 else scale.small
        if number in (1, 2):
            progress(f"Filling {company.customers:,} customers and their history")
        tenant = tenant_id(number)
        await connection.execute(_TENANT, tenant, _name(scale, number), ANCHOR)
        await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant))
        for statement in _STATEMENTS:
            await connection.execute(
                "SELECT set_config('bench.departments', $1, true), set_config('bench.employees', $2, true),"
                " set_config('bench.customers', $3, true)",
                str(company.departments),
                str(company.employees),
                str(company.customers),
            )
            await connection.execute(statement)


async def _analyze(owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()


def _name(scale: Scale, number: int) -> str:
    return f"benchmark {scale.name} {number:02}"


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def sql_id(kind: str, number: str, unix_ms: str = "0") -> str:
    """SQL for the id of row `number` of a kind of the bound tenant: a UUIDv7 of `unix_ms`, its tail from a hash."""
    digest = f"md5('{kind}' || current_setting('app.tenant_id') || ({number})::text)"
    return (
        f"(lpad(to_hex(({unix_ms})::bigint), 12, '0') || '7' || substr({digest}, 1, 3) || '8' || "
        f"substr({digest}, 4, 15))::uuid"
    )


_ANCHOR = f"timestamptz '{ANCHOR.isoformat()}'"
_TENANT_ID = "current_setting('app.tenant_id')::uuid"
_COUNT = "current_setting('bench.{}')::int"
_DEPARTMENTS, _EMPLOYEES, _CUSTOMERS = (_COUNT.format(kind) for kind in ("departments", "employees", "customers"))
_ENTITY, _POOL = sql_id("entity", "1"), sql_id("pool", "1")
_ROOT = sql_id("department", "1")
_HOME = f"2 + (n % ({_DEPARTMENTS} - 1))"
"""The department number of employee `n`: every department but the root."""

_TENANT = "INSERT INTO platform.tenant (id, name, preset, quotas, created_at) VALUES ($1, $2, 'general', '{}', $3)"

_CREATED = (
    f"({_ANCHOR} - interval '{2 * HISTORY_DAYS} days'"
    f" + interval '1 second' * ((n::bigint * {HISTORY_DAYS * 86_400}) / {_CUSTOMERS}))"
)
_CUSTOMER_ID = sql_id("customer", "n", f"extract(epoch FROM {_CREATED}) * 1000")
_IS_POOLED = "(n % 10 = 1)"
_IS_KEY_ACCOUNT = "(n % 10 = 0)"
_OWNER = f"floor({_EMPLOYEES} * power((n * 0.6180339887) % 1, 1.5))::int"
"""The employee number of customer `n`'s owner: uneven, as in life, so that ranks differ."""

_OCCURRED = (
    f"({_ANCHOR} - interval '1 millisecond' * "
    f"((n::bigint * 7919 * 104729 + j::bigint * 15485863 * 9973) % ({HISTORY_DAYS}::bigint * 86400000)))"
)
_LOCAL = "({} AT TIME ZONE 'Asia/Shanghai')::date"

_STATEMENTS = (
    f"""
    INSERT INTO legal_entity (id, tenant_id, name, created_at)
    SELECT {_ENTITY}, {_TENANT_ID}, '晨光有限公司', {_ANCHOR}
    """,
    f"""
    INSERT INTO department (id, tenant_id, parent_id, name, name_key, created_at)
    SELECT {sql_id("department", "n")}, {_TENANT_ID}, CASE WHEN n > 1 THEN {_ROOT} END,
        '部门' || n, 'bumen ' || lpad(n::text, 4, '0'), {_ANCHOR}
    FROM generate_series(1, {_DEPARTMENTS}) n ORDER BY n
    """,
    f"""
    INSERT INTO department_closure (tenant_id, ancestor_id, descendant_id, depth)
    SELECT {_TENANT_ID}, {sql_id("department", "n")}, {sql_id("department", "n")}, 0
    FROM generate_series(1, {_DEPARTMENTS}) n
    UNION ALL
    SELECT {_TENANT_ID}, {_ROOT}, {sql_id("department", "n")}, 1
    FROM generate_series(2, {_DEPARTMENTS}) n
    """,
    f"""
    INSERT INTO employee (id, tenant_id, number, name, name_key, department_id, legal_entity_id, position, hired_on,
        created_at)
    SELECT {sql_id("employee", "n")}, {_TENANT_ID}, 'E' || lpad(n::text, 5, '0'),
        substr('王李张刘陈杨黄赵吴周', 1 + n % 10, 1) || substr('伟芳娜敏静丽', 1 + n % 6, 1) || n,
        'xingming ' || lpad(n::text, 5, '0'), {sql_id("department", _HOME)}, {_ENTITY}, '销售顾问', date '2020-01-01',
        {_ANCHOR}
    FROM generate_series(0, {_EMPLOYEES} - 1) n ORDER BY n
    """,
    f"""
    INSERT INTO customer_pool (id, tenant_id, name, is_default, claim_limit, holding_limit, cooldown_days, created_at)
    SELECT {_POOL}, {_TENANT_ID}, '公海', true, 200, 1000000, 0, {_ANCHOR}
    """,
    f"""
    INSERT INTO customer (id, tenant_id, pool_id, name, name_key, match_key, short_name, industry, level, source,
        district_code, district_name, contact_name, status, owner_id, owner_department_id, received_on, created_at)
    SELECT {_CUSTOMER_ID}, {_TENANT_ID}, {_POOL}, '恒信"建材"有限公司' || n, 'hengxin ' || lpad(n::text, 7, '0'),
        '恒信建材有限公司' || n, '恒信' || n, '建筑材料', CASE WHEN {_IS_KEY_ACCOUNT} THEN 'A' ELSE 'C' END, '展会',
        '310115', '上海市浦东新区', '王经理', CASE WHEN {_IS_POOLED} THEN 'pooled' ELSE 'owned' END,
        CASE WHEN NOT {_IS_POOLED} THEN e.id END, CASE WHEN NOT {_IS_POOLED} THEN e.department_id END,
        CASE WHEN NOT {_IS_POOLED} THEN {_LOCAL.format(_CREATED)} END, {_CREATED}
    FROM generate_series(1, {_CUSTOMERS}) n
    JOIN employee e ON e.tenant_id = {_TENANT_ID} AND e.id = {sql_id("employee", _OWNER)} ORDER BY n
    """,
    f"""
    INSERT INTO ownership (id, tenant_id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
        start_kind, operator_id)
    SELECT {sql_id("ownership", "c.id")}, c.tenant_id, c.id, c.owner_id, c.owner_department_id, c.pool_id,
        c.created_at, c.received_on, 'imported', c.owner_id
    FROM customer c WHERE c.tenant_id = {_TENANT_ID} AND c.owner_id IS NOT NULL ORDER BY c.created_at
    """,
    f"""
    INSERT INTO follow_up (id, tenant_id, customer_id, author_id, kind, content, occurred_at, occurred_on, created_at)
    SELECT {sql_id("follow_up", "n * 100 + j", f"extract(epoch FROM {_OCCURRED}) * 1000")}, {_TENANT_ID},
        {_CUSTOMER_ID}, {sql_id("employee", _OWNER)},
        (ARRAY['call', 'visit', 'meeting', 'message', 'note'])[1 + (n + j) % 5],
        '电话确认需求，客户要求下周发报价，约定第' || j || '次拜访', {_OCCURRED},
        {_LOCAL.format(_OCCURRED)}, {_OCCURRED}
    FROM generate_series(1, {_CUSTOMERS}) n
    CROSS JOIN LATERAL generate_series(1, CASE WHEN {_IS_KEY_ACCOUNT} THEN {KEY_ACCOUNT_FOLLOW_UPS} ELSE 3 END) j
    WHERE NOT {_IS_POOLED} ORDER BY {_OCCURRED}
    """,
    f"""
    UPDATE customer c SET last_follow_up_at = f.last
    FROM (SELECT customer_id, max(occurred_at) AS last FROM follow_up WHERE tenant_id = {_TENANT_ID} GROUP BY 1) f
    WHERE c.tenant_id = {_TENANT_ID} AND c.id = f.customer_id
    """,
)
