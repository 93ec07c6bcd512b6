"""Bonus pools (奖金池): funded by what was achieved, divided by keys that are frozen, approved by somebody else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from saas.audit import record
from saas.events import emit
from saas.incentives.actions.plans import TITLE_MAX, is_same_person
from saas.incentives.errors import NeedsSomebodyElse, PoolRefused, PoolRunNotFound, PoolRunStanding, ResultChanged
from saas.incentives.events import POOL_APPROVED
from saas.incentives.queries import StoredPlan, find_strangers, get_plan
from saas.incentives.rules.exact import plain
from saas.incentives.rules.plans import Measure
from saas.incentives.rules.pools import Distribution, Funding, Leavers, Member, PoolTerms, divide_pool, fund
from saas.incentives.rules.recorded import EMPLOYEE
from saas.incentives.rules.settling import hashed
from saas.kernel import (
    Actor,
    AppErrors,
    Clock,
    Explanation,
    Money,
    Scalar,
    minor_digits,
    new_id,
    parse_public_id,
    public_id,
)
from saas.people import get_department
from tenants import current_tenant_id, current_transaction

MEMBERS_MAX = 500
POOL_RUN = "bpr"
"""Prefix of the ids of pool runs."""

_METRICS = {Measure.SIGNED: ("signed",), Measure.COLLECTED: ("collected", "refunded")}
_RESULT = """
SELECT coalesce(sum(l.amount_minor), 0)::bigint FROM performance_line l
WHERE l.tenant_id = $1 AND l.metric = ANY ($2) AND l.happened_on >= $3 AND l.happened_on < $4
  AND ($5::uuid IS NULL OR l.department_id IN (
    SELECT c.descendant_id FROM department_closure c WHERE c.tenant_id = $1 AND c.ancestor_id = $5))
"""
_INSERT = """
INSERT INTO bonus_pool_run (tenant_id, id, plan_id, title, period_first, period_until, department_id, result_minor,
    terms, members, parts, explanation, pool_minor, reserve_minor, to_company_minor, state, plan_hash, calculated_at,
    calculator_account_id, calculator_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10::jsonb, $11::jsonb, $12::jsonb, $13, $14, $15, 'calculated', $16,
    $17, $18, $19) ON CONFLICT (tenant_id, plan_id, period_first, title) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class NewPool:
    """A pool of a plan: for what was achieved from `first` up to, and not including, `until`, in a department with all
    below it or in the company.

    Members go by the public ids of people; their order settles who gets a fen that is left over.
    """

    plan_id: UUID
    title: str
    first: date
    until: date
    department_id: UUID | None
    terms: PoolTerms
    members: Sequence[Member]
    leavers: Leavers = Leavers.TO_POOL


@dataclass(frozen=True, slots=True)
class PoolCalculation:
    """What a pool comes to; `parts` are in the order of its members. `run_id` is None of a preview."""

    plan_hash: str
    result: Decimal
    funding: Funding
    distribution: Distribution
    run_id: UUID | None = None


async def calculate_pool(actor: Actor, new: NewPool, *, plan_hash: str | None, clock: Clock) -> PoolCalculation:
    """Fund and divide a pool; with the hash of a preview it is stored, if it still comes to that.

    :raises PlanNotFound, DepartmentNotFound: there is none such.
    :raises AppErrors, PoolRefused: the terms, keys or members the rules refuse, people that are not the company's.
    :raises ResultChanged: it comes to something else than was seen.
    :raises PoolRunStanding: a pool of this title and period is there; of several at once one is stored.
    """
    plan = await get_plan(new.plan_id)
    await _check(new)
    result = await _result(new, plan)
    digits = minor_digits(plan.currency)
    funding = fund(result, new.terms, digits=digits)
    distribution = divide_pool(funding.to_divide, new.members, leavers=new.leavers, digits=digits)
    calculation = PoolCalculation(_hash(new, plan, result, distribution), result, funding, distribution)
    if plan_hash is None:
        return calculation
    if plan_hash != calculation.plan_hash:
        values: dict[str, Scalar] = {"expected": plan_hash, "actual": calculation.plan_hash}
        raise ResultChanged("incentives.result_changed", values, field=("planHash",))
    run_id = await _store(actor, new, plan, calculation, at=clock.now())
    await record(
        actor,
        "bonus_pool.calculated",
        object_type="BonusPoolRun",
        object_id=run_id,
        changes={"result": [None, plan_hash]},
        clock=clock,
    )
    return replace(calculation, run_id=run_id)


async def _check(new: NewPool) -> None:
    title = new.title.strip()
    if not title or len(title) > TITLE_MAX:
        raise PoolRefused(
            "incentives.plan_name_malformed", {"name": title[:60], "longest": TITLE_MAX}, field=("title",)
        )
    if new.until <= new.first:
        values = {"first": new.first.isoformat(), "until": new.until.isoformat()}
        raise PoolRefused("incentives.pool_period_empty", values, field=("periodUntil",))
    if len(new.members) > MEMBERS_MAX:
        sizes = {"members": len(new.members), "most": MEMBERS_MAX}
        raise PoolRefused("incentives.pool_too_large", sizes, field=("members",))
    if new.department_id is not None:
        await get_department(new.department_id)
    unknown = await find_strangers(people={member.name for member in new.members}, customers=())
    problems = [
        PoolRefused("incentives.pool_member_unknown", {"member": member.name[:60]}, field=("members", str(place)))
        for place, member in enumerate(new.members)
        if member.name in unknown
    ]
    if problems:
        raise AppErrors(problems)


async def _result(new: NewPool, plan: StoredPlan) -> Decimal:
    measure = plan.versions[0].alone.measure
    minor = await current_transaction().fetchval(
        _RESULT,
        current_tenant_id(),
        list(_METRICS[measure]),
        new.first,
        new.until,
        new.department_id,
    )
    return Money.of_minor(minor, plan.currency).amount


def _hash(new: NewPool, plan: StoredPlan, result: Decimal, distribution: Distribution) -> str:
    covered = {
        "plan": plan.code,
        "title": new.title.strip(),
        "period": [new.first.isoformat(), new.until.isoformat()],
        "department": str(new.department_id),
        "result": str(result),
        "terms": _terms(new),
        "members": _members(new),
        "parts": [str(part.amount) for part in distribution.parts],
    }
    return hashed(covered)


def _terms(new: NewPool) -> dict[str, Any]:
    terms = new.terms
    named = {"floor": terms.floor, "cap": terms.cap}
    return {
        "share": plain(terms.share),
        "hurdle": plain(terms.hurdle),
        "reserve_share": plain(terms.reserve_share),
        "leavers": new.leavers.value,
        **{name: plain(amount) for name, amount in named.items() if amount is not None},
    }


def _members(new: NewPool) -> list[dict[str, Any]]:
    return [
        {
            "person": member.name,
            "weight": plain(member.weight),
            "performance": plain(member.performance),
            "time": plain(member.time),
            "has_left": member.has_left,
        }
        for member in new.members
    ]


async def _store(actor: Actor, new: NewPool, plan: StoredPlan, calculation: PoolCalculation, *, at: datetime) -> UUID:
    funding, distribution = calculation.funding, calculation.distribution
    parts = [
        {"person": part.name, "amount": str(part.amount), "explanation": part.explanation.plain()}
        for part in distribution.parts
    ]

    def minor(amount: Decimal) -> int:
        return Money(plan.currency, amount).minor

    run_id = new_id()
    made = await current_transaction().execute(
        _INSERT,
        current_tenant_id(),
        run_id,
        plan.id,
        new.title.strip(),
        new.first,
        new.until,
        new.department_id,
        minor(calculation.result),
        json.dumps(_terms(new)),
        json.dumps(_members(new)),
        json.dumps(parts, ensure_ascii=False),
        json.dumps(funding.explanation.plain(), ensure_ascii=False),
        minor(funding.pool),
        minor(funding.reserve),
        minor(distribution.to_company),
        calculation.plan_hash,
        at,
        actor.account_id,
        actor.employee_id,
    )
    if not made:
        raise PoolRunStanding("incentives.pool_run_exists", {"title": new.title.strip()}, field=("title",))
    return run_id


_LOCK = """
SELECT plan_id, period_until, state, plan_hash, parts::text AS parts, explanation::text AS explanation,
       calculator_account_id, calculator_id FROM bonus_pool_run WHERE tenant_id = $1 AND id = $2 FOR UPDATE
"""
_APPROVE = """
UPDATE bonus_pool_run SET state = 'approved', approved_at = $3, approver_account_id = $4, approver_id = $5
WHERE tenant_id = $1 AND id = $2
"""
_INSERT_PARTS = """
INSERT INTO accrual (tenant_id, id, plan_id, rule, kind, stream, award, employee_id, pool_run_id, source_key, event,
    happened_at, happened_on, period_first, base_minor, amount_minor, explanation, created_at)
SELECT $1, part.id, $2, 'pool', 'pool', 'own', 'bonus', part.employee, $3, part.key, $4, $5, $6, $7, 0, part.amount,
    part.explanation::jsonb, $8
FROM unnest($9::uuid[], $10::uuid[], $11::text[], $12::bigint[], $13::text[])
    AS part (id, employee, key, amount, explanation)
"""


async def approve_pool(actor: Actor, *, run_id: UUID, plan_hash: str, clock: Clock) -> UUID:
    """Approve a pool, as somebody else than who divided it: its parts wait for the plan's next settlement.

    :raises PoolRunNotFound: there is none such.
    :raises PoolRunStanding: it was approved already; of several at once one approves it.
    :raises ResultChanged: it is not the one of the hash.
    :raises NeedsSomebodyElse: the caller calculated it.
    """
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), run_id)
    if row is None:
        raise PoolRunNotFound("incentives.pool_run_not_found", field=("poolRun",))
    if row["state"] != "calculated":
        raise PoolRunStanding("incentives.pool_run_approved", field=("poolRun",))
    if row["plan_hash"] != plan_hash:
        values: dict[str, Scalar] = {"expected": plan_hash, "actual": row["plan_hash"]}
        raise ResultChanged("incentives.result_changed", values, field=("planHash",))
    if is_same_person(actor, row["calculator_account_id"], row["calculator_id"]):
        raise NeedsSomebodyElse("incentives.pool_calculator_approves")
    await current_transaction().execute(
        _APPROVE, current_tenant_id(), run_id, clock.now(), actor.account_id, actor.employee_id
    )
    plan = await get_plan(row["plan_id"], is_locking=True)
    await _insert_parts(plan, run_id, dict(row), at=clock.now())
    await record(
        actor,
        "bonus_pool.approved",
        object_type="BonusPoolRun",
        object_id=run_id,
        changes={"state": ["calculated", "approved"]},
        clock=clock,
    )
    await emit(POOL_APPROVED, {"pool_run_id": str(run_id)})
    return run_id


async def _insert_parts(plan: StoredPlan, run_id: UUID, run: dict[str, Any], *, at: datetime) -> None:
    funded = Explanation.of_plain(json.loads(run["explanation"]))
    last: date = run["period_until"] - timedelta(days=1)
    rows = []
    for part in json.loads(run["parts"]):
        amount = Decimal(part["amount"])
        if not amount:
            continue
        why = replace(Explanation.of_plain(part["explanation"]), parts=(funded,))
        employee_id = parse_public_id(part["person"], prefix=EMPLOYEE)
        key = f"{plan.code}/{part['person']}/pool/{run_id.hex}"
        text = json.dumps(why.plain(), ensure_ascii=False)
        rows.append((new_id(), employee_id, key, Money(plan.currency, amount).minor, text))
    if not rows:
        return
    cycle = plan.versions[0].alone.cycle
    await current_transaction().execute(
        _INSERT_PARTS,
        current_tenant_id(),
        plan.id,
        run_id,
        public_id(POOL_RUN, run_id),
        datetime.combine(last, time(tzinfo=UTC)),
        last,
        cycle.period_of(last).first,
        at,
        *map(list, zip(*rows, strict=True)),
    )
