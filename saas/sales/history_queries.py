"""What was done with customers and what came of it, many customers at a time: for reports about people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from saas.customers import FollowUpFacts
from saas.kernel import Period
from tenants import current_tenant_id, current_transaction

_TOUCHES = """
SELECT f.customer_id, f.author_id, f.kind, f.content, f.call_seconds, f.has_check_in, f.occurred_on, f.occurred_at
FROM unnest($2::uuid[], $3::timestamptz[]) AS asked (id, instant)
JOIN follow_up f ON f.tenant_id = $1 AND f.customer_id = asked.id AND f.occurred_at >= asked.instant
ORDER BY f.customer_id, f.created_at, f.id
"""
_DEALS = """
SELECT customer_id, signed_on, amount_minor FROM deal
WHERE tenant_id = $1 AND customer_id = ANY ($2) AND status = 'signed' ORDER BY customer_id, signed_on, id
"""
_COLLECTED = """
SELECT d.customer_id, w.place, sum(CASE c.kind WHEN 'refund' THEN -c.amount_minor ELSE c.amount_minor END)::bigint
       AS amount
FROM deal d
JOIN collection c ON c.tenant_id = $1 AND c.deal_id = d.id AND c.reverses_id IS NULL AND c.reversed_by_id IS NULL
JOIN unnest($3::date[], $4::date[]) WITH ORDINALITY AS w (first, until, place)
    ON c.received_on >= w.first AND c.received_on < w.until
WHERE d.tenant_id = $1 AND d.customer_id = ANY ($2) GROUP BY d.customer_id, w.place
"""
_ACHIEVED = """
WITH happened AS (
    SELECT l.employee_id, l.department_id, CASE l.metric WHEN 'refunded' THEN 'collected' ELSE l.metric END AS metric,
           d.customer_id, l.happened_on, sum(l.amount_minor) AS amount
    FROM performance_line l
    JOIN deal d ON d.tenant_id = $1 AND d.id = l.deal_id
    JOIN customer c ON c.tenant_id = $1 AND c.id = d.customer_id AND c.pool_id = ANY ($2)
    WHERE l.tenant_id = $1 AND l.happened_on >= $3 AND l.happened_on < $4
      AND ($6::uuid[] IS NULL OR l.department_id = ANY ($6)) GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT d.owner_id, d.owner_department_id, 'won', d.customer_id, d.signed_on, count(*)
    FROM deal d JOIN customer c ON c.tenant_id = $1 AND c.id = d.customer_id AND c.pool_id = ANY ($2)
    WHERE d.tenant_id = $1 AND d.signed_on >= $3 AND d.signed_on < $4 AND d.status = 'signed'
      AND ($6::uuid[] IS NULL OR d.owner_department_id = ANY ($6)) GROUP BY 1, 2, 3, 4, 5
), known AS (
    SELECT k.customer_id,
           (SELECT min(e.signed_on) FROM deal e
             WHERE e.tenant_id = $1 AND e.customer_id = k.customer_id AND e.status = 'signed') AS first_deal_on,
           (SELECT min(o.started_on) FROM ownership o
             WHERE o.tenant_id = $1 AND o.customer_id = k.customer_id) AS first_received_on
    FROM (SELECT DISTINCT customer_id FROM happened) k
)
SELECT h.employee_id, h.department_id, h.metric,
       coalesce(k.first_deal_on >= $3 AND k.first_deal_on < $4, false)
       OR coalesce(h.happened_on - k.first_received_on < $5, false) AS is_new,
       sum(h.amount)::bigint AS amount
FROM happened h JOIN known k ON k.customer_id = h.customer_id GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch(FollowUpFacts):
    """A follow-up as recycling judges it, with its instant."""

    at: datetime


@dataclass(frozen=True, slots=True)
class SignedDeal:
    """A deal that stands; its amount in the currency's smallest unit."""

    signed_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Achieved:
    """What came of deals for a person in a department: `metric` is ``won`` (deals), ``signed`` or ``collected``
    (smallest units, refunds and cancellations taken off), of new customers or of the others.
    """

    employee_id: UUID
    department_id: UUID
    metric: str
    is_new: bool
    amount: int


async def find_touches(since: Mapping[UUID, datetime]) -> dict[UUID, list[Touch]]:
    """What was done with customers since an instant each, in the order of entry."""
    rows = await current_transaction().fetch(_TOUCHES, current_tenant_id(), list(since), list(since.values()))
    found: dict[UUID, list[Touch]] = {}
    for row in rows:
        touch = Touch(
            on=row["occurred_on"],
            author_id=row["author_id"],
            kind=row["kind"],
            content=row["content"],
            seconds=row["call_seconds"],
            has_check_in=row["has_check_in"],
            at=row["occurred_at"],
        )
        found.setdefault(row["customer_id"], []).append(touch)
    return found


async def find_standing_deals(customer_ids: Collection[UUID]) -> dict[UUID, list[SignedDeal]]:
    """The deals of customers that stand, oldest first."""
    found: dict[UUID, list[SignedDeal]] = {}
    for row in await current_transaction().fetch(_DEALS, current_tenant_id(), list(customer_ids)):
        found.setdefault(row["customer_id"], []).append(SignedDeal(row["signed_on"], row["amount_minor"]))
    return found


async def sum_collected(customer_ids: Collection[UUID], periods: Sequence[Period]) -> dict[tuple[UUID, int], int]:
    """What customers paid, less what was paid back, by (customer, place of the period); where there was anything."""
    firsts, untils = [each.first for each in periods], [each.until for each in periods]
    rows = await current_transaction().fetch(_COLLECTED, current_tenant_id(), list(customer_ids), firsts, untils)
    return {(row["customer_id"], row["place"] - 1): row["amount"] for row in rows}


async def sum_achieved(
    pool_ids: Collection[UUID], period: Period, *, new_days: int, departments: Collection[UUID] | None = None
) -> list[Achieved]:
    """What people (of the departments alone, where any are given) achieved with the customers of pools in a period
    that has an end, in one statement.

    New is a customer whose first deal that stands lies in the period, or whom anybody first received fewer than
    `new_days` days before.
    """
    among = None if departments is None else list(departments)
    rows = await current_transaction().fetch(
        _ACHIEVED, current_tenant_id(), list(pool_ids), period.first, period.until, new_days, among
    )
    return [Achieved(**dict(row)) for row in rows]
