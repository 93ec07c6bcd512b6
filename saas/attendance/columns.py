"""Sheets of attendance (考勤): a row is a person's month, with a column for each kind of day."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from saas.attendance.rules import DAY_KINDS, WORKED
from saas.exchange import ImportColumn, Row, month, number, text

_TITLES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    WORKED: ("出勤天数", "Days worked", ("出勤", "实际出勤", "实出勤", "实际出勤天数")),
    "annual_leave": ("年假天数", "Days of annual leave", ("年假", "年休假", "annual leave")),
    "paid_leave": ("带薪假天数", "Days of other paid leave", ("带薪假", "其他带薪假", "paid leave")),
    "sick_leave": ("病假天数", "Days of sick leave", ("病假", "sick leave")),
    "personal_leave": ("事假天数", "Days of personal leave", ("事假", "personal leave")),
    "absent": ("旷工天数", "Days absent", ("旷工", "absence")),
}
_DAYS = number(most=Decimal(31))

ATTENDANCE_COLUMNS = (
    ImportColumn(
        "employee",
        {"zh-CN": "员工", "en": "Employee"},
        text(longest=100),
        ("工号", "姓名", "员工编号", "员工姓名", "staff number", "employee number", "name"),
        required=True,
    ),
    ImportColumn(
        "month",
        {"zh-CN": "月份", "en": "Month"},
        month,
        ("考勤月份", "考勤周期", "所属月份", "期间", "period"),
        required=True,
    ),
    *(
        ImportColumn(kind, {"zh-CN": chinese, "en": english}, _DAYS, synonyms)
        for kind, (chinese, english, synonyms) in _TITLES.items()
    ),
)


def days_of(row: Row) -> dict[str, Decimal]:
    """The days that a row tells, by kind; an empty cell is no day of its kind."""
    told = {kind: row.figure(kind) for kind in DAY_KINDS}
    return {kind: days for kind, days in told.items() if days is not None}
