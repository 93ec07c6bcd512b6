"""The worker's door: relay, scheduler and queue worker in one process.

It starts while Redis is away and outlives its restarts; on SIGTERM or SIGINT it takes no new work, finishes what
runs within a while, and leaves the rest to the lease.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from saas.events import DELIVER, Delivery, Handlers, Relay
from saas.jobs import (
    ArqQueue,
    PeriodicJob,
    QueueWorker,
    RedisBell,
    RetryPolicy,
    Scheduler,
    check_health,
    describe_failure,
)
from saas.kernel import Clock, Unavailable
from tenants import Database
from tenants.pool import ConnectionPool

__all__ = ["WorkerServices", "check_health", "run_worker", "stop_on_signals"]

_POLL_SECONDS = 1.0
_CANCEL_AGAIN_SECONDS = 2.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WorkerServices:
    """What a worker is made of; `relay_url` is PostgreSQL's URL with the relay's role.

    `at_once` events are handled at a time, and one long one beside them; keep both together below the size of the
    database's pool. A worker that is told to stop finishes what runs within `finish_seconds`.

    The wiring owns database and bell: it rings the bell after commits (`ring_with`) and closes both.
    """

    database: Database
    relay_url: str
    redis_url: str
    bell: RedisBell
    clock: Clock
    handlers: Handlers
    periodic: Sequence[PeriodicJob] = ()
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    at_once: int = 6
    finish_seconds: float = 30.0


async def run_worker(services: WorkerServices, *, stop: asyncio.Event) -> None:
    """Work until `stop` is set (by `stop_on_signals`, or by a process that has a worker inside)."""
    pool = ConnectionPool(services.relay_url, size=1)
    queue = ArqQueue(services.redis_url)
    relay = Relay(pool, queue, retry=services.retry, clock=services.clock)
    scheduler = Scheduler(services.database, services.periodic, clock=services.clock)
    try:
        async with asyncio.TaskGroup() as group:
            feeding = [group.create_task(_relay(relay, services.bell)), group.create_task(scheduler.run())]
            group.create_task(_deliver(services, stop))
            await stop.wait()
            await _end(feeding)
    finally:
        await queue.close()
        await pool.close()


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set, for a process of which the worker is the whole."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until they have ended. Before Python 3.12 `asyncio.wait_for`, through which redis-py sends, keeps a
    cancellation to itself that comes just as it is done: the task goes on as if nobody had asked it to end."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_CANCEL_AGAIN_SECONDS)


async def _relay(relay: Relay, bell: RedisBell) -> None:
    while True:
        await relay.send_all_due()
        await bell.wait(_POLL_SECONDS)


async def _deliver(services: WorkerServices, stop: asyncio.Event) -> None:
    """Run a queue worker, and a new one whenever Redis was away for too long."""
    delivery = Delivery(
        services.database,
        services.handlers,
        retry=services.retry,
        clock=services.clock,
        at_once=services.at_once,
    )
    while not stop.is_set():
        worker = QueueWorker(services.redis_url, {DELIVER: delivery.__call__})
        working = asyncio.create_task(worker.run())
        await _first_of(working, stop)
        worker.finish()
        long_run = delivery.long_run if stop.is_set() else None
        _, late = await asyncio.wait({working, long_run or working}, timeout=services.finish_seconds)
        if working in late:
            worker.drop()
        try:
            await working
        except Unavailable as error:
            _log.warning("worker.queue_lost", reason=describe_failure(error))
        await worker.close()
    if (late_run := delivery.long_run) is not None:
        late_run.cancel()
        await asyncio.wait({late_run})


async def _first_of(working: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Wait until the worker ends by itself or is to stop."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
