"""Money received for deals, and money paid back: one by one or by the thousand, by the same checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from saas.access import AccessTable
from saas.audit import entry_values, record_many
from saas.customers import lock_customers
from saas.events import emit_many
from saas.kernel import Actor, AppError, Clock, local_date, new_id
from saas.sales.actions.performance import settle_performance
from saas.sales.errors import CollectionExists, DealNotFound
from saas.sales.events import COLLECTION_RECORDED, REFUND_RECORDED
from saas.sales.queries import find_collections_by_keys, find_visible_deals, get_deals
from saas.sales.rules.amounts import shown
from saas.sales.rules.collections import Balance, CleanCollection, NewCollection, after, clean_collection
from saas.sales.rules.entries import Entered, Entries, Outcome
from tenants import current_tenant_id, current_transaction

_LOCK_SYSTEM = "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid || 'collections of ' || $2, 0))"
_INSERT = """
INSERT INTO collection (tenant_id, id, created_at, deal_id, kind, received_on, amount_minor, method, external_system,
    external_key)
SELECT $1, made.id, $2, made.deal, made.kind, made.day, made.amount, made.method, made.system, made.key
FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::date[], $7::bigint[], $8::text[], $9::text[], $10::text[])
    AS made (id, deal, kind, day, amount, method, system, key)
"""
_UPDATE_DEALS = """
UPDATE deal d SET collected_minor = made.collected FROM unnest($2::uuid[], $3::bigint[]) AS made (id, collected)
WHERE d.tenant_id = $1 AND d.id = made.id
"""
"""No new version: credits that are being changed don't depend on what comes in meanwhile."""


async def record_collection(
    actor: Actor, new: NewCollection, *, access: AccessTable, currency: str, time_zone: str, clock: Clock
) -> UUID:
    """Money that came in for a deal (回款). The same one again, by its key in another system, changes nothing.

    :raises BadUserInput: a value that can't be stored, or a day that has not come yet.
    :raises DealNotFound: missing, another company's, or not visible.
    :raises DealCancelled: the deal was cancelled.
    :raises CollectionExceedsDeal: more than the deal is worth; of any number at once as many stand as fit.
    :raises CollectionExists: another one has the key.
    """
    new = replace(new, kind="collection")
    return await _record_one(actor, new, access=access, currency=currency, time_zone=time_zone, clock=clock)


async def record_refund(
    actor: Actor, new: NewCollection, *, access: AccessTable, currency: str, time_zone: str, clock: Clock
) -> UUID:
    """Money of a deal that was paid back (退款).

    :raises RefundExceedsCollected: more than was collected so far; of any number at once as many stand as fit.

    Further refusals are those of `record_collection`.
    """
    new = replace(new, kind="refund")
    return await _record_one(actor, new, access=access, currency=currency, time_zone=time_zone, clock=clock)


async def _record_one(
    actor: Actor, new: NewCollection, *, access: AccessTable, currency: str, time_zone: str, clock: Clock
) -> UUID:
    entered = await enter_collections(actor, [new], access=access, currency=currency, time_zone=time_zone, clock=clock)
    return entered[0].record_id()


async def enter_collections(
    actor: Actor,
    rows: Sequence[NewCollection],
    *,
    access: AccessTable,
    currency: str,
    time_zone: str,
    clock: Clock,
) -> list[Entered]:
    """Enter collections and refunds; what became of each row, in their order.

    They are taken in the order of their days, on one day what came in first, so that the order of the rows does not
    matter. Refusals are those of `record_collection` and `record_refund`; a refused row changes nothing.
    """
    today = local_date(clock.now(), time_zone)
    entries = Entries.of(rows).judge(lambda new: clean_collection(new, currency=currency, today=today))
    entries = (await _of_visible_deals(actor, access, entries)).once(_identities)
    await _settle_known(entries)
    balances = await _balances({row.deal_id for row in entries.standing.values()})
    made: dict[int, CleanCollection] = {}
    for place, row in sorted(entries.standing.items(), key=_in_order_of_days):
        collected = after(row, balances[row.deal_id], currency=currency)
        if isinstance(collected, AppError):
            entries.refuse(place, collected)
            continue
        balances[row.deal_id] = replace(balances[row.deal_id], collected_minor=collected)
        made[place] = row
    written = _Written({place: new_id() for place in made}, made, balances)
    for place, record_id in written.ids.items():
        entries.settle(place, Outcome.NEW, record_id)
    if made:
        await _write(written, at=clock.now())
        await settle_performance({row.deal_id for row in made.values()}, at=clock.now())
        await _tell(actor, written, currency=currency, clock=clock)
    return entries.results()


@dataclass(frozen=True, slots=True)
class _Written:
    """New collections by place, and what their deals have received with them."""

    ids: Mapping[int, UUID]
    rows: Mapping[int, CleanCollection]
    balances: Mapping[UUID, Balance]


def _identities(row: CleanCollection) -> list[tuple[str | None, str]]:
    return [(row.external_system, row.external_key)] if row.external_key else []


def _in_order_of_days(item: tuple[int, CleanCollection]) -> tuple[object, ...]:
    place, row = item
    return row.received_on, row.kind == "refund", place


async def _of_visible_deals(
    actor: Actor, access: AccessTable, entries: Entries[CleanCollection]
) -> Entries[CleanCollection]:
    """Those of deals that the caller may see, whose customers are locked."""
    customers = await find_visible_deals(actor, access, {row.deal_id for row in entries.standing.values()})
    await lock_customers(customers.values())

    def check(row: CleanCollection) -> CleanCollection:
        if row.deal_id not in customers:
            raise DealNotFound("sales.deal_not_found", field=("deal",))
        return row

    return entries.judge(check)


async def _settle_known(entries: Entries[CleanCollection]) -> None:
    """Settle rows whose key is there already: the same collection again, or another one."""
    named = {place: row for place, row in entries.standing.items() if row.external_key}
    if not named:
        return
    for system in sorted({row.external_system or "" for row in named.values()}):
        await current_transaction().fetchval(_LOCK_SYSTEM, current_tenant_id(), system)
    known = await find_collections_by_keys([(row.external_system, row.external_key) for row in named.values()])
    for place, row in named.items():
        stored = known.get((row.external_system, row.external_key))
        if stored is None:
            continue
        if stored.values == row:
            entries.settle(place, Outcome.UNCHANGED, stored.id)
        else:
            values = {"key": row.external_key}
            entries.refuse(place, CollectionExists("sales.collection_exists", values, field=("external",)))


async def _balances(deal_ids: set[UUID]) -> dict[UUID, Balance]:
    deals = await get_deals(deal_ids)
    return {
        deal_id: Balance(deal.values.number, deal.values.amount_minor, deal.collected_minor, deal.cancelled_on)
        for deal_id, deal in deals.items()
    }


async def _write(written: _Written, *, at: datetime) -> None:
    whole = [
        (
            written.ids[place],
            row.deal_id,
            row.kind,
            row.received_on,
            row.amount_minor,
            row.method,
            row.external_system,
            row.external_key,
        )
        for place, row in written.rows.items()
    ]
    columns = map(list, zip(*whole, strict=True))
    await current_transaction().execute(_INSERT, current_tenant_id(), at, *columns)
    deals = {row.deal_id for row in written.rows.values()}
    await store_collected({deal_id: written.balances[deal_id] for deal_id in deals})


async def store_collected(balances: Mapping[UUID, Balance]) -> None:
    """What deals have received, net, by now."""
    collected = [balance.collected_minor for balance in balances.values()]
    await current_transaction().execute(_UPDATE_DEALS, current_tenant_id(), [*balances], collected)


async def _tell(actor: Actor, written: _Written, *, currency: str, clock: Clock) -> None:
    """The trail and the event of each collection."""
    entries = [
        entry_values(
            actor,
            "collection.recorded" if row.kind == "collection" else "refund.recorded",
            object_type="Collection",
            object_id=written.ids[place],
            changes={
                "deal": [None, str(row.deal_id)],
                "amount": [None, shown(row.amount_minor, currency)],
                "received_on": [None, row.received_on.isoformat()],
            },
            clock=clock,
        )
        for place, row in written.rows.items()
    ]
    await record_many(entries)
    for topic, kind in ((COLLECTION_RECORDED, "collection"), (REFUND_RECORDED, "refund")):
        await emit_many(
            topic,
            [
                {"collection_id": str(written.ids[place]), "deal_id": str(row.deal_id)}
                for place, row in written.rows.items()
                if row.kind == kind
            ],
        )
