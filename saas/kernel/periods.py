"""Days and months: half-open periods, as every dated rule, target and run uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days from `first` up to, and not including, `until`; None is without end. Never empty."""

    first: date
    until: date | None = None

    def __post_init__(self) -> None:
        if self.until is not None and self.until <= self.first:
            raise ValueError(f"a period holds at least one day: [{self.first}, {self.until})")

    @classmethod
    def of_month(cls, text: str) -> Period:
        """A calendar month from ``YYYY-MM``.

        :raises ValueError: another form.
        """
        found = _MONTH.fullmatch(text)
        if found is None:
            raise ValueError(f"a month is YYYY-MM, not {text[:20]!r}")
        first = date(int(found[1]), int(found[2]), 1)
        return cls(first, month_after(first))

    @classmethod
    def of_quarter(cls, day: date) -> Period:
        """The calendar quarter in which `day` lies."""
        first = date(day.year, day.month - (day.month - 1) % 3, 1)
        return cls(first, month_after(month_after(month_after(first))))

    @classmethod
    def of_year(cls, year: int) -> Period:
        """A calendar year."""
        return cls(date(year, 1, 1), date(year + 1, 1, 1))

    @property
    def last(self) -> date | None:
        """The last day in it; None is without end."""
        return None if self.until is None else self.until - timedelta(days=1)

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.until is None or day < self.until)

    def overlap(self, other: Period) -> Period | None:
        """The days that both hold; None where there are none."""
        first = max(self.first, other.first)
        ends = [end for end in (self.until, other.until) if end is not None]
        until = min(ends) if ends else None
        return None if until is not None and until <= first else Period(first, until)

    def days(self) -> Iterator[date]:
        """Every day, in order.

        :raises ValueError: the period is without end.
        """
        if self.until is None:
            raise ValueError("a period without end has no last day")
        return (self.first + timedelta(days=place) for place in range((self.until - self.first).days))


def month_after(day: date) -> date:
    """The first day of the month after that of `day`."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def month_of(day: date) -> str:
    """``YYYY-MM``."""
    return f"{day.year:04d}-{day.month:02d}"
