"""Calculating a period: by the same code for the preview and for what is stored, in chunks whose size changes nothing.

Everything from the plan's first day on is worked out again. What is not settled yet is taken; where a late fact changes
a settled line, the difference is. So nothing is paid twice and nothing is lost, whenever facts arrive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from saas.incentives.actions.settlement_rows import (
    Standing,
    closed_through,
    find_balances,
    find_drafted,
    find_settled,
    find_settlements,
    find_waiting,
)
from saas.incentives.errors import PeriodRefused, SettlementStanding
from saas.incentives.queries import (
    StoredPlan,
    count_shares,
    find_participants,
    find_people,
    find_recorded,
    get_plan,
    plan_with,
)
from saas.incentives.rules.accruals import accrue_each
from saas.incentives.rules.plans import Plan
from saas.incentives.rules.recorded import facts_of
from saas.incentives.rules.settling import Differences, Draft, differences, draft, due_lines, periods_through
from saas.kernel import Period, Scalar
from saas.sealing import Keyring

CHUNK = 50
"""People calculated at once, at most."""


@dataclass(frozen=True, slots=True)
class PreviewLimit:
    """How much a preview works out at most: what fits into a request on a busy machine too (docs/benchmarks.md)."""

    people: int = 300
    shares: int = 5_000
    """Of deals: somebody's credit for one."""


PREVIEW = PreviewLimit()


@dataclass(frozen=True, slots=True)
class Calculation:
    """What a preview came to. Sums are None for fewer than five people."""

    plan_hash: str
    period: Period
    people: int
    lines: int
    adjustments: int
    earned: Decimal | None
    payable: Decimal | None
    differences: Differences


@dataclass(frozen=True, slots=True)
class Subject:
    """What is calculated: a plan's period, and what is settled of the plan so far, in order."""

    plan_id: UUID
    plan: Plan
    period: Period
    settlements: Sequence[Standing]

    @property
    def standing(self) -> Standing | None:
        """The settlement that the period has already."""
        return next((each for each in self.settlements if each.period.first == self.period.first), None)

    @property
    def last_locked(self) -> Standing | None:
        """The last one that is closed."""
        return next((each for each in reversed(self.settlements) if each.is_locked), None)


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """What some people get, and the levels that the customers of their deals have."""

    draft: Draft
    levels: Mapping[str, str | None]


async def preview_period(
    *, plan_id: UUID, day: date, keyring: Keyring, chunk: int = CHUNK, limit: PreviewLimit = PREVIEW
) -> Calculation:
    """Work out what a plan pays for the period in which `day` lies, and store nothing.

    :raises PlanNotFound: there is no such plan.
    :raises PeriodRefused: nothing of the plan is published, the period is before it, comes after one that is not
        locked, or before one that is settled; or it is more than a preview works out.
    :raises SettlementStanding: it is locked.
    :raises AppErrors: facts that no line may rest on; nothing is left out silently.
    """
    subject = await subject_of(await get_plan(plan_id), day)
    check_period(subject)
    people = sorted(await find_people(plan_id, subject.plan, before=end_of(subject.period)))
    await _check_size(people, limit)
    drafts = [
        (await work_out(subject, people[start : start + chunk], keyring)).draft
        for start in range(0, len(people), chunk)
    ]
    whole = Draft(subject.plan.code, subject.period, tuple(part for each in drafts for part in each.parts))
    before = await find_drafted(subject.standing.id, subject.plan) if subject.standing else {}
    return Calculation(
        plan_hash=whole.plan_hash,
        period=whole.period,
        people=len(whole.parts),
        lines=whole.line_count,
        adjustments=whole.adjustment_count,
        earned=whole.earned,
        payable=whole.payable,
        differences=differences(whole.accruals, before),
    )


async def _check_size(people: Sequence[str], limit: PreviewLimit) -> None:
    shares = sum((await count_shares(people)).values())
    if len(people) > limit.people or shares > limit.shares:
        values: dict[str, Scalar] = {"people": len(people), "shares": shares}
        values |= {"most_people": limit.people, "most_shares": limit.shares}
        raise PeriodRefused("incentives.preview_too_large", values, field=("mode",))


async def subject_of(stored: StoredPlan, day: date, *, is_locking: bool = False) -> Subject:
    """The period of a plan in which a day lies; with `is_locking` its settlements stay as they are meanwhile.

    :raises PeriodRefused: nothing of the plan is published.
    """
    plan = plan_with(stored, await find_participants(stored.id))
    if plan is None:
        raise PeriodRefused("incentives.plan_unpublished", {"plan": stored.code}, field=("plan",))
    settlements = await find_settlements(stored.id, is_locking=is_locking)
    return Subject(stored.id, plan, plan.cycle.period_of(day), settlements)


def end_of(period: Period) -> date:
    """The first day after a period of a plan: each has an end."""
    assert period.until is not None
    return period.until


def check_period(subject: Subject) -> None:
    """Refuse a period that can't be calculated now, be it for a look."""
    plan, period = subject.plan, subject.period
    values: dict[str, Scalar] = {"first": period.first.isoformat(), "plan": plan.title}
    if end_of(period) <= plan.versions[0].effective.first:
        raise PeriodRefused("incentives.period_before_plan", values, field=("day",))
    for each in subject.settlements:
        other = {"other": each.period.first.isoformat()}
        if each.period.first > period.first:
            raise PeriodRefused("incentives.later_period_settled", values | other, field=("day",))
        if each.period.first < period.first and not each.is_locked:
            raise PeriodRefused("incentives.earlier_period_open", values | other, field=("day",))
    if subject.standing is not None and subject.standing.is_locked:
        raise SettlementStanding("incentives.settlement_is", {"state": subject.standing.state}, field=("day",))


async def work_out(subject: Subject, people: Sequence[str], keyring: Keyring) -> WorkedOut:
    """What people get, whoever is calculated beside them.

    :raises AppError, AppErrors: facts that no line may rest on.
    """
    plan_id, plan, period, closed = subject.plan_id, subject.plan, subject.period, closed_through(subject.settlements)
    recorded = await find_recorded(plan_id, plan, people=people, before=end_of(period))
    settled = await find_settled(plan_id, plan, people) if closed else []
    facts, periods = facts_of(recorded, plan), periods_through(plan, period)
    # In a thread, since it is work for the processor alone, and others go on.
    each = await asyncio.to_thread(accrue_each, facts, plan, periods=periods, people=people)
    recomputed = (line for of_period in each.values() for line in of_period)
    lines = due_lines(recomputed, settled, closed_through=closed, period=period)
    draft_id = subject.standing.id if subject.standing else None
    waiting = await find_waiting(plan_id, plan, period, people=people, draft_id=draft_id)
    locked = subject.last_locked
    brought = await find_balances(locked.id, keyring, people=people) if locked else {}
    levels = {deal.id: deal.customer_level for deal in recorded.deals}
    return WorkedOut(draft(plan, lines, waiting, brought, period=period), levels)
