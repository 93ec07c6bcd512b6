"""Performance lines: written in the transaction of whatever they follow from, and never edited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime
from uuid import UUID

from saas.customers import note_last_deals, settle_due
from saas.kernel import local_date, new_id
from saas.sales.queries import find_activity, find_first_days
from saas.sales.rules.credits import Credit
from saas.sales.rules.performance import CreditedDeal, LineKey, Receipt, corrections, lines_due
from tenants import current_tenant_id, current_transaction, get_tenant_facts

_DEALS = """
SELECT d.id, d.amount_minor, d.signed_on, d.cancelled_on, d.signed_on <= coalesce((
           SELECT min(e.signed_on) FROM deal e
           WHERE e.tenant_id = $1 AND e.customer_id = d.customer_id AND e.status = 'signed'
       ), d.signed_on) AS is_new_customer
FROM deal d WHERE d.tenant_id = $1 AND (d.id = ANY ($2) OR d.customer_id = ANY ($3)) ORDER BY d.id
"""
_CREDITS = """
SELECT deal_id, employee_id, department_id, share FROM performance_credit
WHERE tenant_id = $1 AND deal_id = ANY ($2) ORDER BY deal_id, position
"""
_RECEIPTS = """
SELECT deal_id, id, kind, received_on, amount_minor FROM collection
WHERE tenant_id = $1 AND deal_id = ANY ($2) AND reverses_id IS NULL AND reversed_by_id IS NULL ORDER BY deal_id, id
"""
_STANDING = """
SELECT deal_id, metric, collection_id, employee_id, department_id, happened_on, is_new_customer,
       sum(amount_minor)::bigint AS amount_minor FROM performance_line
WHERE tenant_id = $1 AND deal_id = ANY ($2)
GROUP BY deal_id, metric, collection_id, employee_id, department_id, happened_on, is_new_customer
"""
_LAST_DAYS = """
SELECT customer_id, max(signed_on) AS last_on, max(contract_ends_on) AS ends_on FROM deal
WHERE tenant_id = $1 AND customer_id = ANY ($2) AND status = 'signed' GROUP BY customer_id
"""
_INSERT = """
INSERT INTO performance_line (tenant_id, id, deal_id, metric, collection_id, employee_id, department_id, happened_on,
    is_new_customer, amount_minor, created_at)
SELECT $1, line.*, $2 FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[], $9::date[],
    $10::boolean[], $11::bigint[]) AS line
"""


async def settle_performance(
    deal_ids: Collection[UUID], *, at: datetime, first_days_before: Mapping[UUID, date | None] | None = None
) -> None:
    """Write the lines that deals lack, and put right those that are not due any more.

    The deals' customers are locked (`lock_customers`). `first_days_before` holds, for each customer whose deals were
    entered, changed or cancelled, the first day on which they had signed one: where it has moved, other deals of the
    customer are, or are not any more, those of a new one.
    """
    moved: list[UUID] = []
    if first_days_before:
        now = await find_first_days(first_days_before.keys())
        moved = [customer for customer, before in first_days_before.items() if now.get(customer) != before]
    rows = []
    deals = await _load_deals(deal_ids, moved)
    standing = await _load_standing(deals.keys())
    for deal_id, deal in deals.items():
        for key, amount in corrections(standing[deal_id], lines_due(deal)):
            rows.append((new_id(), deal_id, *key, amount))
    if rows:
        columns = map(list, zip(*rows, strict=True))
        await current_transaction().execute(_INSERT, current_tenant_id(), at, *columns)
    if first_days_before:
        await _settle_customers(first_days_before.keys(), at=at)


async def _settle_customers(customer_ids: Collection[UUID], *, at: datetime) -> None:
    """A deal moves the day on which its customer goes back to the pool, or keeps it from going at all."""
    rows = await current_transaction().fetch(_LAST_DAYS, current_tenant_id(), list(customer_ids))
    last = {row["customer_id"]: row for row in rows}
    signed, ends = ({each: row[name] for each, row in last.items()} for name in ("last_on", "ends_on"))
    await note_last_deals({each: signed.get(each) for each in customer_ids}, contract_ends=ends)
    zone = (await get_tenant_facts()).time_zone
    await settle_due(customer_ids, activity=find_activity, time_zone=zone, today=local_date(at, zone))


async def _load_deals(deal_ids: Collection[UUID], customers: Collection[UUID]) -> dict[UUID, CreditedDeal]:
    fetch, tenant = current_transaction().fetch, current_tenant_id()
    deals = await fetch(_DEALS, tenant, list(deal_ids), list(customers))
    ids = [row["id"] for row in deals]
    credited: dict[UUID, list[Credit]] = defaultdict(list)
    for row in await fetch(_CREDITS, tenant, ids):
        credited[row["deal_id"]].append(Credit(row["employee_id"], row["department_id"], row["share"]))
    receipts: dict[UUID, list[Receipt]] = defaultdict(list)
    for row in await fetch(_RECEIPTS, tenant, ids):
        receipts[row["deal_id"]].append(Receipt(row["id"], row["kind"], row["received_on"], row["amount_minor"]))
    return {
        row["id"]: CreditedDeal(
            amount_minor=row["amount_minor"],
            signed_on=row["signed_on"],
            cancelled_on=row["cancelled_on"],
            is_new_customer=row["is_new_customer"],
            credits=credited[row["id"]],
            receipts=receipts[row["id"]],
        )
        for row in deals
    }


async def _load_standing(deal_ids: Collection[UUID]) -> dict[UUID, dict[LineKey, int]]:
    """What the lines written so far come to, per deal."""
    found: dict[UUID, dict[LineKey, int]] = defaultdict(dict)
    for row in await current_transaction().fetch(_STANDING, current_tenant_id(), list(deal_ids)):
        found[row["deal_id"]][LineKey(*(row[name] for name in LineKey._fields))] = row["amount_minor"]
    return found
