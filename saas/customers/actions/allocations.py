"""Allocations are committed as they were planned, or dropped; a commit of many customers is carried out by a job."""

from __future__ import annotations

import json
from uuid import UUID

import asyncpg

from saas.audit import record
from saas.customers.actions.carrying_out import PlanRow, carry_out, lock_unchanged_pool
from saas.customers.actions.giving import Given
from saas.customers.actions.wishes import CommitOrder, OnChange, is_large
from saas.customers.administrators import require_administrator
from saas.customers.claim_queries import refuse_during_allocation
from saas.customers.errors import AllocationClosed, AllocationNotFound, AllocationNotPlanned, PlanChanged
from saas.customers.events import COMMIT_AWAITED
from saas.events import emit
from saas.kernel import Actor, Clock
from saas.sealing import Keyring
from tenants import current_tenant_id, current_transaction

_LOCK = """
SELECT pool_id, state, roster::text AS roster, plan_hash, customers, sealed FROM pool_allocation
WHERE tenant_id = $1 AND id = $2 AND state <> 'committing' FOR NO KEY UPDATE
"""
"""One that is being committed is locked by its job for a minute or more: nobody waits for that to be refused then."""

_IS_THERE = "SELECT true FROM pool_allocation WHERE tenant_id = $1 AND id = $2"
_ORDER = """
UPDATE pool_allocation SET state = 'committing', commit_order = $3::jsonb, problems = NULL
WHERE tenant_id = $1 AND id = $2
"""
_CANCEL = """
UPDATE pool_allocation SET state = 'cancelled', closed_at = $3, closed_by = $4, sealed = NULL, wish = NULL
WHERE tenant_id = $1 AND id = $2
"""


async def commit_allocation(
    actor: Actor,
    *,
    allocation_id: UUID,
    plan_hash: str,
    on_change: OnChange,
    seed_value: str | None = None,
    keyring: Keyring,
    time_zone: str,
    clock: Clock,
) -> Given | None:
    """Give what was planned (permission ``pool:allocate``); None where it is of so many that a job gives them.

    Where a customer or person has changed, nothing is given (REFUSE), or all but that (SKIP). `seed_value` is the
    public value of a draw that names its source. What can be judged without a job's work is refused here.

    :raises AllocationNotFound: this company has no such allocation.
    :raises NotAPoolAdministrator: the pool names others who administer it (P01).
    :raises AllocationNotPlanned: its plan is not there yet, or could not be made.
    :raises AllocationClosed: it is, or was, committed or cancelled before; of any number at once one commits.
    :raises PoolBeingAllocated: a job gives customers of the pool at the moment.
    :raises PlanChanged: the hash is of another plan; the pool's settings or standings changed; or an item, with REFUSE.
    :raises DrawSeedRefused: the value of the public seed is needed.
    """
    row = await _locked(allocation_id)
    await require_administrator(actor, row["pool_id"], place=("allocation",))
    _require_planned(row["state"])
    if row["plan_hash"] != plan_hash:
        raise PlanChanged("customers.plan_of_other_hash", field=("planHash",))
    plan, order = PlanRow.of(allocation_id, row), CommitOrder(actor, clock.now(), on_change, seed_value)
    await refuse_during_allocation(plan.pool_id)
    await lock_unchanged_pool(plan)
    if not is_large(row["customers"]):
        return await carry_out(plan, order, keyring=keyring, time_zone=time_zone)
    await refuse_during_allocation(plan.pool_id)
    if (seal := plan.seal(keyring, seed_value)) is not None:
        seal.seed_bytes()  # refuses a public seed whose value is not there
    await current_transaction().execute(_ORDER, current_tenant_id(), allocation_id, json.dumps(order.plain()))
    await record(actor, "allocation.commit_asked", object_type="Allocation", object_id=allocation_id, clock=clock)
    await emit(COMMIT_AWAITED, {"allocation_id": str(allocation_id)})
    return None


async def cancel_allocation(actor: Actor, *, allocation_id: UUID, clock: Clock) -> None:
    """Drop a plan (permission ``pool:allocate``), made or not; a draw's commitment stays published, to be counted.

    :raises AllocationNotFound: this company has no such allocation.
    :raises NotAPoolAdministrator: the pool names others who administer it (P01).
    :raises AllocationClosed: it is, or was, committed or cancelled before.
    """
    row = await _locked(allocation_id)
    await require_administrator(actor, row["pool_id"], place=("allocation",))
    await current_transaction().execute(_CANCEL, current_tenant_id(), allocation_id, clock.now(), actor.account_id)
    await record(actor, "allocation.cancelled", object_type="Allocation", object_id=allocation_id, clock=clock)


def _require_planned(state: str) -> None:
    if state == "planning":
        raise AllocationNotPlanned("customers.allocation_planning", field=("allocation",))
    if state == "failed":
        raise AllocationNotPlanned("customers.allocation_failed", field=("allocation",))


async def _locked(allocation_id: UUID) -> asyncpg.Record:
    """The allocation, which is neither committed nor cancelled; locked, so that of any number at once one goes on."""
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), allocation_id)
    if row is None:
        raise await _why_not(allocation_id)
    if row["state"] in ("committed", "cancelled"):
        raise AllocationClosed("customers.allocation_closed", {"state": row["state"]}, field=("allocation",))
    return row


async def _why_not(allocation_id: UUID) -> AllocationNotFound | AllocationClosed:
    if await current_transaction().fetchval(_IS_THERE, current_tenant_id(), allocation_id):
        return AllocationClosed("customers.allocation_committing", field=("allocation",))
    return AllocationNotFound("customers.allocation_not_found", field=("allocation",))
