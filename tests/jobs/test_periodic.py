"""Periodic jobs: one worker at a time, missed runs made up for, failures apart."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from saas.jobs import PeriodicJob, Scheduler
from saas.kernel import FrozenClock
from tenants import Database, DatabaseRole

HOUR = timedelta(hours=1)


class Work:
    """Counts its runs; may be told to fail or to linger."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> None:
        self.runs += 1
        self.begun.set()
        await self.may_end.wait()

    async def fail(self) -> None:
        self.runs += 1
        raise RuntimeError("13800138000")


async def state(database: Database, name: str) -> dict[str, object]:
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        row = await transaction.fetchrow("SELECT * FROM platform.periodic_job WHERE name = $1", name)
    assert row is not None
    return dict(row)


async def test_job_runs_at_first_start_then_on_its_grid(database: Database, clock: FrozenClock) -> None:
    work = Work()
    scheduler = Scheduler(database, [PeriodicJob("testing.hourly", HOUR, work)], clock=clock)
    clock.advance(timedelta(minutes=20))
    assert await scheduler.run_due() == ["testing.hourly"]
    assert await scheduler.run_due() == []
    assert (await state(database, "testing.hourly"))["due_at"] == datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    clock.advance(timedelta(minutes=40))
    assert await scheduler.run_due() == ["testing.hourly"]
    assert work.runs == 2


async def test_runs_missed_while_all_were_down_are_made_up_for_by_one(database: Database, clock: FrozenClock) -> None:
    work = Work()
    jobs = [PeriodicJob("testing.hourly", HOUR, work)]
    await Scheduler(database, jobs, clock=clock).run_due()
    clock.advance(timedelta(days=3, minutes=7))
    restarted = Scheduler(database, jobs, clock=clock)
    assert await restarted.run_due() == ["testing.hourly"]
    assert await restarted.run_due() == []
    assert (await state(database, "testing.hourly"))["due_at"] == datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


async def test_of_ten_schedulers_one_runs_the_job(database: Database, clock: FrozenClock) -> None:
    work = Work()
    jobs = [PeriodicJob("testing.hourly", HOUR, work)]
    ran = await asyncio.gather(*(Scheduler(database, jobs, clock=clock).run_due() for _ in range(10)))
    assert sorted(ran) == [*([[]] * 9), ["testing.hourly"]]
    assert work.runs == 1


async def test_job_of_a_dead_worker_is_taken_over_when_its_claim_ends(database: Database, clock: FrozenClock) -> None:
    work = Work()
    work.may_end.clear()
    jobs = [PeriodicJob("testing.hourly", HOUR, work, longest=timedelta(minutes=2))]
    doomed = asyncio.create_task(Scheduler(database, jobs, clock=clock).run_due())
    await work.begun.wait()
    doomed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doomed
    work.may_end.set()
    successor = Scheduler(database, jobs, clock=clock)
    clock.advance(timedelta(minutes=2))
    assert await successor.run_due() == []
    clock.advance(timedelta(seconds=5))
    assert await successor.run_due() == ["testing.hourly"]


async def test_failing_job_is_written_down_and_others_run(database: Database, clock: FrozenClock) -> None:
    bad, good = Work(), Work()
    jobs = [PeriodicJob("testing.bad", HOUR, bad.fail), PeriodicJob("testing.good", HOUR, good)]
    assert await Scheduler(database, jobs, clock=clock).run_due() == ["testing.bad", "testing.good"]
    failed = await state(database, "testing.bad")
    assert str(failed["last_error"]).startswith("RuntimeError at test_periodic.py:")
    assert failed["due_at"] == datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    assert (await state(database, "testing.good"))["last_error"] is None


async def test_job_that_takes_too_long_is_cut_off(database: Database, clock: FrozenClock) -> None:
    work = Work()
    work.may_end.clear()
    jobs = [PeriodicJob("testing.stuck", HOUR, work, longest=timedelta(milliseconds=50))]
    assert await Scheduler(database, jobs, clock=clock).run_due() == ["testing.stuck"]
    assert str((await state(database, "testing.stuck"))["last_error"]).startswith("TimeoutError")


def test_two_jobs_of_one_name_are_refused(database: Database, clock: FrozenClock) -> None:
    work = Work()
    with pytest.raises(ValueError, match=r"testing\.twice"):
        Scheduler(database, [PeriodicJob("testing.twice", HOUR, work)] * 2, clock=clock)


async def test_worker_that_stops_inside_a_job_gives_it_back(database: Database, clock: FrozenClock) -> None:
    lingering, work = Work(), Work()
    lingering.may_end.clear()
    stopped = Scheduler(database, [PeriodicJob("testing.hourly", HOUR, lingering)], clock=clock)
    running = asyncio.create_task(stopped.run_due())
    await lingering.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await state(database, "testing.hourly"))["claimed_until"] is None
    assert await Scheduler(database, [PeriodicJob("testing.hourly", HOUR, work)], clock=clock).run_due() == [
        "testing.hourly"
    ]
    assert work.runs == 1
