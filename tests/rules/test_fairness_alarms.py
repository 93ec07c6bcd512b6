"""Chance is not called bias, and bias is: allocators of several minds before the one alarm of a report."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import comb
from random import Random
from uuid import UUID

import pytest

from saas.analytics.fairness import (
    AuditedPeriod,
    Design,
    FairnessReport,
    Measure,
    Null,
    Wheel,
    audit,
    judged,
    redraw,
)
from tests.rules.fairness_samples import (
    NEWCOMERS,
    PEOPLE,
    Allocator,
    dealt,
    equal_wheel,
    fair,
    favouring,
    pool,
    preferring_veterans,
)

GROUPS = {"south": frozenset(PEOPLE[::2])}
UNEVEN = Wheel(PEOPLE, (1, 2, 3, 1, 2, 3, 1, 2, 3, 2), NEWCOMERS)
ABSENT = Wheel(PEOPLE[2:], (1,) * 8, NEWCOMERS)


def most_alarms(runs: int, *, level: float = 0.05, doubt: float = 0.001) -> int:
    """The most of so many fair runs that may alarm, but for one case in a thousand, if 5 % do."""
    beyond = 1.0
    for alarms in range(runs + 1):
        beyond -= comb(runs, alarms) * level**alarms * (1 - level) ** (runs - alarms)
        if beyond < doubt:
            return alarms
    raise AssertionError("chances add up to 1")


def reports(period: AuditedPeriod, null: Null, allocator: Allocator, *, seed: int, runs: int) -> list[FairnessReport]:
    """So many dealings of the same customers; what chance makes of them is the same for all."""
    random = Random(seed)
    return [judged(dealt(period, allocator, random), null) for _ in range(runs)]


def staged(seed: int, picks: int, *wheels: Wheel) -> tuple[AuditedPeriod, Null]:
    period = pool(Random(seed), picks, *wheels, groups=GROUPS)
    return period, redraw(Design(period), seed=seed)


def test_fair_allocators_alarm_in_five_percent_of_runs_at_most() -> None:
    alarms = 0
    for seed, wheels in ((1, (equal_wheel(),)), (2, (UNEVEN,)), (3, (UNEVEN, ABSENT, equal_wheel(PEOPLE[:6])))):
        period, null = staged(seed, 150, *wheels)
        alarms += sum(bool(report.alarms) for report in reports(period, null, fair, seed=seed, runs=100))
    assert most_alarms(300) == 28
    assert alarms <= most_alarms(300)


def test_veterans_first_is_detected() -> None:
    period, null = staged(4, 900, equal_wheel())
    found = reports(period, null, preferring_veterans, seed=4, runs=40)
    assert sum(bool(report.alarms) for report in found) >= 36
    named = [report for report in found if any(_is_of_newcomers(report, Measure.PICKS))]
    assert len(named) >= 36
    newcomers = named[0].newcomers
    assert newcomers is not None
    figure = newcomers.shares[Measure.PICKS]
    assert figure.observed < figure.low < figure.expected
    assert figure.is_alarm


def _is_of_newcomers(report: FairnessReport, measure: Measure) -> list[bool]:
    return [each.line is report.newcomers and each.measure is measure for each in report.alarms]


def test_valuable_customers_for_a_friend_are_detected_and_the_friend_is_named() -> None:
    friend = PEOPLE[7]
    period, null = staged(5, 500, equal_wheel())
    dear = sorted(pick.value for pick in period.picks)[-75]
    found = reports(period, null, favouring(friend, from_value=dear), seed=5, runs=40)
    named = [
        report
        for report in found
        if any(each.line is not None and each.line.person == friend for each in report.alarms)
    ]
    assert len(named) >= 36
    of_friend = next(line for line in named[0].people if line.person == friend)
    assert of_friend.shares[Measure.VALUE].observed > of_friend.shares[Measure.VALUE].high


def test_strict_turns_raise_no_alarm_for_being_evener_than_chance() -> None:
    period = pool(Random(6), 400, equal_wheel())
    turns = [replace(pick, employee_id=PEOPLE[number % 10]) for number, pick in enumerate(period.picks)]
    alike = [replace(pick, value=100, waited_days=1, is_won=False) for pick in turns]
    report = audit(AuditedPeriod(tuple(alike)), seed=6)
    assert report.indices is not None
    assert report.indices["gini"].observed < report.indices["gini"].low
    assert report.indices["jain"].observed > report.indices["jain"].high
    assert report.alarms == ()
    assert {line.shares[Measure.PICKS].p_adjusted for line in report.people} == {1}


def test_everything_to_one_person_sets_off_the_indices_too() -> None:
    period = pool(Random(7), 80, equal_wheel())
    report = audit(dealt(period, lambda random, pick: PEOPLE[0], Random(7)), seed=7)
    assert {each.index for each in report.alarms} == {"gini", "jain", None}
    (of_first,) = [
        each.figure
        for each in report.alarms
        if each.line and each.line.person == PEOPLE[0] and each.measure is Measure.PICKS
    ]
    assert of_first.observed == 1
    assert of_first.p_adjusted == Decimal("0.000500")  # one of 2,001
    assert [each.figure.p_adjusted for each in report.alarms] == sorted(
        each.figure.p_adjusted for each in report.alarms if each.figure.p_adjusted is not None
    )


def test_few_picks_are_shown_and_judged_in_their_groups_only() -> None:
    period = pool(Random(8), 30, equal_wheel())
    report = audit(dealt(period, lambda random, pick: VETERAN, Random(8)), seed=8)
    assert {line.shares[Measure.PICKS].p_adjusted for line in report.people} == {None}
    assert report.newcomers is not None
    assert report.newcomers.shares[Measure.PICKS].is_alarm


VETERAN = PEOPLE[1]


def test_one_huge_customer_does_not_make_chance_look_like_bias() -> None:
    """Whoever gets it has most of the value: that says nothing, and so it is not judged by person."""
    period = pool(Random(9), 200, equal_wheel())
    huge = replace(period.picks[0], value=1000 * sum(pick.value for pick in period.picks))
    report = audit(dealt(AuditedPeriod((huge, *period.picks[1:])), fair, Random(9)), seed=9)
    assert {line.shares[Measure.VALUE].p_adjusted for line in report.people} == {None}
    assert report.alarms == ()


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(8))
def test_fair_allocators_over_many_designs_each_with_redraws_of_its_own(seed: int) -> None:
    """Also of so many picks that redraws share the outcomes of blocks."""
    random = Random(100 + seed)
    alarms = 0
    for _ in range(25):
        weights = tuple(random.randint(1, 6) for _ in PEOPLE)
        period = pool(random, 2_600, Wheel(PEOPLE, weights, NEWCOMERS), equal_wheel(PEOPLE[1:]), groups=GROUPS)
        null = redraw(Design(period), seed=random.getrandbits(32))
        alarms += sum(bool(judged(dealt(period, fair, random), null).alarms) for _ in range(20))
    assert alarms <= most_alarms(500)


@pytest.mark.drill
def test_bias_is_found_in_five_hundred_customers_with_fifty_people() -> None:
    people = tuple(UUID(int=number + 1) for number in range(50))
    wheel = Wheel(people, (1,) * 50, frozenset(people[25:]))
    random, found = Random(10), 0
    for _ in range(40):
        period = dealt(pool(random, 900, wheel), preferring_veterans, random)
        found += bool(audit(period, seed=random.getrandbits(32)).alarms)
    assert found >= 36
