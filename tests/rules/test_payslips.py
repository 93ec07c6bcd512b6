"""Payslips: exact lines, sums that agree to the cent, failures that name their component, equal bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kernel import AppErrors, Catalogue, Period
from saas.payroll.errors import PayslipRefused
from saas.payroll.rules.inputs import DatedAmount, FrozenInputs, OneOff, OneOffEffect, SettledCommission, joined_spans
from saas.payroll.rules.packs import Finding, Pack, PackResult, StatutoryKind
from saas.payroll.rules.payslips import LineKind
from saas.payroll.rules.structures import Structure
from saas.payroll.rules.versions import NEWEST, calculation
from tests.payroll_samples import (
    ALWAYS,
    BASIC,
    EREWHON,
    LOAN,
    STRUCTURE,
    amounts_of,
    component,
    month,
    payslip,
    signed_sum,
    statutory,
    structure_of,
    titles,
)

CATALOGUE = Catalogue.of(["saas.payroll", "saas.formulas"])
SETTLED = SettledCommission("set_1", Decimal("1234.56"), titles("二月提成", "February commission"))


def one_off(component: str, amount: str, effect: OneOffEffect = OneOffEffect.ADD) -> OneOff:
    return OneOff("pit_1", component, effect, Decimal(amount), "季度之星")


def test_a_month_kept_in_full_by_hand() -> None:
    slip = payslip(pack=EREWHON, commission=(SETTLED,))
    assert amounts_of(slip) == {
        "basic_pay": "10000.00",
        "meal": "440.00",
        "bonus": "450.00",
        "car_pay": "0.00",
        "commission": "1234.56",
        "loan": "100.00",
        "erewhon.fund": "800.00",
        "erewhon.tax": "1088.46",
        "training": "150.00",
        "erewhon.fund_employer": "1200.00",
        "ratio": "1.0000",
    }
    assert (slip.gross, slip.deductions, slip.net) == (Decimal("12124.56"), Decimal("1988.46"), Decimal("10136.10"))
    assert slip.employer_cost == Decimal("1350.00")
    assert slip.findings == ()
    assert slip.rows == ("erewhon/2026",)
    assert slip.year_to_date == {"taxed": "10884.56", "withheld": "1088.46"}


def test_the_document_says_what_it_rests_on() -> None:
    slip = payslip(pack=EREWHON, commission=(SETTLED,))
    document = json.loads(slip.text)
    assert (document["gross"], document["deductions"], document["net"]) == ("12124.56", "1988.46", "10136.10")
    assert document["structure"] == {"code": "sales", "hash": STRUCTURE.hash}
    assert document["pack"] == {"name": "erewhon", "version": "1.0.0", "calculation": "v1"}
    assert (document["calculation"], document["month"], document["to"]) == ("v1", "2026-03", "2026-03-31")
    bonus, commission = document["lines"][2], document["lines"][4]
    assert bonus["formula"] == "if(基本工资 > 9000, 基本工资 * 5%, 0)"
    assert bonus["inputs"] == {"basic_pay": "10000.00"}
    assert commission["sources"] == ["set_1"]
    assert [part["key"] for part in bonus["explanation"]["parts"]] == [
        "formulas.computed",
        "payroll.cut_to_ceiling",
        "payroll.rounded_half_up",
    ]


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_sentence_of_an_explanation_is_there(locale: str) -> None:
    slip = payslip(commission=(SETTLED,), one_offs=(one_off("bonus", "7"), one_off("meal", "5", OneOffEffect.REPLACE)))
    for line in slip.lines:
        for _, sentence, _ in line.explanation.lines(CATALOGUE, locale):
            assert "{" not in sentence
            assert not sentence.startswith(("payroll.", "formulas."))
    bonus = next(line for line in slip.lines if line.code == "bonus")
    told = [sentence for _, sentence, _ in bonus.explanation.lines(CATALOGUE, "en")]
    assert told[0] == "Bonus"
    assert "At most 450" in told
    assert told[-1] == "One-off amount added: 季度之星"


def test_without_a_pack_a_finding_says_so() -> None:
    slip = payslip()
    assert slip.findings == (Finding("payroll.no_pack"),)
    assert slip.is_payable
    assert slip.net == Decimal("10790.00")


def test_a_missing_attendance_counts_as_kept_in_full_and_is_reported() -> None:
    slip = payslip(absences=None, days_worked=None)
    assert Finding("payroll.attendance_missing", {"days": 22}) in slip.findings
    assert amounts_of(slip)["basic_pay"] == "10000.00"
    with pytest.raises(AppErrors) as refused:
        payslip(structure_of(component("worked", "days_worked * 10")), absences=None, days_worked=None)
    assert [error.key for error in refused.value.errors] == ["formulas.input_missing"]


def test_each_component_that_fails_is_named_with_those_it_takes_along() -> None:
    structure = structure_of(
        component("share", "base_salary / days.sick_leave"),
        component("double", "share * 2"),
        component("fine", "1"),
        component("other", "1 / (days_due - 22)"),
    )
    with pytest.raises(AppErrors) as refused:
        payslip(structure)
    assert [(error.key, error.values.get("component")) for error in refused.value.errors] == [
        ("formulas.division_by_zero", None),
        ("formulas.division_by_zero", None),
        ("formulas.component_blocked", "double (double)"),
    ]


def test_who_has_no_base_salary_fails_instead_of_getting_nothing() -> None:
    with pytest.raises(AppErrors) as refused:
        payslip(base=None)
    assert refused.value.errors[0].key == "formulas.input_missing"


def test_a_negative_net_is_a_finding_and_never_paid() -> None:
    slip = payslip(structure_of(BASIC, replace(LOAN, formula="12000")))
    assert slip.net == Decimal("-2000.00")
    assert not slip.is_payable
    assert slip.findings[-1] == Finding("payroll.net_negative", {"net": "-2000.00", "gross": "10000.00"}, True)


def test_a_gap_in_the_base_salary_keeps_the_payslip_from_being_paid() -> None:
    late = (DatedAmount("base_salary", Decimal(10000), Period(date(2026, 3, 16))),)
    slip = payslip(structure_of(BASIC), amounts=late)
    assert amounts_of(slip) == {"basic_pay": "5454.55"}
    assert slip.findings[0] == Finding("payroll.base_salary_gap", {"first": "2026-03-02", "days": 10}, True)


def test_more_absence_than_days_is_a_blocking_finding() -> None:
    slip = payslip(structure_of(BASIC), absences={"absent": Decimal("22.5")})
    assert amounts_of(slip) == {"basic_pay": "0.00"}
    assert slip.findings[0] == Finding("payroll.absence_beyond_month", {"unpaid": "22.5", "days": 22}, True)


@pytest.mark.parametrize(
    ("one_offs", "bonus"),
    [
        ((), "450.00"),
        ((one_off("bonus", "100"),), "550.00"),
        ((one_off("bonus", "80", OneOffEffect.REPLACE),), "80.00"),
        ((one_off("bonus", "80", OneOffEffect.REPLACE), one_off("bonus", "20.5")), "100.50"),
        ((one_off("bonus", "-50"),), "400.00"),
    ],
)
def test_one_off_amounts_add_to_a_component_or_take_its_place(one_offs: tuple[OneOff, ...], bonus: str) -> None:
    assert Decimal(amounts_of(payslip(one_offs=one_offs))["bonus"]) == Decimal(bonus)


def test_a_replaced_formula_is_not_asked() -> None:
    structure = structure_of(component("bonus", "1 / days.absent"), component("twice", "bonus * 2"))
    slip = payslip(structure, one_offs=(one_off("bonus", "30.00", OneOffEffect.REPLACE),))
    assert amounts_of(slip) == {"bonus": "30.00", "twice": "60.00"}
    assert (slip.lines[0].formula, slip.lines[0].sources) == (None, ("pit_1",))


def test_a_one_off_of_no_component_is_refused_by_name() -> None:
    with pytest.raises(AppErrors) as refused:
        payslip(one_offs=(one_off("bonsu", "1"),))
    assert [(error.key, error.values["component"]) for error in refused.value.errors] == [
        ("payroll.one_off_of_no_component", "bonsu")
    ]


def test_inputs_of_another_structure_are_refused() -> None:
    v1, other = calculation(NEWEST), structure_of(BASIC)
    with pytest.raises(PayslipRefused, match="structure_other"):
        v1.compute(month(), other, v1.sheet_of(other), None)


@pytest.mark.parametrize(("code", "amount"), [("pension", "1"), ("erewhon.fund", "1.005")])
def test_a_pack_that_takes_other_names_or_uneven_amounts_is_refused(code: str, amount: str) -> None:
    line = replace(statutory("x", StatutoryKind.TAX, Decimal(amount)), code=code)
    pack = Pack("erewhon", "1.0.0", "v1", lambda facts: PackResult(lines=(line,), year_to_date={}))
    with pytest.raises(PayslipRefused, match="pack_line_unfit"):
        payslip(pack=pack)


def test_a_pack_sees_taxed_and_untaxed_amounts_and_the_year_before() -> None:
    year = {"taxed": "20000", "withheld": "1500"}
    slip = payslip(pack=EREWHON, year_to_date=year)
    # 10,000 + 450 taxed, 440 of meals and the loan are not; less 800; with 20,000 before: 29,650 / 10 - 1,500.
    assert amounts_of(slip)["erewhon.tax"] == "1465.00"


AMOUNTS = st.decimals(min_value=0, max_value=200_000, places=2)
DAYS = st.decimals(min_value=0, max_value=25, places=1)


@given(
    base=AMOUNTS,
    car=AMOUNTS,
    commission=st.lists(st.decimals(min_value=-5000, max_value=50_000, places=2), max_size=4),
    absent=DAYS,
    sick=DAYS,
)
def test_lines_add_up_to_net_and_survive_storage(
    base: Decimal, car: Decimal, commission: list[Decimal], absent: Decimal, sick: Decimal
) -> None:
    inputs = month(
        amounts=(DatedAmount("base_salary", base, ALWAYS), DatedAmount("car", car, ALWAYS)),
        commission=tuple(SettledCommission(f"set_{n}", amount, {}) for n, amount in enumerate(commission)),
        absences={"absent": absent, "sick_leave": sick},
    )
    v1 = calculation(NEWEST)
    sheet = v1.sheet_of(STRUCTURE)
    slip = v1.compute(inputs, STRUCTURE, sheet, EREWHON)
    assert signed_sum(slip.lines) == slip.net == slip.gross - slip.deductions
    assert all(line.amount == round(line.amount, 2) for line in slip.lines if line.kind is not LineKind.STATISTIC)
    assert slip.is_payable == (slip.net >= 0 and absent + sick <= 22)
    thawed = FrozenInputs.of_plain(json.loads(inputs.text))
    structure = Structure.of_plain(json.loads(STRUCTURE.text))
    assert thawed.text == inputs.text
    assert v1.compute(thawed, structure, v1.sheet_of(structure), EREWHON).text == slip.text


@given(st.permutations(STRUCTURE.components))
def test_the_order_of_components_changes_the_order_of_lines_and_nothing_else(components: list[object]) -> None:
    moved = payslip(replace(STRUCTURE, components=tuple(components)), pack=EREWHON)  # type: ignore[arg-type]
    still = payslip(pack=EREWHON)
    assert sorted(map(repr, moved.lines)) == sorted(map(repr, still.lines))
    assert (moved.gross, moved.net) == (still.gross, still.net)
    kinds = [line.kind for line in moved.lines]
    assert kinds == sorted(kinds, key=list(LineKind).index)


def test_spans_that_touch_are_one_employment() -> None:
    spans = [
        Period(date(2026, 3, 1), None),
        Period(date(2024, 1, 1), date(2025, 1, 1)),
        Period(date(2025, 6, 1), date(2026, 3, 1)),
        Period(date(2025, 1, 1), date(2025, 2, 1)),
    ]
    assert joined_spans(spans) == (Period(date(2024, 1, 1), date(2025, 2, 1)), Period(date(2025, 6, 1), None))


def test_floats_never_get_into_a_document() -> None:
    with pytest.raises(TypeError, match="float"):
        _ = month(declarations={"share": 0.5}).text
