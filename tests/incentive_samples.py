"""Plans and facts of a small firm, from which the tests of incentives vary what they are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from saas.incentives import (
    Accrual,
    Credit,
    Deal,
    DealCustomer,
    Flat,
    Measure,
    Mode,
    Moment,
    Plan,
    PlanVersion,
    Receipt,
    Refund,
    Release,
    Rule,
    Shape,
    Share,
    Tiers,
)
from saas.kernel import Period

MARCH = Period.of_month("2026-03")
APRIL = Period.of_month("2026-04")
SINCE_2026 = Period(date(2026, 1, 1))
LADDER = Tiers((Decimal(100_000), Decimal(200_000)), (Decimal("0.03"), Decimal("0.05"), Decimal("0.08")))
WHOLE_LADDER = replace(LADDER, mode=Mode.WHOLE_AMOUNT)
THREE_PERCENT = Flat(Decimal("0.03"))


def d(text: str) -> Decimal:
    """A number."""
    return Decimal(text)


def day(text: str) -> date:
    """A day of 2026 from ``MM-DD``."""
    return date.fromisoformat(f"2026-{text}")


def noon(on: date) -> datetime:
    """The instant that the tests give to what happens on a day."""
    return datetime.combine(on, time(12), tzinfo=UTC)


def rule(shape: Shape = THREE_PERCENT, code: str = "all", **members: Any) -> Rule:
    """A rule, for everything unless it says otherwise."""
    return Rule(code, f"rule {code}", shape, **members)


def version(*rules: Rule, number: int = 1, effective: Period = SINCE_2026, **members: Any) -> PlanVersion:
    """A version of a plan, in force from 2026 on."""
    return PlanVersion(number, effective, rules or (rule(),), **members)


def plan(*versions: PlanVersion, **terms: Any) -> Plan:
    """A plan with VAT counted in, so that amounts are what they look like."""
    return Plan("sales", "销售提成", versions or (version(),), **({"with_vat": True} | terms))


def signed_plan(*versions: PlanVersion, release: Release = Release.AT_SIGNING, **terms: Any) -> Plan:
    """A plan that measures what is signed."""
    return plan(*versions, measure=Measure.SIGNED, anchor=Moment.SIGNING, release=release, **terms)


def credit(shares: str) -> Credit:
    """``"mei 0.6, bo 0.4"`` in its order; whole numbers are parts."""
    pairs = [part.split() for part in shares.split(",")]
    if len(pairs[0]) == 1:
        return Credit.whole(shares)
    in_parts = len(pairs) > 1 and all("." not in share for _, share in pairs)
    return Credit(tuple(Share(person, Decimal(share)) for person, share in pairs), in_parts)


def deal(name: str, amount: str, on: str = "03-02", credited: str = "mei", **members: Any) -> Deal:
    """A deal with 13 % VAT."""
    values: dict[str, Any] = {"vat_rate": Decimal("0.13"), "currency": "CNY"}
    values |= {"customer": DealCustomer("acme", first_order_on=day(on)), "credit": credit(credited)}
    return Deal(name, noon(day(on)), day(on), Decimal(amount), **(values | members))


def receipt(name: str, of: str, amount: str, on: str = "03-10", **members: Any) -> Receipt:
    """A receipt with 13 % VAT."""
    values: dict[str, Any] = {"vat_rate": Decimal("0.13")} | members
    return Receipt(name, of, noon(day(on)), day(on), Decimal(amount), **values)


def refund(name: str, of: str, amount: str, on: str) -> Refund:
    """A refund, an hour after noon: it comes after a receipt of the same day."""
    return Refund(name, of, noon(day(on)) + timedelta(hours=1), day(on), Decimal(amount))


def amounts(lines: tuple[Accrual, ...]) -> list[tuple[str, str, str]]:
    """Who, for what, how much."""
    return [(line.person, line.event, str(line.amount)) for line in lines]


def in_all(lines: tuple[Accrual, ...], person: str) -> Decimal:
    """What a person's lines add up to."""
    return sum((line.amount for line in lines if line.person == person), Decimal(0))
