"""Credits: shares that are exactly the whole, and totals that divide without losing a fen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.incentives import Credit, Share, check_credit, split
from saas.kernel import AppErrors
from tests.incentive_samples import credit, d


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        ("100.00", "mei 1, bo 1, li 1", "33.34 33.33 33.33"),
        ("100.00", "li 1, bo 1, mei 1", "33.34 33.33 33.33"),
        ("0.02", "mei 1, bo 1, li 1", "0.01 0.01 0.00"),
        ("-100.00", "mei 1, bo 1, li 1", "-33.34 -33.33 -33.33"),
        ("1234.57", "mei 0.6, bo 0.4", "740.74 493.83"),
        ("99.99", "mei", "99.99"),
    ],
)
def test_a_total_is_split_in_the_order_of_the_participants(total: str, shares: str, parts: str) -> None:
    assert list(split(d(total), check_credit(credit(shares)))) == [Decimal(part) for part in parts.split()]


@given(
    fen=st.integers(-(10**9), 10**9),
    weights=st.lists(st.integers(1, 9_999), min_size=1, max_size=8),
)
def test_parts_add_up_to_the_total(fen: int, weights: list[int]) -> None:
    shares = tuple(Share(f"p{place}", Decimal(weight)) for place, weight in enumerate(weights))
    total = Decimal(fen).scaleb(-2)
    assert sum(split(total, check_credit(Credit(shares, in_parts=True)))) == total


_HAIR = "0." + "0" * 39 + "1"

REFUSED = [
    ("mei 0.6, bo 0.399", "shares_fall_short", {"sum": "0.999", "missing": "0.001"}),
    ("mei 0.6, bo 0.5", "shares_exceed", {"sum": "1.1", "excess": "0.1"}),
    (f"mei 0.5, bo 0.5, li {_HAIR}", "shares_exceed", {"sum": "1." + _HAIR[2:], "excess": _HAIR}),
    ("mei 0.333, bo 0.333, li 0.333", "shares_fall_short", {"sum": "0.999", "missing": "0.001"}),
    ("mei 0.5, mei 0.5", "credited_twice", {"person": "mei"}),
    ("mei 1.0, bo 0.0", "share_not_positive", {"person": "bo", "share": "0"}),
]


@pytest.mark.parametrize(("shares", "key", "values"), REFUSED)
def test_what_is_not_the_whole_is_refused(shares: str, key: str, values: dict[str, str]) -> None:
    with pytest.raises(AppErrors) as refusal:
        check_credit(credit(shares))
    assert [(error.key, error.values) for error in refusal.value.errors] == [(f"incentives.{key}", values)]


def test_parts_are_whole_and_somebody_has_one() -> None:
    halves = Credit((Share("mei", d("1.5")), Share("bo", d("1"))), in_parts=True)
    for given_credit, key in ((halves, "part_not_whole"), (Credit(()), "credit_to_nobody")):
        with pytest.raises(AppErrors) as refusal:
            check_credit(given_credit)
        assert [error.key for error in refusal.value.errors] == [f"incentives.{key}"]
