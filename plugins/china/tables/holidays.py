"""Each year's calendar, as the General Office of the State Council publishes it in the November before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from plugins.china.tables.rows import Row
from saas.sdk import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayYear(Row):
    """The days of a year that don't follow their weekday.

    `statutory` 法定节假日 (also those on a weekend), `make_up` weekend days that are worked, `days_off` other weekdays
    that are not (调休).
    """

    statutory: frozenset[date]
    make_up: frozenset[date]
    days_off: frozenset[date]


def _days(year: int, *months_and_days: tuple[int, int]) -> frozenset[date]:
    return frozenset(date(year, month, day) for month, day in months_and_days)


HOLIDAYS = {
    2026: HolidayYear(
        id="calendar/2026",
        period=Period.of_year(2026),
        instrument="General Office of the State Council, Guobanfa mingdian 2025 No.7; State Council Decree 795",
        statutory=_days(
            2026,
            (1, 1),
            *((2, day) for day in (16, 17, 18, 19)),
            (4, 5),
            *((5, day) for day in (1, 2)),
            (6, 19),
            (9, 25),
            *((10, day) for day in (1, 2, 3)),
        ),
        make_up=_days(2026, (1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)),
        days_off=_days(
            2026, (1, 2), (2, 20), (2, 23), (4, 6), *((5, day) for day in (4, 5)), *((10, day) for day in (5, 6, 7))
        ),
    )
}
"""By year; add a year when its notice is out."""
