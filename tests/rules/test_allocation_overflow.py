"""What goes to the overflow assignee (P13): what thresholds alone keep from everybody, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.customers.allocation import (
    AllocationRule,
    Candidate,
    Commitment,
    Condition,
    CustomerFacts,
    Method,
    OrderedRules,
    PickFacts,
    PluginMethod,
    PluginPlace,
    PooledCustomer,
    Roster,
    Seal,
    SecretSeed,
    TraitKind,
    allocate,
    certify,
    commit,
    explain_passed_over,
    explain_pick,
    verify_certificate,
)
from tests.rules.allocation_samples import BUILT_IN, SEED, customer_id, customers, people, person_id, roster

BOSS = person_id(50)


def assignee(**facts: object) -> Candidate:
    return Candidate(BOSS, "boss", **facts)  # type: ignore[arg-type]


def overflowing(dealt: Roster, **facts: object) -> list[int]:
    """The places that overflow."""
    return sorted(allocate(replace(dealt, overflow=assignee(**facts))).overflow)


@pytest.mark.parametrize("method", BUILT_IN)
def test_it_leaves_the_method_alone_and_takes_what_is_over(method: Method) -> None:
    """By every method: two people may have two each, seven wait, the assignee has room for two."""
    dealt = roster(method, people(2, assignable=2, holding_limit=100), 7)
    without, with_it = allocate(dealt), allocate(replace(dealt, overflow=assignee(holding=8, holding_limit=10)))
    assert (with_it.picks, with_it.filtered, with_it.balances) == (without.picks, without.filtered, without.balances)
    assert with_it.overflow == {4: BOSS, 5: BOSS}
    assert [with_it.receiver(place) for place in (4, 5, 6)] == [BOSS, BOSS, None]
    assert with_it.receivers()[:4] == [pick.employee_id for pick in without.picks[:4]]


@pytest.mark.parametrize(
    "facts",
    [
        {"is_enabled": False, "assignable": 0},
        {"is_absent": True, "assignable": 0},
        {"holding": 3, "holding_limit": 3, "assignable": 0},
        {"holding": 3, "holding_limit": 3},
        {"assignable": 0, "cooldown_customers": frozenset({customer_id(0)})},
    ],
)
def test_nothing_goes_over_where_another_rule_kept_it_from_all(facts: dict[str, object]) -> None:
    assert overflowing(roster(Method.FLEXIBLE, people(2, **facts), 1)) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"is_enabled": False},
        {"is_absent": True},
        {"holding": 5, "holding_limit": 5},
        {"cooldown_customers": frozenset({customer_id(0)})},
    ],
)
def test_an_assignee_who_may_not_have_it_gets_nothing(facts: dict[str, object]) -> None:
    assert overflowing(roster(Method.FLEXIBLE, people(1, assignable=0), 1), **facts) == []


def test_an_assignee_on_the_roster_keeps_their_holding_limit_over_both() -> None:
    boss = assignee(assignable=1, holding_limit=3, weight=1, turn=1)
    dealt = roster(Method.STRICT, (*people(1, assignable=1), boss), 6)
    found = allocate(replace(dealt, overflow=replace(boss, assignable=None)))
    assert found.receivers().count(BOSS) == 3
    assert sorted(found.overflow) == [2, 3]
    assert found.turn_after == allocate(dealt).turn_after


def test_records_of_one_company_go_over_together_or_stay() -> None:
    pooled = tuple(replace(each, match_group="a") for each in customers(3)) + customers(1, first=3)
    dealt = roster(Method.FLEXIBLE, people(1, assignable=0), pooled)
    assert overflowing(dealt, holding_limit=2) == [1]
    assert overflowing(dealt, holding_limit=3) == [0]


def test_a_rule_sends_over_only_what_its_own_people_are_held_up_with() -> None:
    """Rule 1 is for who has a used-up threshold, the others are for who has no room at all."""
    held_up, full = person_id(0), person_id(1)
    rules = OrderedRules(
        (
            AllocationRule("north", (Condition(TraitKind.TERRITORY, ("11",)),), (held_up,)),
            AllocationRule("others", (), (full,)),
        )
    )
    candidates = (people(1, assignable=0)[0], replace(people(2)[1], holding=1, holding_limit=1))
    pooled = tuple(
        PooledCustomer(customer_id(at), "cust", facts=CustomerFacts(territory=code)) for at, code in enumerate("14")
    )
    pooled = (replace(pooled[0], facts=CustomerFacts(territory="110000")), pooled[1])
    dealt = replace(roster(Method.RULES, candidates, pooled), rules=rules)
    assert overflowing(dealt) == [0]


def test_a_plugin_is_not_told_of_people_who_are_full_already() -> None:
    answer = PluginPlace(None, 0, "sample.explained.x", {})
    pooled = tuple(replace(each, answer=answer) for each in customers(1))
    plugin = PluginMethod("sample", "1.0.0", "x", (frozenset(),))
    dealt = replace(roster(Method.PLUGIN, people(2, assignable=0), pooled), plugin=plugin)
    assert overflowing(dealt) == [0]
    free = replace(roster(Method.PLUGIN, people(2, assignable=5), pooled), plugin=plugin)
    assert overflowing(free) == []


def test_the_certificate_of_a_draw_tells_what_was_drawn() -> None:
    dealt = replace(roster(Method.DRAW, people(2, assignable=1), 4), overflow=assignee())
    seal = Seal(SecretSeed(SEED), bytes(32))
    commitment: Commitment = commit(replace(dealt, seed=None), seal)
    drawn = allocate(dealt)
    assert drawn.overflow == {2: BOSS, 3: BOSS}
    certificate = certify(dealt, seal, drawn=drawn)
    found = verify_certificate(certificate.content, commitment=commitment.digest, picks_root=certificate.picks_root)
    assert found == []
    assert str(BOSS) not in certificate.content.decode()


def test_why_it_went_there_and_why_not_to_others() -> None:
    dealt = replace(roster(Method.FLEXIBLE, people(2, assignable=0), 1), overflow=assignee())
    (pick,) = allocate(dealt).picks
    facts = PickFacts(
        "cust***0", 0, frozenset({customer_id(0)}), BOSS, pick.nobody, received={}, shares={}, is_overflow=True
    )
    why = explain_pick(dealt, facts)
    assert (why.key, why.args) == ("customers.allocated_overflow", {"customer": "cust***0", "name": "boss"})
    assert [part.key for part in why.parts] == ["customers.filtered_threshold"] * 2
    assert explain_passed_over(dealt, facts, employee_id=BOSS) == why
    assert explain_passed_over(dealt, facts, employee_id=person_id(0)).key == "customers.filtered_threshold"
    with pytest.raises(KeyError):
        explain_passed_over(dealt, replace(facts, is_overflow=False), employee_id=BOSS)


PEOPLE: st.SearchStrategy[list[dict[str, object]]] = st.lists(
    st.builds(
        dict,
        assignable=st.none() | st.integers(0, 3),
        holding_limit=st.none() | st.integers(0, 4),
        is_absent=st.booleans(),
        cooldown_customers=st.frozensets(st.integers(0, 6).map(customer_id), max_size=3),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150)
@given(PEOPLE, st.integers(1, 7), st.none() | st.integers(0, 4), st.frozensets(st.integers(0, 6), max_size=2))
def test_it_is_what_somebody_would_have_had_without_thresholds(
    facts: list[dict[str, object]], count: int, limit: int | None, cooling: frozenset[int]
) -> None:
    """The oracle follows the picks and asks of each customer nobody got who had room for it but for a threshold."""
    candidates = tuple(
        Candidate(person_id(number), f"rep {number}", turn=number, **each)  # type: ignore[arg-type]
        for number, each in enumerate(facts)
    )
    boss = assignee(holding_limit=limit, cooldown_customers=frozenset(map(customer_id, cooling)))
    found = allocate(replace(roster(Method.FLEXIBLE, candidates, count), overflow=boss))
    got: dict[UUID, int] = {}
    expected: dict[int, UUID] = {}
    for pick in found.picks:
        if pick.employee_id is not None:
            got[pick.employee_id] = got.get(pick.employee_id, 0) + 1
            continue
        (customer,) = pick.customer_ids
        wanting = [
            each
            for each in candidates
            if not each.is_absent
            and customer not in each.cooldown_customers
            and (each.holding_limit is None or got.get(each.employee_id, 0) < each.holding_limit)
        ]
        if wanting and (limit is None or len(expected) < limit) and customer not in boss.cooldown_customers:
            expected[pick.place] = BOSS
    assert dict(found.overflow) == expected
