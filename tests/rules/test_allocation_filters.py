"""Who may receive what: limits, cooldown, absence, companies with several records, for every method alike."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers.allocation import (
    Candidate,
    DrawSeedRefused,
    Filtered,
    FilterRule,
    Method,
    Nobody,
    PooledCustomer,
    Roster,
    allocate,
)
from saas.kernel import AppErrors
from tests.rules.allocation_samples import BUILT_IN, PLAN, customer_id, customers, people, person_id, roster

METHODS = BUILT_IN


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    count = draw(st.integers(0, 25))
    groups = draw(st.lists(st.none() | st.sampled_from("abcd"), min_size=count, max_size=count))
    pooled = tuple(replace(each, match_group=group) for each, group in zip(customers(count), groups, strict=True))
    cooling = st.frozensets(st.integers(0, 24).map(customer_id), max_size=6)
    candidates = tuple(
        replace(
            each,
            holding=draw(st.integers(0, 4)),
            holding_limit=draw(st.integers(0, 12)),
            assignable=draw(st.none() | st.integers(0, 9)),
            weight=draw(st.integers(0, 3)),
            is_absent=draw(st.sampled_from([False, False, False, True])),
            is_enabled=draw(st.sampled_from([True, True, True, False])),
            cooldown_customers=draw(cooling),
        )
        for each in people(draw(st.integers(0, 6)))
    )
    return replace(roster(draw(st.sampled_from(METHODS)), candidates, pooled), performance=PLAN)


def bars(candidate: Candidate, room: int | None, records: list[UUID], *, needs_weight: bool) -> bool:
    """Whether anything keeps the records from the person, told again from the rules."""
    out = candidate.is_absent or not candidate.is_enabled or (needs_weight and not candidate.weight)
    return out or (room is not None and room < len(records)) or bool(candidate.cooldown_customers & set(records))


@given(rosters())
def test_every_rule_holds_and_every_filter_is_recorded(given_roster: Roster) -> None:
    allocation = allocate(given_roster)
    needs_weight = given_roster.method in (Method.WEIGHTED, Method.DRAW)
    rooms: dict[UUID, int | None] = {
        each.employee_id: min(
            [max(0, (each.holding_limit or 0) - each.holding), *([] if each.assignable is None else [each.assignable])]
        )
        for each in given_roster.candidates
    }
    dealt = [record for pick in allocation.picks for record in pick.customer_ids]
    assert sorted(dealt) == sorted(each.customer_id for each in given_roster.customers)
    for pick in allocation.picks:
        records = list(pick.customer_ids)
        barred = {
            each.employee_id
            for each in given_roster.candidates
            if bars(each, rooms[each.employee_id], records, needs_weight=needs_weight)
        }
        assert {each.employee_id for each in allocation.filtered if each.covers(pick.place)} == barred
        assert (pick.employee_id is None) == (len(barred) == len(given_roster.candidates)) == (pick.nobody is not None)
        if pick.employee_id is not None:
            assert pick.employee_id not in barred
            room = rooms[pick.employee_id]
            rooms[pick.employee_id] = None if room is None else room - len(records)
    assert all(room is None or room >= 0 for room in rooms.values())


@pytest.mark.parametrize("method", METHODS)
def test_records_of_one_company_go_to_one_person_as_one_turn(method: Method) -> None:
    pooled = (
        PooledCustomer(customer_id(0), "a", "华信"),
        PooledCustomer(customer_id(1), "b"),
        PooledCustomer(customer_id(2), "c", "华信"),
    )
    picks = allocate(roster(method, people(2, holding_limit=10), pooled)).picks
    assert [pick.customer_ids for pick in picks] == [(customer_id(0), customer_id(2)), (customer_id(1),)]
    full = allocate(roster(method, people(2, holding_limit=1), pooled))
    assert [(pick.employee_id is None, pick.nobody) for pick in full.picks] == [(True, Nobody.NONE_MAY), (False, None)]


def test_rules_are_named_with_the_places_they_hold_for() -> None:
    absent, disabled, full, few, cooling = people(5)
    candidates = (
        replace(absent, is_absent=True),
        replace(disabled, is_enabled=False),
        replace(full, holding=9, holding_limit=7),
        replace(few, holding_limit=9, assignable=1),
        replace(cooling, holding_limit=1, cooldown_customers=frozenset({customer_id(0)})),
    )
    allocation = allocate(roster(Method.FLEXIBLE, candidates, 4))
    assert set(allocation.filtered) == {
        Filtered(absent.employee_id, FilterRule.ABSENT),
        Filtered(disabled.employee_id, FilterRule.DISABLED),
        Filtered(full.employee_id, FilterRule.HOLDING_LIMIT),
        Filtered(cooling.employee_id, FilterRule.COOLDOWN, 0, 0),
        Filtered(few.employee_id, FilterRule.THRESHOLD, 1),
        Filtered(cooling.employee_id, FilterRule.HOLDING_LIMIT, 2),
    }
    assert [pick.employee_id for pick in allocation.picks] == [few.employee_id, cooling.employee_id, None, None]
    assert [pick.nobody for pick in allocation.picks] == [None, None, Nobody.ALL_FULL, Nobody.ALL_FULL]


@pytest.mark.parametrize("method", METHODS)
def test_nobody_there_is_said_and_nothing_lost(method: Method) -> None:
    for candidates in ((), people(2, is_absent=True, holding_limit=3)):
        allocation = allocate(roster(method, candidates, 3))
        assert [(pick.employee_id, pick.nobody) for pick in allocation.picks] == [(None, Nobody.NO_CANDIDATE)] * 3


def test_everything_wrong_with_a_roster_is_told_at_once() -> None:
    first, second = people(2)
    candidates = (first, replace(first, weight=-1), replace(second, holding=-3, turn=None))
    broken = replace(roster(Method.STRICT, candidates, (*customers(2), *customers(1))), method_version=7)
    with pytest.raises(AppErrors) as refused:
        allocate(broken)
    assert [(error.key, error.values) for error in refused.value.errors] == [
        ("customers.roster_candidate_twice", {"name": "rep 0"}),
        ("customers.roster_customer_twice", {"customer": "cust***0"}),
        ("customers.roster_weight_out_of_range", {"name": "rep 0", "given": -1, "most": 1_000_000}),
        ("customers.roster_count_negative", {"name": "rep 1", "given": -3}),
        ("customers.roster_method_version_unknown", {"method": "strict", "version": 7, "known": 1}),
        ("customers.roster_turns_missing", {"people": 3}),
    ]


def test_what_a_method_needs_must_be_there() -> None:
    needs = {
        "customers.roster_limit_missing": roster(Method.LOAD_RELATIVE, people(1), 1),
        "customers.roster_plan_missing": roster(Method.PERFORMANCE, people(1), 1, plan=None),
    }
    for key, lacking in needs.items():
        with pytest.raises(AppErrors) as refused:
            allocate(lacking)
        assert [error.key for error in refused.value.errors] == [key]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [None, b"", b"short", bytes(33)])
def test_without_a_seed_nothing_is_dealt(method: Method, seed: bytes | None) -> None:
    with pytest.raises(DrawSeedRefused) as refused:
        allocate(roster(method, people(2, holding_limit=3), 1, seed=seed))
    assert refused.value.values == {"given": len(seed or b""), "needed": 32}


def test_people_are_told_apart_by_id_not_by_name() -> None:
    twins = tuple(replace(each, name="李娜") for each in people(2))
    assert allocate(roster(Method.FLEXIBLE, twins, 4)).counts() == {person_id(0): 2, person_id(1): 2}
