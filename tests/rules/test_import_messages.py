"""Each sentence of the exchange room: in both languages, with its remedy, and with values that the code gives."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pytest

import saas.exchange
from saas.kernel import LOCALES, Catalogue

ROOM = Path(saas.exchange.__file__).parent
CATALOGUE = Catalogue.of(["saas.exchange"])
FACTS = sorted(key for key in CATALOGUE.keys("en") if not key.endswith(".hint"))
PLACED = {"row", "column"}
"""What `CellRefused.in_cell` adds to every refusal of a cell."""


def placeholders(locale: str, key: str) -> set[str]:
    """The values that a sentence names: without values they stay as they are."""
    return {name for _, name, _, _ in string.Formatter().parse(CATALOGUE.text(locale, key)) if name}


def trees() -> Iterator[ast.AST]:
    return (node for path in ROOM.rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def text_of(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_the_code_names_just_the_sentences_that_there_are() -> None:
    named = {text_of(node) for node in trees() if isinstance(node, ast.expr)}
    topics = {*saas.exchange.TOPICS, saas.exchange.TAKE_STEP}
    assert sorted(text for text in named if text.startswith("exchange.") and text not in topics) == FACTS


@pytest.mark.parametrize("key", FACTS)
def test_a_sentence_has_its_remedy_and_both_languages_the_same_values(key: str) -> None:
    for locale in LOCALES:
        assert CATALOGUE.has(locale, f"{key}.hint")
    assert CATALOGUE.text("en", key) != CATALOGUE.text("zh-CN", key)
    assert placeholders("en", key) == placeholders("zh-CN", key)


def test_sentences_name_no_value_that_the_code_does_not_give() -> None:
    checked = 0
    for node in trees():
        if isinstance(node, ast.Call):
            for first, second in zip_longest(node.args, node.args[1:]):
                key = text_of(first)
                if key in FACTS and (second is None or isinstance(second, ast.Dict)):
                    assert needed(key) <= _keys(second) | PLACED, key
                    checked += 1
    assert checked > 60


def needed(key: str) -> set[str]:
    """The values of a fact and of its remedy."""
    return placeholders("en", key) | placeholders("en", f"{key}.hint") | placeholders("zh-CN", f"{key}.hint")


def _keys(values: ast.Dict | None) -> set[str]:
    return {text_of(name) for name in values.keys if name} if values else set()
