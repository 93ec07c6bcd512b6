"""Each message of the business rooms stands in both languages, with the same values and a remedy."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

import saas
from saas.kernel import LOCALES, Catalogue

ROOMS = ("people", "customers", "sales", "circulation", "reports")
CATALOGUE = Catalogue.of(f"saas.{room}" for room in ROOMS)


def keys_by_class() -> set[tuple[str, str]]:
    """Every text of the form ``room.fact`` that is the first argument of a class in a room, with the class's name."""
    found = set()
    for room in ROOMS:
        for path in (Path(saas.__file__).parent / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id[:1].isupper():
                    texts = (text for text in map(_text, node.args[:1]) if "." in text and text.split(".")[0] in ROOMS)
                    found |= {(text, node.func.id) for text in texts}
    return found


def keys_in_code() -> set[str]:
    """The sentences of errors and explanations; an event's topic is none."""
    return {key for key, name in keys_by_class() if name != "EventTopic"}


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def placeholders(sentence: str) -> set[str]:
    """The values that a sentence names."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def _without_options(locale: str) -> frozenset[str]:
    """All keys but what the options of a pool mean, which have declarations of their own to be held against."""
    return frozenset(key for key in CATALOGUE.keys(locale) if not key.startswith("customers.option."))


def test_the_code_raises_what_the_files_hold() -> None:
    facts = {key for key in _without_options("en") if not key.endswith(".hint")}
    assert keys_in_code() == facts


@pytest.mark.parametrize("locale", LOCALES)
def test_each_fact_has_its_remedy(locale: str) -> None:
    """An error's, that is: an explanation tells how it came, there is nothing to mend."""
    keys = _without_options(locale)
    facts = {key for key in keys if not key.endswith(".hint")}
    assert len(facts) >= 20
    explained = {key for key, name in keys_by_class() if name == "Explanation"}
    assert keys - facts == {f"{key}.hint" for key in facts - explained}


def test_both_languages_say_the_same_with_the_same_values() -> None:
    assert CATALOGUE.keys("en") == CATALOGUE.keys("zh-CN")
    for key in CATALOGUE.keys("en"):
        english, chinese = CATALOGUE.text("en", key), CATALOGUE.text("zh-CN", key)
        assert english != chinese
        assert placeholders(_raw("en", key)) == placeholders(_raw("zh-CN", key)), key


def _raw(locale: str, key: str) -> str:
    """The sentence with its placeholders: those without a value stay as they are."""
    return CATALOGUE.text(locale, key, {})
