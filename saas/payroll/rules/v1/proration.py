"""The part of a month that a person is paid for, and what it makes of a monthly amount.

A change of an amount inside the month splits it by pay days; the pieces are summed unrounded and prorated as one, so
that a change to the same amount changes nothing, whatever the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from saas.kernel import EXACT, Period
from saas.payroll.rules.inputs import DatedAmount, FrozenInputs
from saas.payroll.rules.structures import Proration, ProrationMethod

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class MonthShare:
    """`days_due` are the period's pay days; `kept` those of them on which the person was employed; `days_unpaid` are
    the unpaid parts of absences among them."""

    days_due: int
    kept: tuple[date, ...]
    days_unpaid: Decimal
    days_paid: Decimal = field(init=False)
    """Days that are paid, with their fractions; never below 0."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "days_paid", max(ZERO, len(self.kept) - self.days_unpaid))

    @property
    def is_full(self) -> bool:
        """Whether every pay day of the month is paid."""
        return self.days_paid == self.days_due


def share_of(inputs: FrozenInputs, proration: Proration) -> MonthShare:
    """How much of the period is paid. A kind of absence that the structure does not name is paid."""
    days = inputs.pay_days
    is_whole = any(_covers(span, days) for span in inputs.employed)
    kept = days if is_whole else tuple(day for day in days if any(day in span for span in inputs.employed))
    unpaid = sum(
        (EXACT.multiply(days, proration.unpaid.get(kind, ZERO)) for kind, days in (inputs.absences or {}).items()),
        ZERO,
    )
    return MonthShare(len(days), kept, unpaid)


def earned(pieces: Sequence[DatedAmount], share: MonthShare, proration: Proration) -> Decimal:
    """What a monthly amount earns in the period, unrounded: between nothing and the whole of it.

    Full attendance earns the whole in every month. Days without an amount in force earn nothing.
    """
    return earned_by(pieces, share, paid_part(share, proration))


def earned_by(pieces: Sequence[DatedAmount], share: MonthShare, part: Decimal) -> Decimal:
    """The same, where the month's paid part is known."""
    if not share.kept or share.days_paid <= 0:
        return ZERO
    by_days = sum(
        [EXACT.multiply(piece.amount, Decimal(days_in(piece.period, share.kept))) for piece in pieces],
        ZERO,
    )
    return EXACT.divide(EXACT.multiply(by_days, part), Decimal(len(share.kept)))


def days_in(period: Period, days: tuple[date, ...]) -> int:
    """How many of some days lie in a period."""
    return len(days) if _covers(period, days) else sum(day in period for day in days)


def _covers(period: Period, days: tuple[date, ...]) -> bool:
    """Whether all of them do, as they mostly do: the first and the last tell."""
    if not days:
        return False
    first, last = _ends(days)
    return first in period and last in period


@lru_cache(maxsize=64)
def _ends(days: tuple[date, ...]) -> tuple[date, date]:
    """The first and the last of some days; a run's people mostly have the same."""
    return min(days), max(days)


def in_force_last(pieces: Sequence[DatedAmount], inputs: FrozenInputs) -> Decimal | None:
    """The whole monthly amount in force on the last employed day of the period; None where there is none."""
    return in_force_on(last_employed_day(inputs), pieces)


def last_employed_day(inputs: FrozenInputs) -> date:
    """The last day of the period on which the person is employed."""
    ends = [min(end for end in (span.until, inputs.period.until) if end is not None) for span in inputs.employed]
    return max(ends) - timedelta(days=1)


def in_force_on(day: date, pieces: Sequence[DatedAmount]) -> Decimal | None:
    """The whole monthly amount in force on a day; None where there is none."""
    return next((piece.amount for piece in pieces if day in piece.period), None)


def paid_part(share: MonthShare, proration: Proration) -> Decimal:
    """The part of the month's wage, from 0 to 1."""
    if share.is_full:
        return Decimal(1)
    a_month = proration.days_a_month
    missing = share.days_due - share.days_paid
    part = {
        ProrationMethod.PER_DAY_WORKED: lambda: EXACT.divide(share.days_paid, a_month),
        ProrationMethod.PER_DAY_ABSENT: lambda: EXACT.divide(a_month - missing, a_month),
        ProrationMethod.ACTUAL_DAYS: lambda: EXACT.divide(share.days_paid, Decimal(share.days_due)),
    }[proration.method]()
    return min(max(part, ZERO), Decimal(1))
