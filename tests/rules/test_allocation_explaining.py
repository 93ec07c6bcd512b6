"""“Why this customer?” and “why not me?”: each method's sentence, each filter's, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from saas.customers.allocation import Candidate, Method, PickFacts, Roster, allocate, explain_passed_over, explain_pick
from saas.kernel import LOCALES, Catalogue, Explanation
from tests.rules.allocation_samples import BUILT_IN, customer_id, people, person_id, roster
from tests.rules.dealt_again import DealtAgain

CATALOGUE = Catalogue.of(["saas.customers"])
LI, WANG, ZHAO = (replace(each, name=name) for each, name in zip(people(3), ("Li Na", "Wang Wei", "Zhao"), strict=True))
AT = datetime(2026, 10, 30, 8, tzinfo=UTC)


def told(explanation: Explanation, locale: str = "en") -> list[str]:
    return [text for _, text, _ in explanation.lines(CATALOGUE, locale)]


def why(given: Roster, place: int, locale: str = "en") -> list[str]:
    return told(explain_pick(given, facts_of(given, place)), locale)


def why_not(given: Roster, place: int, who: Candidate, locale: str = "en") -> list[str]:
    return told(explain_passed_over(given, facts_of(given, place), employee_id=who.employee_id), locale)


def facts_of(given: Roster, place: int) -> PickFacts:
    return DealtAgain(given, allocate(given), customer_id(place)).facts()


def test_flexible() -> None:
    given = roster(Method.FLEXIBLE, (replace(LI, last_served_at=AT, assigned_in_cycle=4), WANG), 3)
    assert why(given, 0) == [
        "“cust***0” went to Wang Wei: of the 2 people who could have it, Wang Wei had gone longest without one.",
        "Wang Wei had not been served before; 0 in the cycle.",
    ]
    assert why_not(given, 0, LI) == [
        (
            "“cust***0” went to Wang Wei, who had gone longer without one than Li Na;"
            " equal waits go by fewest in the cycle, then by lot."
        ),
        "Li Na was served last at 2026-10-30T08:00:00+00:00; 4 in the cycle before this allocation.",
        "Wang Wei had not been served before; 0 in the cycle.",
    ]
    assert why(given, 2)[1] == "Wang Wei was served last in this allocation, as number 1; 0 in the cycle before it."
    assert why_not(given, 0, WANG) == why(given, 0)


def test_strict() -> None:
    given = roster(Method.STRICT, (LI, WANG, ZHAO), 2, turn_after=0)
    assert why(given, 0) == [
        "“cust***0” went to Wang Wei: in the fixed order it was turn 1, the next among the 3 people who could have it."
    ]
    assert why_not(given, 0, ZHAO) == [
        "“cust***0” went to Wang Wei: it was turn 1 in the fixed order, not Zhao's turn 2."
    ]


def test_weighted() -> None:
    given = roster(Method.WEIGHTED, (LI, replace(WANG, weight=3)), 4)
    allocation = allocate(given)
    assert allocation.picks[0].employee_id == WANG.employee_id
    assert why(given, 0) == [
        "“cust***0” went to Wang Wei: with a share of 75.00 % and 0 of 0 customers so far, Wang Wei was due first of 2."
    ]
    last = next(pick.place for pick in reversed(allocation.picks) if pick.employee_id == WANG.employee_id)
    received = allocation.counts()[WANG.employee_id] - 1
    assert why_not(given, last, LI) == [
        (
            f"“cust***{last}” went to Wang Wei, who was due first: 75.00 % and {received} of {last} so far;"
            f" Li Na: 25.00 % and {last - received}."
        )
    ]


def test_performance() -> None:
    given = roster(Method.PERFORMANCE, (replace(LI, attainment=Decimal("1.25")), WANG), 1)
    winner, other = (LI, WANG) if allocate(given).picks[0].employee_id == LI.employee_id else (WANG, LI)
    shares = {
        LI: "Li Na's attainment of 125.00 % from 2026-10-01 to 2026-10-31 gives the weight 1.2500 and the share"
        " 50.00 %; at least 10.00 % is guaranteed.",
        WANG: "Wang Wei has no attainment from 2026-10-01 to 2026-10-31 and counts with the average weight:"
        " the share is 50.00 %; at least 10.00 % is guaranteed.",
    }
    assert why(given, 0) == [
        (
            f"“cust***0” went to {winner.name}: performance gives {winner.name} 50.00 % of the customers; with 0 of 0"
            f" so far, {winner.name} was due first of 2."
        ),
        shares[winner],
    ]
    assert why_not(given, 0, other)[1:] == [shares[other], shares[winner]]


def test_load() -> None:
    both = (replace(LI, holding=1, holding_limit=4), replace(WANG, holding=90, holding_limit=100))
    assert why(roster(Method.LOAD_ABSOLUTE, both, 1), 0) == [
        (
            "“cust***0” went to Wang Wei: with room for 10 more of 100, Wang Wei had the most room"
            " of the 2 people who could have it."
        )
    ]
    relative = roster(Method.LOAD_RELATIVE, both, 2)
    assert why(relative, 1) == [
        (
            "“cust***1” went to Li Na: with room for 2 more of 4, Li Na had the largest free part"
            " of the 2 people who could have it."
        )
    ]
    assert why_not(relative, 1, WANG) == [
        "“cust***1” went to Li Na with room for 2 of 4; Wang Wei had room for 10 of 100; equal room goes by lot."
    ]


def test_draw_tells_the_number_and_whose_it_was() -> None:
    given = roster(Method.DRAW, (replace(LI, weight=2), WANG, replace(ZHAO, weight=3)), 1)
    parts = {LI: (0, 1), WANG: (2, 2), ZHAO: (3, 5)}
    drawn = allocate(given)
    number = drawn.drawn[0].number
    assert number is not None
    (winner,) = (who for who, (first, last) in parts.items() if first <= number <= last)
    first, last = parts[winner]
    assert why(given, 0) == [
        (
            f"“cust***0” went to {winner.name}: among 3 people the number {number} was drawn below 6;"
            f" {first} to {last} are {winner.name}'s."
        )
    ]
    for other, (start, end) in parts.items():
        if other != winner:
            assert why_not(given, 0, other) == [
                (
                    f"“cust***0” went to {winner.name}: the number {number} was drawn below 6;"
                    f" {start} to {end} were {other.name}'s, {first} to {last} {winner.name}'s."
                )
            ]


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (replace(LI, is_absent=True), "Li Na could not have “cust***0”: Li Na was absent on 2026-11-02."),
        (
            replace(LI, is_enabled=False),
            "Li Na could not have “cust***0”: Li Na takes no part in the pool's allocations.",
        ),
        (
            replace(LI, holding=5, holding_limit=5),
            "Li Na could not have “cust***0”: of the holding limit of 5, room for 0 was left.",
        ),
        (
            replace(LI, assignable=0),
            (
                "Li Na could not have “cust***0”: the assignment threshold allowed 0 more customers,"
                " and they were used up or too few."
            ),
        ),
        (
            replace(LI, cooldown_customers=frozenset({customer_id(0)})),
            "Li Na could not have “cust***0”: Li Na owned it before, and the cooldown is still running.",
        ),
        (replace(LI, weight=0), "Li Na could not have “cust***0”: Li Na's weight is 0."),
    ],
)
def test_who_was_filtered_is_told_the_rule(facts: Candidate, sentence: str) -> None:
    assert why_not(roster(Method.WEIGHTED, (facts, WANG), 1), 0, LI) == [sentence]


def test_what_stays_in_the_pool_says_why() -> None:
    given = roster(Method.FLEXIBLE, (replace(LI, holding_limit=1), replace(WANG, is_absent=True)), 2)
    assert why(given, 1, "zh-CN") == [
        "“cust***1”留在公海：届时所有人都已达到可接收的上限。",
        "Li Na不能接收“cust***1”：库容 1 个中只余 0 个。",
        "Wang Wei不能接收“cust***1”：Wang Wei在 2026-11-02 不在岗。",
    ]
    assert why(roster(Method.FLEXIBLE, (), 1), 0) == [
        "“cust***0” stays in the pool: nobody could receive customers in this allocation."
    ]
    cooling = (replace(LI, cooldown_customers=frozenset({customer_id(0)})),)
    assert why(roster(Method.FLEXIBLE, cooling, 1), 0)[0] == (
        "“cust***0” stays in the pool: nobody who still had room may have this customer."
    )


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("method", BUILT_IN)
def test_no_value_is_missing_in_either_language(method: Method, locale: str) -> None:
    facts = (replace(LI, attainment=Decimal(1)), replace(WANG, last_served_at=AT), ZHAO)
    given = roster(method, tuple(replace(each, holding_limit=2) for each in facts), 7)
    for place in range(7):
        for who in facts:
            texts = [*why(given, place, locale), *why_not(given, place, who, locale)]
            assert not [text for text in texts if "{" in text or text.startswith("customers.")]


def test_to_who_is_not_on_the_roster_nothing_is_explained() -> None:
    given = roster(Method.FLEXIBLE, (LI,), 1)
    with pytest.raises(KeyError):
        explain_passed_over(given, facts_of(given, 0), employee_id=person_id(9))
