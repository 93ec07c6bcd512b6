"""Assessments: asked for, announced just as they were previewed, or dropped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from saas.access import AccessTable
from saas.audit import record
from saas.circulation.errors import (
    AssessmentStanding,
    NotYetDue,
    PeriodRefused,
    PlanChanged,
    PolicyMissing,
    ReceiverRefused,
)
from saas.circulation.events import DRAFT_AWAITED, MOVE_AWAITED, PERSON_NOTIFIED
from saas.circulation.queries import find_assessment_policy, require_visible_assessment
from saas.circulation.rules.assessing import period_of
from saas.circulation.rules.moving import Deadlines
from saas.circulation.rules.terms import AssessmentTerms, Rotation
from saas.customers import ReclaimWarning, get_pool, warn_of_reclaim
from saas.events import emit, emit_many
from saas.kernel import Actor, Clock, Explanation, Period, Scalar, local_date, new_id
from saas.people import find_hire_days
from tenants import current_tenant_id, current_transaction

RULE = "assessment"
"""How the ledger and the ownership's end name what an assessment does."""

RECEIVERS_MAX = 500
_CHUNK = 1_000
_LOCK_POOL = "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid || 'assessments of ' || $2::uuid, 0))"
_OVERLAPPING = """
SELECT period_first, period_until FROM assessment
WHERE tenant_id = $1 AND pool_id = $2 AND state NOT IN ('cancelled', 'failed') AND period_first < $4
  AND period_until > $3 LIMIT 1
"""
_INSERT = """
INSERT INTO assessment (tenant_id, id, pool_id, policy_version, terms, receivers, period_first, period_until, state,
    created_at, author_account_id, author_id)
VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7, $8, 'drafting', $9, $10, $11)
"""
_LOCK = """
SELECT id, pool_id, policy_version, terms::text AS terms, period_first, period_until, state, plan_hash, due_on,
       people, receivers IS NULL AS is_for_all
FROM assessment WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
_CHANGED = """
SELECT count(*) AS planned, count(*) FILTER (WHERE NOT coalesce(
    (SELECT o.ended_at IS NULL FROM ownership o WHERE o.tenant_id = $1 AND o.id = l.ownership_id), false)) AS changed
FROM assessment_customer l WHERE l.tenant_id = $1 AND l.assessment_id = $2
"""
_ANNOUNCE = """
UPDATE assessment SET state = 'announced', announced_at = $3, announced_on = $4, announcer_account_id = $5,
    appeal_until = $6, due_on = $7 WHERE tenant_id = $1 AND id = $2
"""
_ANNOUNCE_LINES = """
UPDATE assessment_customer SET state = 'announced' WHERE tenant_id = $1 AND assessment_id = $2
RETURNING customer_id, employee_id, explanation::text AS explanation
"""
_CANCEL = "UPDATE assessment SET state = 'cancelled', closed_at = $3 WHERE tenant_id = $1 AND id = $2"
_MOVED = """
SELECT true FROM assessment_customer
WHERE tenant_id = $1 AND assessment_id = $2 AND state IN ('reclaimed', 'pooled', 'rotated') LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class AssessmentWish:
    """What to assess: a pool, over the closed period in which `day` lies.

    `receivers` are the people whom reclaimed customers may be given to; None: all those who are assessed.
    """

    pool_id: UUID
    day: date
    receivers: Sequence[UUID] | None = None


async def create_assessment(actor: Actor, wish: AssessmentWish, *, time_zone: str, clock: Clock) -> UUID:
    """Ask for a draft (permission ``assessment:run``), which a job works out; nobody is told, nothing moves.

    :raises PoolNotFound: this company has no such pool.
    :raises PolicyMissing: the pool has no policy of assessments in force today, or it is off.
    :raises PeriodRefused: the period is not over.
    :raises AssessmentStanding: another assessment of the pool covers days of it; of any number at once one is made.
    :raises ReceiverRefused: somebody is not on the staff, or stands there twice, or there are too many.
    """
    pool, now = await get_pool(wish.pool_id), clock.now()
    today = local_date(now, time_zone)
    found = await find_assessment_policy(pool.id, on=today)
    if found is None:
        raise PolicyMissing("circulation.policy_missing", {"pool": pool.name}).at("input", "pool")
    version, terms = found
    period = period_of(terms.cycle, wish.day)
    await _refuse_period(pool.id, period, today=today)
    receivers = None if wish.receivers is None else await _checked(wish.receivers)
    assessment_id = new_id()
    await current_transaction().execute(
        _INSERT,
        current_tenant_id(),
        assessment_id,
        pool.id,
        version,
        json.dumps(terms.plain()),
        None if receivers is None else json.dumps(receivers),
        period.first,
        period.until,
        now,
        actor.account_id,
        actor.employee_id,
    )
    changes: dict[str, list[Scalar]] = {"pool": [None, str(pool.id)], "period": [None, period.first.isoformat()]}
    await _record(actor, "assessment.asked_for", assessment_id, changes, clock)
    await emit(DRAFT_AWAITED, {"assessment_id": str(assessment_id)})
    return assessment_id


async def _refuse_period(pool_id: UUID, period: Period, *, today: date) -> None:
    assert period.until is not None, "a period of an assessment has an end"
    last = str(period.last)
    if period.until > today:
        raise PeriodRefused("circulation.period_open", {"last": last}).at("input", "day")
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute(_LOCK_POOL, tenant_id, pool_id)
    other = await transaction.fetchrow(_OVERLAPPING, tenant_id, pool_id, period.first, period.until)
    if other is not None:
        told: dict[str, Scalar] = {"first": period.first.isoformat(), "last": last}
        raise AssessmentStanding("circulation.assessment_overlaps", told).at("input", "day")


async def _checked(receivers: Sequence[UUID]) -> list[str]:
    if not 1 <= len(receivers) <= RECEIVERS_MAX or len(set(receivers)) < len(receivers):
        values: dict[str, Scalar] = {"given": len(receivers), "most": RECEIVERS_MAX}
        raise ReceiverRefused("circulation.receivers_refused", values).at("input", "receivers")
    missing = len(receivers) - len(await find_hire_days(receivers))
    if missing:
        raise ReceiverRefused("circulation.receivers_missing", {"missing": missing}).at("input", "receivers")
    return [str(each) for each in receivers]


async def announce_assessment(
    actor: Actor, *, assessment_id: UUID, plan_hash: str, access: AccessTable, time_zone: str, clock: Clock
) -> UUID:
    """Announce just what was previewed (permission ``assessment:run``): notices go out, and their days begin to run.

    The public ledger warns of each customer; owner and manager get a notice each.

    :raises AssessmentNotFound: missing, another company's, or not visible.
    :raises AssessmentStanding: it is no draft (any more); of any number at once one announces.
    :raises PlanChanged: the hash is of another preview, the policy has changed since, or customers changed hands.
    :raises ReceiverRefused: customers are to be given to more people than one allocation knows.
    """
    now = clock.now()
    today = local_date(now, time_zone)
    row = await _locked(actor, access, assessment_id, "draft")
    await _refuse_changed(row, plan_hash, today=today)
    terms = AssessmentTerms.of_plain(json.loads(row["terms"]))
    _refuse_crowd(row, terms)
    days = Deadlines.of(terms, today)
    values = (now, today, actor.account_id, days.appeal_until, days.due_on)
    await current_transaction().execute(_ANNOUNCE, current_tenant_id(), assessment_id, *values)
    lines = await current_transaction().fetch(_ANNOUNCE_LINES, current_tenant_id(), assessment_id)
    for start in range(0, len(lines), _CHUNK):
        warnings = [_warning(line) for line in lines[start : start + _CHUNK]]
        await warn_of_reclaim(actor, warnings, pool_id=row["pool_id"], rule=RULE, at=now, on=today)
    told = [
        {"assessment_id": str(assessment_id), "employee_id": str(each)}
        for each in sorted({line["employee_id"] for line in lines})
    ]
    await emit_many(PERSON_NOTIFIED, told)
    changes: dict[str, list[Scalar]] = {"plan": [None, plan_hash], "due_on": [None, days.due_on.isoformat()]}
    await _record(actor, "assessment.announced", assessment_id, changes, clock)
    return assessment_id


def _refuse_crowd(row: asyncpg.Record, terms: AssessmentTerms) -> None:
    if terms.rotation is Rotation.FLEXIBLE and row["is_for_all"] and row["people"] > RECEIVERS_MAX:
        values: dict[str, Scalar] = {"people": row["people"], "most": RECEIVERS_MAX}
        raise ReceiverRefused("circulation.receivers_needed", values).at("input", "assessment")


def _warning(line: asyncpg.Record) -> ReclaimWarning:
    explanation = Explanation.of_plain(json.loads(line["explanation"]))
    return ReclaimWarning(line["customer_id"], line["employee_id"], explanation)


async def _refuse_changed(row: asyncpg.Record, plan_hash: str, *, today: date) -> None:
    if row["plan_hash"] != plan_hash:
        raise PlanChanged("circulation.plan_of_other_hash").at("input", "planHash")
    policy = await find_assessment_policy(row["pool_id"], on=today)
    if policy is None or policy[0] != row["policy_version"]:
        raise PlanChanged("circulation.plan_of_other_policy", {"version": row["policy_version"]}).at(
            "input", "planHash"
        )
    found = await current_transaction().fetchrow(_CHANGED, current_tenant_id(), row["id"])
    if found is not None and found["changed"]:
        values = {"changed": found["changed"], "of": found["planned"]}
        raise PlanChanged("circulation.plan_items_changed", values).at("input", "planHash")


async def cancel_assessment(
    actor: Actor, *, assessment_id: UUID, reason: str, access: AccessTable, clock: Clock
) -> UUID:
    """Drop an assessment before any customer has moved (permission ``assessment:run``).

    :raises AssessmentNotFound: missing, another company's, or not visible.
    :raises AssessmentStanding: it is over, or customers have moved.
    """
    row = await _locked(actor, access, assessment_id, "drafting", "draft", "announced")
    if await current_transaction().fetchval(_MOVED, current_tenant_id(), assessment_id):
        raise AssessmentStanding("circulation.assessment_moving").at("input", "assessment")
    await current_transaction().execute(_CANCEL, current_tenant_id(), assessment_id, clock.now())
    await record(
        actor,
        "assessment.cancelled",
        object_type="Assessment",
        object_id=assessment_id,
        changes={"state": [row["state"], "cancelled"]},
        reason=reason,
        clock=clock,
    )
    return assessment_id


async def ask_to_move(actor: Actor, *, assessment_id: UUID, access: AccessTable, time_zone: str, clock: Clock) -> UUID:
    """Have a worker carry an assessment out now whose notice is over, not by night (permission ``assessment:run``).

    :raises AssessmentNotFound: missing, another company's, or not visible.
    :raises AssessmentStanding: it was not announced, or is over.
    :raises NotYetDue: the notice runs.
    """
    row = await _locked(actor, access, assessment_id, "announced")
    if local_date(clock.now(), time_zone) < row["due_on"]:
        due_on = row["due_on"].isoformat()
        raise NotYetDue("circulation.notice_runs", {"due_on": due_on}).at("input", "assessment")
    await _record(actor, "assessment.move_asked", assessment_id, {}, clock)
    await emit(MOVE_AWAITED, {"assessment_id": str(assessment_id)})
    return assessment_id


async def _locked(actor: Actor, access: AccessTable, assessment_id: UUID, *states: str) -> asyncpg.Record:
    """The assessment, locked, in one of the states.

    :raises AssessmentNotFound: missing, another company's, or not visible.
    :raises AssessmentStanding: it is in another state.
    """
    await require_visible_assessment(actor, access, assessment_id)
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), assessment_id)
    assert row is not None, "the caller has seen it, and assessments are never deleted"
    if row["state"] not in states:
        raise AssessmentStanding("circulation.assessment_state", {"state": row["state"]}).at("input", "assessment")
    return row


async def _record(
    actor: Actor, action: str, assessment_id: UUID, changes: dict[str, list[Scalar]], clock: Clock
) -> None:
    await record(actor, action, object_type="Assessment", object_id=assessment_id, changes=changes, clock=clock)
