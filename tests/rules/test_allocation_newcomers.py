"""Newcomers' guarantee: kept by every method after every customer, certified by draws, refused beyond the whole."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.customers.allocation import (
    Allocation,
    Candidate,
    GuaranteesExceedWhole,
    Method,
    NewcomerFloor,
    Roster,
    RosterImpossible,
    Seal,
    SecretSeed,
    allocate,
    certify,
    commit,
    explain_pick,
    verify_certificate,
)
from saas.kernel import AppErrors, Catalogue
from tests.rules.allocation_samples import BUILT_IN, DAY, SEED, customer_id, people, person_id, roster, seeded
from tests.rules.dealt_again import DealtAgain

CATALOGUE = Catalogue.of(["saas.customers"])
SHARES = [Method.WEIGHTED, Method.PERFORMANCE]
ORDERS = [each for each in BUILT_IN if each not in (*SHARES, Method.DRAW)]
floors = st.builds(
    NewcomerFloor, floor_percent=st.integers(0, 100), share_percent=st.sampled_from([0, 0, 3, 12, 20]), days=st.just(90)
)


def mixed(count: int, newcomers: int, **facts: object) -> tuple[Candidate, ...]:
    """So many people, the first of them hired a week ago, the others years ago."""
    found = people(count, **facts)
    return tuple(
        replace(each, hired_on=DAY - timedelta(7 if number < newcomers else 2000)) for number, each in enumerate(found)
    )


def guaranteed(method: Method, candidates: tuple[Candidate, ...], count: int, floor: NewcomerFloor | None) -> Roster:
    return replace(roster(method, candidates, count), newcomers=floor)


def at_every_prefix(allocation: Allocation) -> list[Counter[UUID]]:
    counts: Counter[UUID] = Counter()
    found = []
    for pick in allocation.picks:
        assert pick.employee_id is not None
        counts[pick.employee_id] += 1
        found.append(counts.copy())
    return found


@st.composite
def companies(draw: st.DrawFn) -> tuple[tuple[Candidate, ...], int]:
    """People of whom up to five are newcomers, holding much or little, with weight and attainment or without."""
    count = draw(st.integers(1, 12))
    newcomers = draw(st.integers(0, min(count, 5)))
    found = tuple(
        replace(
            each,
            holding=draw(st.integers(0, 400)),
            holding_limit=1000,
            weight=draw(st.integers(1, 50)),
            attainment=draw(st.none() | st.sampled_from([Decimal(0), Decimal("0.4"), Decimal(2)])),
        )
        for each in mixed(count, newcomers)
    )
    return found, newcomers


@settings(max_examples=60)
@given(st.sampled_from(ORDERS), companies(), floors, st.integers(0, 160), st.integers(0, 99))
def test_an_order_never_leaves_a_newcomer_below(
    method: Method, company: tuple[tuple[Candidate, ...], int], floor_: NewcomerFloor, count: int, seed: int
) -> None:
    candidates, newcomers = company
    dealt = replace(guaranteed(method, candidates, count, floor_), seed=seeded(seed))
    allocation = allocate(dealt)
    least = max(Fraction(floor_.floor_percent, 100 * len(candidates)), Fraction(floor_.share_percent, 100))
    for number, counts in enumerate(at_every_prefix(allocation), start=1):
        assert all(counts[person_id(who)] >= floor(least * number) for who in range(newcomers))
    assert allocate(dealt) == allocation


@settings(max_examples=60)
@given(st.sampled_from(SHARES), companies(), floors, st.integers(1, 120))
def test_shares_hold_the_guarantee_and_counts_stay_within_one(
    method: Method, company: tuple[tuple[Candidate, ...], int], floor_: NewcomerFloor, count: int
) -> None:
    candidates, newcomers = company
    modest = replace(floor_, share_percent=min(floor_.share_percent, 12))
    allocation = allocate(guaranteed(method, candidates, count, modest))
    least = max(Fraction(modest.floor_percent, 100 * len(candidates)), Fraction(modest.share_percent, 100))
    assert sum(allocation.shares.values()) == 1
    assert all(allocation.shares[person_id(who)] >= least for who in range(newcomers))
    for number, counts in enumerate(at_every_prefix(allocation), start=1):
        assert all(abs(counts[who] - share * number) < 1 for who, share in allocation.shares.items())


@pytest.mark.parametrize("method", [Method.FLEXIBLE, Method.STRICT])
def test_an_equal_method_keeps_it_without_doing_anything(method: Method) -> None:
    candidates = mixed(7, 3)
    plain = allocate(guaranteed(method, candidates, 40, None))
    assert allocate(guaranteed(method, candidates, 40, NewcomerFloor(floor_percent=100))) == plain
    assert allocate(guaranteed(method, candidates, 40, NewcomerFloor(share_percent=25))) != plain


def test_by_load_a_newcomer_who_holds_much_gets_the_floor_and_others_the_rest() -> None:
    """Ten people, one newcomer with hardly any room in proportion: 20 % of a tenth of 100 is 2."""
    candidates = tuple(
        replace(each, holding=60 if number == 0 else 0, holding_limit=100) for number, each in enumerate(mixed(10, 1))
    )
    without = allocate(guaranteed(Method.LOAD_RELATIVE, candidates, 100, None)).counts()
    assert without[person_id(0)] == 0
    counts = allocate(guaranteed(Method.LOAD_RELATIVE, candidates, 100, NewcomerFloor())).counts()
    assert counts[person_id(0)] == 2
    assert sorted(counts[person_id(number)] for number in range(1, 10)) == [10] * 1 + [11] * 8


def test_a_limit_and_a_cooldown_go_before_the_guarantee() -> None:
    first, *others = mixed(4, 1, holding_limit=100)
    full = replace(first, holding=99, cooldown_customers=frozenset(map(customer_id, range(12))))
    counts = [
        each.employee_id
        for each in allocate(guaranteed(Method.LOAD_ABSOLUTE, (full, *others), 30, NewcomerFloor(90, 100, 0))).picks
    ]
    assert counts.index(first.employee_id) == 12
    assert counts.count(first.employee_id) == 1


def test_draws_are_by_weights_that_hold_it_and_the_certificate_shows_them() -> None:
    """Weights 1, 99 and 100: a third of an equal share of 200 / 3 is more than 1."""
    parts = (1, 99, 100)
    candidates = tuple(replace(each, weight=weight) for each, weight in zip(mixed(3, 1), parts, strict=True))
    seal = Seal(SecretSeed(SEED), bytes(32))
    dealt = guaranteed(Method.DRAW, candidates, 40, NewcomerFloor(floor_percent=30))
    certificate = json.loads(certify(dealt, seal).content)
    weights = [entry["entry"]["weight"] for entry in certificate["candidates"]]
    assert Fraction(weights[0], sum(weights)) == Fraction(1, 10)
    assert Fraction(weights[1], weights[2]) == Fraction(99, 100)
    content, published = certify(dealt, seal).content, commit(dealt, seal).digest
    assert verify_certificate(content, commitment=published) == []
    assert published != commit(replace(dealt, newcomers=None), seal).digest
    enough = replace(dealt, newcomers=NewcomerFloor(floor_percent=1))
    assert commit(enough, seal).digest == commit(replace(dealt, newcomers=None), seal).digest


def test_over_many_draws_a_newcomer_gets_what_is_guaranteed() -> None:
    """3,000 draws at 1 in 10: 300, give or take 4.5 standard deviations."""
    candidates = tuple(replace(each, weight=weight) for each, weight in zip(mixed(3, 1), (1, 99, 100), strict=True))
    counts = allocate(guaranteed(Method.DRAW, candidates, 3000, NewcomerFloor(floor_percent=30))).counts()
    assert abs(counts[person_id(0)] - 300) <= 74


@pytest.mark.parametrize("method", [*ORDERS, *SHARES, Method.DRAW])
def test_more_than_all_is_refused_with_the_values(method: Method) -> None:
    candidates = mixed(8, 6, holding_limit=50)
    dealt = guaranteed(method, candidates, 5, NewcomerFloor(share_percent=20))
    with pytest.raises(GuaranteesExceedWhole) as refusal:
        allocate(dealt)
    assert refusal.value.key == "customers.newcomer_guarantees_exceed"
    assert refusal.value.values == {"newcomers": 6, "each": 20, "together": 120}
    assert allocate(replace(dealt, newcomers=NewcomerFloor(share_percent=15))).counts().total() == 5


@pytest.mark.parametrize("floor_", [NewcomerFloor(-1), NewcomerFloor(90, 101), NewcomerFloor(90, 0, -1)])
def test_what_is_no_guarantee_is_refused(floor_: NewcomerFloor) -> None:
    with pytest.raises(AppErrors) as refusal:
        allocate(guaranteed(Method.FLEXIBLE, people(2), 1, floor_))
    assert [type(each) for each in refusal.value.errors] == [RosterImpossible]
    assert [each.key for each in refusal.value.errors] == ["customers.newcomer_floor_out_of_range"]


def test_the_explanation_names_the_guarantee_where_it_decided() -> None:
    candidates = tuple(
        replace(each, holding=60 if number == 0 else 0, holding_limit=100) for number, each in enumerate(mixed(10, 1))
    )
    dealt = guaranteed(Method.LOAD_RELATIVE, candidates, 60, NewcomerFloor())
    place = next(pick.place for pick in allocate(dealt).picks if pick.employee_id == person_id(0))
    facts = DealtAgain(dealt, allocate(dealt), customer_id(place)).facts()
    assert place == 49
    assert [text for _, text, _ in explain_pick(dealt, facts).lines(CATALOGUE, "en")] == [
        (
            "“cust***49” went to rep 0: with 0 of 49 customers so far, rep 0 would have had less than newcomers are"
            " guaranteed, and came before the 10 people who could have it."
        ),
        "rep 0 was hired on 2026-10-26, is a newcomer for 90 days and is guaranteed 2.00 % of the customers.",
    ]
