"""Calculating a period: by the same code for the preview and for what is stored, in chunks whose size changes nothing.

Everything from the plan's first day on is worked out again. What is not settled yet is taken; where a late fact changes
a settled line, the difference is. So nothing is paid twice and nothing is lost, whenever facts arrive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from saas.audit import record
from saas.events import emit
from saas.incentives.actions.settlement_rows import (
    Standing,
    closed_through,
    delete_draft,
    find_balances,
    find_drafted,
    find_settled,
    find_settlements,
    find_waiting,
    insert_lines,
    insert_settlement,
    insert_statements,
)
from saas.incentives.errors import PeriodRefused, ResultChanged, SettlementStanding
from saas.incentives.events import SETTLEMENT_CALCULATED
from saas.incentives.queries import find_participants, find_people, find_recorded, get_plan, plan_with
from saas.incentives.rules.accruals import accrue_each
from saas.incentives.rules.lines import Accrual
from saas.incentives.rules.plans import Plan
from saas.incentives.rules.recorded import facts_of
from saas.incentives.rules.settling import Differences, Draft, differences, draft, due_lines, periods_through
from saas.kernel import Actor, AppErrors, Clock, Period, Scalar, local_date
from saas.sealing import Keyring

CHUNK = 50
"""People calculated at once."""

PROBLEMS_TOLD = 100


@dataclass(frozen=True, slots=True)
class Calculation:
    """What a calculation came to. Sums are None for fewer than five people; `settlement_id` is None of a preview."""

    plan_hash: str
    period: Period
    people: int
    lines: int
    adjustments: int
    earned: Decimal | None
    payable: Decimal | None
    differences: Differences
    settlement_id: UUID | None


async def calculate_period(
    actor: Actor,
    *,
    plan_id: UUID,
    day: date,
    is_stored: bool = False,
    plan_hash: str | None = None,
    keyring: Keyring,
    time_zone: str,
    clock: Clock,
    chunk: int = CHUNK,
) -> Calculation:
    """Work out what a plan pays for the period in which `day` lies.

    Where it `is_stored`, it takes the place of a draft that stands already; with the `plan_hash` of a preview, only if
    it still is that result. Of several at once one is stored. Either way it is what review and approval name.

    :raises PlanNotFound: there is no such plan.
    :raises PeriodRefused: nothing of the plan is published, the period is before it, is not over yet (only to store
        it), comes after one that is not locked, or before one that is settled.
    :raises SettlementStanding: it is approved or locked, or stands with this very result.
    :raises ResultChanged: the result is not the one that was seen.
    :raises AppErrors: facts that no line may rest on, 100 at most; nothing is left out silently.
    """
    stored = await get_plan(plan_id, is_locking=is_stored)
    plan = plan_with(stored, await find_participants(plan_id))
    if plan is None:
        raise PeriodRefused("incentives.plan_unpublished", {"plan": stored.code}, field=("plan",))
    period = plan.cycle.period_of(day)
    settlements = await find_settlements(plan_id, is_locking=is_stored)
    standing = _standing(plan, period, settlements, is_stored=is_stored, today=local_date(clock.now(), time_zone))
    worked_out, levels = await _work_out(plan_id, plan, period, settlements, standing, keyring, chunk)
    before = await find_drafted(standing.id, plan) if standing else {}
    settlement_id = None
    if is_stored:
        _check_result(worked_out, plan_hash, standing)
        settlement_id = await _store(actor, plan_id, plan, worked_out, levels, standing, keyring, clock=clock)
    return Calculation(
        plan_hash=worked_out.plan_hash,
        period=period,
        people=len(worked_out.statements),
        lines=len(worked_out.accruals) + len(worked_out.waiting),
        adjustments=worked_out.adjustment_count,
        earned=worked_out.earned,
        payable=worked_out.payable,
        differences=differences(worked_out.accruals, before),
        settlement_id=settlement_id,
    )


def _standing(
    plan: Plan, period: Period, settlements: Sequence[Standing], *, is_stored: bool, today: date
) -> Standing | None:
    """The draft that the period has already; refuses periods that can't be calculated now."""
    values: dict[str, Scalar] = {"first": period.first.isoformat(), "plan": plan.title}
    if period.until is None or period.until <= plan.versions[0].effective.first:
        raise PeriodRefused("incentives.period_before_plan", values, field=("day",))
    if is_stored and period.until > today:
        raise PeriodRefused("incentives.period_not_over", values | {"until": period.until.isoformat()}, field=("day",))
    standing = None
    for each in settlements:
        other = {"other": each.period.first.isoformat()}
        if each.period.first > period.first:
            raise PeriodRefused("incentives.later_period_settled", values | other, field=("day",))
        if each.period.first < period.first and not each.is_locked:
            raise PeriodRefused("incentives.earlier_period_open", values | other, field=("day",))
        if each.period.first == period.first:
            standing = each
    if standing is not None and (standing.is_locked or (is_stored and standing.state == "approved")):
        raise SettlementStanding("incentives.settlement_is", {"state": standing.state}, field=("day",))
    return standing


async def _work_out(
    plan_id: UUID,
    plan: Plan,
    period: Period,
    settlements: Sequence[Standing],
    standing: Standing | None,
    keyring: Keyring,
    chunk: int,
) -> tuple[Draft, dict[str, str | None]]:
    """The draft, and the levels that the customers of its deals have."""
    assert period.until is not None
    people = sorted(await find_people(plan_id, plan, before=period.until))
    closed = closed_through(settlements)
    lines: list[Accrual] = []
    levels: dict[str, str | None] = {}
    for start in range(0, len(people), chunk):
        part = people[start : start + chunk]
        recorded = await find_recorded(plan_id, plan, people=part, before=period.until)
        settled = await find_settled(plan_id, plan, part) if closed else []
        levels |= {deal.id: deal.customer_level for deal in recorded.deals}
        facts, periods = facts_of(recorded, plan), periods_through(plan, period)
        try:
            # In a thread, since it is work for the processor alone, and other requests go on.
            each = await asyncio.to_thread(accrue_each, facts, plan, periods=periods, people=part)
        except AppErrors as found:
            raise AppErrors(found.errors[:PROBLEMS_TOLD]) from None
        recomputed = [line for of_period in each.values() for line in of_period]
        lines += due_lines(recomputed, settled, closed_through=closed, period=period)
    waiting = await find_waiting(plan_id, plan, period, draft_id=standing.id if standing else None)
    locked = [each for each in settlements if each.is_locked]
    brought = await find_balances(locked[-1].id, keyring) if locked else {}
    return draft(plan, lines, waiting, brought, period=period), levels


def _check_result(worked_out: Draft, plan_hash: str | None, standing: Standing | None) -> None:
    if plan_hash is not None and worked_out.plan_hash != plan_hash:
        values: dict[str, Scalar] = {"expected": plan_hash, "actual": worked_out.plan_hash}
        raise ResultChanged("incentives.result_changed", values, field=("planHash",))
    if standing is not None and standing.plan_hash == worked_out.plan_hash:
        raise SettlementStanding("incentives.calculated_already", field=("day",))


async def _store(
    actor: Actor,
    plan_id: UUID,
    plan: Plan,
    worked_out: Draft,
    levels: dict[str, str | None],
    standing: Standing | None,
    keyring: Keyring,
    *,
    clock: Clock,
) -> UUID:
    if standing is not None:
        await delete_draft(standing.id)
    now = clock.now()
    settlement_id = await insert_settlement(actor, plan_id, plan, worked_out, at=now)
    if settlement_id is None:
        raise SettlementStanding("incentives.calculated_already", field=("day",))
    await insert_lines(settlement_id, plan_id, plan, worked_out, levels, at=now)
    await insert_statements(settlement_id, worked_out, keyring, at=now)
    await record(
        actor,
        "settlement.calculated",
        object_type="Settlement",
        object_id=settlement_id,
        changes={"result": [standing.plan_hash if standing else None, worked_out.plan_hash]},
        clock=clock,
    )
    await emit(SETTLEMENT_CALCULATED, {"settlement_id": str(settlement_id)})
    return settlement_id
