"""Payslips written by forms are those that the calculation gives, byte by byte, for any structure and person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.formulas import OPERAND, RESULT, FormulaFailed, PathFormula, Value, shown
from saas.kernel import Explanation, Period, TextForm, json_mark, mark, may_be_mistaken
from saas.payroll.hooks import pack_of
from saas.payroll.rules.canonical import canonical_text
from saas.payroll.rules.compiled import PayslipWriter, payslip_writer
from saas.payroll.rules.inputs import DatedAmount, OneOff, OneOffEffect, SettledCommission
from saas.payroll.rules.outcomes import Outcomes
from saas.payroll.rules.packs import (
    LineForm,
    Pack,
    PayFacts,
    StatutoryKind,
    StatutoryWriter,
    WrittenLine,
    WrittenResult,
)
from saas.payroll.rules.plans import PayslipState
from saas.payroll.rules.structures import (
    Structure,
)
from tests.any_payslips import AMOUNTS, CHINA, DAYS, NUMBERS, V1, formulas, months, structures
from tests.golden.payroll_cases import HOST, cases, month
from tests.payroll_samples import EREWHON, component, structure_of, titles


def outcomes_of(structure: Structure, pack: Pack | None) -> Outcomes:
    """Both ways to the payslips of a structure."""
    return Outcomes(structure, V1.sheet_of(structure), pack, calculation=V1)


def writer_of(structure: Structure, pack: Pack | None, currency: str = "CNY") -> PayslipWriter:
    writer = payslip_writer(structure, V1.sheet_of(structure), pack, currency)
    assert writer is not None
    return writer


@given(st.data(), structures(), st.sampled_from([CHINA, None, EREWHON]))
def test_a_written_payslip_is_the_computed_one(data: st.DataObject, structure: Structure, pack: Pack | None) -> None:
    ways = outcomes_of(structure, pack)
    for _ in range(3):
        inputs = data.draw(months(structure, pack))
        assert ways.written(inputs) == ways.computed(inputs)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.title)
def test_the_cases_of_closed_runs_are_written_alike(case: Any) -> None:
    ways = outcomes_of(case.structure, pack_of(HOST, case.pins))
    written = ways.written(case.inputs)
    assert written == ways.computed(case.inputs)
    assert (written.counted is not None) == (written.state is PayslipState.OK)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"employed": (Period(date(2026, 3, 16)),)},
        {"absences": {"sick_leave": Decimal("1.5")}},
        {"absences": None, "days_worked": None},
        {"amounts": (DatedAmount("base_salary", Decimal(900), Period(date(2024, 1, 1))),)},
        {"declarations": {}},
        {"commission": (SettledCommission("sli_1", Decimal("12.30"), titles("提成", "Commission")),)},
        {"one_offs": (OneOff("pit_1", "basic_pay", OneOffEffect.ADD, Decimal(5), "补"),)},
        {"one_offs": (OneOff("pit_1", "loan", OneOffEffect.REPLACE, Decimal(99_999), "扣"),)},
    ],
    ids=str,
)
def test_whoever_has_a_document_is_written_without_the_calculation(changed: Mapping[str, Any]) -> None:
    structure = next(cases()).structure
    inputs = month(structure, **changed)
    written = writer_of(structure, CHINA).write(inputs)
    assert written is not None
    assert written.data.decode() == V1.compute(inputs, structure, V1.sheet_of(structure), CHINA).text


def test_what_is_not_foreseen_is_left_to_the_calculation() -> None:
    structure = next(cases()).structure
    writer = writer_of(structure, CHINA)
    bonus = OneOff("pit_1", "bonus", OneOffEffect.REPLACE, Decimal(36_001), "年终奖")
    assert writer.write(month(structure, one_offs=(bonus,))) is None
    assert writer.write(month(structure, amounts=())) is None  # no base salary: a formula fails
    assert writer.write(month(structure, structure_hash="another")) is None
    assert writer_of(structure, EREWHON).write(month(structure)) is None  # a pack without forms
    marked = replace(structure, titles=titles(mark("名"), "Marked"))
    assert payslip_writer(marked, V1.sheet_of(marked), None, "CNY") is None
    assert outcomes_of(marked, None).written(month(marked)) == outcomes_of(marked, None).computed(month(marked))


@pytest.mark.parametrize(
    ("code", "amount", "texts"),
    [
        ("erewhon.fund", "1.00", {"base": "1"}),
        ("china.fund", "1.005", {"base": "1"}),
        ("china.fund", "1.00", {}),
        ("china.fund", "1.00", {"base": '1"'}),
        ("china.fund", "1.00", {"base": "1\\"}),
        ("china.fund", "1.00", {"base": "\n"}),
        ("china.fund", "1.00", {"base": "é"}),
        ("china.fund", "1.00", {"base": "一"}),
    ],
)
def test_a_line_that_is_unfit_is_not_written(code: str, amount: str, texts: Mapping[str, str]) -> None:
    """The calculation asks the pack again, and says what is to be said."""
    explanation = Explanation("china.explained.base", amount=mark("base"))
    form = LineForm(code=code, titles=titles("险", "Fund"), kind=StatutoryKind.TAX, explanation=explanation)

    def write(facts: PayFacts) -> WrittenResult:
        return WrittenResult(lines=(WrittenLine(form, Decimal(amount), texts),), year_to_date={})

    assert CHINA is not None
    structure = next(cases()).structure
    inputs, pack = month(structure), replace(CHINA, writer=lambda task: StatutoryWriter(write))
    assert writer_of(structure, pack).write(inputs) is None
    assert outcomes_of(structure, pack).written(inputs) == outcomes_of(structure, CHINA).computed(inputs)


@given(formulas(NUMBERS), AMOUNTS, AMOUNTS, st.booleans(), DAYS)
def test_a_shape_filled_is_the_explanation(text: str, one: Decimal, other: Decimal, truth: bool, day: date) -> None:
    sheet = V1.sheet_of(structure_of(component("any", text), component("c3", "应得底薪", titles=titles("丁", "D"))))
    formula = sheet.formulas["any"]
    paths = PathFormula(formula)
    numbers = dict(zip(formula.inputs, cycle((one, other)), strict=False))
    values: dict[str, Value] = {**numbers, "has_left": truth, "hired_on": date(2025, 1, 31), "period_from": day}
    values["pays_on"] = date(2026, 3, 28)
    try:
        result, explanation = formula.explain(values)
    except FormulaFailed:
        with pytest.raises(ArithmeticError):
            paths.evaluate(values)
        return
    value, path = paths.evaluate(values)
    texts = {RESULT: shown(value)}
    for name, read in values.items():
        text = shown(read)
        texts |= {name: text, OPERAND + name: f"({text})" if text.startswith("-") else text}
    assert value == result
    filled = TextForm(canonical_text(paths.shape(path).plain())).filled(texts)
    assert filled.encode("latin-1") == canonical_text(explanation.plain()).encode()


def test_forms_are_cut_at_marks_and_nowhere_else() -> None:
    form = TextForm(canonical_text({"a": f"甲{mark('x')}乙{mark('y')}{mark('x')}", "b": json_mark("z"), "c": "%s {x}"}))
    assert form.names == ("x", "y", "x", "z")
    filled = form.filled({"x": "1", "y": "-2", "z": "[3]"})
    assert filled.encode("latin-1").decode() == '{"a":"甲1乙-21","b":[3],"c":"%s {x}"}'
    assert (
        form.filled({"x": "", "y": "", "z": "null"}).encode("latin-1").decode() == '{"a":"甲乙","b":null,"c":"%s {x}"}'
    )
    with pytest.raises(KeyError):
        form.filled({"x": "1"})
    assert may_be_mistaken(mark("x"))
    assert may_be_mistaken(json_mark("x"))
    assert not may_be_mistaken("底薪 🙂")
