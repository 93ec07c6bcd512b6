"""From what the product records of sales to the facts of a plan, and what of a plan nothing recorded could feed.

Tables hold days, not instants: on one day signing comes first, then stages, receipts and refunds, each by its id.
People, deals and collections go by their public ids, so that explanations name them as everybody does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

from saas.incentives.errors import PlanRefused
from saas.incentives.rules.credits import Credit, Share
from saas.incentives.rules.facts import (
    Deal,
    DealCustomer,
    Facts,
    Receipt,
    Refund,
    StageReached,
    Target,
    by_deal,
    in_order,
)
from saas.incentives.rules.plans import Measure, Moment, Plan, PlanVersion, Release
from saas.incentives.rules.tiers import PerUnit
from saas.kernel import AppError, Money, Period

EMPLOYEE, CUSTOMER, DEAL, COLLECTION, STAGE = "emp", "cus", "dea", "col", "dst"
"""Prefixes of the ids in facts."""

_SIGNING, _STAGE, _RECEIPT, _REFUND = (time(hour, tzinfo=UTC) for hour in range(4))


@dataclass(frozen=True, slots=True)
class RecordedDeal:
    """A deal as the sales room keeps it; `credits` are (person, share) in their order.

    `first_order_on` is the day of the customer's first deal that stands, None where none does. `customer_level` is
    the one by which the deal was accrued for before, else today's.
    """

    id: str
    signed_on: date
    amount_minor: int
    vat_rate: Decimal
    customer: str
    customer_level: str | None
    first_order_on: date | None
    product: str | None
    category: str | None
    channel: str | None
    cancelled_on: date | None
    credits: Sequence[tuple[str, Decimal]]


@dataclass(frozen=True, slots=True)
class RecordedCollection:
    """Money that came in or went back; `stage` is what it was asked for."""

    id: str
    deal: str
    is_refund: bool
    received_on: date
    amount_minor: int
    stage: str | None


@dataclass(frozen=True, slots=True)
class RecordedStage:
    """A stage of its contract that a deal has reached."""

    id: str
    deal: str
    stage: str
    reached_on: date


@dataclass(frozen=True, slots=True)
class RecordedTarget:
    """What a person is to achieve in a period."""

    person: str
    period: Period
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """All that is recorded about some deals."""

    deals: Sequence[RecordedDeal] = ()
    collections: Sequence[RecordedCollection] = ()
    stages: Sequence[RecordedStage] = ()
    targets: Sequence[RecordedTarget] = ()


def facts_of(recorded: Recorded, plan: Plan) -> Facts:
    """The facts that the plan is applied to: those of its time.

    What was collected before the plan began is none of it, nor is a refund as far as it takes that back. Signed
    amounts go back by cancellation where they are payable at signing or by stage, by refunds where by collection.
    """
    whole = _converted(recorded, plan)
    return _signed_in_time(whole, plan) if plan.measure is Measure.SIGNED else _collected_in_time(whole, plan)


def _converted(recorded: Recorded, plan: Plan) -> Facts:
    def amount(minor: int) -> Decimal:
        return Money.of_minor(minor, plan.currency).amount

    rates = {deal.id: deal.vat_rate for deal in recorded.deals}
    goes_back_by_refund = plan.measure is Measure.COLLECTED or plan.release is Release.AT_COLLECTION
    refunds = [
        Refund(each.id, each.deal, _at(each.received_on, _REFUND), each.received_on, amount(each.amount_minor))
        for each in recorded.collections
        if each.is_refund and goes_back_by_refund
    ]
    cancelled = [
        Refund(
            f"{deal.id}/cancelled",
            deal.id,
            _at(deal.cancelled_on, _REFUND),
            deal.cancelled_on,
            amount(deal.amount_minor),
        )
        for deal in recorded.deals
        if deal.cancelled_on is not None and not goes_back_by_refund
    ]
    return Facts(
        deals=tuple(_deal(deal, plan) for deal in recorded.deals),
        receipts=tuple(
            Receipt(
                each.id,
                each.deal,
                _at(each.received_on, _RECEIPT),
                each.received_on,
                amount(each.amount_minor),
                rates[each.deal],
                each.stage,
            )
            for each in recorded.collections
            if not each.is_refund
        ),
        refunds=(*refunds, *cancelled),
        stages=tuple(
            StageReached(each.id, each.deal, _at(each.reached_on, _STAGE), each.reached_on, each.stage)
            for each in recorded.stages
        ),
        targets=tuple(Target(each.person, each.period, amount(each.amount_minor)) for each in recorded.targets),
    )


def _deal(deal: RecordedDeal, plan: Plan) -> Deal:
    first = deal.signed_on if deal.first_order_on is None else min(deal.first_order_on, deal.signed_on)
    return Deal(
        id=deal.id,
        at=_at(deal.signed_on, _SIGNING),
        on=deal.signed_on,
        amount=Money.of_minor(deal.amount_minor, plan.currency).amount,
        vat_rate=deal.vat_rate,
        currency=plan.currency,
        customer=DealCustomer(deal.customer, deal.customer_level, first),
        credit=Credit(tuple(Share(person, share) for person, share in deal.credits)),
        product=deal.product,
        category=deal.category,
        channel=deal.channel,
    )


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment)


def _signed_in_time(facts: Facts, plan: Plan) -> Facts:
    deals = tuple(deal for deal in facts.deals if plan.version_on(deal.on) is not None)
    known = {deal.id for deal in deals}
    return replace(
        facts,
        deals=deals,
        receipts=tuple(each for each in facts.receipts if each.deal in known),
        refunds=tuple(each for each in facts.refunds if each.deal in known),
        stages=tuple(each for each in facts.stages if each.deal in known),
    )


def _collected_in_time(facts: Facts, plan: Plan) -> Facts:
    receipts = by_deal(facts.receipts)
    refunds = [
        part
        for deal, back in by_deal(facts.refunds).items()
        for part in _parts_in_time(back, receipts.get(deal, ()), plan)
    ]
    kept = tuple(receipt for receipt in facts.receipts if plan.version_on(receipt.on) is not None)
    known = {receipt.deal for receipt in kept}
    deals = tuple(deal for deal in facts.deals if deal.id in known)
    return replace(facts, deals=deals, receipts=kept, refunds=tuple(refunds))


def _parts_in_time(refunds: Iterable[Refund], receipts: Sequence[Receipt], plan: Plan) -> Iterator[Refund]:
    """Refunds as far as they take back receipts of the plan's time; each takes back the latest first."""
    left = {receipt.id: receipt.amount for receipt in receipts}
    for refund in refunds:
        wanted, part = refund.amount, Decimal(0)
        for receipt in sorted(receipts, key=in_order, reverse=True):
            taken = min(wanted, left[receipt.id]) if receipt.at <= refund.at else Decimal(0)
            left[receipt.id] -= taken
            wanted -= taken
            part += taken if plan.version_on(receipt.on) is not None else 0
        if part + wanted:
            yield replace(refund, amount=part + wanted)


def unrecorded(plan: Plan) -> Iterator[AppError]:
    """Everything a plan asks for that the product does not record: it would silently never be paid."""
    if plan.vat_rate_at is Moment.COLLECTION:
        yield PlanRefused("incentives.vat_of_collections_unrecorded", field=("vatRateAt",))
    for place, version in enumerate(plan.versions):
        for problem in _unrecorded_in(version):
            yield problem.at("versions", str(place), *problem.field)


def _unrecorded_in(version: PlanVersion) -> Iterator[AppError]:
    if version.override is not None:
        yield PlanRefused("incentives.teams_unrecorded", field=("override",))
    for place, rule in enumerate(version.rules):
        if isinstance(rule.shape, PerUnit):
            yield PlanRefused("incentives.units_unrecorded", {"rule": rule.title}, field=("rules", str(place), "shape"))
        if rule.match.variant is not None:
            at = ("rules", str(place), "match", "variant")
            yield PlanRefused("incentives.variants_unrecorded", {"rule": rule.title}, field=at)


def as_if_always(plan: Plan, *, since: date) -> Plan:
    """A plan of one version as if that had been in force since a day, for everybody: to try it on deals of the past."""
    (version,) = plan.versions
    return replace(plan, versions=(replace(version, effective=Period(since), participants=()),))
