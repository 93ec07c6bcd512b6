"""A level that brings more days helps once in a holding (L13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from saas.customers.recycling import CountedLevel, InactivityRule, RecycleRules, counted_level

BEGAN = datetime(2026, 3, 1, 1, tzinfo=UTC)
RULES = RecycleRules(no_follow_up=InactivityRule(30, {"A": 90, "B": 60, "C": 10}), no_deal=InactivityRule(None))


def walk(*levels: str | None, first: str | None = "C", rules: RecycleRules = RULES) -> list[str | None]:
    """By which levels recycling counts, as a customer is given one after the other in one holding."""
    counted, found = CountedLevel(first), []
    for place, level in enumerate(levels):
        now = BEGAN + timedelta(days=place + 1)
        counted = counted_level(counted, level, rules, held_since=BEGAN, now=now)
        found.append(counted.level)
    return found


def test_more_days_count_once_and_fewer_at_once() -> None:
    assert walk("A", "C", "A", "B", "C") == ["A", "C", "C", "C", "C"]
    assert walk("B", "A", None, "A") == ["B", "B", None, None]
    assert walk("C", "C", None, "B") == ["C", "C", None, None]


def test_a_new_holding_begins_anew() -> None:
    raised = CountedLevel("A", BEGAN - timedelta(days=3))
    fresh = counted_level(CountedLevel("C", raised.raised_at), "B", RULES, held_since=BEGAN, now=BEGAN)
    assert fresh == CountedLevel("B", BEGAN)


def test_a_level_that_is_longer_for_any_rule_is_a_raise() -> None:
    mixed = RecycleRules(
        no_follow_up=InactivityRule(30, {"A": 20, "B": 25}), no_deal=InactivityRule(90, {"A": 100, "B": 80})
    )
    assert walk("A", "B", "A", first=None, rules=mixed) == ["A", "A", "A"]


@given(st.lists(st.none() | st.sampled_from("ABCD"), min_size=1, max_size=12))
def test_whatever_levels_are_given_days_grow_at_most_once(levels: list[str | None]) -> None:
    days = [RULES.no_follow_up.days_for(each) or 0 for each in ("C", *walk(*levels))]
    assert sum(after > before for before, after in pairwise(days)) <= 1
