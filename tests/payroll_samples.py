"""A structure, a person's month and a country pack of an invented land, for the tests of payroll."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from saas.kernel import Explanation, Period, rounded, uuid7_from
from saas.payroll.rules.inputs import DatedAmount, FrozenInputs, Person
from saas.payroll.rules.packs import Finding, Pack, PackResult, PayFacts, StatutoryKind, StatutoryLine
from saas.payroll.rules.payslips import Payslip
from saas.payroll.rules.structures import ComponentKind, MonthlyItem, PayComponent, Proration, Structure
from saas.payroll.rules.versions import NEWEST, calculation

MARCH = Period.of_month("2026-03")
ALWAYS = Period(date(2024, 1, 1))
WEEKDAYS = tuple(day for day in MARCH.days() if day.weekday() < 5)
"""The 22 weekdays of March 2026."""


def titles(chinese: str, english: str) -> dict[str, str]:
    return {"zh-CN": chinese, "en": english}


def component(code: str, formula: str, kind: ComponentKind = ComponentKind.EARNING, **more: Any) -> PayComponent:
    """A component titled by its code, unless `titles` says otherwise."""
    return PayComponent(**{"code": code, "titles": titles(code, code), "kind": kind, "formula": formula, **more})


BASIC = component("basic_pay", "应得底薪", titles=titles("基本工资", "Basic pay"))
MEAL = component("meal", "days_paid * 20", titles=titles("餐补", "Meals"), is_taxed=False)
BONUS = component(
    "bonus", "if(基本工资 > 9000, 基本工资 * 5%, 0)", titles=titles("绩效奖金", "Bonus"), ceiling=Decimal(450)
)
LOAN = component("loan", "100", ComponentKind.DEDUCTION, titles=titles("借款扣回", "Loan repaid"), is_taxed=False)
COST = component("training", "基本工资 * 1.5%", ComponentKind.EMPLOYER_COST, titles=titles("培训经费", "Training fund"))
RATIO = component(
    "ratio", "days_paid / days_due", ComponentKind.STATISTIC, digits=4, titles=titles("出勤率", "Attendance ratio")
)
STRUCTURE = Structure(
    code="sales",
    titles=titles("销售", "Sales"),
    items=(MonthlyItem(code="car", titles=titles("车补", "Car")),),
    components=(
        BASIC,
        MEAL,
        BONUS,
        component("car_pay", "car.earned", titles=titles("车补贴", "Car pay")),
        LOAN,
        COST,
        RATIO,
    ),
)
PERSON = Person(
    employment_id=uuid7_from(1, 1),
    employee_id=uuid7_from(2, 2),
    number="0007",
    name="王小明",
    legal_entity_id=uuid7_from(3, 3),
    legal_entity="晨光销售有限公司",
    department_id=uuid7_from(4, 4),
    department="华东区",
    position="顾问",
    hired_on=date(2024, 1, 1),
)


def structure_of(*components: PayComponent, proration: Proration | None = None) -> Structure:
    """The sample structure with other components."""
    return replace(STRUCTURE, components=components, proration=proration or STRUCTURE.proration)


def month(structure: Structure = STRUCTURE, *, base: str | None = "10000", **changed: Any) -> FrozenInputs:
    """The person's March: all of it employed, attendance kept in full, 10,000 a month."""
    amounts = () if base is None else (DatedAmount("base_salary", Decimal(base), ALWAYS),)
    given: dict[str, Any] = {
        "person": PERSON,
        "period": MARCH,
        "pays_on": date(2026, 4, 10),
        "currency": "CNY",
        "structure_hash": structure.hash,
        "employed": (ALWAYS,),
        "pay_days": WEEKDAYS,
        "amounts": amounts,
        "absences": {},
        "days_worked": Decimal(22),
    }
    return FrozenInputs(**{**given, **changed})


def payslip(structure: Structure = STRUCTURE, *, pack: Pack | None = None, **changed: Any) -> Payslip:
    """The payslip of the person's March."""
    v1 = calculation(NEWEST)
    return v1.compute(month(structure, **changed), structure, v1.sheet_of(structure), pack)


def amounts_of(slip: Payslip) -> dict[str, str]:
    """Code → amount as text, in the payslip's order."""
    return {line.code: str(line.amount) for line in slip.lines}


def invented(facts: PayFacts) -> PackResult:
    """The law of Erewhon: 8 % of the base salary to the fund, 12 % by the employer; a tenth of the rest in tax, this
    year's so far less what was withheld."""
    fund, own = (
        rounded((facts.base_salary or Decimal(0)) * 8 / 100),
        rounded((facts.base_salary or Decimal(0)) * 12 / 100),
    )
    taxed = taxable(facts) - fund
    year = facts.year_to_date or {"taxed": "0", "withheld": "0"}
    total = Decimal(year["taxed"]) + taxed
    tax = rounded(max(total, Decimal(0)) / 10) - Decimal(year["withheld"])
    lines = (
        statutory("fund", StatutoryKind.CONTRIBUTION, fund),
        statutory("tax", StatutoryKind.TAX, tax),
        statutory("fund_employer", StatutoryKind.EMPLOYER_COST, own),
    )
    after = {"taxed": str(total), "withheld": str(Decimal(year["withheld"]) + tax)}
    findings = (Finding("erewhon.rich", {"tax": str(tax)}),) if tax > 5000 else ()
    return PackResult(lines=lines, year_to_date=after, rows=("erewhon/2026", "erewhon/2026"), findings=findings)


def taxable(facts: PayFacts) -> Decimal:
    """Taxed earnings less taxed deductions."""
    signs = {ComponentKind.EARNING: 1, ComponentKind.DEDUCTION: -1}
    return sum((each.amount * signs[each.kind] for each in facts.amounts if each.is_taxed), Decimal(0))


def statutory(code: str, kind: StatutoryKind, amount: Decimal) -> StatutoryLine:
    return StatutoryLine(
        code=f"erewhon.{code}",
        titles=titles(code, code),
        kind=kind,
        amount=amount,
        explanation=Explanation(f"erewhon.explained.{code}", amount=str(amount)),
    )


EREWHON = Pack("erewhon", "1.0.0", "v1", invented)


def signed_sum(lines: Iterable[Any]) -> Decimal:
    """What a clerk adds up by hand: paid lines less those taken off."""
    minus = {"DEDUCTION", "CONTRIBUTION", "TAX"}
    plus = {"EARNING"}
    total = Decimal(0)
    for line in lines:
        total += line.amount if line.kind.value in plus else -line.amount if line.kind.value in minus else 0
    return total
