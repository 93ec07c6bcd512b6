"""How many customers may still be assigned to a person: thresholds of a cycle, and the capacity of a day (P13, P14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from saas.customers.errors import AssignmentThresholdPassed
from saas.customers.settings import PoolSettings
from saas.kernel import rounded

CAPACITY_DAYS = 30


@dataclass(frozen=True, slots=True)
class Received:
    """What came to a person from a pool: assigned since the cycle began, and claimed or assigned on the day."""

    in_cycle: int = 0
    on_day: int = 0


def cycle_begins(day: date, cycle: str) -> date:
    """The first day of the day's cycle: the day itself, its Monday, or the first of its month."""
    if cycle == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if cycle == "month" else day


def day_capacity(capacity: int) -> int:
    """The most of a day: a thirtieth of what a person can take on in 30 days, rounded half up."""
    return int(rounded(Decimal(capacity) / CAPACITY_DAYS, 0))


def threshold_of(settings: PoolSettings, employee_id: UUID) -> int | None:
    """The threshold of a person, None for none."""
    own = {each.employee: each.limit for each in settings.assignment_thresholds_of_people}
    return own.get(employee_id, settings.assignment_threshold)


def still_assignable(settings: PoolSettings, employee_id: UUID, received: Received) -> int | None:
    """How many more an allocation may give to a person; None without a threshold, never below 0."""
    threshold, capacity = threshold_of(settings, employee_id), settings.capacity_per_30_days
    left = [] if threshold is None else [threshold - received.in_cycle]
    if capacity is not None:
        left.append(day_capacity(capacity) - received.on_day)
    return max(0, min(left)) if left else None


def warning_of(settings: PoolSettings, employee_id: UUID, received: Received) -> AssignmentThresholdPassed | None:
    """What is told of an assignment by hand that went past a threshold; `received` counts it already."""
    threshold, capacity = threshold_of(settings, employee_id), settings.capacity_per_30_days
    if threshold is not None and received.in_cycle > threshold:
        return AssignmentThresholdPassed(
            "customers.threshold_passed", {"threshold": threshold, "assigned": received.in_cycle}
        )
    if capacity is not None and received.on_day > day_capacity(capacity):
        values = {"capacity": capacity, "most": day_capacity(capacity), "received": received.on_day}
        return AssignmentThresholdPassed("customers.capacity_passed", values)
    return None
