"""Who held which customers of pools in periods, read a page of customers at a time: for reports about people.

A customer's whole history of ownership comes with it, since clocks and returns depend on what was before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from uuid import UUID

import asyncpg

from saas.access import AccessTable, scope_predicate
from saas.customers.errors import PoolNotFound
from saas.customers.policies import OWNERSHIP_SCOPES, VISIBLE_POOL
from saas.customers.queries import POOL_SETTINGS
from saas.customers.recycling import RecycleRules
from saas.customers.settings import settings_in_force
from saas.kernel import Actor, Period
from tenants import current_tenant_id, current_transaction

FIRST = UUID(int=0)
"""Before every id."""

_POOLS = (
    f"SELECT p.id, p.name, p.version, {POOL_SETTINGS} FROM customer_pool p WHERE p.tenant_id = $1 AND p.id = ANY ($2)"
)
_OVERLAPS = """
o.tenant_id = $1 AND o.pool_id = ANY ($2) AND EXISTS (
    SELECT FROM unnest($3::date[], $4::date[]) AS w (first, until)
    WHERE o.started_on < w.until AND (o.ended_on IS NULL OR o.ended_on >= w.first)
      AND (NOT $6 OR o.started_on >= w.first OR o.ended_on < w.until)
) AND ($5::uuid[] IS NULL OR o.owner_department_id = ANY ($5))
"""
_COUNT = f"SELECT count(*) FROM ownership o WHERE {_OVERLAPS}"
_COUNT_CUSTOMERS = f"SELECT count(DISTINCT o.customer_id) FROM ownership o WHERE {_OVERLAPS}"
_CUSTOMERS = f"""
SELECT DISTINCT o.customer_id FROM ownership o WHERE {_OVERLAPS} AND o.customer_id > $7 ORDER BY o.customer_id LIMIT $8
"""
_HISTORY = """
SELECT o.customer_id, o.owner_id, o.owner_department_id, o.pool_id, o.started_at, o.started_on, o.ended_at, o.ended_on,
       o.end_kind, (c.created_at AT TIME ZONE $3)::date AS created_on, c.level,
       CASE WHEN o.start_kind = 'assign' AND EXISTS (
           SELECT FROM pool_event e WHERE e.tenant_id = $1 AND e.customer_id = o.customer_id
             AND e.happened_at = o.started_at AND e.kind = 'allocated'
       ) THEN 'automatic' ELSE o.start_kind END AS start_kind
FROM ownership o JOIN customer c ON c.tenant_id = $1 AND c.id = o.customer_id
WHERE o.tenant_id = $1 AND o.customer_id = ANY ($2) ORDER BY o.customer_id, o.started_at, o.id
"""
_ENTERED = """
SELECT count(*) FROM customer c
WHERE c.tenant_id = $1 AND c.pool_id = $2 AND (c.created_at AT TIME ZONE $5)::date >= $3
  AND (c.created_at AT TIME ZONE $5)::date < $4
  AND NOT EXISTS (
      SELECT FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id AND (o.start_kind = 'created'
        OR o.started_at <= c.created_at AND (o.ended_at IS NULL OR o.ended_at > c.created_at)))
"""
_MOVED = """
SELECT count(*) FROM pool_event
WHERE tenant_id = $1 AND pool_id = $2 AND kind = 'moved' AND happened_on >= $3 AND happened_on < $4
"""


@dataclass(frozen=True, slots=True)
class ReportedPool:
    """A pool as reports judge by it: its settings of today, whichever period a report is of, and its version."""

    id: UUID
    name: str
    version: int
    rules: RecycleRules
    cooldown_days: int


@dataclass(frozen=True, slots=True)
class HeldOwnership:
    """One ownership; `ended_on` and `ended_at` None is the open one. `start_kind` tells what a method gave
    (``automatic``) from what was assigned by hand.
    """

    owner_id: UUID
    department_id: UUID
    pool_id: UUID
    started_at: datetime
    started_on: date
    ended_at: datetime | None
    ended_on: date | None
    start_kind: str
    end_kind: str | None


@dataclass(frozen=True, slots=True)
class HeldCustomer:
    """A customer with all its ownerships, oldest first; `created_on` is a day of the company's calendar."""

    customer_id: UUID
    created_on: date
    level: str | None
    ownerships: tuple[HeldOwnership, ...]


async def get_reported_pools(pool_ids: Collection[UUID]) -> dict[UUID, ReportedPool]:
    """The pools by id, closed ones too.

    :raises PoolNotFound: one is missing or another company's.
    """
    rows = await current_transaction().fetch(_POOLS, current_tenant_id(), list(pool_ids))
    if len(rows) < len(set(pool_ids)):
        raise PoolNotFound("customers.pool_not_found", field=("pools",))
    return {row["id"]: _reported(row) for row in rows}


def _reported(row: asyncpg.Record) -> ReportedPool:
    settings = settings_in_force(row)
    return ReportedPool(row["id"], row["name"], row["version"], settings.recycle_rules(), settings.cooldown_days)


async def require_open_pool(actor: Actor, access: AccessTable, *, pool_id: UUID) -> None:
    """Refuse unless the caller may look into the pool (P02), as into its ledger.

    :raises PoolNotFound: missing, another company's, or not for the caller.
    """
    sql = _open_pool_sql(access.visible("PoolEvent"))
    if not await current_transaction().fetchval(sql, current_tenant_id(), actor.employee_id, pool_id):
        raise PoolNotFound("customers.pool_not_found", field=("pool",))


@lru_cache(maxsize=64)
def _open_pool_sql(scopes: frozenset[str]) -> str:
    looking = {"all": "true", "pool": VISIBLE_POOL}
    visible = scope_predicate(looking, scopes, alias="l", tenant="$1", employee="me.id")
    return f"""
        SELECT true FROM (SELECT tenant_id, id AS pool_id FROM customer_pool) l CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE l.tenant_id = $1 AND l.pool_id = $3 AND {visible}
    """


@dataclass(frozen=True, slots=True)
class HeldWish:
    """Ownerships of pools that there were on any day of the periods, which have an end: of people of the departments
    alone, where any are given; those alone that began or ended in a period, where `is_moving`.
    """

    pool_ids: Collection[UUID]
    periods: Sequence[Period]
    departments: Collection[UUID] | None = None
    is_moving: bool = False

    @property
    def values(self) -> tuple[object, ...]:
        """The parameters of a statement."""
        days = [each.first for each in self.periods], [each.until for each in self.periods]
        among = None if self.departments is None else list(self.departments)
        return current_tenant_id(), list(self.pool_ids), *days, among, self.is_moving


async def count_held(wish: HeldWish) -> int:
    """How many such ownerships there are."""
    return int(await current_transaction().fetchval(_COUNT, *wish.values))


async def count_held_customers(wish: HeldWish) -> int:
    """How many customers they are of."""
    return int(await current_transaction().fetchval(_COUNT_CUSTOMERS, *wish.values))


async def list_held(wish: HeldWish, *, after: UUID = FIRST, most: int | None = None) -> list[UUID]:
    """The customers of whom `count_held` counts an ownership, by id, behind `after`; `most` of them, or all."""
    rows = await current_transaction().fetch(_CUSTOMERS, *wish.values, after, most)
    return [row["customer_id"] for row in rows]


async def get_held(customer_ids: Sequence[UUID], *, time_zone: str) -> list[HeldCustomer]:
    """Customers that somebody has owned, by id, in one statement."""
    history = await current_transaction().fetch(_HISTORY, current_tenant_id(), customer_ids, time_zone)
    return [_customer(list(of)) for _, of in groupby(history, key=itemgetter("customer_id"))]


def _customer(rows: Sequence[asyncpg.Record]) -> HeldCustomer:
    first = rows[0]
    return HeldCustomer(first["customer_id"], first["created_on"], first["level"], tuple(map(_ownership, rows)))


def _ownership(row: asyncpg.Record) -> HeldOwnership:
    return HeldOwnership(
        row["owner_id"],
        row["owner_department_id"],
        row["pool_id"],
        row["started_at"],
        row["started_on"],
        row["ended_at"],
        row["ended_on"],
        row["start_kind"],
        row["end_kind"],
    )


async def count_entries(pool_id: UUID, period: Period, *, time_zone: str) -> tuple[int, int]:
    """How many customers entered the pool new, without an owner, and how many were moved there from other pools."""
    transaction, asked = current_transaction(), (current_tenant_id(), pool_id, period.first, period.until)
    entered = await transaction.fetchval(_ENTERED, *asked, time_zone)
    return int(entered), int(await transaction.fetchval(_MOVED, *asked))


async def find_visible_owners(
    actor: Actor, access: AccessTable, owners: Collection[tuple[UUID, UUID]]
) -> set[tuple[UUID, UUID]]:
    """Those of the (person, department) pairs whose ownerships the caller may see."""
    asked = sorted(owners)
    sql = _visible_owners_sql(access.visible("Ownership"))
    people, departments = [person for person, _ in asked], [department for _, department in asked]
    rows = await current_transaction().fetch(sql, current_tenant_id(), actor.employee_id, people, departments)
    return {(row["owner_id"], row["owner_department_id"]) for row in rows}


@lru_cache(maxsize=64)
def _visible_owners_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(OWNERSHIP_SCOPES, scopes, alias="o", tenant="$1", employee="me.id")
    return f"""
        SELECT o.owner_id, o.owner_department_id
        FROM unnest($3::uuid[], $4::uuid[]) AS o (owner_id, owner_department_id)
        CROSS JOIN (SELECT $2::uuid AS id, $1::uuid AS tenant_id) me WHERE me.tenant_id = $1 AND {visible}
    """
