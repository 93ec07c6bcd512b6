"""Every sentence of formulas stands in both languages, with the same values; each fault has its remedy."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import saas.formulas
from saas.kernel import LOCALES
from tests.formula_samples import CATALOGUE

ROOM = Path(saas.formulas.__file__).parent
_EXPLAINING = {
    "formulas.case_applies",
    "formulas.case_passed_over",
    "formulas.column_value",
    "formulas.computed",
    "formulas.input_read",
    "formulas.no_case_applies",
    "formulas.outcome",
    "formulas.row_applies",
    "formulas.row_less_specific",
    "formulas.row_unfit",
}


def keys_in_code() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in ROOM.glob("*.py"))
    return {key for text in texts for key in re.findall(r'"(formulas\.[a-z_]+)"', text)}


def placeholders(locale: str, key: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(CATALOGUE.text(locale, key, {})) if name}


@pytest.mark.parametrize("locale", LOCALES)
def test_the_code_says_what_the_files_hold_and_each_fault_has_its_remedy(locale: str) -> None:
    keys = keys_in_code()
    assert len(keys) > 50
    assert CATALOGUE.keys(locale) == keys | {f"{key}.hint" for key in keys - _EXPLAINING}


def test_both_languages_name_the_same_values() -> None:
    keys = CATALOGUE.keys("en")
    assert {key for key in keys if placeholders("en", key) != placeholders("zh-CN", key)} == set()
