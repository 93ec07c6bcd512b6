"""Sheets: the order that follows from references, circles, and failures that stay where they belong."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.formulas import (
    COMPONENTS_MOST,
    Component,
    ComponentBlocked,
    FormulaFailed,
    FormulaRefused,
    Kind,
    Sheet,
    Value,
    Word,
    parse_sheet,
)
from saas.kernel import AppError
from tests.formula_samples import CATALOGUE, VALUES, VOCABULARY, unsaid


def component(name: str, formula: str, title: str = "", kind: Kind = Kind.NUMBER) -> Component:
    return Component(Word(name, kind, {"zh-CN": title} if title else {}, (title,) if title else ()), formula)


def sheet_of(*components: Component) -> Sheet:
    return parse_sheet(components, VOCABULARY)


def refusal_of(*components: Component) -> tuple[AppError, ...]:
    with pytest.raises(FormulaRefused) as refused:
        parse_sheet(components, VOCABULARY)
    assert unsaid(*refused.value.errors) == []
    return refused.value.errors


PAY = (
    component("net_pay", "应发 - 个税", "实发"),
    component("income_tax", "四舍五入(应发 * 3%, 2)", "个税"),
    component("gross_pay", "基本工资 + 奖金", "应发"),
    component("basic_pay", "四舍五入(底薪 / 21.75 * 出勤天数, 2)", "基本工资"),
    component("bonus", "if(级别 = “A”, 1000 / (工龄 - 1), 0)", "奖金"),
)


def test_components_are_computed_after_those_that_they_refer_to() -> None:
    sheet = sheet_of(*PAY)
    assert list(sheet.formulas) == ["basic_pay", "bonus", "gross_pay", "income_tax", "net_pay"]
    assert sheet.inputs == ("base_salary", "days_worked", "level", "seniority")
    computed = sheet.evaluate(VALUES)
    assert computed.failures == {}
    assert computed.explanations == {}
    assert computed.values == {
        "basic_pay": Decimal("7356.32"),
        "bonus": Decimal(500),
        "gross_pay": Decimal("7856.32"),
        "income_tax": Decimal("235.69"),
        "net_pay": Decimal("7620.63"),
    }


def test_a_failure_takes_those_that_depend_on_it_along_and_no_others() -> None:
    computed = sheet_of(*PAY).evaluate({**VALUES, "seniority": Decimal(1)})
    assert computed.values == {"basic_pay": Decimal("7356.32")}
    assert {name: (type(failure), failure.key) for name, failure in computed.failures.items()} == {
        "bonus": (FormulaFailed, "formulas.division_by_zero"),
        "gross_pay": (ComponentBlocked, "formulas.component_blocked"),
        "income_tax": (ComponentBlocked, "formulas.component_blocked"),
        "net_pay": (ComponentBlocked, "formulas.component_blocked"),
    }
    assert computed.failures["net_pay"].values == {"component": "实发 (net_pay)", "cause": "奖金 (bonus)"}
    sentence = CATALOGUE.text("zh-CN", "formulas.component_blocked", computed.failures["net_pay"].values)
    assert sentence == "实发 (net_pay) 未计算，因为 奖金 (bonus) 计算失败。"


def test_a_given_value_never_stands_in_for_a_component() -> None:
    given: dict[str, Value | None] = {**VALUES, "bonus": Decimal(1), "gross_pay": Decimal(1)}
    assert sheet_of(*PAY).evaluate(given).values["gross_pay"] == Decimal("7856.32")


def test_a_component_that_is_given_is_not_computed_and_others_read_it() -> None:
    sheet = sheet_of(component("share", "base_salary / 0"), component("pay", "share * 2"))
    computed = sheet.evaluate(VALUES, given={"share": Decimal(7)}, explained=True)
    assert computed.values == {"share": Decimal(7), "pay": Decimal(14)}
    assert computed.failures == {}
    assert list(computed.explanations) == ["pay"]


def test_others_read_what_a_component_was_settled_to() -> None:
    sheet = sheet_of(component("third", "10 / 3"), component("three", "third * 3"))

    def settled(name: str, value: Value) -> Value:
        return round(value, 2) if name == "third" and isinstance(value, Decimal) else value

    computed = sheet.evaluate(VALUES, settled=settled)
    assert computed.values == {"third": Decimal("3.33"), "three": Decimal("9.99")}


def test_explanations_are_made_where_they_are_asked_for() -> None:
    sheet = sheet_of(*PAY)
    computed = sheet.evaluate(VALUES, explained=True)
    assert computed.values == sheet.evaluate(VALUES).values
    assert list(computed.explanations) == list(computed.values)
    lines = list(computed.explanations["net_pay"].lines(CATALOGUE, "zh-CN"))
    assert lines == [
        (0, "应发 - 个税 ＝ 7856.32 - 235.69 ＝ 7620.63", "7620.63"),
        (1, "应发（gross_pay）为 7856.32", "7856.32"),
        (1, "个税（income_tax）为 235.69", "235.69"),
    ]


def test_components_of_every_kind_feed_each_other() -> None:
    sheet = sheet_of(
        component("grade", 'if(is_senior, "A", "B")', kind=Kind.TEXT),
        component("is_senior", "months(hired_on, review_on) >= 24", kind=Kind.BOOL),
        component("review_on", "max(left_on, hired_on)", kind=Kind.DATE),
    )
    assert list(sheet.formulas) == ["review_on", "is_senior", "grade"]
    assert sheet.evaluate(VALUES).values["grade"] == "A"


def test_a_circle_is_refused_and_named_whole() -> None:
    (problem,) = refusal_of(
        component("outside", "甲 + 1"),
        component("a", "乙 + 1", "甲"),
        component("b", "丙 * 2", "乙"),
        component("c", "if(is_manager, 甲, 0)", "丙"),
        component("free", "1"),
    )
    assert problem.key == "formulas.cycle"
    assert problem.values == {"cycle": "甲 (a) → 乙 (b) → 丙 (c) → 甲 (a)"}
    assert problem.field == ("a",)


def test_a_component_that_refers_to_itself_is_a_circle() -> None:
    (problem,) = refusal_of(component("a", "a + 1"))
    assert problem.values == {"cycle": "a → a"}


def test_all_problems_of_all_formulas_are_told_with_their_component() -> None:
    problems = refusal_of(component("a", "bse + 1"), component("b", "a * level"), component("c", "1"))
    assert [(problem.field, problem.key) for problem in problems] == [
        (("a",), "formulas.word_misspelt"),
        (("b",), "formulas.number_needed"),
    ]


@pytest.mark.parametrize("taken", ["base_salary", "BASE", "底薪"])
def test_a_component_can_not_take_the_name_of_an_input(taken: str) -> None:
    (problem,) = refusal_of(component(taken, "1"))
    assert problem.key == "formulas.name_taken"


def test_two_components_can_not_share_a_name() -> None:
    twice = component("a", "1")
    assert [problem.key for problem in refusal_of(twice, twice)] == ["formulas.name_taken"]


def test_a_sheet_holds_a_limited_number_of_components() -> None:
    components = [component(f"c{number}", f"c{number + 1} + 1") for number in range(COMPONENTS_MOST - 1)]
    last = component(f"c{COMPONENTS_MOST - 1}", "1")
    assert sheet_of(*components, last).evaluate({}).values["c0"] == COMPONENTS_MOST
    (problem,) = refusal_of(*components, last, component("more", "1"))
    assert (problem.key, problem.values) == ("formulas.too_many_components", {"given": 501, "most": 500})


_GRAPHS = st.integers(1, 8).flatmap(
    lambda size: st.lists(st.sets(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size)
)


def reaches(graph: list[set[int]], start: int) -> set[int]:
    """Every component that `start` needs, directly or not."""
    found: set[int] = set()
    waiting = list(graph[start])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(graph[one])
    return found


@given(graph=_GRAPHS, failing=st.integers(0, 7))
def test_any_graph_is_computed_in_order_or_refused_for_a_circle_that_is_one(
    graph: list[set[int]], failing: int
) -> None:
    texts = [" + ".join(["1", *(f"c{need}" for need in sorted(needs))]) for needs in graph]
    if failing < len(graph):
        texts[failing] += " / 0"
    components = [component(f"c{place}", text) for place, text in enumerate(texts)]
    needed = [reaches(graph, place) for place in range(len(graph))]
    if any(place in needs for place, needs in enumerate(needed)):
        (problem,) = refusal_of(*components)
        circle = [int(name[1:]) for name in str(problem.values["cycle"]).split(" → ")]
        assert circle[0] == circle[-1]
        assert all(after in graph[before] for before, after in itertools.pairwise(circle))
        return
    computed = sheet_of(*components).evaluate({})
    broken = {f"c{place}" for place, needs in enumerate(needed) if failing in (place, *needs)}
    assert computed.failures.keys() == broken
    assert computed.values.keys() == {f"c{place}" for place in range(len(graph))} - broken
    found: dict[str, Any] = dict(computed.values)
    for place, needs in enumerate(graph):
        if f"c{place}" in found:
            assert found[f"c{place}"] == 1 + sum(found[f"c{need}"] for need in needs)
