"""What people did, added up: by hand, and against a reckoning day by day over histories of every kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.analytics.behaviour import CustomerFacts, Seat, Tally, figure_of, observe, period_before
from tests.rules.behaviour_oracle import tallies_of
from tests.rules.behaviour_samples import (
    ANN,
    BOB,
    CAT,
    EAST,
    LONG,
    MARCH,
    OTHER_POOL,
    POOL,
    WEST,
    customer,
    day,
    deal,
    history,
    owned,
    plain,
    tallied,
    terms,
    visit,
)


def sums(found: Mapping[Seat, Tally]) -> dict[str, int]:
    return {name: number for name, number in found[ANN, EAST].sums.items() if number}


@settings(max_examples=60)
@given(st.integers(0, 10**9), st.sampled_from([None, 10]), st.sampled_from([1, 20, 45, 300]))
def test_tallies_agree_with_a_reckoning_day_by_day(seed: int, days: int | None, today: int) -> None:
    by = terms(days=days, today=day(today))
    made = history(seed, today=by.today)
    assert plain(tallied(*made, by=by)) == plain(tallies_of(made, MARCH, by))


@settings(max_examples=20)
@given(st.integers(0, 10**9))
def test_two_periods_at_once_are_the_two_alone(seed: int) -> None:
    made, by, before = history(seed), terms(), period_before(MARCH)
    both: list[dict[Seat, Tally]] = [{}, {}]
    paid = [CustomerFacts(each.held, each.touches, each.deals, [*each.collected, 0]) for each in made]
    for each in paid:
        observe(each, [MARCH, before], by, both)
    other = [CustomerFacts(each.held, each.touches, each.deals, [0]) for each in made]
    assert plain(both[0]) == plain(tallied(*made, by=by))
    assert plain(both[1]) == plain(tallied(*other, period=before, by=by))


@settings(max_examples=20)
@given(st.integers(0, 10**9))
def test_what_was_held_went_in_and_out(seed: int) -> None:
    for tally in tallied(*history(seed)).values():
        ins = sum(number for name, number in tally.sums.items() if name.startswith("in_"))
        outs = sum(number for name, number in tally.sums.items() if name.startswith("out_"))
        assert tally.sums["opening"] + ins - outs == tally.sums["closing"]
        assert tally.sums["opening"] + ins == tally.sums["held"]


def test_silence_begins_after_the_days_of_the_rule_and_ends_with_a_follow_up() -> None:
    # received on the 1st, ten days: silent on the 12th to the 14th, again from the 26th (15 + 10 + 1) to the 31st
    held = CustomerFacts(customer(owned(ANN, 1)), [visit(ANN, 15)], [], [250])
    found = sums(tallied(held))
    assert (found["held_days"], found["silent_days"]) == (31, 3 + 6)
    assert (found["held_worth"], found["silent_worth"]) == (31 * 250, 9 * 250)
    assert (
        figure_of("hoarding", tallied(held)[ANN, EAST]).value
        == figure_of("hoarding_even", tallied(held)[ANN, EAST]).value
    )


def test_value_weighs_what_the_customer_paid_else_signed_else_one() -> None:
    silent = [owned(ANN, 1)]
    served = CustomerFacts(
        customer(*silent, number=1), [visit(ANN, each) for each in (8, 16, 24)], [deal(-100, 9_00)], [0]
    )
    left = CustomerFacts(customer(*silent, number=2), [], [], [0])
    tally = tallied(served, left)[ANN, EAST]
    # the one left alone is silent from the 12th on: twenty days of 31 that weigh 100 against 900
    assert tally.sums["silent_worth"] == 20 * 100
    assert str(figure_of("hoarding", tally).value) == "0.0645"
    assert str(figure_of("hoarding_even", tally).value) == "0.3226"


def test_rule_is_the_levels_own_and_thirty_days_where_it_is_off() -> None:
    important = CustomerFacts(customer(owned(ANN, 1), level="A"), collected=[0])
    assert sums(tallied(important))["silent_days"] == 31 - 6
    ordinary = CustomerFacts(customer(owned(ANN, -9)), collected=[0])
    assert sums(tallied(ordinary, by=terms(days=None)))["silent_days"] == 10


def test_transfer_within_a_team_keeps_the_silence_and_one_to_another_ends_it() -> None:
    for team, silent in ((EAST, 11), (WEST, 0)):
        passed = customer(owned(ANN, 1, 21, end="transfer"), owned(BOB, 21, start="transfer", team=team))
        found = tallied(CustomerFacts(passed, collected=[0]))
        assert found[ANN, EAST].sums["silent_days"] == 9  # 12th to 20th
        assert found[BOB, team].sums["silent_days"] == silent


def test_only_what_counts_for_recycling_counts() -> None:
    done = [
        visit(ANN, 2, "上门拜访"),
        visit(ANN, 5, "上 门 拜 访"),  # a copy
        visit(BOB, 6),  # not the owner
        visit(ANN, 7, "短", kind="note"),
        visit(ANN, 9, LONG, kind="note"),
        visit(ANN, 12, LONG + "。", kind="message"),
    ]
    tally = tallied(CustomerFacts(customer(owned(ANN, 1)), done, collected=[0]))[ANN, EAST]
    assert tally.sums["touches"] == 2
    assert tally.gaps == Counter({7: 1})
    assert tally.answers == Counter({(24 + 6) * 3600: 1})


def test_others_count_for_the_owner_of_the_moment_where_the_pool_lets_them() -> None:
    passed = customer(owned(ANN, 1, 10, end="transfer"), owned(BOB, 10, start="transfer"))
    done = CustomerFacts(passed, [visit(CAT, 5), visit(CAT, 20), visit(ANN, 10)], collected=[0])
    for counts, expected in ((False, (1, 0)), (True, (2, 1))):
        by = terms()
        pool = replace(by.pools[POOL], rules=replace(by.pools[POOL].rules, collaborators_count=counts))
        found = tallied(done, by=replace(by, pools={POOL: pool}))
        # what Ann did on the day she handed over is hers, though Bob had the customer by then
        assert tuple(found[person, EAST].sums["touches"] for person in (ANN, BOB)) == expected


def test_days_between_reach_back_before_the_period() -> None:
    done = [visit(ANN, number) for number in (-10, 4, 4, 24, 40)]
    tally = tallied(CustomerFacts(customer(owned(ANN, -20)), done, collected=[0]))[ANN, EAST]
    assert tally.gaps == Counter({14: 1, 20: 1})
    assert figure_of("days_between", tally).value == 14
    assert figure_of("days_between_p90", tally).value == 20


def test_who_was_never_answered_and_who_still_may_be() -> None:
    held = [
        CustomerFacts(customer(owned(ANN, 3, 5), number=1), collected=[0]),  # given back
        CustomerFacts(customer(owned(ANN, 9), number=2), collected=[0]),  # eleven days ago
        CustomerFacts(customer(owned(ANN, 10), number=3), collected=[0]),  # ten
        CustomerFacts(customer(owned(ANN, 10), number=4), [visit(ANN, 11, hour=21)], collected=[0]),
        CustomerFacts(customer(owned(ANN, 10, start="transfer"), number=5), collected=[0]),  # not from the pool
    ]
    tally = tallied(*held, by=terms(today=day(20)))[ANN, EAST]
    assert (tally.sums["never_answered"], tally.sums["waiting"]) == (2, 1)
    assert (str(figure_of("response", tally).value), figure_of("response", tally).sample) == ("36.00", 1)
    assert str(figure_of("never_answered", tally).value) == "0.6667"


def test_conversion_leaves_out_what_is_not_known_yet_and_what_others_took() -> None:
    held = [
        CustomerFacts(customer(owned(ANN, 1), number=1), [], [deal(21)], [0]),  # the twentieth day: in time
        CustomerFacts(customer(owned(ANN, 1), number=2), [], [deal(22)], [0]),  # a day late
        CustomerFacts(customer(owned(ANN, 1, 5), number=3), [], [deal(6)], [0]),  # somebody else's
        CustomerFacts(customer(owned(ANN, 1, 5, end="transfer"), number=4), [], [], [0]),
        CustomerFacts(customer(owned(ANN, 9), number=5), [], [deal(10)], [0]),  # won, but its days are not over
        CustomerFacts(customer(owned(ANN, 1, start="created"), number=6), [], [deal(2)], [0]),
    ]
    tally = tallied(*held, by=terms(today=day(22)))[ANN, EAST]
    assert (tally.sums["cohort_claim"], tally.sums["won_claim"], tally.sums["censored"]) == (3, 1, 2)
    figure = figure_of("conversion", tally)
    assert (str(figure.value), figure.sample) == ("0.3333", 3)
    assert figure_of("conversion_assign", tally).value is None


def test_new_is_first_dealt_in_the_period_or_received_lately() -> None:
    done = [visit(ANN, 2), visit(ANN, 25)]
    for begins, deals, expected in (
        (-60, [], 0),
        (-60, [deal(10)], 2),
        (-60, [deal(-5), deal(10)], 0),
        (-10, [], 1),  # thirty days after day -10 is day 20
        (-10, [deal(-5)], 1),
    ):
        tally = tallied(CustomerFacts(customer(owned(ANN, begins)), done, deals, [0]))[ANN, EAST]
        assert tally.sums["new_touches"] == expected, (begins, deals)


def test_other_pools_are_left_out_but_for_the_history() -> None:
    elsewhere = customer(owned(ANN, 1, 9, pool=OTHER_POOL), owned(CAT, 12, team=WEST))
    assert set(tallied(CustomerFacts(elsewhere, collected=[0]))) == {(CAT, WEST)}


@pytest.mark.parametrize("offset", [0, 1, 7])
def test_nothing_is_known_after_today(offset: int) -> None:
    by = terms(today=MARCH.first + timedelta(days=offset))
    assert sums(tallied(CustomerFacts(customer(owned(ANN, 1)), collected=[0]), by=by))["held_days"] == offset + 1
