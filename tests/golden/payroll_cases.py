"""The cases of the golden file: invented people, one month each, as a run froze them.

``python -m tests.golden.payroll_cases`` writes the file. It is written once for each version of the calculations and
never again: a difference means that closed runs would no longer come out as they were paid.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from plugins import china
from plugins.china.settings import UNVERIFIED
from saas.extensions import PluginHost, dump_settings, parse_settings
from saas.kernel import Period
from saas.main import HOOKS
from saas.payroll.hooks import pack_of
from saas.payroll.rules.canonical import canonical_text
from saas.payroll.rules.inputs import DatedAmount, FrozenInputs, OneOff, OneOffEffect, SettledCommission
from saas.payroll.rules.outcomes import Outcome, outcome_of
from saas.payroll.rules.plans import RunPins
from saas.payroll.rules.structures import (
    ComponentKind,
    MonthlyItem,
    Nature,
    Proration,
    ProrationMethod,
    RoundingMode,
    Structure,
)
from saas.payroll.rules.versions import calculation
from tests.payroll_samples import ALWAYS, PERSON, component, titles
from tests.plugins.china_samples import LI_NA, SHANGHAI_COMPANY

FILE = Path(__file__).with_name("payroll_v1.jsonl")
HOST = PluginHost(HOOKS, {"china": china})
MARCH = Period.of_month("2026-03")
SENT = {
    "entities": [{"legalEntity": str(SHANGHAI_COMPANY), "city": "SHANGHAI", "fundRate": "0.07", "injuryRate": "0.002"}],
    "confirmations": [{"row": row, "confirmedBy": str(LI_NA), "confirmedOn": "2026-01-05"} for row in UNVERIFIED],
}
PINS = RunPins("v1", "china", "1.0.0", "v1", dump_settings(parse_settings(HOST.manifest("china").settings, SENT)))
BARE = RunPins("v1", None, None, None, None)
BASES = dict.fromkeys(("PENSION", "MEDICAL", "UNEMPLOYMENT", "INJURY", "HOUSING_FUND"), "10000")
STRUCTURE = Structure(
    code="sales",
    titles=titles("销售岗位", "Sales"),
    items=(MonthlyItem(code="car", titles=titles("车辆补贴", "Car allowance")),),
    components=(
        component("basic_pay", "应得底薪", titles=titles("基本工资", "Basic pay")),
        component("car_pay", "car.earned", titles=titles("车补", "Car")),
        component(
            "seniority", "if(司龄月数 >= 24, 300, 司龄月数 >= 12, 100, 0)", titles=titles("工龄工资", "Seniority")
        ),
        component(
            "meal",
            "计薪天数 * 18.5",
            titles=titles("餐补", "Meals"),
            is_taxed=False,
            rounding=RoundingMode.DOWN,
            digits=0,
        ),
        component(
            "guarantee",
            "max(0, 3000 - 结算提成)",
            titles=titles("保底提成", "Guaranteed commission"),
            ceiling=Decimal(2000),
        ),
        component("bonus", "0", titles=titles("年终奖", "Annual bonus"), nature=Nature.ANNUAL_BONUS),
        component(
            "loan", "if(本期离职, 500, 200)", ComponentKind.DEDUCTION, titles=titles("借款", "Loan"), is_taxed=False
        ),
        component("training", "基本工资 * 1.5%", ComponentKind.EMPLOYER_COST, titles=titles("培训经费", "Training")),
        component(
            "ratio", "计薪天数 / 应计薪天数", ComponentKind.STATISTIC, digits=4, titles=titles("出勤率", "Attendance")
        ),
    ),
    proration=Proration(unpaid={"personal_leave": Decimal(1), "absent": Decimal(1), "sick_leave": Decimal("0.4")}),
)
FRAGILE = replace(
    STRUCTURE,
    components=(*STRUCTURE.components, component("share", "1000 / days_worked", titles=titles("人均", "Share"))),
)
ACTUAL = replace(STRUCTURE, proration=Proration(method=ProrationMethod.ACTUAL_DAYS))
YEN = replace(
    STRUCTURE, components=(component("basic_pay", "应得底薪", digits=0, titles=titles("基本工资", "Basic pay")),)
)


@dataclass(frozen=True, slots=True)
class Case:
    """One person's month under a structure and pins."""

    title: str
    structure: Structure
    pins: RunPins
    inputs: FrozenInputs


def month(structure: Structure = STRUCTURE, **changed: Any) -> FrozenInputs:
    """A person's March 2026 in Shanghai: 10,000 a month, 22 pay days."""
    given: dict[str, Any] = {
        "person": replace(PERSON, legal_entity_id=SHANGHAI_COMPANY, hired_on=date(2024, 1, 1)),
        "period": MARCH,
        "pays_on": date(2026, 3, 28),
        "currency": "CNY",
        "structure_hash": structure.hash,
        "employed": (ALWAYS,),
        "pay_days": tuple(day for day in MARCH.days() if day.weekday() < 5),
        "amounts": (DatedAmount("base_salary", Decimal(10000), ALWAYS),),
        "days_worked": Decimal(22),
        "absences": {},
        "declarations": {"bases": BASES, "specialAdditional": "1000"},
    }
    return FrozenInputs(**{**given, **changed})


def cases() -> Iterator[Case]:
    """Every case."""
    yield Case("整月在职 a month kept in full", STRUCTURE, PINS, month())
    yield Case(
        "月中入职 hired on the 16th",
        STRUCTURE,
        PINS,
        month(
            employed=(Period(date(2026, 3, 16)),),
            person=replace(PERSON, legal_entity_id=SHANGHAI_COMPANY, hired_on=date(2026, 3, 16)),
            declarations={"bases": BASES, "firstWage": True},
        ),
    )
    leaver = (Period(date(2024, 1, 1), date(2026, 3, 14)),)
    yield Case("月中离职 leaves on the 13th", ACTUAL, PINS, month(ACTUAL, employed=leaver))
    raised = (
        DatedAmount("base_salary", Decimal(10000), Period(date(2024, 1, 1), date(2026, 3, 16))),
        DatedAmount("base_salary", Decimal("12345.67"), Period(date(2026, 3, 16))),
        DatedAmount("car", Decimal(800), Period(date(2026, 3, 10))),
    )
    yield Case("月中调薪 a raise on the 16th, a car from the 10th", STRUCTURE, PINS, month(amounts=raised))
    absent = {"sick_leave": Decimal(3), "personal_leave": Decimal("1.5"), "annual_leave": Decimal(1)}
    yield Case(
        "病假与事假 sick and personal leave", STRUCTURE, PINS, month(absences=absent, days_worked=Decimal("16.5"))
    )
    commission = (
        SettledCommission("sli_0001", Decimal("1888.88"), titles("二月提成", "February commission")),
        SettledCommission("sli_0002", Decimal("-100.00"), titles("退款追回", "Clawback")),
    )
    one_offs = (
        OneOff("pit_0001", "seniority", OneOffEffect.REPLACE, Decimal(250), "特批"),
        OneOff("pit_0002", "meal", OneOffEffect.ADD, Decimal("12.5"), "补上月"),
    )
    yield Case(
        "提成与一次性项 commission, one-off amounts", STRUCTURE, PINS, month(commission=commission, one_offs=one_offs)
    )
    bonus = (OneOff("pit_0003", "bonus", OneOffEffect.REPLACE, Decimal(36001), "年终奖"),)
    separate = {"bases": BASES, "annualBonus": "SEPARATE"}
    yield Case(
        "年终奖单独计税 an annual bonus, separately", STRUCTURE, PINS, month(one_offs=bonus, declarations=separate)
    )
    yield Case("年终奖未选方式 no method chosen", STRUCTURE, PINS, month(one_offs=bonus))
    first = _outcome(Case("", STRUCTURE, PINS, month(pays_on=date(2026, 2, 28))))
    year = json.loads(first.text)["yearToDate"]
    yield Case("承接年度累计 the year goes on", STRUCTURE, PINS, month(year_to_date=year))
    debt = (OneOff("pit_0004", "loan", OneOffEffect.REPLACE, Decimal(20000), "一次扣回"),)
    yield Case("实发为负 more taken off than earned", STRUCTURE, PINS, month(one_offs=debt))
    yield Case("除以零 a division by zero", FRAGILE, PINS, month(FRAGILE, days_worked=Decimal(0)))
    yield Case("申报有误 declarations that don't fit", STRUCTURE, PINS, month(declarations={"base": {}}))
    yield Case("无薪酬包 no pack, no attendance", STRUCTURE, BARE, month(absences=None, days_worked=None))
    yield Case("日元 a currency without cents", YEN, BARE, month(YEN, currency="JPY", absences={"absent": Decimal(7)}))


def _outcome(case: Case) -> Outcome:
    used = calculation(case.pins.calculation)
    sheet = used.sheet_of(case.structure)
    return outcome_of(case.inputs, case.structure, sheet, pack_of(HOST, case.pins), calculation=used)


def written(case: Case) -> dict[str, Any]:
    """A case as the file holds it."""
    outcome = _outcome(case)
    return {
        "title": case.title,
        "structure": case.structure.plain(),
        "pins": case.pins.plain(),
        "inputs": case.inputs.plain(),
        "state": outcome.state.value,
        "failure": outcome.failure,
        "document": json.loads(outcome.text),
    }


if __name__ == "__main__":
    FILE.write_text("".join(f"{canonical_text(written(case))}\n" for case in cases()), "utf-8")
