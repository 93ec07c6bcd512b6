"""The order in which workers take the tests names what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scheduling import FIRST, TOGETHER, unit_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("unit", sorted({*FIRST, *TOGETHER}))
def test_what_is_named_is_there_and_goes_to_one_worker(unit: str) -> None:
    place = ROOT / unit
    assert place.is_file() if unit.endswith(".py") else list(place.glob("test_*.py"))
    assert unit_of(f"{unit}/test_a.py::test_b" if place.is_dir() else f"{unit}::test_b[a/b::c]") == unit


def test_other_files_go_one_by_one() -> None:
    assert unit_of("tests/rules/test_a.py::Case::test_b[tests/cli/x]") == "tests/rules/test_a.py"
    assert unit_of("tests/cli_of_others/test_a.py::test_b") == "tests/cli_of_others/test_a.py"
