"""What customers came to in a time: deals, receipts and opportunities, a page of customers in one statement each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from saas.kernel import Period
from tenants import current_tenant_id, current_transaction


@dataclass(slots=True)
class CustomerFigures:
    """By the first day of the month: how many deals were signed (receipts came in), and their amount in minor units.

    Cancelled deals don't count; refunds are taken off the month in which they were paid back. `first_deal_on` is of
    all times.
    """

    first_deal_on: date | None = None
    deals: dict[date, tuple[int, int]] = field(default_factory=dict)
    collections: dict[date, tuple[int, int]] = field(default_factory=dict)


_FIRST = """
SELECT customer_id, min(signed_on) AS first_on FROM deal
WHERE tenant_id = $1 AND customer_id = ANY ($2) AND status = 'signed' GROUP BY customer_id
"""
_DEALS = """
SELECT customer_id, date_trunc('month', signed_on)::date AS month, count(*) AS events,
       sum(amount_minor)::bigint AS minor
FROM deal WHERE tenant_id = $1 AND customer_id = ANY ($2) AND status = 'signed' AND signed_on >= $3 AND signed_on < $4
GROUP BY customer_id, month
"""
_COLLECTIONS = """
SELECT d.customer_id, date_trunc('month', c.received_on)::date AS month,
       count(*) FILTER (WHERE c.kind = 'collection' AND c.reverses_id IS NULL AND c.reversed_by_id IS NULL) AS events,
       sum(CASE c.kind WHEN 'refund' THEN -c.amount_minor ELSE c.amount_minor END)::bigint AS minor
FROM deal d JOIN collection c ON c.tenant_id = $1 AND c.deal_id = d.id
WHERE d.tenant_id = $1 AND d.customer_id = ANY ($2) AND c.received_on >= $3 AND c.received_on < $4
GROUP BY d.customer_id, month
"""
_OPEN = """
SELECT DISTINCT p.customer_id FROM opportunity p
JOIN opportunity_stage s ON s.tenant_id = $1 AND s.id = p.stage_id AND s.kind = 'open'
WHERE p.tenant_id = $1 AND p.customer_id = ANY ($2)
"""
_WORKED_ON = """
SELECT DISTINCT customer_id FROM opportunity
WHERE tenant_id = $1 AND customer_id = ANY ($2)
  AND ((coalesce(engaged_on, (created_at AT TIME ZONE $5)::date) >= $3
        AND coalesce(engaged_on, (created_at AT TIME ZONE $5)::date) < $4) OR (advanced_on >= $3 AND advanced_on < $4)
    OR (closed_on >= $3 AND closed_on < $4))
"""


async def find_customer_figures(customer_ids: Collection[UUID], period: Period) -> dict[UUID, CustomerFigures]:
    """What each of the customers came to in a period, month by month; every one of them is there."""
    transaction, tenant_id, ids = current_transaction(), current_tenant_id(), list(customer_ids)
    found = {each: CustomerFigures() for each in ids}
    for row in await transaction.fetch(_FIRST, tenant_id, ids):
        found[row["customer_id"]].first_deal_on = row["first_on"]
    for row in await transaction.fetch(_DEALS, tenant_id, ids, period.first, period.until):
        found[row["customer_id"]].deals[row["month"]] = row["events"], row["minor"]
    for row in await transaction.fetch(_COLLECTIONS, tenant_id, ids, period.first, period.until):
        found[row["customer_id"]].collections[row["month"]] = row["events"], row["minor"]
    return found


async def find_open_opportunities(customer_ids: Collection[UUID]) -> set[UUID]:
    """Those of the customers that have an open opportunity."""
    rows = await current_transaction().fetch(_OPEN, current_tenant_id(), list(customer_ids))
    return {row["customer_id"] for row in rows}


async def find_worked_on(customer_ids: Collection[UUID], period: Period, *, time_zone: str) -> set[UUID]:
    """Those of the customers with an opportunity that began, moved or ended in a period."""
    values = (list(customer_ids), period.first, period.until, time_zone)
    rows = await current_transaction().fetch(_WORKED_ON, current_tenant_id(), *values)
    return {row["customer_id"] for row in rows}
