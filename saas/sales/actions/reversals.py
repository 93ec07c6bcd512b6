"""Collections and refunds that count no more: each is followed by a counter entry of the same day.

Money that came in and went back is a refund. This is for what never was: an import of the wrong file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from saas.audit import entry_values, record_many
from saas.customers import lock_customers
from saas.events import emit_many
from saas.kernel import Actor, AppError, Clock, new_id
from saas.sales.actions.collections import store_collected
from saas.sales.actions.performance import settle_performance
from saas.sales.events import COLLECTION_REVERSED
from saas.sales.queries import get_collections, get_deals
from saas.sales.rules.amounts import shown
from saas.sales.rules.collections import Balance, StoredCollection, without
from tenants import current_tenant_id, current_transaction

_INSERT = """
INSERT INTO collection (tenant_id, id, created_at, deal_id, kind, received_on, amount_minor, method, reverses_id,
    batch_id)
SELECT $1, made.id, $2, c.deal_id, c.kind, c.received_on, -c.amount_minor, c.method, c.id, $3
FROM unnest($4::uuid[], $5::uuid[]) AS made (id, reversed)
JOIN collection c ON c.tenant_id = $1 AND c.id = made.reversed
"""
_REVERSED = """
UPDATE collection c SET reversed_by_id = made.id FROM unnest($2::uuid[], $3::uuid[]) AS made (id, reversed)
WHERE c.tenant_id = $1 AND c.id = made.reversed AND c.reversed_by_id IS NULL
"""


async def reverse_collections(
    actor: Actor, ids: Collection[UUID], *, batch_id: UUID | None, currency: str, clock: Clock
) -> dict[UUID, AppError]:
    """Let collections and refunds of an import count no more; those that must go on counting, and why.

    The latest of a deal goes first. One is refused where what remains of its deal would be below 0 (a refund rests on
    it) or above the deal's amount, or where the deal was cancelled. What is reversed already stays so. Performance is
    put right at once; what a locked settlement has counted comes as an adjustment of the next one.
    """
    entries = [each for each in await get_collections(ids) if not each.is_reversed]
    balances = await _locked_balances({each.values.deal_id for each in entries})
    entries = [each for each in await get_collections(ids) if not each.is_reversed]
    stay: dict[UUID, AppError] = {}
    reversed_: list[StoredCollection] = []
    for each in sorted(entries, key=_in_order_of_days, reverse=True):
        left = without(each.values, balances[each.values.deal_id], currency=currency)
        if isinstance(left, AppError):
            stay[each.id] = left
            continue
        balances[each.values.deal_id] = replace(balances[each.values.deal_id], collected_minor=left)
        reversed_.append(each)
    if reversed_:
        await _write(actor, reversed_, balances, batch_id=batch_id, currency=currency, clock=clock)
    return stay


def _in_order_of_days(each: StoredCollection) -> tuple[object, ...]:
    return each.values.received_on, each.values.kind == "refund", each.id


async def _locked_balances(deal_ids: set[UUID]) -> dict[UUID, Balance]:
    deals = await get_deals(deal_ids)
    await lock_customers({deal.values.customer_id for deal in deals.values()})
    return {
        deal_id: Balance(deal.values.number, deal.values.amount_minor, deal.collected_minor, deal.cancelled_on)
        for deal_id, deal in (await get_deals(deal_ids)).items()
    }


async def _write(
    actor: Actor,
    entries: Sequence[StoredCollection],
    balances: Mapping[UUID, Balance],
    *,
    batch_id: UUID | None,
    currency: str,
    clock: Clock,
) -> None:
    transaction, tenant_id, at = current_transaction(), current_tenant_id(), clock.now()
    counter, ids = [new_id() for _ in entries], [each.id for each in entries]
    await transaction.execute(_INSERT, tenant_id, at, batch_id, counter, ids)
    marked = await transaction.execute(_REVERSED, tenant_id, counter, ids)
    assert marked == len(ids), "their customers are locked, so nobody else reverses them"
    deals = sorted({each.values.deal_id for each in entries})
    await store_collected({deal_id: balances[deal_id] for deal_id in deals})
    await settle_performance(deals, at=at)
    await _tell(actor, entries, batch_id=batch_id, currency=currency, clock=clock)


async def _tell(
    actor: Actor, entries: Sequence[StoredCollection], *, batch_id: UUID | None, currency: str, clock: Clock
) -> None:
    await record_many(
        [
            entry_values(
                actor,
                f"{each.values.kind}.reversed",
                object_type="Collection",
                object_id=each.id,
                changes={
                    "amount": [shown(each.values.amount_minor, currency), None],
                    "import": [None if batch_id is None else str(batch_id), None],
                },
                clock=clock,
            )
            for each in entries
        ]
    )
    told = [{"collection_id": str(each.id), "deal_id": str(each.values.deal_id)} for each in entries]
    await emit_many(COLLECTION_REVERSED, told)
