"""Targets (业绩目标): what one must be, how much of it is due for a part of its period, and how far it is met."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from saas.kernel import EXACT, AppError, Period, rounded
from saas.sales.errors import AmountRefused, TargetOverlaps, ValueOutOfRange
from saas.sales.rules.amounts import minor_of

TARGET_METRICS = ("signed", "collected")
ATTAINMENT_DIGITS = 4


@dataclass(frozen=True, slots=True)
class NewTarget:
    """What a person, or a department, is to achieve from `first` up to, and not including, `until`."""

    employee_id: UUID | None
    department_id: UUID | None
    metric: str
    first: date
    until: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CleanTarget:
    """The same, as it is stored."""

    employee_id: UUID | None
    department_id: UUID | None
    metric: str
    period: Period
    amount_minor: int

    @property
    def subject(self) -> UUID:
        """The person or the department."""
        subject = self.employee_id or self.department_id
        assert subject is not None, "clean_target sees to it"
        return subject


@dataclass(frozen=True, slots=True)
class StoredTarget:
    """A target as it stands."""

    id: UUID
    target: CleanTarget
    version: int


def clean_target(new: NewTarget, *, currency: str) -> CleanTarget:
    """The target as it is stored.

    :raises BadUserInput: not exactly one subject, an unknown metric, a period without a day, an amount of 0.
    """
    if (new.employee_id is None) == (new.department_id is None):
        raise ValueOutOfRange("sales.target_subject", field=("employee",))
    if new.metric not in TARGET_METRICS:
        known = ", ".join(TARGET_METRICS)
        raise ValueOutOfRange("sales.unknown_metric", {"metric": new.metric[:40], "known": known}, field=("metric",))
    if new.until <= new.first:
        values = {"first": new.first.isoformat(), "until": new.until.isoformat()}
        raise ValueOutOfRange("sales.target_period_empty", values, field=("periodUntil",))
    return CleanTarget(
        new.employee_id,
        new.department_id,
        new.metric,
        Period(new.first, new.until),
        minor_of(new.amount, currency=currency),
    )


def target_overlaps(period: Period) -> AppError:
    """The refusal of a target beside another one, of `period`, for the same subject and metric."""
    values = {"first": period.first.isoformat(), "until": period.until.isoformat() if period.until else None}
    return TargetOverlaps("sales.target_overlaps", values, field=("periodFirst",))


def attainment(performance: Decimal, target: Decimal) -> Decimal:
    """Performance ÷ target (达成率), unrounded: thresholds are compared with it as it is.

    :raises AmountRefused: a target of 0 or below, against which nothing can be measured.
    """
    if target <= 0:
        raise AmountRefused("sales.target_not_positive", {"target": str(target)[:40]}, field=("amount",))
    return EXACT.divide(performance, target)


def shown_attainment(value: Decimal) -> Decimal:
    """An attainment as it is shown: four decimals, half up."""
    return rounded(value, ATTAINMENT_DIGITS)


def prorated(target: Decimal, period: Period, active: Period, *, digits: int = 2) -> Decimal:
    """The part of a target that falls to the days of its period on which somebody was active, the first day counted.

    By calendar days: target × active days ÷ days of the period, rounded once.

    :raises ValueError: the target's period is without end.
    """
    common = period.overlap(active)
    if common is None:
        return rounded(Decimal(0), digits)
    share = EXACT.divide(EXACT.multiply(target, Decimal(_days(common))), Decimal(_days(period)))
    return rounded(share, digits)


def _days(period: Period) -> int:
    if period.until is None:
        raise ValueError("a period without end has no number of days")
    return (period.until - period.first).days
