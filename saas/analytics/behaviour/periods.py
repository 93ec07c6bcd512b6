"""Periods of reports, and which one a period is compared with."""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum

from saas.analytics.behaviour.facts import a_year_before, end_of
from saas.kernel import Period


class Comparison(Enum):
    """The other period: the one directly before, the same of the year before, given days, or none."""

    PREVIOUS = "previous"
    LAST_YEAR = "last_year"
    GIVEN = "given"
    NONE = "none"


def period_of(first: date, last: date) -> Period:
    """The days from the first to the last, both in it."""
    return Period(first, last + timedelta(days=1))


def period_before(period: Period) -> Period:
    """As many whole months before, of whole months; else as many days."""
    until = end_of(period)
    if period.first.day == until.day == 1:
        return Period(_months_before(period.first, _months(until) - _months(period.first)), period.first)
    return Period(period.first - (until - period.first), period.first)


def period_last_year(period: Period) -> Period:
    """The same days of the year before, from the first to the last; the months, of whole months."""
    until = end_of(period)
    if period.first.day == until.day == 1:
        return Period(_months_before(period.first, 12), _months_before(until, 12))
    return period_of(a_year_before(period.first), a_year_before(until - timedelta(days=1)))


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1


def _months_before(day: date, months: int) -> date:
    """The first day of a month so many months before that of `day`."""
    year, month = divmod(_months(day) - months, 12)
    return date(year, month + 1, 1)
