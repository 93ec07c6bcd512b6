"""Every sentence that the code names stands in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import saas
from saas.kernel import LOCALES
from saas.main import SPEAKING, installed_product

ROOT = Path(saas.__file__).parent.parent
_KEY = re.compile(r"[a-z]+\.[a-z][a-z0-9_]+")


def keys_in_code() -> set[str]:
    """Texts that stand as first argument of an error: of a class, of ``super().__init__``, or of a call beside."""
    rooms = {package.rpartition(".")[2] for package in SPEAKING}
    found: set[str] = set()
    for folder in ("saas", "tenants"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                found |= {key for key in _first_text(node) if _KEY.fullmatch(key) and key.split(".")[0] in rooms}
    return found


def _first_text(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
        return []
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    is_error = name[:1].isupper() and name not in {"EventTopic", "PeriodicJob"}
    return [str(node.args[0].value)] if is_error or name == "__init__" else []


def test_no_sentence_is_missing_in_either_language() -> None:
    catalogue, keys = installed_product().catalogue, keys_in_code()
    assert len(keys) > 100
    assert {locale: sorted(key for key in keys if not catalogue.has(locale, key)) for locale in LOCALES} == {
        locale: [] for locale in LOCALES
    }
    assert catalogue.keys("en") == catalogue.keys("zh-CN")
