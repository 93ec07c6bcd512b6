"""docs/formulas.md says what the code does: its table of names, its examples, its limits."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from saas.formulas import (
    DEPTH_MOST,
    FORMS,
    FUNCTIONS,
    NODES_MOST,
    OPERATOR_WORDS,
    PROBLEMS_MOST,
    ROUNDING_DIGITS,
    TEXT_LONGEST,
    TOKENS_MOST,
    TRUTH_WORDS,
    USAGES,
    Kind,
)
from tests.formula_samples import formula_of, value_of

PAGE = (Path(__file__).parents[2] / "docs" / "formulas.md").read_text(encoding="utf-8")


def test_the_table_of_names_is_the_code_s() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|`]+) \| `([^`]+)` \|$", PAGE, re.MULTILINE)
    words = {**OPERATOR_WORDS, **TRUTH_WORDS, **FORMS}
    known = [(name, ", ".join(aliases), USAGES.get(name, name)) for name, aliases in words.items()]
    known += [(function.name, ", ".join(function.aliases), function.usage) for function in FUNCTIONS]
    assert rows == known


def test_the_formulas_of_the_page_are_formulas() -> None:
    (block,) = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
    page = block.replace("在职天数", "出勤天数").splitlines()
    assert [value_of(text) for text in page] == [Decimal("7356.32"), Decimal("6172.8390"), Decimal(0)]
    assert (
        formula_of("在职经理 且 工龄 > 3", Kind.BOOL).tree == formula_of("is_manager and seniority > 3", Kind.BOOL).tree
    )
    assert formula_of("底薪>0且工龄>3", Kind.BOOL).tree == formula_of("base > 0 and seniority > 3", Kind.BOOL).tree


def test_the_limits_of_the_page_are_the_code_s() -> None:
    text = PAGE.partition("## Limits")[2].partition("##")[0]
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]
    assert numbers == [TEXT_LONGEST, TOKENS_MOST, NODES_MOST, DEPTH_MOST, PROBLEMS_MOST]
    assert f"from -{ROUNDING_DIGITS} to {ROUNDING_DIGITS}" in PAGE
