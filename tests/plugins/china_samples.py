"""People, days and oracles that the tests of the country pack for China share."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from plugins.china.v1.withholding import Payment, TaxKey, YearToDate
from saas.kernel import Catalogue, Explanation, uuid7_from

CATALOGUE = Catalogue.of(["plugins.china", "saas.extensions"])
LI_NA, SHANGHAI_COMPANY, BEIJING_COMPANY = (uuid7_from(number, number) for number in (1, 2, 3))
KEY = TaxKey(legal_entity=SHANGHAI_COMPANY, person=LI_NA, tax_year=2026)
EMPTY_YEAR = YearToDate(key=KEY)


def data_set(name: str) -> list[dict[str, str]]:
    """The rows of a file of the cases of income tax; the test is skipped where no test data is given."""
    folder = os.environ.get("SAAS_TEST_DATA")
    if not folder:
        pytest.skip("SAAS_TEST_DATA names no folder")
    with (Path(folder) / "payroll_cn_iit" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def payment(
    month: int, amounts: Mapping[str, str] | None = None, *, day: int = 10, months: int | None = None
) -> Payment:
    """A payment to Li Na in a month of 2026, employed since January unless `months` says otherwise."""
    yuan = {name: Decimal(amount) for name, amount in (amounts or {}).items()}
    return Payment(key=KEY, paid_on=date(2026, month, day), months_employed=month if months is None else months, **yuan)


def tax_by_slices(taxable: Decimal) -> Decimal:
    """Tax as the law words it: each slice at its own rate, in exact fractions, half up to the fen at the end.

    It knows no quick deductions; its bands stand here once more.
    """
    limits = (0, 36_000, 144_000, 300_000, 420_000, 660_000, 960_000, None)
    percents = (3, 10, 20, 25, 30, 35, 45)
    whole, tax = Fraction(taxable), Fraction(0)
    for place, percent in enumerate(percents):
        lower, upper = Fraction(limits[place] or 0), limits[place + 1]
        inside = (whole if upper is None else min(whole, Fraction(upper))) - lower
        tax += max(inside, Fraction(0)) * percent / 100
    return in_fen(tax)


def in_fen(amount: Fraction) -> Decimal:
    """A fraction that is not negative, half up to the fen."""
    return Decimal(int(amount * 100 + Fraction(1, 2))).scaleb(-2)


def told(explanation: Explanation, locale: str) -> list[str]:
    """The tree as a clerk reads it: indented sentences with their amounts."""
    return [f"{'  ' * depth}{sentence}: {amount}" for depth, sentence, amount in explanation.lines(CATALOGUE, locale)]
