"""What plans are applied to: deals, receipts, refunds, stages, teams and targets, as plain values.

Amounts are with VAT and in the plan's currency; an amount in another currency is converted before, per order. `at` is
the instant and orders events, then their id; `on` is the day in the company's calendar and decides period and version.
Facts are complete for what they concern: all receipts and refunds of a deal, all deals of a person's period (of the
year where tiers run over a year), those of the original periods where a refund is among them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from saas.incentives.errors import FactRefused
from saas.incentives.rules.credits import Credit, credit_problems
from saas.incentives.rules.exact import plain
from saas.incentives.rules.plans import Measure, Plan, Release
from saas.kernel import AppError, AppErrors, Period, Scalar


@dataclass(frozen=True, slots=True)
class DealCustomer:
    """Who bought. `first_order_on` is by legal customer after the merge of duplicates."""

    id: str
    level: str | None = None
    first_order_on: date | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """One product of one contract (成交): a contract of several products is several deals, each with its receipts.

    `vat_rate` is the one fixed at signing; `units` is how many were sold.
    """

    id: str
    at: datetime
    on: date
    amount: Decimal
    vat_rate: Decimal
    currency: str
    customer: DealCustomer
    credit: Credit
    variant: str | None = None
    product: str | None = None
    category: str | None = None
    channel: str | None = None
    units: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that came for a deal (回款). `vat_rate` is the one in force then; `stage` is what it was asked for."""

    id: str
    deal: str
    at: datetime
    on: date
    amount: Decimal
    vat_rate: Decimal
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that went back, or a signed amount that was cancelled; a positive amount.

    Of several receipts it takes back the latest first.
    """

    id: str
    deal: str
    at: datetime
    on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class StageReached:
    """A stage of the plan that a deal has reached."""

    id: str
    deal: str
    at: datetime
    on: date
    stage: str


@dataclass(frozen=True, slots=True)
class TeamSpell:
    """In these days the manager has the member in the team. A manager of managers has a spell for each of them."""

    manager: str
    member: str
    during: Period


@dataclass(frozen=True, slots=True)
class Target:
    """What a person is to reach in a period (业绩目标), in the plan's currency and measure."""

    person: str
    period: Period
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything at once; the order of the members says nothing."""

    deals: tuple[Deal, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    refunds: tuple[Refund, ...] = ()
    stages: tuple[StageReached, ...] = ()
    teams: tuple[TeamSpell, ...] = ()
    targets: tuple[Target, ...] = ()

    def targets_by_person(self) -> dict[tuple[str, Period], Decimal]:
        """Each target under its person and period."""
        return {(target.person, target.period): target.amount for target in self.targets}


def in_order(event: Deal | Receipt | Refund | StageReached) -> tuple[datetime, str]:
    """Where order matters it is event time, then id."""
    return event.at, event.id


_Happening = TypeVar("_Happening", Receipt, Refund, StageReached)


def by_deal(events: Iterable[_Happening]) -> dict[str, list[_Happening]]:
    """Events under the id of their deal, in order."""
    found: dict[str, list[_Happening]] = defaultdict(list)
    for event in sorted(events, key=in_order):
        found[event.deal].append(event)
    return found


def check_facts(facts: Facts, plan: Plan) -> None:
    """Refuse facts that no line may rest on.

    :raises AppErrors: with every `FactRefused` and `SharesRefused` found, each naming the record.
    """
    problems = [*_deal_problems(facts, plan), *_event_problems(facts), *_refund_problems(facts, plan)]
    if problems:
        raise AppErrors(problems)


def _deal_problems(facts: Facts, plan: Plan) -> Iterator[AppError]:
    for deal in facts.deals:
        values: dict[str, Scalar] = {"deal": deal.id}
        if deal.currency != plan.currency:
            values |= {"currency": deal.currency, "expected": plan.currency}
            yield FactRefused("incentives.deal_in_other_currency", values)
        if deal.amount <= 0:
            yield FactRefused("incentives.amount_not_positive", {"id": deal.id, "amount": plain(deal.amount)})
        if not 0 <= deal.vat_rate < 1:
            yield FactRefused("incentives.vat_rate_out_of_range", {"id": deal.id, "rate": plain(deal.vat_rate)})
        first = deal.customer.first_order_on
        if first is not None and first > deal.on:
            values = {"deal": deal.id, "on": deal.on.isoformat(), "first": first.isoformat()}
            yield FactRefused("incentives.first_order_after_deal", values)
        yield from (problem.at(deal.id, *problem.field) for problem in credit_problems(deal.credit))


def _event_problems(facts: Facts) -> Iterator[AppError]:
    deals = {deal.id for deal in facts.deals}
    events: list[Receipt | Refund | StageReached] = [*facts.receipts, *facts.refunds, *facts.stages]
    paid: list[Receipt | Refund] = [*facts.receipts, *facts.refunds]
    for name, count in Counter([deal.id for deal in facts.deals] + [event.id for event in events]).items():
        if count > 1:
            yield FactRefused("incentives.fact_twice", {"id": name, "count": count})
    for event in events:
        if event.deal not in deals:
            yield FactRefused("incentives.fact_without_deal", {"id": event.id, "deal": event.deal})
    for money in paid:
        if money.amount <= 0:
            yield FactRefused("incentives.amount_not_positive", {"id": money.id, "amount": plain(money.amount)})
    for receipt in facts.receipts:
        if not 0 <= receipt.vat_rate < 1:
            yield FactRefused("incentives.vat_rate_out_of_range", {"id": receipt.id, "rate": plain(receipt.vat_rate)})


def _refund_problems(facts: Facts, plan: Plan) -> Iterator[AppError]:
    """A unit of money goes back at most once, and not before it came."""
    receipts, signed = by_deal(facts.receipts), {deal.id: deal.amount for deal in facts.deals}
    cancels = plan.measure is Measure.SIGNED and plan.release is not Release.AT_COLLECTION
    for deal, refunds in by_deal(facts.refunds).items():
        back = Decimal(0)
        for refund in refunds:
            came = sum((r.amount for r in receipts.get(deal, ()) if r.at <= refund.at), Decimal(0))
            most = signed.get(deal, Decimal(0)) if cancels else came
            back += refund.amount
            if back > most:
                values: dict[str, Scalar] = {
                    "refund": refund.id,
                    "deal": deal,
                    "back": plain(back),
                    "most": plain(most),
                }
                yield FactRefused("incentives.refund_exceeds", values)


def without_vat(gross: Decimal, vat_rate: Decimal) -> Fraction:
    """An amount less the VAT in it: amount ÷ (1 + rate), not rounded."""
    return Fraction(gross) / (1 + Fraction(vat_rate))
