"""The budget of points: a token bucket per caller, held in Redis and leased to each process a piece at a time.

A process spends from its lease without asking; only an empty lease costs a trip. Without Redis, or while it does not
answer, each process keeps a bucket of its own: a limit is then looser by the number of processes, and no request
fails for it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from saas.graphql.limits import Limits

_TAKE = """
local now = redis.call('TIME')
local at = now[1] + now[2] / 1000000
local size, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local least, most = tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'points', 'at')
local points = tonumber(held[1]) or size
points = math.min(size, points + math.max(0, at - (tonumber(held[2]) or at)) * rate)
local given = 0
if points >= least then given = math.min(points, most) end
redis.call('HSET', KEYS[1], 'points', points - given, 'at', at)
redis.call('EXPIRE', KEYS[1], math.ceil(size / rate) + 60)
return {tostring(given), tostring(points - given)}
"""

_LEASE_SHARE = 20
_PATIENCE_SECONDS = 0.1
_PAUSE_SECONDS = 2.0


@dataclass(slots=True)
class Bucket:
    """Points that this process may spend for one caller; `remote` are those left in Redis at the last trip."""

    points: float
    at: float
    remote: float


class Charge(NamedTuple):
    """What came of asking for points; `retry_after` is in whole seconds, 0 when granted."""

    granted: bool
    available: int
    retry_after: int = 0


class Budget:
    """The buckets of one process. `monotonic` gives seconds."""

    def __init__(
        self, limits: Limits, redis: Any, *, monotonic: Callable[[], float] = time.monotonic, callers: int = 20_000
    ) -> None:
        self._limits = limits
        self._redis = redis
        self._monotonic = monotonic
        self._callers = callers
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lease = max(1, limits.bucket // _LEASE_SHARE)
        self._redis_again_at = 0.0

    async def take(self, caller: str, points: int) -> Charge:
        """Spend `points` of the caller's budget, if they are there."""
        bucket = self._bucket(caller)
        if self._redis is None or self._monotonic() < self._redis_again_at:
            return self._take_locally(bucket, points)
        if bucket.points < points and not await self._extend(caller, bucket, points):
            return self._take_locally(bucket, points)
        return self._spend(bucket, points)

    def _bucket(self, caller: str) -> Bucket:
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = Bucket(0.0, self._monotonic(), float(self._limits.bucket))
            self._buckets[caller] = bucket
            if len(self._buckets) > self._callers:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(caller)
        return bucket

    def _take_locally(self, bucket: Bucket, points: int) -> Charge:
        now = self._monotonic()
        restored = max(0.0, now - bucket.at) * self._limits.restore_rate
        bucket.points = min(float(self._limits.bucket), bucket.points + bucket.remote + restored)
        bucket.at, bucket.remote = now, 0.0
        return self._spend(bucket, points)

    def _spend(self, bucket: Bucket, points: int) -> Charge:
        if bucket.points >= points:
            bucket.points -= points
            return Charge(True, int(bucket.points + bucket.remote))
        available = bucket.points + bucket.remote
        wait = math.ceil((points - available) / self._limits.restore_rate)
        return Charge(False, int(available), max(1, wait))

    async def _extend(self, caller: str, bucket: Bucket, points: int) -> bool:
        """Lease more points from Redis; False when it does not answer."""
        with _cancellation_kept():
            return await self._leased(caller, bucket, points)

    async def _leased(self, caller: str, bucket: Bucket, points: int) -> bool:
        missing = math.ceil(points - bucket.points)
        most = max(missing, self._lease)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                given, remote = await self._redis.eval(
                    _TAKE, 1, f"cost:{caller}", self._limits.bucket, self._limits.restore_rate, missing, most
                )
        except (RedisError, OSError, TimeoutError):
            self._redis_again_at = self._monotonic() + _PAUSE_SECONDS
            return False
        bucket.points += float(given)
        bucket.remote = float(remote)
        return True


@contextmanager
def _cancellation_kept() -> Iterator[None]:
    """Whoever is cancelled within does not go on behind it.

    Before Python 3.12 `asyncio.wait_for`, through which redis-py sends, keeps a cancellation to itself that comes just
    as it is done: a request whose time is up, or whose client has hung up, would be carried out all the same.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    yield
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
