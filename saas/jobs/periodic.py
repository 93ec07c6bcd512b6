"""Periodic jobs: each runs on one worker at a time, and a run missed while all were down is made up for.

When a job is next due stands in PostgreSQL. A worker claims a due job for as long as it may run, so a worker that
dies holds it up for no longer than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from saas.jobs.rules import describe_failure, next_run_at
from saas.kernel import Clock, Unavailable
from tenants import Database, DatabaseRole

_log = structlog.get_logger()
_LONGEST_NAP_SECONDS = 5.0

_MAY_RUN = """
SELECT NOT EXISTS (SELECT FROM platform.periodic_job WHERE name = $1 AND (due_at > $2 OR claimed_until > $2))
"""
_CLAIM = """
INSERT INTO platform.periodic_job AS job (name, due_at, claimed_until, started_at) VALUES ($1, $2, $3, $2)
ON CONFLICT (name) DO UPDATE SET claimed_until = $3, started_at = $2
WHERE job.due_at <= $2 AND (job.claimed_until IS NULL OR job.claimed_until <= $2)
"""
_GIVE_BACK = "UPDATE platform.periodic_job SET claimed_until = NULL WHERE name = $1 AND claimed_until = $2"
_FINISH = """
UPDATE platform.periodic_job SET due_at = $3, claimed_until = NULL, finished_at = $4, last_error = $5
WHERE name = $1 AND claimed_until = $2
"""


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """Work of the whole installation, done `every` so often, on a grid that begins at midnight UTC for whole days.

    `run` must bear being run again after it was cut off, and ends within `longest`. It opens its own transactions,
    one per tenant and chunk.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]
    longest: timedelta = timedelta(minutes=5)


class Scheduler:
    """Runs the periodic jobs that are due; any number of schedulers share the work."""

    def __init__(self, database: Database, jobs: Sequence[PeriodicJob], *, clock: Clock) -> None:
        names = [job.name for job in jobs]
        if len(set(names)) < len(names):
            raise ValueError(f"Two periodic jobs have one name, among: {', '.join(sorted(names))}.")
        self._database, self._jobs, self._clock = database, tuple(jobs), clock

    async def run(self) -> None:
        """Look after each job by itself, until cancelled: a slow one holds up no other."""
        async with asyncio.TaskGroup() as group:
            for job in self._jobs:
                group.create_task(self._look_after(job))

    async def run_due(self) -> list[str]:
        """Run what is due now, one after the other; the names of what was run here."""
        return [job.name for job in self._jobs if await self.run_if_due(job)]

    async def run_if_due(self, job: PeriodicJob) -> bool:
        """Run `job` if it is due and no other worker runs it; whether it was run. Its failure is written down."""
        claimed_until = await self._claim(job)
        if claimed_until is None:
            return False
        failure: str | None = None
        try:
            async with asyncio.timeout(job.longest.total_seconds()):
                await job.run()
        except asyncio.CancelledError:  # this worker stops: the next must not wait until the claim runs out
            await asyncio.shield(self._give_back(job, claimed_until))
            raise
        except Exception as error:  # one job must not end the others; the failure stands in its row and in the log
            failure = describe_failure(error)
            _log.warning("jobs.periodic_failed", job=job.name, reason=failure)
        await self._finish(job, claimed_until, failure)
        return True

    async def _look_after(self, job: PeriodicJob) -> None:
        nap = min(job.every.total_seconds() / 2, _LONGEST_NAP_SECONDS)
        while True:
            try:
                await self.run_if_due(job)
            except (Unavailable, OSError) as error:
                _log.warning("jobs.scheduler_interrupted", job=job.name, reason=describe_failure(error))
            await asyncio.sleep(nap)

    async def _claim(self, job: PeriodicJob) -> datetime | None:
        now = self._clock.now()
        claimed_until = now + job.longest + timedelta(seconds=5)
        # Across tenants: when the installation's own jobs run is no company's data.
        async with self._database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
            if not await transaction.fetchval(_MAY_RUN, job.name, now):
                return None
            claimed = await transaction.execute(_CLAIM, job.name, now, claimed_until)
        return claimed_until if claimed else None

    async def _give_back(self, job: PeriodicJob, claimed_until: datetime) -> None:
        async with self._database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
            await transaction.execute(_GIVE_BACK, job.name, claimed_until)

    async def _finish(self, job: PeriodicJob, claimed_until: datetime, failure: str | None) -> None:
        now = self._clock.now()
        due_at = next_run_at(now, every=job.every)
        async with self._database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
            await transaction.execute(_FINISH, job.name, claimed_until, due_at, now, failure)
