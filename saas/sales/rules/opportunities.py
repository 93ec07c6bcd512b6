"""Opportunities (商机): what one must be, and what moving it to another stage means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from saas.people import clean_optional
from saas.sales.errors import ValueOutOfRange
from saas.sales.rules.amounts import minor_of

OPEN = "open"


@dataclass(frozen=True, slots=True)
class NewOpportunity:
    """An opportunity as it is entered. Without a customer it is of one still unknown; `stage` is the stage's key.

    Without an owner it is the caller's own. `closed_on` belongs to stages that end it.
    """

    stage: str
    customer_id: UUID | None = None
    owner_id: UUID | None = None
    product: str | None = None
    engaged_on: date | None = None
    closed_on: date | None = None
    expected: Decimal | None = None
    external_system: str | None = None
    external_key: str | None = None


@dataclass(frozen=True, slots=True)
class OpportunityValues:
    """What an opportunity holds, as it is stored; two entries of one are equal where these are."""

    customer_id: UUID | None
    owner_id: UUID
    stage_id: UUID
    product: str | None
    engaged_on: date | None
    closed_on: date | None
    expected_minor: int | None
    external_system: str | None
    external_key: str | None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the company's."""

    id: UUID
    key: str
    kind: str


def clean_opportunity(
    new: NewOpportunity, stage: Stage, *, owner_id: UUID, currency: str, today: date
) -> OpportunityValues:
    """The opportunity as it is stored.

    :raises BadUserInput: an amount, text or day that it can't have.
    """
    closed_on = closing_day(stage, new.closed_on, engaged_on=new.engaged_on, today=today)
    if new.engaged_on is not None and new.engaged_on > today:
        raise _in_the_future(new.engaged_on, today=today, field="engagedOn")
    return OpportunityValues(
        customer_id=new.customer_id,
        owner_id=owner_id,
        stage_id=stage.id,
        product=clean_optional(new.product, field="product", longest=100),
        engaged_on=new.engaged_on,
        closed_on=closed_on,
        # a lost opportunity is worth 0 in many sheets: that is said by no amount
        expected_minor=minor_of(new.expected, currency=currency, field="expected") if new.expected else None,
        external_system=clean_optional(new.external_system, field="external", longest=40),
        external_key=clean_optional(new.external_key, field="external", longest=100),
    )


def closing_day(stage: Stage, given: date | None, *, engaged_on: date | None, today: date) -> date | None:
    """The day an opportunity ended, in the stage it stands in: none while it is open.

    :raises ValueOutOfRange: a day for an open stage, none for one that ends it, one that has not come, or one before
        the engagement.
    """
    if stage.kind == OPEN:
        if given is not None:
            raise ValueOutOfRange("sales.open_stage_has_no_end", {"stage": stage.key}, field=("closedOn",))
        return None
    if given is None:
        raise ValueOutOfRange("sales.closed_stage_needs_day", {"stage": stage.key}, field=("closedOn",))
    if given > today:
        raise _in_the_future(given, today=today, field="closedOn")
    if engaged_on is not None and given < engaged_on:
        values = {"closed_on": given.isoformat(), "engaged_on": engaged_on.isoformat()}
        raise ValueOutOfRange("sales.closed_before_engaged", values, field=("closedOn",))
    return given


def _in_the_future(day: date, *, today: date, field: str) -> ValueOutOfRange:
    values = {"day": day.isoformat(), "today": today.isoformat()}
    return ValueOutOfRange("sales.day_in_the_future", values, field=(field,))


@dataclass(frozen=True, slots=True)
class StoredOpportunity:
    """An opportunity as it stands; `reached` is the position of the furthest stage so far, since `advanced_on`."""

    id: UUID
    values: OpportunityValues
    version: int
    reached: int
    advanced_on: date
