"""What may be done with a customer of an announced assessment, by whom and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from saas.circulation.rules.moving import (
    Deadlines,
    LineFacts,
    LineState,
    Spared,
    Step,
    may_appeal,
    may_decide,
    next_step,
)
from saas.circulation.rules.terms import AssessmentTerms

ANNOUNCED_ON = date(2026, 10, 5)
TERMS = AssessmentTerms(notice_days=14, appeal_days=7)
DUE_ON = date(2026, 10, 20)
OWNER, OTHER = UUID(int=1), UUID(int=2)
FACTS = LineFacts(
    LineState.ANNOUNCED,
    DUE_ON,
    is_owned_as_frozen=True,
    is_marked=False,
    is_followed_up=False,
    is_notified=True,
)


def step(facts: LineFacts, *, today: date = DUE_ON, terms: AssessmentTerms = TERMS, warns: bool = True) -> object:
    return next_step(facts, terms, warns=warns, today=today)


def test_whole_days_of_notice_lie_between_announcement_and_move() -> None:
    assert Deadlines.of(TERMS, ANNOUNCED_ON) == Deadlines(date(2026, 10, 12), DUE_ON)


def test_nothing_moves_before_its_day() -> None:
    assert step(FACTS, today=DUE_ON - timedelta(days=1)) == (Step.WAIT, None)
    assert step(FACTS) == (Step.RECLAIM, None)


@pytest.mark.parametrize("state", [each for each in LineState if each not in (LineState.ANNOUNCED, LineState.REFUSED)])
def test_only_what_is_announced_or_was_refused_moves(state: LineState) -> None:
    assert step(replace(FACTS, state=state), today=DUE_ON + timedelta(days=400)) == (Step.WAIT, None)


def test_what_changed_meanwhile_stays() -> None:
    assert step(replace(FACTS, is_owned_as_frozen=False)) == (Step.SPARE, Spared.OWNER_CHANGED)
    assert step(replace(FACTS, is_marked=True)) == (Step.SPARE, Spared.MARKED)


def test_a_late_follow_up_saves_only_where_the_policy_says_so() -> None:
    late = replace(FACTS, is_followed_up=True)
    assert step(late) == (Step.RECLAIM, None)
    assert step(late, terms=replace(TERMS, follow_up_saves=True)) == (Step.SPARE, Spared.FOLLOWED_UP)


def test_whom_no_notice_reached_is_waited_for_three_days() -> None:
    unseen = replace(FACTS, is_notified=False)
    outcomes = [step(unseen, today=DUE_ON + timedelta(days=number)) for number in range(4)]
    assert outcomes == [(Step.WAIT, None)] * 3 + [(Step.RECLAIM, None)]
    assert step(unseen, warns=False) == (Step.RECLAIM, None)


def test_the_owner_appeals_in_time_and_once() -> None:
    until = date(2026, 10, 12)

    def refusal(state: LineState = LineState.ANNOUNCED, actor: UUID | None = OWNER, today: date = until) -> str | None:
        found = may_appeal(state, owner_id=OWNER, actor_id=actor, until=until, today=today)
        return None if found is None else found.key

    assert refusal() is None
    assert refusal(actor=OTHER) == "circulation.appeal_of_somebody_else"
    assert refusal(actor=None) == "circulation.appeal_of_somebody_else"
    assert refusal(today=until + timedelta(days=1)) == "circulation.appeal_late"
    assert refusal(LineState.APPEALED) == "circulation.appeal_closed"
    assert refusal(LineState.PLANNED) == "circulation.appeal_closed"


def test_two_people_stand_behind_a_decision() -> None:
    account, staff = UUID(int=3), UUID(int=4)

    def refusal(*deciders: UUID | None, state: LineState = LineState.APPEALED) -> str | None:
        found = may_decide(state, appellants=frozenset({account, staff}), deciders=frozenset(deciders))
        return None if found is None else found.key

    assert refusal(UUID(int=5), None) is None
    assert refusal(account, UUID(int=6)) == "circulation.appeal_own"
    assert refusal(UUID(int=5), staff) == "circulation.appeal_own"
    assert refusal(UUID(int=5), None, state=LineState.ANNOUNCED) == "circulation.appeal_not_open"
