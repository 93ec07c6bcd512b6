"""Income tax by the scales: every case of the data set, and slices summed as an oracle."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.china.errors import NotInForce
from plugins.china.tables.income_tax import ANNUAL_SCALES, BONUS_SCALES, Scale, income_tax_rules
from plugins.china.v1.annual_bonus import tax_separately
from plugins.china.v1.income_tax import tax_of
from plugins.china.v1.withholding import YearToDate, withhold
from tests.plugins.china_samples import EMPTY_YEAR, data_set, payment, tax_by_slices

RULES = income_tax_rules(date(2026, 1, 10))
FEN = st.integers(0, 3 * 10**8).map(lambda fen: Decimal(fen).scaleb(-2))


def test_every_single_case_of_the_data_set() -> None:
    rows = data_set("single_cases.csv")
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[row["kind"]] += 1
        amount = Decimal(row["amount"])
        if row["kind"] == "annual_taxable":
            tax = tax_of(RULES.annual_scale, amount)
        else:
            tax = tax_separately(amount, paid_on=date(2026, 1, 10), taken_on=None, rules=RULES).tax
        assert tax == Decimal(row["expected_tax"]), row["case_id"]
    assert counts == {"annual_taxable": 29, "annual_bonus_separate": 20}


def test_every_sequence_of_the_data_set() -> None:
    years: dict[str, YearToDate] = {}
    for row in data_set("monthly_sequences.csv"):
        month, before = int(row["month"]), years.get(row["sequence_id"], EMPTY_YEAR)
        amounts = {
            "income": row["income"],
            "special": row["social_insurance_and_fund"],
            "special_additional": row["special_additional_deduction"],
        }
        months = int(row["cumulative_allowance"]) // 5_000
        found = withhold(payment(month, amounts, months=months), before, rules=RULES)
        years[row["sequence_id"]] = found.year
        named = f"{row['sequence_id']} {month}"
        assert found.amount == Decimal(row["expected_tax_this_month"]), named
        assert found.year.withheld == Decimal(row["expected_cumulative_tax"]), named
        taxable = found.explanation.parts[0].parts[0].parts[0]
        assert (taxable.key, Decimal(taxable.amount or "")) == (
            "china.explained.taxable",
            Decimal(row["cumulative_taxable"]),
        ), named
    assert sum(year.month for year in years.values()) == 2 + 1 + 3 + 2 + 3 + 3 + 5 * 12
    assert len(years) == 11


@pytest.mark.parametrize(
    ("scale", "file"),
    [(ANNUAL_SCALES[0], "annual_withholding_brackets.csv"), (BONUS_SCALES[0], "monthly_bonus_brackets.csv")],
    ids=["annual", "bonus"],
)
def test_scales_are_those_of_the_data_set(scale: Scale, file: str) -> None:
    published = [
        (
            Decimal(row["up_to_yuan"]) if row["up_to_yuan"] else None,
            Decimal(row["rate"]),
            Decimal(row["quick_deduction"]),
        )
        for row in data_set(file)
    ]
    assert [(each.up_to, each.rate, each.quick_deduction) for each in scale.brackets] == published


@given(taxable=FEN)
def test_tax_is_the_sum_of_its_slices(taxable: Decimal) -> None:
    assert tax_of(RULES.annual_scale, taxable) == tax_by_slices(taxable)


@given(lower=FEN, more=FEN)
def test_more_taxable_income_never_means_less_tax_nor_less_left(lower: Decimal, more: Decimal) -> None:
    low, high = tax_of(RULES.annual_scale, lower), tax_of(RULES.annual_scale, lower + more)
    assert low <= high
    assert lower - low <= lower + more - high


@pytest.mark.parametrize("taxable", ["0", "-0.01", "-50000"])
def test_nothing_is_due_on_nothing_or_less(taxable: str) -> None:
    assert tax_of(RULES.annual_scale, Decimal(taxable)) == 0


def test_there_is_no_scale_before_2019() -> None:
    with pytest.raises(NotInForce) as refused:
        income_tax_rules(date(2018, 12, 31))
    assert (refused.value.key, refused.value.values) == ("china.income_tax_not_in_force", {"on": "2018-12-31"})
    assert income_tax_rules(date(2019, 1, 1)).annual_scale is ANNUAL_SCALES[0]


def test_the_separate_bonus_method_ends_with_2027() -> None:
    assert income_tax_rules(date(2027, 12, 31)).bonus_scale is BONUS_SCALES[0]
    assert income_tax_rules(date(2028, 1, 1)).bonus_scale is None
