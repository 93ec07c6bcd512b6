"""`saas demo`, as a newcomer runs it: from an empty folder, again over what it made, and of a real export."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from saas.cli import run
from tests.cli.conftest import Operator, operator_of

DEALS = 120
"""Rows of the export that the demonstration is shown; the whole of it is brought in elsewhere."""


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Somebody at a shell, with a data folder of their own."""
    folder = tmp_path_factory.mktemp("demo")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "COLUMNS": "200",
        "SAAS_DATA": str(folder / "data"),
    }
    with operator_of(environ) as operator:
        yield operator


def shown(newcomer: Operator, *options: str) -> str:
    """What it prints."""
    ended = newcomer.saas("demo", *options)
    assert (ended.status, ended.err) == (0, "")
    return ended.out


@pytest.fixture(scope="module")
def told(newcomer: Operator) -> str:
    """What the first run prints."""
    return shown(newcomer)


def test_one_of_twenty_reps_wins_the_race(told: str) -> None:
    assert "20 of its reps accept their invitations." in told
    assert len(re.findall(r"(\S+) has it now\.", told)) == 1
    assert "19 others are told: 该客户已被其他人领取。\n" in told


def test_refused_field_and_foreign_company(told: str) -> None:
    assert told.count("phone: null") == 3
    assert "FIELD_FORBIDDEN: 您无权查看此行的 Employee.phone。" in told
    assert "the answer for an id that does not exist is the same: yes" in told


def test_a_draw_is_verified_and_a_favour_is_found(told: str) -> None:
    assert re.search(r"60 customers given; published before: [0-9a-f]{64}\n", told)
    assert re.search(r"The certificate \([\d,]+ bytes\): everything fits\.\n", told)
    assert "given to somebody else: $.picks[0].candidate: should be" in told


def test_a_payslip_explains_itself_in_both_languages(told: str) -> None:
    net = re.findall(r"^CNY ([\d,.]+)  \(([\d,.]+) − ([\d,.]+)\)$", told, re.MULTILINE)
    assert len(net) == 2
    assert net[0] == net[1]
    paid, gross, taken = (float(each.replace(",", "")) for each in net[0])
    assert paid == pytest.approx(gross - taken)
    assert "已结算提成：阶梯提成" in told
    assert "Settled commission: 阶梯提成" in told
    assert re.search(r"^  50 payslips: ", told, re.MULTILINE)


def test_the_closed_run_comes_out_the_same(told: str) -> None:
    assert "  51 payslips computed again, 0 differences.\n" in told


def test_the_company_is_believable(told: str) -> None:
    assert len([line for line in told.splitlines() if re.match(r"│ \d+ ", line)]) == 10
    assert re.search(r"50 people in 10 departments, 2,000 customers, [\d,]+ follow-ups", told)


@pytest.mark.drill
def test_a_second_run_finds_its_companies_and_shows_the_same(told: str, newcomer: Operator) -> None:
    again = shown(newcomer)
    for pattern in (r"^│ \d+ .*", r"^(?:CNY|├──|└──|│) .*", r"^  50 people in .*", r"^  The certificate .*"):
        assert re.findall(pattern, again, re.MULTILINE) == re.findall(pattern, told, re.MULTILINE) != []


@pytest.mark.skipif("SAAS_TEST_DATA" not in os.environ, reason="SAAS_TEST_DATA names no folder of data")
def test_the_same_of_a_real_export(told: str, newcomer: Operator, tmp_path: Path) -> None:
    text = shown(newcomer, "--data", str(excerpt(tmp_path)))
    assert f"{DEALS} lines for " in text
    assert "The certificate (" in text
    assert text.count("Settled commission: Commission by tiers (2017-12-01 to 2017-12-31)") == 1
    assert "  41 payslips computed again, 0 differences.\n" in text


def excerpt(folder: Path) -> Path:
    """Everybody and every account of the export, and the first deals that were won in December."""
    source = Path(os.environ["SAAS_TEST_DATA"]) / "crm_sales_opportunities"
    for name in ("accounts.csv", "sales_teams.csv", "products.csv"):
        (folder / name).write_bytes((source / name).read_bytes())
    with (source / "sales_pipeline.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["close_date"], row["deal_stage"]) >= ("2017-12-01", "Won")]
    kept = [row for row in rows if row["deal_stage"] == "Won"][:DEALS]
    with (folder / "sales_pipeline.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(kept[0]))
        writer.writeheader()
        writer.writerows(kept)
    return folder


def test_a_folder_that_is_no_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--data", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"saas: {tmp_path} holds no sales_pipeline.csv with deals that were won: ")
    assert told.endswith("Name the folder of a CRM's export, as `saas import-crm` takes it.\n")
