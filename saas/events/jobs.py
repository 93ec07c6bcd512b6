"""From the outbox to the handlers: the relay sends what is due, a worker delivers it.

PostgreSQL holds the truth. The relay sends an event and makes it due again at the end of a lease, so one that gets
lost on the way (Redis emptied, worker killed) is sent anew. Delivering is fenced by `attempts`: a message carries the
number it was sent with, and beginning a run raises it, so a message that comes twice, or late, does nothing. The
handler's writes and "done" are one transaction, so that it takes effect exactly once. That transaction holds the
event's row, which the relay passes over: a run may take longer than the lease and is still not sent anew.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import orjson
import structlog

from saas.events.actions import insert_event
from saas.events.topics import Event, Handler, Handlers
from saas.jobs import JobQueue, RetryPolicy, describe_failure
from saas.kernel import Clock, Unavailable
from tenants import Database, current_tenant_id, current_transaction
from tenants.pool import ConnectionPool

DELIVER = "events.deliver"
POLL_SECONDS = 1.0
_BATCH = 100
_BUSY_WAIT = timedelta(seconds=5)
_NOBODY = UUID(int=0)
_PURGE_BATCH = 1000
_log = structlog.get_logger()

# Served by the partial index of waiting rows, which begins with the tenant as all do: ordered by due_at alone, each
# batch would sort the whole backlog.
_TAKE = """
WITH due AS MATERIALIZED (
    SELECT tenant_id, id FROM outbox
    WHERE tenant_id > $4 AND due_at <= $1 ORDER BY tenant_id, due_at LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE outbox o SET sent_at = $1, due_at = $2 FROM due
WHERE o.tenant_id = due.tenant_id AND o.id = due.id
RETURNING o.tenant_id, o.id, o.attempts
"""
_BEGIN = """
UPDATE outbox SET attempts = attempts + 1, due_at = $4
WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND due_at IS NOT NULL
RETURNING topic, handler, payload::text AS payload, created_at
"""
_HOLD = """
SELECT true FROM outbox
WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND due_at IS NOT NULL FOR UPDATE
"""
_DONE = "UPDATE outbox SET done_at = $3, due_at = NULL, last_error = NULL WHERE tenant_id = $1 AND id = $2"
_FAILED = """
UPDATE outbox SET due_at = $4, dead_at = $5, last_error = $6
WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND due_at IS NOT NULL
"""
_HAND_BACK = """
UPDATE outbox SET attempts = attempts - 1, due_at = $4
WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND due_at IS NOT NULL
"""
_PURGE = """
DELETE FROM outbox WHERE tenant_id = $1 AND id IN (
    SELECT id FROM outbox WHERE tenant_id = $1 AND done_at < $2 LIMIT $3
)
"""


class Relay:
    """Sends due events of all tenants to the workers; any number of relays share the work.

    It goes round the tenants, a batch at most from each, so that one with a long backlog holds up no other.
    `pool` connects as the relay's own role, which sees no payload.
    """

    def __init__(self, pool: ConnectionPool, queue: JobQueue, *, retry: RetryPolicy, clock: Clock) -> None:
        self._pool, self._queue, self._retry, self._clock = pool, queue, retry, clock
        self._passed = _NOBODY

    async def send_due(self) -> int:
        """Send at most a hundred events; how many there were.

        They are marked only if the queue took them all: otherwise they stay due, and the few that it took are known
        to it by their id when they are sent again.

        :raises Unavailable: the database or the queue does not answer.
        """
        sent = await self._send(_BATCH)
        if sent < _BATCH and self._passed != _NOBODY:  # the end of the round; go on from its beginning
            self._passed = _NOBODY
            sent += await self._send(_BATCH - sent)
        return sent

    async def _send(self, limit: int) -> int:
        now = self._clock.now()
        async with self._pool.connection() as connection, connection.transaction():
            rows = await connection.fetch(_TAKE, now, now + self._retry.lease, limit, self._passed)
            for row in rows:
                tenant_id, event_id, attempts = row
                job_id = f"outbox:{event_id}:{attempts}"
                await self._queue.enqueue(DELIVER, str(tenant_id), str(event_id), attempts, job_id=job_id)
        if len(rows) == limit:
            self._passed = max(row["tenant_id"] for row in rows)
        return len(rows)

    async def send_all_due(self) -> None:
        """Send until nothing is due; what does not answer is logged and left for the next time."""
        try:
            while await self.send_due() == _BATCH:
                pass
        except (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            _log.warning("events.relay_interrupted", reason=describe_failure(error))


class Delivery:
    """Runs the handlers of events, in the worker, `at_once` of them at a time.

    The queue hands out more than the database has connections: the others wait here, not begun, rather than fail.
    Beside them one handler that may take long runs, in a task of its own: the message that brought it has done its
    part. A second such event is handed back, for this worker when it is free or for another.
    """

    def __init__(
        self, database: Database, handlers: Handlers, *, retry: RetryPolicy, clock: Clock, at_once: int = 6
    ) -> None:
        self._database, self._handlers, self._retry, self._clock = database, handlers, retry, clock
        self._turn = asyncio.Semaphore(at_once)
        self._long: asyncio.Task[None] | None = None

    @property
    def long_run(self) -> asyncio.Task[None] | None:
        """The long run that has not ended; who stops the worker waits for it, or cancels it, and it is begun anew."""
        return None if self._long is None or self._long.done() else self._long

    async def __call__(self, tenant: str, event: str, attempts: int) -> None:
        """Deliver the event that was sent when `attempts` runs had begun; a stale message does nothing."""
        async with self._turn:
            await self._deliver(UUID(tenant), UUID(event), attempts)

    async def _deliver(self, tenant_id: UUID, event_id: UUID, attempts: int) -> None:
        begun = await self._begin(tenant_id, event_id, attempts)
        if begun is None:
            return
        run, handler_name = begun
        if run.attempt > self._retry.max_attempts:
            await self._fail(run, handler_name, f"Each of {attempts} runs ended with its worker, without a word.")
            return
        longest = self._handlers.longest(run.topic, handler_name)
        if longest is None:
            await self._run(run, handler_name, self._retry.run_for)
        elif self.long_run is None:
            self._long = asyncio.create_task(self._run(run, handler_name, longest))
        else:
            await self._hand_back(run)

    async def _run(self, run: Event, handler_name: str | None, longest: timedelta) -> None:
        try:
            async with asyncio.timeout(longest.total_seconds()):
                await self._handle(run, handler_name)
        except Exception as error:  # a handler may fail in any way; this is the door where that is written down
            await self._fail(run, handler_name, describe_failure(error))

    async def _hand_back(self, run: Event) -> None:
        """As if it had not been begun, and due in a moment."""
        due_at = self._clock.now() + _BUSY_WAIT
        async with self._database.transaction(run.tenant_id) as transaction:
            await transaction.execute(_HAND_BACK, run.tenant_id, run.id, run.attempt, due_at)

    async def _begin(self, tenant_id: UUID, event_id: UUID, attempts: int) -> tuple[Event, str | None] | None:
        lease_end = self._clock.now() + self._retry.lease
        async with self._database.transaction(tenant_id) as transaction:
            row = await transaction.fetchrow(_BEGIN, tenant_id, event_id, attempts, lease_end)
        if row is None:
            return None
        payload = orjson.loads(row["payload"])
        run = Event(event_id, tenant_id, row["topic"], payload, row["created_at"], attempts + 1)
        return run, row["handler"]

    async def _handle(self, run: Event, handler_name: str | None) -> None:
        async with self._database.transaction(run.tenant_id) as transaction:
            if not await transaction.fetchval(_HOLD, run.tenant_id, run.id, run.attempt):
                return  # the lease ended before the run could start; the next message has taken over
            handlers = self._chosen(run.topic, handler_name)
            if len(handlers) == 1:
                await next(iter(handlers.values()))(run)
            else:
                for name in handlers:  # each gets an event of its own, and so its own retries
                    await insert_event(run.topic, run.payload, due_at=self._clock.now(), handler=name)
            await transaction.execute(_DONE, run.tenant_id, run.id, self._clock.now())

    def _chosen(self, topic: str, handler_name: str | None) -> dict[str, Handler]:
        """The handlers to run; an unknown name raises, so that the event waits for a worker that knows it."""
        handlers = self._handlers.of(topic)
        return dict(handlers) if handler_name is None else {handler_name: handlers[handler_name]}

    async def _fail(self, run: Event, handler_name: str | None, what: str) -> None:
        now = self._clock.now()
        dead = run.attempt >= self._retry.max_attempts
        due_at = None if dead else now + self._retry.wait_after(run.attempt)
        _log.warning("events.delivery_failed", event_id=str(run.id), topic=run.topic, attempt=run.attempt, reason=what)
        async with self._database.transaction(run.tenant_id) as transaction:
            dead_at = now if dead else None
            noted = await transaction.execute(_FAILED, run.tenant_id, run.id, run.attempt, due_at, dead_at, what)
            given_up = self._handlers.given_up(run.topic, handler_name)
            if noted and dead and given_up is not None:
                await given_up(run)


async def purge_outbox(*, clock: Clock, kept: timedelta = timedelta(days=7)) -> int:
    """Remove at most a thousand of the tenant's events that were done before `kept`; how many. Dead ones stay."""
    return await _purge(clock.now() - kept)


async def _purge(before: datetime) -> int:
    return await current_transaction().execute(_PURGE, current_tenant_id(), before, _PURGE_BATCH)
