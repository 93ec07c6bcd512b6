"""Plans of allocations: everything that decides is frozen, and shown with where it leads before anything is given.

A draw shows nobody where a customer goes: its plan publishes a commitment instead (docs/draws.md). A plan of many
customers is made by a job: it is `planning` until then, and `failed` with its problems where it can't be made.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.audit import record
from saas.customers.actions.figures import newcomer_figures, outcome_figures
from saas.customers.actions.frozen_rosters import FrozenRoster, plain_facts, plain_roster
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.actions.problems import problems_text
from saas.customers.actions.rosters import gather_people, gather_roster, is_for_a_job, refuse_sizes
from saas.customers.actions.tallies import keep_tallies, shares_text
from saas.customers.actions.wishes import AllocationWish
from saas.customers.administrators import require_administrator
from saas.customers.allocation import (
    GO_BY_FACTS,
    Allocation,
    Commitment,
    Method,
    PublicSeed,
    Seal,
    SecretSeed,
    allocate,
    commit,
)
from saas.customers.allocation.verifier import canonical
from saas.customers.errors import AllocationGivenUp, WayClosed
from saas.customers.events import PLAN_AWAITED
from saas.customers.plugin_methods import PluginMethods
from saas.customers.queries import Pool, get_pool
from saas.events import emit
from saas.kernel import Actor, AppError, AppErrors, Clock, local_moment, new_id
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

CHUNK = 5_000
"""Rows of one statement: memory stays at what is known of the customers, however many there are."""

_INSERT = """
INSERT INTO pool_allocation (tenant_id, id, pool_id, method, state, wish, created_at, created_by)
VALUES ($1, $2, $3, $4, 'planning', $5::jsonb, $6, $7)
"""
_ASKED = "SELECT wish::text FROM pool_allocation WHERE tenant_id = $1 AND id = $2 AND state = 'planning'"
_PLANNED = """
UPDATE pool_allocation SET state = 'planned', wish = NULL, allocated_on = $3, settings_version = $4, roster = $5::jsonb,
    plan_hash = $6, customers = $7, sealed = $8, commitment = $9, commitment_document = $10::jsonb,
    shares = $11::jsonb, newcomers = $12, newcomers_guaranteed = $13, newcomers_given = $14, unplaced = $15
WHERE tenant_id = $1 AND id = $2 AND state = 'planning'
"""
_FAILED = """
UPDATE pool_allocation SET state = 'failed', wish = NULL, problems = $3::jsonb
WHERE tenant_id = $1 AND id = $2 AND state = 'planning'
"""
_INSERT_PICKS = """
INSERT INTO allocation_pick (tenant_id, id, allocation_id, place, customer_id, customer_version, label, employee_id,
    nobody, is_overflow, facts, state)
SELECT $1, id, $2, place, customer_id, version, label, employee_id, nobody, is_overflow, facts::jsonb, 'planned'
FROM unnest($3::uuid[], $4::int[], $5::uuid[], $6::int[], $7::text[], $8::uuid[], $9::text[], $10::bool[], $11::text[])
    AS pick (id, place, customer_id, version, label, employee_id, nobody, is_overflow, facts)
"""


async def plan_allocation(
    actor: Actor,
    wish: AllocationWish,
    *,
    keyring: Keyring,
    time_zone: str,
    clock: Clock,
    plugins: PluginMethods | None = None,
) -> UUID:
    """Freeze a roster and show where its customers would go (permission ``pool:allocate``); nothing is given yet.

    Up to `AT_ONCE` customers are dealt here. More are a job's (`deal_plan`): what can be judged without its work is
    refused here all the same.

    :raises PoolNotFound: this company has no such pool.
    :raises NotAPoolAdministrator: the pool names others who administer it (P01).
    :raises WayClosed: the pool has no assignments (P04).
    :raises RosterImpossible: the roster can't be dealt from, or lists who or what is not there.
    :raises AppErrors: the same, several at once.
    :raises PeriodStillOpen, GuaranteesExceedWhole: the plan can't decide.
    :raises PluginNotEnabled, PluginFailed, PluginUnusable: a plugin's method is asked for and gives no answer.
    """
    refuse_sizes(wish)
    pool, moment = await get_pool(wish.pool_id), local_moment(clock.now(), time_zone)
    await require_administrator(actor, pool.id, place=("pool",))
    if not pool.settings.allows_assignments:
        raise WayClosed("customers.assignments_closed", {"pool": pool.name}, field=("pool",))
    if not await is_for_a_job(pool.id, wish):
        return await plan_now(actor, pool, wish, keyring=keyring, moment=moment, clock=clock, plugins=plugins)
    allocation_id = await _insert(actor, wish, clock, is_waiting=True)
    people = await gather_people(pool, wish, allocation_id=allocation_id, seed=_tie_seed(wish), moment=moment)
    if plugins is not None and wish.plugin is not None:
        people = people.with_customers(plugins.unanswered(people.roster, wish.plugin))
    _Draft.of(people, wish, keyring)  # refuses what the job would; it deals nothing yet
    changes: dict[str, list[str | int | None]] = {"take": [None, wish.size], "method": [None, wish.method.value]}
    await _record(actor, "allocation.asked_for", allocation_id, changes, clock)
    await emit(PLAN_AWAITED, {"allocation_id": str(allocation_id)})
    return allocation_id


async def plan_now(
    actor: Actor,
    pool: Pool,
    wish: AllocationWish,
    *,
    keyring: Keyring,
    moment: datetime,
    clock: Clock,
    plugins: PluginMethods | None = None,
) -> UUID:
    """As `plan_allocation`, of however many customers: dealt here; for a small plan, or in a job.

    :raises RosterImpossible, AppErrors, GuaranteesExceedWhole, PluginFailed: as there.
    """
    allocation_id = await _insert(actor, wish, clock, is_waiting=False)
    draft = await _drafted(pool, wish, allocation_id, keyring, moment=moment, plugins=plugins)
    await _keep(actor, draft, wish, clock=clock)
    return allocation_id


async def note_refused(actor: Actor, wish: AllocationWish, refusal: AppError | AppErrors, *, clock: Clock) -> UUID:
    """An allocation that could not be planned, with why: what nobody waits for is told of afterwards."""
    allocation_id = await _insert(actor, wish, clock, is_waiting=False)
    await _note_failed(actor, allocation_id, refusal, clock)
    return allocation_id


async def _insert(actor: Actor, wish: AllocationWish, clock: Clock, *, is_waiting: bool) -> UUID:
    allocation_id = new_id()
    asked = json.dumps({**wish.plain(), "by": actor.plain()}) if is_waiting else None
    named = (allocation_id, wish.pool_id, wish.method.value)
    await current_transaction().execute(_INSERT, current_tenant_id(), *named, asked, clock.now(), actor.account_id)
    return allocation_id


async def deal_plan(
    allocation_id: UUID, *, keyring: Keyring, time_zone: str, clock: Clock, plugins: PluginMethods | None = None
) -> None:
    """Make a plan that was asked for; where it can't be made it is failed, and keeps why.

    Nothing is done for one that was made or dropped before. It can be dropped until the moment when it is there.
    """
    asked = await current_transaction().fetchval(_ASKED, current_tenant_id(), allocation_id)
    if asked is None:
        return
    plain = json.loads(asked)
    actor, wish = Actor.of_plain(plain["by"], tenant_id=current_tenant_id()), AllocationWish.of_plain(plain)
    try:
        pool, moment = await get_pool(wish.pool_id), local_moment(clock.now(), time_zone)
        draft = await _drafted(pool, wish, allocation_id, keyring, moment=moment, plugins=plugins)
    except (AppError, AppErrors) as refusal:
        await _note_failed(actor, allocation_id, refusal, clock)
        return
    await _keep(actor, draft, wish, clock=clock)


async def give_up_plan(allocation_id: UUID, *, clock: Clock) -> None:
    """Let a plan be failed that no job could make, for a reason that is none of the caller's."""
    asked = await current_transaction().fetchval(_ASKED, current_tenant_id(), allocation_id)
    if asked is not None:
        actor = Actor.of_plain(json.loads(asked)["by"], tenant_id=current_tenant_id())
        await _note_failed(actor, allocation_id, AllocationGivenUp("customers.allocation_given_up"), clock)


async def _note_failed(actor: Actor, allocation_id: UUID, refusal: AppError | AppErrors, clock: Clock) -> None:
    problems = problems_text(refusal)
    if await current_transaction().execute(_FAILED, current_tenant_id(), allocation_id, problems):
        await _record(actor, "allocation.failed", allocation_id, {"state": ["planning", "failed"]}, clock)


def _tie_seed(wish: AllocationWish) -> bytes | None:
    """What breaks ties; a draw's seed is sealed instead."""
    return None if wish.method is Method.DRAW else secrets.token_bytes(32)


async def _drafted(
    pool: Pool,
    wish: AllocationWish,
    allocation_id: UUID,
    keyring: Keyring,
    *,
    moment: datetime,
    plugins: PluginMethods | None = None,
) -> _Draft:
    """In a thread: dealing many customers takes seconds, in which others go on."""
    frozen = await gather_roster(pool, wish, allocation_id=allocation_id, seed=_tie_seed(wish), moment=moment)
    if wish.method is Method.PLUGIN and wish.plugin is not None and plugins is not None:
        frozen = frozen.with_customers(await plugins.answered_in_time(frozen.roster, wish.plugin))
    return await asyncio.to_thread(_Draft.of, frozen, wish, keyring)


class _Dropped(Exception):
    """Somebody dropped the allocation while its plan was being written."""


async def _keep(actor: Actor, draft: _Draft, wish: AllocationWish, *, clock: Clock) -> None:
    """Write the plan, if nobody dropped it meanwhile: the row is not held, so that nobody who does has to wait."""
    try:
        async with current_transaction().savepoint():
            await draft.store()
    except _Dropped:
        return
    roster, commitment = draft.frozen.roster, draft.commitment
    if commitment is not None:
        told = LedgerLine(
            "draw_committed", wish.pool_id, None, reason=commitment.digest, allocation_id=roster.allocation_id
        )
        await write_ledger(actor, [told], at=clock.now(), on=roster.day)
    changes: dict[str, list[str | int | None]] = {"customers": [None, len(draft.frozen.dealt)]}
    changes["method"] = [None, wish.method.value]
    await _record(actor, "allocation.planned", roster.allocation_id, changes, clock)


async def _record(
    actor: Actor, action: str, allocation_id: UUID, changes: dict[str, list[str | int | None]], clock: Clock
) -> None:
    await record(actor, action, object_type="Allocation", object_id=allocation_id, changes=changes, clock=clock)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A frozen roster with what came of it: picks, or for a draw its commitment and the sealed seed."""

    frozen: FrozenRoster
    allocation: Allocation | None
    commitment: Commitment | None = None
    sealed: bytes | None = None

    @classmethod
    def of(cls, frozen: FrozenRoster, wish: AllocationWish, keyring: Keyring) -> _Draft:
        """Deal, or commit to a draw.

        :raises AppErrors: the roster can't be dealt from.
        :raises PeriodStillOpen, GuaranteesExceedWhole: the plan can't decide.
        """
        if wish.method is not Method.DRAW:
            return cls(frozen, allocate(frozen.roster))
        salt_key, seed = secrets.token_bytes(32), secrets.token_bytes(32)
        source = SecretSeed(seed) if wish.seed_source is None else PublicSeed(wish.seed_source)
        commitment = commit(frozen.roster, Seal(source, salt_key))
        hidden = {"salt_key": salt_key.hex(), "seed": seed.hex() if wish.seed_source is None else None}
        text = json.dumps({**hidden, "source": wish.seed_source})
        sealed = keyring.seal("secret", sealed_place(frozen.roster.allocation_id), text)
        return cls(frozen, None, commitment, sealed)

    async def store(self) -> None:
        """Write the picks, and let the plan be there.

        :raises _Dropped: it was dropped meanwhile; what was written is to be taken back.
        """
        await self._store_picks()
        roster, plain, commitment = self.frozen.roster, plain_roster(self.frozen), self.commitment
        stored = await current_transaction().execute(
            _PLANNED,
            current_tenant_id(),
            roster.allocation_id,
            roster.day,
            roster.settings_version,
            json.dumps(plain, ensure_ascii=False),
            self._plan_hash(plain),
            len(self.frozen.dealt),
            self.sealed,
            None if commitment is None else commitment.digest,
            None if commitment is None else json.dumps(commitment.document),
            None if self.allocation is None else shares_text(roster, self.allocation),
            *newcomer_figures(roster),
            *(outcome_figures(roster, self.allocation)),
        )
        if not stored:
            raise _Dropped
        if self.allocation is not None:
            await keep_tallies(roster, self.allocation)

    def _plan_hash(self, plain: dict[str, object]) -> str:
        """SHA-256 of everything that was frozen: people, customers with their versions, and where they go."""
        whole = {
            "roster": plain,
            "customers": [[each.place, str(each.customer.customer_id), each.version] for each in self.frozen.dealt],
            "facts": [plain_facts(each.customer) for each in self.frozen.dealt]
            if self.frozen.roster.method in GO_BY_FACTS
            else None,
            "picks": None if self.allocation is None else list(map(str, self.allocation.receivers())),
            "commitment": None if self.commitment is None else self.commitment.digest,
        }
        return hashlib.sha256(canonical(whole)).hexdigest()

    def _aim(self, place: int) -> tuple[UUID | None, str | None, bool]:
        """Who gets the customer of a place, why nobody could have it, and whether it overflows."""
        if self.allocation is None:
            return None, None, False
        nobody = self.allocation.picks[place].nobody
        why = None if nobody is None else nobody.value
        return self.allocation.receiver(place), why, place in self.allocation.overflow

    async def _store_picks(self) -> None:
        roster, dealt = self.frozen.roster, self.frozen.dealt
        for start in range(0, len(dealt), CHUNK):
            rows = []
            for each in dealt[start : start + CHUNK]:
                customer = each.customer
                named = (each.pick_id, each.place, customer.customer_id, each.version, customer.label)
                rows.append((*named, *self._aim(each.place), plain_facts(customer)))
            columns = map(list, zip(*rows, strict=True))
            await current_transaction().execute(_INSERT_PICKS, current_tenant_id(), roster.allocation_id, *columns)


def sealed_place(allocation_id: UUID) -> Place:
    """Where the secrets of a draw lie until it is committed."""
    return Place(table="pool_allocation", column="sealed", row_id=allocation_id)
