"""How many basic deductions a person has in a year, and whether 60,000 may be deducted at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from saas.sdk import Period

FULL_YEAR_FROM = date(2021, 1, 1)
"""STA Announcement 2020 No.19 is in force from this day."""

FULL_YEAR_INCOME = Decimal(60_000)
"""Wages of the year before, in yuan, up to which it allows 60,000 at once."""


def months_employed(employed: Sequence[Period], *, paid_on: date, is_first_wage: bool = False) -> int:
    """Months of the year up to that of payment, in which the person was employed at the entity for a day or more.

    Months between leaving and coming back don't count; months without pay do. To begin anew after a return, give the
    last employment only, with an empty year. `is_first_wage`: the person declares that there was no wage and no
    cumulated labour remuneration since January; months then count from January (STA Announcement 2020 No.13).
    """
    months: set[int] = set()
    for period in employed:
        months.update(_months_in(period, paid_on.year, paid_on.month))
    if is_first_wage and months:
        months.update(range(1, min(months)))
    return len(months)


def _months_in(period: Period, year: int, last: int) -> range:
    """The months of a year, up to `last`, in which a period has a day."""
    first, until = period.first, period.until
    begins = 1 if first.year < year else first.month if first.year == year else last + 1
    if until is None or until.year > year:
        return range(begins, last + 1)
    ended_in = until.month if until.day > 1 else until.month - 1  # the day before is the last one
    return range(begins, min(last, ended_in) + 1 if until.year == year else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearBefore:
    """What the same entity did for the person in the year before."""

    months_withheld: int
    income: Decimal


def may_deduct_full_year(before: YearBefore, *, tax_year: int, is_employed_in_january: bool) -> bool:
    """Whether 60,000 are deducted from January on, instead of 5,000 a month: decided once, in January.

    All twelve months withheld at the entity, wages with bonus of at most 60,000 (STA Announcement 2020 No.19). The
    filing needs the remark that it is so.
    """
    is_due = before.months_withheld == 12 and before.income <= FULL_YEAR_INCOME
    return is_due and is_employed_in_january and date(tax_year, 1, 1) >= FULL_YEAR_FROM
