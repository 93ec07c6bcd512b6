"""Working a draft out: every rep of the pool judged, every customer that would move named, all of it frozen.

A job does it, a few reps at a time, in one transaction: a draft is whole or not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from saas.audit import record
from saas.circulation.queries import gather_reps
from saas.circulation.rules.assessing import Assessed, Moving, assess, plan_hash
from saas.circulation.rules.terms import AssessmentTerms
from saas.customers import find_pool_owners, get_pool, job_actor
from saas.kernel import Clock, Period, local_date, new_id
from tenants import current_tenant_id, current_transaction

REPS = 20
"""Reps that are judged at once: memory stays at what they hold, however many there are."""

T = TypeVar("T")
_DRAFTING = """
SELECT id, pool_id, policy_version, terms::text AS terms, receivers::text AS receivers, period_first, period_until
FROM assessment WHERE tenant_id = $1 AND id = $2 AND state = 'drafting' FOR NO KEY UPDATE
"""
_PERSONS = """
INSERT INTO assessment_person (tenant_id, id, assessment_id, employee_id, department_id, held, judged, above_quota,
    moving, utilisation, explanation)
SELECT $1, p.id, $2, p.employee_id, p.department_id, p.held, p.judged, p.above_quota, p.moving, p.utilisation,
    p.explanation::jsonb
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::int[], $8::int[], $9::int[], $10::numeric[],
    $11::text[]) AS p (id, employee_id, department_id, held, judged, above_quota, moving, utilisation, explanation)
"""
_LINES = """
INSERT INTO assessment_customer (tenant_id, id, assessment_id, customer_id, ownership_id, employee_id, department_id,
    place, use, deals_minor, collected_minor, last_follow_up_on, explanation, state, created_at)
SELECT $1, l.id, $2, l.customer_id, l.ownership_id, l.employee_id, l.department_id, l.place, l.use, l.deals,
    l.collected, l.last_on, l.explanation::jsonb, 'planned', $3
FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::int[], $10::int[], $11::bigint[],
    $12::bigint[], $13::date[], $14::text[]) AS l (id, customer_id, ownership_id, employee_id, department_id, place,
    use, deals, collected, last_on, explanation)
"""
_DRAFTED = """
UPDATE assessment SET state = 'draft', plan_hash = $3, people = $4, customers = $5 WHERE tenant_id = $1 AND id = $2
"""
_FAILED = "UPDATE assessment SET state = 'failed' WHERE tenant_id = $1 AND id = $2 AND state = 'drafting'"


async def draft_assessment(assessment_id: UUID, *, currency: str, time_zone: str, clock: Clock) -> None:
    """Work out a draft that was asked for; nothing is done for one that is there, or was dropped."""
    row = await current_transaction().fetchrow(_DRAFTING, current_tenant_id(), assessment_id)
    if row is None:
        return
    draft = _Draft(row, local_date(clock.now(), time_zone), currency, time_zone, clock)
    await draft.work_out()


async def give_up_draft(assessment_id: UUID, *, clock: Clock) -> None:
    """Let an assessment be failed that no job could work out."""
    if await current_transaction().execute(_FAILED, current_tenant_id(), assessment_id):
        await _record(assessment_id, "assessment.failed", {}, clock)


async def _record(assessment_id: UUID, action: str, changes: dict[str, Any], clock: Clock) -> None:
    actor = job_actor(current_tenant_id())
    await record(actor, action, object_type="Assessment", object_id=assessment_id, changes=changes, clock=clock)


class _Draft:
    """One assessment that is being worked out; `_parts` are what its hash is of, a digest for each group of reps."""

    def __init__(self, row: asyncpg.Record, today: date, currency: str, time_zone: str, clock: Clock) -> None:
        self._row, self._id = row, row["id"]
        self._terms = AssessmentTerms.of_plain(json.loads(row["terms"]))
        self._period = Period(row["period_first"], row["period_until"])
        self._today, self._currency, self._zone, self._clock = today, currency, time_zone, clock
        self._people = self._customers = 0
        self._parts: list[str] = []

    async def work_out(self) -> None:
        pool = await get_pool(self._row["pool_id"])
        for owners in _groups(await find_pool_owners(pool.id), REPS):
            reps = await gather_reps(
                pool.id, owners, pool.settings, period=self._period, today=self._today, time_zone=self._zone
            )
            await self._store(
                [
                    assess(
                        rep,
                        self._terms,
                        self._period,
                        assessment_id=self._id,
                        today=self._today,
                        currency=self._currency,
                    )
                    for rep in reps
                ]
            )
        await self._finish()

    async def _store(self, judged: Sequence[Assessed]) -> None:
        transaction, tenant_id = current_transaction(), current_tenant_id()
        persons = [_person(each) for each in judged]
        lines = [_line(each, moving) for each in judged for moving in each.moving]
        if persons:
            await transaction.execute(_PERSONS, tenant_id, self._id, *map(list, zip(*persons, strict=True)))
        if lines:
            columns = map(list, zip(*lines, strict=True))
            await transaction.execute(_LINES, tenant_id, self._id, self._clock.now(), *columns)
        self._people += len(persons)
        self._customers += len(lines)
        frozen = [[str(value) for value in row[1:]] for row in (*persons, *lines)]
        self._parts.append(hashlib.sha256(json.dumps(frozen).encode()).hexdigest())

    async def _finish(self) -> None:
        row = self._row
        frozen = plan_hash(
            {
                "assessment": str(self._id),
                "pool": str(row["pool_id"]),
                "policy": row["policy_version"],
                "terms": self._terms.plain(),
                "period": [str(self._period.first), str(self._period.until)],
                "receivers": None if row["receivers"] is None else json.loads(row["receivers"]),
                "parts": self._parts,
            }
        )
        values = (frozen, self._people, self._customers)
        await current_transaction().execute(_DRAFTED, current_tenant_id(), self._id, *values)
        changes = {"plan": [None, frozen], "people": [None, self._people], "customers": [None, self._customers]}
        await _record(self._id, "assessment.drafted", changes, self._clock)


def _person(judged: Assessed) -> tuple[object, ...]:
    return (
        new_id(),
        judged.rep.employee_id,
        judged.rep.department_id,
        len(judged.rep.held),
        judged.judged,
        judged.above_quota,
        len(judged.moving),
        judged.utilisation,
        json.dumps(judged.explanation.plain(), ensure_ascii=False),
    )


def _line(judged: Assessed, moving: Moving) -> tuple[object, ...]:
    customer = moving.customer
    return (
        new_id(),
        customer.customer_id,
        customer.ownership_id,
        judged.rep.employee_id,
        judged.rep.department_id,
        moving.place,
        moving.use,
        customer.deals_minor,
        customer.collected_minor,
        customer.last_follow_up_on,
        json.dumps(moving.explanation.plain(), ensure_ascii=False),
    )


def _groups(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
