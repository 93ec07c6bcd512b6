"""What arrives in a pool is allocated by itself, where the pool says so (P04): gathered, dealt, given, or told of.

Arrivals ask for an allocation that is due a moment later, once for all that come meanwhile. It takes all that waits, by
the same plan and commit as by hand, in one transaction and under the pool's lock: a second one finds nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from saas.customers.actions.alerts import Alert, alert, alert_of_unplaced, note_unplaced
from saas.customers.actions.carrying_out import PlanRow, carry_out, lock_unchanged_pool
from saas.customers.actions.giving import Given
from saas.customers.actions.plans import plan_now
from saas.customers.actions.receivers import find_receivers
from saas.customers.actions.rosters import CUSTOMERS_MAX, gather_roster, refuse_sizes
from saas.customers.actions.wishes import AllocationWish, CommitOrder, OnChange, Participant, is_large
from saas.customers.allocation import Method, RosterImpossible, allocate
from saas.customers.automation import JOB, job_actor
from saas.customers.claim_queries import hold_claims, refuse_during_allocation
from saas.customers.department_loads import departments_of
from saas.customers.errors import AllocationGivenUp, PoolBeingAllocated, PoolNotFound
from saas.customers.events import ARRIVALS_AWAITED, ARRIVALS_GATHERED
from saas.customers.options import is_at_work, opens_next
from saas.customers.queries import Pool, get_pool
from saas.events import emit
from saas.kernel import Actor, AppError, AppErrors, Clock, local_date, local_moment, new_id
from saas.sealing import Keyring
from tenants import current_tenant_id, current_transaction

GATHERED = timedelta(seconds=5)
"""How long an arrival waits for others: a list that is imported, a night's recycling, is few allocations."""

BUSY = timedelta(minutes=1)
"""After which time it is tried again where an allocation by hand is being carried out."""

_LOST = timedelta(hours=1)
"""After which an allocation that was asked for, and did not come, is asked for anew."""

FindClaimants = Callable[[], Awaitable[Collection[UUID]]]
"""Everybody in the company whose role may own customers, by employee id."""

_ARRIVED = """
SELECT c.pool_id FROM customer c JOIN customer_pool p ON p.tenant_id = $1 AND p.id = c.pool_id
WHERE c.tenant_id = $1 AND c.id = $2 AND c.owner_id IS NULL AND p.status = 'open'
    AND p.settings ->> 'arrival_method' <> 'off'
"""
_AWAIT = """
INSERT INTO pool_arrival AS a (tenant_id, id, pool_id, awaited_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, pool_id) DO UPDATE SET awaited_at = excluded.awaited_at
WHERE a.awaited_at IS NULL OR a.awaited_at < $5 RETURNING true
"""
_COME = "UPDATE pool_arrival SET awaited_at = NULL WHERE tenant_id = $1 AND pool_id = $2"
_UNTRIED = """
SELECT p.id, p.settings ->> 'recycle_time' AS recycle_time FROM customer_pool p
LEFT JOIN pool_arrival a ON a.tenant_id = $1 AND a.pool_id = p.id
WHERE p.tenant_id = $1 AND p.status = 'open' AND p.settings ->> 'arrival_method' <> 'off'
    AND (a.tried_on IS NULL OR a.tried_on < $2) ORDER BY p.id
"""
_TRY = """
INSERT INTO pool_arrival AS a (tenant_id, id, pool_id, tried_on) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, pool_id) DO UPDATE SET tried_on = excluded.tried_on
WHERE a.tried_on IS NULL OR a.tried_on < excluded.tried_on RETURNING true
"""
_LOCK = (
    "SELECT arrivals_due_at FROM customer_pool WHERE tenant_id = $1 AND id = $2 AND status = 'open' FOR NO KEY UPDATE"
)
_DUE = "UPDATE customer_pool SET arrivals_due_at = $3 WHERE tenant_id = $1 AND id = $2"
_WAITING = """
SELECT c.id, c.created_at, coalesce((SELECT max(o.ended_at) FROM ownership o
        WHERE o.tenant_id = $1 AND o.customer_id = c.id), c.created_at) AS pooled_at,
    EXISTS (SELECT FROM allocation_pick k JOIN pool_allocation a ON a.tenant_id = $1 AND a.id = k.allocation_id
        WHERE k.tenant_id = $1 AND k.customer_id = c.id AND k.customer_version = c.version AND k.state = 'kept'
            AND a.pool_id = $2 AND a.allocated_on = $3 AND a.created_by = $4) AS is_tried
FROM customer c WHERE c.tenant_id = $1 AND c.pool_id = $2 AND c.owner_id IS NULL
ORDER BY is_tried, c.created_at, c.id LIMIT $5
"""
_PLANNED = """
SELECT pool_id, roster::text AS roster, sealed, customers FROM pool_allocation
WHERE tenant_id = $1 AND id = $2 AND state = 'planned'
"""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A pooled customer; `is_tried` where an allocation of the day found nobody for it, as it is now."""

    customer_id: UUID
    created_at: datetime
    pooled_at: datetime
    is_tried: bool


async def note_arrival(customer_id: UUID, *, clock: Clock) -> None:
    """Ask for an allocation where a customer waits in a pool that allocates what arrives."""
    pool_id = await current_transaction().fetchval(_ARRIVED, current_tenant_id(), customer_id)
    if pool_id is not None:
        await await_arrivals(pool_id, clock=clock)


async def await_arrivals(pool_id: UUID, *, clock: Clock) -> None:
    """Ask for an allocation of what waits in a pool, a moment from now; of any number who ask meanwhile, one does."""
    now = clock.now()
    values = (new_id(), pool_id, now, now - _LOST)
    if await current_transaction().fetchval(_AWAIT, current_tenant_id(), *values):
        await emit(ARRIVALS_AWAITED, {"pool_id": str(pool_id)}, due_at=now + GATHERED)


async def gather_arrivals(pool_id: UUID) -> None:
    """What arrives from now on asks anew; what arrived before is to be allocated."""
    await current_transaction().execute(_COME, current_tenant_id(), pool_id)
    await emit(ARRIVALS_GATHERED, {"pool_id": str(pool_id)})


async def try_waiting_again(*, time_zone: str, clock: Clock) -> int:
    """Have all that waits allocated once a day, from the time of each pool's nightly run on; of how many pools."""
    now, transaction, tenant_id = clock.now(), current_transaction(), current_tenant_id()
    today, time = local_date(now, time_zone), now.astimezone(ZoneInfo(time_zone)).strftime("%H:%M")
    asked = 0
    for row in await transaction.fetch(_UNTRIED, tenant_id, today):
        if time >= row["recycle_time"] and await transaction.fetchval(_TRY, tenant_id, new_id(), row["id"], today):
            await emit(ARRIVALS_GATHERED, {"pool_id": str(row["id"])})
            asked += 1
    return asked


async def allocate_arrivals(
    pool_id: UUID, *, claimants: FindClaimants, keyring: Keyring, time_zone: str, clock: Clock
) -> UUID | None:
    """Allocate what waits in a pool to its members, by the pool's method; the allocation, None where there is none.

    What nobody could have stays, and whoever administers the pool is told, once per reason and day. In a pool with
    claims what came lately waits for the end of the fair window, which is there for those who claim (P35). Outside the
    working hours of all it waits until the next begin (P46).
    """
    pool = await _locked(pool_id, clock)
    if pool is None:
        return None
    run = _Run(job_actor(current_tenant_id()), pool, keyring, time_zone, clock)
    waiting = await run.waiting()
    if not waiting:
        return None
    people = await find_receivers(pool.id, among=await claimants())
    if not people:
        nobody = RosterImpossible("customers.arrival_without_people", {"pool": pool.name})
        await alert(run.actor, Alert("no_people", run.wish(waiting, people), nobody), today=run.today, clock=clock)
        return None
    if await run.waits_for_work(people):
        return None
    return await run.allocated(waiting, people)


async def give_up_arrivals(pool_id: UUID, *, time_zone: str, clock: Clock) -> None:
    """Tell whoever administers the pool that no job could allocate what arrived; it is tried again at night."""
    try:
        pool = await get_pool(pool_id)
    except PoolNotFound:
        return
    if not pool.settings.allocates_arrivals:
        return
    wish = AllocationWish(pool.id, Method(pool.settings.arrival_method), (), customer_ids=(), is_on_arrival=True)
    failed = Alert("given_up", wish, AllocationGivenUp("customers.allocation_given_up"))
    await alert(job_actor(current_tenant_id()), failed, today=local_date(clock.now(), time_zone), clock=clock)


async def _locked(pool_id: UUID, clock: Clock) -> Pool | None:
    """The pool, whose settings and allocations stay as they are until the end; None where it does not allocate now."""
    try:
        await refuse_during_allocation(pool_id)  # it holds the pool for minutes: nobody waits for that
        locked = await current_transaction().fetchrow(_LOCK, current_tenant_id(), pool_id)
        await refuse_during_allocation(pool_id)
    except PoolBeingAllocated:
        await emit(ARRIVALS_GATHERED, {"pool_id": str(pool_id)}, due_at=clock.now() + BUSY)
        return None
    if locked is None:
        return None
    pool = await get_pool(pool_id)
    return pool if pool.settings.allocates_arrivals else None


@dataclass(frozen=True, slots=True)
class _Run:
    """An allocation of what waits in a locked pool."""

    actor: Actor
    pool: Pool
    keyring: Keyring
    time_zone: str
    clock: Clock

    @property
    def today(self) -> date:
        """The company's day."""
        return self.moment.date()

    @property
    def moment(self) -> datetime:
        """Now, in the company's time zone."""
        return local_moment(self.clock.now(), self.time_zone)

    async def waiting(self) -> list[_Waiting]:
        """What waits and may be allocated now, who waits longest first; for the rest it is asked for in time."""
        values = (self.pool.id, self.today, JOB, CUSTOMERS_MAX)
        rows = await current_transaction().fetch(_WAITING, current_tenant_id(), *values)
        found = [_Waiting(*row) for row in sorted(rows, key=lambda row: (row["created_at"], row["id"]))]
        settings, now, zone = self.pool.settings, self.clock.now(), ZoneInfo(self.time_zone)
        window = settings.rare_claim_rules.fair_window
        if not (window.is_on and settings.allows_claims):
            return found
        later = [end for each in found if (end := window.ends_at(each.pooled_at, zone)) > now]
        await self._ask_again(min(later, default=None), now)
        return [each for each in found if window.ends_at(each.pooled_at, zone) <= now]

    async def _ask_again(self, at: datetime | None, now: datetime) -> None:
        """Have what waits allocated at an instant, unless that is asked for, or something sooner."""
        transaction, named = current_transaction(), (current_tenant_id(), self.pool.id)
        asked = await transaction.fetchval(_LOCK, *named)
        if at is not None and (asked is None or not now < asked <= at):
            await transaction.execute(_DUE, *named, at)
            await emit(ARRIVALS_GATHERED, {"pool_id": str(self.pool.id)}, due_at=at)

    async def waits_for_work(self, people: Sequence[UUID]) -> bool:
        """Whether nobody is at work; it is asked for anew when the next hours begin."""
        hours, moment = self.pool.settings.working_hours, self.moment
        if not hours:
            return False
        departments = await departments_of(people)
        if any(is_at_work(hours, each, departments.get(each, ()), moment) for each in people):
            return False
        await self._ask_again(opens_next(hours, moment), self.clock.now())
        return True

    def wish(self, waiting: Sequence[_Waiting], people: Sequence[UUID]) -> AllocationWish:
        """As somebody would have asked by hand."""
        return AllocationWish(
            self.pool.id,
            Method(self.pool.settings.arrival_method),
            [Participant(each) for each in people],
            customer_ids=[each.customer_id for each in waiting],
            is_on_arrival=True,
        )

    async def allocated(self, waiting: Sequence[_Waiting], people: Sequence[UUID]) -> UUID | None:
        """Plan and commit; where that is refused nothing is done, and told."""
        wish = self.wish(waiting, people)
        try:
            async with current_transaction().savepoint():
                refuse_sizes(wish)
                wish = self.wish(await self._worth_trying(waiting, wish), people)
                if not wish.customer_ids:
                    return None
                return await self._given(wish)
        except (AppError, AppErrors) as refusal:
            await alert(self.actor, Alert("refused", wish, refusal), today=self.today, clock=self.clock)
            return None

    async def _worth_trying(self, waiting: Sequence[_Waiting], wish: AllocationWish) -> list[_Waiting]:
        """Without those of whom an allocation of the day told already that nobody can have them, while that is so."""
        tried = {each.customer_id for each in waiting if each.is_tried}
        if not tried:
            return list(waiting)
        seed = secrets.token_bytes(32)
        frozen = await gather_roster(self.pool, wish, allocation_id=new_id(), seed=seed, moment=self.moment)
        dealt = await asyncio.to_thread(allocate, frozen.roster)
        stuck: set[UUID] = set()
        for pick in dealt.picks:
            if dealt.receiver(pick.place) is None and tried.issuperset(pick.customer_ids):
                stuck.update(pick.customer_ids)
        return [each for each in waiting if each.customer_id not in stuck]

    async def _given(self, wish: AllocationWish) -> UUID:
        allocation_id = await plan_now(
            self.actor, self.pool, wish, keyring=self.keyring, moment=self.moment, clock=self.clock
        )
        row = await current_transaction().fetchrow(_PLANNED, current_tenant_id(), allocation_id)
        assert row is not None, "nobody else sees the plan before the end"
        if is_large(row["customers"]):
            await hold_claims(self.pool.id)
        plan, order = PlanRow.of(allocation_id, row), CommitOrder(self.actor, self.clock.now(), OnChange.SKIP)
        await lock_unchanged_pool(plan)
        given = await carry_out(plan, order, keyring=self.keyring, time_zone=self.time_zone)
        await self._tell_of_rest(wish, allocation_id, given)
        return allocation_id

    async def _tell_of_rest(self, wish: AllocationWish, allocation_id: UUID, given: Given) -> None:
        """Alerts of what nobody could have. What receivers or claims left over is asked for anew, as long as something
        comes of it.
        """
        unplaced = await note_unplaced(self.pool, allocation_id)
        for reason, refusal in unplaced.items():
            found = Alert(reason, wish, refusal)
            await alert_of_unplaced(found, allocation_id, today=self.today, clock=self.clock)
        if given.skipped and given.places:
            await await_arrivals(self.pool.id, clock=self.clock)
