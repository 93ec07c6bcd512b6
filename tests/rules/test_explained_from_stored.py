"""Explained from stored facts of one pick as a whole deal would tell it, for every method and everybody who asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.customers.allocation import (
    IN_LINE,
    AllocationRule,
    Candidate,
    Condition,
    CustomerFacts,
    DepartmentRoom,
    MatchPlan,
    Method,
    Missed,
    NewcomerFloor,
    OrderedRules,
    Pick,
    PooledCustomer,
    Roster,
    Tally,
    Trait,
    TraitKind,
    allocate,
    explain_passed_over,
    explain_pick,
    shares_of,
    shown_shares,
    tallied,
    with_department_shares,
)
from tests.rules.allocation_samples import BUILT_IN, customer_id, person_id, roster, seeded
from tests.rules.dealt_again import DealtAgain

CUSTOMERS = 12
BEYOND_EQUAL = NewcomerFloor(floor_percent=0, share_percent=20)
"""Of five people at most, so that it is never more than all."""
_AT = datetime(2026, 10, 30, 8, tzinfo=UTC)


traits = st.builds(Trait, st.just(TraitKind.TERRITORY), st.sampled_from(["31", "3101", "44"])) | st.builds(
    Trait, st.just(TraitKind.LEVEL), st.sampled_from("AB")
)
known = st.builds(
    CustomerFacts,
    territory=st.none() | st.sampled_from(["310101", "440300"]),
    level=st.none() | st.sampled_from("AB"),
)
kinds = st.lists(st.sampled_from([TraitKind.TERRITORY, TraitKind.LEVEL]), max_size=2, unique=True).map(tuple)
conditions = st.builds(Condition, st.just(TraitKind.LEVEL), st.sampled_from([("A",), ("A", "B")])) | st.builds(
    Condition, st.just(TraitKind.TERRITORY), st.sampled_from([("31",), ("3101", "44")])
)
named = st.lists(st.integers(0, 5).map(person_id), max_size=3, unique=True).map(tuple)
in_line = st.sampled_from(IN_LINE)
match_plans = st.builds(MatchPlan, kinds, kinds, in_line, st.none() | st.integers(1, 3)).filter(
    lambda plan: bool(plan.must or plan.prefer)
)
special = st.builds(AllocationRule, st.just("special"), st.tuples(conditions), named, in_line)
general = st.builds(AllocationRule, st.just("others"), st.just(()), named, in_line)
ordered_rules = st.builds(
    lambda first, last, owner: OrderedRules((*first, last), owner),
    st.lists(special, max_size=2),
    general,
    st.none() | st.just(person_id(0)),
)


missed = st.builds(
    Missed, st.integers(1, 5), st.integers(0, 2), st.integers(0, 4), st.just(_AT.date()), st.just(_AT.date())
)


@st.composite
def candidates(draw: st.DrawFn, number: int) -> Candidate:
    """Somebody who is away, full, left out or in cooldown now and then."""
    cooling = draw(st.sets(st.integers(0, CUSTOMERS - 1), max_size=3))
    return Candidate(
        person_id(number),
        f"rep {number}",
        holding=draw(st.integers(0, 4)),
        holding_limit=draw(st.integers(0, 12)),
        assignable=draw(st.none() | st.integers(0, 8)),
        assigned_in_cycle=draw(st.integers(0, 2)),
        last_served_at=draw(st.none() | st.just(_AT)),
        hired_on=draw(st.none() | st.just(_AT.date())),
        attainment=draw(st.none() | st.sampled_from([Decimal(0), Decimal("0.335"), Decimal(1), Decimal("1.5")])),
        weight=draw(st.integers(0, 5)),
        turn=number,
        is_enabled=draw(st.sampled_from([True, True, True, False])),
        is_absent=draw(st.sampled_from([False, False, False, True])),
        cooldown_customers=frozenset(map(customer_id, cooling)),
        calibration=draw(st.integers(-2, 2)),
        credits=draw(st.integers(0, 2)),
        priority=draw(st.integers(0, 1)),
        traits=frozenset(draw(st.sets(traits, max_size=3))),
        missed=draw(st.none() | missed),
    )


@st.composite
def departments(draw: st.DrawFn) -> tuple[DepartmentRoom, ...]:
    """None, the company's, or the company's behind a team's."""
    limits = [draw(st.integers(0, 12)) for _ in range(draw(st.integers(0, 2)))]
    found = (
        DepartmentRoom(UUID(int=at), f"部门{at}", limit, draw(st.integers(0, 3))) for at, limit in enumerate(limits)
    )
    return tuple(reversed(list(found)))


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Few people, companies with up to three records, any method, with or without a floor or limited departments."""
    method, count = draw(st.sampled_from(BUILT_IN)), draw(st.integers(1, 5))
    rooms = draw(departments())
    people = tuple(
        replace(draw(candidates(number)), departments=rooms[draw(st.integers(0, 1)) if len(rooms) > 1 else 0 :])
        for number in range(count)
    )
    by_facts = method in (Method.MATCH, Method.RULES)
    groups = draw(st.lists(st.none() | st.sampled_from("ab"), min_size=CUSTOMERS, max_size=CUSTOMERS))
    facts = known if by_facts else st.just(CustomerFacts())
    pooled = tuple(PooledCustomer(customer_id(at), f"客户{at}", group, draw(facts)) for at, group in enumerate(groups))
    dealt = roster(
        method, people, pooled, seed=seeded(draw(st.integers(0, 99))), turn_after=draw(st.none() | st.just(1))
    )
    assert dealt.performance is not None
    floor = draw(st.sampled_from([Decimal(0), Decimal("0.2")]))
    newcomers = draw(st.sampled_from([None, NewcomerFloor(), NewcomerFloor(floor_percent=100), BEYOND_EQUAL]))
    plan = replace(dealt.performance, floor_rate=floor)
    dealt = replace(dealt, performance=plan, newcomers=newcomers)
    dealt = with_department_shares(dealt) if method is Method.DRAW else dealt
    return replace(dealt, match=draw(match_plans), rules=draw(ordered_rules)) if by_facts else dealt


@settings(max_examples=40)
@given(rosters())
def test_every_explanation_is_as_dealt_again(dealt: Roster) -> None:
    allocation, alone = allocate(dealt), replace(dealt, customers=())
    for customer in dealt.customers:
        again = DealtAgain(dealt, allocation, customer.customer_id)
        assert explain_pick(alone, again.facts()) == again.why()
        for who in dealt.candidates:
            asked = explain_passed_over(alone, again.facts(), employee_id=who.employee_id)
            assert asked == again.why_not(who.employee_id)


@settings(max_examples=40)
@given(rosters())
def test_shares_are_told_without_a_deal(dealt: Roster) -> None:
    assert shown_shares(shares_of(replace(dealt, customers=()))) == shown_shares(allocate(dealt).shares)


@settings(max_examples=40)
@given(rosters(), st.integers(1, 5))
def test_tallies_are_what_was_received_before(dealt: Roster, every: int) -> None:
    allocation = allocate(dealt)
    found = dict(tallied(allocation.picks, every=every))
    assert [*found] == [place for place in range(1, len(allocation.picks)) if place % every == 0]
    for place, received in found.items():
        again = DealtAgain(dealt, allocation, allocation.picks[place].customer_ids[0])
        assert received == {
            who.employee_id: tally for who in dealt.candidates if (tally := again.tally(who)) != Tally()
        }


@pytest.mark.parametrize("later", [Tally(), Tally(1, 3, 7)])
def test_a_tally_goes_on_where_another_ends(later: Tally) -> None:
    assert Tally().and_then(later) == later
    assert Tally(2, 2, 5).and_then(later) == (Tally(2, 2, 5) if later == Tally() else Tally(3, 5, 7))


def test_nothing_is_tallied_of_a_few() -> None:
    picks = [Pick(place, (customer_id(place),), person_id(0)) for place in range(3)]
    assert [*tallied(picks, every=3)] == []
