"""The wage of a month that was not worked in full. The law is silent, so the method is the structure's choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from plugins.china.tables.working_time import WorkingTime
from plugins.china.v1.calendar import WorkCalendar
from plugins.china.v1.explaining import explained, number, yuan
from plugins.china.v1.income_tax import ZERO
from saas.sdk import EXACT, Explanation, Period


class Method(StrEnum):
    """How a month's wage is divided."""

    PER_DAY_WORKED = "PER_DAY_WORKED"
    PER_DAY_ABSENT = "PER_DAY_ABSENT"
    ACTUAL_DAYS = "ACTUAL_DAYS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """Of the days that a month's wage pays for (workdays and statutory holidays), how many are unpaid."""

    due_days: int
    unpaid_days: Decimal

    @property
    def paid_days(self) -> Decimal:
        """Days paid, with their fractions."""
        return self.due_days - self.unpaid_days


def attendance(
    month: Period, *, employed: Period, unpaid: Mapping[date, Decimal], calendar: WorkCalendar
) -> Attendance:
    """A month's days for somebody employed in `employed`; `unpaid` gives the unpaid part (0 to 1) of days of absence.

    Days before the first and after the last employed day are unpaid. Absence on rest days counts 0, and so does
    absence on days that are not employed.

    :raises NotInForce: the calendar of the year has not been published.
    """
    due = tuple(calendar.paid_days(month))
    missing = sum((unpaid.get(day, ZERO) if day in employed else Decimal(1) for day in due), ZERO)
    return Attendance(due_days=len(due), unpaid_days=missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prorated:
    """The part of a wage, in yuan and not rounded yet, and why."""

    amount: Decimal
    explanation: Explanation


def prorated(wage: Decimal, days: Attendance, *, method: Method, time: WorkingTime) -> Prorated:
    """The part of a month's wage that attendance earns; between 0 and the wage.

    Full attendance earns the wage in every month, and no paid day earns nothing; between them a long or a short month
    could leave that range with 21.75 days a month, so it is kept in it.
    """
    if not days.unpaid_days:
        return Prorated(amount=wage, explanation=explained("prorated_full", wage, days=days.due_days))
    if days.paid_days <= 0:
        return Prorated(amount=ZERO, explanation=explained("prorated_none", ZERO, days=days.due_days))
    counted, divisor = {
        Method.PER_DAY_WORKED: (days.paid_days, time.pay_days_a_month),
        Method.PER_DAY_ABSENT: (time.pay_days_a_month - days.unpaid_days, time.pay_days_a_month),
        Method.ACTUAL_DAYS: (days.paid_days, Decimal(days.due_days)),
    }[method]
    amount = min(max(EXACT.divide(EXACT.multiply(wage, counted), divisor), ZERO), wage)
    explanation = explained(
        f"prorated_{method.lower()}",
        amount,
        wage=yuan(wage),
        days=days.due_days,
        paid=number(days.paid_days),
        unpaid=number(days.unpaid_days),
        divisor=number(divisor),
    )
    return Prorated(amount=amount, explanation=explanation)
