"""Round robin, flexible and strict, and allocation by load: order, ties without bias, equal counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers.allocation import Candidate, Method, allocate
from tests.rules.allocation_samples import BUILT_IN, customer_id, customers, people, person_id, roster, seeded

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def receivers(method: Method, candidates: tuple[Candidate, ...], count: int, **more: object) -> list[UUID | None]:
    picks = allocate(roster(method, candidates, count, **more)).picks  # type: ignore[arg-type]
    assert [pick.customer_ids for pick in picks] == [(customer_id(number),) for number in range(count)]
    return [pick.employee_id for pick in picks]


def ids(*numbers: int) -> list[UUID]:
    return [person_id(number) for number in numbers]


def test_least_recently_served_comes_first_and_never_served_before_all() -> None:
    three = [
        replace(each, last_served_at=NOON - timedelta(hours=hours))
        for each, hours in zip(people(3), (1, 3, 2), strict=True)
    ]
    candidates = (*three, Candidate(person_id(3), "new"))
    assert receivers(Method.FLEXIBLE, candidates, 9) == ids(3, 1, 2, 0, 3, 1, 2, 0, 3)


def test_ties_go_by_fewest_in_the_cycle() -> None:
    candidates = tuple(
        replace(each, last_served_at=NOON, assigned_in_cycle=count)
        for each, count in zip(people(4), (7, 5, 6, 4), strict=True)
    )
    assert receivers(Method.FLEXIBLE, candidates, 4) == ids(3, 1, 2, 0)


def test_one_without_room_now_is_first_again_when_there_is_room() -> None:
    first, second = people(2)
    full = (replace(first, holding=5, holding_limit=5), replace(second, last_served_at=NOON))
    assert receivers(Method.FLEXIBLE, full, 3) == ids(1, 1, 1)
    later = (replace(first, holding=4, holding_limit=9), replace(second, last_served_at=NOON + timedelta(1)))
    assert receivers(Method.FLEXIBLE, later, 3) == ids(0, 1, 0)


@pytest.mark.parametrize("method", [Method.FLEXIBLE, Method.STRICT, Method.WEIGHTED, Method.LOAD_ABSOLUTE, Method.DRAW])
def test_a_tie_goes_to_everybody_alike(method: Method) -> None:
    """1,500 allocations of one customer among five equal people: 300 each, give or take 4.5 standard deviations."""
    equal = people(5, holding_limit=10)
    won = Counter(receivers(method, equal, 1, seed=seeded(number))[0] for number in range(1500))
    assert set(won) == set(ids(0, 1, 2, 3, 4))
    assert all(abs(count - 300) <= 70 for count in won.values())


@given(st.integers(1, 7), st.lists(st.integers(0, 9), max_size=12), st.integers(0, 10**6))
def test_equal_members_end_equal_however_slowly_customers_arrive(size: int, arrivals: list[int], seed: int) -> None:
    members = people(size)
    total: Counter[UUID] = Counter()
    for step, count in enumerate(arrivals):
        got = Counter(each for each in receivers(Method.FLEXIBLE, members, count, seed=seeded(seed + step)) if each)
        total += got
        served_at = NOON + timedelta(hours=step)
        members = tuple(
            replace(each, assigned_in_cycle=total[each.employee_id], last_served_at=served_at)
            if got[each.employee_id]
            else each
            for each in members
        )
        counts = [total[each.employee_id] for each in members]
        assert max(counts) - min(counts) <= 1
    assert total.total() == sum(arrivals)


def test_strict_goes_by_turn_after_the_last_one() -> None:
    assert receivers(Method.STRICT, people(3), 5, turn_after=0) == ids(1, 2, 0, 1, 2)
    assert receivers(Method.STRICT, people(3), 4, turn_after=2) == ids(0, 1, 2, 0)
    assert allocate(roster(Method.STRICT, people(3), 5, turn_after=0)).turn_after == 2
    assert allocate(roster(Method.STRICT, people(3), 0, turn_after=1)).turn_after == 1


def test_strict_skips_and_does_not_make_up() -> None:
    first, second, third = people(3)
    cooling = replace(second, cooldown_customers=frozenset({customer_id(1)}))
    assert receivers(Method.STRICT, (first, cooling, third), 5, turn_after=2) == ids(0, 2, 0, 1, 2)
    nearly_full = replace(second, holding=1, holding_limit=2)
    assert receivers(Method.STRICT, (first, nearly_full, third), 6, turn_after=2) == ids(0, 1, 2, 0, 2, 0)


@given(st.integers(1, 6), st.lists(st.integers(0, 6), max_size=8), st.integers(0, 5))
def test_strict_in_parts_is_strict_at_once(size: int, parts: list[int], after: int) -> None:
    turn, dealt = after % size, []
    for count in parts:
        allocation = allocate(roster(Method.STRICT, people(size), count, turn_after=turn))
        dealt += [pick.employee_id for pick in allocation.picks]
        turn = allocation.turn_after or 0
    assert dealt == receivers(Method.STRICT, people(size), sum(parts), turn_after=after % size)
    counts = Counter(dealt)
    totals = [counts[each.employee_id] for each in people(size)]
    assert max(totals) - min(totals) <= 1


def test_load_goes_by_room_in_customers_or_as_a_part_of_the_limit() -> None:
    large, small = people(2)
    both = (replace(large, holding=80, holding_limit=100), replace(small, holding=1, holding_limit=10))
    assert receivers(Method.LOAD_ABSOLUTE, both, 12) == ids(*[0] * 11, receivers_last(both))
    assert receivers(Method.LOAD_RELATIVE, both, 7) == ids(1, 1, 1, 1, 1, 1, 1)
    assert Counter(receivers(Method.LOAD_RELATIVE, both, 29)) == {person_id(0): 20, person_id(1): 9}


def receivers_last(both: tuple[Candidate, ...]) -> int:
    """Who the seed prefers at equal room: after eleven customers each has room for nine."""
    rest = (replace(both[0], holding=91), both[1])
    return 0 if receivers(Method.LOAD_ABSOLUTE, rest, 1) == ids(0) else 1


@pytest.mark.parametrize("relative", [True, False])
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), min_size=1, max_size=6), st.integers(0, 80))
def test_each_goes_to_one_with_most_room(relative: bool, loads: list[tuple[int, int]], count: int) -> None:
    candidates = tuple(
        replace(each, holding=holding, holding_limit=limit)
        for each, (holding, limit) in zip(people(len(loads)), loads, strict=True)
    )
    method = Method.LOAD_RELATIVE if relative else Method.LOAD_ABSOLUTE
    rooms = {
        each.employee_id: max(0, limit - holding) for each, (holding, limit) in zip(candidates, loads, strict=True)
    }
    limits = {each.employee_id: limit for each, (_, limit) in zip(candidates, loads, strict=True)}
    for who in receivers(method, candidates, count):
        if who is None:
            assert not any(rooms.values())
            continue
        # a/b > c/d without division: no part of the method's own arithmetic
        for other, room in rooms.items():
            mine, theirs = (rooms[who] * limits[other], room * limits[who]) if relative else (rooms[who], room)
            assert mine >= theirs
        rooms[who] -= 1
        assert rooms[who] >= 0


@pytest.mark.parametrize("method", BUILT_IN)
def test_the_order_of_candidates_means_nothing(method: Method) -> None:
    candidates = people(6, holding_limit=7)
    once, again = (allocate(roster(method, each, 40)) for each in (candidates, candidates[::-1]))
    assert once.picks == again.picks
    assert once.shares == again.shares
    assert sum(pick.employee_id is not None for pick in once.picks) == 40


@pytest.mark.parametrize("method", BUILT_IN)
def test_an_allocation_replays_and_another_seed_deals_otherwise(method: Method) -> None:
    same = roster(method, people(8, holding_limit=9), customers(30))
    assert allocate(same) == allocate(same)
    others = {allocate(replace(same, seed=seeded(number))).picks for number in range(8)}
    assert len(others) > 1
