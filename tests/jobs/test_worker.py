"""The worker as a whole: relay, real Valkey, arq and PostgreSQL, with either side killed."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from redis.asyncio import Redis

from saas.events import Handlers, Relay, emit, ring_with
from saas.jobs import ArqQueue, PeriodicJob, RedisBell, SilentBell
from saas.kernel import SystemClock
from saas.worker import WorkerServices, check_health, run_worker
from tenants import Database, DatabaseRole
from tenants.pool import ConnectionPool
from tests.jobs.cast import NOTED, QUICK, Cast, Valkey, notes, outbox_row


@asynccontextmanager
async def working(services: WorkerServices) -> AsyncIterator[None]:
    """A worker inside this process, stopped at the end as by SIGTERM."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_worker(services, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Look until it holds; the test's own limit is the time-out."""
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 (what is waited for stands in the database)
            await asyncio.sleep(0.02)


async def started(mode: str, *urls: str) -> asyncio.subprocess.Process:
    """A worker in a process of its own."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.jobs.worker_process", mode, *urls),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


async def emitted(database: Database, tenant_id: UUID, *texts: str) -> list[UUID]:
    async with database.transaction(tenant_id):
        return [await emit(NOTED, {"text": text}) for text in texts]


@pytest.fixture
async def services(
    database: Database, relay_url: str, valkey_server: Valkey, cast: Cast
) -> AsyncIterator[WorkerServices]:
    """The parts of a worker, its bell hung up for the test's own commits too."""
    bell = RedisBell(valkey_server.url)
    ring_with(bell)
    yield WorkerServices(
        database=database,
        relay_url=relay_url,
        redis_url=valkey_server.url,
        bell=bell,
        clock=SystemClock(),
        handlers=cast.handlers(),
        retry=QUICK,
    )
    ring_with(SilentBell())
    await bell.close()


async def test_events_run_once_each_and_worker_reports_its_health(
    database: Database, tenant_id: UUID, valkey: Valkey, services: WorkerServices, cast: Cast
) -> None:
    assert await check_health(valkey.url) is False
    texts = [f"{number:03}" for number in range(150)]
    async with working(services):
        await emitted(database, tenant_id, *texts)

        async def all_noted() -> bool:
            return len(await notes(database, tenant_id)) >= 150

        await until(all_noted)
        assert await check_health(valkey.url) is True
    assert sorted(str(run.payload["text"]) for run in cast.runs) == texts
    assert await check_health(valkey.url) is False


async def test_commit_rings_the_bell_and_rollback_does_not(
    database: Database, tenant_id: UUID, valkey: Valkey, services: WorkerServices
) -> None:
    ear = RedisBell(valkey.url)
    await ear.wait(0.01)  # from here on it listens
    await ear.wait(0.01)
    with pytest.raises(RuntimeError):
        async with database.transaction(tenant_id):
            await emit(NOTED, {"text": "never"})
            raise RuntimeError
    waiting = asyncio.create_task(ear.wait(60))
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    assert not done
    await emitted(database, tenant_id, "a")
    async with asyncio.timeout(5):
        await waiting
    await ear.close()


async def test_rings_of_one_moment_are_two_messages_and_none_is_lost(valkey: Valkey) -> None:
    redis, bell = Redis.from_url(valkey.url), RedisBell(valkey.url)
    async with redis.pubsub() as heard:
        await heard.subscribe("fairlead:relay")
        await bell.ring()
        while (await heard.get_message(timeout=5) or {}).get("type") != "message":
            pass
        for _ in range(20):
            await bell.ring()
        await bell.close()  # rings what is still to be rung
        assert (await heard.get_message(ignore_subscribe_messages=True, timeout=5) or {}).get("type") == "message"
        assert await heard.get_message(timeout=0) is None
    await redis.aclose()


async def test_events_survive_a_valkey_killed_and_emptied(
    database: Database, tenant_id: UUID, valkey: Valkey, services: WorkerServices, cast: Cast
) -> None:
    async with working(services):
        (first,) = await emitted(database, tenant_id, "before")

        async def first_done() -> bool:
            return (await outbox_row(database, tenant_id, first))["done_at"] is not None

        await until(first_done)
        valkey.kill()
        shutil.rmtree(valkey.folder)
        await emitted(database, tenant_id, "while it was away")
        valkey.start()

        async def both_noted() -> bool:
            return len(await notes(database, tenant_id)) == 2

        await until(both_noted)
    assert [run.payload["text"] for run in cast.runs] == ["before", "while it was away"]


async def test_message_lost_in_an_emptied_valkey_is_sent_again(
    database: Database, tenant_id: UUID, valkey: Valkey, services: WorkerServices, cast: Cast, relay_url: str
) -> None:
    await emitted(database, tenant_id, "sent, then lost")
    pool, queue = ConnectionPool(relay_url, size=1), ArqQueue(valkey.url)
    assert await Relay(pool, queue, retry=QUICK, clock=SystemClock()).send_due() == 1
    valkey.kill()
    shutil.rmtree(valkey.folder)
    valkey.start()
    await valkey.ready()
    async with working(services):

        async def noted() -> bool:
            return await notes(database, tenant_id) == ["sent, then lost/1"]

        await until(noted)
    await queue.close()
    await pool.close()


async def test_worker_killed_in_the_middle_leaves_the_event_to_another(
    database: Database,
    tenant_id: UUID,
    valkey: Valkey,
    services: WorkerServices,
    relay_url: str,
    app_and_platform: tuple[str, str],
) -> None:
    (event_id,) = await emitted(database, tenant_id, "cut off")
    process = await started("hang", *app_and_platform, relay_url, valkey.url)
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while b"in the middle" not in (line := await process.stdout.readline()):
            assert line, "the worker ended before it began"
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert await notes(database, tenant_id) == []
    async with working(services):

        async def done() -> bool:
            return (await outbox_row(database, tenant_id, event_id))["done_at"] is not None

        await until(done)
    assert await notes(database, tenant_id) == ["cut off/1"]
    assert (await outbox_row(database, tenant_id, event_id))["attempts"] == 2


async def test_worker_that_is_told_to_stop_finishes_what_it_runs(
    database: Database, tenant_id: UUID, valkey: Valkey, services: WorkerServices, cast: Cast
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def linger(_: object) -> None:
        begun.set()
        await may_end.wait()

    cast.before = linger
    stop = asyncio.Event()
    task = asyncio.create_task(run_worker(services, stop=stop))
    await emitted(database, tenant_id, "slow")
    async with asyncio.timeout(10):
        await begun.wait()
    stop.set()
    asyncio.get_running_loop().call_later(0.2, may_end.set)
    await task
    assert await notes(database, tenant_id) == ["slow/1"]


@pytest.mark.parametrize(("within", "ends_after", "noted"), [(10.0, 2.5, ["slow/1"]), (0.1, 0.5, [])])
async def test_worker_that_is_told_to_stop_waits_for_its_long_run_and_no_longer_than_it_may(
    database: Database,
    tenant_id: UUID,
    valkey: Valkey,
    services: WorkerServices,
    cast: Cast,
    within: float,
    ends_after: float,
    noted: list[str],
) -> None:
    """The first outlasts its lease of two seconds, and is not begun by another."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def linger(_: object) -> None:
        begun.set()
        await may_end.wait()

    cast.before = linger
    handlers = Handlers([NOTED])
    handlers.on(NOTED, name="testing.note", handler=cast.note, longest=timedelta(minutes=1))
    stop = asyncio.Event()
    services = replace(services, handlers=handlers, finish_seconds=within)
    task = asyncio.create_task(run_worker(services, stop=stop))
    (event_id,) = await emitted(database, tenant_id, "slow")
    async with asyncio.timeout(10):
        await begun.wait()
    stop.set()
    asyncio.get_running_loop().call_later(ends_after, may_end.set)
    await task
    assert await notes(database, tenant_id) == noted
    assert len(cast.runs) == 1
    row = await outbox_row(database, tenant_id, event_id)
    assert (row["done_at"] is not None, row["due_at"] is None) == (bool(noted), bool(noted))


async def test_worker_ends_though_a_cancellation_is_lost(services: WorkerServices, valkey: Valkey) -> None:
    """As `asyncio.wait_for` loses one that comes just as it is done, before Python 3.12."""
    listening, lost = asyncio.Event(), asyncio.Event()

    class Deaf(RedisBell):
        async def wait(self, seconds: float) -> None:
            try:
                listening.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost.is_set():
                    raise
                lost.set()

    async with asyncio.timeout(20):
        async with working(replace(services, bell=Deaf(valkey.url))):
            await listening.wait()
    assert lost.is_set()


async def test_worker_starts_before_valkey(
    database: Database, tenant_id: UUID, valkey_server: Valkey, services: WorkerServices
) -> None:
    await emitted(database, tenant_id, "early")
    async with working(services):
        valkey_server.start()

        async def noted() -> bool:
            return await notes(database, tenant_id) == ["early/1"]

        await until(noted)
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        assert await transaction.fetchval("SELECT count(*) FROM platform.periodic_job") == 0


async def test_worker_runs_periodic_jobs_again_and_again(
    database: Database, valkey: Valkey, services: WorkerServices
) -> None:
    runs: list[int] = []
    twice = asyncio.Event()

    async def run() -> None:
        runs.append(1)
        if len(runs) == 2:
            twice.set()

    async with working(replace(services, periodic=[PeriodicJob("testing.often", timedelta(seconds=0.2), run)])):
        async with asyncio.timeout(10):
            await twice.wait()
    assert len(runs) >= 2


@pytest.mark.drill
async def test_nothing_is_lost_or_done_twice_while_workers_and_valkey_are_killed(
    database: Database, tenant_id: UUID, valkey: Valkey, relay_url: str, app_and_platform: tuple[str, str]
) -> None:
    """Eight rounds: two workers and Valkey die at moments drawn by a fixed seed; each other time Valkey is emptied."""
    moments, urls = random.Random(20261123), (*app_and_platform, relay_url, valkey.url)
    events: list[UUID] = []
    for round_number in range(8):
        workers = [await started("work", *urls) for _ in range(2)]
        for batch in range(10):
            events += await emitted(database, tenant_id, *(f"{round_number}-{batch}-{n}" for n in range(20)))
            await asyncio.sleep(moments.uniform(0.05, 0.3))
        valkey.kill()
        if round_number % 2:
            shutil.rmtree(valkey.folder)
        valkey.start()
        await asyncio.sleep(moments.uniform(0, 1))
        for worker in workers:
            worker.kill()
            await worker.wait()
    survivor = await started("work", *urls)

    async def all_done() -> bool:
        async with database.transaction(tenant_id) as transaction:
            return bool(await transaction.fetchval("SELECT count(*) = 1600 FROM outbox WHERE done_at IS NOT NULL"))

    await until(all_done)
    survivor.terminate()
    assert await survivor.wait() == 0
    noted = [key.rpartition("/")[0] for key in await notes(database, tenant_id)]
    assert len(events) == len(noted) == len(set(noted)) == 1600
