"""The statements that find and write customers of lists, many at a time, with their ownerships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from saas.access import scope_predicate
from saas.customers.policies import CUSTOMER_SCOPES
from saas.exchange import ImportContext
from saas.kernel import Actor, new_id
from tenants import current_tenant_id, current_transaction


@dataclass(frozen=True, slots=True)
class CustomerValues:
    """What a list can say of a customer, as it is stored; phone as sealed, masked and index."""

    name: str
    name_key: str
    match_key: str
    short_name: str | None
    industry: str | None
    level: str | None
    source: str | None
    district_code: str | None
    district_name: str | None
    contact_name: str | None
    phone_sealed: bytes | None
    phone_masked: str | None
    phone_index: bytes | None
    external_system: str | None
    external_key: str | None
    language: str | None = None
    required_skill: str | None = None
    wanted_product: str | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            name: value.hex() if isinstance(value := getattr(self, name), bytes) else value
            for name in CustomerValues.__slots__
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> CustomerValues:
        """What `plain` gave."""
        sealed = {name: bytes.fromhex(plain[name]) if plain[name] else None for name in ("phone_sealed", "phone_index")}
        return cls(**{**plain, **sealed})


@dataclass(frozen=True, slots=True)
class StoredCustomer:
    """A customer as it stands, whoever may see it; `is_visible` says whether the caller does."""

    id: UUID
    version: int
    values: CustomerValues
    owner_id: UUID | None
    owner_name: str | None
    is_visible: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """Whose a new customer is, and since when."""

    owner_id: UUID
    department_id: UUID
    since: date


_values_of = attrgetter(*CustomerValues.__slots__)
_COLUMNS = ", ".join(CustomerValues.__slots__)
_TYPES = ["bytea" if name in ("phone_sealed", "phone_index") else "text" for name in CustomerValues.__slots__]


def _arrays(first: int) -> str:
    return ", ".join(f"${first + place}::{kind}[]" for place, kind in enumerate(_TYPES))


_AFTER = 3 + len(_TYPES)
_INSERT = f"""
INSERT INTO customer (tenant_id, id, {_COLUMNS}, pool_id, owner_id, owner_department_id, received_on, status,
    created_at)
SELECT $1, id, {_COLUMNS}, pool, owner, department, since, CASE WHEN owner IS NULL THEN 'pooled' ELSE 'owned' END,
    ${_AFTER + 4}
FROM unnest($2::uuid[], {_arrays(3)}, ${_AFTER}::uuid[], ${_AFTER + 1}::uuid[], ${_AFTER + 2}::uuid[],
    ${_AFTER + 3}::date[]) AS made (id, {_COLUMNS}, pool, owner, department, since)
"""
_UPDATE = f"""
UPDATE customer c SET version = c.version + 1, {", ".join(f"{name} = made.{name}" for name in CustomerValues.__slots__)}
FROM unnest($2::uuid[], {_arrays(3)}, ${_AFTER}::int[]) AS made (id, {_COLUMNS}, seen)
WHERE c.tenant_id = $1 AND c.id = made.id AND c.version = made.seen RETURNING c.id
"""
_INSERT_OWNERSHIPS = """
INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    start_kind, operator_id)
SELECT $1, made.id, made.customer, made.owner, made.department, made.pool, made.at, made.since, 'imported', $2
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::timestamptz[], $9::date[])
    AS made (id, customer, owner, department, pool, at, since)
"""
_REMOVE = """
WITH mine AS (
    SELECT c.id FROM customer c JOIN unnest($2::uuid[], $3::int[]) AS made (id, seen) ON made.id = c.id
    WHERE c.tenant_id = $1 AND c.version = made.seen
      AND 1 >= (SELECT count(*) FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id)
), gone AS (
    DELETE FROM ownership o USING mine WHERE o.tenant_id = $1 AND o.customer_id = mine.id
)
DELETE FROM customer c USING mine WHERE c.tenant_id = $1 AND c.id = mine.id RETURNING c.id
"""
_HELD = """
SELECT p.id AS pool_id, c.owner_id, count(*) AS held FROM customer_pool p JOIN customer c ON c.tenant_id = $1
    AND c.owner_id = ANY ($2) AND counts_as_held(c.last_deal_on, c.level, c.source, c.industry, p.holding_rules)
WHERE p.tenant_id = $1 AND p.status <> 'closed' GROUP BY p.id, c.owner_id
"""
_LOCK_OWNERS = "SELECT FROM employee WHERE tenant_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE"


async def find_alike(
    context: ImportContext, *, keys: Sequence[tuple[str, str]], names: Sequence[str], phones: Sequence[bytes]
) -> list[StoredCustomer]:
    """The customers with one of the external keys, names (as `match_key` makes them) or telephone numbers; locked
    where the rows are about to be written."""
    sql = _alike_sql(context.access.visible("Customer"), is_locking=context.is_commit)
    rows = await current_transaction().fetch(
        sql,
        current_tenant_id(),
        context.actor.employee_id,
        [system for system, _ in keys],
        [key for _, key in keys],
        names,
        phones,
    )
    return [
        StoredCustomer(
            row["id"],
            row["version"],
            CustomerValues(**{name: row[name] for name in CustomerValues.__slots__}),
            row["owner_id"],
            row["owner_name"],
            row["is_visible"],
        )
        for row in rows
    ]


@lru_cache(maxsize=64)
def _alike_sql(scopes: frozenset[str], *, is_locking: bool) -> str:
    """Look-ups by index, one for each value, whatever the planner thinks of how many customers there are."""
    visible = scope_predicate(CUSTOMER_SCOPES, scopes, alias="c", tenant="$1", employee="me.id")
    columns = ", ".join(f"c.{name}" for name in CustomerValues.__slots__)
    lock = "FOR NO KEY UPDATE" if is_locking else ""
    return f"""
        WITH alike AS MATERIALIZED (
            SELECT k.id FROM unnest($3::text[], $4::text[]) AS asked (system, key) CROSS JOIN LATERAL (
                SELECT id FROM customer
                WHERE tenant_id = $1 AND external_system = asked.system AND external_key = asked.key OFFSET 0
            ) k
            UNION SELECT k.id FROM unnest($5::text[]) AS asked (name) CROSS JOIN LATERAL (
                SELECT id FROM customer WHERE tenant_id = $1 AND match_key = asked.name OFFSET 0
            ) k
            UNION SELECT k.id FROM unnest($6::bytea[]) AS asked (index) CROSS JOIN LATERAL (
                SELECT id FROM customer WHERE tenant_id = $1 AND phone_index = asked.index OFFSET 0
            ) k
        )
        SELECT c.id, c.version, {columns}, c.owner_id, e.name AS owner_name, ({visible}) IS TRUE AS is_visible
        FROM (SELECT id FROM alike ORDER BY id) found CROSS JOIN LATERAL (
            SELECT * FROM customer WHERE tenant_id = $1 AND id = found.id OFFSET 0 {lock}
        ) c
        CROSS JOIN (SELECT $2::uuid AS id) me
        LEFT JOIN employee e ON e.tenant_id = c.tenant_id AND e.id = c.owner_id
        ORDER BY c.id
    """


async def insert_customers(
    rows: Sequence[tuple[UUID, CustomerValues, UUID, Holding | None]], *, actor: Actor, at: datetime, time_zone: str
) -> None:
    """New customers (id, values, pool, holding), and the open ownership of those that somebody holds."""
    if not rows:
        return
    execute, tenant_id = current_transaction().execute, current_tenant_id()
    await execute(
        _INSERT,
        tenant_id,
        *_columns([(customer_id, values) for customer_id, values, _, _ in rows]),
        [pool_id for _, _, pool_id, _ in rows],
        _filled([held and held.owner_id for _, _, _, held in rows]),
        _filled([held and held.department_id for _, _, _, held in rows]),
        _filled([held and held.since for _, _, _, held in rows]),
        at,
    )
    zone = ZoneInfo(time_zone)
    owned = [
        (
            new_id(),
            customer_id,
            held.owner_id,
            held.department_id,
            pool_id,
            min(at, datetime.combine(held.since, time(), zone)),
            held.since,
        )
        for customer_id, _, pool_id, held in rows
        if held is not None
    ]
    if owned:
        columns = map(list, zip(*owned, strict=True))
        await execute(_INSERT_OWNERSHIPS, tenant_id, actor.account_id, *columns)


async def update_customers(rows: Sequence[tuple[UUID, int, CustomerValues]]) -> set[UUID]:
    """Give customers (id, version, values) other values; those that are not of that version any more are left out."""
    if not rows:
        return set()
    columns = _columns([(customer_id, values) for customer_id, _, values in rows])
    found = await current_transaction().fetch(
        _UPDATE, current_tenant_id(), *columns, [version for _, version, _ in rows]
    )
    return {row["id"] for row in found}


async def remove_customers(rows: Sequence[tuple[UUID, int]]) -> set[UUID]:
    """Remove customers (id, version) with their one ownership; those of another version or with a history stay."""
    if not rows:
        return set()
    found = await current_transaction().fetch(
        _REMOVE, current_tenant_id(), [customer_id for customer_id, _ in rows], [version for _, version in rows]
    )
    return {row["id"] for row in found}


async def count_held(owners: Sequence[UUID], *, is_locking: bool) -> dict[tuple[UUID, UUID], int]:
    """How many customers people hold that count, by (pool whose rules say what counts, person).

    With `is_locking` nobody gets another one until the transaction ends.
    """
    if is_locking:
        await current_transaction().execute(_LOCK_OWNERS, current_tenant_id(), owners)
    rows = await current_transaction().fetch(_HELD, current_tenant_id(), owners)
    return {(row["pool_id"], row["owner_id"]): row["held"] for row in rows}


def _columns(rows: Sequence[tuple[UUID, CustomerValues]]) -> list[list[object]]:
    """An array for each column; an empty one where no row has a value, which `unnest` fills up with nulls."""
    whole = [(customer_id, *_values_of(values)) for customer_id, values in rows]
    return [_filled(column) for column in zip(*whole, strict=True)]


def _filled(column: Sequence[object]) -> list[object]:
    return [] if column.count(None) == len(column) else list(column)
