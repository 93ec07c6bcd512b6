"""Deals that come in sheets: entered by the checks of every other deal, from before the product was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from saas.access import require
from saas.audit import entry_values, record_many
from saas.customers import lock_customers
from saas.events import emit_many
from saas.exchange import Applied, Difference, ImportContext, ImportKind, Row, Verdict, differences
from saas.kernel import AppError, Money, local_date
from saas.people.queries import find_numbers
from saas.sales.actions.deal_rows import departments_of, replace_credits, update_deals
from saas.sales.actions.deals import CREDIT_PERMISSION, enter_deals
from saas.sales.actions.importing import SalesDesk, outcomes, placed, sales_desk, tried, written
from saas.sales.actions.performance import settle_performance
from saas.sales.columns import (
    DEAL_COLUMNS,
    DEALS,
    OPPORTUNITIES,
    SYSTEM,
    called,
    credited_words,
    credits_of,
    has_credits,
    stand_in,
)
from saas.sales.errors import OpportunityNotFound
from saas.sales.events import DEAL_CANCELLED
from saas.sales.queries import find_deals_by_keys, find_first_days, find_opportunities_by_keys, get_deals
from saas.sales.rules.amounts import minor_of
from saas.sales.rules.credits import CreditPart
from saas.sales.rules.deals import CleanDeal, DealValues, NewDeal, StoredDeal, clean_deal
from saas.sales.rules.entries import Entered
from saas.sales.rules.entries import Outcome as EnteredAs
from tenants import current_tenant_id, current_transaction

_KEPT = ("product", "category", "channel", "vat_rate", "contract_ends_on")
_TAKE_BACK = """
UPDATE deal SET status = 'cancelled', cancelled_on = signed_on, opportunity_id = NULL, external_system = NULL,
    external_key = NULL, number = left(number, 40) || ' ' || right(id::text, 12), version = version + 1
WHERE tenant_id = $1 AND id = ANY ($2)
"""
"""Lines of performance are never removed, so the deal stays behind them: cancelled on its own day, which leaves nothing
of it, and under another number, so that the sheet can be imported again."""


class DealImport(ImportKind):
    """Deals are known by their number. A cell that is left empty changes nothing."""

    name, title = DEALS, {"zh-CN": "成交", "en": "Deals"}
    permission, order, columns = "deal:enter", 60, DEAL_COLUMNS

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        """Deals whose customer and people are there are tried; of the others the values are checked."""
        if any(row.text("owner") or has_credits(row) for row in rows):
            require(context.access, CREDIT_PERMISSION)
        desk = await _desk(context, rows)
        verdicts: dict[int, Verdict] = {}
        ready: dict[int, NewDeal] = {}
        for place, row in enumerate(rows):
            refusals = desk.sales.refusals(row, "owner")
            try:
                new = _new(desk, row)
                if _is_promised(desk, row):
                    deal = _check(desk, new)
                    verdicts[place] = Verdict.new(new_deal_token(deal.values.number, deal.values.amount_minor))
                else:
                    ready[place] = new
            except AppError as refused:
                verdicts[place] = Verdict.refused(*(refusals or [placed(refused)]))
        entered = await tried(partial(_enter, context, list(ready.values()))) if ready else []
        for place, each in zip(ready, entered, strict=True):
            verdicts[place] = _verdict(desk, rows[place], ready[place], each)
        return [verdicts[place] for place in range(len(rows))]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        """Everything that rows name is there by now."""
        desk = await _desk(context, rows)
        made = written(rows, await _enter(context, [_new(desk, row) for row in rows]))
        now = await get_deals([deal_id for _, deal_id in made])
        return [
            Applied(row.number, deal_id, _undo(now[deal_id].version, desk.stored.get(str(row.values["number"]))))
            for row, deal_id in made
        ]

    async def undo(self, context: ImportContext, applied: Sequence[Applied]) -> list[AppError | None]:
        """Deals for which money was received stay; of the others nothing is left in anybody's performance."""
        ids = [each.object_id for each in applied if each.object_id is not None]
        deals = await get_deals(ids)
        customers = {deal.values.customer_id for deal in deals.values()}
        await lock_customers(customers)
        deals = await get_deals(ids)
        same = {
            each.object_id: each
            for each in applied
            if each.object_id in deals
            and deals[each.object_id].version == each.undo["version"]
            and deals[each.object_id].collected_minor == 0
        }
        before = await find_first_days(customers)
        await _restore({key: each for key, each in same.items() if key and "before" in each.undo})
        gone = [key for key, each in same.items() if key and "before" not in each.undo]
        await current_transaction().execute(_TAKE_BACK, current_tenant_id(), gone)
        await settle_performance(
            [key for key in same if key],
            at=context.clock.now(),
            first_days_before={customer: before.get(customer) for customer in customers},
        )
        await _tell_gone(context, gone, deals)
        return outcomes(applied, same.keys())


@dataclass(frozen=True, slots=True)
class _Desk:
    """What rows call, and the deals that are there already by number."""

    sales: SalesDesk
    stored: Mapping[str, StoredDeal]
    opportunities: Mapping[str, UUID]
    promised_opportunities: frozenset[str]
    numbers: Mapping[UUID, str]

    @property
    def context(self) -> ImportContext:
        return self.sales.context


async def _desk(context: ImportContext, rows: Sequence[Row]) -> _Desk:
    sales = await sales_desk(context, rows, "owner")
    keys = [key for row in rows if (key := row.text("opportunity"))]
    found = await find_opportunities_by_keys([(_system(row), row.text("opportunity")) for row in rows])
    known = {key: each.id for (_, key), each in found.items() if key}
    promised = await context.promises.made(OPPORTUNITIES, "external_key", [key for key in keys if key not in known])
    stored = await find_deals_by_keys([str(row.values["number"]) for row in rows], [])
    people = {each.values.owner_id for each in stored} | {part.employee_id for each in stored for part in each.credits}
    return _Desk(
        sales,
        {each.values.number: each for each in stored},
        known,
        frozenset(str(key) for key in promised),
        await find_numbers(people),
    )


def _system(row: Row) -> str:
    return row.text("external_system") or SYSTEM


def _new(desk: _Desk, row: Row) -> NewDeal:
    """The deal that a row makes; of what is promised only, a stand-in; what the row leaves empty, as it is stored.

    :raises AppError: the first thing that is wrong with what the row names.
    """
    staff, word = desk.sales.staff, row.text("owner")
    owner = staff.find(word, column="owner") if word else None
    was = desk.stored.get(str(row.values["number"]))
    kept: dict[str, Any] = {name: row.values.get(name) for name in _KEPT}
    if was is not None:
        kept = {name: getattr(was.values, name) if value is None else value for name, value in kept.items()}
    signed_on, amount = row.day("signed_on"), row.figure("amount")
    assert signed_on is not None, "a required column"
    assert amount is not None, "a required column"
    key = row.text("external_key")
    return NewDeal(
        customer_id=desk.sales.customer_id(row) or stand_in(str(called(row))),
        number=str(row.values["number"]),
        signed_on=signed_on,
        amount=amount,
        vat_rate=kept.pop("vat_rate") or Decimal(0),
        opportunity_id=_opportunity(desk, row),
        owner_id=(owner.id if owner else stand_in(word)) if word else None,
        credits=credits_of(row, staff),
        external_system=_system(row) if key else None,
        external_key=key,
        **kept,
    )


def _opportunity(desk: _Desk, row: Row) -> UUID | None:
    key = row.text("opportunity")
    if key is None:
        return None
    if key not in desk.opportunities and key not in desk.promised_opportunities:
        raise OpportunityNotFound("sales.no_such_opportunity", {"key": key}, field=("opportunity",))
    return desk.opportunities.get(key) or stand_in(key)


def _is_promised(desk: _Desk, row: Row) -> bool:
    """Whether something that the row names is not there yet."""
    staff, key = desk.sales.staff, row.text("opportunity")
    words = [*credited_words(row), *filter(None, [row.text("owner")])]
    return (
        desk.sales.customer_id(row) is None
        or any(staff.find(word, column="owner") is None for word in words)
        or (key is not None and key not in desk.opportunities)
    )


def _check(desk: _Desk, new: NewDeal) -> CleanDeal:
    """The deal as far as it can be checked before what it names is there.

    :raises AppError: a value that it can't have, or nobody is named as its owner: the history is not there yet.
    """
    context = desk.context
    today = local_date(context.clock.now(), context.time_zone)
    return clean_deal(new, currency=context.currency, today=today).owned_by(None)


async def _enter(context: ImportContext, rows: Sequence[NewDeal]) -> list[Entered]:
    return await enter_deals(
        context.actor,
        rows,
        access=context.access,
        currency=context.currency,
        time_zone=context.time_zone,
        clock=context.clock,
        is_history=True,
    )


def new_deal_token(number: str, amount_minor: int) -> str:
    """The token of a deal that is to be made: collections of a sheet behind need its amount."""
    return f"{amount_minor} {number}"


def _verdict(desk: _Desk, row: Row, new: NewDeal, entered: Entered) -> Verdict:
    if entered.refusal is not None:
        return Verdict.refused(placed(entered.refusal))
    stored = desk.stored.get(new.number)
    if stored is None or entered.outcome is EnteredAs.NEW:
        return Verdict.new(new_deal_token(new.number, minor_of(new.amount, currency=desk.context.currency)))
    found = _differences(desk, row, stored) if entered.outcome is EnteredAs.CHANGED else ()
    return Verdict.against(str(stored.version), found or _unnamed(entered))


def _unnamed(entered: Entered) -> tuple[Difference, ...]:
    """A change in none of the columns that can be shown, such as the key in another system."""
    return (Difference("number", None, None),) if entered.outcome is EnteredAs.CHANGED else ()


def _differences(desk: _Desk, row: Row, stored: StoredDeal) -> tuple[Difference, ...]:
    was, staff, numbers = stored.values, desk.sales.staff, desk.numbers
    before: dict[str, object] = {name: getattr(was, name) for name in (*_KEPT, "signed_on", "external_key")}
    before["amount"] = Money.of_minor(was.amount_minor, desk.context.currency).amount
    before["owner"] = numbers.get(was.owner_id)
    before["credits"] = _shown([(numbers.get(part.employee_id), part.share) for part in stored.credits])
    wanted: dict[str, object] = {name: row.values.get(name) for name in before}
    owner = staff.find(word, column="owner") if (word := row.text("owner")) else None
    wanted["owner"] = owner.number if owner else None
    people = {staff.id_of(word, column="credits"): word for word in credited_words(row)}
    parts = [(people.get(part.employee_id), part.share) for part in credits_of(row, staff)]
    by_number = [
        (known.number if (known := staff.find(word, column="credits")) else word, share)
        for word, share in parts
        if word
    ]
    wanted["credits"] = _shown(by_number) if parts else None
    return differences(before, wanted)


def _shown(parts: Sequence[tuple[str | None, Decimal]]) -> str:
    return "、".join(f"{person or '—'} {(share * 100).normalize():f}%" for person, share in parts)


def _undo(version: int, before: StoredDeal | None) -> dict[str, Any]:
    if before is None:
        return {"version": version}
    values = {name: _plain(getattr(before.values, name)) for name in DealValues.__slots__}
    credits_ = [[str(part.employee_id), str(part.share)] for part in before.credits]
    return {"version": version, "before": {"values": values, "credits": credits_}}


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int) else str(value)


def _stored_before(plain: Mapping[str, Any]) -> CleanDeal:
    """The deal that an undo goes back to."""
    values = dict(plain["values"])
    ids = {name: UUID(values[name]) if values[name] else None for name in ("customer_id", "opportunity_id", "owner_id")}
    was = DealValues(
        **{
            **values,
            **ids,
            "signed_on": date.fromisoformat(values["signed_on"]),
            "contract_ends_on": date.fromisoformat(ends_on) if (ends_on := values.get("contract_ends_on")) else None,
            "vat_rate": Decimal(values["vat_rate"]),
        }
    )
    parts = tuple(CreditPart(UUID(person), Decimal(share)) for person, share in plain["credits"])
    return CleanDeal(was, was.owner_id, parts)


async def _restore(same: Mapping[UUID, Applied]) -> None:
    """Give deals their former values and credits back."""
    if not same:
        return
    rows = [(deal_id, _stored_before(each.undo["before"])) for deal_id, each in same.items()]
    departments = await departments_of(deal for _, deal in rows)
    await update_deals(rows, departments)
    await replace_credits([(deal_id, deal.values.signed_on, deal.credits) for deal_id, deal in rows], departments)


async def _tell_gone(context: ImportContext, gone: Sequence[UUID], deals: Mapping[UUID, StoredDeal]) -> None:
    await record_many(
        [
            entry_values(
                context.actor,
                "deal.import_undone",
                object_type="Deal",
                object_id=deal_id,
                changes={"number": [deals[deal_id].values.number, None]},
                clock=context.clock,
            )
            for deal_id in gone
        ]
    )
    await emit_many(
        DEAL_CANCELLED,
        [{"deal_id": str(deal_id), "customer_id": str(deals[deal_id].values.customer_id)} for deal_id in gone],
    )
