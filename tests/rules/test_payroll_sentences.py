"""Every sentence that payroll and attendance name stands in both languages, with its values, and with a remedy."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

import saas
from saas.kernel import LOCALES, Catalogue
from saas.payroll import TOPICS

ROOMS = ("payroll", "attendance")
CATALOGUE = Catalogue.of(f"saas.{room}" for room in ROOMS)
KEY = re.compile(r"(payroll|attendance)\.[a-z][a-z_0-9]+")
NO_SENTENCES = {*TOPICS, "payroll.freeze", "payroll.compute"} | {"attendance.days_set"}
"""Events, names of handlers and words of the audit trail."""


def named() -> tuple[set[str], set[str]]:
    """All keys in the rooms' code, and those of them that explain: they refuse nothing."""
    keys: set[str] = set()
    explaining: set[str] = set()
    for room in ROOMS:
        for path in (Path(saas.__file__).parent / room).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            texts = {
                node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
            found = {text for text in texts if KEY.fullmatch(text)} - NO_SENTENCES
            keys |= found
            if path.name in ("components.py", "pdf.py"):
                explaining |= found
    return keys, explaining | {"payroll.settled_commission"}


def test_the_files_hold_what_the_code_names_and_nothing_else() -> None:
    facts = {key for key in CATALOGUE.keys("en") if not key.endswith(".hint")}
    assert named()[0] == facts


@pytest.mark.parametrize("locale", LOCALES)
def test_whatever_refuses_has_a_remedy(locale: str) -> None:
    keys, explaining = named()
    assert CATALOGUE.keys(locale) == keys | {f"{key}.hint" for key in keys - explaining}


def test_both_languages_hold_the_same_values() -> None:
    for key in CATALOGUE.keys("en"):
        english, chinese = (CATALOGUE.text(locale, key) for locale in ("en", "zh-CN"))
        assert placeholders(english) == placeholders(chinese), key
        assert english != chinese or key == "payroll.component"


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
