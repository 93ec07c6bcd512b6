"""Pure decisions about attendance: which kinds of days there are, and what a count may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from saas.attendance.errors import DayCountRefused
from saas.kernel import Period, Scalar, rounded

WORKED = "worked"
ABSENCE_KINDS = ("annual_leave", "paid_leave", "sick_leave", "personal_leave", "absent")
DAY_KINDS = (WORKED, *ABSENCE_KINDS)
"""Days worked, and every way of being absent. What a day of absence costs is the salary structure's business."""


@dataclass(frozen=True, slots=True)
class MonthOfDays:
    """A person's days of a month by kind; hundredths of a day are kept. A kind that is left out has none."""

    employment_id: UUID
    month: str
    days: Mapping[str, Decimal]

    def check(self) -> None:
        """Refuse what no month can hold.

        :raises DayCountRefused: no month, an unknown kind, a count below 0 or above the days of the month.
        """
        check_days(self.month, self.days)


def check_days(month: str, days: Mapping[str, Decimal]) -> Period:
    """The month (``YYYY-MM``) that can hold these days by kind.

    :raises DayCountRefused: no month, an unknown kind, a count below 0 or above the days of the month.
    """
    try:
        period = Period.of_month(month)
    except ValueError:
        raise DayCountRefused("attendance.month_malformed", {"month": month[:20]}, field=("month",)) from None
    length = sum(1 for _ in period.days())
    for kind, count in days.items():
        if kind not in DAY_KINDS:
            values = {"kind": kind[:40], "known": ", ".join(DAY_KINDS)}
            raise DayCountRefused("attendance.kind_unknown", values, field=("days", kind))
        if not 0 <= count <= length or rounded(count) != count:
            counts: dict[str, Scalar] = {"kind": kind, "days": format(count, "f"), "most": length}
            raise DayCountRefused("attendance.days_out_of_range", counts, field=("days", kind))
    return period


@dataclass(frozen=True, slots=True)
class ToldDays:
    """Since when a person's days of a month are known: what may have been frozen since."""

    employee_id: UUID
    month: Period
    known_at: datetime
