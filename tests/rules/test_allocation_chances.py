"""Who could have had each customer, and by which weight: the dealing itself is the other way to find out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random
from uuid import UUID

import pytest

from saas.customers.allocation import (
    Allocation,
    AllocationRule,
    Candidate,
    CustomerFacts,
    DealtUnit,
    Method,
    OrderedRules,
    PooledCustomer,
    Roster,
    Trait,
    TraitKind,
    allocate,
    chances,
)
from saas.customers.allocation.chances import levelled, published_weights
from tests.rules.allocation_samples import BUILT_IN, customer_id, customers, people, person_id, roster, seeded


def units_of(allocation: Allocation) -> list[DealtUnit]:
    nothing = (CustomerFacts(),)
    return [DealtUnit(pick.place, pick.customer_ids, pick.employee_id, nothing) for pick in allocation.picks]


def busy(method: Method, seed: int) -> Roster:
    """People with little room, some away, some in cooldown; customers of whom some are of one company."""
    random = Random(seed)
    found = tuple(
        replace(
            each,
            holding=random.randint(0, 6),
            holding_limit=8,
            assignable=random.choice((None, 3)),
            weight=random.randint(0, 3),
            attainment=random.choice((None, Decimal(random.randint(0, 20)) / 10)),
            is_absent=random.random() < 0.2,
            cooldown_customers=frozenset(customer_id(random.randrange(30)) for _ in range(2)),
        )
        for each in people(7)
    )
    pooled = tuple(
        PooledCustomer(each.customer_id, each.label, f"company {number % 5}" if number % 4 == 0 else None)
        for number, each in enumerate(customers(30))
    )
    return roster(method, found, pooled, seed=seeded(seed))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "method", [each for each in BUILT_IN if each not in {Method.LOAD_ABSOLUTE, Method.LOAD_RELATIVE}]
)
def test_they_are_those_whom_the_dealing_did_not_filter(method: Method, seed: int) -> None:
    dealing = busy(method, seed)
    allocation = allocate(dealing)
    could = list(chances(dealing, units_of(allocation)))
    for pick, weights in zip(allocation.picks, could, strict=True):
        out = {each.employee_id for each in allocation.filtered if each.covers(pick.place)}
        assert set(weights) == {each.employee_id for each in dealing.candidates} - out
        assert (pick.employee_id is None and not weights) or pick.employee_id in weights


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("method", [Method.LOAD_ABSOLUTE, Method.LOAD_RELATIVE])
def test_by_load_whoever_got_a_customer_could_have(method: Method, seed: int) -> None:
    dealing = busy(method, seed)
    allocation = allocate(dealing)
    for pick, weights in zip(allocation.picks, chances(dealing, units_of(allocation)), strict=True):
        assert pick.employee_id is None or pick.employee_id in weights


def weights_of(method: Method, candidates: tuple[Candidate, ...], count: int = 10) -> dict[UUID, int]:
    return published_weights(roster(method, candidates, 0), customers=count)


def test_in_turns_all_have_the_same_weight_whatever_is_declared() -> None:
    heavy = tuple(replace(each, weight=5 * number) for number, each in enumerate(people(3)))
    assert weights_of(Method.FLEXIBLE, heavy) == {person_id(number): 1 for number in range(3)}
    assert weights_of(Method.STRICT, heavy) == {person_id(number): 1 for number in range(3)}
    assert weights_of(Method.DRAW, heavy) == {person_id(1): 5, person_id(2): 10}


def test_by_performance_it_is_the_share() -> None:
    found = tuple(replace(each, attainment=Decimal(number + 1)) for number, each in enumerate(people(2)))
    assert weights_of(Method.PERFORMANCE, found) == {person_id(0): 1, person_id(1): 2}
    newcomer = replace(found[0], hired_on=date(2026, 11, 1), attainment=None)
    assert weights_of(Method.PERFORMANCE, (newcomer, found[1])) == {person_id(0): 1, person_id(1): 1}


@pytest.mark.parametrize(
    ("rooms", "sizes", "count", "given"),
    [
        ([10, 10], [1, 1], 6, [3, 3]),
        ([10, 4], [1, 1], 4, [4, 0]),
        ([10, 4], [1, 1], 8, [7, 1]),
        ([5, 5, 5], [1, 1, 1], 1, [Fraction(1, 3)] * 3),
        ([50, 10], [100, 10], 5, [0, 5]),  # half of a hundred is less than all of ten
        ([100, 10], [100, 10], 11, [10, 1]),
    ],
)
def test_levelling_takes_from_the_top(rooms: list[int], sizes: list[int], count: int, given: list[Fraction]) -> None:
    assert levelled(rooms, sizes, count) == given


@pytest.mark.parametrize("seed", range(5))
def test_levelling_is_what_dealing_by_load_comes_to(seed: int) -> None:
    random = Random(seed)
    found = tuple(replace(each, holding=random.randint(0, 60), holding_limit=80) for each in people(6))
    allocation = allocate(roster(Method.LOAD_ABSOLUTE, found, 70, seed=seeded(seed)))
    shares = levelled([each.holding_room or 0 for each in found], [1] * 6, 70)
    assert sum(shares) == 70
    for each, share in zip(found, shares, strict=True):
        assert abs(allocation.counts()[each.employee_id] - share) < 1


def test_nobody_seated_is_nobody_who_could() -> None:
    away = tuple(replace(each, is_absent=True) for each in people(2))
    dealing = roster(Method.FLEXIBLE, away, 1)
    assert list(chances(dealing, units_of(allocate(dealing)))) == [{}]


def test_whom_a_customer_was_not_for_could_not_have_it() -> None:
    shanghai, shenzhen = CustomerFacts(territory="310101"), CustomerFacts(territory="440300")
    at_home, away, anywhere = people(3)
    candidates = (
        replace(at_home, traits=frozenset({Trait(TraitKind.TERRITORY, "31")})),
        replace(away, traits=frozenset({Trait(TraitKind.TERRITORY, "44")})),
        anywhere,
    )
    dealing = roster(Method.MATCH, candidates, 2)
    dealt = [DealtUnit(0, (customer_id(0),), person_id(0), (shanghai,))]
    dealt += [DealtUnit(1, (customer_id(1),), person_id(2), (shenzhen,))]
    assert [set(each) for each in chances(dealing, dealt)] == [
        {person_id(0), person_id(2)},
        {person_id(1), person_id(2)},
    ]
    named = OrderedRules((AllocationRule("x", people=(person_id(1),)),), person_id(2))
    ruled = replace(roster(Method.RULES, candidates, 2), rules=named)
    to_rule, to_default = DealtUnit(0, (), person_id(1), (shanghai,)), DealtUnit(1, (), person_id(2), (shanghai,))
    assert [set(each) for each in chances(ruled, [to_rule, to_default])] == [
        {person_id(1)},
        {person_id(1), person_id(2)},
    ]


def test_by_level_who_stands_lower_has_more_of_it() -> None:
    first, second = people(2)
    dealing = roster(Method.LEVEL, (replace(first, assigned_in_cycle=6), second), 10)
    assert published_weights(dealing, customers=10) == {person_id(0): 2, person_id(1): 8}
