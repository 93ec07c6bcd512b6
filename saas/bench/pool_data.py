"""The company whose pool is measured: customers with owners, a share of them due on its day, and others without.

Each hundredth of the first so many customers is due today, its reminders delivered; all others are not near, however
many there are. So the same number is due in a small company and in one ten times as large.
"""

from __future__ import annotations

from datetime import date, timedelta

import asyncpg

from saas.bench.allocation_data import CLOCK, TENANT, ZONE, bind, hire
from saas.bench.dataset import sql_id
from saas.customers import PoolSettings
from saas.kernel import local_date

TODAY = local_date(CLOCK.now(), ZONE)
DUE_EVERY = 100
_LONG_AGO = date(2020, 1, 1)
_DUE_START = TODAY - timedelta(days=31)
"""Thirty days without a follow-up: due on the day after the thirtieth."""

_TENANT_ID = "current_setting('app.tenant_id')::uuid"
_POOL, _ROOT = sql_id("pool", "1"), sql_id("department", "1")
_CREATED = f"(timestamptz '{_LONG_AGO}' + interval '1 second' * n)"
_CUSTOMER = sql_id("customer", "n", f"extract(epoch FROM {_CREATED}) * 1000")
_OWNERSHIP = sql_id("ownership", "n")
_OWNER = sql_id("employee", "1 + n % $3::int")
_IS_DUE = f"(n <= $4::int AND n % {DUE_EVERY} = 0)"
_START = f"CASE WHEN {_IS_DUE} THEN date '{_DUE_START}' ELSE date '{TODAY}' - n % 20 END"
_NUMBERED = f"SELECT n, {_START} AS started_on FROM generate_series($1::int, $2::int) n"
_DUE = f"generate_series({DUE_EVERY}, $1::int, {DUE_EVERY}) n"

_OWNED = f"""
INSERT INTO customer (id, tenant_id, pool_id, name, name_key, match_key, industry, level, source, district_code,
    district_name, contact_name, status, owner_id, owner_department_id, received_on, due_on, due_rule,
    settings_version, created_at)
SELECT {_CUSTOMER}, {_TENANT_ID}, {_POOL}, '恒信建材有限公司' || n, 'hengxin ' || lpad(n::text, 8, '0'),
    '恒信建材有限公司' || n, '建筑材料', 'C', '展会', '310115', '上海市浦东新区', '王经理', 'owned', {_OWNER}, {_ROOT},
    started_on, started_on + 31, 'no_follow_up', 1, {_CREATED}
FROM ({_NUMBERED}) numbered ORDER BY n
"""
_OWNERSHIPS = f"""
INSERT INTO ownership (id, tenant_id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    start_kind, operator_id)
SELECT {_OWNERSHIP}, {_TENANT_ID}, {_CUSTOMER}, {_OWNER}, {_ROOT}, {_POOL}, started_on + time '04:00', started_on,
    'claim', {_ROOT}
FROM ({_NUMBERED}) numbered ORDER BY n
"""
_REMINDERS = f"""
INSERT INTO pool_notice (id, tenant_id, pool_id, customer_id, ownership_id, owner_id, owner_department_id, kind, rule,
    start_on, due_on, days, noticed_on, noticed_at, delivered_at)
SELECT {sql_id("notice", "n * 10 + days")}, {_TENANT_ID}, {_POOL}, {_CUSTOMER}, {_OWNERSHIP},
    {sql_id("employee", "1 + n % $2::int")}, {_ROOT}, 'reminder', 'no_follow_up', date '{_DUE_START}', date '{TODAY}',
    days, date '{TODAY}' - days - 1, timestamptz '{TODAY}' - interval '1 day', timestamptz '{TODAY}' - interval '1 day'
FROM {_DUE} CROSS JOIN unnest(ARRAY[7, 3, 1]) AS days ORDER BY n
"""
_POOLED = f"""
INSERT INTO customer (id, tenant_id, pool_id, name, name_key, match_key, status, created_at)
SELECT {sql_id("pooled", "n")}, {_TENANT_ID}, {_POOL}, '长风商贸有限公司' || n, 'changfeng ' || lpad(n::text, 8, '0'),
    '长风商贸有限公司' || n, 'pooled', timestamptz '{_LONG_AGO}'
FROM generate_series(1, $1::int) n ORDER BY n
"""
_OWN_AGAIN = f"""
UPDATE customer c SET owner_id = {sql_id("employee", "1 + n % $2::int")}, owner_department_id = {_ROOT},
    status = 'owned', received_on = date '{_DUE_START}', due_on = date '{TODAY}', due_rule = 'no_follow_up',
    settings_version = 1
FROM {_DUE} WHERE c.tenant_id = {_TENANT_ID} AND c.id = {_CUSTOMER}
"""
_OPEN_AGAIN = f"""
UPDATE ownership o SET ended_at = NULL, ended_on = NULL, end_kind = NULL, reason = NULL
FROM {_DUE} WHERE o.tenant_id = {_TENANT_ID} AND o.id = {_OWNERSHIP}
"""
_TRACES = "pool_event, audit_entry, audit_link, outbox, recycle_run"
_INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
WHERE i.indrelid = ANY ('{customer, ownership}'::regclass[]) AND NOT i.indisunique
"""
_WITHOUT_INDEXES = 100_000
"""From so many rows on it is faster to make indexes, and to look at references, afterwards."""

_REFERENCES = """
SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY ('{customer, ownership}'::regclass[])
"""


async def found(owner_url: str, *, reps: int) -> None:
    """The company with its reps, its pool by the product's own settings and nothing in it.

    :raises ForeignDatabase: the database holds companies that are not the benchmark's; its tables would be emptied.
    """
    await hire(owner_url, reps=reps)
    connection = await _connected(owner_url)
    try:
        async with connection.transaction():
            await bind(connection)
            await connection.execute("TRUNCATE customer CASCADE")
            await connection.execute(f"TRUNCATE {_TRACES}")
            settings = PoolSettings(holding_limit=10_000)
            await connection.execute("UPDATE customer_pool SET settings = $1::jsonb", settings.text())
    finally:
        await connection.close()


async def add_owned(owner_url: str, *, after: int, until: int, due_until: int, reps: int) -> None:
    """Customers number `after` + 1 to `until` with their owners; of those up to `due_until` each hundredth is due."""
    connection = await _connected(owner_url)
    try:
        async with connection.transaction():
            await bind(connection)
            is_large = until - after >= _WITHOUT_INDEXES
            indexes = await connection.fetch(_INDEXES) if is_large else []
            references = await connection.fetch(_REFERENCES) if is_large else []
            for index in indexes:
                await connection.execute(f"DROP INDEX {index['name']}")
            for each in references:
                await connection.execute(f"ALTER TABLE {each['table']} DROP CONSTRAINT {each['name']}")
            await connection.execute(_OWNED, after + 1, until, reps, due_until)
            await connection.execute(_OWNERSHIPS, after + 1, until, reps, due_until)
            await connection.execute("SET LOCAL maintenance_work_mem = '1GB'")
            for index in indexes:
                await connection.execute(index["definition"])
            for each in references:
                await connection.execute(
                    f"ALTER TABLE {each['table']} ADD CONSTRAINT {each['name']} {each['definition']}"
                )
            if not after:
                await connection.execute(_REMINDERS, due_until, reps)
        await connection.execute("VACUUM (ANALYZE) customer, ownership, pool_notice")
    finally:
        await connection.close()


async def put_back(owner_url: str, *, due_until: int, reps: int) -> None:
    """What was due before a run is due again, and of the run there is no trace."""
    connection = await _connected(owner_url)
    try:
        async with connection.transaction():
            await bind(connection)
            await connection.execute(f"TRUNCATE {_TRACES}")
            await connection.execute(_OWN_AGAIN, due_until, reps)
            await connection.execute(_OPEN_AGAIN, due_until)
        await connection.execute(f"VACUUM (ANALYZE) customer, ownership, {_TRACES}")
    finally:
        await connection.close()


async def add_pooled(owner_url: str, *, customers: int) -> None:
    """So many customers in the pool, which takes any number of claims and knows no cooldown."""
    connection = await _connected(owner_url)
    try:
        async with connection.transaction():
            await bind(connection)
            await connection.execute(_POOLED, customers)
            await connection.execute("UPDATE customer_pool SET claim_limit = 200, cooldown_days = 0")
        await connection.execute("VACUUM (ANALYZE) customer, employee, customer_pool")
    finally:
        await connection.close()


async def empty(owner_url: str) -> None:
    """Give the disk back: millions of rows are of no use to anybody else."""
    connection = await _connected(owner_url)
    try:
        await connection.execute("TRUNCATE customer CASCADE")
        await connection.execute(f"TRUNCATE {_TRACES}")
    finally:
        await connection.close()


async def _connected(owner_url: str) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(owner_url, timeout=10)


__all__ = ["CLOCK", "DUE_EVERY", "TENANT", "TODAY", "ZONE", "add_owned", "add_pooled", "empty", "found", "put_back"]
