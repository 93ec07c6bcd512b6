"""What a month's wage is divided by, and what overtime is paid with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from plugins.china.errors import NotInForce
from plugins.china.tables.rows import Row, in_force
from saas.sdk import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingTime(Row):
    """Constants of standard hours: pay days a month (计薪天数), work days a year, quarter and month, hours a day.

    Statutory holidays are pay days and no work days: 21.75 = (365 - 104) / 12.
    """

    pay_days_a_month: Decimal
    work_days_a_year: int
    work_days_a_quarter: int
    work_days_a_month: Decimal
    hours_a_day: Decimal


WORKING_TIMES = (
    WorkingTime(
        id="working_time/2025-01-01",
        period=Period(date(2025, 1, 1)),
        instrument="MOHRSS 2025 No.2; State Council Decree 795",
        pay_days_a_month=Decimal("21.75"),
        work_days_a_year=248,
        work_days_a_quarter=62,
        work_days_a_month=Decimal("20.67"),
        hours_a_day=Decimal(8),
    ),
)


def working_time(on: date) -> WorkingTime:
    """The constants in force.

    :raises NotInForce: the day lies before 2025.
    """
    found = in_force(WORKING_TIMES, on=on)
    if found is None:
        raise NotInForce("china.working_time_not_in_force", {"on": on.isoformat()})
    return found
