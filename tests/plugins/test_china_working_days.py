"""Calendar, proration and overtime: the published year, golden months, clamping, limits of hours."""

from __future__ import annotations

import csv
import os
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.china.errors import NotInForce
from plugins.china.tables.holidays import HOLIDAYS
from plugins.china.tables.working_time import working_time
from plugins.china.v1.calendar import DayType, WorkCalendar
from plugins.china.v1.overtime import overtime_findings, overtime_line
from plugins.china.v1.proration import Attendance, Method, attendance, prorated
from saas.kernel import Period, rounded
from tests.plugins.china_samples import CATALOGUE, in_fen, told

CALENDAR = WorkCalendar(HOLIDAYS)
TIME = working_time(date(2026, 1, 1))
WORKDAYS_2026 = (21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23)
SINCE_2025 = Period(date(2025, 1, 1))
WAGE = Decimal(8_700)


def month(number: int) -> Period:
    return Period.of_month(f"2026-{number:02d}")


@pytest.mark.parametrize(
    ("day", "day_type"),
    [
        (date(2026, 1, 1), DayType.STATUTORY),
        (date(2026, 1, 2), DayType.IN_LIEU),
        (date(2026, 1, 3), DayType.REST_DAY),
        (date(2026, 1, 4), DayType.WORKDAY),
        (date(2026, 1, 5), DayType.WORKDAY),
        (date(2026, 4, 5), DayType.STATUTORY),
        (date(2026, 4, 6), DayType.IN_LIEU),
        (date(2026, 5, 2), DayType.STATUTORY),
        (date(2026, 5, 3), DayType.REST_DAY),
        (date(2026, 10, 3), DayType.STATUTORY),
        (date(2026, 10, 10), DayType.WORKDAY),
    ],
)
def test_types_of_days(day: date, day_type: DayType) -> None:
    assert CALENDAR.type_of(day) is day_type


def test_workdays_of_2026_and_the_constants_of_a_year() -> None:
    assert tuple(CALENDAR.workdays(month(number)) for number in range(1, 13)) == WORKDAYS_2026
    types = Counter(CALENDAR.type_of(day) for day in Period.of_year(2026).days())
    assert types == {"WORKDAY": 248, "STATUTORY": 13, "IN_LIEU": 9, "REST_DAY": 95}
    assert (TIME.work_days_a_year, TIME.work_days_a_quarter * 4) == (248, 248)
    assert Decimal(365 - 104) / 12 == TIME.pay_days_a_month
    assert rounded(Decimal(248) / 12) == TIME.work_days_a_month


def test_days_off_and_make_up_days_are_those_of_the_data_set() -> None:
    folder = os.environ.get("SAAS_TEST_DATA")
    if not folder:
        pytest.skip("SAAS_TEST_DATA names no folder")
    path = Path(folder) / "cn_holidays" / "holiday_adjustments.csv"
    with path.open(encoding="utf-8", newline="") as file:
        kinds = {row["date"]: row["kind"] for row in csv.DictReader(file)}
    for day in Period.of_year(2026).days():
        is_worked = kinds.get(day.isoformat(), "off" if day.weekday() >= 5 else "work") == "work"
        assert (CALENDAR.type_of(day) is DayType.WORKDAY) == is_worked, day
    assert sum(kind == "off" for day, kind in kinds.items() if day.startswith("2026")) == 33


def test_a_year_that_is_not_published_is_an_error_and_an_override_stands_above_all() -> None:
    with pytest.raises(NotInForce) as refused:
        CALENDAR.type_of(date(2027, 1, 4))
    assert (refused.value.key, refused.value.values) == ("china.calendar_not_in_force", {"year": 2027})
    founding_day = date(2026, 3, 9)
    own = WorkCalendar(HOLIDAYS, {founding_day: DayType.REST_DAY})
    assert (own.type_of(founding_day), own.workdays(month(3))) == (DayType.REST_DAY, 21)


def test_attendance_counts_days_that_the_wage_pays_for() -> None:
    """February 2026 has 16 workdays and 4 statutory holidays; leave on a Sunday counts nothing, half a day a half."""
    unpaid = {date(2026, 2, 1): Decimal(1), date(2026, 2, 2): Decimal("0.5"), date(2026, 2, 3): Decimal("0.4")}
    days = attendance(month(2), employed=SINCE_2025, unpaid=unpaid, calendar=CALENDAR)
    assert (days.due_days, days.unpaid_days, days.paid_days) == (20, Decimal("0.9"), Decimal("19.1"))


def test_joiners_and_leavers_are_unpaid_before_and_after() -> None:
    """From 16 February: four holidays and five workdays. Until 13 February: ten workdays."""
    joined = attendance(month(2), employed=Period(date(2026, 2, 16)), unpaid={}, calendar=CALENDAR)
    left = attendance(
        month(2),
        employed=Period(date(2025, 1, 1), date(2026, 2, 14)),
        unpaid={date(2026, 2, 24): Decimal(1)},
        calendar=CALENDAR,
    )
    assert [joined.paid_days, left.paid_days] == [Decimal(9), Decimal(10)]


def paid_wage(days: Attendance, method: Method) -> str:
    return str(rounded(prorated(WAGE, days, method=method, time=TIME).amount))


def days(due: int, unpaid: str) -> Attendance:
    return Attendance(due_days=due, unpaid_days=Decimal(unpaid))


@pytest.mark.parametrize(
    ("due", "unpaid", "worked", "absent", "actual"),
    [
        (20, "0", "8700.00", "8700.00", "8700.00"),
        (23, "0", "8700.00", "8700.00", "8700.00"),
        (22, "1", "8400.00", "8300.00", "8304.55"),
        (20, "1", "7600.00", "8300.00", "8265.00"),
        (20, "0.5", "7800.00", "8500.00", "8482.50"),
        (23, "1", "8700.00", "8300.00", "8321.74"),
        (23, "22", "400.00", "0.00", "378.26"),
        (20, "19", "400.00", "1100.00", "435.00"),
        (20, "20", "0.00", "0.00", "0.00"),
        (23, "23", "0.00", "0.00", "0.00"),
    ],
)
def test_golden_prorations_of_8_700(due: int, unpaid: str, worked: str, absent: str, actual: str) -> None:
    """A day is 400 by 21.75: where that pays more than the wage or less than nothing, the limit holds."""
    found = [paid_wage(days(due, unpaid), method) for method in Method]
    assert found == [worked, absent, actual]


_HALVES = st.integers(0, 46).map(lambda halves: Decimal(halves) / 2)


@given(due=st.integers(15, 23), one=_HALVES, other=_HALVES, method=st.sampled_from(Method))
def test_proration_stays_within_the_wage_and_falls_with_absence(
    due: int, one: Decimal, other: Decimal, method: Method
) -> None:
    less, more = sorted((min(one, Decimal(due)), min(other, Decimal(due))))
    paid = [prorated(WAGE, days(due, str(each)), method=method, time=TIME).amount for each in (less, more)]
    assert WAGE >= paid[0] >= paid[1] >= 0


@given(wage=st.integers(1, 10**6), due=st.integers(1, 23), unpaid=st.integers(1, 22))
def test_parts_of_a_month_by_actual_days_add_up(wage: int, due: int, unpaid: int) -> None:
    """Unrounded pieces lose nothing that rounding to the fen could show."""
    if unpaid >= due:
        return
    parts = [
        prorated(Decimal(wage), days(due, str(each)), method=Method.ACTUAL_DAYS, time=TIME).amount
        for each in (unpaid, due - unpaid)
    ]
    assert rounded(sum(parts, Decimal(0))) == wage


def test_proration_is_explained() -> None:
    found = [prorated(WAGE, days(22, "1"), method=method, time=TIME).explanation for method in Method]
    assert [line for each in found for line in told(each, "en")] == [
        "8700.00 × 21 paid days ÷ 21.75, at most the wage (1 of 22 pay days are unpaid): 8400.00",
        "8700.00 less 1 unpaid days, each 8700.00 ÷ 21.75, at least 0 (21 of 22 pay days are paid): 8300.00",
        "8700.00 × 21 paid days ÷ 22 pay days of the month (1 of 22 are unpaid): 8304.55",
    ]
    full, none = (prorated(WAGE, days(22, each), method=Method.ACTUAL_DAYS, time=TIME) for each in ("0", "22"))
    assert told(full.explanation, "zh-CN") == ["全额工资：当月 22 个计薪日全勤: 8700.00"]
    assert told(none.explanation, "zh-CN") == ["无工资：当月 22 个计薪日均不计薪: 0.00"]


@pytest.mark.parametrize(
    ("day_type", "in_lieu", "amount"),
    [
        (DayType.WORKDAY, "0", "300.00"),
        (DayType.REST_DAY, "0", "400.00"),
        (DayType.IN_LIEU, "0", "400.00"),
        (DayType.STATUTORY, "0", "600.00"),
        (DayType.REST_DAY, "4", "0.00"),
        (DayType.IN_LIEU, "1", "300.00"),
        (DayType.WORKDAY, "4", "300.00"),
        (DayType.STATUTORY, "4", "600.00"),
    ],
)
def test_golden_overtime_of_four_hours(day_type: DayType, in_lieu: str, amount: str) -> None:
    """8,700 a month are 50 an hour."""
    line = overtime_line(Decimal(4), day_type, base=WAGE, time=TIME, hours_in_lieu=Decimal(in_lieu))
    assert str(line.amount) == amount


@given(
    base=st.integers(0, 10**8).map(lambda fen: Decimal(fen).scaleb(-2)),
    halves=st.integers(0, 100),
    day_type=st.sampled_from(DayType),
)
def test_overtime_is_rounded_once(base: Decimal, halves: int, day_type: DayType) -> None:
    halves_paid = {"WORKDAY": 3, "REST_DAY": 4, "IN_LIEU": 4, "STATUTORY": 6}[day_type]
    exact = Fraction(base) / Fraction(87, 4) / 8 * Fraction(halves, 2) * Fraction(halves_paid, 2)
    line = overtime_line(Decimal(halves) / 2, day_type, base=base, time=TIME)
    assert line.amount == in_fen(exact)


def test_overtime_is_explained_for_each_type_of_day() -> None:
    lines = [overtime_line(Decimal("2.5"), each, base=WAGE, time=TIME).explanation for each in DayType]
    assert [told(each, "zh-CN")[0] for each in lines] == [
        "工作日加班：8700.00 ÷ 21.75 ÷ 8 × 2.5 小时 × 1.5: 187.50",
        "休息日加班：8700.00 ÷ 21.75 ÷ 8 × 2.5 小时 × 2: 250.00",
        "调休日加班：8700.00 ÷ 21.75 ÷ 8 × 2.5 小时 × 2: 250.00",
        "法定节假日加班：8700.00 ÷ 21.75 ÷ 8 × 2.5 小时 × 3: 375.00",
    ]
    assert {each.source for each in lines} == {"working_time/2025-01-01"}


MARCH = {date(2026, 3, day): Decimal(3) for day in (2, 3, 4, 5, 6, 9, 10, 11, 12)}
SUNDAY = date(2026, 3, 15)
WITHOUT_REST_DAYS = frozenset({DayType.WORKDAY, DayType.STATUTORY})


def test_hours_within_the_limits_are_no_finding() -> None:
    hours = {**MARCH, SUNDAY: Decimal(8)}
    assert overtime_findings(hours, calendar=CALENDAR, counted=WITHOUT_REST_DAYS) == ()


def test_hours_above_the_limits_are_findings() -> None:
    hours = {date(2026, 3, 2): Decimal("3.5"), **{day: Decimal(4) for day in list(MARCH)[1:]}, SUNDAY: Decimal(8)}
    found = overtime_findings(hours, calendar=CALENDAR, counted=frozenset(DayType))
    assert [each.key for each in found] == ["china.overtime_day_limit"] * 9 + ["china.overtime_month_limit"]
    assert [each.amount for each in found] == [Decimal("0.5"), *[Decimal(1)] * 8, Decimal("7.5")]
    assert CATALOGUE.text("en", found[0].key, found[0].args) == (
        "3.5 hours of overtime on 2026-03-02 are more than the 3 hours allowed on a day (Labour Law art. 41)."
    )
    assert not any(each.is_blocking for each in found)
    assert len(overtime_findings(hours, calendar=CALENDAR, counted=WITHOUT_REST_DAYS)) == 9
