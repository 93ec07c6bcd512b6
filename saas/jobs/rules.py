"""When to try again, when to run next, and what to write down of a failure: pure functions."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from saas.kernel import AppError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a failing job is repeated.

    `lease` is how long a sent job may go without being begun or finished before it is sent again; `run_for` bounds
    one run and is shorter, so that a run that hangs ends itself. The wait after the n-th failure is
    `first_wait` × 4^(n-1), at most `longest_wait`; after `max_attempts` runs the job is dead. The defaults spread
    eight attempts over about three and a half hours.
    """

    lease: timedelta = timedelta(seconds=60)
    run_for: timedelta = timedelta(seconds=50)
    first_wait: timedelta = timedelta(seconds=5)
    longest_wait: timedelta = timedelta(hours=1)
    max_attempts: int = 8

    def __post_init__(self) -> None:
        if self.run_for >= self.lease:
            raise ValueError(f"A run of {self.run_for} would outlast its lease of {self.lease}: make it shorter.")

    def wait_after(self, attempt: int) -> timedelta:
        """The wait between the failure of the `attempt`-th run (from 1) and the next run."""
        wait = self.first_wait
        for _ in range(attempt - 1):
            if wait >= self.longest_wait:
                break
            wait *= 4
        return min(wait, self.longest_wait)


def next_run_at(now: datetime, *, every: timedelta) -> datetime:
    """The first instant after `now` on the grid of `every` that begins at 1970-01-01 UTC.

    Runs that were missed are not repeated one by one: the run at the start of a worker makes up for all of them.
    """
    return _EPOCH + ((now - _EPOCH) // every + 1) * every


def describe_failure(error: BaseException) -> str:
    """What went wrong and where, without the values: messages of databases and libraries quote personal data."""
    kind = type(error).__name__
    what = f"{kind} {error.key}" if isinstance(error, AppError) else kind
    frames = traceback.extract_tb(error.__traceback__)
    return f"{what} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else what
