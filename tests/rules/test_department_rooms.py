"""Room that departments have together (P09): kept by every method, and nobody is kept out without need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given

from saas.customers.allocation import (
    Candidate,
    DealtUnit,
    DepartmentRoom,
    FilterRule,
    Method,
    Pick,
    Roster,
    Seal,
    SecretSeed,
    allocate,
    certify,
    chances,
    commit,
    verify_certificate,
    with_department_shares,
)
from tests.rules.allocation_samples import customers, person_id, roster, seeded
from tests.rules.test_explained_from_stored import rosters

_AIMED = (Method.MATCH, Method.RULES)
TEAM = DepartmentRoom(UUID(int=1), "华东", 7, 3)
WHOLE = DepartmentRoom(UUID(int=0), "公司", 20, 10)


def replayed(dealt: Roster, picks: tuple[Pick, ...]) -> Iterator[tuple[Pick, set[UUID]]]:
    """Each pick with who could have had it, looked at person by person: own room, departments, cooldown."""
    got: Counter[UUID] = Counter()
    for pick in picks:
        size = len(pick.customer_ids)
        yield pick, {each.employee_id for each in dealt.candidates if _could(dealt, each, pick, size, got)}
        if pick.employee_id is not None:
            got[pick.employee_id] += size


def _could(dealt: Roster, who: Candidate, pick: Pick, size: int, got: Counter[UUID]) -> bool:
    if (
        not who.is_enabled
        or who.is_absent
        or who.is_on_leave
        or who.is_off_hours
        or (dealt.method.needs_weight and not who.weight)
    ):
        return False
    if not who.cooldown_customers.isdisjoint(pick.customer_ids):
        return False
    own = [] if who.assignable is None else [who.assignable]
    own += [] if who.holding_limit is None else [who.holding_limit - who.holding]
    own += [] if who.department_share is None else [who.department_share]
    for room in who.departments:
        theirs = [each for each in dealt.candidates if room in each.departments]
        own.append(room.limit - room.holding - sum(got[each.employee_id] for each in theirs) + got[who.employee_id])
    return all(got[who.employee_id] + size <= room for room in own)


@given(rosters())
def test_p09_whoever_gets_one_could_and_it_stays_only_where_nobody_could(dealt: Roster) -> None:
    allocation = allocate(dealt)
    for pick, could in replayed(dealt, allocation.picks):
        if pick.employee_id is not None:
            assert pick.employee_id in could
        elif dealt.method not in (*_AIMED, Method.PERFORMANCE):
            assert not could


@given(rosters())
def test_p09_an_audit_counts_those_who_could(dealt: Roster) -> None:
    """But what was made up for after leave, which was nobody else's (P46)."""
    if dealt.method in (*_AIMED, Method.PERFORMANCE):
        return
    dealt = replace(dealt, candidates=tuple(replace(each, missed=None) for each in dealt.candidates))
    picks = allocate(dealt).picks
    units = [DealtUnit(each.place, each.customer_ids, each.employee_id) for each in picks]
    for (_, could), weights in zip(replayed(dealt, picks), chances(dealt, units), strict=True):
        assert weights.keys() == could


@given(rosters())
def test_p09_a_certificate_of_a_divided_draw_fits(dealt: Roster) -> None:
    drawn = with_department_shares(replace(dealt, method=Method.DRAW, match=None, rules=None))
    seal = Seal(SecretSeed(seeded(3)), seeded(4))
    drawn = replace(drawn, seed=seal.seed_bytes())
    written = certify(drawn, seal, drawn=allocate(drawn))
    assert verify_certificate(written.content, commitment=commit(drawn, seal).digest) == []
    for room in {each for who in drawn.candidates for each in who.departments}:
        theirs = {who.employee_id for who in drawn.candidates if room in who.departments}
        given_ = sum(len(each.customer_ids) for each in allocate(drawn).picks if each.employee_id in theirs)
        assert given_ <= room.room


@pytest.mark.parametrize("method", [Method.FLEXIBLE, Method.STRICT, Method.WEIGHTED, Method.PERFORMANCE, Method.LEVEL])
def test_p09_candidates_drop_out_when_their_department_is_full(method: Method) -> None:
    rooms = [(TEAM, WHOLE), (TEAM, WHOLE), (WHOLE,), ()]
    people = [Candidate(person_id(at), f"rep {at}", turn=at, departments=each) for at, each in enumerate(rooms)]
    dealt = roster(method, tuple(people), customers(24), seed=seeded(7))
    allocation = allocate(dealt)
    counts = allocation.counts()
    assert counts[person_id(0)] + counts[person_id(1)] == 4
    assert counts[person_id(2)] == 6
    assert counts[person_id(3)] == 14
    rules = {(each.employee_id, each.rule) for each in allocation.filtered}
    assert rules == {(person_id(at), FilterRule.DEPARTMENT_LIMIT) for at in range(3)}


def test_p09_a_draw_divides_room_by_weight_and_only_where_it_could_be_filled() -> None:
    weights = [1, 3, 1, 0]
    people = tuple(
        Candidate(person_id(at), f"rep {at}", weight=weight, departments=(TEAM,)) for at, weight in enumerate(weights)
    )
    scarce = with_department_shares(roster(Method.DRAW, people, customers(5)))
    shares = [each.department_share for each in scarce.candidates]
    assert shares == [1, 2, 1, 0]
    ample = with_department_shares(roster(Method.DRAW, people, customers(4)))
    assert [each.department_share for each in ample.candidates] == [None] * 4
    few = (replace(people[0], holding_limit=1), replace(people[1], holding_limit=1), people[2], people[3])
    rest = with_department_shares(roster(Method.DRAW, few, customers(9)))
    assert [each.department_share for each in rest.candidates] == [1, 1, 2, 0]
