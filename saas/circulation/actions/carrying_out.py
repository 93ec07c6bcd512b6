"""Carrying an announced assessment out: customer by customer, looked at once more under its lock, then given to others.

Running it again changes nothing: a customer whose state has moved on is passed over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from saas.audit import record
from saas.circulation.actions.assessments import RULE
from saas.circulation.queries import find_entries
from saas.circulation.rules.moving import SPARED, LineFacts, LineState, Spared, Step, next_step
from saas.circulation.rules.terms import AssessmentTerms, Rotation
from saas.customers import (
    LockedHolding,
    PoolSettings,
    effective_days,
    get_pool,
    job_actor,
    lock_holding,
    reclaim_customer,
    rotate_customers,
)
from saas.kernel import Clock, Explanation, Period, local_date
from saas.sealing import Keyring
from tenants import current_tenant_id, current_transaction

ROTATED_AT_ONCE = 500
"""Customers of one allocation, far below what a request deals by itself."""

_LINE = """
SELECT l.id, l.assessment_id, l.customer_id, l.ownership_id, l.employee_id, l.state, l.explanation::text AS explanation,
       a.pool_id, a.terms::text AS terms, a.policy_version, a.period_first, a.period_until, a.announced_at,
       a.announced_on, a.due_on,
       (SELECT p.notified_at IS NOT NULL FROM assessment_person p WHERE p.tenant_id = $1
        AND p.assessment_id = l.assessment_id AND p.employee_id = l.employee_id) AS is_notified
FROM assessment_customer l JOIN assessment a ON a.tenant_id = $1 AND a.id = l.assessment_id AND a.state = 'announced'
WHERE l.tenant_id = $1 AND l.id = $2 FOR NO KEY UPDATE OF l FOR SHARE OF a
"""
_MOVED = """
UPDATE assessment_customer SET state = $3, spared = $4, moved_on = $5 WHERE tenant_id = $1 AND id = $2
"""
_WAITING = """
SELECT l.id, l.customer_id, a.pool_id, a.receivers::text AS receivers FROM assessment_customer l
JOIN assessment a ON a.tenant_id = $1 AND a.id = l.assessment_id
WHERE l.tenant_id = $1 AND l.assessment_id = $2 AND l.employee_id = $3 AND l.state = 'reclaimed'
ORDER BY l.customer_id LIMIT $4 FOR NO KEY UPDATE OF l
"""
_ASSESSED = "SELECT employee_id FROM assessment_person WHERE tenant_id = $1 AND assessment_id = $2 ORDER BY employee_id"
_SETTLE = """
UPDATE assessment_customer l SET state = CASE WHEN d.receiver_id IS NULL THEN 'pooled' ELSE 'rotated' END,
    receiver_id = d.receiver_id
FROM unnest($2::uuid[], $3::uuid[]) AS d (id, receiver_id) WHERE l.tenant_id = $1 AND l.id = d.id
"""
_CLOSE = """
UPDATE assessment a SET state = 'closed', closed_at = $3
WHERE a.tenant_id = $1 AND a.id = $2 AND a.state = 'announced' AND a.due_on <= $4 AND NOT EXISTS (
    SELECT FROM assessment_customer l WHERE l.tenant_id = $1 AND l.assessment_id = a.id
    AND l.state IN ('announced', 'appealed', 'refused', 'reclaimed'))
"""


@dataclass(frozen=True, slots=True)
class _Case:
    row: asyncpg.Record
    terms: AssessmentTerms
    settings: PoolSettings
    held: LockedHolding | None
    today: date

    async def step(self, time_zone: str) -> tuple[Step, Spared | None]:
        row, held = self.row, self.held
        facts = LineFacts(
            state=LineState(row["state"]),
            due_on=row["due_on"],
            is_owned_as_frozen=held is not None and held.ownership_id == row["ownership_id"],
            is_marked=held is not None and held.is_marked,
            is_followed_up=self.terms.follow_up_saves and await self._is_followed_up(time_zone),
            is_notified=row["is_notified"],
        )
        return next_step(facts, self.terms, warns=bool(self.settings.reminder_days), today=self.today)

    async def _is_followed_up(self, time_zone: str) -> bool:
        """Effectively, by the owner, on a day after the announcement; a copied text does not count."""
        customer_id, row = self.row["customer_id"], self.row
        entries = await find_entries([customer_id], since=row["period_first"], time_zone=time_zone)
        rules, own = self.settings.recycle_rules(), row["employee_id"]
        days = effective_days(entries.get(customer_id, ()), rules, today=self.today, by=own)
        return bool(days) and days[-1] > row["announced_on"]

    def explanation(self) -> Explanation:
        """What the public ledger, and the former owner, read."""
        row = self.row
        last = Period(row["period_first"], row["period_until"]).last
        args = {"first": str(row["period_first"]), "last": str(last), "version": row["policy_version"]}
        line = Explanation.of_plain(json.loads(row["explanation"]))
        return Explanation("circulation.reclaimed_by_assessment", args, parts=(line,))


async def move_if_due(line_id: UUID, *, time_zone: str, clock: Clock) -> Step | None:
    """Reclaim a customer whose notice is over, or let it stay; None where somebody else has done so.

    Locks are taken in the order of line, then customer.
    """
    row = await current_transaction().fetchrow(_LINE, current_tenant_id(), line_id)
    if row is None:
        return None
    now, actor = clock.now(), job_actor(current_tenant_id())
    today = local_date(now, time_zone)
    case = _Case(
        row,
        AssessmentTerms.of_plain(json.loads(row["terms"])),
        (await get_pool(row["pool_id"])).settings,
        await lock_holding(row["customer_id"], today=today, marked_before=row["announced_at"]),
        today,
    )
    step, spared = await case.step(time_zone)
    if step is Step.SPARE and spared is not None:
        await _moved(line_id, LineState.SPARED, spared, None)
        await _record(line_id, LineState(row["state"]), LineState.SPARED, SPARED[spared].key, now, clock)
    elif step is Step.RECLAIM and case.held is not None:
        rotates = case.terms.rotation is Rotation.FLEXIBLE
        state = LineState.RECLAIMED if rotates else LineState.POOLED
        await reclaim_customer(actor, case.held, rule=RULE, explanation=case.explanation(), today=today, clock=clock)
        await _moved(line_id, state, None, today)
    return step


async def _moved(line_id: UUID, state: LineState, spared: Spared | None, on: date | None) -> None:
    reason = None if spared is None else spared.value
    await current_transaction().execute(_MOVED, current_tenant_id(), line_id, state.value, reason, on)


async def _record(line_id: UUID, before: LineState, after: LineState, reason: str, at: datetime, clock: Clock) -> None:
    await record(
        job_actor(current_tenant_id()),
        f"assessment_customer.{after.value}",
        object_type="AssessmentCustomer",
        object_id=line_id,
        changes={"state": [before.value, after.value], "why": [None, reason]},
        clock=clock,
    )


async def rotate_if_reclaimed(
    assessment_id: UUID, *, former_owner_id: UUID, keyring: Keyring, time_zone: str, clock: Clock
) -> int:
    """Give what was reclaimed of a person to the others, at most `ROTATED_AT_ONCE` at a call; how many were settled.

    The former owner is no candidate, whatever the pool's cooldown; whom nobody can have stays in the pool.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    rows = await transaction.fetch(_WAITING, tenant_id, assessment_id, former_owner_id, ROTATED_AT_ONCE)
    if not rows:
        return 0
    people = await _receivers(assessment_id, rows[0]["receivers"])
    given = await rotate_customers(
        job_actor(tenant_id),
        pool_id=rows[0]["pool_id"],
        customer_ids=[row["customer_id"] for row in rows],
        people=[each for each in people if each != former_owner_id],
        keyring=keyring,
        time_zone=time_zone,
        clock=clock,
    )
    receivers = [given.get(row["customer_id"]) for row in rows]
    await transaction.execute(_SETTLE, tenant_id, [row["id"] for row in rows], receivers)
    return len(rows)


async def _receivers(assessment_id: UUID, chosen: str | None) -> list[UUID]:
    if chosen is not None:
        return [UUID(each) for each in json.loads(chosen)]
    rows = await current_transaction().fetch(_ASSESSED, current_tenant_id(), assessment_id)
    return [row["employee_id"] for row in rows]


async def close_if_done(assessment_id: UUID, *, time_zone: str, clock: Clock) -> bool:
    """Close an assessment of which nothing is left to move or to decide."""
    now = clock.now()
    values = (now, local_date(now, time_zone))
    closed = bool(await current_transaction().execute(_CLOSE, current_tenant_id(), assessment_id, *values))
    if closed:
        await record(
            job_actor(current_tenant_id()),
            "assessment.closed",
            object_type="Assessment",
            object_id=assessment_id,
            changes={"state": ["announced", "closed"]},
            clock=clock,
        )
    return closed
