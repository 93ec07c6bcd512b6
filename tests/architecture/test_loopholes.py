"""`docs/loopholes.md` names thirty loopholes, and each test that it names is there and speaks of its loophole."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import saas

ROOT = Path(saas.__file__).parent.parent
ROWS = dict(re.findall(r"^\| (L\d\d) \|.*\| ([^|]+) \|$", (ROOT / "docs" / "loopholes.md").read_text(), re.MULTILINE))


def test_all_thirty_are_told() -> None:
    assert list(ROWS) == [f"L{number:02}" for number in range(1, 31)]


@pytest.mark.parametrize("loophole", ROWS)
def test_its_tests_are_there(loophole: str) -> None:
    named = re.findall(r"`(tests/[^`:]+)::([^`]+)`", ROWS[loophole])
    assert named
    for file, test in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        tests = {
            node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert test in tests if test != "*" else loophole in text, (file, test)
