"""Attainment (达成率) and what is paid for it: targets in part of a period, payout curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import pairwise

from saas.incentives.errors import TargetMissing, TiersRefused
from saas.incentives.rules.exact import plain, rounded_ratio, shown
from saas.kernel import AppError, AppErrors, Explanation, Period


class Beyond(Enum):
    """What a payout curve does outside its points."""

    ZERO = "zero"
    """Nothing is paid."""
    FLAT = "flat"
    """The factor of the nearest point."""
    STRAIGHT_ON = "straight_on"
    """The nearest piece goes on in its direction, though never below 0."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """At this attainment (1 is the target) the target bonus is multiplied by this factor."""

    attainment: Decimal
    factor: Decimal


@dataclass(frozen=True, slots=True)
class PayoutCurve:
    """Ordered points, linear between them; what happens below the first and above the last is stated."""

    points: tuple[CurvePoint, ...]
    below: Beyond = Beyond.ZERO
    above: Beyond = Beyond.FLAT

    def factor(self, attainment: Fraction) -> Fraction:
        """The factor, not rounded."""
        first, last = self.points[0], self.points[-1]
        if attainment < first.attainment:
            return _beyond(self.below, first, self.points[:2], attainment)
        if attainment > last.attainment:
            return _beyond(self.above, last, self.points[-2:], attainment)
        for left, right in pairwise(self.points):
            if attainment <= right.attainment:
                return _line(left, right, attainment)
        return Fraction(last.factor)


def _beyond(kind: Beyond, nearest: CurvePoint, piece: tuple[CurvePoint, ...], attainment: Fraction) -> Fraction:
    if kind is Beyond.ZERO:
        return Fraction(0)
    if kind is Beyond.FLAT or len(piece) < 2:
        return Fraction(nearest.factor)
    return max(Fraction(0), _line(piece[0], piece[1], attainment))


def _line(left: CurvePoint, right: CurvePoint, attainment: Fraction) -> Fraction:
    rise, run = Fraction(right.factor - left.factor), Fraction(right.attainment - left.attainment)
    return Fraction(left.factor) + rise * (attainment - Fraction(left.attainment)) / run


def check_curve(curve: PayoutCurve) -> PayoutCurve:
    """The same curve.

    :raises AppErrors: with every `TiersRefused`: no point, a negative number, points out of order.
    """
    problems = [*_curve_problems(curve)]
    if problems:
        raise AppErrors(problems)
    return curve


def _curve_problems(curve: PayoutCurve) -> Iterator[AppError]:
    if not curve.points:
        yield TiersRefused("incentives.curve_empty", {}, field=("points",))
    for place, point in enumerate(curve.points):
        if min(point.attainment, point.factor) < 0:
            values = {"attainment": plain(point.attainment), "factor": plain(point.factor)}
            yield TiersRefused("incentives.curve_negative", values, field=("points", str(place)))
    for place, (left, right) in enumerate(pairwise(curve.points), 1):
        if right.attainment <= left.attainment:
            values = {"attainment": plain(right.attainment), "before": plain(left.attainment)}
            yield TiersRefused("incentives.curve_unordered", values, field=("points", str(place)))


def attainment_of(achieved: Decimal, target: Decimal | None, *, person: str, period: str) -> Fraction:
    """Achieved ÷ target, compared as it is and shown to four decimals.

    :raises TargetMissing: there is no target, or it is not above 0.
    """
    if target is None or target <= 0:
        found = "-" if target is None else plain(target)
        raise TargetMissing("incentives.target_missing", {"person": person, "period": period, "target": found})
    return Fraction(achieved) / Fraction(target)


def payout(
    curve: PayoutCurve, *, attainment: Fraction, target_bonus: Decimal, digits: int = 2
) -> tuple[Decimal, Explanation]:
    """Target bonus × factor of the curve, rounded once, with its explanation."""
    factor = curve.factor(attainment)
    amount = rounded_ratio(Fraction(target_bonus) * factor, digits)
    values = {
        "attainment": format(rounded_ratio(attainment, 4), "f"),
        "factor": shown(factor),
        "target_bonus": plain(target_bonus),
    }
    return amount, Explanation("incentives.payout", values, amount=str(amount))


def prorated_target(target: Decimal, *, period: Period, active: Period, digits: int = 2) -> Decimal:
    """The target of who is there for a part of the period: by calendar days, the first one counted, rounded once (3.7).

    :raises ValueError: the period is without end.
    """
    shared = period.overlap(active)
    days = 0 if shared is None else sum(1 for _ in shared.days())
    return rounded_ratio(Fraction(target) * days / sum(1 for _ in period.days()), digits)
