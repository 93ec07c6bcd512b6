"""Why a formula came to its value: as written, with numbers put in, each name read, each case taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from saas.formulas import FormulaFailed, Kind, Value
from saas.kernel import Explanation
from tests.formula_samples import CATALOGUE, VALUES, formula_of


def lines_of(explanation: Explanation, locale: str) -> list[tuple[int, str, str | None]]:
    assert Explanation.of_plain(explanation.plain()) == explanation
    return list(explanation.lines(CATALOGUE, locale))


def explained(text: str, kind: Kind = Kind.NUMBER, **changed: Value | None) -> Explanation:
    given: Mapping[str, Value | None] = {**VALUES, **changed}
    value, explanation = formula_of(text, kind).explain(given)
    assert value == formula_of(text, kind).evaluate(given)
    return explanation


def test_a_formula_is_shown_as_written_and_with_its_numbers() -> None:
    explanation = explained("= 四舍五入(底薪 / 21.75 * (出勤天数 - 工龄), 2)")
    assert lines_of(explanation, "zh-CN") == [
        (
            0,
            "= 四舍五入(底薪 / 21.75 * (出勤天数 - 工龄), 2) ＝ 四舍五入(8000.00 / 21.75 * (20 - 3), 2) ＝ 6252.87",
            "6252.87",
        ),
        (1, "底薪（base_salary）为 8000.00", "8000.00"),
        (1, "出勤天数（days_worked）为 20", "20"),
        (1, "工龄（seniority）为 3", "3"),
    ]


def test_each_if_tells_the_case_it_took_and_those_it_passed_over() -> None:
    explanation = explained("if(工龄 > 5, 500, 工龄 > 2, base * if(is_manager, 2, 1), 0)")
    assert lines_of(explanation, "en") == [
        (
            0,
            (
                "if(工龄 > 5, 500, 工龄 > 2, base * if(is_manager, 2, 1), 0) = "
                "if(3 > 5, 500, 3 > 2, 8000.00 * if(true, 2, 1), 0) = 16000.00"
            ),
            "16000.00",
        ),
        (1, "工龄 (seniority) is 3", "3"),
        (1, "Base salary (base_salary) is 8000.00", "8000.00"),
        (1, "是否经理 (is_manager) is true", None),
        (1, "“工龄 > 2” holds (3 > 2), so the value is “base * if(is_manager, 2, 1)”", None),
        (2, "“工龄 > 5” does not hold (3 > 5)", None),
        (1, "“is_manager” holds (true), so the value is “2”", None),
    ]


def test_the_last_case_and_names_that_were_not_read() -> None:
    explanation = explained("if(level = “B”, days_worked * 5%, base)", days_worked=None)
    assert lines_of(explanation, "zh-CN") == [
        (
            0,
            'if(level = “B”, days_worked * 5%, base) ＝ if("A" = “B”, days_worked * 5%, 8000.00) ＝ 8000.00',
            "8000.00",
        ),
        (1, '级别（level）为 "A"', None),
        (1, "底薪（base_salary）为 8000.00", "8000.00"),
        (1, "各条件均不成立，取“base”", None),
        (2, '“level = “B””不成立（"A" = “B”）', None),
    ]


def test_a_negative_value_is_put_in_with_brackets() -> None:
    explanation = explained("1 - base", base_salary=Decimal("-2.50"))
    assert explanation.args["filled"] == "1 - (-2.50)"
    assert explanation.amount == "3.50"


def test_texts_days_and_truths_have_no_amount() -> None:
    for text, kind, shown in (
        ("region", Kind.TEXT, '"华东"'),
        ("hired_on", Kind.DATE, "2024-01-31"),
        ("hired_on < left_on", Kind.BOOL, "true"),
    ):
        explanation = explained(text, kind)
        assert explanation.amount is None
        assert explanation.args["result"] == shown
    assert explained("hired_on < left_on", Kind.BOOL).args["filled"] == "2024-01-31 < 2026-02-28"


def test_a_word_without_titles_is_explained_by_its_name() -> None:
    (part,) = explained("region", Kind.TEXT).parts
    assert part.sentence(CATALOGUE, "en") == 'region (region) is "华东"'


def test_what_fails_has_no_explanation() -> None:
    with pytest.raises(FormulaFailed):
        formula_of("year(hired_on) / (seniority - 3)").explain({**VALUES, "hired_on": date(2026, 1, 1)})
