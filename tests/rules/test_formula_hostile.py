"""Texts that are meant to break a reader of formulas: each is refused with a clear error, in linear time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.formulas import (
    COMPONENTS_MOST,
    NODES_MOST,
    TEXT_LONGEST,
    Formula,
    FormulaFailed,
    FormulaRefused,
    Kind,
    Vocabulary,
    Word,
    parse_formula,
)
from saas.kernel import LOCALES
from tests.formula_samples import CATALOGUE, VALUES, VOCABULARY, formula_of


def keys_of(text: str, vocabulary: Vocabulary = VOCABULARY) -> set[str]:
    with pytest.raises(FormulaRefused) as refused:
        parse_formula(text, vocabulary, result=Kind.NUMBER)
    for problem in refused.value.errors:
        for locale in LOCALES:
            CATALOGUE.text(locale, problem.key, problem.values).encode("utf-8")
    return {problem.key.removeprefix("formulas.") for problem in refused.value.errors}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("(" * 10_000, {"text_too_long"}),
        ("(" * 3_999, {"too_many_tokens"}),
        ("(" * 900, {"nested_too_deep"}),
        ("-" * 900, {"nested_too_deep"}),
        ("not " * 900, {"nested_too_deep"}),
        ("abs(" * 400, {"nested_too_deep"}),
        ("1" * 10**6, {"text_too_long"}),
        ("1" * 4_000, {"number_too_large"}),
        ("0." + "0" * 3_990 + "1", {"number_too_large"}),
        ('__import__("os")', {"function_unknown"}),
        ('__import__("os").system("id")', {"character_unknown"}),
        ("().__class__", {"character_unknown"}),
        ("base.__class__", {"word_unknown"}),
        ("base_salary.real", {"word_misspelt"}),
        ("lambda: 1", {"character_unknown"}),
        ("[x for x in (1, 2)]", {"operand_missing", "operator_missing"}),
        ("9 ** 9 ** 9", {"operand_missing"}),
        ("2 ^ 10", {"character_unknown"}),
        ("1; 2", {"character_unknown"}),
        ("a := 1", {"character_unknown"}),
        ("{base}", {"character_unknown"}),
        ("`id`", {"character_unknown"}),
        ("1 # 2", {"character_unknown"}),
        ("1\x00", {"character_invisible"}),
        ("\ud800 + 1", {"character_invisible"}),
        ('"\udfff"', {"character_invisible"}),
        ("1 \u202e+ 2", {"character_invisible"}),
        ('"\u2066A\u2069"', {"character_invisible"}),
        ("ba\u200bse", {"character_invisible"}),
        ("\ufeff1", {"character_invisible"}),
        ("1\u2028+ 2", {"character_invisible"}),
        ("\u3164", {"character_invisible"}),
        ("base\ufe0f", {"character_invisible"}),
        ("\U000e0041", {"character_invisible"}),
        ("\ue000", {"character_invisible"}),
        ("١ + ٢", {"character_unknown"}),
        ("²", {"word_unknown"}),
        ('"' + "a" * 3_998, {"text_unclosed"}),
        ('"' * 3_999, {"text_unclosed"}),
        ("“" * 3_999, {"too_many_tokens"}),
        ("“" * 999, {"text_unclosed"}),
    ],
)
def test_hostile_texts_are_refused_clearly(text: str, keys: set[str]) -> None:
    assert keys_of(text) == keys


def test_spaces_that_can_be_seen_as_such_are_spaces() -> None:
    assert formula_of("1\u00a0+\u30002\u2003").canonical == "1 + 2"


def test_a_letter_that_looks_like_another_is_another() -> None:
    assert keys_of("b\u0430se") == {"word_misspelt"}


def test_nothing_but_its_own_names_is_in_reach_of_compiled_code() -> None:
    formula = formula_of("if(is_manager, round(base * 3%, 2), 0)")
    program = formula._run
    assert program.__globals__["__builtins__"] == {}
    assert set(program.__code__.co_names) <= set(program.__globals__)
    assert program.__closure__ is None


def lines_of(work: Callable[[], object]) -> int:
    """Lines of Python that some work runs: what it costs, whatever the machine does besides."""
    count = 0

    def traced(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)  # type: ignore[arg-type]
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def refusal(text: str) -> Callable[[], object]:
    def work() -> None:
        with pytest.raises(FormulaRefused):
            parse_formula(text, VOCABULARY, result=Kind.NUMBER)

    return work


@pytest.mark.parametrize(
    "piece", ["(", "-", '"', "“", "1,", "$", "\u200b", "a", "a ", "1.", "and ", "a+", "if(", "a.", "<"]
)
def test_work_grows_no_faster_than_the_text(piece: str) -> None:
    short, long = piece * (500 // len(piece)), piece * (4_000 // len(piece))
    assert lines_of(refusal(long)) <= 9 * lines_of(refusal(short)) + 1_000


def test_a_text_beyond_the_limit_costs_nothing() -> None:
    assert lines_of(refusal("(" * 10**6)) < 200


def test_suggestions_are_bounded_in_a_large_vocabulary() -> None:
    words = [Word(f"component_{number:04d}_of_many", Kind.NUMBER, {}) for number in range(COMPONENTS_MOST)]
    text = " + ".join(f"cmponent_{number:03d}_of_mny" for number in range(100))
    vocabulary = Vocabulary(words)

    def work() -> None:
        assert keys_of(text, vocabulary) == {"word_misspelt"}

    assert lines_of(work) < 4_000_000


def deeper(levels: int, work: Callable[[], object]) -> object:
    """The work, done that many calls further down the stack."""
    return deeper(levels - 1, work) if levels else work()


@pytest.mark.parametrize(
    "text",
    [
        " + ".join(["base"] * (NODES_MOST - 1)),
        " - ".join(["1 / base"] * 166),
        "if(" + "base = 1, 2, " * 124 + "3)",
        "abs(" * 39 + "1" + ")" * 39,
        "(true or true and not base = 1 + 2 * -(if(" * 3 + "true" + ", 1, 1)))" * 3,
    ],
)
def test_the_largest_formulas_need_little_of_the_stack(text: str) -> None:
    kind = Kind.BOOL if text.startswith("(true") else Kind.NUMBER

    def work() -> None:
        formula = formula_of(text, kind)
        assert formula.evaluate(VALUES) == formula.explain(VALUES)[0]

    deeper(min(400, sys.getrecursionlimit() - 600), work)


@given(st.text(max_size=200))
def test_any_text_is_refused_or_read(text: str) -> None:
    try:
        formula = parse_formula(text, VOCABULARY, result=Kind.NUMBER)
    except FormulaRefused:
        return
    assert formula_of(formula.canonical).tree == formula.tree


_PIECES = ["base", "底薪", "level", "hired_on", "is_manager", "1", "2.5", "3%", "0", "+", "-", "*", "/", "(", ")", ","]
_PIECES += ["=", "<>", "<", ">=", "and", "or", "not", "if(", "round(", "min(", "in(", "days(", "date(", "true", "如果("]
_PIECES += ["且", "或", "非", "%", "$", "1,000", '"A"', '"2026-01-31"']


@given(st.lists(st.sampled_from(_PIECES), max_size=30))
def test_any_row_of_words_is_refused_or_evaluated(pieces: list[str]) -> None:
    try:
        formula = formula_of(" ".join(pieces))
    except FormulaRefused as refused:
        unplaced = [problem for problem in refused.errors if not {"line", "column", "text"} <= problem.values.keys()]
    else:
        unplaced = [failed] if (failed := failure_of(formula)) and "filled" not in failed.values else []
    assert unplaced == []


def failure_of(formula: Formula) -> FormulaFailed | None:
    try:
        value = formula.evaluate(VALUES)
    except FormulaFailed as failed:
        return failed
    assert isinstance(value, Decimal)
    return None


def test_a_long_text_is_never_quoted_whole() -> None:
    with pytest.raises(FormulaRefused) as refused:
        parse_formula("x" * TEXT_LONGEST, VOCABULARY, result=Kind.NUMBER)
    assert len(str(refused.value.errors[0].values["text"])) == 60
