"""Lines of behaviour reports: comparison, medians that tell of nobody, returns, flows, periods."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.analytics.behaviour import (
    MEASURES,
    CustomerFacts,
    Flow,
    Grouping,
    Line,
    Observed,
    Return,
    ReturnKind,
    Seat,
    Tally,
    Tree,
    add_flow,
    lines,
    percentile,
    period_before,
    period_last_year,
    period_of,
    returns,
)
from saas.customers import HeldOwnership
from saas.kernel import Period
from tests.rules.behaviour_samples import (
    ANN,
    BOB,
    CAT,
    EAST,
    MARCH,
    OTHER_POOL,
    POOL,
    WEST,
    customer,
    day,
    history,
    owned,
    tallied,
    terms,
)

ROOT, NORTH = UUID(int=100), UUID(int=103)
TREE = {ROOT: None, EAST: ROOT, WEST: ROOT, NORTH: EAST}


def people(*counts: int, team: UUID = EAST, first: int = 1) -> dict[Seat, Tally]:
    """People of a department with so many follow-ups each."""
    return {
        (UUID(int=number), team): Tally(Counter(touches=count, new_touches=count // 2))
        for number, count in enumerate(counts, start=first)
    }


def observed(now: dict[Seat, Tally], before: dict[Seat, Tally] | None = None) -> Observed:
    return Observed(now, before, Tree(TREE, dict([*now, *(before or ())])))


def figure(line: Line, key: str = "follow_ups") -> Any:
    return next(each for each in line.figures if each.measure.key == key)


def by_person(facts: Observed, *visible: UUID) -> dict[UUID | None, Line]:
    seats = [seat for seat in {**facts.now, **(facts.before or {})} if not visible or seat[0] in visible]
    return {line.id: line for line in lines(facts, Grouping.PERSON, visible=seats)}


def test_a_figure_stands_beside_the_other_period() -> None:
    facts = observed(people(8, 4), people(5))
    ann, bob = by_person(facts).values()
    assert (figure(ann).value, figure(ann).before, figure(ann).difference) == (8, 5, 3)
    assert (figure(bob).before, figure(bob).difference) == (0, 4)
    share = figure(bob, "new_follow_ups")
    assert (share.value, share.sample) == (Decimal("0.5000"), 4)
    assert (share.before, share.sample_before, share.difference) == (None, 0, None)
    alone = figure(by_person(observed(people(8)))[ANN])
    assert (alone.before, alone.difference) == (None, None)


def test_median_is_of_the_nearest_department_with_five_people() -> None:
    facts = observed(
        {**people(1, 2, 3, 4, team=EAST), **people(9, team=NORTH, first=5), **people(50, team=WEST, first=6)}
    )
    found = by_person(facts)
    five, whole = figure(found[UUID(int=5)]), figure(found[UUID(int=6)])
    # north lies below east, which has five with it; west has one, so it is told of the whole company
    assert (found[UUID(int=5)].group_id, five.median, five.people) == (EAST, 3, 5)
    assert (found[UUID(int=6)].group_id, whole.median, whole.people) == (ROOT, 3, 6)


def test_nothing_is_told_of_fewer_than_five() -> None:
    four = by_person(observed(people(1, 2, 3, 4)))[ANN]
    assert (four.group_id, figure(four).median, figure(four).people) == (None, None, 4)
    some = by_person(observed(people(1, 2, 3, 0, 0)))[ANN]
    # five have follow-ups to count, three a share of them
    assert (figure(some).median, figure(some).people) == (1, 5)
    assert (figure(some, "new_follow_ups").median, figure(some, "new_follow_ups").people) == (None, 3)


def test_median_does_not_depend_on_who_asks() -> None:
    facts = observed(people(1, 2, 3, 4, 5))
    assert by_person(facts, ANN)[ANN] == by_person(facts)[ANN]
    assert list(by_person(facts, ANN)) == [ANN]


def test_departments_and_all_are_shown_to_who_sees_everybody_in_them() -> None:
    facts = observed({**people(1, 2), **people(4, team=NORTH, first=3), **people(8, team=WEST, first=4)})
    seats = set(facts.now)

    def told(visible: set[Seat], grouping: Grouping = Grouping.DEPARTMENT) -> dict[UUID | None, tuple[int, object]]:
        return {line.id: (line.people, figure(line).value) for line in lines(facts, grouping, visible=visible)}

    assert told(seats) == {ROOT: (4, 15), EAST: (3, 7), NORTH: (1, 4), WEST: (1, 8)}
    assert told({seat for seat in seats if seat[1] != WEST}) == {EAST: (3, 7), NORTH: (1, 4)}
    assert told({seat for seat in seats if seat[1] == EAST}) == {}
    assert told(seats, Grouping.WHOLE) == {None: (4, 15)}
    assert told(seats - {(ANN, EAST)}, Grouping.WHOLE) == {}
    assert lines(observed({}), Grouping.WHOLE, visible=()) == []


def test_a_person_of_two_departments_is_seen_as_far_as_those_are() -> None:
    facts = observed({(ANN, EAST): Tally(Counter(touches=3)), (ANN, WEST): Tally(Counter(touches=5))})
    (whole,) = lines(facts, Grouping.PERSON, visible=set(facts.now))
    (part,) = lines(facts, Grouping.PERSON, visible={(ANN, WEST)})
    assert (figure(whole).value, figure(part).value) == (8, 5)


@given(st.integers(0, 10**9))
def test_departments_add_up_what_their_people_did(seed: int) -> None:
    facts = observed(dict(tallied(*history(seed))))
    for whole in lines(facts, Grouping.WHOLE, visible=set(facts.now)):
        single = by_person(facts).values()
        for place, measure in enumerate(MEASURES):
            if measure.unit.value == "count":
                assert whole.figures[place].value == sum(line.figures[place].value or 0 for line in single)


@given(st.lists(st.integers(0, 50), max_size=40), st.sampled_from([50, 90]))
def test_percentile_is_the_nearest_rank(values: list[int], percent: int) -> None:
    found = percentile(Counter(values), percent)
    if not values:
        assert found is None
        return
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def told(
    *ownerships: HeldOwnership, period: Period = MARCH
) -> list[tuple[ReturnKind, UUID, UUID, tuple[UUID, ...], int]]:
    found: list[Return] = list(returns(customer(*ownerships), period, terms()))
    return [(each.kind, each.former_id, each.receiver_id, each.through, each.days) for each in found]


def test_l08_return_is_a_former_owner_inside_twice_the_cooldown() -> None:
    """A friend claims, gives back, and the former owner has it again; the cooldown is seven days."""
    friend = owned(BOB, 4, 9, team=WEST)
    assert told(owned(ANN, -5, 3), friend, owned(ANN, 17)) == [(ReturnKind.PERSON, ANN, ANN, (BOB,), 14)]
    assert told(owned(ANN, -5, 3), friend, owned(ANN, 18)) == []
    assert told(owned(ANN, -5, 3), owned(ANN, 12)) == [(ReturnKind.PERSON, ANN, ANN, (), 9)]
    assert told(owned(ANN, -5, 3, end="transfer"), owned(BOB, 3, 5, start="transfer"), owned(ANN, 8)) == [
        (ReturnKind.PERSON, ANN, ANN, (BOB,), 5)
    ]


def test_return_to_the_department_goes_through_another() -> None:
    others = owned(CAT, 4, 9, team=WEST)
    assert told(owned(ANN, -5, 3), others, owned(BOB, 12)) == [(ReturnKind.DEPARTMENT, ANN, BOB, (CAT,), 9)]
    assert told(owned(ANN, -5, 3), owned(BOB, 12)) == []  # a colleague claims: nobody else had it
    assert told(owned(ANN, -5, 3), others, owned(BOB, 18)) == []


def test_only_what_was_received_in_the_period_and_pools_is_a_return() -> None:
    assert told(owned(ANN, -5, 3), owned(ANN, 12), period=period_before(MARCH)) == []
    assert told(owned(ANN, -5, 3), owned(ANN, 12, pool=OTHER_POOL)) == []
    assert told(owned(ANN, -5, 3), owned(ANN, 12, start="imported")) == []


def test_flow_tells_what_came_back_from_what_others_took_over() -> None:
    flow = Flow()
    rows = (
        owned(ANN, 1, 5, end="separation"),
        owned(BOB, 5, 9, start="assign", end="separation"),
        owned(ANN, 20, start="automatic"),
    )
    add_flow(customer(*rows, created=-9), POOL, MARCH, today=day(45), into=flow)
    # the first leaver's went to a successor at once; the last was taken too lately to know whether it comes back
    assert flow.back == Counter(separation=1)
    assert flow.taken == Counter(claim=1, assign=1, automatic=1)
    assert flow.waited == Counter({10: 1, 0: 1, 11: 1})
    assert (flow.returned, flow.kept) == (1, 1)


@pytest.mark.parametrize(
    ("first", "last", "before", "year"),
    [
        ("2026-03-01", "2026-03-31", ("2026-02-01", "2026-02-28"), ("2025-03-01", "2025-03-31")),
        ("2026-01-01", "2026-03-31", ("2025-10-01", "2025-12-31"), ("2025-01-01", "2025-03-31")),
        ("2024-02-01", "2024-02-29", ("2024-01-01", "2024-01-31"), ("2023-02-01", "2023-02-28")),
        ("2025-02-01", "2025-02-28", ("2025-01-01", "2025-01-31"), ("2024-02-01", "2024-02-29")),
        ("2026-03-02", "2026-03-08", ("2026-02-23", "2026-03-01"), ("2025-03-02", "2025-03-08")),
        ("2024-02-29", "2024-02-29", ("2024-02-28", "2024-02-28"), ("2023-02-28", "2023-02-28")),
    ],
)
def test_other_periods(first: str, last: str, before: tuple[str, str], year: tuple[str, str]) -> None:
    period = period_of(date.fromisoformat(first), date.fromisoformat(last))
    assert period.last == date.fromisoformat(last)
    assert [str(period_before(period).first), str(period_before(period).last)] == list(before)
    assert [str(period_last_year(period).first), str(period_last_year(period).last)] == list(year)


def test_measures_have_keys_of_their_own() -> None:
    keys = [measure.key for measure in MEASURES]
    assert len(set(keys)) == len(keys) == 38
    nothing = {measure.key: measure.of(Tally()) for measure in MEASURES}
    assert {each.value for each in nothing.values()} == {None, Decimal(0)}
    assert {each.sample for each in nothing.values()} == {0}
    assert CustomerFacts(customer(owned(ANN, 1))).worth(0, MARCH, unit=100) == 100
