"""Allocations are committed as they were planned, or dropped: each customer and person is looked at once more, locked.

The commit of a draw reveals the seed that its commitment is of, draws, and writes the certificate (docs/draws.md).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from uuid import UUID

import asyncpg

from saas.audit import record
from saas.customers.actions.giving import Given, give
from saas.customers.actions.plans import sealed_place
from saas.customers.actions.rosters import PICKS, FrozenRoster, plain_roster, restored_roster
from saas.customers.allocation import Allocation, Method, PublicSeed, Roster, Seal, SecretSeed, allocate, certify
from saas.customers.errors import AllocationClosed, AllocationNotFound, PlanChanged
from saas.customers.queries import get_pool
from saas.kernel import EXACT, Actor, Clock, local_date
from saas.sealing import Keyring
from tenants import current_tenant_id, current_transaction

_LOCK = """
SELECT pool_id, state, roster::text AS roster, plan_hash, sealed FROM pool_allocation
WHERE tenant_id = $1 AND id = $2 FOR UPDATE
"""
_LOCK_POOL = """
SELECT settings_version, allocations FROM customer_pool WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
_CLOSE = """
UPDATE pool_allocation SET state = 'committed', given = $3, skipped = $4, certificate = $5, picks_root = $6,
    closed_at = $7, closed_by = $8, roster = $9::jsonb, sealed = NULL
WHERE tenant_id = $1 AND id = $2
"""
_CANCEL = """
UPDATE pool_allocation SET state = 'cancelled', closed_at = $3, closed_by = $4, sealed = NULL
WHERE tenant_id = $1 AND id = $2
"""
_NEXT = """
UPDATE customer_pool SET allocations = allocations + 1, turn_after = coalesce($3, turn_after)
WHERE tenant_id = $1 AND id = $2
"""
_CARRY = """
INSERT INTO pool_standing (tenant_id, pool_id, method, employee_id, balance, turn)
SELECT $1, $2, $3, employee_id, balance, turn FROM unnest($4::uuid[], $5::numeric[], $6::int[])
    AS carried (employee_id, balance, turn)
ON CONFLICT (tenant_id, pool_id, method, employee_id) DO UPDATE SET balance = excluded.balance, turn = excluded.turn
"""
_DIGITS = Decimal(1).scaleb(-18)
"""Balances are kept to so many places."""


class OnChange(Enum):
    """What a commit does with customers and people that have changed since the plan."""

    REFUSE = "refuse"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class _Revealed:
    """A plan with the seed that it is dealt by; `seal` is of a draw."""

    pool_id: UUID
    frozen: FrozenRoster
    seal: Seal | None

    @property
    def roster(self) -> Roster:
        return self.frozen.roster


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
) -> Given:
    """Give what was planned (permission ``pool:allocate``).

    Where a customer or person has changed, nothing is given (REFUSE), or all but that (SKIP). `seed_value` is the
    public value of a draw that names its source.

    :raises AllocationNotFound: this company has no such allocation.
    :raises AllocationClosed: it was committed or cancelled before; of any number at once one commits.
    :raises PlanChanged: the hash is of another plan; the pool's settings or standings changed; or an item, with REFUSE.
    :raises DrawSeedRefused: the value of the public seed is needed.
    """
    now = clock.now()
    plan = await _revealed(allocation_id, plan_hash, keyring, seed_value)
    allocation = allocate(plan.roster)
    given = await give(
        actor,
        plan.frozen,
        allocation,
        pool=await get_pool(plan.pool_id),
        on=local_date(now, time_zone),
        is_refusing=on_change is OnChange.REFUSE,
        clock=clock,
    )
    await _carry(plan, allocation, given)
    written = None if plan.seal is None else certify(plan.roster, plan.seal, drawn=allocation)
    shown = (None, None) if written is None else (written.content.decode("ascii"), written.picks_root)
    done = (len(given.places), given.skipped, *shown, now, actor.account_id)
    roster = json.dumps(plain_roster(plan.frozen), ensure_ascii=False)
    await current_transaction().execute(_CLOSE, current_tenant_id(), allocation_id, *done, roster)
    await record(
        actor,
        "allocation.committed",
        object_type="Allocation",
        object_id=allocation_id,
        changes={"given": [None, len(given.places)], "skipped": [None, given.skipped]},
        clock=clock,
    )
    return given


async def cancel_allocation(actor: Actor, *, allocation_id: UUID, clock: Clock) -> None:
    """Drop a plan (permission ``pool:allocate``); a draw's commitment stays published, so that it can be counted.

    :raises AllocationNotFound: this company has no such allocation.
    :raises AllocationClosed: it was committed or cancelled before.
    """
    await _locked(allocation_id)
    await current_transaction().execute(_CANCEL, current_tenant_id(), allocation_id, clock.now(), actor.account_id)
    await record(actor, "allocation.cancelled", object_type="Allocation", object_id=allocation_id, clock=clock)


async def _locked(allocation_id: UUID) -> asyncpg.Record:
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), allocation_id)
    if row is None:
        raise AllocationNotFound("customers.allocation_not_found", field=("allocation",))
    if row["state"] != "planned":
        raise AllocationClosed("customers.allocation_closed", {"state": row["state"]}, field=("allocation",))
    return row


async def _revealed(allocation_id: UUID, plan_hash: str, keyring: Keyring, seed_value: str | None) -> _Revealed:
    """The plan, locked with its pool, so that allocations of one pool follow each other."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    row = await _locked(allocation_id)
    if row["plan_hash"] != plan_hash:
        raise PlanChanged("customers.plan_of_other_hash", field=("planHash",))
    pool = await transaction.fetchrow(_LOCK_POOL, tenant_id, row["pool_id"])
    assert pool is not None, "the allocation's key holds its pool"
    picks = await transaction.fetch(PICKS, tenant_id, allocation_id)
    frozen = restored_roster(allocation_id, row["roster"], picks)
    if (pool["settings_version"], pool["allocations"]) != (frozen.roster.settings_version, frozen.allocations):
        raise PlanChanged("customers.plan_pool_changed", field=("allocation",))
    if row["sealed"] is None:
        return _Revealed(row["pool_id"], frozen, None)
    seal = _seal(keyring.open(sealed_place(allocation_id), row["sealed"]), seed_value)
    roster = replace(frozen.roster, seed=seal.seed_bytes())
    return _Revealed(row["pool_id"], replace(frozen, roster=roster), seal)


def _seal(text: str, seed_value: str | None) -> Seal:
    hidden = json.loads(text)
    salt_key = bytes.fromhex(hidden["salt_key"])
    if hidden["source"] is not None:
        return Seal(PublicSeed(hidden["source"], (seed_value or "").strip() or None), salt_key)
    return Seal(SecretSeed(bytes.fromhex(hidden["seed"])), salt_key)


async def _carry(plan: _Revealed, allocation: Allocation, given: Given) -> None:
    """Keep what the next allocation begins with: what is owed by share, and whose turn it was."""
    roster, transaction, tenant_id = plan.roster, current_transaction(), current_tenant_id()
    turns = {each.employee_id: each.turn for each in roster.candidates}
    last = max(given.places, default=None)
    turn_after = None if last is None or roster.method is not Method.STRICT else turns[given.places[last]]
    await transaction.execute(_NEXT, tenant_id, plan.pool_id, turn_after)
    balances = _balances(allocation, given)
    if not balances and roster.method is not Method.STRICT:
        return
    people = [each.employee_id for each in roster.candidates]
    owed = [balances.get(each, Decimal(0)) for each in people]
    kept = [turns[each] for each in people] if roster.method is Method.STRICT else [None] * len(people)
    await transaction.execute(_CARRY, tenant_id, plan.pool_id, roster.method.value, people, owed, kept)


def _balances(allocation: Allocation, given: Given) -> dict[UUID, Decimal]:
    """What is owed after all that was really given: who missed a skipped customer is owed it, as a part of fewer."""
    missed, balances = Counter(given.missed), {}
    for employee_id, balance in allocation.balances.items():
        share = allocation.shares.get(employee_id)
        part = Decimal(0) if share is None else EXACT.divide(Decimal(share.numerator), Decimal(share.denominator))
        owed = balance + missed[employee_id] - EXACT.multiply(part, Decimal(len(given.missed)))
        balances[employee_id] = owed.quantize(_DIGITS, context=EXACT)
    return balances
