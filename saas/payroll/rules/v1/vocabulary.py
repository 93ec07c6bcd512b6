"""The names that formulas of structures may use, and what they stand for in one person's month."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from saas.formulas import Kind, Value, Word
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.structures import BASE_SALARY, Structure
from saas.payroll.rules.v1.proration import (
    ZERO,
    MonthShare,
    earned_by,
    in_force_on,
    last_employed_day,
    paid_part,
)

ABSENCES = {
    "annual_leave": ({"en": "Annual leave days", "zh-CN": "年假天数"}, "年假天数"),
    "paid_leave": ({"en": "Paid leave days", "zh-CN": "带薪假天数"}, "带薪假天数"),
    "sick_leave": ({"en": "Sick leave days", "zh-CN": "病假天数"}, "病假天数"),
    "personal_leave": ({"en": "Personal leave days", "zh-CN": "事假天数"}, "事假天数"),
    "absent": ({"en": "Days absent without leave", "zh-CN": "旷工天数"}, "旷工天数"),
}
"""Kinds of absence, each with its titles and its name in formulas."""

_ABSENCE_NAMES = {kind: f"days.{kind}" for kind in ABSENCES}
_NO_ABSENCES = dict.fromkeys(_ABSENCE_NAMES.values(), Decimal(0))

EARNED = ".earned"
"""Behind a monthly item's code: the part of it that the month earns, prorated and not rounded."""

_FIXED = (
    Word(BASE_SALARY, Kind.NUMBER, {"en": "Base salary", "zh-CN": "底薪"}, ("底薪",)),
    Word(BASE_SALARY + EARNED, Kind.NUMBER, {"en": "Base salary earned", "zh-CN": "应得底薪"}, ("应得底薪",)),
    Word("days_due", Kind.NUMBER, {"en": "Pay days of the month", "zh-CN": "应计薪天数"}, ("应计薪天数",)),
    Word("days_paid", Kind.NUMBER, {"en": "Days paid", "zh-CN": "计薪天数"}, ("计薪天数",)),
    Word("days_worked", Kind.NUMBER, {"en": "Days worked", "zh-CN": "出勤天数"}, ("出勤天数",)),
    Word("commission", Kind.NUMBER, {"en": "Settled commission", "zh-CN": "结算提成"}, ("结算提成",)),
    Word("months_of_service", Kind.NUMBER, {"en": "Months of service", "zh-CN": "司龄月数"}, ("司龄月数",)),
    Word("hired_on", Kind.DATE, {"en": "Hired on", "zh-CN": "入职日期"}, ("入职日期",)),
    Word("has_left", Kind.BOOL, {"en": "Left in the period", "zh-CN": "本期离职"}, ("本期离职",)),
    Word("period_from", Kind.DATE, {"en": "First day of the period", "zh-CN": "期初日期"}, ("期初日期",)),
    Word("period_to", Kind.DATE, {"en": "Last day of the period", "zh-CN": "期末日期"}, ("期末日期",)),
    Word("pays_on", Kind.DATE, {"en": "Day of payment", "zh-CN": "发放日期"}, ("发放日期",)),
    *(Word(f"days.{kind}", Kind.NUMBER, titles, (alias,)) for kind, (titles, alias) in ABSENCES.items()),
)


def words_of(structure: Structure) -> Iterable[Word]:
    """The names of a structure's inputs: the product's, and two for each monthly item, its code and what is earned."""
    yield from _FIXED
    for item in structure.items:
        yield Word(item.code, Kind.NUMBER, item.titles)
        yield Word(item.code + EARNED, Kind.NUMBER, item.titles)


def values_of(inputs: FrozenInputs, structure: Structure, share: MonthShare) -> dict[str, Value | None]:
    """What the names stand for; None is a missing value, which a formula that needs it fails of."""
    last = inputs.period.last
    assert last is not None, "pay periods end"
    end = inputs.employed[-1].until
    values: dict[str, Value | None] = {
        "days_due": Decimal(share.days_due),
        "days_paid": share.days_paid,
        "days_worked": inputs.days_worked,
        "commission": sum([line.amount for line in inputs.commission], ZERO),
        "months_of_service": Decimal(_months(inputs)),
        "hired_on": inputs.person.hired_on,
        "has_left": end is not None and inputs.period.until is not None and end < inputs.period.until,
        "period_from": inputs.period.first,
        "period_to": last,
        "pays_on": inputs.pays_on,
    }
    values |= _NO_ABSENCES
    if inputs.absences:
        values |= {name: inputs.absences[kind] for kind, name in _ABSENCE_NAMES.items() if kind in inputs.absences}
    last_day, part = last_employed_day(inputs), paid_part(share, structure.proration)
    for code in (BASE_SALARY, *(item.code for item in structure.items)):
        dated = [each for each in inputs.amounts if each.code == code]
        none = None if code == BASE_SALARY else ZERO  # an allowance that somebody does not have is 0, a wage never
        whole = in_force_on(last_day, dated)
        values[code] = none if whole is None else whole
        values[code + EARNED] = earned_by(dated, share, part) if dated else none
    return values


def _months(inputs: FrozenInputs) -> int:
    """Whole months from the day of hiring to the last day of the period, which counts as worked."""
    hired, until = inputs.person.hired_on, inputs.period.until
    assert until is not None, "pay periods end"
    months = (until.year - hired.year) * 12 + until.month - hired.month
    return max(0, months if until.day >= hired.day else months - 1)
