"""The benchmark of payroll: the month by hand is the product's, and the tables tell every figure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from plugins import china
from saas.bench.payroll import PayrollFigures, Round, RunSample, as_table
from saas.bench.payroll_company import STRUCTURE, declared_by, year_before
from saas.bench.payroll_floor import FloorSample
from saas.bench.wages import FUND_RATE, INJURY_RATE, MONTH, PAY_DAYS, PAYS_ON, amounts_of, pay_of, wages_of
from saas.extensions import PluginHost
from saas.kernel import Period, public_id, uuid7_from
from saas.main import HOOKS
from saas.payroll.hooks import pack_of
from saas.payroll.rules.inputs import DatedAmount, FrozenInputs, Person
from saas.payroll.rules.payslips import Payslip
from saas.payroll.rules.plans import RunPins
from saas.payroll.rules.versions import calculation

JUNE, ENTITY = Period.of_month(MONTH), uuid7_from(1, 1)
SETTINGS = {
    "entities": [
        {
            "legalEntity": public_id("ent", ENTITY),
            "city": "SHANGHAI",
            "fundRate": str(FUND_RATE),
            "injuryRate": str(INJURY_RATE),
        }
    ]
}
PACK = pack_of(PluginHost(HOOKS, {"china": china}), RunPins("v1", "china", "1.0.0", "v1", SETTINGS))
V1 = calculation("v1")
SHEET = V1.sheet_of(STRUCTURE)


def payslip(number: int) -> Payslip:
    wages = wages_of(number)
    person = Person(
        employment_id=uuid7_from(2, number),
        employee_id=uuid7_from(3, number),
        number=f"E{number:05}",
        name="员工",
        legal_entity_id=ENTITY,
        legal_entity="测速",
        department_id=uuid7_from(4, 1),
        department="部门",
        position=None,
        hired_on=wages.hired_on,
    )
    given: dict[str, Any] = {"sick_leave": Decimal(wages.sick_days)} if wages.sick_days else {}
    inputs = FrozenInputs(
        person=person,
        period=JUNE,
        pays_on=PAYS_ON,
        currency="CNY",
        structure_hash=STRUCTURE.hash,
        employed=(Period(wages.hired_on),),
        pay_days=tuple(day for day in JUNE.days() if day.weekday() < 5),
        amounts=tuple(DatedAmount(code, each, Period(date(2026, 1, 1))) for code, each in amounts_of(wages).items()),
        days_worked=Decimal(PAY_DAYS - wages.sick_days),
        absences=given,
        declarations=declared_by(wages),
        year_to_date=year_before(wages),
    )
    return V1.compute(inputs, STRUCTURE, SHEET, PACK)


@pytest.mark.parametrize("first", range(0, 420, 42))
def test_the_month_by_hand_is_the_products_to_the_cent(first: int) -> None:
    for number in range(first, first + 42):
        slip, pay = payslip(number), pay_of(wages_of(number))
        lines = {line.code: line.amount for line in slip.lines}
        assert (slip.gross, slip.net, slip.employer_cost) == (pay.gross, pay.net, pay.employer_cost)
        assert (lines["china.income_tax"], lines["attendance_ratio"]) == (pay.tax, pay.ratio)


def test_the_people_are_not_all_alike() -> None:
    wages = [wages_of(number) for number in range(420)]
    taxes = [pay_of(each).tax for each in wages]
    assert min(each.base for each in wages) < 7_460 < 37_302 < max(each.base for each in wages)
    assert min(taxes) == 0 < max(taxes)
    assert {each.sick_days for each in wages} == {0, 3}
    assert len(set(taxes)) > 200


def run(workers: int, people: int, seconds: float, peak: int) -> RunSample:
    return RunSample(workers, people, seconds / 2, seconds, seconds, seconds / 5, 170 * 2**20, peak * 2**20)


def figures(*, seconds: float, peak: int) -> PayrollFigures:
    """Two rounds, the second on a machine half as fast; the floor takes a second in the first."""
    rounds = [
        Round(
            run(1, 1_000, seconds * pace, peak),
            run(2, 1_000, seconds * pace / 2, peak),
            FloorSample(0.1 * pace, 0.3 * pace, 0.6 * pace, 0.5 * pace, 0.5 * pace, 1_000, 19_000_000),
        )
        for pace in (1.0, 2.0)
    ]
    return PayrollFigures(run(1, 100, 0.4, 200), rounds, "2 cores")


def test_a_ratio_is_taken_within_a_round() -> None:
    lines = as_table(figures(seconds=2.5, peak=220)).splitlines()
    assert "| computing and storing, one worker | 267 | 3,750 | 2.50 |" in lines
    assert "| **computing and storing, two workers** | 533 | 1,875 | 1.25 |" in lines
    assert "| (iii) COPY of the same rows | 1,111 | 900 | 0.60 |" in lines
    kept = "Computing and storing with two workers: × 1.25 (rounds: 1.25 to 1.25); goal at most × 3.00: kept."
    assert lines[lines.index(kept) + 1] == "With one: × 2.50 (rounds: 2.50 to 2.50)."
    assert lines[-1] == "Peak of memory at ten times the people: × 1.10; goal at most × 1.20: kept."


def test_missed_goals_are_told() -> None:
    text = as_table(figures(seconds=8.0, peak=260))
    missed = "Computing and storing with two workers: × 4.00 (rounds: 4.00 to 4.00); goal at most × 3.00: missed."
    assert missed in text
    assert text.endswith("Peak of memory at ten times the people: × 1.30; goal at most × 1.20: missed.")
    assert "12,000 µs in the worker and 2,400 µs in PostgreSQL; the floor 750 and 750 µs: × 9.60." in text
