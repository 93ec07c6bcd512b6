"""Tiers (阶梯档位): ordered cut points with one rate per interval, so that no amount has two rates or none.

Consultants write closed tables (from, to, rate); `parse_table` turns one into cut points and refuses what would leave
a gap or an overlap. All amounts are in the plan's currency, all rates are decimal fractions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, pairwise

from saas.incentives.errors import TargetMissing, TiersRefused
from saas.incentives.rules.exact import plain, rounded_ratio
from saas.kernel import EXACT, AppError, AppErrors, Scalar

ONE = Decimal(1)


class Mode(Enum):
    """What the rate of a tier is applied to."""

    MARGINAL = "marginal"
    """Each slice at its own rate."""
    WHOLE_AMOUNT = "whole_amount"
    """Everything at the rate of the tier reached."""


class Bound(Enum):
    """To which tier an amount equal to a cut belongs; in marginal mode both give the same."""

    UPPER_INCLUSIVE = "upper_inclusive"
    """To the lower tier, as in tax tables."""
    LOWER_INCLUSIVE = "lower_inclusive"
    """To the upper tier."""


@dataclass(frozen=True, slots=True)
class Flat:
    """One rate for every amount."""

    rate: Decimal


@dataclass(frozen=True, slots=True)
class PerUnit:
    """A fixed amount of money for each unit sold."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class Tiers:
    """`rates` has one more member than `cuts`. With `of_target`, cuts are multiples of the person's target."""

    cuts: tuple[Decimal, ...]
    rates: tuple[Decimal, ...]
    mode: Mode = Mode.MARGINAL
    bound: Bound = Bound.UPPER_INCLUSIVE
    of_target: bool = False

    def rate_at(self, base: Fraction) -> Decimal:
        """The rate of the tier that `base` reaches."""
        find = bisect_left if self.bound is Bound.UPPER_INCLUSIVE else bisect_right
        return self.rates[find(_steps(self.cuts, self.rates)[0], base)]

    def slices(self, base: Fraction) -> Iterator[tuple[Fraction, Decimal]]:
        """The parts of `base` with the rate of each: one in whole-amount mode, none where there is no base."""
        if base <= 0:
            return
        if self.mode is Mode.WHOLE_AMOUNT:
            yield base, self.rate_at(base)
            return
        starts = [Fraction(0), *map(Fraction, self.cuts)]
        ends = [*starts[1:], base]
        for start, end, rate in zip(starts, ends, self.rates, strict=True):
            if start < base:
                yield min(end, base) - start, rate

    def commission(self, base: Fraction) -> Fraction:
        """What `base` earns, not rounded; nothing where it is not above 0."""
        if base <= 0:
            return Fraction(0)
        if self.mode is Mode.WHOLE_AMOUNT:
            return base * Fraction(self.rate_at(base))
        starts, rates, earned = _steps(self.cuts, self.rates)
        tier = bisect_left(starts, base)
        return earned[tier] + (base - (starts[tier - 1] if tier else 0)) * rates[tier]

    def for_target(self, target: Decimal | None, *, person: str, period: str) -> Tiers:
        """The same with cuts in money: each multiple times the target, not rounded.

        :raises TargetMissing: there is no target, or it is not above 0.
        """
        if not self.of_target:
            return self
        if target is None or target <= 0:
            found = "-" if target is None else plain(target)
            raise TargetMissing("incentives.target_missing", {"person": person, "period": period, "target": found})
        return replace(self, cuts=tuple(EXACT.multiply(cut, target) for cut in self.cuts), of_target=False)

    def jumps(self) -> Iterator[tuple[Decimal, Decimal]]:
        """Each cut of a whole-amount scale with what passing it is worth at once: the reason to warn of such plans.

        A jump of more than a set share of a month's pay invites moving orders between periods (3.1).
        """
        if self.mode is Mode.WHOLE_AMOUNT:
            for cut, (lower, upper) in zip(self.cuts, pairwise(self.rates), strict=True):
                yield cut, EXACT.multiply(cut, upper - lower)


@lru_cache(maxsize=4096)
def _steps(
    cuts: tuple[Decimal, ...], rates: tuple[Decimal, ...]
) -> tuple[list[Fraction], list[Fraction], list[Fraction]]:
    """Cuts and rates as ratios, and what the tiers below each one earn when they are full: worked out once a scale."""
    starts, fractions = [Fraction(cut) for cut in cuts], [Fraction(rate) for rate in rates]
    widths = [upper - lower for lower, upper in pairwise([Fraction(0), *starts])]
    full = accumulate((width * rate for width, rate in zip(widths, fractions, strict=False)), initial=Fraction(0))
    return starts, fractions, [*full]


Shape = Flat | PerUnit | Tiers
"""How an amount of commission is found from its base."""


def year_to_date(tiers: Tiers, *, base: Decimal, accrued: Decimal, digits: int = 2) -> Decimal:
    """What is to accrue now: f(total base of the year to date) less what has accrued earlier in the year.

    May be negative. A correction in an earlier month needs nothing of its own: it has changed `base`.
    """
    return rounded_ratio(tiers.commission(Fraction(base)), digits) - accrued


def tier_problems(tiers: Tiers) -> Iterator[AppError]:
    """Everything that is wrong with tiers, each placed at its member."""
    if len(tiers.rates) != len(tiers.cuts) + 1:
        values: dict[str, Scalar] = {"cuts": len(tiers.cuts), "rates": len(tiers.rates), "needed": len(tiers.cuts) + 1}
        yield TiersRefused("incentives.tier_count", values, field=("rates",))
    for place, cut in enumerate(tiers.cuts):
        if cut <= 0:
            yield TiersRefused("incentives.cut_not_positive", {"cut": plain(cut)}, field=("cuts", str(place)))
    for place, (lower, upper) in enumerate(pairwise(tiers.cuts), 1):
        if upper <= lower:
            values = {"cut": plain(upper), "before": plain(lower)}
            yield TiersRefused("incentives.cuts_unordered", values, field=("cuts", str(place)))
    for place, rate in enumerate(tiers.rates):
        yield from rate_problems(rate, "rates", str(place))


def rate_problems(rate: Decimal, *path: str) -> Iterator[AppError]:
    """A rate is a decimal fraction from 0 to 1: 3 for "3 %" is the commonest slip of a hand."""
    if not 0 <= rate <= ONE:
        yield TiersRefused("incentives.rate_out_of_range", {"rate": plain(rate)}, field=path)


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row as consultants write it; `upto` None is without end."""

    since: Decimal
    upto: Decimal | None
    rate: Decimal


def parse_table(rows: Sequence[TableRow], *, mode: Mode = Mode.MARGINAL, bound: Bound = Bound.UPPER_INCLUSIVE) -> Tiers:
    """Tiers from a closed table. Rows are counted from 1 in messages, as a sheet counts them.

    :raises AppErrors: with every `TiersRefused` found: a gap, an overlap, rows out of order, from above to, a negative
        bound, a rate out of range, a first row not from 0, a last row with an end.
    """
    problems = [*_row_problems(rows), *_joint_problems(rows)]
    if problems:
        raise AppErrors(problems)
    cuts = tuple(row.upto for row in rows if row.upto is not None)
    return Tiers(cuts, tuple(row.rate for row in rows), mode, bound)


def _row_problems(rows: Sequence[TableRow]) -> Iterator[AppError]:
    if not rows:
        yield TiersRefused("incentives.table_empty", {})
    for number, row in enumerate(rows, 1):
        at, values = ("rows", str(number - 1)), _row_values(number, row)
        if row.since < 0 or (row.upto is not None and row.upto < 0):
            yield TiersRefused("incentives.row_negative", values, field=at)
        if row.upto is not None and row.upto <= row.since:
            yield TiersRefused("incentives.row_upside_down", values, field=at)
        if row.upto is None and number < len(rows):
            yield TiersRefused("incentives.row_open_too_early", values | {"last": len(rows)}, field=at)
        yield from rate_problems(row.rate, *at, "rate")
    if rows and rows[0].since > 0:
        yield TiersRefused("incentives.table_starts_late", _row_values(1, rows[0]), field=("rows", "0"))
    if rows and rows[-1].upto is not None:
        last = len(rows)
        yield TiersRefused("incentives.table_without_end", _row_values(last, rows[-1]), field=("rows", str(last - 1)))


def _joint_problems(rows: Sequence[TableRow]) -> Iterator[AppError]:
    for number, (row, following) in enumerate(pairwise(rows), 1):
        if row.upto is None or row.upto == following.since:
            continue
        values: dict[str, Scalar] = {
            "row": number,
            "upto": plain(row.upto),
            "next_row": number + 1,
            "since": plain(following.since),
            "apart": plain(abs(following.since - row.upto)),
        }
        if following.since < row.since:
            key = "incentives.rows_unordered"
        else:
            key = "incentives.rows_overlap" if following.since < row.upto else "incentives.rows_apart"
        yield TiersRefused(key, values, field=("rows", str(number)))


def _row_values(number: int, row: TableRow) -> dict[str, Scalar]:
    upto = "∞" if row.upto is None else plain(row.upto)
    return {"row": number, "since": plain(row.since), "upto": upto}
