"""Which day is a workday (工作日), a rest day (休息日), a swapped one (调休) or a statutory holiday (法定节假日)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from plugins.china.errors import NotInForce
from plugins.china.tables.holidays import HolidayYear
from saas.sdk import Period

_SATURDAY = 5


class DayType(StrEnum):
    """What a day is; multipliers of overtime follow it."""

    WORKDAY = "WORKDAY"
    REST_DAY = "REST_DAY"
    IN_LIEU = "IN_LIEU"
    STATUTORY = "STATUTORY"


PAID = frozenset({DayType.WORKDAY, DayType.STATUTORY})
"""Days that a month's wage pays for (计薪日): statutory holidays are paid, rest days are not."""


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The published years, and days that a company sets otherwise."""

    years: Mapping[int, HolidayYear]
    overrides: Mapping[date, DayType] = field(default_factory=dict)

    def type_of(self, day: date) -> DayType:
        """The type of a day; a statutory holiday on a weekend stays one.

        :raises NotInForce: its year has not been published.
        """
        if day in self.overrides:
            return self.overrides[day]
        year = self.years.get(day.year)
        if year is None:
            raise NotInForce("china.calendar_not_in_force", {"year": day.year})
        if day in year.statutory:
            return DayType.STATUTORY
        if day in year.days_off:
            return DayType.IN_LIEU
        return DayType.WORKDAY if day in year.make_up or day.weekday() < _SATURDAY else DayType.REST_DAY

    def workdays(self, period: Period) -> int:
        """How many workdays a period has."""
        return sum(self.type_of(day) is DayType.WORKDAY for day in period.days())

    def paid_days(self, period: Period) -> Iterator[date]:
        """The days of a period that the wage pays for, in order."""
        return (day for day in period.days() if self.type_of(day) in PAID)
