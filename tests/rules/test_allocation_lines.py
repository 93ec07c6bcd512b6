"""Level, match first and ordered rules: as dealt by looking at everybody for each customer, and what each must hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
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
    MatchPlan,
    Method,
    Nobody,
    OrderedRules,
    PickFacts,
    PooledCustomer,
    Roster,
    RosterImpossible,
    Trait,
    TraitKind,
    allocate,
    explain_passed_over,
    explain_pick,
    preferred_first,
)
from saas.customers.allocation.dealing import Table
from saas.kernel import AppErrors, Catalogue
from tests.rules.allocation_samples import DAY, customer_id, people, person_id, roster, seeded
from tests.rules.dealt_again import DealtAgain, fits

CATALOGUE = Catalogue.of(["saas.customers"])
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHANGHAI, SHENZHEN = CustomerFacts(territory="310101", level="A"), CustomerFacts(territory="440300", level="B")


def territory(each: Candidate, *codes: str) -> Candidate:
    return replace(each, traits=frozenset(Trait(TraitKind.TERRITORY, code) for code in codes))


def levelled(each: Candidate, *levels: str) -> Candidate:
    return replace(each, traits=each.traits | {Trait(TraitKind.LEVEL, level) for level in levels})


def pooled(*facts: CustomerFacts) -> tuple[PooledCustomer, ...]:
    return tuple(PooledCustomer(customer_id(at), f"cust***{at}", facts=each) for at, each in enumerate(facts))


def matching(
    candidates: tuple[Candidate, ...], plan: MatchPlan, *facts: CustomerFacts, in_order: bool = True
) -> Roster:
    asked = replace(roster(Method.MATCH, candidates, pooled(*facts)), match=plan)
    return preferred_first(asked) if in_order else asked


def ruled(candidates: tuple[Candidate, ...], rules: OrderedRules, *facts: CustomerFacts) -> Roster:
    return replace(roster(Method.RULES, candidates, pooled(*facts)), rules=rules)


def receivers(dealt: Roster) -> dict[UUID, UUID | None]:
    return {pick.customer_ids[0]: pick.employee_id for pick in allocate(dealt).picks}


def told(dealt: Roster, number: int, who: int | None = None, locale: str = "en") -> list[str]:
    facts: PickFacts = DealtAgain(dealt, allocate(dealt), customer_id(number)).facts()
    alone = replace(dealt, customers=())
    if who is None:
        return [text for _, text, _ in explain_pick(alone, facts).lines(CATALOGUE, locale)]
    why_not = explain_passed_over(alone, facts, employee_id=person_id(who))
    return [text for _, text, _ in why_not.lines(CATALOGUE, locale)]


# By looking at everybody: a second way to deal, one customer at a time


class Naive:
    """People with what they have, in the order of the lot."""

    def __init__(self, dealt: Roster) -> None:
        self.roster, self.seats = dealt, Table(dealt, dealt.units(), needs_weight=False).seats
        self.turns, self.records, self.last = ([0] * len(self.seats) for _ in range(3))

    def picks(self) -> list[UUID | None]:
        return [self._pick(place) for place in range(len(self.roster.units()))]

    def _pick(self, place: int) -> UUID | None:
        unit = self.roster.units()[place]
        size, known = len(unit.records), [record.facts for record in unit.records]
        may = [
            seat
            for seat, each in enumerate(self.seats)
            if each.cooldown_customers.isdisjoint(record.customer_id for record in unit.records)
            and (each.room is None or each.room - self.records[seat] >= size)
        ]
        groups, then = self._groups(may, known)
        for group in groups:
            if group:
                seat = min(group, key=lambda each: (self._key(each, then), each))
                self.turns[seat], self.records[seat] = self.turns[seat] + 1, self.records[seat] + size
                self.last[seat] = place + 1
                return self.seats[seat].employee_id
        return None

    def _groups(self, may: list[int], known: list[CustomerFacts]) -> tuple[list[list[int]], Method]:
        match, rules = self.roster.match, self.roster.rules
        if self.roster.method is Method.LEVEL:
            return [may], Method.LEVEL
        if self.roster.method is Method.MATCH:
            assert match is not None
            fit = [seat for seat in may if all(self._fits(self.seats[seat], match, each) for each in known)]
            quota = match.quota or 10**6
            prefer = [
                seat
                for seat in fit
                if self.turns[seat] < quota
                and all(any(fits(kind, self.seats[seat].values(kind), each) for kind in match.prefer) for each in known)
            ]
            return [prefer, fit], match.then
        assert rules is not None
        rule = next(each for each in rules.rules if all(fits(c.kind, c.values, known[0]) for c in each.conditions))
        named = [seat for seat in may if not rule.people or self.seats[seat].employee_id in rule.people]
        return [named, [seat for seat in may if self.seats[seat].employee_id == rules.default_owner]], rule.then

    @staticmethod
    def _fits(who: Candidate, plan: MatchPlan, known: CustomerFacts) -> bool:
        return all(not who.values(kind) or fits(kind, who.values(kind), known) for kind in plan.must)

    def _key(self, seat: int, then: Method) -> tuple[object, ...]:
        each, taken = self.seats[seat], self.records[seat]
        served = each.last_served_at or datetime(1970, 1, 1, tzinfo=UTC)
        waits = (self.last[seat], served, each.assigned_in_cycle)
        if then is Method.FLEXIBLE:
            return waits
        if then is Method.LEVEL:
            level = each.calibration + each.assigned_in_cycle - each.credits + taken
            return (level, each.priority, *waits)
        assert each.holding_room is not None
        assert each.holding_limit is not None
        room = each.holding_room - taken
        return (-room / max(each.holding_limit, 1) if then is Method.LOAD_RELATIVE else -room,)


traits = st.builds(Trait, st.just(TraitKind.TERRITORY), st.sampled_from(["31", "44"])) | st.builds(
    Trait, st.just(TraitKind.LEVEL), st.sampled_from("AB")
)
known = st.builds(
    CustomerFacts, territory=st.sampled_from([None, "310101", "440300"]), level=st.sampled_from([None, "A", "B"])
)
conditions = st.builds(Condition, st.just(TraitKind.LEVEL), st.sampled_from([("A",), ("A", "B")]))
kinds = st.sampled_from([(), (TraitKind.TERRITORY,), (TraitKind.LEVEL,), (TraitKind.TERRITORY, TraitKind.LEVEL)])
match_plans = st.builds(MatchPlan, kinds, kinds, st.sampled_from(IN_LINE), st.none() | st.integers(1, 4)).filter(
    lambda plan: bool(plan.must or plan.prefer)
)
ordered = st.builds(
    lambda which, some, then, last, owner: OrderedRules(
        (AllocationRule("one", (which,), some, then), AllocationRule("others", (), last)), owner
    ),
    conditions,
    st.lists(st.integers(0, 3).map(person_id), max_size=2, unique=True).map(tuple),
    st.sampled_from(IN_LINE),
    st.lists(st.integers(0, 3).map(person_id), max_size=2, unique=True).map(tuple),
    st.none() | st.just(person_id(3)),
)
some = st.sampled_from([Method.LEVEL, Method.MATCH, Method.RULES])


@st.composite
def rosters(draw: st.DrawFn, methods: st.SearchStrategy[Method] = some) -> Roster:
    found = tuple(
        replace(
            each,
            holding=draw(st.integers(0, 3)),
            holding_limit=draw(st.sampled_from([4, 8, 40])),
            assigned_in_cycle=draw(st.integers(0, 4)),
            calibration=draw(st.integers(-2, 3)),
            credits=draw(st.integers(0, 3)),
            priority=draw(st.integers(0, 1)),
            last_served_at=draw(st.none() | st.integers(0, 3).map(lambda hours: NOON - timedelta(hours=hours))),
            traits=frozenset(draw(st.sets(traits, max_size=3))),
            cooldown_customers=frozenset(map(customer_id, draw(st.sets(st.integers(0, 19), max_size=3)))),
        )
        for each in people(draw(st.integers(1, 5)))
    )
    facts = draw(st.lists(known, max_size=20))
    waiting = tuple(
        replace(each, match_group="one" if draw(st.integers(0, 6)) == 0 else None) for each in pooled(*facts)
    )
    dealt = roster(draw(methods), found, waiting, seed=seeded(draw(st.integers(0, 99))))
    return preferred_first(replace(dealt, match=draw(match_plans), rules=draw(ordered)))


@settings(max_examples=100)
@given(rosters())
def test_they_deal_as_looking_at_everybody_does(dealt: Roster) -> None:
    assert [pick.employee_id for pick in allocate(dealt).picks] == Naive(dealt).picks()


@settings(max_examples=60)
@given(rosters())
def test_nobody_is_given_more_than_they_may_have(dealt: Roster) -> None:
    counts: Counter[UUID | None] = Counter()
    for pick in allocate(dealt).picks:
        counts[pick.employee_id] += len(pick.customer_ids)
    for each in dealt.candidates:
        assert counts[each.employee_id] <= (each.room or 0)


# Level (P45)


def test_the_lowest_level_is_next_and_credits_lower_it() -> None:
    candidates = tuple(
        replace(each, calibration=calibration, assigned_in_cycle=assigned, credits=credited)
        for each, (calibration, assigned, credited) in zip(people(3), ((0, 5, 0), (2, 5, 4), (5, 1, 0)), strict=True)
    )
    assert [each.level for each in candidates] == [5, 3, 6]
    dealt = roster(Method.LEVEL, candidates, 6)
    assert allocate(dealt).counts() == {person_id(0): 2, person_id(1): 3, person_id(2): 1}
    assert [pick.employee_id for pick in allocate(dealt).picks][:2] == [person_id(1), person_id(1)]
    better = roster(Method.LEVEL, (replace(candidates[0], credits=3), *candidates[1:]), 6)
    assert allocate(better).counts() == {person_id(0): 3, person_id(1): 3}


def test_equal_levels_go_by_priority_then_by_who_waits_longest() -> None:
    first, second, third = people(3, last_served_at=NOON)
    candidates = (
        replace(first, priority=1),
        second,
        replace(third, last_served_at=NOON - timedelta(hours=1)),
    )
    picks = [pick.employee_id for pick in allocate(roster(Method.LEVEL, candidates, 3)).picks]
    assert picks == [person_id(2), person_id(1), person_id(0)]


@given(st.integers(2, 8), st.integers(0, 60), st.integers(0, 99))
def test_equal_people_stay_within_one_of_each_other(size: int, count: int, seed: int) -> None:
    counts = allocate(roster(Method.LEVEL, people(size), count, seed=seeded(seed))).counts()
    got = [counts[person_id(number)] for number in range(size)]
    assert max(got) - min(got) <= 1


def test_the_level_is_told() -> None:
    first, second = people(2)
    dealt = roster(Method.LEVEL, (replace(first, calibration=3), replace(second, assigned_in_cycle=4, credits=2)), 2)
    assert told(dealt, 0) == [
        "“cust***0” went to rep 1: level 2 was the lowest of the 2 people who could have it.",
        "rep 1: calibration 0, 4 assigned in the cycle, 0 in this allocation before, less 2 credited back; priority 0.",
        "rep 1 had not been served before; 4 in the cycle.",
    ]
    assert told(dealt, 0, 0)[0] == (
        "“cust***0” went to rep 1 at level 2; rep 0 stood at level 3."
        " Equal levels go by priority, then by who waits longest."
    )


# Match first (P43)


def test_what_must_fit_keeps_customers_from_people_and_says_so() -> None:
    shanghai, anywhere = territory(people(2)[0], "31"), people(2)[1]
    dealt = matching((shanghai, anywhere), MatchPlan(), SHENZHEN, SHENZHEN, CustomerFacts())
    assert set(receivers(dealt).values()) == {person_id(1)}
    assert told(dealt, 0, 0) == [
        "rep 0 could not have “cust***0”: filtered by territory: rep 0's 31, the customer's 440300."
    ]
    assert told(dealt, 2, 0) == [
        "rep 0 could not have “cust***2”: filtered by territory: rep 0's 31, the customer's –."
    ]
    assert told(dealt, 0, 0, "zh-CN") == [
        "rep 0 不能获得“cust***0”：按区域筛除：rep 0 的区域为 31，客户的区域为 440300。"
    ]


def test_a_customer_that_fits_nobody_stays_in_the_pool_and_tells_of_each() -> None:
    dealt = matching(tuple(territory(each, "31") for each in people(2)), MatchPlan(), SHENZHEN)
    assert [pick.nobody for pick in allocate(dealt).picks] == [Nobody.NONE_MAY]
    assert told(dealt, 0)[1:] == [
        f"rep {number} could not have “cust***0”: filtered by territory: rep {number}'s 31, the customer's 440300."
        for number in (0, 1)
    ]


def test_who_prefers_customers_is_filled_with_them_up_to_the_quota() -> None:
    fan, other = levelled(people(2)[0], "A"), people(2)[1]
    plan = MatchPlan(must=(), prefer=(TraitKind.LEVEL,), quota=3)
    dealt = matching((fan, other), plan, *[SHENZHEN] * 4, *[SHANGHAI] * 5)
    assert [each.facts.level for each in dealt.customers] == ["A"] * 5 + ["B"] * 4
    picks = [pick.employee_id for pick in allocate(dealt).picks]
    assert picks[:3] == [fan.employee_id] * 3
    assert Counter(picks) == {fan.employee_id: 6, other.employee_id: 3}


@settings(max_examples=40)
@given(rosters(st.just(Method.MATCH)))
def test_all_preferred_records_are_used_before_others(dealt: Roster) -> None:
    """That one who prefers gets it, while they have room and quota, is seen by looking at everybody above."""
    allocation = allocate(dealt)
    again = (DealtAgain(dealt, allocation, pick.customer_ids[0]) for pick in allocation.picks)
    preferred = [any(each.wants_at_all(who) for who in dealt.candidates) for each in again]
    assert preferred == sorted(preferred, reverse=True)


def test_the_match_is_told() -> None:
    fan, other = levelled(people(2)[0], "A"), replace(people(2)[1])
    dealt = matching((fan, other), MatchPlan(must=(), prefer=(TraitKind.LEVEL,), quota=1), SHANGHAI, SHANGHAI)
    assert told(dealt, 0)[:2] == [
        "“cust***0” went to rep 0: of the 1 people who could have it, rep 0 had gone longest without one.",
        "Such customers are what rep 0 is there for, and go to those first.",
    ]
    assert told(dealt, 0, 1)[0] == (
        "“cust***0” went to rep 0, to whom such customers go first; to rep 1 they do not, or rep 1's quota was used up."
    )
    assert told(dealt, 1)[:2] == [
        "“cust***1” went to rep 1: of the 2 people who could have it, rep 1 had gone longest without one.",
        ("Nobody whom such customers go to first could have it, so it went to rep 1 among all whom it fits."),
    ]


@pytest.mark.parametrize(
    ("plan", "key"),
    [
        (None, "roster_match_missing"),
        (MatchPlan(then=Method.DRAW), "match_then_refused"),
        (MatchPlan(quota=0), "match_quota_out_of_range"),
        (MatchPlan(must=()), "match_of_nothing"),
    ],
)
def test_a_match_that_means_nothing_is_refused(plan: MatchPlan | None, key: str) -> None:
    with pytest.raises(AppErrors) as refusal:
        allocate(replace(roster(Method.MATCH, people(1), 1), match=plan))
    assert [(type(each), each.key) for each in refusal.value.errors] == [(RosterImpossible, f"customers.{key}")]


# Ordered rules (P48)

VIP = AllocationRule("VIP", (Condition(TraitKind.LEVEL, ("A",)),), (person_id(0),))
OTHERS = AllocationRule("others", people=(person_id(1), person_id(2)))


def test_the_first_rule_that_fits_decides() -> None:
    south = AllocationRule("south", (Condition(TraitKind.TERRITORY, ("44",)),), (person_id(3),))
    dealt = ruled(people(4), OrderedRules((VIP, south, OTHERS)), SHANGHAI, SHENZHEN, CustomerFacts(), SHANGHAI)
    found = receivers(dealt)
    assert found[customer_id(0)] == found[customer_id(3)] == person_id(0)
    assert found[customer_id(1)] == person_id(3)
    assert found[customer_id(2)] in {person_id(1), person_id(2)}
    assert told(dealt, 1)[1] == "Rule 2, “south”, is the first that fits the customer, and rep 3 is one of its people."
    assert told(dealt, 1, 0) == ["rep 0 could not have “cust***1”: rule 2, “south”, gives such customers to others."]


def test_where_nobody_of_the_rule_may_the_default_owner_does_and_without_one_it_stays() -> None:
    full, *rest = people(4, holding_limit=9)
    candidates = (replace(full, holding=9), *rest)
    dealt = ruled(candidates, OrderedRules((VIP, OTHERS), person_id(3)), SHANGHAI)
    assert receivers(dealt) == {customer_id(0): person_id(3)}
    assert told(dealt, 0)[1] == (
        "Rule 1, “VIP”, is the first that fits the customer; nobody of it could have it,"
        " and rep 3 is the default owner."
    )
    alone = ruled(candidates, OrderedRules((VIP, OTHERS)), SHANGHAI)
    (pick,) = allocate(alone).picks
    assert (pick.employee_id, pick.nobody) == (None, Nobody.NONE_MAY)
    assert told(alone, 0)[1:] == [
        "rep 0 could not have “cust***0”: of the holding limit of 9, room for 0 was left.",
        *(
            f"rep {number} could not have “cust***0”: rule 1, “VIP”, gives such customers to others."
            for number in (1, 2, 3)
        ),
    ]


@pytest.mark.parametrize(
    ("rules", "keys"),
    [
        (None, ["roster_rules_missing"]),
        (OrderedRules(()), ["rules_too_many", "rules_without_catch_all"]),
        (OrderedRules((VIP,)), ["rules_without_catch_all"]),
        (OrderedRules((OTHERS, VIP, OTHERS)), ["rule_hides_others"]),
        (
            OrderedRules((AllocationRule("x", (Condition(TraitKind.LEVEL, ()),)), OTHERS)),
            ["rule_condition_empty"],
        ),
        (OrderedRules((replace(OTHERS, then=Method.WEIGHTED),)), ["rule_then_refused"]),
    ],
)
def test_rules_without_a_catch_all_are_refused(rules: OrderedRules | None, keys: list[str]) -> None:
    with pytest.raises(AppErrors) as refusal:
        allocate(replace(roster(Method.RULES, people(1), 1), rules=rules))
    assert [each.key for each in refusal.value.errors] == [f"customers.{key}" for key in keys]


# What holds for every method


@pytest.mark.parametrize("method", [Method.LEVEL, Method.MATCH, Method.RULES])
def test_records_of_one_company_go_to_one_person(method: Method) -> None:
    waiting = tuple(
        replace(each, match_group="one" if number % 3 == 0 else None)
        for number, each in enumerate(pooled(*[SHANGHAI] * 12))
    )
    dealt = replace(
        roster(method, people(5), waiting), match=MatchPlan(), rules=OrderedRules((AllocationRule("others"),))
    )
    units = allocate(dealt).picks
    assert len(units) == 9
    assert units[0].customer_ids == tuple(customer_id(number) for number in (0, 3, 6, 9))
    assert all(len(pick.customer_ids) == 1 for pick in units[1:])


@pytest.mark.parametrize("method", [Method.FLEXIBLE, Method.STRICT, Method.LEVEL, Method.MATCH, Method.RULES])
def test_l25_a_tie_never_goes_to_the_oldest_but_to_everybody_alike(method: Method) -> None:
    """L25: of five equal people, hired and listed one after another, each is first in 100 of 500, ± 4.5 deviations."""
    equal = tuple(replace(each, hired_on=DAY - timedelta(1000 - number)) for number, each in enumerate(people(5)))
    won = Counter(allocate(roster(method, equal, 1, seed=seeded(number))).picks[0].employee_id for number in range(500))
    assert set(won) == {person_id(number) for number in range(5)}
    assert all(abs(count - 100) <= 40 for count in won.values())
