"""The queue that hands jobs to workers: a port, and arq behind it.

The queue is a messenger and never the record: whatever it loses is sent again from PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, Protocol

import orjson
import structlog
from arq.connections import ArqRedis
from arq.worker import Function, Worker, func
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from saas.kernel import Scalar, Unavailable

QUEUE_NAME = "fairlead:jobs"
HEALTH_KEY = f"{QUEUE_NAME}:health-check"
HEALTH_EVERY_SECONDS = 15
JOB_TIMEOUT_SECONDS = 60
_MAX_JOBS = 100
_POLL_SECONDS = 0.01
_KEEP_QUEUED_MS = 30 * 24 * 3600 * 1000
"""Past this arq drops a waiting job; the relay would send it again, but only after noise about a failure."""
_MANY_TRIES = 1_000_000
"""For arq each stop of a worker is a try. Giving up is decided in PostgreSQL, by what a job itself did."""

_log = structlog.get_logger()

JobFunction = Callable[..., Awaitable[None]]


class JobQueue(Protocol):
    """Sends a job to whichever worker is free."""

    async def enqueue(self, job_name: str, *args: Scalar, job_id: str, defer: timedelta = timedelta(0)) -> None:
        """Queue ``job_name(*args)``, to run after `defer`; while one of that `job_id` waits or runs, do nothing.

        :raises Unavailable: the queue can't be reached.
        """
        ...


class ArqQueue:
    """`JobQueue` on Redis. It gives up within two seconds when Redis is away: its callers come back by themselves."""

    def __init__(self, redis_url: str) -> None:
        self._redis = _connect(redis_url, retries=1)

    async def enqueue(self, job_name: str, *args: Scalar, job_id: str, defer: timedelta = timedelta(0)) -> None:
        try:
            await self._redis.enqueue_job(job_name, *args, _job_id=job_id, _queue_name=QUEUE_NAME, _defer_by=defer)
        except (RedisError, OSError) as error:
            raise Unavailable("jobs.queue_unreachable", {"reason": type(error).__name__}) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


class QueueWorker:
    """Runs jobs from the queue, by their names; whoever starts it handles the signals.

    It rides out a Redis that restarts; one that stays away for about half a minute ends it.
    """

    def __init__(self, redis_url: str, functions: Mapping[str, JobFunction]) -> None:
        self._arq = Worker(
            [_as_function(name, function) for name, function in functions.items()],
            redis_pool=_connect(redis_url, retries=12),
            queue_name=QUEUE_NAME,
            health_check_key=HEALTH_KEY,
            health_check_interval=HEALTH_EVERY_SECONDS,
            handle_signals=False,
            max_jobs=_MAX_JOBS,
            job_timeout=JOB_TIMEOUT_SECONDS,
            keep_result=0,
            poll_delay=_POLL_SECONDS,
            max_tries=_MANY_TRIES,
            job_serializer=orjson.dumps,
            job_deserializer=orjson.loads,
            expires_extra_ms=_KEEP_QUEUED_MS,
            timezone=UTC,
            log_results=False,
        )

    async def run(self) -> None:
        """Run jobs until `finish`, and then until the last one has ended.

        :raises Unavailable: Redis was away for too long; what ran is lost to the queue, not to PostgreSQL.
        """
        try:
            await self._arq.async_run()
        except (RedisError, OSError) as error:
            raise Unavailable("jobs.queue_unreachable", {"reason": type(error).__name__}) from error

    def finish(self) -> None:
        """Take no more jobs, so that `run` ends with the last that runs.

        In arq's words: a burst that has had its number of jobs. Cancelling its loop instead would tear a Redis
        conversation apart in the middle.
        """
        self._arq.allow_pick_jobs = False
        self._arq.burst, self._arq.max_burst_jobs = True, 0

    def drop(self) -> None:
        """Cancel the jobs that run; each is begun anew when its lease ends."""
        for task in self._arq.tasks.values():
            task.cancel()

    async def close(self) -> None:
        """Take the health report back and close the connections; call it when `run` has ended."""
        try:
            await self._arq.pool.delete(HEALTH_KEY)
        except (RedisError, OSError) as error:
            _log.warning("jobs.health_report_left", reason=type(error).__name__)
        await self._arq.pool.aclose()


async def check_health(redis_url: str) -> bool:
    """Whether a worker of this queue reported itself within the last 16 seconds; False too when Redis is away."""
    redis = _connect(redis_url, retries=0)
    try:
        return bool(await redis.exists(HEALTH_KEY))
    except (RedisError, OSError):
        return False
    finally:
        await redis.aclose()


def _connect(redis_url: str, *, retries: int) -> ArqRedis:
    client: ArqRedis = ArqRedis.from_url(
        redis_url,
        socket_connect_timeout=1,
        socket_timeout=5,
        retry=Retry(ExponentialBackoff(cap=4, base=0.05), retries),
        retry_on_error=[RedisConnectionError, RedisTimeoutError, OSError],
    )
    client.job_serializer = orjson.dumps
    client.job_deserializer = orjson.loads
    client.default_queue_name = QUEUE_NAME
    client.expires_extra_ms = _KEEP_QUEUED_MS
    return client


def _as_function(name: str, function: JobFunction) -> Function:
    async def run(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:
        await function(*args, **kwargs)

    return func(run, name=name)
