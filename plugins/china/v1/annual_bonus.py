"""The annual one-off bonus (全年一次性奖金): taxed separately or with the year's wages, and its table's jumps.

MOF/STA Announcement 2023 No.30, Caishui 2018 No.164. The person chooses; nothing here chooses or changes an amount.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise

from plugins.china.errors import BonusNotSeparate
from plugins.china.tables.income_tax import IncomeTaxRules, Scale
from plugins.china.v1.explaining import explained, number, percent, yuan
from plugins.china.v1.findings import Finding
from plugins.china.v1.income_tax import ZERO, bracket_of, tax_in
from plugins.china.v1.withholding import YearToDate, explain_year_tax, year_tax
from saas.sdk import EXACT, Explanation, rounded

_MONTHS = 12
_SHOWN_DIGITS = 6
"""Of the twelfth part: 36,000.01 must not look like 3,000 a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BonusTax:
    """Tax on a bonus, what is left of it, and why; yuan."""

    tax: Decimal
    net: Decimal
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """A bonus just above a limit leaves less than the limit itself.

    It does so above `threshold` and below `even_at`, the first amount in fen that leaves as much as the threshold
    again. `loss` is what the bonus in question leaves less, half up to the fen.
    """

    threshold: Decimal
    even_at: Decimal
    loss: Decimal

    def finding(self, bonus: Decimal) -> Finding:
        """The warning, naming threshold and loss; it stops nothing."""
        values = {"bonus": yuan(bonus), "threshold": yuan(self.threshold), "even_at": yuan(self.even_at)}
        return Finding(key="china.bonus_jump", args={**values, "loss": yuan(self.loss)}, amount=self.loss)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both methods for one bonus, on a forecast of the year. `separate` is None where the method is not allowed."""

    separate: BonusTax | None
    merged: BonusTax
    jump: Jump | None


def tax_separately(bonus: Decimal, *, paid_on: date, taken_on: date | None, rules: IncomeTaxRules) -> BonusTax:
    """Tax by the method of its own: the twelfth part finds the band, the quick deduction goes off once.

    `taken_on` is the day of an earlier bonus that the person had taxed so, at whatever entity.

    :raises BonusNotSeparate: the method is not in force on that day, or was taken in that calendar year already.
    """
    scale = rules.bonus_scale
    if scale is None:
        raise BonusNotSeparate("china.separate_bonus_not_in_force", {"on": paid_on.isoformat()})
    if taken_on is not None and taken_on.year == paid_on.year:
        raise BonusNotSeparate("china.separate_bonus_taken", {"taken_on": taken_on.isoformat(), "year": paid_on.year})
    return _separate(bonus, scale)


def bonus_jump(bonus: Decimal, scale: Scale) -> Jump | None:
    """The jump in whose range a bonus lies, or None. Limits are those of the table times twelve.

    Net pay at T is T(1 - r1) + q1; above it, b(1 - r2) + q2 stays below that up to (T(1 - r1) + q1 - q2) / (1 - r2).
    """
    for lower, upper in pairwise(scale.brackets):
        threshold = (lower.up_to or ZERO) * _MONTHS
        at_threshold = threshold - tax_in(lower, threshold)
        even_at = EXACT.divide(at_threshold - upper.quick_deduction, 1 - upper.rate)
        if threshold < bonus < even_at:
            loss = at_threshold - (bonus - tax_in(upper, bonus))
            return Jump(threshold=threshold, even_at=rounded(even_at, rounding=ROUND_CEILING), loss=loss)
    return None


def compare_methods(
    bonus: Decimal, *, forecast: YearToDate, taken_on: date | None, rules: IncomeTaxRules
) -> Comparison:
    """Tax and net of a bonus by both methods; `forecast` is the whole year expected, without the bonus.

    The day of `rules` is that of payment. Where the separate method is not allowed it has no answer.
    """
    is_allowed = rules.bonus_scale is not None and (taken_on is None or taken_on.year != forecast.key.tax_year)
    scale = rules.bonus_scale if is_allowed else None
    return Comparison(
        separate=None if scale is None else _separate(bonus, scale),
        merged=_merged(bonus, forecast, rules),
        jump=None if scale is None else bonus_jump(bonus, scale),
    )


def _separate(bonus: Decimal, scale: Scale) -> BonusTax:
    bracket = bracket_of(scale, bonus, months=_MONTHS)
    tax = tax_in(bracket, bonus)
    explanation = explained(
        "bonus_separate",
        tax,
        source=scale.id,
        bonus=yuan(bonus),
        monthly=number(rounded(EXACT.divide(bonus, Decimal(_MONTHS)), _SHOWN_DIGITS)),
        rate=percent(bracket.rate),
        quick=yuan(bracket.quick_deduction),
    )
    return BonusTax(tax=tax, net=bonus - tax, explanation=explanation)


def _merged(bonus: Decimal, forecast: YearToDate, rules: IncomeTaxRules) -> BonusTax:
    with_bonus = replace(forecast, income=forecast.income + bonus)
    without, total = (max(ZERO, year_tax(year, rules=rules) - year.credits) for year in (forecast, with_bonus))
    explanation = explained(
        "bonus_merged",
        total - without,
        explained("year_with_bonus", total, *_inputs(with_bonus, rules)),
        explained("year_without_bonus", without, *_inputs(forecast, rules)),
        source=rules.annual_scale.id,
        bonus=yuan(bonus),
    )
    return BonusTax(tax=total - without, net=bonus - total + without, explanation=explanation)


def _inputs(year: YearToDate, rules: IncomeTaxRules) -> tuple[Explanation, ...]:
    return explain_year_tax(year, rules=rules), explained("credits", year.credits)
