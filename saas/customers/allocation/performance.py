"""Performance first: shares from attainment in a closed period, with floors that really hold (P44).

The plan is published before the period: the curve from attainment to weight, its cap, the floor, what newcomers are
guaranteed. Shares are exact fractions that add up to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil

from saas.customers.allocation.errors import GuaranteesExceedWhole, PeriodStillOpen, RosterImpossible
from saas.kernel import Period, Scalar


@dataclass(frozen=True, slots=True)
class PerformancePlan:
    """How attainment becomes a share.

    `period` is the closed one that attainment is of. `curve` holds points (attainment, weight), joined by straight
    lines and level outside them; `cap` is the most that a weight counts. `floor_rate` is a share of an equal share.
    People hired less than `newcomer_days` ago are guaranteed `newcomer_rate` of all customers each.
    """

    period: Period
    curve: tuple[tuple[Decimal, Decimal], ...] = ((Decimal(0), Decimal(0)), (Decimal(2), Decimal(2)))
    cap: Decimal = Decimal(2)
    floor_rate: Decimal = Decimal("0.2")
    newcomer_days: int = 90
    newcomer_rate: Decimal = Decimal(0)

    def check(self, day: date) -> None:
        """Refuse a plan that can't decide on `day`.

        :raises PeriodStillOpen: the period is not over on that day.
        :raises RosterImpossible: the curve, the cap or a rate is out of range.
        """
        if self.period.until is None or day < self.period.until:
            last = None if self.period.last is None else self.period.last.isoformat()
            raise PeriodStillOpen("customers.performance_period_open", {"last": last, "day": day.isoformat()})
        rises = all(left[0] < right[0] for left, right in pairwise(self.curve))
        if not self.curve or not rises or min(weight for _, weight in self.curve) < 0 or self.cap <= 0:
            raise RosterImpossible("customers.performance_curve_malformed", {"points": len(self.curve)})
        rates = (self.floor_rate, self.newcomer_rate)
        if not all(0 <= rate <= 1 for rate in rates) or self.newcomer_days < 0:
            values: dict[str, Scalar] = {"floor": str(rates[0]), "newcomer": str(rates[1]), "days": self.newcomer_days}
            raise RosterImpossible("customers.performance_rate_out_of_range", values)

    def weight(self, attainment: Decimal) -> Fraction:
        """The weight that the curve gives, at most the cap."""
        at, cap = Fraction(attainment), Fraction(self.cap)
        points = [(Fraction(x), Fraction(y)) for x, y in self.curve]
        if at <= points[0][0]:
            return min(points[0][1], cap)
        for (left, low), (right, high) in pairwise(points):
            if at <= right:
                return min(low + (high - low) * (at - left) / (right - left), cap)
        return min(points[-1][1], cap)

    def is_newcomer(self, hired_on: date | None, day: date) -> bool:
        """Whether somebody hired on that day is still within the newcomers' days; unknown is no newcomer."""
        return is_newcomer(hired_on, day, days=self.newcomer_days)

    def guarantee(self, people: int, *, is_newcomer: bool) -> Fraction:
        """The least share of one of so many people."""
        floor = Fraction(self.floor_rate) / people
        return max(floor, Fraction(self.newcomer_rate)) if is_newcomer else floor


def is_newcomer(hired_on: date | None, day: date, *, days: int) -> bool:
    """Whether somebody hired on that day is within so many days of it; unknown is no newcomer."""
    return hired_on is not None and day < hired_on + timedelta(days=days)


def weights(plan: PerformancePlan, attainments: Sequence[Decimal | None]) -> list[Fraction]:
    """The weight of each; who has no attainment gets the average of those who have, and where all are 0, 1 each."""
    known = [plan.weight(each) for each in attainments if each is not None]
    if not sum(known):
        return [Fraction(1)] * len(attainments)
    average = sum(known, Fraction(0)) / len(known)
    return [average if each is None else plan.weight(each) for each in attainments]


def filled_shares(parts: Sequence[Fraction], least: Sequence[Fraction]) -> list[Fraction]:
    """Shares in proportion to `parts` (not all 0), none below its `least`, adding up to exactly 1: the water-filling.

    share = max(least, level × part) for the one level at which they add up to 1. Who would be below their least is
    set to it, which lowers the level for the others; taken in the order of least / part, nobody has to be set twice.

    :raises GuaranteesExceedWhole: the least shares add up to more than 1.
    """
    if sum(least) > 1:
        percent = Decimal(ceil(sum(least) * 10_000)).scaleb(-2)
        raise GuaranteesExceedWhole("customers.performance_guarantees_exceed", {"percent": str(percent)})
    shares = list(least)
    left, weight = Fraction(1), sum(parts, Fraction(0))
    by_need = sorted((seat for seat, part in enumerate(parts) if part), key=lambda seat: -least[seat] / parts[seat])
    left -= sum((least[seat] for seat, part in enumerate(parts) if not part), Fraction(0))
    for place, seat in enumerate(by_need):
        if least[seat] * weight < left * parts[seat]:
            for free in by_need[place:]:
                shares[free] = left * parts[free] / weight
            break
        left, weight = left - least[seat], weight - parts[seat]
    return shares
