"""Carrying a plan out: what was shown is given, each customer and person looked at once more, in one transaction.

A draw reveals the seed that its commitment is of, draws, and writes the certificate (docs/draws.md).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import asyncpg

from saas.audit import record
from saas.customers.actions.figures import outcome_figures
from saas.customers.actions.frozen_rosters import PICKS, FrozenRoster, plain_roster, restored_roster
from saas.customers.actions.giving import Given, give
from saas.customers.actions.leave_shares import count_missed, given_sizes, received
from saas.customers.actions.plans import sealed_place
from saas.customers.actions.problems import problems_text
from saas.customers.actions.tallies import keep_tallies
from saas.customers.actions.wishes import CommitOrder, OnChange
from saas.customers.allocation import (
    Allocation,
    Certificate,
    Method,
    PublicSeed,
    Roster,
    Seal,
    SecretSeed,
    allocate,
    certify,
    made_up,
    made_up_places,
)
from saas.customers.claim_queries import hold_claims
from saas.customers.errors import AllocationGivenUp, PlanChanged
from saas.customers.events import CUSTOMERS_UNPLACED
from saas.customers.queries import get_pool
from saas.events import emit
from saas.kernel import EXACT, AppError, AppErrors, FrozenClock, local_date
from saas.sealing import Keyring
from tenants import current_tenant_id, current_transaction

_ORDERED = """
SELECT pool_id, roster::text AS roster, sealed, commit_order::text AS commit_order FROM pool_allocation
WHERE tenant_id = $1 AND id = $2 AND state = 'committing' FOR NO KEY UPDATE
"""
_LOCK_POOL = """
SELECT settings_version, allocations FROM customer_pool WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
_CLOSE = """
UPDATE pool_allocation SET state = 'committed', given = $3, skipped = $4, certificate = $5, picks_root = $6,
    closed_at = $7, closed_by = $8, roster = $9::jsonb, sealed = NULL, commit_order = NULL, problems = NULL,
    newcomers_given = $10, unplaced = $11
WHERE tenant_id = $1 AND id = $2
"""
_BACK = """
UPDATE pool_allocation SET state = 'planned', commit_order = NULL, problems = $3::jsonb WHERE tenant_id = $1 AND id = $2
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


@dataclass(frozen=True, slots=True)
class _Revealed:
    """A plan with the seed that it is dealt by; `seal` is of a draw."""

    pool_id: UUID
    frozen: FrozenRoster
    seal: Seal | None

    @property
    def roster(self) -> Roster:
        return self.frozen.roster


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What a plan is carried out from, as it is kept."""

    id: UUID
    pool_id: UUID
    roster: str
    sealed: bytes | None

    @classmethod
    def of(cls, allocation_id: UUID, row: asyncpg.Record) -> PlanRow:
        """The plan of a row."""
        return cls(allocation_id, row["pool_id"], row["roster"], row["sealed"])

    def seal(self, keyring: Keyring, seed_value: str | None) -> Seal | None:
        """What a draw was sealed with; None of the other methods."""
        if self.sealed is None:
            return None
        hidden = json.loads(keyring.open(sealed_place(self.id), self.sealed))
        salt_key = bytes.fromhex(hidden["salt_key"])
        if hidden["source"] is not None:
            return Seal(PublicSeed(hidden["source"], (seed_value or "").strip() or None), salt_key)
        return Seal(SecretSeed(bytes.fromhex(hidden["seed"])), salt_key)


async def lock_unchanged_pool(plan: PlanRow) -> None:
    """Lock the plan's pool, so that allocations of one pool follow each other.

    :raises PlanChanged: its settings or standings are others than when the plan was made.
    """
    pool = await current_transaction().fetchrow(_LOCK_POOL, current_tenant_id(), plan.pool_id)
    assert pool is not None, "the allocation's key holds its pool"
    planned = json.loads(plan.roster)
    if (pool["settings_version"], pool["allocations"]) != (planned["settings_version"], planned["allocations"]):
        raise PlanChanged("customers.plan_pool_changed", field=("allocation",))


async def carry_out(plan: PlanRow, order: CommitOrder, *, keyring: Keyring, time_zone: str) -> Given:
    """Give what was planned, in the name of whoever ordered it and of that moment; plan and pool are locked.

    :raises PlanChanged: an item has changed, and the order is to refuse then.
    :raises DrawSeedRefused: the value of the public seed is needed.
    """
    revealed, clock = await _reveal(plan, order, keyring), FrozenClock(order.at)
    allocation = await asyncio.to_thread(allocate, revealed.roster)
    given = await give(
        order.by,
        revealed.frozen,
        allocation,
        pool=await get_pool(plan.pool_id),
        on=local_date(order.at, time_zone),
        time_zone=time_zone,
        is_refusing=order.on_change is OnChange.REFUSE,
        clock=clock,
    )
    if revealed.seal is not None:  # any other method was dealt, and explained, by its plan
        await keep_tallies(revealed.roster, allocation)
    await _carry(revealed, allocation, given)
    on = local_date(order.at, time_zone)
    await count_missed(plan.pool_id, revealed.frozen, allocation, given, on=on)
    figures = outcome_figures(revealed.roster, allocation)
    await _close(revealed, order, given, await _certificate(revealed, allocation), figures)
    if figures[1]:
        await emit(CUSTOMERS_UNPLACED, {"allocation_id": str(plan.id), "customers": str(figures[1])})
    await record(
        order.by,
        "allocation.committed",
        object_type="Allocation",
        object_id=plan.id,
        changes={"given": [None, len(given.places)], "skipped": [None, given.skipped]},
        clock=clock,
    )
    return given


async def give_ordered(allocation_id: UUID, *, keyring: Keyring, time_zone: str) -> None:
    """Carry out what was ordered; where it is refused nothing is given, and the plan is there again and keeps why.

    Nothing is done for one that was carried out before. Claims from the pool are refused meanwhile: they would wait.
    """
    found = await _ordered(allocation_id)
    if found is None:
        return
    plan, order = found
    await hold_claims(plan.pool_id)
    try:
        async with current_transaction().savepoint():
            await lock_unchanged_pool(plan)
            await carry_out(plan, order, keyring=keyring, time_zone=time_zone)
    except (AppError, AppErrors) as refusal:
        await _note_refused(plan, order, refusal)


async def give_up_commit(allocation_id: UUID) -> None:
    """Let a plan be there again that no job could carry out, for a reason that is none of the caller's."""
    found = await _ordered(allocation_id)
    if found is not None:
        await _note_refused(*found, AllocationGivenUp("customers.allocation_given_up"))


async def _ordered(allocation_id: UUID) -> tuple[PlanRow, CommitOrder] | None:
    row = await current_transaction().fetchrow(_ORDERED, current_tenant_id(), allocation_id)
    if row is None:
        return None
    order = CommitOrder.of_plain(json.loads(row["commit_order"]), tenant_id=current_tenant_id())
    return PlanRow.of(allocation_id, row), order


async def _note_refused(plan: PlanRow, order: CommitOrder, refusal: AppError | AppErrors) -> None:
    await current_transaction().execute(_BACK, current_tenant_id(), plan.id, problems_text(refusal))
    clock = FrozenClock(order.at)
    await record(order.by, "allocation.commit_refused", object_type="Allocation", object_id=plan.id, clock=clock)


async def _reveal(plan: PlanRow, order: CommitOrder, keyring: Keyring) -> _Revealed:
    seal = plan.seal(keyring, order.seed_value)
    picks = await current_transaction().fetch(PICKS, current_tenant_id(), plan.id)
    frozen = restored_roster(plan.id, plan.roster, picks)
    if seal is not None:
        frozen = replace(frozen, roster=replace(frozen.roster, seed=seal.seed_bytes()))
    return _Revealed(plan.pool_id, frozen, seal)


async def _certificate(plan: _Revealed, allocation: Allocation) -> Certificate | None:
    """In a thread, as the deal: of many customers it takes seconds, in which others go on."""
    if plan.seal is None:
        return None
    return await asyncio.to_thread(certify, plan.roster, plan.seal, drawn=allocation)


async def _close(
    plan: _Revealed,
    order: CommitOrder,
    given: Given,
    written: Certificate | None,
    figures: tuple[int | None, int | None],
) -> None:
    shown = (None, None) if written is None else (written.content.decode("ascii"), written.picks_root)
    done = (len(given.places), given.skipped, *shown, order.at, order.by.account_id)
    roster = json.dumps(plain_roster(plan.frozen), ensure_ascii=False)
    await current_transaction().execute(_CLOSE, current_tenant_id(), plan.roster.allocation_id, *done, roster, *figures)


async def _carry(plan: _Revealed, allocation: Allocation, given: Given) -> None:
    """Keep what the next allocation begins with: what is owed by share, and whose turn it was."""
    roster, transaction, tenant_id = plan.roster, current_transaction(), current_tenant_id()
    turns = {each.employee_id: each.turn for each in roster.candidates}
    out_of_turn = made_up_places(roster, allocation) | given.overflow
    last = max(given.places.keys() - out_of_turn, default=None)
    turn_after = None if last is None or roster.method is not Method.STRICT else turns[given.places[last]]
    await transaction.execute(_NEXT, tenant_id, plan.pool_id, turn_after)
    balances = _balances(roster, allocation, given)
    if not balances and roster.method is not Method.STRICT:
        return
    people = [each.employee_id for each in roster.candidates]
    owed = [balances.get(each, Decimal(0)) for each in people]
    kept = [turns[each] for each in people] if roster.method is Method.STRICT else [None] * len(people)
    await transaction.execute(_CARRY, tenant_id, plan.pool_id, roster.method.value, people, owed, kept)


def _balances(roster: Roster, allocation: Allocation, given: Given) -> dict[UUID, Decimal]:
    """What is owed after all that was really given: who missed a skipped customer is owed it, as a part of fewer.

    One that would have made up for leave is owed as such still, and no part of the shares.
    """
    missed, balances = Counter(given.missed), dict[UUID, Decimal]()
    if not allocation.balances:
        return balances
    sizes = {pick.place: len(pick.customer_ids) for pick in allocation.picks}
    wanted = made_up(roster, received(allocation, sizes))
    made = made_up(roster, received(allocation, given_sizes(allocation, given)))
    missed -= Counter({each: customers - made[each] for each, customers in wanted.items()})
    for employee_id, balance in allocation.balances.items():
        share = allocation.shares.get(employee_id)
        part = Decimal(0) if share is None else EXACT.divide(Decimal(share.numerator), Decimal(share.denominator))
        owed = balance + missed[employee_id] - EXACT.multiply(part, Decimal(missed.total()))
        balances[employee_id] = owed.quantize(_DIGITS, context=EXACT)
    return balances
