"""Background work: the arq queue behind a port, the relay's bell, retries, periodic jobs, and outgoing mail.

PostgreSQL holds the truth; losing Redis loses nothing.
"""

from saas.jobs.bell import Bell, CompanyBell, RedisBell, RedisCompanyBell, SilentBell
from saas.jobs.mail import Mail, MailFolder, Postbox
from saas.jobs.periodic import PeriodicJob, Scheduler
from saas.jobs.queue import ArqQueue, JobFunction, JobQueue, QueueWorker, check_health
from saas.jobs.rules import RetryPolicy, describe_failure, next_run_at

__all__ = [
    "ArqQueue",
    "Bell",
    "CompanyBell",
    "JobFunction",
    "JobQueue",
    "Mail",
    "MailFolder",
    "PeriodicJob",
    "Postbox",
    "QueueWorker",
    "RedisBell",
    "RedisCompanyBell",
    "RetryPolicy",
    "Scheduler",
    "SilentBell",
    "check_health",
    "describe_failure",
    "next_run_at",
]
