"""The draw's numbers: unbiased, bound to their place, and drawn again by a second way of reckoning."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers.allocation import Method, PooledCustomer, Roster, allocate
from saas.customers.allocation.verifier import number_below
from tests.rules.allocation_samples import SEED, customer_id, people, person_id, roster, seeded


def numbers(total: int, places: int) -> list[int]:
    return [number_below(total, seed=SEED, draw="d", place=place)[1] for place in range(places)]


@pytest.mark.parametrize("total", [1, 2, 3, 5, 6, 7, 8, 10])
def test_each_number_is_equally_likely(total: int) -> None:
    """Chi-square of 6,000 numbers is below its 99.9 % point (by the approximation of Wilson and Hilferty)."""
    found = Counter(numbers(total, 6000))
    assert set(found) == set(range(total))
    expected, freedom = 6000 / total, total - 1
    statistic = sum((each - expected) ** 2 / expected for each in found.values())
    bound = freedom * (1 - 2 / (9 * freedom) + 3.09 * (2 / (9 * freedom)) ** 0.5) ** 3 if freedom else 0
    assert statistic <= bound


def test_numbers_are_rejected_not_folded_back() -> None:
    drawn = [number_below(5, seed=SEED, draw="d", place=place) for place in range(4000)]
    attempts = Counter(attempt for attempt, _ in drawn)
    # three of eight numbers are rejected: 3/8 of the places need another attempt, 9/64 a third
    assert abs(attempts[0] - 2500) < 130
    assert abs(attempts[1] - 937) < 120
    assert max(attempts) >= 4


@given(st.integers(1, 2**80), st.integers(0, 2**40))
def test_numbers_are_in_range_and_repeat(total: int, place: int) -> None:
    attempt, number = number_below(total, seed=SEED, draw="d", place=place)
    assert 0 <= number < total
    assert (attempt, number) == number_below(total, seed=SEED, draw="d", place=place)


def test_another_place_draw_or_seed_gives_other_numbers() -> None:
    total = 2**128
    base = number_below(total, seed=SEED, draw="d", place=0)
    others = {
        number_below(total, seed=SEED, draw="d", place=1),
        number_below(total, seed=SEED, draw="e", place=0),
        number_below(total, seed=seeded(1), draw="d", place=0),
    }
    assert len(others | {base}) == 4


def drawn_by_hand(given_roster: Roster) -> list[str | None]:
    """The whole draw again, as the document of draws tells it: a list that holds each person once per weight."""
    candidates = sorted(given_roster.candidates, key=lambda each: each.employee_id)
    groups: dict[str, list[PooledCustomer]] = {}
    for customer in given_roster.customers:
        groups.setdefault(customer.match_group or str(customer.customer_id), []).append(customer)
    rooms = {each.employee_id: each.room for each in candidates}
    text = b'"' + str(given_roster.allocation_id).encode() + b'"'
    draw = hashlib.sha256(b"fairlead.draw/1/draw\0" + text).digest()
    went: list[str | None] = []
    for place, records in enumerate(groups.values()):
        tickets = [
            each.employee_id
            for each in candidates
            for _ in range(each.weight)
            if each.is_enabled
            and not each.is_absent
            and not each.cooldown_customers & {record.customer_id for record in records}
            and ((room := rooms[each.employee_id]) is None or room >= len(records))
        ]
        if not tickets:
            went.append(None)
            continue
        bits = len(bin(len(tickets) - 1)) - 2 if len(tickets) > 1 else 0
        for attempt in count():
            message = b"fairlead.draw/1/pick\0" + draw + place.to_bytes(8, "big") + attempt.to_bytes(8, "big")
            digest = hmac.new(given_roster.seed or b"", message, hashlib.sha256).hexdigest()
            number = int(f"{int(digest, 16):0256b}"[:bits] or "0", 2)
            if number < len(tickets):
                break
        winner = tickets[number]
        went.append(str(winner))
        room = rooms[winner]
        rooms[winner] = None if room is None else room - len(records)
    return went


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    size = draw(st.integers(0, 20))
    groups = draw(st.lists(st.none() | st.sampled_from("abc"), min_size=size, max_size=size))
    pooled = tuple(PooledCustomer(customer_id(place), "x", group) for place, group in enumerate(groups))
    candidates = tuple(
        replace(
            each,
            holding_limit=draw(st.none() | st.integers(0, 8)),
            weight=draw(st.integers(0, 5)),
            is_absent=draw(st.sampled_from([False, False, True])),
            cooldown_customers=draw(st.frozensets(st.integers(0, 20).map(customer_id), max_size=8)),
        )
        for each in people(draw(st.integers(0, 6)))
    )
    return roster(Method.DRAW, candidates, pooled, seed=draw(st.binary(min_size=32, max_size=32)))


@given(rosters())
def test_picks_equal_those_drawn_by_hand(given_roster: Roster) -> None:
    picks = allocate(given_roster).picks
    assert [None if pick.employee_id is None else str(pick.employee_id) for pick in picks] == drawn_by_hand(
        given_roster
    )


def test_several_former_owners_of_one_customer_are_all_left_out() -> None:
    """Eight people of unequal weight, each barred from about half of 300 customers: several gaps in most lines."""
    chance = random.Random(7)
    candidates = tuple(
        replace(
            each,
            weight=chance.randint(1, 4),
            holding_limit=chance.randint(10, 60),
            cooldown_customers=frozenset(customer_id(place) for place in range(300) if chance.random() < 0.5),
        )
        for each in people(8)
    )
    given_roster = roster(Method.DRAW, candidates, 300)
    picks = allocate(given_roster).picks
    assert [None if pick.employee_id is None else str(pick.employee_id) for pick in picks] == drawn_by_hand(
        given_roster
    )


def test_over_many_draws_each_gets_by_weight() -> None:
    weights = (1, 2, 3, 4)
    candidates = tuple(replace(each, weight=weight) for each, weight in zip(people(4), weights, strict=True))
    counts = allocate(roster(Method.DRAW, candidates, 8000)).counts()
    for number, weight in enumerate(weights):
        share = Fraction(weight, 10)
        deviation = float(8000 * share * (1 - share)) ** 0.5
        assert abs(counts[person_id(number)] - 8000 * share) < 4 * deviation


def test_former_owners_are_left_out_and_the_others_keep_their_odds() -> None:
    everything = frozenset(customer_id(number) for number in range(3000))
    first, second, third = people(3)
    candidates = (first, replace(second, weight=5, cooldown_customers=everything), replace(third, weight=2))
    counts = allocate(roster(Method.DRAW, candidates, 3000)).counts()
    assert counts.total() == 3000
    assert counts[second.employee_id] == 0
    assert abs(counts[first.employee_id] - 1000) < 4 * (3000 * 2 / 9) ** 0.5
