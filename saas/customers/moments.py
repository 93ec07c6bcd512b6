"""What few pools ask at a claim: instants, waiting records, departments; and the departments' loads, locked.

It comes after the claimant's row is locked and before the customer's: departments in the order of their ids, so that
nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from saas.customers.department_loads import departments_above, find_loads, lock_departments
from saas.customers.errors import AssignmentThresholdPassed
from saas.customers.queries import Pool, get_pool
from saas.customers.rules import ClaimMoment, ClaimSituation, DepartmentLoad, PoolRules, may_hold_one_more
from saas.customers.settings import PoolSettings
from saas.customers.thresholds import Received, cycle_begins, warning_of
from saas.kernel import AppError, local_date
from saas.people import is_same_person_sql
from tenants import current_tenant_id, current_transaction

_MOMENT = f"""
SELECT coalesce((SELECT max(o.ended_at) FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id),
                c.created_at) AS pooled_at,
       (SELECT max(o.started_at) FROM ownership o WHERE o.tenant_id = $1 AND o.owner_id = $3 AND o.pool_id = c.pool_id
        AND o.start_kind = 'claim') AS last_claimed_at,
       (SELECT max(o.ended_at) FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id
        AND ({is_same_person_sql(record="o.owner_id", employee="$3")}
             OR ($5 AND o.owner_department_id = $4))) AS last_ended_at,
       (SELECT count(*) FROM customer h WHERE h.tenant_id = $1 AND h.owner_id = $3 AND h.pool_id = c.pool_id
        AND h.effective_follow_up_on IS NULL) AS awaiting_first
FROM customer c WHERE c.tenant_id = $1 AND c.id = $2
"""
_HELD = """
SELECT held.owner_id, held.holding, ARRAY(SELECT u.ancestor_id FROM department_closure u WHERE u.tenant_id = $1
    AND u.descendant_id = e.department_id ORDER BY u.depth, u.ancestor_id) AS departments
FROM (
    SELECT c.owner_id, count(*) AS holding FROM customer c WHERE c.tenant_id = $1 AND c.owner_id IS NOT NULL
        AND counts_as_held(c.last_deal_on, c.level, c.source, c.industry, $2::jsonb) GROUP BY c.owner_id
) held JOIN employee e ON e.tenant_id = $1 AND e.id = held.owner_id
"""


async def judged_more(
    situation: ClaimSituation,
    settings: PoolSettings,
    *,
    pool_name: str,
    customer_id: UUID,
    claimant_id: UUID,
    department_id: UUID,
    now: datetime,
    time_zone: str,
) -> tuple[ClaimSituation, PoolRules]:
    """A situation with what the pool asks beside the usual, and the rules with the limit of that person."""
    if not settings.asks_more:
        return situation, settings.claim_rules(pool_name, limit=settings.limit_of(claimant_id))
    departments = (await departments_above([department_id]))[department_id]
    moment = await find_moment(
        settings,
        customer_id=customer_id,
        claimant_id=claimant_id,
        departments=departments,
        now=now,
        time_zone=time_zone,
    )
    ended_on = situation.last_ended_on
    if settings.cooldown_of_department and moment.last_ended_at is not None:
        ended_on = local_date(moment.last_ended_at, time_zone)
    rules = settings.claim_rules(pool_name, limit=settings.limit_of(claimant_id, departments))
    return replace(situation, moment=moment, last_ended_on=ended_on), rules


async def refuse_one_more(pool: Pool, holding: int, *, employee_id: UUID, department_id: UUID) -> AppError | None:
    """None where a person who holds `holding` customers that count may get one more; else the refusal (P09)."""
    departments = await _limited_departments(pool, department_id)
    loads = await department_loads(pool.settings, departments)
    return may_hold_one_more(holding, pool.rules_for(employee_id, departments), loads)


_RECEIVED = """
SELECT o.owner_id, count(*) FILTER (WHERE o.start_kind = 'assign' AND o.started_on >= $4) AS in_cycle,
       count(*) FILTER (WHERE o.start_kind IN ('assign', 'claim') AND o.started_on = $5) AS on_day
FROM ownership o WHERE o.tenant_id = $1 AND o.owner_id = ANY ($2) AND o.pool_id = $3 AND o.started_on >= $4
GROUP BY o.owner_id
"""


async def count_received(pool: Pool, employee_ids: Sequence[UUID], *, day: date) -> dict[UUID, Received]:
    """What came to people from a pool in the cycle of the day, and on it (P13, P14); who got nothing is missing."""
    since = cycle_begins(day, pool.settings.assignment_cycle)
    rows = await current_transaction().fetch(_RECEIVED, current_tenant_id(), list(employee_ids), pool.id, since, day)
    return {row["owner_id"]: Received(row["in_cycle"], row["on_day"]) for row in rows}


async def assignment_warning(customer_id: UUID, employee_id: UUID, *, today: date) -> AssignmentThresholdPassed | None:
    """Whether the assignment that was just made goes past a threshold of the customer's pool (P13, P14)."""
    pool_id = await current_transaction().fetchval(_POOL_OF, current_tenant_id(), customer_id)
    pool = await get_pool(pool_id)
    received = await count_received(pool, [employee_id], day=today)
    return warning_of(pool.settings, employee_id, received.get(employee_id, Received()))


_POOL_OF = "SELECT pool_id FROM customer WHERE tenant_id = $1 AND id = $2"


async def room_of(pool: Pool, holding: int, *, employee_id: UUID, department_id: UUID, most: int) -> int:
    """How many customers that count a person who holds `holding` may get, `most` where no limit is nearer (P09)."""
    departments = await _limited_departments(pool, department_id)
    loads = await department_loads(pool.settings, departments)
    limit = pool.settings.limit_of(employee_id, departments)
    rooms = [most if limit is None else limit - holding, *(each.limit - each.holding for each in loads)]
    return max(0, min(most, *rooms))


@dataclass(frozen=True, slots=True)
class OverLimit:
    """Somebody who holds more than a pool allows: they keep all, and take none."""

    employee_id: UUID
    holding: int
    limit: int


async def people_over_limit(settings: PoolSettings) -> list[OverLimit]:
    """Who holds more customers that count than the settings allow, who is furthest over first (3.2)."""
    rows = await current_transaction().fetch(_HELD, current_tenant_id(), settings.holding_text)
    found = [
        OverLimit(row["owner_id"], row["holding"], limit)
        for row in rows
        if (limit := settings.limit_of(row["owner_id"], row["departments"])) is not None and row["holding"] > limit
    ]
    return sorted(found, key=lambda each: (each.limit - each.holding, each.employee_id))


async def _limited_departments(pool: Pool, department_id: UUID) -> Sequence[UUID]:
    """A department and those above it, itself first; none where the pool limits no department."""
    if not pool.settings.holding_limits_of_departments:
        return ()
    return (await departments_above([department_id]))[department_id]


async def department_loads(settings: PoolSettings, departments: Sequence[UUID]) -> tuple[DepartmentLoad, ...]:
    """What limited departments hold together (P09); nobody adds to them until the transaction ends."""
    limited = settings.limits_together(departments)
    await lock_departments(limited)
    return tuple((await find_loads(settings, limited)).values())


async def find_moment(
    settings: PoolSettings,
    *,
    customer_id: UUID,
    claimant_id: UUID,
    departments: Sequence[UUID],
    now: datetime,
    time_zone: str,
) -> ClaimMoment:
    """What the pool asks of a claim of the customer; `departments` are the claimant's, the nearest first."""
    row = await current_transaction().fetchrow(
        _MOMENT, current_tenant_id(), customer_id, claimant_id, departments[0], settings.cooldown_of_department
    )
    assert row is not None, "the customer was found a moment ago, and customers are never deleted"
    return ClaimMoment(
        now=now,
        zone=ZoneInfo(time_zone),
        pooled_at=row["pooled_at"],
        last_claimed_at=row["last_claimed_at"],
        last_ended_at=row["last_ended_at"],
        awaiting_first=row["awaiting_first"],
        departments=await department_loads(settings, departments),
    )
