"""Cumulative withholding (累计预扣法) of income tax on residents' wages.

STA Announcement 2018 No.61 art. 6; basic deduction also by 2020 No.13 (first wage) and 2020 No.19 (60,000 at once).
What is cumulated belongs to one withholding entity, one person and one tax year. The month is that of payment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import add, attrgetter
from typing import NamedTuple
from uuid import UUID

from plugins.china.errors import TaxYearBroken
from plugins.china.tables.income_tax import Bracket, IncomeTaxRules
from plugins.china.v1.explaining import explained, percent, yuan
from plugins.china.v1.income_tax import ZERO, bracket_of, tax_in
from saas.sdk import Explanation, month_of

_SUMMED = ("income", "exempt", "special", "special_additional", "other", "credits")
_summed_of = attrgetter(*_SUMMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxKey:
    """Whose amounts are cumulated: two entities never mix, and each tax year begins anew."""

    legal_entity: UUID
    person: UUID
    tax_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearToDate:
    """What was paid, deducted and withheld from January to the last payment, in yuan.

    `months_employed` is the number of basic deductions so far; `has_full_year_deduction`, decided once in January,
    replaces them by 60,000. `month` is that of the last payment (0: none yet), `withheld_in_month` what was withheld
    in it; it is part of `withheld`.
    """

    key: TaxKey
    income: Decimal = ZERO
    exempt: Decimal = ZERO
    special: Decimal = ZERO
    special_additional: Decimal = ZERO
    other: Decimal = ZERO
    credits: Decimal = ZERO
    withheld: Decimal = ZERO
    months_employed: int = 0
    has_full_year_deduction: bool = False
    month: int = 0
    withheld_in_month: Decimal = ZERO

    def withheld_before(self, month: int) -> Decimal:
        """What was withheld in the months before `month`, which is the last payment's or a later one."""
        return self.withheld - self.withheld_in_month if month == self.month else self.withheld


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment of wages, in yuan: what it adds to the year, not the year's sums.

    `income` 收入 · `exempt` 免税收入 · `special` 专项扣除, the employee's contributions within the limits ·
    `special_additional` 专项附加扣除 · `other` 其他扣除 · `credits` 减免税额. `months_employed` counts the months of
    the year up to that of `paid_on` (`plugins.china.v1.months`).
    """

    key: TaxKey
    paid_on: date
    months_employed: int
    income: Decimal = ZERO
    exempt: Decimal = ZERO
    special: Decimal = ZERO
    special_additional: Decimal = ZERO
    other: Decimal = ZERO
    credits: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """What is withheld from a payment, the year with it, and why.

    `amount` is below 0 only where an earlier payment of the same month had withheld more than the month owes; the
    month's total never is.
    """

    amount: Decimal
    month_total: Decimal
    year: YearToDate
    explanation: Explanation


class _YearTax(NamedTuple):
    """The tax on a year so far, and what it was found by: basic deduction, taxable income, band."""

    basic: Decimal
    taxable: Decimal
    bracket: Bracket
    tax: Decimal


class Cumulated(NamedTuple):
    """What a payment makes of a year, yuan: the month's tax before it is kept from falling below 0 (`due`), what it is
    then, what the month's earlier payments withheld (`already`), the year with it and its tax."""

    due: Decimal
    month_total: Decimal
    already: Decimal
    year: YearToDate
    tax: _YearTax

    @property
    def amount(self) -> Decimal:
        """What is withheld from the payment."""
        return self.month_total - self.already


def withhold(payment: Payment, year: YearToDate, *, rules: IncomeTaxRules) -> Withholding:
    """Tax to withhold from a payment, by what was cumulated before it.

    The month's tax is that of the year so far, less credits and less what earlier months withheld, never below 0: a
    surplus is carried to later months, not refunded. A payment owes the month's tax less what the month's earlier
    payments withheld, so their order does not change the month's total.

    :raises TaxYearBroken: another entity, person or year; a month before the last payment's; or impossible months.
    """
    found = cumulated(payment, year, rules=rules)
    explanation = withholding_explained(
        shown_withholding(found),
        rules=rules,
        paid_on=payment.paid_on,
        is_full_year=found.year.has_full_year_deduction,
        has_surplus=found.due < 0,
    )
    return Withholding(amount=found.amount, month_total=found.month_total, year=found.year, explanation=explanation)


def cumulated(payment: Payment, year: YearToDate, *, rules: IncomeTaxRules) -> Cumulated:
    """The arithmetic of `withhold`.

    :raises TaxYearBroken: as there.
    """
    _check(payment, year)
    month = payment.paid_on.month
    before, months = year.withheld_before(month), payment.months_employed
    sums = dict(zip(_SUMMED, map(add, _summed_of(year), _summed_of(payment)), strict=True))
    basic = _basic_deduction(rules, months=months, is_full_year=year.has_full_year_deduction)
    taxable = _taxable(sums, basic)
    bracket = bracket_of(rules.annual_scale, taxable)
    year_tax = tax_in(bracket, taxable)
    due = year_tax - sums["credits"] - before
    total = max(ZERO, due)
    after = YearToDate(
        key=year.key,
        **sums,
        withheld=before + total,
        months_employed=months,
        has_full_year_deduction=year.has_full_year_deduction,
        month=month,
        withheld_in_month=total,
    )
    return Cumulated(due, total, year.withheld - before, after, _YearTax(basic, taxable, bracket, year_tax))


def taxable_of(year: YearToDate, *, rules: IncomeTaxRules) -> Decimal:
    """The year's taxable income so far, in yuan; nothing below 0."""
    return _year_tax(year, rules).taxable


def basic_deduction(year: YearToDate, *, rules: IncomeTaxRules) -> Decimal:
    """减除费用: 5,000 for each month employed, or 60,000 from January on (STA Announcement 2020 No.19)."""
    return _basic_deduction(rules, months=year.months_employed, is_full_year=year.has_full_year_deduction)


def year_tax(year: YearToDate, *, rules: IncomeTaxRules) -> Decimal:
    """Tax on the year's taxable income so far, half up to the fen, before credits."""
    return _year_tax(year, rules).tax


def _year_tax(year: YearToDate, rules: IncomeTaxRules) -> _YearTax:
    basic = basic_deduction(year, rules=rules)
    taxable = _taxable(dict(zip(_SUMMED, _summed_of(year), strict=True)), basic)
    bracket = bracket_of(rules.annual_scale, taxable)
    return _YearTax(basic, taxable, bracket, tax_in(bracket, taxable))


def _basic_deduction(rules: IncomeTaxRules, *, months: int, is_full_year: bool) -> Decimal:
    basic = rules.basic_deduction
    return basic.full_year if is_full_year else basic.monthly * months


def _taxable(sums: Mapping[str, Decimal], basic: Decimal) -> Decimal:
    reliefs = sums["exempt"] + basic + sums["special"] + sums["special_additional"] + sums["other"]
    return max(ZERO, sums["income"] - reliefs)


def explain_year_tax(year: YearToDate, *, rules: IncomeTaxRules) -> Explanation:
    """Why `year_tax` is what it is: the year's sums, the deductions, the band."""
    shown = _shown_year(year, _year_tax(year, rules))
    return _year_explained(shown, rules=rules, is_full_year=year.has_full_year_deduction)


def shown_withholding(found: Cumulated) -> dict[str, str]:
    """The values of an explanation as they are shown."""
    year = found.year
    return {
        **_shown_year(year, found.tax),
        "credits": yuan(year.credits),
        "withheld": yuan(found.amount),
        "withheld_before": yuan(year.withheld_before(year.month)),
        "withheld_in_month": yuan(found.already),
        "month_total": yuan(found.month_total),
        "surplus": yuan(-found.due),
    }


def withholding_explained(
    shown: Mapping[str, str], *, rules: IncomeTaxRules, paid_on: date, is_full_year: bool, has_surplus: bool
) -> Explanation:
    """Why a withholding is what it is: from its values as they are shown, or from marks for them."""
    month = month_of(paid_on)
    surplus = (explained("surplus", shown["surplus"]),) if has_surplus else ()
    month_explained = explained(
        "month_total",
        shown["month_total"],
        _year_explained(shown, rules=rules, is_full_year=is_full_year),
        explained("credits", shown["credits"]),
        explained("withheld_before", shown["withheld_before"], month=month),
        *surplus,
        month=month,
    )
    return explained(
        "withheld",
        shown["withheld"],
        month_explained,
        explained("withheld_in_month", shown["withheld_in_month"], month=month),
        paid_on=paid_on.isoformat(),
    )


def _shown_year(year: YearToDate, tax: _YearTax) -> dict[str, str]:
    return {
        "income": yuan(year.income),
        "exempt": yuan(year.exempt),
        "special": yuan(year.special),
        "special_additional": yuan(year.special_additional),
        "other": yuan(year.other),
        "months": str(year.months_employed),
        "deduction": yuan(tax.basic),
        "taxable": yuan(tax.taxable),
        "rate": percent(tax.bracket.rate),
        "quick": yuan(tax.bracket.quick_deduction),
        "year_tax": yuan(tax.tax),
    }


def _year_explained(shown: Mapping[str, str], *, rules: IncomeTaxRules, is_full_year: bool) -> Explanation:
    basic = rules.basic_deduction
    deduction = (
        explained("full_year_deduction", shown["deduction"], source=basic.id)
        if is_full_year
        else explained(
            "basic_deduction",
            shown["deduction"],
            source=basic.id,
            months=_number(shown["months"]),
            monthly=yuan(basic.monthly),
        )
    )
    inputs = (
        explained("income", shown["income"]),
        explained("exempt", shown["exempt"]),
        deduction,
        explained("special", shown["special"]),
        explained("special_additional", shown["special_additional"]),
        explained("other", shown["other"]),
    )
    return explained(
        "year_tax",
        shown["year_tax"],
        explained("taxable", shown["taxable"], *inputs),
        source=rules.annual_scale.id,
        taxable=shown["taxable"],
        rate=shown["rate"],
        quick=shown["quick"],
    )


def _number(shown: str) -> int | str:
    """A number of months is no text in an explanation; its mark is one."""
    return int(shown) if shown.isdecimal() else shown


def _check(payment: Payment, year: YearToDate) -> None:
    paid_on, months = payment.paid_on, payment.months_employed
    if payment.key != year.key or paid_on.year != year.key.tax_year:
        raise TaxYearBroken("china.tax_year_mixed", {"paid_on": paid_on.isoformat(), "tax_year": year.key.tax_year})
    if paid_on.month < year.month:
        raise TaxYearBroken("china.month_before_last_payment", {"paid_on": paid_on.isoformat(), "last": year.month})
    if not year.months_employed <= months <= paid_on.month:
        values = {"months": months, "before": year.months_employed, "month": paid_on.month}
        raise TaxYearBroken("china.months_employed_impossible", values)
