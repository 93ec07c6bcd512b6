"""Overtime (加班): a line per kind of day on top of the month's wage, and limits of hours (Labour Law art. 41, 44)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from plugins.china.tables.working_time import WorkingTime
from plugins.china.v1.calendar import DayType, WorkCalendar
from plugins.china.v1.explaining import explained, number, yuan
from plugins.china.v1.findings import Finding
from plugins.china.v1.income_tax import ZERO
from saas.sdk import EXACT, Explanation, rounded

MULTIPLIERS = {
    DayType.WORKDAY: Decimal("1.5"),
    DayType.REST_DAY: Decimal(2),
    DayType.IN_LIEU: Decimal(2),
    DayType.STATUTORY: Decimal(3),
}
HOURS_A_DAY, HOURS_A_MONTH = Decimal(3), Decimal(36)
"""Extended hours allowed (art. 41)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OvertimeLine:
    """Pay for the overtime of one kind of day; yuan."""

    day_type: DayType
    hours: Decimal
    amount: Decimal
    explanation: Explanation


def overtime_line(
    hours: Decimal, day_type: DayType, *, base: Decimal, time: WorkingTime, hours_in_lieu: Decimal = ZERO
) -> OvertimeLine:
    """base ÷ 21.75 ÷ 8 × hours × multiplier, half up to the fen once.

    `base` is the month's contract wage, or what the place's rules make of it. Hours for which time off was given
    (`hours_in_lieu`) are not paid on rest days; on workdays and statutory holidays time off does not replace pay.
    """
    is_replaceable = day_type in {DayType.REST_DAY, DayType.IN_LIEU}
    paid = max(ZERO, hours - hours_in_lieu) if is_replaceable else hours
    multiplier = MULTIPLIERS[day_type]
    product = EXACT.multiply(EXACT.multiply(base, paid), multiplier)
    amount = rounded(EXACT.divide(product, time.pay_days_a_month * time.hours_a_day))
    explanation = explained(
        f"overtime_{day_type.lower()}",
        amount,
        source=time.id,
        base=yuan(base),
        days=number(time.pay_days_a_month),
        day_hours=number(time.hours_a_day),
        hours=number(paid),
        multiplier=number(multiplier),
    )
    return OvertimeLine(day_type=day_type, hours=paid, amount=amount, explanation=explanation)


def overtime_findings(
    hours: Mapping[date, Decimal], *, calendar: WorkCalendar, counted: frozenset[DayType]
) -> tuple[Finding, ...]:
    """Workdays above 3 and a month above 36 extended hours, of one month's overtime. The hours are paid.

    `counted`: the types of days whose hours count toward the month's limit; whether rest days do is the company's
    choice, because the law leaves it open.

    :raises NotInForce: the calendar of the year has not been published.
    """
    types = {day: calendar.type_of(day) for day in sorted(hours)}
    days = tuple(
        _above("china.overtime_day_limit", hours[day], HOURS_A_DAY, on=day.isoformat())
        for day, day_type in types.items()
        if day_type is DayType.WORKDAY and hours[day] > HOURS_A_DAY
    )
    total = sum((hours[day] for day, day_type in types.items() if day_type in counted), ZERO)
    if total <= HOURS_A_MONTH:
        return days
    return (*days, _above("china.overtime_month_limit", total, HOURS_A_MONTH))


def _above(key: str, hours: Decimal, limit: Decimal, **values: str) -> Finding:
    args = {"hours": number(hours), "limit": number(limit), **values}
    return Finding(key=key, args=args, amount=hours - limit)
