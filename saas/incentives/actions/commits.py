"""Calculating a period to store it: what can be judged at once is, a job does the rest, and the result or the reasons
why there is none stand in the settlement.

A settlement is calculated beside the draft that stands; that one is replaced when the new result is there, not before.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from saas.audit import record
from saas.events import emit
from saas.incentives.actions.calculating import Subject, check_period, end_of, subject_of
from saas.incentives.actions.problems import add_problems
from saas.incentives.actions.settlement_parts import Gathered, delete_parts, enter_people, gather, move_parts
from saas.incentives.actions.settlement_rows import AwaitedSettlement, delete_draft, find_attempts, find_awaited
from saas.incentives.errors import PeriodRefused, ResultChanged, SettlementStanding
from saas.incentives.events import CALCULATION_AWAITED, SETTLEMENT_CALCULATED
from saas.incentives.queries import count_shares, find_people, get_plan
from saas.incentives.rules.plan_text import plan_plain
from saas.incentives.rules.plans import Plan
from saas.incentives.rules.settling import hashed, result_hash, shown_sum
from saas.kernel import Actor, AppError, Clock, Money, Scalar, local_date, new_id
from saas.sealing import Keyring
from tenants import current_tenant_id, current_transaction

_INSERT = """
INSERT INTO settlement (tenant_id, id, plan_id, period_first, period_until, state, expected_hash, basis_hash,
    people_count, line_count, adjustment_count, calculator_account_id, calculator_id)
VALUES ($1, $2, $3, $4, $5, 'calculating', $6, $7, 0, 0, 0, $8, $9)
ON CONFLICT (tenant_id, plan_id, period_first) WHERE state IN ('calculating', 'failed') DO NOTHING
"""
_FINISH = """
UPDATE settlement SET state = 'calculated', plan_hash = $3, people_count = $4, line_count = $5, adjustment_count = $6,
    earned_minor = $7, payable_minor = $8, calculated_at = $9
WHERE tenant_id = $1 AND id = $2
"""
_FAIL = "UPDATE settlement SET state = 'failed' WHERE tenant_id = $1 AND id = $2"


async def calculate_period(
    actor: Actor, *, plan_id: UUID, day: date, plan_hash: str | None = None, time_zone: str, clock: Clock
) -> UUID:
    """Have a period of a plan calculated and stored; the settlement, whose state tells how far it is.

    It takes the place of a draft that stands when its result is there; with the `plan_hash` of a preview, only if it is
    that result. Of several at once one is calculated. What it comes to is what review and approval name.

    :raises PlanNotFound: there is no such plan.
    :raises PeriodRefused: nothing of the plan is published, the period is before it, is not over yet, comes after one
        that is not locked, or before one that is settled.
    :raises SettlementStanding: it is calculated now, or approved or locked, or stands with this very result.
    """
    subject = await subject_of(await get_plan(plan_id, is_locking=True), day, is_locking=True)
    _check_commit(subject, plan_hash, today=local_date(clock.now(), time_zone))
    await _make_way(subject)
    people = sorted(await find_people(plan_id, subject.plan, before=end_of(subject.period)))
    settlement_id = new_id()
    is_alone = await current_transaction().execute(
        _INSERT,
        current_tenant_id(),
        settlement_id,
        plan_id,
        subject.period.first,
        subject.period.until,
        plan_hash,
        basis_of(subject.plan),
        actor.account_id,
        actor.employee_id,
    )
    assert is_alone, "the plan is locked, so nobody else begins"
    await enter_people(settlement_id, await count_shares(people))
    await record(
        actor,
        "settlement.calculation_begun",
        object_type="Settlement",
        object_id=settlement_id,
        changes={"period": [None, subject.period.first.isoformat()], "people": [None, len(people)]},
        clock=clock,
    )
    await emit(CALCULATION_AWAITED, {"settlement_id": str(settlement_id)})
    return settlement_id


def _check_commit(subject: Subject, plan_hash: str | None, *, today: date) -> None:
    check_period(subject)
    period, standing = subject.period, subject.standing
    if end_of(period) > today:
        values: dict[str, Scalar] = {"first": period.first.isoformat(), "until": end_of(period).isoformat()}
        raise PeriodRefused("incentives.period_not_over", values, field=("day",))
    if standing is not None and standing.state == "approved":
        raise SettlementStanding("incentives.settlement_is", {"state": standing.state}, field=("day",))
    if standing is not None and standing.plan_hash == plan_hash:
        raise SettlementStanding("incentives.calculated_already", field=("day",))


async def _make_way(subject: Subject) -> None:
    """Refuse while a period of the plan is calculated; an attempt at this one that failed is gone."""
    period = subject.period
    for attempt in await find_attempts(subject.plan_id):
        values: dict[str, Scalar] = {"first": period.first.isoformat(), "other": attempt.period_first.isoformat()}
        if attempt.period_first == period.first:
            if attempt.is_running:
                raise SettlementStanding("incentives.settlement_is", {"state": "calculating"}, field=("day",))
            await delete_draft(attempt.id)
        elif attempt.is_running:
            is_later = attempt.period_first > period.first
            key = "incentives.later_period_settled" if is_later else "incentives.earlier_period_open"
            raise PeriodRefused(key, values, field=("day",))


def basis_of(plan: Plan) -> str:
    """The hash of the rules and participants that a calculation goes by from its beginning to its end."""
    return hashed(plan_plain(plan))


async def finish_calculation(settlement_id: UUID, *, keyring: Keyring, clock: Clock) -> None:
    """Store the result of a settlement whose people are all calculated, or the reason why it can't be."""
    awaited = await find_awaited(settlement_id)
    if awaited is None:
        return
    stored = await get_plan(awaited.plan_id, is_locking=True)
    subject = await subject_of(stored, awaited.period_first, is_locking=True)
    if await find_awaited(settlement_id, is_locking=True) is None:
        return
    gathered = await gather(settlement_id, keyring)
    plan_hash = result_hash(stored.code, subject.period, gathered.digests)
    refusal = _refusal(awaited, subject, plan_hash)
    if refusal is not None or await add_problems(settlement_id, ()):
        await fail_calculation(awaited, [refusal] if refusal else [], clock=clock)
        return
    if subject.standing is not None:
        await delete_draft(subject.standing.id)
    await _store(awaited, subject, gathered, plan_hash, clock=clock)


def _refusal(awaited: AwaitedSettlement, subject: Subject, plan_hash: str) -> AppError | None:
    """Why a result can't be stored: what may have happened since its calculation began."""
    standing = subject.standing
    if basis_of(subject.plan) != awaited.basis_hash:
        return PeriodRefused("incentives.plan_changed_meanwhile")
    if standing is not None and standing.state in {"approved", "locked"}:
        return SettlementStanding("incentives.settlement_is", {"state": standing.state})
    if awaited.expected_hash is not None and awaited.expected_hash != plan_hash:
        return ResultChanged("incentives.result_changed", {"expected": awaited.expected_hash, "actual": plan_hash})
    if standing is not None and standing.plan_hash == plan_hash:
        return SettlementStanding("incentives.calculated_already")
    return None


async def _store(
    awaited: AwaitedSettlement, subject: Subject, gathered: Gathered, plan_hash: str, *, clock: Clock
) -> None:
    now, currency = clock.now(), subject.plan.currency
    await move_parts(awaited.id, subject.plan_id, at=now)
    sums = [shown_sum(amounts) for amounts in (gathered.earned, gathered.payable)]
    await current_transaction().execute(
        _FINISH,
        current_tenant_id(),
        awaited.id,
        plan_hash,
        len(gathered.digests),
        gathered.line_count,
        gathered.adjustment_count,
        *(None if total is None else Money(currency, total).minor for total in sums),
        now,
    )
    before = subject.standing.plan_hash if subject.standing else None
    await record(
        _asker(awaited),
        "settlement.calculated",
        object_type="Settlement",
        object_id=awaited.id,
        changes={"result": [before, plan_hash]},
        clock=clock,
    )
    await emit(SETTLEMENT_CALCULATED, {"settlement_id": str(awaited.id)})


async def fail_calculation(awaited: AwaitedSettlement, problems: list[AppError], *, clock: Clock) -> None:
    """Give a calculation up, with the reasons found so far and these; the draft before it stands."""
    found = await add_problems(awaited.id, problems)
    await delete_parts(awaited.id)
    await current_transaction().execute(_FAIL, current_tenant_id(), awaited.id)
    await record(
        _asker(awaited),
        "settlement.calculation_failed",
        object_type="Settlement",
        object_id=awaited.id,
        changes={"problems": [None, found]},
        outcome="refused",
        clock=clock,
    )


def _asker(awaited: AwaitedSettlement) -> Actor:
    """Whoever had it calculated, as the trail names them: the job acts for them."""
    return Actor(current_tenant_id(), awaited.account_id, awaited.employee_id, roles=frozenset(), client="job")
