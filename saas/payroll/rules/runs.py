"""The steps of a run (算薪批次), who may take them, and the states between which they lead."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from uuid import UUID

from saas.kernel import Actor, Period, Scalar, minor_digits, rounded
from saas.payroll.errors import OwnPay, OwnRun, PayInputRefused, PayslipsUnresolved, PlanStale, RunNotReady

REASON_LONGEST = 500
AMOUNT_LIMIT = Decimal(10) ** 12


class RunState(Enum):
    """Where a run stands."""

    DRAFT = "draft"
    COMPUTED = "computed"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    LOCKED = "locked"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


class RunStage(Enum):
    """What the jobs of a draft are at."""

    FREEZING = "freezing"
    FROZEN = "frozen"
    COMPUTING = "computing"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run as a step finds it, its row locked. `prepared_by` are the accounts that opened, computed or changed it."""

    id: UUID
    state: RunState
    stage: RunStage
    plan_hash: str | None
    failed: int
    prepared_by: frozenset[UUID]

    def require(self, *states: RunState, step: str) -> None:
        """Refuse a step that does not start from here.

        :raises RunNotReady: naming the step, the state and those it starts from.
        """
        if self.state not in states:
            values = {"step": step, "state": self.state.value, "needed": ", ".join(state.value for state in states)}
            raise RunNotReady("payroll.run_not_ready", values)

    def require_stage(self, *stages: RunStage, step: str) -> None:
        """Refuse a step while the jobs are at something else.

        :raises RunNotReady: naming the step and the stage.
        """
        if self.stage not in stages:
            raise RunNotReady("payroll.run_busy", {"step": step, "stage": self.stage.value})

    def require_resolved(self) -> None:
        """Refuse while payslips have failed.

        :raises PayslipsUnresolved: with how many.
        """
        if self.failed:
            raise PayslipsUnresolved("payroll.payslips_unresolved", {"failed": self.failed})


def may_approve(run: RunFacts, *, account_id: UUID, plan_hash: str, present_hash: str) -> None:
    """Whether this person may approve this plan; pay always takes two people.

    :raises RunNotReady: the run is not in review.
    :raises OwnRun: the person opened, computed or changed it.
    :raises PayslipsUnresolved: payslips have failed.
    :raises PlanStale: the hash is not that of the run as it is.
    """
    run.require(RunState.IN_REVIEW, step="approve")
    if account_id in run.prepared_by:
        raise OwnRun("payroll.own_run")
    run.require_resolved()
    if not plan_hash == run.plan_hash == present_hash:
        raise PlanStale(
            "payroll.plan_stale", {"given": plan_hash[:12], "present": present_hash[:12]}, field=("planHash",)
        )


def refuse_own_pay(actor: Actor, employee_id: UUID) -> None:
    """Nobody enters their own amounts.

    :raises OwnPay: the person is the caller.
    """
    if actor.employee_id == employee_id:
        raise OwnPay("payroll.own_pay", field=("employeeId",))


def clean_reason(reason: str, *, field: str = "reason") -> str:
    """A reason without outer spaces.

    :raises PayInputRefused: it is empty, or longer than 500 characters.
    """
    text = reason.strip()
    if not 1 <= len(text) <= REASON_LONGEST:
        raise PayInputRefused("payroll.reason_length", {"length": len(text), "limit": REASON_LONGEST}, field=(field,))
    return text


def pay_month(month: str, pays_on: date) -> Period:
    """The period of a month (``YYYY-MM``) that is paid on a day.

    :raises PayInputRefused: no month, or a day of payment before it begins.
    """
    try:
        period = Period.of_month(month)
    except ValueError:
        raise PayInputRefused("payroll.month_malformed", {"month": month[:20]}, field=("month",)) from None
    if pays_on < period.first:
        values = {"pays_on": pays_on.isoformat(), "first": period.first.isoformat()}
        raise PayInputRefused("payroll.paid_before_month", values, field=("paysOn",))
    return period


def checked_amount(amount: Decimal, *, currency: str, field: tuple[str, ...], may_be_negative: bool = False) -> Decimal:
    """An amount that can be paid.

    :raises PayInputRefused: more digits than the currency has, below 0 where it may not be, or beyond reason.
    """
    is_exact = amount.is_finite() and rounded(amount, minor_digits(currency)) == amount
    if not is_exact or abs(amount) >= AMOUNT_LIMIT or (amount < 0 and not may_be_negative):
        shown = format(amount, "f")[:40]
        values: dict[str, Scalar] = {"amount": shown, "digits": minor_digits(currency), "currency": currency}
        raise PayInputRefused("payroll.amount_unfit", values, field=field)
    return amount


def weekdays(period: Period) -> tuple[date, ...]:
    """Monday to Friday: the pay days of a legal entity for which no country pack answers."""
    return tuple(day for day in period.days() if day.weekday() < 5)


def unique_accounts(accounts: Collection[str], more: UUID) -> list[str]:
    """The accounts that prepared a run, with one more."""
    return sorted({*accounts, str(more)})
