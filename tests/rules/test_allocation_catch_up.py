"""What was missed on leave is made up for as far as a pool says, by every method with a line; NONE is none (P46)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers.allocation import (
    AllocationRule,
    Candidate,
    Condition,
    CustomerFacts,
    DealtUnit,
    Filtered,
    FilterRule,
    MatchPlan,
    Method,
    Missed,
    NewcomerFloor,
    OrderedRules,
    PooledCustomer,
    Roster,
    Trait,
    TraitKind,
    allocate,
    chances,
    made_up,
    made_up_places,
    missed_parts,
)
from saas.customers.allocation.dealing import Table
from tests.rules.allocation_samples import customer_id, customers, people, person_id, roster, seeded

LINED = [Method.FLEXIBLE, Method.STRICT, Method.WEIGHTED, Method.LEVEL]
"""The methods that go by turns, shares or counters; those by load go by what is held."""
DAY = date(2026, 11, 2)


def owing(owed: int, customers: int | None = None, before: int = 0) -> Missed:
    return Missed(owed if customers is None else customers, before, owed, DAY, DAY)


@dataclass
class Pool:
    """What a pool carries from one allocation to the next, kept plainly; one person is away at times."""

    method: Method
    size: int
    most: int | None
    counts: Counter[UUID] = field(default_factory=Counter)
    balances: dict[UUID, Decimal] = field(default_factory=dict)
    served: dict[UUID, datetime] = field(default_factory=dict)
    turn_after: int | None = None
    missed: Fraction = Fraction(0)
    caught: int = 0
    dealt: int = 0

    def allocate(self, count: int, *, away: bool) -> Counter[UUID]:
        """Deal so many customers; who got how many. Person 0 may be away."""
        dealt = replace(
            roster(self.method, tuple(map(self._person, range(self.size))), count, turn_after=self.turn_after),
            allocation_id=UUID(int=self.dealt + 1),
        )
        if away:
            dealt = replace(dealt, candidates=(replace(dealt.candidates[0], is_on_leave=True), *dealt.candidates[1:]))
        allocation = allocate(dealt)
        got = allocation.counts()
        self.missed += missed_parts(dealt, dict.fromkeys(range(count), 1)).get(person_id(0), Fraction(0))
        self.caught += made_up(dealt, got).get(person_id(0), 0)
        self.counts += got
        self.dealt += 1
        now = datetime(2026, 11, 2, tzinfo=UTC) + timedelta(hours=self.dealt)
        self.served |= dict.fromkeys(got, now)
        self.balances, self.turn_after = dict(allocation.balances), allocation.turn_after
        return got

    def _person(self, number: int) -> Candidate:
        who = person_id(number)
        return Candidate(
            who,
            f"rep {number}",
            assigned_in_cycle=self.counts[who],
            last_served_at=self.served.get(who),
            balance=self.balances.get(who, Decimal(0)),
            turn=number,
            missed=self._missed() if number == 0 and self.missed else None,
        )

    def _missed(self) -> Missed:
        customers = int(self.missed + Fraction(1, 2))
        bound = customers if self.most is None else min(customers, self.most)
        return Missed(customers, self.caught, max(0, bound - self.caught), DAY, DAY)


sizes = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@pytest.mark.parametrize("method", LINED)
@given(st.integers(2, 5), sizes, sizes, sizes)
def test_none_is_none(method: Method, size: int, before: list[int], during: list[int], after: list[int]) -> None:
    """From their return on, who was away gets what the others get: within two, where each method is within one."""
    pool = Pool(method, size, most=0)
    for count in before:
        pool.allocate(count, away=False)
    for count in during:
        assert person_id(0) not in pool.allocate(count, away=True)
    since: Counter[UUID] = Counter()
    for count in after:
        since += pool.allocate(count, away=False)
        shares = [since[person_id(number)] for number in range(size)]
        assert shares[0] - Fraction(sum(shares), size) < 2
    assert pool.caught == 0


@pytest.mark.parametrize("method", LINED)
@given(st.integers(2, 5), sizes, sizes, sizes, st.none() | st.integers(1, 4))
def test_full_ends_with_the_others_and_capped_by_the_cap(
    method: Method, size: int, before: list[int], during: list[int], after: list[int], most: int | None
) -> None:
    """They come first until it is made up for; the rest goes to all alike."""
    pool = Pool(method, size, most)
    for count in before:
        pool.allocate(count, away=False)
    for count in during:
        pool.allocate(count, away=True)
    assert pool.missed == Fraction(sum(during), size - 1)
    owed = int(pool.missed + Fraction(1, 2))
    owed = owed if most is None else min(owed, most)
    first = sum(after)
    got = Counter[UUID]()
    for count in after:
        got += pool.allocate(count, away=False)
        assert got[person_id(0)] >= min(owed, sum(got.values()))
    assert pool.caught == min(owed, first)
    if owed < first:
        line = [got[person_id(0)] - owed, *(got[person_id(number)] for number in range(1, size))]
        assert all(abs(each - Fraction(first - owed, size)) < 2 for each in line)


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Limits, groups of records, cooldowns and several who are owed something."""
    method = draw(st.sampled_from([Method.FLEXIBLE, Method.LOAD_ABSOLUTE, Method.LEVEL]))
    found = []
    for number in range(draw(st.integers(1, 4))):
        owed = draw(st.integers(0, 4))
        found.append(
            Candidate(
                person_id(number),
                f"rep {number}",
                holding=draw(st.integers(0, 5)),
                holding_limit=draw(st.integers(3, 12)),
                assigned_in_cycle=draw(st.integers(0, 3)),
                turn=number,
                cooldown_customers=frozenset(map(customer_id, draw(st.sets(st.integers(0, 9), max_size=2)))),
                missed=owing(owed, draw(st.integers(0, 6)) + owed) if draw(st.booleans()) else None,
            )
        )
    groups = draw(st.lists(st.none() | st.sampled_from("ab"), min_size=10, max_size=10))
    pooled = tuple(PooledCustomer(customer_id(at), f"客户{at}", group) for at, group in enumerate(groups))
    return roster(method, tuple(found), pooled, seed=seeded(draw(st.integers(0, 99))))


def looked_at_everybody(dealt: Roster) -> list[UUID | None]:
    """An oracle: everybody is looked at for each customer, in the order of the lot."""
    units = dealt.units()
    line = list(Table(dealt, units, needs_weight=False).seats)
    owed = {each.employee_id: each.owed for each in line}
    got: Counter[UUID] = Counter()
    beside: Counter[UUID] = Counter()
    last: dict[UUID, int] = {}
    picks: list[UUID | None] = []
    for unit in units:
        ids = {record.customer_id for record in unit.records}

        def may(who: Candidate, ids: set[UUID] = ids) -> bool:
            room = who.room
            assert room is not None
            return room - got[who.employee_id] >= len(ids) and not ids & who.cooldown_customers

        def key(who: Candidate) -> tuple[int, ...]:
            mine = got[who.employee_id] - beside[who.employee_id]
            waits = (2, last[who.employee_id]) if who.employee_id in last else (0, 0, who.counted_in_cycle)
            if dealt.method is Method.LEVEL:
                return (who.level + mine, who.priority, *waits)
            if dealt.method is Method.LOAD_ABSOLUTE:
                assert who.holding_room is not None
                return (-(who.holding_room - got[who.employee_id]),)
            return waits

        able = [who for who in line if may(who)]
        if not able:
            picks.append(None)
            continue
        chosen = min(able, key=lambda who: (-owed[who.employee_id], *key(who)))
        who = chosen.employee_id
        taken = min(owed[who], len(ids))
        got[who] += len(ids)
        beside[who] += taken
        owed[who] -= taken
        if not taken:
            last[who] = unit.place
        picks.append(who)
    return picks


@given(rosters())
def test_lines_deal_as_looking_at_everybody_does(dealt: Roster) -> None:
    allocation = allocate(dealt)
    assert [pick.employee_id for pick in allocation.picks] == looked_at_everybody(dealt)
    assert allocate(replace(dealt, candidates=dealt.candidates[::-1])).picks == allocation.picks


def test_who_is_owed_comes_first_and_strict_turns_go_on_where_they_were() -> None:
    first, second, third = people(3)
    back = replace(third, missed=owing(2))
    dealt = roster(Method.STRICT, (first, second, back), 5, turn_after=0)
    allocation = allocate(dealt)
    assert [pick.employee_id for pick in allocation.picks] == [
        each.employee_id for each in (third, third, second, third, first)
    ]
    assert made_up_places(dealt, allocation) == {0, 1}
    alone = replace(dealt, customers=customers(2))
    assert allocate(alone).turn_after == 0


def test_made_up_customers_are_no_part_of_the_shares() -> None:
    heavy, light = people(2)
    light = replace(light, weight=1, missed=owing(2))
    dealt = roster(Method.WEIGHTED, (replace(heavy, weight=3), light), 6)
    allocation = allocate(replace(dealt, newcomers=None))
    assert [pick.employee_id for pick in allocation.picks][:2] == [light.employee_id] * 2
    assert allocation.counts() == {heavy.employee_id: 3, light.employee_id: 3}
    assert sum(allocation.balances.values()) == 0


def test_a_full_person_waits_for_the_rest_of_what_is_owed() -> None:
    for method in (*LINED, Method.LOAD_RELATIVE):
        full, other = people(2, holding_limit=9)
        full = replace(full, holding=8, missed=owing(4))
        allocation = allocate(replace(roster(method, (full, other), 3), newcomers=None))
        assert [pick.employee_id for pick in allocation.picks] == [
            full.employee_id,
            other.employee_id,
            other.employee_id,
        ], method


def test_newcomers_keep_their_part_while_others_catch_up() -> None:
    back, new = people(2, hired_on=date(2020, 1, 1))
    new, back = replace(new, hired_on=DAY), replace(back, missed=owing(10))
    for method in (Method.FLEXIBLE, Method.STRICT, Method.LEVEL):
        dealt = replace(roster(method, (back, new), 10), newcomers=NewcomerFloor(floor_percent=40))
        counts = allocate(dealt).counts()
        assert counts == {new.employee_id: 2, back.employee_id: 8}, method


def test_a_draw_and_a_share_by_attainment_make_up_for_nothing() -> None:
    for method in (Method.DRAW, Method.PERFORMANCE):
        plain = people(3)
        owed = tuple(replace(each, missed=owing(3)) for each in plain)
        assert allocate(roster(method, owed, 6)).picks == allocate(roster(method, plain, 6)).picks
        away = (replace(plain[0], is_on_leave=True), *plain[1:])
        assert missed_parts(roster(method, away, 6), dict.fromkeys(range(6), 1)) == {}


def test_only_customers_that_are_for_them_are_missed_and_made_up_for() -> None:
    away, other, third = people(3)
    away = replace(away, is_on_leave=True, traits=frozenset({Trait(TraitKind.LANGUAGE, "en")}))
    other = replace(other, traits=frozenset({Trait(TraitKind.LANGUAGE, "en")}))
    known = [CustomerFacts(language="en"), CustomerFacts(language="de"), CustomerFacts(language="en")]
    pooled = tuple(replace(each, facts=facts) for each, facts in zip(customers(3), known, strict=True))
    matched = replace(roster(Method.MATCH, (away, other, third), pooled), match=MatchPlan(must=(TraitKind.LANGUAGE,)))
    given_ = dict.fromkeys(range(3), 1)
    assert missed_parts(matched, given_) == {away.employee_id: Fraction(2, 2)}
    back = replace(away, is_on_leave=False, missed=owing(3))
    picks = allocate(replace(matched, candidates=(back, other, third))).picks
    assert [pick.employee_id for pick in picks] == [back.employee_id, third.employee_id, back.employee_id]
    rules = OrderedRules(
        (
            AllocationRule("en", (Condition(TraitKind.LANGUAGE, ("en",)),), (other.employee_id,)),
            AllocationRule("others"),
        )
    )
    ruled = replace(roster(Method.RULES, (away, other, third), pooled), rules=rules)
    assert missed_parts(ruled, given_) == {away.employee_id: Fraction(1, 2)}


def test_by_weight_the_part_is_by_weight_and_others_away_get_none() -> None:
    away, heavy, gone = people(3)
    away, heavy = replace(away, weight=2, is_on_leave=True), replace(heavy, weight=4)
    gone = replace(gone, is_on_leave=True, is_off_hours=True)
    dealt = roster(Method.WEIGHTED, (away, heavy, gone), 3)
    assert missed_parts(dealt, {0: 1, 2: 3}) == {away.employee_id: Fraction(2)}
    assert missed_parts(replace(dealt, candidates=(away, gone)), {0: 1}) == {}


@pytest.mark.parametrize(
    ("absence", "rule"),
    [
        ({"is_on_leave": True}, FilterRule.ON_LEAVE),
        ({"is_off_hours": True}, FilterRule.OFF_HOURS),
        ({"is_on_leave": True, "is_off_hours": True}, FilterRule.ON_LEAVE),
        ({"is_absent": True, "is_on_leave": True}, FilterRule.ABSENT),
    ],
)
def test_who_is_away_gets_nothing_by_any_method(absence: dict[str, bool], rule: FilterRule) -> None:
    for method in (*LINED, Method.DRAW, Method.PERFORMANCE, Method.LOAD_RELATIVE, Method.MATCH, Method.RULES):
        away, there = people(2, holding_limit=9)
        allocation = allocate(roster(method, (replace(away, **absence), there), 2))  # type: ignore[arg-type]
        assert {pick.employee_id for pick in allocation.picks} == {there.employee_id}
        assert Filtered(away.employee_id, rule) in allocation.filtered


def test_what_is_made_up_for_was_nobody_elses_in_an_audit() -> None:
    back, other = people(2)
    back = replace(back, missed=owing(1))
    dealt = roster(Method.FLEXIBLE, (back, other), 3)
    units = [DealtUnit(pick.place, pick.customer_ids, pick.employee_id) for pick in allocate(dealt).picks]
    found = [set(each) for each in chances(dealt, units)]
    assert found == [{back.employee_id}, {back.employee_id, other.employee_id}, {back.employee_id, other.employee_id}]
