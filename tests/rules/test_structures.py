"""Structures: one text for one content, and everything that is wrong with one told at once, each at its place."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from saas.kernel import LOCALES, AppError, AppErrors, Catalogue, rounded
from saas.payroll.rules.structure_checks import check_structure
from saas.payroll.rules.structures import (
    ComponentKind,
    MonthlyItem,
    Nature,
    PayComponent,
    Proration,
    ProrationMethod,
    RoundingMode,
    Structure,
)
from tests.payroll_samples import BASIC, STRUCTURE, component, structure_of, titles

CATALOGUE = Catalogue.of(["saas.payroll", "saas.formulas"])


def problems(structure: Structure, currency: str = "CNY") -> list[tuple[str, str]]:
    """(path, key) of all that is wrong, each with a sentence and a remedy in both languages."""
    with pytest.raises(AppErrors) as refused:
        check_structure(structure, currency=currency)
    return [(".".join(error.field), error.key) for error in refused.value.errors if is_said(error)]


def is_said(error: AppError) -> bool:
    for locale in LOCALES:
        for key in (error.key, f"{error.key}.hint"):
            assert CATALOGUE.has(locale, key), key
            assert "{" not in CATALOGUE.text(locale, key, error.values)
    return True


def test_a_good_structure_gives_its_sheet() -> None:
    sheet = check_structure(STRUCTURE, currency="CNY")
    assert set(sheet.formulas) == {component.code for component in STRUCTURE.components}
    assert sheet.inputs == ("base_salary.earned", "days_paid", "car.earned", "days_due")


def test_one_text_for_one_content() -> None:
    assert Structure.of_plain(json.loads(STRUCTURE.text)) == STRUCTURE
    same = replace(STRUCTURE, proration=Proration(days_a_month=Decimal("21.7500")))
    assert (same.text, same.hash) == (STRUCTURE.text, STRUCTURE.hash)
    other = replace(STRUCTURE, proration=Proration(method=ProrationMethod.ACTUAL_DAYS))
    assert other.hash != STRUCTURE.hash
    assert len(STRUCTURE.hash) == 64


def test_unknown_words_and_circles_are_told_at_their_component() -> None:
    wrong = structure_of(BASIC, component("a", "basic_pya * 2"), component("b", "底薪 +"), component("c", "出勤天术"))
    assert problems(wrong) == [
        ("components.1.formula", "formulas.word_misspelt"),
        ("components.2.formula", "formulas.ends_early"),
        ("components.3.formula", "formulas.word_misspelt"),
    ]
    assert problems(structure_of(component("a", "b + 1"), component("b", "a + 1"))) == [
        ("components.0.formula", "formulas.cycle")
    ]


def test_a_condition_is_no_amount() -> None:
    assert problems(structure_of(component("a", "base_salary > 1"))) == [
        ("components.0.formula", "formulas.number_needed")
    ]


def test_everything_else_is_told_in_one_pass_with_the_formulas() -> None:
    wrong = structure_of(
        component("a", "nothing", digits=3),
        component("b", "1", digits=None),
        component("c", "1", floor=Decimal(2), ceiling=Decimal(1)),
        component("d", "1", ComponentKind.DEDUCTION, nature=Nature.OVERTIME),
        component("e", "1", ComponentKind.STATISTIC, digits=13),
        component("f", "1", nature=Nature.DAMAGE),
        proration=Proration(days_a_month=Decimal(0), unpaid={"nap": Decimal(1), "absent": Decimal(2)}),
    )
    assert problems(wrong) == [
        ("components.0.digits", "payroll.digits_unfit"),
        ("components.1.digits", "payroll.digits_missing"),
        ("components.2.floor", "payroll.floor_above_ceiling"),
        ("components.3.nature", "payroll.nature_unfit"),
        ("components.4.digits", "payroll.digits_unfit"),
        ("components.5.nature", "payroll.nature_unfit"),
        ("proration.daysAMonth", "payroll.days_a_month_unfit"),
        ("proration.unpaid", "payroll.absence_unknown"),
        ("proration.unpaid", "payroll.unpaid_part_unfit"),
        ("components.0.formula", "formulas.word_unknown"),
    ]


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        (replace(STRUCTURE, code="Sales"), ("code", "payroll.code_malformed")),
        (replace(STRUCTURE, titles={"en": "Sales"}), ("titles", "payroll.title_length")),
        (structure_of(component("9a", "1")), ("components.0.code", "payroll.code_malformed")),
        (structure_of(component("commission", "1")), ("components.0.code", "payroll.code_reserved")),
        (structure_of(BASIC, component("car", "1")), ("components.1.code", "payroll.code_taken")),
        (
            structure_of(component("a", "1", ComponentKind.DEDUCTION)),
            ("components", "payroll.structure_without_earning"),
        ),
        (structure_of(component("hired_on", "1")), ("components", "formulas.name_taken")),
        (structure_of(component("and", "1")), ("components", "formulas.name_reserved")),
        (
            replace(STRUCTURE, items=(MonthlyItem(code="base_salary", titles=titles("底薪", "Base")),)),
            ("items", "formulas.name_taken"),
        ),
    ],
)
def test_names_and_kinds(structure: Structure, expected: tuple[str, str]) -> None:
    assert problems(structure) == [expected]


def test_two_components_of_one_code_are_both_named() -> None:
    assert problems(structure_of(component("a", "1"), component("a", "2"))) == [
        ("components.0.code", "payroll.code_taken"),
        ("components.1.code", "payroll.code_taken"),
    ]


def test_a_currency_without_cents_takes_no_cents() -> None:
    assert problems(structure_of(BASIC), "JPY") == [("components.0.digits", "payroll.digits_unfit")]
    check_structure(structure_of(replace(BASIC, digits=0)), currency="JPY")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (RoundingMode.HALF_UP, "2.3"),
        (RoundingMode.HALF_EVEN, "2.2"),
        (RoundingMode.UP, "2.3"),
        (RoundingMode.DOWN, "2.2"),
    ],
)
def test_rounding_modes(mode: RoundingMode, expected: str) -> None:
    assert rounded(Decimal("2.25"), 1, mode.decimal) == Decimal(expected)
    assert PayComponent(code="a", titles={}, kind=ComponentKind.EARNING, formula="1", rounding=mode).rounding is mode
