"""Individual income tax (个人所得税): the scales, the basic deduction, and the rules that end or begin on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from plugins.china.errors import NotInForce
from plugins.china.tables.rows import Row, in_force
from saas.sdk import Period

_LAW = "Individual Income Tax Law (2018 revision); STA Announcement 2018 No.61 art. 6"
_BONUS = "MOF/STA Announcement 2023 No.30; Caishui 2018 No.164"
_FROM_2019 = Period(date(2019, 1, 1))


@dataclass(frozen=True, slots=True)
class Bracket:
    """One band: taxable amounts up to and including `up_to` yuan (None: without end), its rate, what is taken off."""

    up_to: Decimal | None
    rate: Decimal
    quick_deduction: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale(Row):
    """The bands of one table, lowest first."""

    brackets: tuple[Bracket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicDeduction(Row):
    """减除费用: yuan for each month employed, and for the whole year at once where that is allowed."""

    monthly: Decimal
    full_year: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeTaxRules:
    """The rows of one payment's day: annual scale, scale for a bonus taxed separately, basic deduction.

    `bonus_scale` is None where the separate method is not in force.
    """

    annual_scale: Scale
    bonus_scale: Scale | None
    basic_deduction: BasicDeduction


def _brackets(*bands: tuple[int | None, int, int]) -> tuple[Bracket, ...]:
    return tuple(
        Bracket(None if up_to is None else Decimal(up_to), Decimal(percent) / 100, Decimal(quick))
        for up_to, percent, quick in bands
    )


ANNUAL_SCALES = (
    Scale(
        id="income_tax/annual/2019-01-01",
        period=_FROM_2019,
        instrument=_LAW,
        brackets=_brackets(
            (36_000, 3, 0),
            (144_000, 10, 2_520),
            (300_000, 20, 16_920),
            (420_000, 25, 31_920),
            (660_000, 30, 52_920),
            (960_000, 35, 85_920),
            (None, 45, 181_920),
        ),
    ),
)

BONUS_SCALES = (
    Scale(
        id="income_tax/bonus/2019-01-01",
        period=Period(date(2019, 1, 1), date(2028, 1, 1)),
        instrument=_BONUS,
        brackets=_brackets(
            (3_000, 3, 0),
            (12_000, 10, 210),
            (25_000, 20, 1_410),
            (35_000, 25, 2_660),
            (55_000, 30, 4_410),
            (80_000, 35, 7_160),
            (None, 45, 15_160),
        ),
    ),
)
"""Converted to months: for the twelfth part of an annual bonus."""

BASIC_DEDUCTIONS = (
    BasicDeduction(
        id="income_tax/basic/2019-01-01",
        period=_FROM_2019,
        instrument=f"{_LAW}; STA Announcement 2020 No.19",
        monthly=Decimal(5_000),
        full_year=Decimal(60_000),
    ),
)


def income_tax_rules(on: date) -> IncomeTaxRules:
    """The rules in force on the day of payment.

    :raises NotInForce: the day lies before 2019.
    """
    scale, basic = in_force(ANNUAL_SCALES, on=on), in_force(BASIC_DEDUCTIONS, on=on)
    if scale is None or basic is None:
        raise NotInForce("china.income_tax_not_in_force", {"on": on.isoformat()})
    return IncomeTaxRules(annual_scale=scale, bonus_scale=in_force(BONUS_SCALES, on=on), basic_deduction=basic)
