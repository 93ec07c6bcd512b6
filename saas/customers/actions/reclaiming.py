"""Customers that a decision of a room above takes back to the pool, and gives to others: warned of, reclaimed, rotated.

The ownership ends as by any rule, so the cooldown of the former owner runs, and the public ledger tells it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from saas.audit import record
from saas.customers.actions.allocations import commit_allocation
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.actions.plans import plan_allocation
from saas.customers.actions.releasing import RETURN_TO_POOL
from saas.customers.actions.wishes import AllocationWish, OnChange, Participant
from saas.customers.allocation import Method
from saas.customers.events import CUSTOMER_RECYCLED
from saas.customers.holding_queries import find_pooled
from saas.events import emit
from saas.kernel import Actor, Clock, Explanation
from saas.sealing import Keyring
from tenants import current_tenant_id, current_transaction

_LOCK = """
SELECT c.pool_id, c.owner_id, o.id AS ownership_id,
       EXISTS (SELECT FROM holding_mark m WHERE m.tenant_id = $1 AND m.customer_id = c.id AND m.ownership_id = o.id
           AND m.state = 'in_force' AND m.until_on >= $3 AND m.requested_at < $4) AS is_marked
FROM customer c JOIN ownership o ON o.tenant_id = $1 AND o.customer_id = c.id AND o.ended_at IS NULL
WHERE c.tenant_id = $1 AND c.id = $2 AND c.owner_id IS NOT NULL FOR NO KEY UPDATE OF c
"""
_PLAN_HASH = "SELECT plan_hash FROM pool_allocation WHERE tenant_id = $1 AND id = $2"
_GIVEN = """
SELECT customer_id, employee_id FROM allocation_pick WHERE tenant_id = $1 AND allocation_id = $2 AND state = 'given'
"""


@dataclass(frozen=True, slots=True)
class LockedHolding:
    """An owned customer whose row is locked; `is_marked` by a lock, protection or extension asked for before then."""

    customer_id: UUID
    pool_id: UUID
    owner_id: UUID
    ownership_id: UUID
    is_marked: bool


@dataclass(frozen=True, slots=True)
class ReclaimWarning:
    """A customer that its owner is to lose by a rule, and why."""

    customer_id: UUID
    owner_id: UUID
    explanation: Explanation


async def lock_holding(customer_id: UUID, *, today: date, marked_before: datetime) -> LockedHolding | None:
    """Lock an owned customer; None while it is in the pool. Marks count that were asked for before an instant."""
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), customer_id, today, marked_before)
    return None if row is None else LockedHolding(customer_id, **dict(row))


async def warn_of_reclaim(
    actor: Actor, warnings: Sequence[ReclaimWarning], *, pool_id: UUID, rule: str, at: datetime, on: date
) -> None:
    """Tell the public ledger which customers are going to be reclaimed by a rule."""
    lines = [
        LedgerLine(
            "warned",
            pool_id,
            each.customer_id,
            employee_id=each.owner_id,
            rule=rule,
            explanation=each.explanation,
        )
        for each in warnings
    ]
    await write_ledger(actor, lines, at=at, on=on)


async def reclaim_customer(
    actor: Actor, held: LockedHolding, *, rule: str, explanation: Explanation, today: date, clock: Clock
) -> None:
    """Take a locked customer back to its pool by a rule that is not recycling's own."""
    now, owner = clock.now(), str(held.owner_id)
    values = (held.owner_id, held.customer_id, now, today, "recycle", rule)
    await current_transaction().fetchval(RETURN_TO_POOL, current_tenant_id(), *values)
    line = LedgerLine(
        "recycled",
        held.pool_id,
        held.customer_id,
        former_owner_id=held.owner_id,
        rule=rule,
        explanation=explanation,
    )
    await write_ledger(actor, [line], at=now, on=today)
    changes: dict[str, list[str | int | None]] = {"owner": [owner, None], "rule": [None, rule]}
    await record(
        actor,
        "customer.recycled",
        object_type="Customer",
        object_id=held.customer_id,
        changes=changes,
        clock=clock,
    )
    await emit(CUSTOMER_RECYCLED, {"customer_id": str(held.customer_id), "owner_id": owner, "rule": rule})


async def rotate_customers(
    actor: Actor,
    *,
    pool_id: UUID,
    customer_ids: Sequence[UUID],
    people: Sequence[UUID],
    keyring: Keyring,
    time_zone: str,
    clock: Clock,
) -> dict[UUID, UUID]:
    """Give those of the customers that still wait in the pool to people by the flexible method; who got which.

    It is an allocation as any other, planned and committed in one transaction: limits, cooldowns and leave hold, and
    it explains itself; but working hours don't, since the job that does it has its own. Whom nobody can have stays in
    the pool. Raises as `plan_allocation`.
    """
    waiting = await find_pooled(pool_id, customer_ids)
    if not waiting or not people:
        return {}
    wish = AllocationWish(
        pool_id,
        Method.FLEXIBLE,
        [Participant(each) for each in people],
        customer_ids=waiting,
        keeps_hours=False,
    )
    allocation_id = await plan_allocation(actor, wish, keyring=keyring, time_zone=time_zone, clock=clock)
    plan_hash = await current_transaction().fetchval(_PLAN_HASH, current_tenant_id(), allocation_id)
    await commit_allocation(
        actor,
        allocation_id=allocation_id,
        plan_hash=plan_hash,
        on_change=OnChange.SKIP,
        keyring=keyring,
        time_zone=time_zone,
        clock=clock,
    )
    rows = await current_transaction().fetch(_GIVEN, current_tenant_id(), allocation_id)
    return {row["customer_id"]: row["employee_id"] for row in rows}
