"""What went into a pool and out of it in some days, how long customers waited, and what came of those that went."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from saas.customers.errors import PoolNotFound
from saas.kernel import BadUserInput, Scalar
from tenants import current_tenant_id, current_transaction

RETURN_DAYS = 30
DAYS_MAX = 366

_POOL = "SELECT true FROM customer_pool WHERE tenant_id = $1 AND id = $2"
_MOVES = """
SELECT kind, count(*) AS number, count(*) FILTER (WHERE kind = 'recycled' AND NOT jsonb_path_exists(explanation,
    '$.**.key ? (@ == "customers.recycle_from_follow_up")')) AS without_contact
FROM pool_event WHERE tenant_id = $1 AND pool_id = $2 AND happened_on BETWEEN $3 AND $4 GROUP BY kind
"""
_ENTERED = """
SELECT count(*) FROM customer c
WHERE c.tenant_id = $1 AND c.pool_id = $2 AND c.created_at >= $3::date::timestamp AT TIME ZONE $5
  AND c.created_at < ($4::date + 1)::timestamp AT TIME ZONE $5
  AND coalesce((SELECT o.start_kind FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id
                ORDER BY o.started_at, o.id LIMIT 1), 'claim') NOT IN ('created', 'imported')
"""
_OUT = """
SELECT o.customer_id, o.started_on, o.ended_on, o.ended_on - o.started_on <= $5 AND o.end_kind IN ('release', 'recycle')
    AS is_returned,
    extract(epoch FROM o.started_at - coalesce(
        (SELECT max(b.ended_at) FROM ownership b WHERE b.tenant_id = $1 AND b.customer_id = o.customer_id
         AND b.ended_at <= o.started_at AND b.id <> o.id),
        (SELECT c.created_at FROM customer c WHERE c.tenant_id = $1 AND c.id = o.customer_id)))::bigint AS waited
FROM pool_event e JOIN ownership o ON o.tenant_id = $1 AND o.customer_id = e.customer_id
    AND o.started_at = e.happened_at AND o.owner_id = e.employee_id
WHERE e.tenant_id = $1 AND e.pool_id = $2 AND e.happened_on BETWEEN $3 AND $4
  AND e.kind IN ('claimed', 'assigned', 'allocated')
"""

FindWon = Callable[[Collection[tuple[UUID, date, date | None]]], Awaitable[Collection[tuple[UUID, date]]]]
"""Of customers, each held from a day to a day (None: still): those that signed a deal meanwhile, by customer and first
day. The sales room knows (`find_won`).
"""


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """Numbers of customers of a pool over some days, both included.

    `moves` counts what the ledger tells, by kind; `entered` are new customers that nobody kept. Of those that went out
    (claimed, assigned, allocated), `waited_seconds` is how long they had waited on average, None where none went;
    `converted` had a deal while they were held, `returned` were back within `RETURN_DAYS` days. `without_contact` were
    recycled though no follow-up of their last holding counted.
    """

    moves: Mapping[str, int]
    entered: int
    out: int
    waited_seconds: int | None
    converted: int
    returned: int
    without_contact: int


async def measure_pool(*, pool_id: UUID, first: date, last: date, won: FindWon, time_zone: str) -> PoolMetrics:
    """The numbers of a pool (permission ``pool:allocate``); days are the company's.

    :raises PoolNotFound: this company has no such pool.
    :raises BadUserInput: the days are none, or more than a year.
    """
    if not 1 <= (last - first).days + 1 <= DAYS_MAX:
        values: dict[str, Scalar] = {"first": first.isoformat(), "last": last.isoformat(), "most": DAYS_MAX}
        raise BadUserInput("customers.metrics_days", values, field=("to",))
    transaction, tenant_id = current_transaction(), current_tenant_id()
    if not await transaction.fetchval(_POOL, tenant_id, pool_id):
        raise PoolNotFound("customers.pool_not_found", field=("pool",))
    moves = await transaction.fetch(_MOVES, tenant_id, pool_id, first, last)
    entered = await transaction.fetchval(_ENTERED, tenant_id, pool_id, first, last, time_zone)
    out = await transaction.fetch(_OUT, tenant_id, pool_id, first, last, RETURN_DAYS)
    converted = await won([(row["customer_id"], row["started_on"], row["ended_on"]) for row in out])
    return PoolMetrics(
        moves={row["kind"]: row["number"] for row in moves},
        entered=entered,
        out=len(out),
        waited_seconds=sum(row["waited"] for row in out) // len(out) if out else None,
        converted=len(converted),
        returned=sum(row["is_returned"] or False for row in out),
        without_contact=sum(row["without_contact"] for row in moves),
    )
