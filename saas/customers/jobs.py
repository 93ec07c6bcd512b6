"""What runs beside the requests: the nightly recycling of each company, the mails that warn of it, and allocations of
many customers.

A run of recycling goes page by page, with a transaction per customer; cut off anywhere, it goes on where things stand,
because each customer is judged anew and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import asyncpg

from saas.customers.actions.carrying_out import give_ordered, give_up_commit
from saas.customers.actions.due_dates import FollowUpSource, OwnedCustomer, find_owned, settle_due
from saas.customers.actions.ledger import job_actor
from saas.customers.actions.plans import deal_plan, give_up_plan
from saas.customers.actions.pools import apply_begun_settings
from saas.customers.actions.recycling import Recycled, recycle_if_due
from saas.customers.events import COMMIT_AWAITED, PLAN_AWAITED
from saas.customers.recycling import Action, Verdict
from saas.customers.settings import settings_of
from saas.events import Event, Handlers
from saas.identity import Recipient
from saas.jobs import Mail, Postbox, describe_failure
from saas.kernel import AppError, Catalogue, Clock, local_date, new_id
from saas.sealing import Keyring, Sealer
from tenants import Database, Transaction, current_tenant_id, current_transaction, get_tenant_facts

RECYCLE_HOUR = 2
"""From which hour of the company's day its run may begin (P26)."""

PAGE = 200
FAILURES_TOLD = 20
WARNING_MAIL = "customers.recycle_warning_mail"

_BEGIN = """
INSERT INTO recycle_run AS r (tenant_id, id, ran_on, started_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, ran_on) DO UPDATE SET started_at = r.started_at RETURNING finished_at IS NOT NULL
"""
_FINISH = """
UPDATE recycle_run SET finished_at = $3, recycled = recycled + $4, warned = warned + $5, postponed = postponed + $6,
    failed = $7
WHERE tenant_id = $1 AND ran_on = $2
"""
_UNRECKONED = """
SELECT c.id FROM customer_pool p JOIN customer c ON c.tenant_id = $1 AND c.pool_id = p.id AND c.owner_id IS NOT NULL
    AND (c.settings_version IS NULL OR c.settings_version <> p.settings_version)
WHERE p.tenant_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3
"""
_NEAR = """
SELECT c.id, c.due_on, c.settings_version IS NOT DISTINCT FROM p.settings_version AS is_reckoned
FROM customer c JOIN customer_pool p ON p.tenant_id = $1 AND p.id = c.pool_id
WHERE c.tenant_id = $1 AND c.due_on <= $2 AND (c.due_on, c.id) > ($3, $4) ORDER BY c.due_on, c.id LIMIT $5
"""
_SETTINGS = "SELECT settings::text FROM customer_pool WHERE tenant_id = $1 AND status <> 'closed'"
_NIL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class RecycleReport:
    """What a run did; `failures` are the first customers whose transaction failed, with what went wrong."""

    ran_on: date
    reckoned: int = 0
    recycled: int = 0
    warned: int = 0
    postponed: int = 0
    failed: int = 0
    failures: tuple[tuple[UUID, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a run would do with a customer today."""

    customer: OwnedCustomer
    verdict: Verdict


@dataclass
class _Counts:
    reckoned: int = 0
    recycled: int = 0
    warned: int = 0
    postponed: int = 0
    failures: list[tuple[UUID, str]] = field(default_factory=list)

    def add(self, done: Recycled) -> None:
        self.recycled += done.is_recycled
        self.warned += done.is_warned
        self.postponed += done.is_postponed


class RecyclingRun:
    """The recycling of one company on its present day. It opens its own transactions."""

    def __init__(
        self, database: Database, tenant_id: UUID, *, time_zone: str, follow_ups: FollowUpSource, clock: Clock
    ) -> None:
        self._database, self._tenant_id, self._zone = database, tenant_id, time_zone
        self._follow_ups, self._clock = follow_ups, clock
        self._today = local_date(clock.now(), time_zone)

    async def run(self) -> RecycleReport:
        """Reckon what the settings changed, then recycle, postpone and warn; customers that fail are counted."""
        counts = _Counts()
        async with self._transaction():
            await current_transaction().fetchval(_BEGIN, current_tenant_id(), new_id(), self._today, self._clock.now())
            await apply_begun_settings(today=self._today)
        await self._reckon(counts)
        async for foreseen in self.foresee():
            await self._act(foreseen.customer.customer_id, counts)
        async with self._transaction() as transaction:
            done = (counts.recycled, counts.warned, counts.postponed, len(counts.failures))
            await transaction.execute(_FINISH, self._tenant_id, self._today, self._clock.now(), *done)
        return RecycleReport(
            self._today,
            counts.reckoned,
            counts.recycled,
            counts.warned,
            counts.postponed,
            len(counts.failures),
            tuple(counts.failures[:FAILURES_TOLD]),
        )

    async def is_wanted(self) -> bool:
        """Whether it is late enough in the company's day, and no run of the day came to its end."""
        hour = _hour(self._clock, self._zone)
        if hour < RECYCLE_HOUR:
            return False
        async with self._transaction() as transaction:
            return not await transaction.fetchval(
                "SELECT true FROM recycle_run WHERE tenant_id = $1 AND ran_on = $2 AND finished_at IS NOT NULL",
                self._tenant_id,
                self._today,
            )

    async def foresee(self) -> AsyncIterator[Foreseen]:
        """The customers with whom something is to be done today; nothing is written.

        First those whose due date is not reckoned by the present settings, then the others by due date.
        """
        async for page in self._unreckoned():
            for foreseen in await self._judged(page):
                yield foreseen
        async for page in self._near():
            for foreseen in await self._judged(page):
                yield foreseen

    async def _judged(self, ids: Sequence[UUID]) -> list[Foreseen]:
        async with self._transaction():
            owned = await find_owned(ids, follow_ups=self._follow_ups, time_zone=self._zone)
        judged = [Foreseen(each, each.verdict(self._today)) for each in owned]
        return [each for each in judged if each.verdict.action is not Action.KEEP or each.verdict.reminder is not None]

    async def _unreckoned(self) -> AsyncIterator[list[UUID]]:
        """A page at a time, in the order of ids: customers of changed settings, and those that were brought in."""
        last = _NIL
        while True:
            async with self._transaction() as transaction:
                rows = await transaction.fetch(_UNRECKONED, self._tenant_id, last, PAGE)
            if not rows:
                return
            last = rows[-1]["id"]
            yield [row["id"] for row in rows]

    async def _near(self) -> AsyncIterator[list[UUID]]:
        """A page at a time, by due date: reckoned customers within the reach of the longest reminder."""
        last = (date.min, _NIL)
        async with self._transaction() as transaction:
            until = self._today + timedelta(days=await _longest_reminder(transaction) + 1)
        while True:
            async with self._transaction() as transaction:
                rows = await transaction.fetch(_NEAR, self._tenant_id, until, *last, PAGE)
            if not rows:
                return
            last = (rows[-1]["due_on"], rows[-1]["id"])
            yield [row["id"] for row in rows if row["is_reckoned"]]

    async def _reckon(self, counts: _Counts) -> None:
        async for page in self._unreckoned():
            async with self._transaction():
                counts.reckoned += await settle_due(
                    page, follow_ups=self._follow_ups, time_zone=self._zone, today=self._today
                )

    async def _act(self, customer_id: UUID, counts: _Counts) -> None:
        try:
            async with self._transaction():
                counts.add(
                    await recycle_if_due(
                        job_actor(self._tenant_id),
                        customer_id=customer_id,
                        follow_ups=self._follow_ups,
                        time_zone=self._zone,
                        clock=self._clock,
                    )
                )
        except (AppError, asyncpg.PostgresError) as failure:  # one customer must not hold up the others (L23)
            counts.failures.append((customer_id, describe_failure(failure)))

    def _transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(self._tenant_id)


def _hour(clock: Clock, zone: str) -> int:
    return clock.now().astimezone(ZoneInfo(zone)).hour


async def _longest_reminder(transaction: Transaction) -> int:
    rows = await transaction.fetch(_SETTINGS, transaction.tenant_id)
    return max((days for row in rows for days in settings_of(row["settings"]).reminder_days), default=0)


FindRecipients = Callable[[UUID], Awaitable[tuple[Recipient | None, Sequence[Recipient]]]]
"""By the owner's employee id: the owner, None without an account, and those who supervise."""

_NOTICED = """
SELECT n.days, n.due_on, n.owner_id, c.name FROM pool_notice n
JOIN customer c ON c.tenant_id = n.tenant_id AND c.id = n.customer_id
WHERE n.tenant_id = $1 AND n.id = $2 AND n.delivered_at IS NULL
"""
_DELIVERED = "UPDATE pool_notice SET delivered_at = $3 WHERE tenant_id = $1 AND id = $2"


class RecycleWarning:
    """Handler of the warning event: a mail to the owner and to those who supervise; then the notice is delivered.

    Who has no account can't be warned: the notice stays undelivered, and recycling waits as long as it may.
    """

    def __init__(self, postbox: Postbox, *, recipients: FindRecipients, catalogue: Catalogue, clock: Clock) -> None:
        self._postbox, self._recipients, self._catalogue, self._clock = postbox, recipients, catalogue, clock

    async def __call__(self, event: Event) -> None:
        """Send and note; an event that comes again finds its notice delivered."""
        notice_id = UUID(str(event.payload["notice_id"]))
        row = await current_transaction().fetchrow(_NOTICED, current_tenant_id(), notice_id)
        if row is None:
            return
        owner, supervisors = await self._recipients(row["owner_id"])
        values = {"customer": row["name"], "due_on": row["due_on"].isoformat(), "days": row["days"]}
        for place, to in enumerate([owner, *supervisors]):
            if to is not None:
                await self._postbox.send(self._mail(event, to, place, values))
        if owner is not None:
            await current_transaction().execute(_DELIVERED, current_tenant_id(), notice_id, self._clock.now())

    def _mail(self, event: Event, to: Recipient, place: int, values: dict[str, object]) -> Mail:
        named = {**values, "name": to.name}
        return Mail(
            id=event.id if place == 0 else uuid5(event.id, str(place)),
            to_address=to.email,
            to_name=to.name,
            subject=self._catalogue.text(to.locale, "jobs.recycle_warning.subject", named),
            body=self._catalogue.text(to.locale, "jobs.recycle_warning.body", named),
            written_at=event.occurred_at,
        )


DEAL, GIVE = "customers.deal", "customers.give"
LONGEST = timedelta(minutes=15)
"""An allocation is one transaction, whole or not at all; 100,000 customers take a minute or two on two cores."""

_PATIENCE = """
SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '120s';
SET LOCAL idle_in_transaction_session_timeout = '600s'
"""
"""A job may wait where a request may not: for an import's locks, and while it deals, with the transaction open."""


@dataclass(frozen=True, slots=True)
class AllocationJobs:
    """The handlers of large allocations. An event that comes again finds its allocation in another state."""

    sealer: Sealer
    clock: Clock

    def listen(self, handlers: Handlers) -> None:
        """Hear what is asked of a worker."""
        handlers.on(PLAN_AWAITED, name=DEAL, handler=self.deal, longest=LONGEST, given_up=self.give_up_plan)
        handlers.on(COMMIT_AWAITED, name=GIVE, handler=self.give, longest=LONGEST, given_up=self.give_up_commit)

    async def deal(self, event: Event) -> None:
        """Make the plan."""
        keyring, zone = await self._begin(event)
        await deal_plan(_allocation_id(event), keyring=keyring, time_zone=zone, clock=self.clock)

    async def give(self, event: Event) -> None:
        """Carry the plan out."""
        keyring, zone = await self._begin(event)
        await give_ordered(_allocation_id(event), keyring=keyring, time_zone=zone)

    async def give_up_plan(self, event: Event) -> None:
        """Tell who waits for the plan that it will not come."""
        await give_up_plan(_allocation_id(event), clock=self.clock)

    async def give_up_commit(self, event: Event) -> None:
        """Tell who waits for the commit that nothing was given."""
        await give_up_commit(_allocation_id(event))

    async def _begin(self, event: Event) -> tuple[Keyring, str]:
        await current_transaction().execute(_PATIENCE)
        return await self.sealer.keyring(event.tenant_id), (await get_tenant_facts()).time_zone


def _allocation_id(event: Event) -> UUID:
    return UUID(str(event.payload["allocation_id"]))
