"""The nightly recycling of a company: page by page, each page one transaction, beginning at each pool's own time.

Where anything of a page fails, it is rolled back and done again customer by customer: one bad record holds up no other,
and nothing is half done. Cut off anywhere, a run goes on where things stand: each customer is judged anew under its
lock, and nothing is done twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from saas.customers.actions.due_dates import FollowUpSource, OwnedCustomer, find_owned, store_due
from saas.customers.actions.ledger import job_actor
from saas.customers.actions.pools import apply_begun_settings
from saas.customers.actions.recycling import Recycled, recycle_due_customers
from saas.customers.events import CUSTOMERS_LOST
from saas.customers.recycling import Action, Verdict
from saas.customers.settings import PoolSettings, settings_of
from saas.events import emit_many
from saas.jobs import describe_failure
from saas.kernel import AppError, Clock, Unavailable, local_date, new_id
from tenants import Database, Transaction, current_tenant_id, current_transaction

PAGE = 200
"""Customers of one transaction: short enough that nobody who wants one of them waits long."""

FAILURES_TOLD = 20

_POOLS = """
SELECT p.id, p.settings_version, p.settings::text AS settings,
    (SELECT max(r.ran_on) FROM recycle_run r
     WHERE r.tenant_id = $1 AND r.pool_id = p.id AND r.finished_at IS NOT NULL) AS last_ran_on
FROM customer_pool p WHERE p.tenant_id = $1 AND p.status <> 'closed' ORDER BY p.id
"""
_BEGIN = """
INSERT INTO recycle_run AS r (tenant_id, id, pool_id, ran_on, started_at, missed_days)
SELECT $1, id, pool_id, $2, $3, missed_days FROM unnest($4::uuid[], $5::uuid[], $6::int[])
    AS begun (id, pool_id, missed_days)
ON CONFLICT (tenant_id, pool_id, ran_on) DO NOTHING
"""
_TALLY = """
UPDATE recycle_run r SET reckoned = r.reckoned + t.reckoned, recycled = r.recycled + t.recycled,
    warned = r.warned + t.warned, postponed = r.postponed + t.postponed
FROM unnest($3::uuid[], $4::int[], $5::int[], $6::int[], $7::int[])
    AS t (pool_id, reckoned, recycled, warned, postponed)
WHERE r.tenant_id = $1 AND r.ran_on = $2 AND r.pool_id = t.pool_id
"""
_FINISH = """
WITH before AS (
    SELECT id, pool_id, coalesce(finished_at + interval '1 microsecond', started_at) AS since FROM recycle_run
    WHERE tenant_id = $1 AND ran_on = $2 AND pool_id = ANY ($4) ORDER BY pool_id FOR UPDATE
)
UPDATE recycle_run r SET finished_at = $3, failed = f.failed
FROM before b JOIN unnest($4::uuid[], $5::int[]) AS f (pool_id, failed) ON f.pool_id = b.pool_id
WHERE r.tenant_id = $1 AND r.id = b.id RETURNING r.pool_id, b.since
"""
_LOSERS = """
SELECT DISTINCT e.pool_id, e.former_owner_id FROM unnest($2::uuid[], $3::timestamptz[]) AS night (pool_id, since)
JOIN pool_event e ON e.tenant_id = $1 AND e.pool_id = night.pool_id AND e.happened_at >= night.since
    AND e.kind = 'recycled'
"""
_VERSION = "CASE WHEN c.settings_version IS NULL THEN 0 ELSE c.settings_version END"
"""As the index `customer_reckoned` has it; under row-level security a `coalesce` would not reach the index."""

_UNRECKONED = f"""
SELECT c.id, {_VERSION} AS version FROM customer c
WHERE c.tenant_id = $1 AND c.pool_id = $2 AND c.owner_id IS NOT NULL AND {_VERSION} < $3
    AND ({_VERSION}, c.id) > ($4, $5)
ORDER BY {_VERSION}, c.id LIMIT $6
"""
_NEAR = """
SELECT c.id, c.pool_id, c.due_on, c.settings_version FROM customer c
WHERE c.tenant_id = $1 AND c.due_on <= $2 AND (c.due_on, c.id) > ($3, $4) ORDER BY c.due_on, c.id LIMIT $5
"""
_NUMBERS = ("reckoned", "recycled", "warned", "postponed")
_NIL, _LAST = UUID(int=0), UUID(int=2**128 - 1)
_FIRST = (date.min, _NIL)


@dataclass(frozen=True, slots=True)
class RecycleReport:
    """What a run did; `failures` are the first customers whose transaction failed, with what went wrong.

    `missed_days` are those before this one on which no run came to its end; what was due on them is done now, once.
    """

    ran_on: date
    missed_days: int = 0
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


@dataclass(frozen=True, slots=True)
class _Pool:
    """A pool whose customers a run looks at; `last_ran_on` is the day of its last run that came to its end."""

    id: UUID
    settings_version: int
    settings: PoolSettings
    last_ran_on: date | None

    def is_wanted(self, *, today: date, time: str) -> bool:
        """Whether it is late enough in the company's day, and no run of the day came to its end.

        A day that comes twice, since the company moved to another time zone, has one run.
        """
        return time >= self.settings.recycle_time and (self.last_ran_on is None or self.last_ran_on < today)

    def missed_days(self, today: date) -> int:
        """Whole days since the last run that had none."""
        return 0 if self.last_ran_on is None else max((today - self.last_ran_on).days - 1, 0)


@dataclass(frozen=True, slots=True)
class _Place:
    """A customer that a walk came to."""

    customer_id: UUID
    pool_id: UUID
    settings_version: int


@dataclass(frozen=True, slots=True)
class _Tally:
    """What a page did to the customers of a pool."""

    reckoned: int = 0
    recycled: int = 0
    warned: int = 0
    postponed: int = 0


_Work = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, _Tally]]]
"""What is done with a page of customers in one transaction; the tally is by pool."""


@dataclass
class _Counts:
    """What one run did so far. Of failures the first are kept, so that memory is flat whatever happens."""

    done: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_NUMBERS, 0))
    failed: Counter[UUID] = field(default_factory=Counter)
    failures: list[tuple[UUID, str]] = field(default_factory=list)

    def add(self, tally: _Tally) -> None:
        for name in _NUMBERS:
            self.done[name] += getattr(tally, name)

    def fail(self, place: _Place, failure: BaseException) -> None:
        self.failed[place.pool_id] += 1
        if len(self.failures) < FAILURES_TOLD:
            self.failures.append((place.customer_id, describe_failure(failure)))


class RecyclingRun:
    """The recycling of one company on its present day. It opens its own transactions."""

    def __init__(
        self, database: Database, tenant_id: UUID, *, time_zone: str, follow_ups: FollowUpSource, clock: Clock
    ) -> None:
        self._database, self._tenant_id, self._zone = database, tenant_id, time_zone
        self._follow_ups, self._clock = follow_ups, clock
        self._now = clock.now()
        self._today = local_date(self._now, time_zone)

    async def run(self) -> RecycleReport:
        """Reckon what the settings changed, then recycle, postpone and warn, in all pools, whatever hour it is."""
        return await self._run(await self._pools())

    async def run_wanted(self) -> RecycleReport | None:
        """As `run`, in the pools whose time has come (P26) and whose run of the day is not done; None where none is.

        Days without a run are not made up for one by one: what was due on them is due today.
        """
        time = self._now.astimezone(ZoneInfo(self._zone)).strftime("%H:%M")
        wanted = [each for each in await self._pools() if each.is_wanted(today=self._today, time=time)]
        return await self._run(wanted) if wanted else None

    async def foresee(self) -> AsyncIterator[Foreseen]:
        """The customers with whom something is to be done today; nothing is written.

        First those whose due date is not reckoned by the present settings, then the others by due date.
        """
        async with self._transaction():
            pools = await _read_pools()
        async for page in self._unreckoned(pools):
            for foreseen in await self._judged(page):
                yield foreseen
        versions = {each.id: each.settings_version for each in pools}
        async for page in self._near(pools, _FIRST, self._horizon(pools)):
            for foreseen in await self._judged(
                [each for each in page if versions[each.pool_id] == each.settings_version]
            ):
                yield foreseen

    async def _pools(self) -> list[_Pool]:
        """The pools, once what was decided for a day that has come is in force."""
        async with self._transaction():
            await apply_begun_settings(today=self._today)
            return await _read_pools()

    async def _run(self, pools: Sequence[_Pool]) -> RecycleReport:
        counts = _Counts()
        ids, missed = [each.id for each in pools], [each.missed_days(self._today) for each in pools]
        async with self._transaction() as transaction:
            begun = ([new_id() for _ in pools], ids, missed)
            await transaction.execute(_BEGIN, self._tenant_id, self._today, self._now, *begun)
        async for page in self._unreckoned(pools):
            await self._do(self._reckon, page, counts)
        async for page in self._near(pools, _FIRST, self._today):
            await self._do(self._recycle, page, counts)
        async for page in self._near(pools, (self._today, _LAST), self._horizon(pools)):
            near = {each.customer.customer_id for each in await self._judged(page)}
            await self._do(self._recycle, [each for each in page if each.customer_id in near], counts)
        async with self._transaction() as transaction:
            failed = [counts.failed[each] for each in ids]
            values = (self._today, self._clock.now(), ids, failed)
            await self._tell(pools, await transaction.fetch(_FINISH, self._tenant_id, *values))
        told = tuple(counts.failures)
        return RecycleReport(self._today, max(missed, default=0), **counts.done, failed=sum(failed), failures=told)

    async def _tell(self, pools: Sequence[_Pool], nights: Sequence[asyncpg.Record]) -> None:
        """Have former owners told once of all that they lost since the run began, where the pool wants it (P29)."""
        telling = {each.id for each in pools if each.settings.notify_former_owner}
        since = {row["pool_id"]: row["since"] for row in nights if row["pool_id"] in telling}
        lost = await current_transaction().fetch(_LOSERS, self._tenant_id, list(since), list(since.values()))
        on = self._today.isoformat()
        told = [{"pool_id": str(row["pool_id"]), "owner_id": str(row["former_owner_id"]), "on": on} for row in lost]
        await emit_many(CUSTOMERS_LOST, told)

    async def _do(self, work: _Work, page: Sequence[_Place], counts: _Counts) -> None:
        """Work on a page in one transaction; where that fails, on each of its customers in one of its own (L23).

        :raises Unavailable: the database does not answer; the next run goes on.
        """
        if not page:
            return
        try:
            done = await self._done(work, page)
        except Unavailable:
            raise
        except (AppError, asyncpg.PostgresError) as failure:
            if len(page) == 1:
                counts.fail(page[0], failure)
                return
            for each in page:
                await self._do(work, [each], counts)
        else:
            for tally in done.values():
                counts.add(tally)

    async def _done(self, work: _Work, page: Sequence[_Place]) -> Mapping[UUID, _Tally]:
        async with self._transaction() as transaction:
            await transaction.plan_by_index()
            done = await work([each.customer_id for each in page])
            rows = [(pool_id, *(getattr(done[pool_id], name) for name in _NUMBERS)) for pool_id in sorted(done)]
            if rows:
                columns = map(list, zip(*rows, strict=True))
                await transaction.execute(_TALLY, self._tenant_id, self._today, *columns)
        return done

    async def _reckon(self, ids: Sequence[UUID]) -> dict[UUID, _Tally]:
        owned = await find_owned(ids, follow_ups=self._follow_ups, time_zone=self._zone, is_locking=True)
        await store_due(owned, today=self._today)
        numbers = Counter(each.pool_id for each in owned)
        return {pool_id: _Tally(reckoned=number) for pool_id, number in numbers.items()}

    async def _recycle(self, ids: Sequence[UUID]) -> dict[UUID, _Tally]:
        done = await recycle_due_customers(
            job_actor(self._tenant_id),
            customer_ids=ids,
            follow_ups=self._follow_ups,
            time_zone=self._zone,
            clock=self._clock,
        )
        of_pools: dict[UUID, list[Recycled]] = {}
        for each in done:
            of_pools.setdefault(each.pool_id, []).append(each)
        return {pool_id: _tally(each) for pool_id, each in of_pools.items()}

    async def _judged(self, page: Sequence[_Place]) -> list[Foreseen]:
        """What is to be done with customers today, where anything is."""
        async with self._transaction():
            ids = [each.customer_id for each in page]
            owned = await find_owned(ids, follow_ups=self._follow_ups, time_zone=self._zone)
        judged = [Foreseen(each, each.verdict(self._today)) for each in owned]
        return [each for each in judged if each.verdict.action is not Action.KEEP or each.verdict.reminder is not None]

    async def _unreckoned(self, pools: Sequence[_Pool]) -> AsyncIterator[list[_Place]]:
        """Page by page, pool by pool: customers of changed settings, and those that were brought in."""
        for pool in pools:
            last = (-1, _NIL)
            while rows := await self._page(_UNRECKONED, pool.id, pool.settings_version, *last):
                last = (rows[-1]["version"], rows[-1]["id"])
                yield [_Place(row["id"], pool.id, row["version"]) for row in rows]

    async def _near(self, pools: Sequence[_Pool], after: tuple[date, UUID], until: date) -> AsyncIterator[list[_Place]]:
        """Page by page, by due date: the pools' customers that are due by a day."""
        ids = {each.id for each in pools}
        while rows := await self._page(_NEAR, until, *after):
            after = (rows[-1]["due_on"], rows[-1]["id"])
            yield [_Place(row["id"], row["pool_id"], row["settings_version"]) for row in rows if row["pool_id"] in ids]

    def _horizon(self, pools: Sequence[_Pool]) -> date:
        """Until when customers are due whom the longest reminder may reach today."""
        longest = max((days for each in pools for days in each.settings.reminder_days), default=0)
        return self._today + timedelta(days=longest + 1)

    async def _page(self, sql: str, *values: object) -> list[asyncpg.Record]:
        async with self._transaction() as transaction:
            return await transaction.fetch(sql, self._tenant_id, *values, PAGE)

    def _transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(self._tenant_id)


def _tally(done: Sequence[Recycled]) -> _Tally:
    return _Tally(
        recycled=sum(each.is_recycled for each in done),
        warned=sum(each.is_warned for each in done),
        postponed=sum(each.is_postponed for each in done),
    )


async def _read_pools() -> list[_Pool]:
    rows = await current_transaction().fetch(_POOLS, current_tenant_id())
    return [_pool(row) for row in rows]


def _pool(row: asyncpg.Record) -> _Pool:
    return _Pool(row["id"], row["settings_version"], settings_of(row["settings"]), row["last_ran_on"])
