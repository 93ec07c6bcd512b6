"""Runs closed with the first version of the calculations come out today, byte by byte, as they were paid."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from saas.payroll.hooks import pack_of
from saas.payroll.rules.canonical import canonical_text
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.outcomes import outcome_of
from saas.payroll.rules.plans import RunPins
from saas.payroll.rules.structures import Structure
from saas.payroll.rules.versions import calculation
from tests.golden.payroll_cases import FILE, HOST, cases

KEPT: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def pins_of(plain: dict[str, Any]) -> RunPins:
    versions = (plain["calculation"], plain["pack"], plain["packVersion"], plain["packCalculation"])
    return RunPins(*versions, plain["packSettings"])


@pytest.mark.parametrize("kept", KEPT, ids=[kept["title"] for kept in KEPT])
def test_it_comes_out_as_it_was_paid(kept: dict[str, Any]) -> None:
    structure, pins = Structure.of_plain(kept["structure"]), pins_of(kept["pins"])
    used = calculation(pins.calculation)
    inputs = FrozenInputs.of_plain(kept["inputs"])
    outcome = outcome_of(inputs, structure, used.sheet_of(structure), pack_of(HOST, pins), calculation=used)
    assert (outcome.state.value, outcome.failure) == (kept["state"], kept["failure"])
    assert outcome.text == canonical_text(kept["document"])


@pytest.mark.parametrize("kept", [kept for kept in KEPT if "lines" in kept["document"]], ids=lambda kept: kept["title"])
def test_its_lines_add_up(kept: dict[str, Any]) -> None:
    document = kept["document"]
    signs = {"EARNING": 1, "DEDUCTION": -1, "CONTRIBUTION": -1, "TAX": -1}
    total = sum(Decimal(line["amount"]) * signs.get(line["kind"], 0) for line in document["lines"])
    assert total == Decimal(document["net"]) == Decimal(document["gross"]) - Decimal(document["deductions"])


def test_the_file_holds_every_case() -> None:
    assert [kept["title"] for kept in KEPT] == [case.title for case in cases()]
    assert [kept["state"] for kept in KEPT].count("failed") == 4


def test_figures_that_a_clerk_checks_by_hand() -> None:
    """A month kept in full: 10,000 + 300 + 407 + 2,000, less 1,750 of contributions and 200 of the loan; no tax yet."""
    document = KEPT[0]["document"]
    amounts = {line["code"]: line["amount"] for line in document["lines"]}
    assert (amounts["basic_pay"], amounts["seniority"], amounts["meal"], amounts["guarantee"]) == (
        "10000.00",
        "300.00",
        "407.00",
        "2000.00",
    )
    assert (amounts["china.pension"], amounts["china.housing_fund"]) == ("800.00", "700.00")
    assert (amounts["china.income_tax"], document["net"]) == ("0.00", "10757.00")
