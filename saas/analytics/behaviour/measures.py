"""The measures: each a figure of a tally with how many cases it stands on; docs/behaviour.md has the formulas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from saas.analytics.behaviour.tallies import CONVERTED, END_KINDS, START_KINDS, Tally
from saas.kernel import EXACT, rounded

SHARE_DIGITS = 4
HOUR = 3600


class Unit(Enum):
    """What a figure is: a part of 1, days, hours, a number, or an amount in the currency's smallest unit."""

    SHARE = "share"
    DAYS = "days"
    HOURS = "hours"
    COUNT = "count"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Figure:
    """A value, None where there is nothing to be told, and the number of cases it stands on."""

    value: Decimal | None
    sample: int


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure by its key, which never changes."""

    key: str
    unit: Unit
    of: Callable[[Tally], Figure]


def ratio(part: int, whole: int) -> Decimal | None:
    """A part of a whole, four digits; None where the whole is not above 0."""
    return rounded(EXACT.divide(Decimal(part), Decimal(whole)), SHARE_DIGITS) if whole > 0 else None


def percentile(counts: Counter[int], percent: int) -> int | None:
    """The smallest of the values that `percent` of all don't exceed (nearest rank); None without any."""
    total = counts.total()
    rank, seen = -(-total * percent // 100), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= rank:
            return value
    return None


def _share(key: str, part: str, whole: str, sample: str = "") -> Measure:
    return Measure(
        key, Unit.SHARE, lambda tally: Figure(ratio(tally.sums[part], tally.sums[whole]), tally.sums[sample or whole])
    )


def _number(key: str, name: str, unit: Unit = Unit.COUNT, sample: str = "") -> Measure:
    return Measure(key, unit, lambda tally: Figure(Decimal(tally.sums[name]), tally.sums[sample or name]))


def _gap(key: str, percent: int) -> Measure:
    def figure(tally: Tally) -> Figure:
        days = percentile(tally.gaps, percent)
        return Figure(None if days is None else Decimal(days), tally.gaps.total())

    return Measure(key, Unit.DAYS, figure)


def _answer(key: str, percent: int) -> Measure:
    def figure(tally: Tally) -> Figure:
        seconds = percentile(tally.answers, percent)
        hours = None if seconds is None else rounded(EXACT.divide(Decimal(seconds), Decimal(HOUR)), 2)
        return Figure(hours, tally.answers.total())

    return Measure(key, Unit.HOURS, figure)


def _never_answered(tally: Tally) -> Figure:
    never = tally.sums["never_answered"]
    asked = never + tally.answers.total()
    return Figure(ratio(never, asked), asked)


def _converted(tally: Tally) -> Figure:
    cohort = sum(tally.sums[f"cohort_{kind}"] for kind in CONVERTED)
    return Figure(ratio(sum(tally.sums[f"won_{kind}"] for kind in CONVERTED), cohort), cohort)


MEASURES: tuple[Measure, ...] = (
    _number("follow_ups", "touches"),
    _share("new_follow_ups", "new_touches", "touches"),
    _number("won_deals", "won"),
    _share("new_won_deals", "new_won", "won"),
    _number("signed", "signed", Unit.AMOUNT, "won"),
    _share("new_signed", "new_signed", "signed", "won"),
    _number("collected", "collected", Unit.AMOUNT, "held"),
    _share("new_collected", "new_collected", "collected", "held"),
    _share("hoarding", "silent_worth", "held_worth", "held"),
    _share("hoarding_even", "silent_days", "held_days", "held"),
    _gap("days_between", 50),
    _gap("days_between_p90", 90),
    _share("touched", "touched", "held"),
    _answer("response", 50),
    _answer("response_p90", 90),
    Measure("never_answered", Unit.SHARE, _never_answered),
    _number("waiting", "waiting"),
    Measure("conversion", Unit.SHARE, _converted),
    *(_share(f"conversion_{kind}", f"won_{kind}", f"cohort_{kind}") for kind in CONVERTED),
    _number("conversion_censored", "censored"),
    _number("opening", "opening"),
    *(_number(f"in_{kind}", f"in_{kind}") for kind in START_KINDS),
    *(_number(f"out_{kind}", f"out_{kind}") for kind in END_KINDS),
    _number("closing", "closing"),
    _share("expired_untouched", "expired_untouched", "out_recycle"),
    _number("returns", "returns"),
)
"""In the order in which reports list them."""

_BY_KEY = {measure.key: measure for measure in MEASURES}


def figure_of(key: str, tally: Tally) -> Figure:
    """One measure of a tally.

    :raises KeyError: there is no measure of that key.
    """
    return _BY_KEY[key].of(tally)
