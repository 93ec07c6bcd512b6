"""The month that `saas bench payroll` pays: what each person has, and the same arithmetic written by hand.

Everything follows from a person's number, so that two runs pay the same. The arithmetic knows this one structure, this
one city and this one month, and nothing else: it is the least that could give these amounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

MONTH, PAYS_ON = "2026-06", date(2026, 6, 28)
PAY_DAYS = 22
FUND_RATE, INJURY_RATE = Decimal("0.07"), Decimal("0.002")

_ZERO, _CENT, _YUAN, _TEN_THOUSANDTH = Decimal(0), Decimal("0.01"), Decimal(1), Decimal("0.0001")
_PAY_DAYS_A_MONTH = Decimal("21.75")
_FLOOR, _CEILING, _FUND_FLOOR = Decimal(7_460), Decimal(37_302), Decimal(2_690)
_OWN_RATES = (Decimal("0.08"), Decimal("0.02"), Decimal("0.005"))
_EMPLOYER_RATES = (Decimal("0.16"), Decimal("0.09"), Decimal("0.005"), INJURY_RATE)
_BASIC_DEDUCTION = Decimal(5_000)
_BRACKETS = (
    (Decimal(36_000), Decimal("0.03"), Decimal(0)),
    (Decimal(144_000), Decimal("0.10"), Decimal(2_520)),
    (Decimal(300_000), Decimal("0.20"), Decimal(16_920)),
    (Decimal(420_000), Decimal("0.25"), Decimal(31_920)),
    (Decimal(660_000), Decimal("0.30"), Decimal(52_920)),
    (Decimal(960_000), Decimal("0.35"), Decimal(85_920)),
)
_HIGHEST_RATE, _HIGHEST_QUICK = Decimal("0.45"), Decimal(181_920)


@dataclass(frozen=True, slots=True)
class YearBefore:
    """January to May of one person, yuan."""

    income: Decimal
    special: Decimal
    special_additional: Decimal
    withheld: Decimal


@dataclass(frozen=True, slots=True)
class Wages:
    """What the month of one person is computed from; amounts in yuan a month."""

    base: Decimal
    post: Decimal
    car: Decimal
    declared: Decimal
    special_additional: Decimal
    sick_days: int
    hired_on: date
    year: YearBefore


@dataclass(frozen=True, slots=True)
class Pay:
    """What a month comes to, yuan; `ratio` is the part of the pay days that is paid."""

    gross: Decimal
    net: Decimal
    tax: Decimal
    employer_cost: Decimal
    ratio: Decimal


def wages_of(number: int) -> Wages:
    """The wages of person `number`: from below the lowest contribution base to above the highest."""
    base = Decimal(6_000 + number * 37 % 400 * 100)
    additional = Decimal(number % 4 * 1_000)
    income, special = base * 11 / 2, (base * 15 / 20).quantize(_CENT)
    taxable = max(_ZERO, income - 5 * _BASIC_DEDUCTION - special - 5 * additional)
    return Wages(
        base=base,
        post=Decimal(number % 7 * 200),
        car=Decimal(number % 3 * 400),
        declared=base,
        special_additional=additional,
        sick_days=3 if number % 5 == 0 else 0,
        hired_on=date(2016 + number % 9, 1 + number % 12, 1),
        year=YearBefore(income, special, 5 * additional, _tax(taxable)),
    )


def amounts_of(wages: Wages) -> Mapping[str, Decimal]:
    """The monthly amounts of an assignment."""
    return {"base_salary": wages.base, "post": wages.post, "car": wages.car}


def pay_of(wages: Wages) -> Pay:
    """The month by hand: twelve components, contributions of both sides, tax withheld cumulatively."""
    paid = PAY_DAYS - wages.sick_days
    part = _YUAN if paid == PAY_DAYS else min(paid / _PAY_DAYS_A_MONTH, _YUAN)
    basic, post, car = _cents(wages.base * part), _cents(wages.post * part), _cents(wages.car * part)
    meal, night, phone = Decimal(paid * 20), Decimal(paid * 10), Decimal(100)
    seniority = Decimal(min(_years(wages.hired_on) * 50, 500))
    full = Decimal(300) if paid == PAY_DAYS else _ZERO
    performance = _cents(basic * (Decimal("0.12") if wages.base > 20_000 else Decimal("0.08")))
    dues = _cents(basic * Decimal("0.005"))
    training = _cents((basic + performance) * Decimal("0.015"))
    taxed = basic + post + car + seniority + full + performance + night + phone
    shares, cost = _contributions(wages.declared)
    tax = _withheld(wages, taxed, shares)
    gross = taxed + meal
    ratio = (Decimal(paid) / PAY_DAYS).quantize(_TEN_THOUSANDTH, ROUND_HALF_UP)
    return Pay(gross, gross - dues - shares - tax, tax, training + cost, ratio)


def _contributions(declared: Decimal) -> tuple[Decimal, Decimal]:
    """The person's shares and the employer's; the fund is rounded to yuan and has bounds of its own."""
    base = min(max(declared, _FLOOR), _CEILING)
    fund = (min(max(declared, _FUND_FLOOR), _CEILING) * FUND_RATE).quantize(_YUAN, ROUND_HALF_UP)
    own = sum((_cents(base * rate) for rate in _OWN_RATES), fund)
    return own, sum((_cents(base * rate) for rate in _EMPLOYER_RATES), fund)


def _withheld(wages: Wages, taxed: Decimal, shares: Decimal) -> Decimal:
    year = wages.year
    reliefs = 6 * _BASIC_DEDUCTION + year.special + shares + year.special_additional + wages.special_additional
    return max(_ZERO, _tax(max(_ZERO, year.income + taxed - reliefs)) - year.withheld)


def _tax(taxable: Decimal) -> Decimal:
    for up_to, rate, quick in _BRACKETS:
        if taxable <= up_to:
            return _cents(taxable * rate - quick)
    return _cents(taxable * _HIGHEST_RATE - _HIGHEST_QUICK)


def _years(hired_on: date) -> int:
    """Whole years until the month's end; people are hired on first days of months."""
    return ((2026 - hired_on.year) * 12 + 7 - hired_on.month) // 12


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
