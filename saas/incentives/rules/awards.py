"""Breakthrough awards (突破奖): a rate of what a result is above a reference, once it has grown enough (3.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from saas.incentives.errors import AwardRefused
from saas.incentives.rules.exact import percent, plain, rounded_ratio
from saas.kernel import EXACT, Explanation


@dataclass(frozen=True, slots=True)
class Reference:
    """What a result is compared with; `set_on` where it was set in writing and not taken from history."""

    amount: Decimal
    set_on: date | None = None


@dataclass(frozen=True, slots=True)
class AwardTerms:
    """`growth` and `rate` are decimal fractions; `years` says of how many years the best is the reference."""

    growth: Decimal
    rate: Decimal
    years: int


def best_of(results: Mapping[int, Decimal], *, year: int, terms: AwardTerms) -> Reference | None:
    """The best of the years before `year`; None for a person without history."""
    known = [results[before] for before in range(year - terms.years, year) if before in results]
    return Reference(max(known)) if known else None


def breakthrough(
    result: Decimal, reference: Reference | None, terms: AwardTerms, *, person: str, begins_on: date, digits: int = 2
) -> tuple[Decimal, Explanation]:
    """Rate x (result - reference), if the result is at least reference x (1 + growth), compared unrounded; else 0.

    :raises AwardRefused: no reference, or one set in writing when the period had begun.
    """
    if reference is None:
        raise AwardRefused("incentives.reference_missing", {"person": person, "begins_on": begins_on.isoformat()})
    if reference.set_on is not None and reference.set_on >= begins_on:
        values = {"person": person, "set_on": reference.set_on.isoformat(), "begins_on": begins_on.isoformat()}
        raise AwardRefused("incentives.reference_too_late", values)
    needed = EXACT.multiply(reference.amount, 1 + terms.growth)
    is_reached = result >= needed
    above = Fraction(result) - Fraction(reference.amount)
    amount = rounded_ratio(above * Fraction(terms.rate), digits) if is_reached else Decimal(0)
    shown = {
        "result": plain(result),
        "reference": plain(reference.amount),
        "needed": plain(needed),
        "growth": percent(terms.growth),
        "rate": percent(terms.rate),
    }
    key = "incentives.breakthrough" if is_reached else "incentives.no_breakthrough"
    return amount, Explanation(key, shown, amount=str(amount))
