"""What runs beside the requests: the nightly search for declines, drafts of assessments, carrying them out.

Work goes page by page or customer by customer, a transaction each; cut off anywhere, it goes on where things stand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from saas.circulation.actions.carrying_out import close_if_done, move_if_due, rotate_if_reclaimed
from saas.circulation.actions.declines import (
    NOBODY,
    DeclinePolicy,
    PageDone,
    close_left_behind,
    find_left_behind,
    judge_customers,
)
from saas.circulation.actions.drafting import draft_assessment, give_up_draft
from saas.circulation.events import DECLINES_FOUND, DRAFT_AWAITED, MOVE_AWAITED
from saas.circulation.queries import find_decline_policy
from saas.circulation.rules.moving import Step
from saas.customers import find_dealt_customers, job_actor, list_pools
from saas.events import Event, Handlers, emit_many
from saas.jobs import describe_failure
from saas.kernel import AppError, Clock, Unavailable, local_date, new_id
from saas.sealing import Keyring, Sealer
from tenants import Database, Transaction, current_transaction, get_tenant_facts

DECLINE_HOUR = 1
"""From which hour of the company's day declines are searched: before recycling, which goes by them."""

PAGE = 200
FAILURES_TOLD = 20
DRAFT, MOVE = "circulation.draft", "circulation.move"
LONGEST = timedelta(minutes=15)

_BEGIN = """
INSERT INTO circulation_run AS r (tenant_id, id, ran_on, started_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, ran_on) DO UPDATE SET started_at = r.started_at
"""
_FINISH = """
UPDATE circulation_run SET finished_at = $3, judged = $4, found = found + $5, closed = closed + $6, failed = $7
WHERE tenant_id = $1 AND ran_on = $2
"""
_DONE = "SELECT true FROM circulation_run WHERE tenant_id = $1 AND ran_on = $2 AND finished_at IS NOT NULL"
_TELL = """
UPDATE customer_decline SET told_at = $2 WHERE tenant_id = $1 AND state = 'open' AND told_at IS NULL RETURNING owner_id
"""
_DUE = "SELECT id FROM assessment WHERE tenant_id = $1 AND state = 'announced' AND due_on <= $2 ORDER BY due_on, id"
_TO_MOVE = """
SELECT id FROM assessment_customer
WHERE tenant_id = $1 AND assessment_id = $2 AND state IN ('announced', 'refused') AND id > $3 ORDER BY id LIMIT $4
"""
_TO_ROTATE = """
SELECT DISTINCT employee_id FROM assessment_customer
WHERE tenant_id = $1 AND assessment_id = $2 AND state = 'reclaimed' ORDER BY employee_id
"""


@dataclass(frozen=True, slots=True)
class DeclineReport:
    """What a run did; `failures` are the first customers (findings, when closed) that failed, with the reason."""

    ran_on: date
    judged: int = 0
    found: int = 0
    closed: int = 0
    failed: int = 0
    failures: tuple[tuple[UUID, str], ...] = ()

    def plus(self, done: PageDone) -> DeclineReport:
        """With a page more."""
        return replace(
            self, judged=self.judged + done.judged, found=self.found + done.found, closed=self.closed + done.closed
        )

    def minus(self, one: UUID, failure: Exception) -> DeclineReport:
        """With one more that failed."""
        told = (one, describe_failure(failure))
        return replace(self, failed=self.failed + 1, failures=(*self.failures, told)[:FAILURES_TOLD])


_FindPage = Callable[[UUID], Awaitable[list[UUID]]]
_Work = Callable[[Sequence[UUID]], Awaitable[PageDone]]


class DeclineRun:
    """The search for declines in one company on its present day. It opens its own transactions."""

    def __init__(self, database: Database, tenant_id: UUID, *, time_zone: str, clock: Clock) -> None:
        self._database, self._tenant_id, self._zone, self._clock = database, tenant_id, time_zone, clock
        self._today, self._actor = local_date(clock.now(), time_zone), job_actor(tenant_id)

    async def is_wanted(self) -> bool:
        """Whether it is late enough in the company's day, and no run of the day came to its end."""
        if self._clock.now().astimezone(ZoneInfo(self._zone)).hour < DECLINE_HOUR:
            return False
        async with self._transaction() as transaction:
            return not await transaction.fetchval(_DONE, self._tenant_id, self._today)

    async def run(self) -> DeclineReport:
        """Judge the dealt customers of every pool with a policy, then close what was left behind."""
        async with self._transaction() as transaction:
            await transaction.execute(_BEGIN, self._tenant_id, new_id(), self._today, self._clock.now())
            policies, currency = await self._policies(), (await get_tenant_facts()).currency
        report = DeclineReport(self._today)
        for policy in policies:
            report = await self._judge(report, policy, currency)
        report = await self._close_left_behind(report, [policy.pool_id for policy in policies])
        await self._tell()
        await self._finish(report)
        return report

    async def _judge(self, report: DeclineReport, policy: DeclinePolicy, currency: str) -> DeclineReport:
        async def page(after: UUID) -> list[UUID]:
            held = await find_dealt_customers(policy.pool_id, after=after, most=PAGE, today=self._today)
            return [each.customer_id for each in held]

        async def work(ids: Sequence[UUID]) -> PageDone:
            return await judge_customers(
                self._actor, policy, ids, currency=currency, time_zone=self._zone, clock=self._clock
            )

        return await self._pages(report, page, work)

    async def _close_left_behind(self, report: DeclineReport, pool_ids: Sequence[UUID]) -> DeclineReport:
        async def page(after: UUID) -> list[UUID]:
            return await find_left_behind(after=after, most=PAGE, pool_ids=pool_ids)

        async def work(ids: Sequence[UUID]) -> PageDone:
            return await close_left_behind(self._actor, ids, pool_ids=pool_ids, time_zone=self._zone, clock=self._clock)

        return await self._pages(report, page, work)

    async def _tell(self) -> None:
        """One mail for each person, however many of their customers decline."""
        async with self._transaction() as transaction:
            rows = await transaction.fetch(_TELL, self._tenant_id, self._clock.now())
            owners = sorted({row["owner_id"] for row in rows})
            await emit_many(DECLINES_FOUND, [{"employee_id": str(each)} for each in owners])

    async def _policies(self) -> list[DeclinePolicy]:
        found = []
        for pool in (await list_pools()).values():
            policy = await find_decline_policy(pool.id, on=self._today)
            if policy is not None:
                found.append(DeclinePolicy(pool.id, *policy, pool.settings))
        return found

    async def _pages(self, report: DeclineReport, page: _FindPage, work: _Work) -> DeclineReport:
        after = NOBODY
        while True:
            async with self._transaction():
                ids = await page(after)
            if not ids:
                return report
            report, after = await self._do(report, work, ids), ids[-1]

    async def _do(self, report: DeclineReport, work: _Work, ids: Sequence[UUID]) -> DeclineReport:
        """Work on a page in one transaction; where that fails, on each of it in one of its own (L23).

        :raises Unavailable: the database does not answer; the next run goes on.
        """
        try:
            async with self._transaction():
                return report.plus(await work(ids))
        except Unavailable:
            raise
        except (AppError, asyncpg.PostgresError) as failure:
            if len(ids) == 1:
                return report.minus(ids[0], failure)
            for each in ids:
                report = await self._do(report, work, [each])
            return report

    async def _finish(self, report: DeclineReport) -> None:
        finished_at = None if report.failed else self._clock.now()
        done = (report.judged, report.found, report.closed, report.failed)
        async with self._transaction() as transaction:
            await transaction.execute(_FINISH, self._tenant_id, self._today, finished_at, *done)

    def _transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(self._tenant_id)


@dataclass
class MoveReport:
    """What carrying out came to; `failures` are the first customers (people, when rotated) whose transaction failed."""

    reclaimed: int = 0
    spared: int = 0
    waiting: int = 0
    rotated: int = 0
    closed: int = 0
    failures: list[tuple[UUID, str]] = field(default_factory=list)


class AssessmentRun:
    """Carrying out what is due of one company's assessments. It opens its own transactions."""

    def __init__(self, database: Database, tenant_id: UUID, *, keyring: Keyring, time_zone: str, clock: Clock) -> None:
        self._database, self._tenant_id, self._keyring = database, tenant_id, keyring
        self._zone, self._clock = time_zone, clock
        self._today = local_date(clock.now(), time_zone)

    async def run(self) -> MoveReport:
        """Each assessment whose notice is over: reclaim or spare each customer, give on what was reclaimed, close."""
        report = MoveReport()
        async with self._transaction() as transaction:
            due = [row["id"] for row in await transaction.fetch(_DUE, self._tenant_id, self._today)]
        for assessment_id in due:
            await self._move(assessment_id, report)
            await self._rotate(assessment_id, report)
            async with self._transaction():
                report.closed += await close_if_done(assessment_id, time_zone=self._zone, clock=self._clock)
        return report

    async def _move(self, assessment_id: UUID, report: MoveReport) -> None:
        last = NOBODY
        while True:
            async with self._transaction() as transaction:
                rows = await transaction.fetch(_TO_MOVE, self._tenant_id, assessment_id, last, PAGE)
            for row in rows:
                last = row["id"]
                await self._move_one(last, report)
            if not rows:
                return

    async def _move_one(self, line_id: UUID, report: MoveReport) -> None:
        try:
            async with self._transaction():
                step = await move_if_due(line_id, time_zone=self._zone, clock=self._clock)
        except (AppError, asyncpg.PostgresError) as failure:  # one customer must not hold up the others (L23)
            _note(report, line_id, failure)
            return
        report.reclaimed += step is Step.RECLAIM
        report.spared += step is Step.SPARE
        report.waiting += step is Step.WAIT

    async def _rotate(self, assessment_id: UUID, report: MoveReport) -> None:
        async with self._transaction() as transaction:
            rows = await transaction.fetch(_TO_ROTATE, self._tenant_id, assessment_id)
        for row in rows:
            try:
                await self._rotate_of(assessment_id, row["employee_id"], report)
            except (AppError, asyncpg.PostgresError) as failure:  # the next run tries again
                _note(report, row["employee_id"], failure)

    async def _rotate_of(self, assessment_id: UUID, former_owner_id: UUID, report: MoveReport) -> None:
        while True:
            async with self._transaction():
                settled = await rotate_if_reclaimed(
                    assessment_id,
                    former_owner_id=former_owner_id,
                    keyring=self._keyring,
                    time_zone=self._zone,
                    clock=self._clock,
                )
            report.rotated += settled
            if not settled:
                return

    def _transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(self._tenant_id)


def _note(report: MoveReport, what: UUID, failure: Exception) -> None:
    if len(report.failures) < FAILURES_TOLD:
        report.failures.append((what, describe_failure(failure)))


_PATIENCE = "SET LOCAL statement_timeout = '120s'; SET LOCAL idle_in_transaction_session_timeout = '600s'"
"""A job may take longer than a request: a draft judges every customer of a pool in one transaction."""


@dataclass(frozen=True, slots=True)
class AssessmentJobs:
    """The handlers of assessments; an event that comes again finds its work done."""

    database: Database
    sealer: Sealer
    clock: Clock

    def listen(self, handlers: Handlers) -> None:
        """Hear what is asked of a worker."""
        handlers.on(DRAFT_AWAITED, name=DRAFT, handler=self.draft, longest=LONGEST, given_up=self.give_up_draft)
        handlers.on(MOVE_AWAITED, name=MOVE, handler=self.move, longest=LONGEST)

    async def draft(self, event: Event) -> None:
        """Work out a draft."""
        await current_transaction().execute(_PATIENCE)
        facts = await get_tenant_facts()
        await draft_assessment(
            _assessment_id(event), currency=facts.currency, time_zone=facts.time_zone, clock=self.clock
        )

    async def give_up_draft(self, event: Event) -> None:
        """Tell who waits for the draft that it will not come."""
        await give_up_draft(_assessment_id(event), clock=self.clock)

    async def move(self, event: Event) -> None:
        """Carry out what is due, in transactions of its own."""
        zone = (await get_tenant_facts()).time_zone
        keyring = await self.sealer.keyring(event.tenant_id)
        await AssessmentRun(self.database, event.tenant_id, keyring=keyring, time_zone=zone, clock=self.clock).run()


def _assessment_id(event: Event) -> UUID:
    return UUID(str(event.payload["assessment_id"]))
