"""What is refused when a formula is saved, and what fails when it is evaluated: each with place, rule and remedy."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from saas.formulas import (
    DEPTH_MOST,
    NODES_MOST,
    PROBLEMS_MOST,
    TEXT_LONGEST,
    TOKENS_MOST,
    FormulaFailed,
    FormulaProblem,
    FormulaRefused,
    Kind,
    Value,
    Vocabulary,
    Word,
    parse_formula,
)
from saas.kernel import LOCALES, ErrorCode
from tests.formula_samples import CATALOGUE, VALUES, VOCABULARY, formula_of, unsaid, value_of

ROOM = Path(__file__).parents[2] / "saas" / "formulas"


def problems_of(text: str, kind: Kind = Kind.NUMBER) -> list[tuple[str, object, object, object]]:
    """Key without the room, line, column and text of each problem, in the order they are told."""
    with pytest.raises(FormulaRefused) as refused:
        parse_formula(text, VOCABULARY, result=kind)
    assert {type(problem) for problem in refused.value.errors} == {FormulaProblem}
    return [
        (
            problem.key.removeprefix("formulas."),
            problem.values["line"],
            problem.values["column"],
            problem.values["text"],
        )
        for problem in refused.value.errors
    ]


REFUSED = [
    ("", "empty", 1, 1, ""),
    (" = ", "empty", 1, 4, ""),
    ("1 + $2", "character_unknown", 1, 5, "$"),
    ("'A'", "character_unknown", 1, 1, "'"),
    ("1\n +\u200b2", "character_invisible", 2, 3, "U+200B"),
    ('level = "A', "text_unclosed", 1, 9, '"'),
    ("level = “A", "text_unclosed", 1, 9, "“"),
    ('"A\n"', "text_unclosed", 1, 1, '"'),
    ("1.2.3", "number_malformed", 1, 1, "1.2.3"),
    ("1e5", "number_malformed", 1, 1, "1e5"),
    ("2 * 5.", "number_malformed", 1, 5, "5."),
    ("1.5万元", "number_malformed", 1, 1, "1.5万元"),
    ("1" + "0" * 24, "number_too_large", 1, 1, "1" + "0" * 24),
    ("10000000000000000亿", "number_too_large", 1, 1, "10000000000000000亿"),
    ("0." + "1" * 41, "number_too_large", 1, 1, "0." + "1" * 41),
    ("1 + 1,000.50", "thousands_separator", 1, 5, "1,000.50"),
    ("1，234，567", "thousands_separator", 1, 1, "1，234，567"),
    ("max((12,000), 1)", "thousands_separator", 1, 6, "12,000"),
    ("max(1,000.50, 2)", "thousands_separator", 1, 5, "1,000.50"),
    ("1 * / 2", "operand_missing", 1, 5, "/"),
    ("max(1, )", "operand_missing", 1, 8, ")"),
    ("+1", "operand_missing", 1, 1, "+"),
    ("1 +", "ends_early", 1, 4, ""),
    ("base salary", "operator_missing", 1, 6, "salary"),
    ("base 2", "operator_missing", 1, 6, "2"),
    ("max(1 2)", "operator_missing", 1, 7, "2"),
    ("(1 + 2", "bracket_unclosed", 1, 1, "("),
    ("max(1, 2", "bracket_unclosed", 1, 4, "("),
    ("1 + 2)", "bracket_unopened", 1, 6, ")"),
    ("1, 2", "comma_outside_call", 1, 2, ","),
    ("(1, 2)", "comma_outside_call", 1, 3, ","),
    ("1 < seniority < 3", "comparison_chained", 1, 15, "<"),
    ("底薪x * 2", "word_misspelt", 1, 1, "底薪x"),
    ("bonus", "word_unknown", 1, 1, "bonus"),
    ("底薪且工龄", "words_joined", 1, 1, "底薪且工龄"),
    ("非在职经理", "words_joined", 1, 1, "非在职经理"),
    ("seniority(3)", "word_called", 1, 1, "seniority"),
    ("sqrt(4)", "function_unknown", 1, 1, "sqrt"),
    ("rond(4, 2)", "function_misspelt", 1, 1, "rond"),
    ("max + 1", "function_without_brackets", 1, 1, "max"),
    ("如果 + 1", "function_without_brackets", 1, 1, "如果"),
    ("1 + round(2)", "argument_count", 1, 5, "round(2)"),
    ("if(true, 1)", "argument_count", 1, 1, "if(true, 1)"),
    ("if(true, 1, false, 2)", "argument_count", 1, 1, "if(true, 1, false, 2)"),
    ("max(1)", "argument_count", 1, 1, "max(1)"),
    ("abs()", "argument_count", 1, 1, "abs()"),
    ("and(true)", "argument_count", 1, 1, "and(true)"),
    ("date(2026, 1, 31)", "argument_count", 1, 1, "date(2026, 1, 31)"),
    ('year(date("2026-02-30"))', "date_malformed", 1, 11, '"2026-02-30"'),
    ('year(date("2026-2-3"))', "date_malformed", 1, 11, '"2026-2-3"'),
    ('year(date("２０２６-02-03"))', "date_malformed", 1, 11, '"２０２６-02-03"'),
    ("level + 1", "number_needed", 1, 1, "level"),
    ("left_on - hired_on", "number_needed", 1, 1, "left_on"),
    ("-is_manager", "number_needed", 1, 2, "is_manager"),
    ("level%", "number_needed", 1, 1, "level"),
    ("level", "number_needed", 1, 1, "level"),
    ('if(contains(1, "A"), 1, 2)', "text_needed", 1, 13, "1"),
    ('days("2026-01-01", hired_on)', "date_needed", 1, 6, '"2026-01-01"'),
    ("if(seniority, 1, 2)", "truth_needed", 1, 4, "seniority"),
    ("if(1 = 1 and 2, 1, 2)", "truth_needed", 1, 14, "2"),
    ("if(not 1, 1, 2)", "truth_needed", 1, 8, "1"),
    ("if(level = 1, 1, 2)", "kinds_differ", 1, 12, "1"),
    ('if(true, 1, "none")', "kinds_differ", 1, 13, '"none"'),
    ('if(in(seniority, 1, "2"), 1, 2)', "kinds_differ", 1, 21, '"2"'),
    ('if(level < "B", 1, 2)', "order_needed", 1, 4, "level"),
    ("max(level, region)", "order_needed", 1, 5, "level"),
    ("round(1, 2.5)", "digits_unfit", 1, 10, "2.5"),
    ("round(1, -13)", "digits_unfit", 1, 10, "-13"),
    ("round(1,234.50)", "digits_unfit", 1, 9, "234.50"),
    ("[1]", "operand_missing", 1, 1, "["),
]


@pytest.mark.parametrize(("text", "key", "line", "column", "part"), REFUSED)
def test_a_problem_names_its_place(text: str, key: str, line: int, column: int, part: str) -> None:
    found = problems_of(text)
    assert (key, line, column, part) in found
    assert found == sorted(found, key=lambda problem: (problem[1], problem[2]))


def test_all_problems_of_a_formula_are_told_in_one_pass() -> None:
    text = 'bse_salary * 3 +\n  rond(级別, 2) -\n  if(level, * 2, "x") + days(hired_on, 底新)'
    assert problems_of(text) == [
        ("word_misspelt", 1, 1, "bse_salary"),
        ("function_misspelt", 2, 3, "rond"),
        ("word_misspelt", 2, 8, "级別"),
        ("truth_needed", 3, 6, "level"),
        ("operand_missing", 3, 13, "*"),
        ("kinds_differ", 3, 18, '"x"'),
        ("word_misspelt", 3, 40, "底新"),
    ]


def test_no_more_than_twenty_problems_are_told_of_at_once() -> None:
    assert len(problems_of(" + ".join(["nothing"] * 100))) == PROBLEMS_MOST
    assert len(problems_of("$" * 100)) == PROBLEMS_MOST
    assert len(problems_of("\x00" * 100)) == PROBLEMS_MOST
    assert len(problems_of(" + ".join(["level"] * 100))) == PROBLEMS_MOST


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("bse_salary", "base_salary"),
        ("base_slaary", "base_salary"),
        ("salary", "base_salary"),
        ("BASE_SALRY", "base_salary"),
        ("底新", "底薪"),
        ("工令", "工龄"),
        ("出勤日数", "出勤天数"),
        ("成交", "成交.金额"),
        ("deal.amout", "deal.amount"),
    ],
)
def test_an_unknown_word_comes_with_the_nearest_known_ones(word: str, nearest: str) -> None:
    with pytest.raises(FormulaRefused) as refused:
        parse_formula(f"1 + {word}", VOCABULARY, result=Kind.NUMBER)
    (problem,) = refused.value.errors
    assert str(problem.values["nearest"]).split(", ")[0] == nearest


def test_an_unknown_function_comes_with_the_nearest_ones_of_both_languages() -> None:
    for word, nearest in (("rond", "round"), ("四舍五人", "四舍五入"), ("绝对直", "绝对值"), ("iff", "if")):
        with pytest.raises(FormulaRefused) as refused:
            parse_formula(f"{word}(1)", VOCABULARY, result=Kind.NUMBER)
        assert str(refused.value.errors[0].values["nearest"]).split(", ")[0] == nearest


def test_a_thousands_separator_comes_with_the_number_to_write() -> None:
    with pytest.raises(FormulaRefused) as refused:
        parse_formula("1，234，567.50", VOCABULARY, result=Kind.NUMBER)
    assert refused.value.errors[0].values["plain"] == "1234567.50"
    assert value_of("max(1,500)") == Decimal(500)


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.DATE, Kind.BOOL])
def test_the_whole_must_come_to_the_kind_that_is_wanted(kind: Kind) -> None:
    needed = {Kind.TEXT: "text_needed", Kind.DATE: "date_needed", Kind.BOOL: "truth_needed"}[kind]
    assert problems_of("1 + 2", kind) == [(needed, 1, 1, "1 + 2")]


def test_a_long_part_is_quoted_short() -> None:
    ((_, _, _, text),) = problems_of("1" * 100)
    assert text == "1" * 59 + "…"


@pytest.mark.parametrize(
    ("fits", "passes", "key"),
    [
        ("1" + " " * (TEXT_LONGEST - 1), "1" + " " * TEXT_LONGEST, "text_too_long"),
        ("+".join(["1"] * (NODES_MOST - 1)), "+".join(["1"] * NODES_MOST), "too_many_nodes"),
        (
            "(" * (DEPTH_MOST - 1) + "1" + ")" * (DEPTH_MOST - 1),
            "(" * DEPTH_MOST + "1" + ")" * DEPTH_MOST,
            "nested_too_deep",
        ),
        ("-" * (DEPTH_MOST - 1) + "1", "-" * DEPTH_MOST + "1", "nested_too_deep"),
        ("1" + "%" * (DEPTH_MOST - 1), "1" + "%" * DEPTH_MOST, "nested_too_deep"),
        (
            "abs(" * (DEPTH_MOST - 1) + "1" + ")" * (DEPTH_MOST - 1),
            "abs(" * DEPTH_MOST + "1" + ")" * DEPTH_MOST,
            "nested_too_deep",
        ),
    ],
)
def test_limits_hold_to_the_unit(fits: str, passes: str, key: str) -> None:
    assert isinstance(value_of(fits), Decimal)
    assert [problem[0] for problem in problems_of(passes)] == [key]


def test_tokens_are_limited_before_they_are_parsed() -> None:
    assert problems_of("1" + ")" * (TOKENS_MOST - 1)) == [("bracket_unopened", 1, 2, ")")]
    assert problems_of("1" + ")" * TOKENS_MOST) == [("too_many_tokens", 1, TOKENS_MOST + 1, ")")]


FAILED: list[tuple[str, dict[str, Value | None], str, int, str, str | None]] = [
    (
        "1 + base_salary / (seniority - 3)",
        {},
        "division_by_zero",
        5,
        "base_salary / (seniority - 3)",
        "8000.00 / (3 - 3)",
    ),
    ("0 / 0", {}, "division_by_zero", 1, "0 / 0", "0 / 0"),
    ("底薪 * 2 / (工龄 - 工龄) * 底薪", {}, "division_by_zero", 1, "底薪 * 2 / (工龄 - 工龄)", "8000.00 * 2 / (3 - 3)"),
    ("round(1, seniority / 2)", {}, "digits_out_of_range", 1, "round(1, seniority / 2)", "round(1, 3 / 2)"),
    ("round(1, base_salary)", {}, "digits_out_of_range", 1, "round(1, base_salary)", "round(1, 8000.00)"),
    (
        "1 + seniority * seniority",
        {"seniority": Decimal("-1e12")},
        "result_too_large",
        5,
        "seniority * seniority",
        "(-1000000000000) * (-1000000000000)",
    ),
    (
        "seniority + seniority",
        {"seniority": Decimal("6e23")},
        "result_too_large",
        1,
        "seniority + seniority",
        "600000000000000000000000 + 600000000000000000000000",
    ),
    (
        "roundup(seniority, -2)",
        {"seniority": Decimal("9" * 24)},
        "result_too_large",
        1,
        "roundup(seniority, -2)",
        "roundup(999999999999999999999999, -2)",
    ),
    ("1 + 底薪", {"base_salary": None}, "input_missing", 5, "底薪", None),
    ("base", {"base_salary": 8000}, "input_of_other_type", 1, "base", None),  # type: ignore[dict-item]
    ("base", {"base_salary": 8000.5}, "input_of_other_type", 1, "base", None),  # type: ignore[dict-item]
    ("base", {"base_salary": True}, "input_of_other_type", 1, "base", None),
    ("year(hired_on)", {"hired_on": datetime(2026, 1, 1)}, "input_of_other_type", 6, "hired_on", None),  # noqa: DTZ001
    ("base", {"base_salary": Decimal("NaN")}, "input_too_large", 1, "base", None),
    ("base", {"base_salary": Decimal("sNaN")}, "input_too_large", 1, "base", None),
    ("base", {"base_salary": Decimal("-Infinity")}, "input_too_large", 1, "base", None),
    ("0 * base", {"base_salary": Decimal("1e24")}, "input_too_large", 5, "base", None),
]


@pytest.mark.parametrize(("text", "changed", "key", "column", "part", "filled"), FAILED)
def test_a_failure_names_the_part_and_its_values(
    text: str, changed: dict[str, Value | None], key: str, column: int, part: str, filled: str | None
) -> None:
    formula, values = formula_of(text), {**VALUES, **changed}
    for compute in (formula.evaluate, formula.explain):
        with pytest.raises(FormulaFailed) as failed:
            compute(values)
        assert failed.value.code is ErrorCode.RULE_REFUSED
        assert failed.value.key == f"formulas.{key}"
        assert [failed.value.values[name] for name in ("line", "column", "text")] == [1, column, part]
        assert failed.value.values.get("filled") == filled
        assert unsaid(failed.value) == []


def test_an_input_that_was_not_given_is_missing_not_nought() -> None:
    with pytest.raises(FormulaFailed) as failed:
        formula_of("1 +\n  底薪").evaluate({})
    assert failed.value.values == {"line": 2, "column": 3, "text": "底薪", "name": "底薪 (base_salary)"}


def test_the_largest_numbers_there_are_can_be_computed() -> None:
    largest = Decimal("9" * 24)
    assert value_of("base + 0", base_salary=largest) == largest
    assert value_of("-base * 1", base_salary=largest) == -largest


@pytest.mark.parametrize(
    ("words", "key", "values"),
    [
        ([Word("1st", Kind.TEXT, {})], "name_malformed", {"name": "1st", "longest": 60}),
        ([Word("a b", Kind.TEXT, {})], "name_malformed", {"name": "a b", "longest": 60}),
        ([Word("deal.", Kind.TEXT, {})], "name_malformed", {"name": "deal.", "longest": 60}),
        ([Word("x" * 61, Kind.TEXT, {})], "name_malformed", {"name": "x" * 59 + "…", "longest": 60}),
        ([Word("a\u200db", Kind.TEXT, {})], "name_malformed", {"name": "aU+200Db", "longest": 60}),
        ([Word("底薪\u3164", Kind.TEXT, {})], "name_malformed", {"name": "底薪U+3164", "longest": 60}),
        ([Word("", Kind.TEXT, {})], "name_malformed", {"name": "", "longest": 60}),
        ([Word("ok", Kind.TEXT, {}, ("且",))], "name_reserved", {"name": "且"}),
        ([Word("True", Kind.TEXT, {})], "name_reserved", {"name": "True"}),
        (
            [Word("base", Kind.TEXT, {"en": "Base"}), Word("x", Kind.TEXT, {"zh-CN": "底薪"}, ("ＢＡＳＥ",))],
            "name_taken",
            {"name": "ＢＡＳＥ", "first": "Base (base)", "second": "底薪 (x)"},
        ),
        (
            [Word("x", Kind.TEXT, {}), Word("x", Kind.TEXT, {})],
            "name_taken",
            {"name": "x", "first": "x", "second": "x"},
        ),
    ],
)
def test_names_that_can_not_be_declared(words: list[Word], key: str, values: dict[str, object]) -> None:
    with pytest.raises(FormulaProblem) as problem:
        Vocabulary(words)
    assert problem.value.key == f"formulas.{key}"
    assert problem.value.values == values
    assert unsaid(problem.value) == []


def test_an_alias_that_is_the_name_again_is_allowed() -> None:
    word = Word("base", Kind.DATE, {}, ("BASE", "base"))
    formula = parse_formula("Base", Vocabulary([word]), result=Kind.DATE)
    assert formula.evaluate({"base": date(2026, 1, 1)}) == date(2026, 1, 1)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("text", "key", "line", "column", "part"), REFUSED)
def test_each_problem_says_fact_and_remedy_in_both_languages(
    text: str, key: str, line: int, column: int, part: str, locale: str
) -> None:
    with pytest.raises(FormulaRefused) as refused:
        parse_formula(text, VOCABULARY, result=Kind.NUMBER)
    (problem,) = [problem for problem in refused.value.errors if problem.key == f"formulas.{key}"][:1]
    fact, hint = (CATALOGUE.text(locale, problem.key + end, problem.values) for end in ("", ".hint"))
    place = f"第 {line} 行第 {column} 列：" if locale == "zh-CN" else f"Line {line}, column {column}: "
    assert fact.startswith(place)
    assert CATALOGUE.has(locale, f"{problem.key}.hint")
    assert "{" not in fact + hint
