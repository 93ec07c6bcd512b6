"""How much may still be assigned: cycles by the calendar, the capacity of a day, never below zero (P13, P14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.customers import PersonLimit, PoolSettings
from saas.customers.thresholds import Received, cycle_begins, day_capacity, still_assignable, warning_of

ME, OTHER = UUID(int=1), UUID(int=2)
POOL = PoolSettings(
    assignment_threshold=5, assignment_thresholds_of_people=(PersonLimit(ME, 2),), capacity_per_30_days=100
)


@pytest.mark.parametrize(
    ("day", "cycle", "begins"),
    [
        (date(2026, 11, 29), "day", date(2026, 11, 29)),
        (date(2026, 11, 29), "week", date(2026, 11, 23)),
        (date(2026, 11, 23), "week", date(2026, 11, 23)),
        (date(2027, 1, 2), "week", date(2026, 12, 28)),
        (date(2028, 2, 29), "month", date(2028, 2, 1)),
    ],
)
def test_a_cycle_begins_by_the_calendar(day: date, cycle: str, begins: date) -> None:
    assert cycle_begins(day, cycle) == begins


@given(st.dates(), st.sampled_from(["day", "week", "month"]))
def test_every_day_lies_in_its_cycle(day: date, cycle: str) -> None:
    begins = cycle_begins(day, cycle)
    assert timedelta(0) <= day - begins < timedelta(days=31)
    assert cycle_begins(begins, cycle) == begins


@pytest.mark.parametrize(("capacity", "most"), [(1, 0), (14, 0), (15, 1), (44, 1), (45, 2), (100, 3), (10_000, 333)])
def test_a_thirtieth_is_rounded_half_up(capacity: int, most: int) -> None:
    assert day_capacity(capacity) == most


@pytest.mark.parametrize(
    ("who", "received", "left"),
    [
        (OTHER, Received(0, 0), 3),
        (OTHER, Received(4, 0), 1),
        (OTHER, Received(0, 2), 1),
        (OTHER, Received(9, 9), 0),
        (ME, Received(0, 0), 2),
        (ME, Received(2, 0), 0),
    ],
)
def test_the_tightest_of_all_counts_and_none_is_below_zero(who: UUID, received: Received, left: int) -> None:
    assert still_assignable(POOL, who, received) == left


def test_without_a_threshold_there_is_no_end() -> None:
    assert still_assignable(PoolSettings(), ME, Received(99, 99)) is None
    assert warning_of(PoolSettings(), ME, Received(99, 99)) is None


def test_an_assignment_by_hand_is_told_what_it_passed() -> None:
    assert warning_of(POOL, OTHER, Received(5, 3)) is None
    passed = warning_of(POOL, OTHER, Received(6, 3))
    assert passed is not None
    assert (passed.key, passed.values) == ("customers.threshold_passed", {"threshold": 5, "assigned": 6})
    full = warning_of(replace(POOL, assignment_threshold=None), OTHER, Received(9, 4))
    assert full is not None
    assert (full.key, full.values) == ("customers.capacity_passed", {"capacity": 100, "most": 3, "received": 4})
