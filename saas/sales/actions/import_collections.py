"""Collections and refunds that come in sheets: never more than their deals are worth, chunk by chunk."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from saas.access import require
from saas.customers import lock_customers
from saas.exchange import Applied, ImportContext, ImportKind, Row, Verdict
from saas.kernel import AppError, local_date
from saas.sales.actions.collections import enter_collections
from saas.sales.actions.importing import placed, written
from saas.sales.actions.reversals import reverse_collections
from saas.sales.columns import COLLECTION_COLUMNS, DEALS, SYSTEM, stand_in
from saas.sales.errors import CollectionExists, DealNotFound
from saas.sales.queries import find_collections_by_keys, find_deals_by_keys, find_visible_deals
from saas.sales.rules.collections import (
    Balance,
    CleanCollection,
    CollectionKind,
    NewCollection,
    StoredCollection,
    after,
    clean_collection,
)

COLLECTIONS = "collections"
REFUND_PERMISSION = "refund:record"


class CollectionImport(ImportKind):
    """Collections are known by their key; without one, by deal, day, amount and method."""

    name, title = COLLECTIONS, {"zh-CN": "回款", "en": "Collections"}
    permission, order, columns = "collection:record", 70, COLLECTION_COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """A deal may be promised by a sheet before; what earlier rows bring for it counts."""
        if any(_kind(row) == "refund" for row in rows):
            require(context.access, REFUND_PERMISSION)
        desk = await _desk(context, rows)
        verdicts: dict[int, Verdict] = {}
        ready: dict[int, CleanCollection] = {}
        for place, row in enumerate(rows):
            try:
                ready[place] = _clean(desk, row)
            except AppError as refused:
                verdicts[place] = Verdict.refused(placed(refused))
        for place, clean in sorted(ready.items(), key=_in_order_of_days):
            verdicts[place] = _verdict(desk, rows[place], clean)
        return [verdicts[place] for place in range(len(rows))]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """Every deal is there by now."""
        desk = await _desk(context, rows)
        entered = await enter_collections(
            context.actor,
            [_new(desk, row) for row in rows],
            access=context.access,
            currency=context.currency,
            time_zone=context.time_zone,
            clock=context.clock,
        )
        return [Applied(row.number, record_id) for row, record_id in written(rows, entered)]

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Each is reversed by a counter entry: what was booked is never removed, and counts no more (docs/adr/0021)."""
        ids = [each.object_id for each in applied if each.object_id is not None]
        stay = await reverse_collections(
            context.actor, ids, batch_id=context.batch_id, currency=context.currency, clock=context.clock
        )
        return [stay.get(each.object_id) for each in applied if each.object_id is not None]


@dataclass(frozen=True, slots=True)
class _Desk:
    """The deals that rows name by number, with what they have received; it grows as rows are judged."""

    context: ImportContext
    deals: Mapping[str, UUID]
    balances: dict[str, Balance]
    known: Mapping[tuple[str | None, str | None], StoredCollection]


async def _desk(context: ImportContext, rows: Sequence[Row]) -> _Desk:
    numbers = sorted({str(row.values["deal"]) for row in rows})
    found = {deal.id: deal for deal in await find_deals_by_keys(numbers, []) if deal.values.number in set(numbers)}
    customers = await find_visible_deals(context.actor, context.access, found.keys())
    if context.is_commit:
        await lock_customers(customers.values())
    visible = [deal for deal_id, deal in found.items() if deal_id in customers]
    balances = {
        deal.values.number: Balance(
            deal.values.number, deal.values.amount_minor, deal.collected_minor, deal.cancelled_on
        )
        for deal in visible
    }
    balances = {**await _promised(context), **balances}
    for number, minor in (await _pledged(context)).items():
        if number in balances:
            collected = balances[number].collected_minor + minor
            balances[number] = replace(balances[number], collected_minor=collected)
    known = await find_collections_by_keys([_key(context, row) for row in rows])
    return _Desk(context, {deal.values.number: deal.id for deal in visible}, balances, known)


async def _promised(context: ImportContext) -> dict[str, Balance]:
    """The deals of sheets before, by number: the token of a new one holds amount and number."""
    found = (token.partition(" ") for token in await context.promises.pledged(DEALS))
    return {number: Balance(number, int(amount), 0, None) for amount, _, number in found}


async def _pledged(context: ImportContext) -> Counter[str]:
    """What earlier rows bring to deals, less what they pay back."""
    sums: Counter[str] = Counter()
    for token, rows in (await context.promises.pledged(COLLECTIONS)).items():
        minor, _, number = token.partition(" ")
        sums[number] += int(minor) * rows
    return sums


def _kind(row: Row) -> CollectionKind:
    return "refund" if row.text("kind") == "refund" else "collection"


def _key(context: ImportContext, row: Row) -> tuple[str, str]:
    """System and key; of a row without a key, one that follows from its values."""
    given = row.text("external_key")
    if given is not None:
        return row.text("external_system") or SYSTEM, given
    told = "\x1f".join(str(row.values.get(name)) for name in ("deal", "kind", "received_on", "amount", "method"))
    return SYSTEM, f"of row {hashlib.sha256(told.encode()).hexdigest()[:40]}"


def _new(desk: _Desk, row: Row) -> NewCollection:
    number = str(row.values["deal"])
    if number not in desk.balances:
        raise DealNotFound("sales.no_such_deal", {"number": number}, field=("deal",))
    received_on, amount = row.day("received_on"), row.figure("amount")
    assert received_on is not None, "a required column"
    assert amount is not None, "a required column"
    system, key = _key(desk.context, row)
    return NewCollection(
        deal_id=desk.deals.get(number) or stand_in(number),
        kind=_kind(row),
        received_on=received_on,
        amount=abs(amount) if _kind(row) == "refund" else amount,
        method=row.text("method"),
        external_system=system,
        external_key=key,
    )


def _clean(desk: _Desk, row: Row) -> CleanCollection:
    context = desk.context
    today = local_date(context.clock.now(), context.time_zone)
    return clean_collection(_new(desk, row), currency=context.currency, today=today)


def _in_order_of_days(item: tuple[int, CleanCollection]) -> tuple[object, ...]:
    place, row = item
    return row.received_on, row.kind == "refund", place


def _verdict(desk: _Desk, row: Row, clean: CleanCollection) -> Verdict:
    stored, number = desk.known.get((clean.external_system, clean.external_key)), str(row.values["deal"])
    if stored is not None:
        if stored.values == clean:
            return Verdict.unchanged("")
        values = {"key": row.text("external_key")}
        return Verdict.refused(CollectionExists("sales.collection_exists", values, field=("external_key",)))
    balance = desk.balances[number]
    collected = after(clean, balance, currency=desk.context.currency)
    if isinstance(collected, AppError):
        return Verdict.refused(placed(collected))
    desk.balances[number] = replace(balance, collected_minor=collected)
    return Verdict.new(f"{collected - balance.collected_minor} {number}")
