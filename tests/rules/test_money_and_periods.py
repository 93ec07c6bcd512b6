"""Money, its division, periods and explanations: the values that every calculation is built of."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kernel import Catalogue, Explanation, Money, Period, divided, month_after, month_of, rounded

_FEN = st.integers(-(10**12), 10**12).map(lambda fen: Decimal(fen).scaleb(-2))
_SHARES = st.lists(st.integers(0, 10**6).map(Decimal), min_size=1, max_size=30).filter(any)


@pytest.mark.parametrize(
    ("amount", "result"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("1e20", "100000000000000000000")]
)
def test_rounding_goes_away_from_zero_at_a_half(amount: str, result: str) -> None:
    assert rounded(Decimal(amount)) == Decimal(result)


def test_another_rounding_and_other_digits_can_be_named() -> None:
    assert rounded(Decimal("7.999"), 1, ROUND_DOWN) == Decimal("7.9")
    assert rounded(Decimal("12.5"), 0) == Decimal(13)


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        ("100.00", "1 1 1", "33.34 33.33 33.33"),
        ("-100.00", "1 1 1", "-33.34 -33.33 -33.33"),
        ("200000.00", "1.2 1.0 0.4", "92307.69 76923.08 30769.23"),
        ("0.02", "1 1 1", "0.01 0.01 0"),
        ("10.00", "0 1", "0 10.00"),
    ],
)
def test_a_total_is_divided_by_largest_remainder(total: str, shares: str, parts: str) -> None:
    found = divided(Decimal(total), [Decimal(share) for share in shares.split()])
    assert list(found) == [Decimal(part) for part in parts.split()]


@given(total=_FEN, shares=_SHARES)
def test_parts_add_up_and_stay_within_one_unit_of_their_share(total: Decimal, shares: list[Decimal]) -> None:
    parts = divided(total, shares)
    assert sum(parts) == total
    for part, share in zip(parts, shares, strict=True):
        assert abs(part - total * share / sum(shares)) < Decimal("0.0100001")


@pytest.mark.parametrize(("total", "shares"), [("1.00", "0 0"), ("1.00", "2 -1"), ("1.001", "1 1")])
def test_what_can_not_be_divided_is_refused(total: str, shares: str) -> None:
    with pytest.raises(ValueError, match=r"shares must not|round the total"):
        divided(Decimal(total), [Decimal(share) for share in shares.split()])


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("CNY", "12.34", 1234), ("JPY", "12", 12), ("KWD", "1.234", 1234)]
)
def test_money_is_kept_in_its_smallest_unit(currency: str, amount: str, minor: int) -> None:
    money = Money(currency, Decimal(amount))
    assert money.minor == minor
    assert Money.of_minor(minor, currency) == money


@pytest.mark.parametrize(
    ("currency", "amount"), [("CNY", "12.345"), ("JPY", "0.5"), ("CNY", "NaN"), ("CNY", "Infinity")]
)
def test_money_has_the_digits_of_its_currency(currency: str, amount: str) -> None:
    with pytest.raises(ValueError, match="round it first"):
        Money(currency, Decimal(amount))


def test_months_quarters_and_years_are_half_open() -> None:
    assert Period.of_month("2026-12") == Period(date(2026, 12, 1), date(2027, 1, 1))
    assert Period.of_quarter(date(2026, 11, 27)) == Period(date(2026, 10, 1), date(2027, 1, 1))
    assert Period.of_year(2026).last == date(2026, 12, 31)
    assert month_after(date(2026, 1, 31)) == date(2026, 2, 1)
    assert month_of(date(2026, 3, 9)) == "2026-03"


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "202611", "2026-00", " 2026-01", "２０２６-01"])
def test_another_form_of_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM"):
        Period.of_month(text)


def test_an_empty_period_can_not_be_made() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        Period(date(2026, 1, 1), date(2026, 1, 1))


_DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
_PERIODS = st.builds(
    lambda first, days: Period(first, None if days is None else first + timedelta(days=days)),
    _DAYS,
    st.none() | st.integers(1, 900),
)


@given(one=_PERIODS, other=_PERIODS, day=_DAYS)
def test_an_overlap_holds_just_the_days_that_both_hold(one: Period, other: Period, day: date) -> None:
    overlap = one.overlap(other)
    assert (overlap is not None and day in overlap) == (day in one and day in other)


def test_days_of_a_period_come_in_order() -> None:
    assert list(Period(date(2026, 2, 27), date(2026, 3, 2)).days()) == [
        date(2026, 2, 27),
        date(2026, 2, 28),
        date(2026, 3, 1),
    ]
    with pytest.raises(ValueError, match="without end"):
        Period(date(2026, 1, 1)).days()


_TREE = Explanation(
    "toy.total",
    {"title": {"zh-CN": "提成", "en": "Commission"}},
    amount="12.00",
    parts=(Explanation("toy.line", {"rate": "3 %", "base": "400.00"}, amount="12.00", source="dea_1"),),
)
_CATALOGUE = Catalogue(
    {
        "en": {"toy.total": "{title} in all", "toy.line": "{base} at {rate}"},
        "zh-CN": {"toy.total": "{title}合计", "toy.line": "{base} × {rate}"},
    }
)


def test_an_explanation_is_read_in_either_language() -> None:
    assert list(_TREE.lines(_CATALOGUE, "en")) == [(0, "Commission in all", "12.00"), (1, "400.00 at 3 %", "12.00")]
    assert list(_TREE.lines(_CATALOGUE, "zh-CN")) == [(0, "提成合计", "12.00"), (1, "400.00 × 3 %", "12.00")]


def test_an_explanation_survives_storing() -> None:
    assert Explanation.of_plain(_TREE.plain()) == _TREE
    assert _TREE.plain() == {
        "key": "toy.total",
        "args": {"title": {"zh-CN": "提成", "en": "Commission"}},
        "amount": "12.00",
        "parts": [{"key": "toy.line", "args": {"rate": "3 %", "base": "400.00"}, "amount": "12.00", "source": "dea_1"}],
    }
