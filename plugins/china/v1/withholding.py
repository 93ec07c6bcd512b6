"""Cumulative withholding (累计预扣法) of income tax on residents' wages.

STA Announcement 2018 No.61 art. 6; basic deduction also by 2020 No.13 (first wage) and 2020 No.19 (60,000 at once).
What is cumulated belongs to one withholding entity, one person and one tax year. The month is that of payment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from plugins.china.errors import TaxYearBroken
from plugins.china.tables.income_tax import IncomeTaxRules
from plugins.china.v1.explaining import explained, percent, yuan
from plugins.china.v1.income_tax import ZERO, bracket_of, tax_in
from saas.sdk import Explanation, month_of

_SUMMED = ("income", "exempt", "special", "special_additional", "other", "credits")


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


def withhold(payment: Payment, year: YearToDate, *, rules: IncomeTaxRules) -> Withholding:
    """Tax to withhold from a payment, by what was cumulated before it.

    The month's tax is that of the year so far, less credits and less what earlier months withheld, never below 0: a
    surplus is carried to later months, not refunded. A payment owes the month's tax less what the month's earlier
    payments withheld, so their order does not change the month's total.

    :raises TaxYearBroken: another entity, person or year; a month before the last payment's; or impossible months.
    """
    _check(payment, year)
    month = payment.paid_on.month
    sums = {name: getattr(year, name) + getattr(payment, name) for name in _SUMMED}
    before = year.withheld_before(month)
    summed = replace(year, **sums, months_employed=payment.months_employed, month=month)
    due = year_tax(summed, rules=rules) - summed.credits - before
    total = max(ZERO, due)
    already = year.withheld - before
    after = replace(summed, withheld=before + total, withheld_in_month=total)
    explanation = explained(
        "withheld",
        total - already,
        _month_explained(after, due, rules),
        explained("withheld_in_month", already, month=month_of(payment.paid_on)),
        paid_on=payment.paid_on.isoformat(),
    )
    return Withholding(amount=total - already, month_total=total, year=after, explanation=explanation)


def taxable_of(year: YearToDate, *, rules: IncomeTaxRules) -> Decimal:
    """The year's taxable income so far, in yuan; nothing below 0."""
    reliefs = year.exempt + basic_deduction(year, rules=rules) + year.special + year.special_additional + year.other
    return max(ZERO, year.income - reliefs)


def basic_deduction(year: YearToDate, *, rules: IncomeTaxRules) -> Decimal:
    """减除费用: 5,000 for each month employed, or 60,000 from January on (STA Announcement 2020 No.19)."""
    basic = rules.basic_deduction
    return basic.full_year if year.has_full_year_deduction else basic.monthly * year.months_employed


def year_tax(year: YearToDate, *, rules: IncomeTaxRules) -> Decimal:
    """Tax on the year's taxable income so far, half up to the fen, before credits."""
    taxable = taxable_of(year, rules=rules)
    return tax_in(bracket_of(rules.annual_scale, taxable), taxable)


def explain_year_tax(year: YearToDate, *, rules: IncomeTaxRules) -> Explanation:
    """Why `year_tax` is what it is: the year's sums, the deductions, the band."""
    taxable, scale, basic = taxable_of(year, rules=rules), rules.annual_scale, rules.basic_deduction
    bracket = bracket_of(scale, taxable)
    deduction = (
        explained("full_year_deduction", basic.full_year, source=basic.id)
        if year.has_full_year_deduction
        else explained(
            "basic_deduction",
            basic.monthly * year.months_employed,
            source=basic.id,
            months=year.months_employed,
            monthly=yuan(basic.monthly),
        )
    )
    inputs = (
        explained("income", year.income),
        explained("exempt", year.exempt),
        deduction,
        explained("special", year.special),
        explained("special_additional", year.special_additional),
        explained("other", year.other),
    )
    return explained(
        "year_tax",
        tax_in(bracket, taxable),
        explained("taxable", taxable, *inputs),
        source=scale.id,
        taxable=yuan(taxable),
        rate=percent(bracket.rate),
        quick=yuan(bracket.quick_deduction),
    )


def _check(payment: Payment, year: YearToDate) -> None:
    paid_on, months = payment.paid_on, payment.months_employed
    if payment.key != year.key or paid_on.year != year.key.tax_year:
        raise TaxYearBroken("china.tax_year_mixed", {"paid_on": paid_on.isoformat(), "tax_year": year.key.tax_year})
    if paid_on.month < year.month:
        raise TaxYearBroken("china.month_before_last_payment", {"paid_on": paid_on.isoformat(), "last": year.month})
    if not year.months_employed <= months <= paid_on.month:
        values = {"months": months, "before": year.months_employed, "month": paid_on.month}
        raise TaxYearBroken("china.months_employed_impossible", values)


def _month_explained(year: YearToDate, due: Decimal, rules: IncomeTaxRules) -> Explanation:
    month, before = f"{year.key.tax_year}-{year.month:02d}", year.withheld_before(year.month)
    surplus = (explained("surplus", -due),) if due < 0 else ()
    return explained(
        "month_total",
        year.withheld_in_month,
        explain_year_tax(year, rules=rules),
        explained("credits", year.credits),
        explained("withheld_before", before, month=month),
        *surplus,
        month=month,
    )
