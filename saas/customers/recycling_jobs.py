"""The nightly recycling of a company: page by page, each page one transaction, beginning at each pool's own time.

Where anything of a page fails, it is rolled back and done again customer by customer: one bad record holds up no other,
and nothing is half done. Cut off anywhere, a run goes on where things stand: each customer is judged anew under its
lock, and nothing is done twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from saas.customers.actions.due_dates import ActivitySource, OwnedCustomer, find_owned, store_due
from saas.customers.actions.pool_versions import apply_begun_settings
from saas.customers.actions.recycling import Recycled, recycle_due_customers
from saas.customers.automation import job_actor
from saas.customers.nights import NUMBERS, NightPool, Tally, begin_nights, find_pools, finish_nights, tally_nights
from saas.customers.recycling import Action, Verdict
from saas.jobs import describe_failure
from saas.kernel import AppError, Clock, Unavailable, local_date
from tenants import Database, Transaction

PAGE = 200
"""Customers of one transaction: short enough that nobody who wants one of them waits long."""

AT_ONCE = 2
"""Pages at a time: while one is judged here, the database writes the other."""

FAILURES_TOLD = 20

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
_IN_ORDER = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"
"""Walks follow their indexes. A plan may be of when the table was small and sorting all that is due looked as good."""

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
class _Place:
    """A customer that a walk came to."""

    customer_id: UUID
    pool_id: UUID
    settings_version: int


_Work = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, Tally]]]
"""What is done with a page of customers in one transaction; the tally is by pool."""


@dataclass
class _Counts:
    """What one run did so far. Of failures the first are kept, so that memory is flat whatever happens."""

    done: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NUMBERS, 0))
    failed: Counter[UUID] = field(default_factory=Counter)
    failures: list[tuple[UUID, str]] = field(default_factory=list)

    def add(self, tally: Tally) -> None:
        for name in NUMBERS:
            self.done[name] += getattr(tally, name)

    def fail(self, place: _Place, failure: BaseException) -> None:
        self.failed[place.pool_id] += 1
        if len(self.failures) < FAILURES_TOLD:
            self.failures.append((place.customer_id, describe_failure(failure)))


class RecyclingRun:
    """The recycling of one company on its present day. It opens its own transactions."""

    def __init__(
        self, database: Database, tenant_id: UUID, *, time_zone: str, activity: ActivitySource, clock: Clock
    ) -> None:
        self._database, self._tenant_id, self._zone = database, tenant_id, time_zone
        self._activity, self._clock = activity, clock
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
            pools = await find_pools()
        async for page in self._unreckoned(pools):
            for foreseen in await self._judged(page):
                yield foreseen
        versions = {each.id: each.settings_version for each in pools}
        async for page in self._near(pools, _FIRST, self._horizon(pools)):
            for foreseen in await self._judged(
                [each for each in page if versions[each.pool_id] == each.settings_version]
            ):
                yield foreseen

    async def _pools(self) -> list[NightPool]:
        """The pools, once what was decided for a day that has come is in force."""
        async with self._transaction():
            await apply_begun_settings(today=self._today)
            return await find_pools()

    async def _run(self, pools: Sequence[NightPool]) -> RecycleReport:
        counts = _Counts()
        async with self._transaction():
            await begin_nights(pools, on=self._today, at=self._now)
        await _each(self._unreckoned(pools), lambda page: self._do(self._reckon, page, counts))
        await _each(self._near(pools, _FIRST, self._today), lambda page: self._do(self._recycle, page, counts))
        await _each(
            self._near(pools, (self._today, _LAST), self._horizon(pools)), lambda page: self._warn(page, counts)
        )
        async with self._transaction():
            await finish_nights(pools, counts.failed, on=self._today, at=self._clock.now())
        missed = max((each.missed_days(self._today) for each in pools), default=0)
        failed, told = counts.failed.total(), tuple(counts.failures)
        return RecycleReport(self._today, missed, **counts.done, failed=failed, failures=told)

    async def _warn(self, page: Sequence[_Place], counts: _Counts) -> None:
        """Look before locking: with most who are near nothing is to be done today."""
        near = {each.customer.customer_id for each in await self._judged(page)}
        await self._do(self._recycle, [each for each in page if each.customer_id in near], counts)

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

    async def _done(self, work: _Work, page: Sequence[_Place]) -> Mapping[UUID, Tally]:
        async with self._transaction() as transaction:
            await transaction.plan_by_index()
            done = await work([each.customer_id for each in page])
            await tally_nights(done, on=self._today)
        return done

    async def _reckon(self, ids: Sequence[UUID]) -> dict[UUID, Tally]:
        owned = await find_owned(ids, activity=self._activity, time_zone=self._zone, is_locking=True)
        await store_due(owned, today=self._today)
        numbers = Counter(each.pool_id for each in owned)
        return {pool_id: Tally(reckoned=number) for pool_id, number in numbers.items()}

    async def _recycle(self, ids: Sequence[UUID]) -> dict[UUID, Tally]:
        done = await recycle_due_customers(
            job_actor(self._tenant_id),
            customer_ids=ids,
            activity=self._activity,
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
            owned = await find_owned(ids, activity=self._activity, time_zone=self._zone)
        judged = [Foreseen(each, each.verdict(self._today)) for each in owned]
        return [each for each in judged if each.verdict.action is not Action.KEEP or each.verdict.reminder is not None]

    async def _unreckoned(self, pools: Sequence[NightPool]) -> AsyncIterator[list[_Place]]:
        """Page by page, pool by pool: customers of changed settings, and those that were brought in."""
        for pool in pools:
            last = (-1, _NIL)
            while rows := await self._page(_UNRECKONED, pool.id, pool.settings_version, *last):
                last = (rows[-1]["version"], rows[-1]["id"])
                yield [_Place(row["id"], pool.id, row["version"]) for row in rows]

    async def _near(
        self, pools: Sequence[NightPool], after: tuple[date, UUID], until: date
    ) -> AsyncIterator[list[_Place]]:
        """Page by page, by due date: the pools' customers that are due by a day."""
        ids = {each.id for each in pools}
        while rows := await self._page(_NEAR, until, *after):
            after = (rows[-1]["due_on"], rows[-1]["id"])
            yield [_Place(row["id"], row["pool_id"], row["settings_version"]) for row in rows if row["pool_id"] in ids]

    def _horizon(self, pools: Sequence[NightPool]) -> date:
        """Until when customers are due whom the longest reminder may reach today."""
        longest = max((days for each in pools for days in each.settings.reminder_days), default=0)
        return self._today + timedelta(days=longest + 1)

    async def _page(self, sql: str, *values: object) -> list[asyncpg.Record]:
        async with self._transaction() as transaction:
            await transaction.execute(_IN_ORDER)
            return await transaction.fetch(sql, self._tenant_id, *values, PAGE)

    def _transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(self._tenant_id)


async def _each(pages: AsyncIterator[Sequence[_Place]], handle: Callable[[Sequence[_Place]], Awaitable[None]]) -> None:
    """Handle pages, `AT_ONCE` at a time; where one can't be handled, no other is begun.

    :raises Unavailable: as `RecyclingRun` does.
    """
    turn = asyncio.Lock()

    async def go_on() -> None:
        while True:
            async with turn:
                page = await anext(pages, None)
            if page is None:
                return
            await handle(page)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(go_on())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None


def _tally(done: Sequence[Recycled]) -> Tally:
    return Tally(
        recycled=sum(each.is_recycled for each in done),
        warned=sum(each.is_warned for each in done),
        postponed=sum(each.is_postponed for each in done),
    )
