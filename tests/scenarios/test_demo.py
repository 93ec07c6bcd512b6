"""`saas demo`, as a newcomer runs it: from an empty folder, and again over what it made."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("saas")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What two runs over one data folder print."""
    folder = tmp_path_factory.mktemp("demo")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "COLUMNS": "200",
        "SAAS_DATA": str(folder / "data"),
    }
    runs = [
        subprocess.run([str(PROGRAM), "demo"], env=environ, capture_output=True, text=True, check=False)
        for _ in range(2)
    ]
    assert [(run.returncode, run.stderr) for run in runs] == [(0, ""), (0, "")]
    return [run.stdout for run in runs]


@pytest.mark.parametrize("run", [0, 1], ids=["first", "again"])
def test_one_of_twenty_reps_wins_the_race(told: list[str], run: int) -> None:
    assert "20 of its reps accept their invitations." in told[run]
    assert len(re.findall(r"(\S+) has it now\.", told[run])) == 1
    assert "19 others are told: 该客户已被其他人领取。\n" in told[run]


@pytest.mark.parametrize("run", [0, 1], ids=["first", "again"])
def test_refused_field_and_foreign_company(told: list[str], run: int) -> None:
    assert told[run].count("phone: null") == 3
    assert "FIELD_FORBIDDEN: 您无权查看此行的 Employee.phone。" in told[run]
    assert "the answer for an id that does not exist is the same: yes" in told[run]


def test_two_runs_agree(told: list[str]) -> None:
    rankings = [[line for line in text.splitlines() if re.match(r"│ \d+ ", line)] for text in told]
    assert len(rankings[0]) == 10
    assert rankings[0] == rankings[1]
    summaries = [re.findall(r"50 people in 10 departments, 2,000 customers, [\d,]+ follow-ups", text) for text in told]
    assert summaries[0] == summaries[1]
    assert len(summaries[0]) == 1
