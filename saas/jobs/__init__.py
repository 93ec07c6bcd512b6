"""Background work: the arq queue behind a port, the relay's bell, retries, periodic jobs, and outgoing mail.

PostgreSQL holds the truth; losing Redis loses nothing.
"""

from saas.jobs.bell import Bell, RedisBell, SilentBell
from saas.jobs.queue import ArqQueue, JobFunction, JobQueue, check_health, queue_worker
from saas.jobs.rules import RetryPolicy, next_run_at

__all__ = [
    "ArqQueue",
    "Bell",
    "JobFunction",
    "JobQueue",
    "RedisBell",
    "RetryPolicy",
    "SilentBell",
    "check_health",
    "next_run_at",
    "queue_worker",
]
