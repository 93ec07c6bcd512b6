"""Deals (成交): what one must be to be entered, and what a second entry of the same one means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from saas.kernel import AppError, rounded
from saas.people import clean_name, clean_optional
from saas.sales.errors import DealBeforeCustomer, DealExists, DealHasCollections, DealWithoutOwner, ValueOutOfRange
from saas.sales.rules.amounts import minor_of, shown
from saas.sales.rules.collections import deal_cancelled
from saas.sales.rules.credits import CreditPart, check_parts

NUMBER_MAX = 60
RATE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class NewDeal:
    """A deal as it is entered; `vat_rate` is a fraction (0.13), `amount` includes it.

    Without an owner it is whoever owned the customer on the day of signing; without credits the owner has them all.
    `contract_ends_on` is the last day of its contract, where it has one (P52).
    """

    customer_id: UUID
    number: str
    signed_on: date
    amount: Decimal
    vat_rate: Decimal = Decimal(0)
    product: str | None = None
    category: str | None = None
    channel: str | None = None
    opportunity_id: UUID | None = None
    owner_id: UUID | None = None
    credits: tuple[CreditPart, ...] = ()
    external_system: str | None = None
    external_key: str | None = None
    contract_ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class DealValues:
    """What a deal holds, as it is stored; two entries of one deal are equal where these are."""

    customer_id: UUID
    opportunity_id: UUID | None
    number: str
    product: str | None
    category: str | None
    channel: str | None
    signed_on: date
    amount_minor: int
    vat_rate: Decimal
    owner_id: UUID
    external_system: str | None
    external_key: str | None
    contract_ends_on: date | None


@dataclass(frozen=True, slots=True)
class CleanDeal:
    """A deal that can be stored, but for its owner, whom the ownership history may have to tell."""

    values: DealValues
    owner_id: UUID | None
    credits: tuple[CreditPart, ...]

    def owned_by(self, history: UUID | None) -> CleanDeal:
        """The deal with its owner: the one entered, else the customer's on the day of signing.

        :raises DealWithoutOwner: there is neither.
        """
        owner = self.owner_id or history
        if owner is None:
            values = {"day": self.values.signed_on.isoformat()}
            raise DealWithoutOwner("sales.deal_without_owner", values, field=("owner",))
        parts = self.credits or (CreditPart(owner, Decimal(1)),)
        return CleanDeal(replace(self.values, owner_id=owner), owner, parts)


@dataclass(frozen=True, slots=True)
class StoredDeal:
    """A deal as it stands."""

    id: UUID
    values: DealValues
    collected_minor: int
    cancelled_on: date | None
    version: int
    credits: tuple[CreditPart, ...]


_UNOWNED = UUID(int=0)


def clean_deal(new: NewDeal, *, currency: str, today: date) -> CleanDeal:
    """The deal as it can be stored.

    :raises BadUserInput: a text, amount, rate, day or credit that it can't have.
    """
    if new.signed_on > today:
        values = {"day": new.signed_on.isoformat(), "today": today.isoformat()}
        raise ValueOutOfRange("sales.day_in_the_future", values, field=("signedOn",))
    if new.contract_ends_on is not None and new.contract_ends_on < new.signed_on:
        values = {"ends_on": new.contract_ends_on.isoformat(), "signed_on": new.signed_on.isoformat()}
        raise ValueOutOfRange("sales.contract_ends_before_signing", values, field=("contractEndsOn",))
    values_ = DealValues(
        customer_id=new.customer_id,
        opportunity_id=new.opportunity_id,
        number=clean_name(new.number, field="number", longest=NUMBER_MAX),
        product=clean_optional(new.product, field="product", longest=100),
        category=clean_optional(new.category, field="category", longest=100),
        channel=clean_optional(new.channel, field="channel", longest=100),
        signed_on=new.signed_on,
        amount_minor=minor_of(new.amount, currency=currency),
        vat_rate=_rate(new.vat_rate),
        owner_id=_UNOWNED,
        external_system=clean_optional(new.external_system, field="external", longest=40),
        external_key=clean_optional(new.external_key, field="external", longest=100),
        contract_ends_on=new.contract_ends_on,
    )
    return CleanDeal(values_, new.owner_id, check_parts(new.credits) if new.credits else ())


def _rate(rate: Decimal) -> Decimal:
    if not rate.is_finite() or not 0 <= rate < 1 or rounded(rate, RATE_DIGITS) != rate:
        raise ValueOutOfRange("sales.vat_rate_out_of_range", {"rate": str(rate)[:40]}, field=("vatRate",))
    return rounded(rate, RATE_DIGITS)


def check_customer_was_there(signed_on: date, *, since: date) -> None:
    """Refuse a deal of a day on which the customer was not there yet.

    :raises DealBeforeCustomer: naming both days.
    """
    if signed_on < since:
        values = {"signed_on": signed_on.isoformat(), "since": since.isoformat()}
        raise DealBeforeCustomer("sales.deal_before_customer", values, field=("signedOn",))


def may_change(stored: StoredDeal, wanted: CleanDeal, *, currency: str) -> AppError | None:
    """Why a second entry of a deal may not change it; None where it may.

    A cancelled deal stays as it is, and no deal becomes smaller than what was received for it.
    """
    if stored.cancelled_on is not None:
        return deal_cancelled(stored.values.number, stored.cancelled_on)
    if wanted.values.amount_minor < stored.collected_minor:
        return has_collections(stored, currency=currency)
    return None


def has_collections(stored: StoredDeal, *, currency: str) -> DealHasCollections:
    """The refusal to cancel, or make smaller, a deal that money was received for."""
    values = {"number": stored.values.number, "collected": shown(stored.collected_minor, currency)}
    return DealHasCollections("sales.deal_has_collections", values)


def deal_exists(stored: StoredDeal) -> DealExists:
    """The refusal of a deal that is there already with other values."""
    return DealExists("sales.deal_exists", {"number": stored.values.number}, field=("number",))
