"""Locks, protections and extensions: who may set one, how long it holds, when it may be renewed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers.errors import MarkCooldown, MarkLimitReached, MarkOff, MarkRuns
from saas.customers.marks import MarkKind, MarkRules, MarkSituation, check_days, extended_until, last_day, may_mark
from saas.customers.recycling import OwnershipFacts, RecycleFacts, RecycleRules, recycle_verdict
from saas.customers.settings import PoolSettings
from saas.kernel import AppErrors, BadUserInput, new_id

TODAY = date(2026, 11, 23)
RULES = MarkRules(number=5, days=90, cooldown_days=7)
FREE = MarkSituation(number=0, runs_until=None, is_awaited=False, last_day=None)


def situation(
    number: int = 0, *, runs_until: date | None = None, is_awaited: bool = False, last_day: date | None = None
) -> MarkSituation:
    return MarkSituation(number, runs_until, is_awaited, last_day)


@pytest.mark.parametrize(
    ("rules", "given_situation", "refusal"),
    [
        (RULES, FREE, None),
        (MarkRules(0, 90, 7), FREE, MarkOff),
        (RULES, situation(4), None),
        (RULES, situation(5), MarkLimitReached),
        (RULES, situation(6), MarkLimitReached),
        (RULES, situation(1, runs_until=TODAY), MarkRuns),
        (RULES, situation(is_awaited=True), MarkRuns),
        (RULES, situation(last_day=TODAY - timedelta(days=7)), MarkCooldown),
        (RULES, situation(last_day=TODAY - timedelta(days=8)), None),
        (MarkRules(5, 90, 0), situation(last_day=TODAY), None),
    ],
)
def test_who_may_mark(rules: MarkRules, given_situation: MarkSituation, refusal: type[Exception] | None) -> None:
    found = may_mark("公海", rules, given_situation, today=TODAY)
    assert (None if found is None else type(found)) is refusal


def test_a_refusal_says_when_it_lifts() -> None:
    found = may_mark("公海", RULES, situation(last_day=TODAY), today=TODAY)
    assert found is not None
    assert found.values == {"days": 7, "free_from": "2026-12-01"}
    found = may_mark("公海", RULES, situation(5), today=TODAY)
    assert found is not None
    assert found.values == {"pool": "公海", "limit": 5, "number": 5}


@pytest.mark.parametrize("days", [1, 90])
def test_lengths_that_are_taken(days: int) -> None:
    assert check_days(days, RULES) == days


@pytest.mark.parametrize("days", [-1, 0, 91])
def test_lengths_that_are_refused(days: int) -> None:
    with pytest.raises(BadUserInput) as refused:
        check_days(days, RULES)
    assert refused.value.values == {"given": days, "least": 1, "most": 90}


def test_each_kind_has_its_own_settings() -> None:
    settings = PoolSettings()
    assert settings.mark_rules(MarkKind.LOCK) == MarkRules(5, 90, 7)
    assert settings.mark_rules(MarkKind.PROTECTION) == MarkRules(10, 30, 7)
    assert settings.mark_rules(MarkKind.EXTENSION) == MarkRules(1, 15, 0)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("lock_limit", -1),
        ("lock_days", 0),
        ("rep_protection_limit", 10_001),
        ("rep_protection_days", 3_651),
        ("extension_times", 11),
        ("extension_days", 366),
    ],
)
def test_settings_out_of_range_are_refused(name: str, bad: int) -> None:
    with pytest.raises(AppErrors) as refused:
        PoolSettings(**{name: bad}).check()  # type: ignore[arg-type]
    assert [error.values["given"] for error in refused.value.errors] == [bad]


def facts(**marks: date) -> RecycleFacts:
    return RecycleFacts(ownerships=(OwnershipFacts(new_id(), None, TODAY),), **marks)  # type: ignore[arg-type]


@given(days=st.integers(1, 365))
def test_an_extension_moves_the_day_by_its_length(days: int) -> None:
    due_on = recycle_verdict(facts(), RecycleRules(), TODAY).due_on
    assert due_on == TODAY + timedelta(days=31)
    extended = facts(extended_until=extended_until(due_on, days))
    assert recycle_verdict(extended, RecycleRules(), TODAY).due_on == due_on + timedelta(days=days)


@given(days=st.integers(1, 90))
def test_a_lock_holds_so_many_whole_days_after_today(days: int) -> None:
    until = last_day(days, today=TODAY)
    due_on = recycle_verdict(facts(locked_until=until), RecycleRules(), TODAY).due_on
    assert due_on == max(TODAY + timedelta(days=31), TODAY + timedelta(days=days + 1))
