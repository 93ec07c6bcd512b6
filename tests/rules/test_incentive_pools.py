"""Bonus pools, breakthrough awards and draws: the specification's own figures, and what can not be divided."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.incentives import (
    AwardTerms,
    Draw,
    Drawn,
    Leavers,
    Member,
    PoolTerms,
    Reference,
    best_of,
    breakthrough,
    divide_pool,
    draw_for,
    fund,
)
from saas.incentives.errors import AwardRefused
from saas.kernel import AppErrors
from tests.incentive_samples import d

TERMS = PoolTerms(share=d("0.1"), hurdle=d("3000000"))
MEMBERS = (Member("mei", d("1.2")), Member("bo", d("1.0")), Member("li", d("0.5"), performance=d("0.8")))


def parts(members: tuple[Member, ...], amount: str, leavers: Leavers = Leavers.TO_POOL) -> list[str]:
    """What each member gets."""
    return [str(part.amount) for part in divide_pool(d(amount), members, leavers=leavers).parts]


def test_the_pool_of_the_specification() -> None:
    funding = fund(d("5000000"), TERMS)
    assert (funding.pool, funding.reserve, funding.to_divide) == (d("200000.00"), d("0.00"), d("200000.00"))
    assert parts(MEMBERS, str(funding.to_divide)) == ["92307.69", "76923.08", "30769.23"]


@pytest.mark.parametrize(
    ("result", "terms", "pool", "reserve"),
    [
        ("3000000", TERMS, "0.00", "0.00"),
        ("2999999.99", TERMS, "0.00", "0.00"),
        ("2000000", replace(TERMS, floor=d("10000")), "10000.00", "0.00"),
        ("9000000", replace(TERMS, cap=d("250000")), "250000.00", "0.00"),
        ("5000000", replace(TERMS, reserve_share=d("0.15")), "200000.00", "30000.00"),
    ],
)
def test_floor_cap_and_reserve(result: str, terms: PoolTerms, pool: str, reserve: str) -> None:
    funding = fund(d(result), terms)
    assert (str(funding.pool), str(funding.reserve)) == (pool, reserve)
    assert funding.to_divide == funding.pool - funding.reserve


def test_a_leavers_part_goes_where_the_plan_says() -> None:
    members = (replace(MEMBERS[0], has_left=True), Member("bo", d("1")), Member("li", d("1")))
    assert parts(members, "320.00") == ["0.00", "160.00", "160.00"]
    assert parts(members, "320.00", Leavers.PAID) == ["120.00", "100.00", "100.00"]
    kept = divide_pool(d("320.00"), members, leavers=Leavers.TO_COMPANY)
    assert ([part.amount for part in kept.parts], kept.to_company) == ([0, d("100.00"), d("100.00")], d("120.00"))


def test_departments_divide_first_and_their_people_then() -> None:
    north, south = divide_pool(d("100.00"), (Member("north", d("2")), Member("south", d("1")))).parts
    assert (north.amount, south.amount) == (d("66.67"), d("33.33"))
    assert parts((Member("mei", d("1")), Member("bo", d("1"))), str(north.amount)) == ["33.34", "33.33"]


@given(
    fen=st.integers(0, 10**10),
    keys=st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=12),
    leavers=st.sampled_from(Leavers),
)
def test_parts_and_what_the_company_keeps_add_up_to_the_pool(
    fen: int, keys: list[tuple[int, bool]], leavers: Leavers
) -> None:
    members = tuple(Member(f"p{n}", Decimal(key).scaleb(-1), has_left=left) for n, (key, left) in enumerate(keys))
    counted = [m.key for m in members if not (m.has_left and leavers is Leavers.TO_POOL)]
    total = Decimal(fen).scaleb(-2)
    if not any(counted):
        with pytest.raises(AppErrors, match="pool_without_keys"):
            divide_pool(total, members, leavers=leavers)
        return
    divided = divide_pool(total, members, leavers=leavers)
    assert sum(part.amount for part in divided.parts) + divided.to_company == total
    assert all(part.amount == 0 for part, member in zip(divided.parts, members, strict=True) if member.key == 0)


def test_keys_that_divide_nothing_are_refused() -> None:
    wrong = (Member("mei", d("1"), performance=d("-1")), Member("mei", d("0")))
    with pytest.raises(AppErrors) as refusal:
        divide_pool(d("1.00"), wrong)
    assert [(error.key, error.values) for error in refusal.value.errors] == [
        ("incentives.pool_key_negative", {"member": "mei", "key": "1 × -1 × 1"}),
        ("incentives.pool_member_twice", {"member": "mei"}),
    ]
    with pytest.raises(AppErrors) as refusal:
        divide_pool(d("1.00"), (Member("mei", d("0")),))
    assert [(error.key, error.values) for error in refusal.value.errors] == [
        ("incentives.pool_without_keys", {"members": 1})
    ]


def test_terms_of_a_pool_that_contradict_are_refused() -> None:
    with pytest.raises(AppErrors) as refusal:
        fund(d("1"), PoolTerms(d("10"), d("0"), floor=d("5"), cap=d("4"), reserve_share=d("-0.1")))
    assert [(error.key.removeprefix("incentives."), error.field, error.values) for error in refusal.value.errors] == [
        ("pool_share_out_of_range", ("share",), {"share": "10"}),
        ("pool_share_out_of_range", ("reserveShare",), {"share": "-0.1"}),
        ("pool_cap_below_floor", ("cap",), {"cap": "4", "floor": "5"}),
    ]


AWARD = AwardTerms(growth=d("0.2"), rate=d("0.05"), years=3)


@pytest.mark.parametrize(
    ("result", "amount"), [("1200000", "10000.00"), ("1199999.99", "0.00"), ("1500000.10", "25000.01")]
)
def test_growth_that_is_just_reached_counts(result: str, amount: str) -> None:
    history = {2022: d("9000000"), 2023: d("700000"), 2025: d("1000000")}
    reference = best_of(history, year=2026, terms=AWARD)
    assert reference == Reference(d("1000000"))
    found, why = breakthrough(d(result), reference, AWARD, person="mei", begins_on=date(2026, 1, 1))
    assert found == d(amount)
    assert why.args["needed"] == "1200000"


def test_who_has_no_history_needs_a_reference_set_in_time() -> None:
    assert best_of({2026: d("1")}, year=2026, terms=AWARD) is None
    begins_on = date(2026, 1, 1)
    with pytest.raises(AwardRefused) as refusal:
        breakthrough(d("1"), None, AWARD, person="mei", begins_on=begins_on)
    assert (refusal.value.key, refusal.value.values) == (
        "incentives.reference_missing",
        {"person": "mei", "begins_on": "2026-01-01"},
    )
    late = Reference(d("100"), set_on=begins_on)
    with pytest.raises(AwardRefused) as refusal:
        breakthrough(d("1000"), late, AWARD, person="mei", begins_on=begins_on)
    assert refusal.value.key == "incentives.reference_too_late"
    in_time = Reference(d("100"), set_on=date(2025, 12, 31))
    assert breakthrough(d("1000"), in_time, AWARD, person="mei", begins_on=begins_on)[0] == d("45.00")


RECOVERABLE = Draw(minimum=d("5000"), recovers_from=3, share=d("0.5"))


@pytest.mark.parametrize(
    ("earned", "balance", "period", "paid", "after"),
    [
        ("3000", "0", 1, "5000", "2000"),
        ("9000", "2000", 2, "9000", "2000"),
        ("9000", "1500", 3, "7500", "0"),
        ("6000", "2000", 3, "5500", "1500"),
        ("5000", "2000", 3, "5000", "2000"),
    ],
)
def test_a_draw_is_recovered_from_what_is_above_the_minimum(
    earned: str, balance: str, period: int, paid: str, after: str
) -> None:
    assert draw_for(d(earned), RECOVERABLE, balance=d(balance), period=period) == Drawn(d(paid), d(after))


def test_a_draw_that_is_not_recoverable_leaves_no_balance() -> None:
    gift = replace(RECOVERABLE, is_recoverable=False)
    assert draw_for(d("3000"), gift, balance=d("0"), period=9) == Drawn(d("5000"), d("0"))
    assert draw_for(d("7000"), gift, balance=d("0"), period=9) == Drawn(d("7000"), d("0"))


@given(months=st.lists(st.integers(0, 2_000_000), max_size=24), share=st.integers(0, 100))
def test_the_balance_is_what_was_paid_less_what_was_earned(months: list[int], share: int) -> None:
    draw = replace(RECOVERABLE, share=Decimal(share).scaleb(-2))
    earned = paid = balance = Decimal(0)
    for number, fen in enumerate(months, 1):
        drawn = draw_for(Decimal(fen).scaleb(-2), draw, balance=balance, period=number)
        earned, paid, balance = earned + Decimal(fen).scaleb(-2), paid + drawn.paid, drawn.balance
        assert balance == paid - earned
        assert balance >= 0
