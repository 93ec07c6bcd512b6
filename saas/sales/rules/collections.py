"""Collections (回款) and refunds (退款): never more received than the deal is worth, nor paid back than received."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from saas.kernel import AppError
from saas.people import clean_optional
from saas.sales.errors import (
    CollectionExceedsDeal,
    CollectionStays,
    DealCancelled,
    RefundExceedsCollected,
    ValueOutOfRange,
)
from saas.sales.rules.amounts import minor_of, shown

CollectionKind = Literal["collection", "refund"]


@dataclass(frozen=True, slots=True)
class NewCollection:
    """Money received for a deal, or paid back; the amount is above 0 either way."""

    deal_id: UUID
    kind: CollectionKind
    received_on: date
    amount: Decimal
    method: str | None = None
    external_system: str | None = None
    external_key: str | None = None


@dataclass(frozen=True, slots=True)
class CleanCollection:
    """The same, as it is stored."""

    deal_id: UUID
    kind: CollectionKind
    received_on: date
    amount_minor: int
    method: str | None
    external_system: str | None
    external_key: str | None


@dataclass(frozen=True, slots=True)
class Balance:
    """What decides whether money may be received or paid back: the deal's amount, and what was received so far, net."""

    number: str
    amount_minor: int
    collected_minor: int
    cancelled_on: date | None


def clean_collection(new: NewCollection, *, currency: str, today: date) -> CleanCollection:
    """The collection as it is stored.

    :raises BadUserInput: an amount or text that can't be stored, or a day that has not come yet.
    """
    if new.received_on > today:
        values = {"day": new.received_on.isoformat(), "today": today.isoformat()}
        raise ValueOutOfRange("sales.day_in_the_future", values, field=("receivedOn",))
    return CleanCollection(
        deal_id=new.deal_id,
        kind=new.kind,
        received_on=new.received_on,
        amount_minor=minor_of(new.amount, currency=currency),
        method=clean_optional(new.method, field="method", longest=40),
        external_system=clean_optional(new.external_system, field="external", longest=40),
        external_key=clean_optional(new.external_key, field="external", longest=100),
    )


def after(new: CleanCollection, balance: Balance, *, currency: str) -> int | AppError:
    """What the deal has received, net, once this is entered; or why it may not be."""
    if balance.cancelled_on is not None:
        return deal_cancelled(balance.number, balance.cancelled_on)
    amount, collected = new.amount_minor, balance.collected_minor
    if new.kind == "refund":
        if amount > collected:
            values = {"amount": shown(amount, currency), "collected": shown(collected, currency)}
            return RefundExceedsCollected("sales.refund_exceeds_collected", values, field=("amount",))
        return collected - amount
    if collected + amount > balance.amount_minor:
        values = {
            "amount": shown(amount, currency),
            "open": shown(balance.amount_minor - collected, currency),
            "deal_amount": shown(balance.amount_minor, currency),
        }
        return CollectionExceedsDeal("sales.collection_exceeds_deal", values, field=("amount",))
    return collected + amount


def without(entered: CleanCollection, balance: Balance, *, currency: str) -> int | AppError:
    """What the deal has received, net, once an entry counts no more; or why it goes on counting."""
    if balance.cancelled_on is not None:
        return deal_cancelled(balance.number, balance.cancelled_on)
    amount, collected = entered.amount_minor, balance.collected_minor
    left = collected + amount if entered.kind == "refund" else collected - amount
    if 0 <= left <= balance.amount_minor:
        return left
    values = {
        "number": balance.number,
        "amount": shown(amount, currency),
        "collected": shown(collected, currency),
        "deal_amount": shown(balance.amount_minor, currency),
    }
    if entered.kind == "refund":
        return CollectionStays("sales.refund_rested_on", values)
    return CollectionStays("sales.collection_rested_on", values)


def deal_cancelled(number: str, on: date) -> DealCancelled:
    """The refusal of whatever is done with a deal that was cancelled."""
    return DealCancelled("sales.deal_cancelled", {"number": number, "day": on.isoformat()}, field=("deal",))


@dataclass(frozen=True, slots=True)
class StoredCollection:
    """A collection as it stands; it counts until it is reversed."""

    id: UUID
    values: CleanCollection
    is_reversed: bool = False
