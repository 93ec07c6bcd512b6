"""Attendance, by days alone: how many days of each kind a person had in a month at an employment.

Payroll takes them as an input. Clock events, shifts and rosters are not here.
"""

from saas.attendance.actions.days import set_day_counts
from saas.attendance.actions.imports import AttendanceImport
from saas.attendance.queries import find_day_counts
from saas.attendance.rules import ABSENCE_KINDS, DAY_KINDS, WORKED, MonthOfDays, ToldDays

__all__ = [
    "ABSENCE_KINDS",
    "DAY_KINDS",
    "WORKED",
    "AttendanceImport",
    "MonthOfDays",
    "ToldDays",
    "find_day_counts",
    "set_day_counts",
]
