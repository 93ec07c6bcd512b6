"""Dealing by shares: within one customer at every prefix, floors that hold, guarantees of newcomers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers.allocation import (
    Allocation,
    Candidate,
    Filtered,
    FilterRule,
    GuaranteesExceedWhole,
    Method,
    PerformancePlan,
    PeriodStillOpen,
    RosterImpossible,
    allocate,
)
from saas.customers.allocation.performance import filled_shares, weights
from saas.kernel import Period
from tests.rules.allocation_samples import DAY, PLAN, decimals, people, person_id, roster, seeded

fractions = st.fractions(0, 50, max_denominator=40)


def weighted(parts: Sequence[int]) -> tuple[Candidate, ...]:
    return tuple(replace(each, weight=part) for each, part in zip(people(len(parts)), parts, strict=True))


def furthest(allocation: Allocation, shares: dict[UUID, Fraction]) -> Fraction:
    """The most that a count was away from its exact share, after any customer."""
    counts: Counter[UUID] = Counter()
    most = Fraction(0)
    for dealt, pick in enumerate(allocation.picks, start=1):
        assert pick.employee_id is not None
        counts[pick.employee_id] += 1
        most = max(most, *(abs(counts[who] - share * dealt) for who, share in shares.items()))
    return most


@given(st.lists(st.integers(1, 40), min_size=2, max_size=9), st.integers(1, 150), st.integers(0, 99))
def test_within_tijdemans_bound_at_every_prefix(parts: list[int], count: int, seed: int) -> None:
    allocation = allocate(roster(Method.WEIGHTED, weighted(parts), count, seed=seeded(seed)))
    shares = {person_id(number): Fraction(part, sum(parts)) for number, part in enumerate(parts)}
    assert allocation.shares == shares
    assert furthest(allocation, shares) <= 1 - Fraction(1, 2 * len(parts) - 2)


def test_where_the_smooth_weighted_order_fails_this_does_not() -> None:
    """Raising counters and picking the highest is off by more than 1 for these weights after some customer."""
    parts = [60] + [1] * 20 + [20] * 3
    counters, counts, smooth = [0] * len(parts), [0] * len(parts), Fraction(0)
    for dealt in range(1, 281):
        counters = [counter + part for counter, part in zip(counters, parts, strict=True)]
        best = counters.index(max(counters))
        counters[best] -= sum(parts)
        counts[best] += 1
        away = (abs(got - Fraction(part * dealt, sum(parts))) for got, part in zip(counts, parts, strict=True))
        smooth = max(smooth, *away)
    shares = {person_id(number): Fraction(part, sum(parts)) for number, part in enumerate(parts)}
    assert smooth > 1
    assert furthest(allocate(roster(Method.WEIGHTED, weighted(parts), 280)), shares) < 1


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.lists(st.integers(0, 3), max_size=25))
def test_balances_carry_over_so_that_slow_arrivals_stay_within_one(parts: list[int], arrivals: list[int]) -> None:
    candidates, counts, dealt = weighted(parts), Counter[UUID](), 0
    for step, count in enumerate(arrivals):
        allocation = allocate(roster(Method.WEIGHTED, candidates, count, seed=seeded(step)))
        counts += allocation.counts()
        dealt += count
        candidates = tuple(replace(each, balance=allocation.balances[each.employee_id]) for each in candidates)
        for each in candidates:
            away = counts[each.employee_id] - Fraction(each.weight * dealt, sum(parts))
            assert abs(away) < 1
            assert abs(away + Fraction(each.balance)) < Fraction(1, 10**12)


def test_who_returns_is_owed_one_customer_at_most() -> None:
    back, other, third = people(3)
    allocation = allocate(roster(Method.WEIGHTED, (replace(back, balance=Decimal(40)), other, third), 9))
    assert allocation.counts()[back.employee_id] == 4


def test_the_full_leave_and_the_rest_go_on_by_share() -> None:
    one, two, three = weighted([1, 1, 2])
    allocation = allocate(roster(Method.WEIGHTED, (one, replace(two, holding=3, holding_limit=5), three), 32))
    assert allocation.counts() == {one.employee_id: 10, two.employee_id: 2, three.employee_id: 20}
    assert [each.rule for each in allocation.filtered] == [FilterRule.HOLDING_LIMIT]


def test_a_weight_of_zero_gets_nothing() -> None:
    none, some = weighted([0, 3])
    allocation = allocate(roster(Method.WEIGHTED, (none, some), 4))
    assert allocation.counts() == {some.employee_id: 4}
    assert allocation.filtered == (Filtered(none.employee_id, FilterRule.NO_WEIGHT),)


def level_by_bisection(parts: list[Fraction], least: list[Fraction]) -> list[float]:
    """The water-filling again, by halving the interval in which the level lies."""
    low, high = 0.0, 1e6
    for _ in range(200):
        level = (low + high) / 2
        filled = sum(max(float(floor), level * float(part)) for part, floor in zip(parts, least, strict=True))
        low, high = (level, high) if filled < 1 else (low, level)
    return [max(float(floor), low * float(part)) for part, floor in zip(parts, least, strict=True)]


@given(st.lists(st.tuples(fractions, st.fractions(0, 1, max_denominator=60)), min_size=1, max_size=12))
def test_shares_fill_up_to_one_and_no_floor_gives_way(people_: list[tuple[Fraction, Fraction]]) -> None:
    parts = [part + Fraction(1, 100) for part, _ in people_]
    least = [floor / len(people_) for _, floor in people_]
    shares = filled_shares(parts, least)
    assert sum(shares) == 1
    assert all(share >= floor for share, floor in zip(shares, least, strict=True))
    assert [float(share) for share in shares] == pytest.approx(level_by_bisection(parts, least), abs=1e-9)
    above = {share / part for share, part, floor in zip(shares, parts, least, strict=True) if share > floor}
    assert len(above) <= 1


def test_a_part_of_zero_keeps_its_floor() -> None:
    shares = filled_shares([Fraction(0), Fraction(1), Fraction(3)], [Fraction(1, 5)] * 3)
    assert shares == [Fraction(1, 5), Fraction(1, 5), Fraction(3, 5)]
    assert filled_shares([Fraction(1), Fraction(9)], [Fraction(1, 2)] * 2) == [Fraction(1, 2)] * 2


def test_floor_of_an_equal_share_holds_for_the_weakest() -> None:
    attainments = decimals("0", "0.5", "1", "2", "3.4")
    candidates = tuple(replace(each, attainment=value) for each, value in zip(people(5), attainments, strict=True))
    allocation = allocate(roster(Method.PERFORMANCE, candidates, 1000))
    # weights 0, 0.5, 1, 2 and 2 (the cap); a floor of a fifth of a fifth; 24/25 over 5.5 for the others
    expected = [
        Fraction(1, 25),
        *(Fraction(24, 25) * Fraction(each) / Fraction("5.5") for each in ("0.5", "1", "2", "2")),
    ]
    assert [allocation.shares[each.employee_id] for each in candidates] == expected
    counts = [allocation.counts()[each.employee_id] for each in candidates]
    assert counts == [40, 87, 175, 349, 349]
    assert sum(counts) == 1000


def test_a_newcomer_has_an_absolute_share_and_the_rest_theirs() -> None:
    plan = replace(PLAN, newcomer_rate=Decimal("0.1"), newcomer_days=90)
    first, second, third, fourth = people(4)
    candidates = (
        replace(first, attainment=Decimal(2)),
        replace(second, attainment=Decimal(2)),
        replace(third, attainment=Decimal("0.01"), hired_on=DAY - timedelta(days=89)),
        replace(fourth, attainment=Decimal("0.01"), hired_on=DAY - timedelta(days=90)),
    )
    shares = allocate(roster(Method.PERFORMANCE, candidates, 10, plan=plan)).shares
    assert shares[third.employee_id] == Fraction(1, 10)
    assert shares[fourth.employee_id] == Fraction(1, 20)
    assert shares[first.employee_id] == shares[second.employee_id] == Fraction(85, 200)


def test_without_attainment_the_average_counts() -> None:
    assert weights(PLAN, [*decimals("0.5", "1.5"), None]) == [Fraction(1, 2), Fraction(3, 2), Fraction(1)]
    assert weights(PLAN, [None, None]) == [1, 1]
    assert weights(PLAN, [*decimals("0", "0")]) == [1, 1]


@pytest.mark.parametrize(
    ("attainment", "weight"),
    [
        ("0", "0.5"),
        ("0.4", "0.5"),
        ("0.5", "0.5"),
        ("0.75", "0.75"),
        ("1", "1"),
        ("1.25", "2"),
        ("1.5", "2.5"),
        ("9", "2.5"),
    ],
)
def test_the_curve_is_straight_between_its_points_and_capped(attainment: str, weight: str) -> None:
    points = (("0.5", "0.5"), ("1", "1"), ("1.5", "3"))
    plan = replace(PLAN, curve=tuple((Decimal(at), Decimal(value)) for at, value in points), cap=Decimal("2.5"))
    assert plan.weight(Decimal(attainment)) == Fraction(weight)


def test_performance_decides_by_a_closed_period_only() -> None:
    october = Period.of_month("2026-10")
    PerformancePlan(october).check(date(2026, 11, 1))
    with pytest.raises(PeriodStillOpen) as refused:
        PerformancePlan(october).check(date(2026, 10, 31))
    assert refused.value.values == {"last": "2026-10-31", "day": "2026-10-31"}


def test_guarantees_of_more_than_everything_are_refused() -> None:
    plan = replace(PLAN, newcomer_rate=Decimal("0.4"))
    newcomers = people(3, hired_on=DAY)
    with pytest.raises(GuaranteesExceedWhole) as refused:
        allocate(roster(Method.PERFORMANCE, newcomers, 5, plan=plan))
    assert refused.value.values == {"percent": "120.00"}


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, curve=()),
        replace(PLAN, curve=((Decimal(1), Decimal(1)), (Decimal(1), Decimal(2)))),
        replace(PLAN, curve=((Decimal(0), Decimal(-1)),)),
        replace(PLAN, cap=Decimal(0)),
        replace(PLAN, floor_rate=Decimal("1.2")),
        replace(PLAN, newcomer_rate=Decimal("-0.1")),
        replace(PLAN, newcomer_days=-1),
    ],
)
def test_malformed_plans_are_refused(plan: PerformancePlan) -> None:
    with pytest.raises(RosterImpossible):
        allocate(roster(Method.PERFORMANCE, people(2), 1, plan=plan))
