"""What people hold of a pool, page by page, for rooms above that judge how it is used; nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from tenants import current_tenant_id, current_transaction


@dataclass(frozen=True, slots=True)
class PoolHolding:
    """A customer with its open ownership; `received_on` is where the holding began.

    `is_marked`: locked, protected or extended on the day asked for.
    """

    customer_id: UUID
    owner_id: UUID
    department_id: UUID
    ownership_id: UUID
    received_on: date
    is_marked: bool


_HELD = """
SELECT c.id AS customer_id, c.owner_id, c.owner_department_id AS department_id, o.id AS ownership_id,
       coalesce(c.received_on, o.started_on) AS received_on
FROM customer c CROSS JOIN LATERAL (
    SELECT w.id, w.started_on FROM ownership w
    WHERE w.tenant_id = $1 AND w.customer_id = c.id AND w.ended_at IS NULL LIMIT 1
) o
WHERE c.tenant_id = $1 AND c.pool_id = $2 AND c.owner_id IS NOT NULL
"""
"""The ownership is looked up, always: a plain join may read all of them for each customer while the database has no
statistics of a table that was filled a moment ago."""

_MARKED = """
SELECT ownership_id FROM holding_mark
WHERE tenant_id = $1 AND customer_id = ANY ($2) AND state = 'in_force' AND until_on >= $3
"""
_DEALT = f"{_HELD} AND c.last_deal_on IS NOT NULL AND c.id > $3 ORDER BY c.id LIMIT $4"
_NAMED = f"{_HELD} AND c.last_deal_on IS NOT NULL AND c.id = ANY ($3) ORDER BY c.id"
_OF_OWNERS = f"{_HELD} AND c.owner_id = ANY ($3) ORDER BY c.owner_id, c.id"
_OWNERS = """
SELECT DISTINCT owner_id FROM customer WHERE tenant_id = $1 AND pool_id = $2 AND owner_id IS NOT NULL ORDER BY owner_id
"""
_POOLED = """
SELECT id FROM customer WHERE tenant_id = $1 AND pool_id = $2 AND id = ANY ($3) AND owner_id IS NULL ORDER BY id
"""


async def find_dealt_customers(pool_id: UUID, *, after: UUID, most: int, today: date) -> list[PoolHolding]:
    """A page of the pool's owned customers with a deal, by id."""
    rows = await current_transaction().fetch(_DEALT, current_tenant_id(), pool_id, after, most)
    return await _holdings(rows, today)


async def find_named_dealt_customers(
    pool_id: UUID, customer_ids: Collection[UUID], *, today: date
) -> list[PoolHolding]:
    """Those of some customers that are owned in the pool and have a deal, by id."""
    rows = await current_transaction().fetch(_NAMED, current_tenant_id(), pool_id, list(customer_ids))
    return await _holdings(rows, today)


async def find_pool_owners(pool_id: UUID) -> list[UUID]:
    """Everybody who owns a customer of the pool, by id."""
    rows = await current_transaction().fetch(_OWNERS, current_tenant_id(), pool_id)
    return [row["owner_id"] for row in rows]


async def find_held_by(pool_id: UUID, owner_ids: Collection[UUID], *, today: date) -> list[PoolHolding]:
    """All customers of the pool that some people own, by owner and id."""
    rows = await current_transaction().fetch(_OF_OWNERS, current_tenant_id(), pool_id, list(owner_ids))
    return await _holdings(rows, today)


async def _holdings(rows: Sequence[asyncpg.Record], today: date) -> list[PoolHolding]:
    ids = [row["customer_id"] for row in rows]
    found = await current_transaction().fetch(_MARKED, current_tenant_id(), ids, today)
    marked = {row["ownership_id"] for row in found}
    return [PoolHolding(**dict(row), is_marked=row["ownership_id"] in marked) for row in rows]


async def find_pooled(pool_id: UUID, customer_ids: Collection[UUID]) -> list[UUID]:
    """Those of the customers that wait in the pool."""
    rows = await current_transaction().fetch(_POOLED, current_tenant_id(), pool_id, list(customer_ids))
    return [row["id"] for row in rows]
