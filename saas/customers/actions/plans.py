"""Plans of allocations: everything that decides is frozen, and shown with where it leads before anything is given.

A draw shows nobody where a customer goes: its plan publishes a commitment instead (docs/draws.md).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from saas.audit import record
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.actions.rosters import FrozenRoster, Participant, gather_roster, plain_roster
from saas.customers.allocation import (
    Allocation,
    Commitment,
    Method,
    PerformancePlan,
    PublicSeed,
    Seal,
    SecretSeed,
    allocate,
    commit,
)
from saas.customers.allocation.verifier import canonical
from saas.customers.queries import Pool, get_pool
from saas.kernel import Actor, Clock, local_date, new_id
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

CHUNK = 5_000
"""Rows of one statement: memory stays at what is known of the customers, however many there are."""

_INSERT = """
INSERT INTO pool_allocation (tenant_id, id, pool_id, method, state, allocated_on, settings_version, roster, plan_hash,
    customers, sealed, commitment, commitment_document, created_at, created_by)
VALUES ($1, $2, $3, $4, 'planned', $5, $6, $7::jsonb, $8, $9, $10, $11, $12::jsonb, $13, $14)
"""
_INSERT_PICKS = """
INSERT INTO allocation_pick (tenant_id, id, allocation_id, place, customer_id, customer_version, label, employee_id,
    nobody, state)
SELECT $1, id, $2, place, customer_id, version, label, employee_id, nobody, 'planned'
FROM unnest($3::uuid[], $4::int[], $5::uuid[], $6::int[], $7::text[], $8::uuid[], $9::text[])
    AS pick (id, place, customer_id, version, label, employee_id, nobody)
"""


@dataclass(frozen=True, slots=True)
class AllocationWish:
    """What to allocate: the named customers of the pool, else the `take` that wait longest, to `people` by `method`.

    `plan` is of performance first. `seed_source` names the public value that a draw takes its seed from; without one
    the seed is a secret of the company until the commit.
    """

    pool_id: UUID
    method: Method
    people: Sequence[Participant]
    customer_ids: Sequence[UUID] | None = None
    take: int = 100
    plan: PerformancePlan | None = None
    seed_source: str | None = None


async def plan_allocation(
    actor: Actor, wish: AllocationWish, *, keyring: Keyring, time_zone: str, clock: Clock
) -> UUID:
    """Freeze a roster and show where its customers would go (permission ``pool:allocate``); nothing is given yet.

    :raises PoolNotFound: this company has no such pool.
    :raises RosterImpossible: the roster can't be dealt from, or lists who or what is not there.
    :raises AppErrors: the same, several at once.
    :raises PeriodStillOpen, GuaranteesExceedWhole: the plan can't decide.
    """
    now, allocation_id = clock.now(), new_id()
    today, pool = local_date(now, time_zone), await get_pool(wish.pool_id)
    is_draw = wish.method is Method.DRAW
    frozen = await gather_roster(
        pool,
        allocation_id=allocation_id,
        method=wish.method,
        people=wish.people,
        customer_ids=wish.customer_ids,
        take=wish.take,
        seed=None if is_draw else secrets.token_bytes(32),
        plan=wish.plan,
        day=today,
    )
    draft = _Draft.of_draw(frozen, wish, keyring) if is_draw else _Draft(frozen, allocate(frozen.roster))
    await draft.store(actor, pool, clock=clock)
    if draft.commitment is not None:
        line = LedgerLine("draw_committed", pool.id, None, reason=draft.commitment.digest, allocation_id=allocation_id)
        await write_ledger(actor, [line], at=now, on=today)
    await record(
        actor,
        "allocation.planned",
        object_type="Allocation",
        object_id=allocation_id,
        changes={"customers": [None, len(frozen.dealt)], "method": [None, wish.method.value]},
        clock=clock,
    )
    return allocation_id


@dataclass(frozen=True, slots=True)
class _Draft:
    """A frozen roster with what came of it: picks, or for a draw its commitment and the sealed seed."""

    frozen: FrozenRoster
    allocation: Allocation | None
    commitment: Commitment | None = None
    sealed: bytes | None = None

    @classmethod
    def of_draw(cls, frozen: FrozenRoster, wish: AllocationWish, keyring: Keyring) -> _Draft:
        salt_key, seed = secrets.token_bytes(32), secrets.token_bytes(32)
        source = SecretSeed(seed) if wish.seed_source is None else PublicSeed(wish.seed_source)
        commitment = commit(frozen.roster, Seal(source, salt_key))
        hidden = {"salt_key": salt_key.hex(), "seed": seed.hex() if wish.seed_source is None else None}
        text = json.dumps({**hidden, "source": wish.seed_source})
        sealed = keyring.seal("secret", sealed_place(frozen.roster.allocation_id), text)
        return cls(frozen, None, commitment, sealed)

    async def store(self, actor: Actor, pool: Pool, *, clock: Clock) -> None:
        roster, plain = self.frozen.roster, plain_roster(self.frozen)
        commitment = self.commitment
        await current_transaction().execute(
            _INSERT,
            current_tenant_id(),
            roster.allocation_id,
            pool.id,
            roster.method.value,
            roster.day,
            roster.settings_version,
            json.dumps(plain, ensure_ascii=False),
            self._plan_hash(plain),
            len(self.frozen.dealt),
            self.sealed,
            None if commitment is None else commitment.digest,
            None if commitment is None else json.dumps(commitment.document),
            clock.now(),
            actor.account_id,
        )
        await self._store_picks()

    def _plan_hash(self, plain: dict[str, object]) -> str:
        """SHA-256 of everything that was frozen: people, customers with their versions, and where they go."""
        whole = {
            "roster": plain,
            "customers": [[each.place, str(each.customer.customer_id), each.version] for each in self.frozen.dealt],
            "picks": None if self.allocation is None else [str(pick.employee_id) for pick in self.allocation.picks],
            "commitment": None if self.commitment is None else self.commitment.digest,
        }
        return hashlib.sha256(canonical(whole)).hexdigest()

    async def _store_picks(self) -> None:
        roster, dealt = self.frozen.roster, self.frozen.dealt
        for start in range(0, len(dealt), CHUNK):
            rows = []
            for each in dealt[start : start + CHUNK]:
                pick = None if self.allocation is None else self.allocation.picks[each.place]
                to = None if pick is None else pick.employee_id
                nobody = None if pick is None or pick.nobody is None else pick.nobody.value
                customer = each.customer
                rows.append((each.pick_id, each.place, customer.customer_id, each.version, customer.label, to, nobody))
            columns = map(list, zip(*rows, strict=True))
            await current_transaction().execute(_INSERT_PICKS, current_tenant_id(), roster.allocation_id, *columns)


def sealed_place(allocation_id: UUID) -> Place:
    """Where the secrets of a draw lie until it is committed."""
    return Place(table="pool_allocation", column="sealed", row_id=allocation_id)
