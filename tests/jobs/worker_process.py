"""A worker process to be killed.

Run with "hang" (it gets stuck in the middle of its first job) or "work", and the URLs of application, platform and
relay role, and of Valkey.
"""

from __future__ import annotations

import asyncio
import sys

from saas.events import Event
from saas.jobs import RedisBell
from saas.kernel import SystemClock
from saas.worker import WorkerServices, run_worker, stop_on_signals
from tenants import Database, DatabaseUrls
from tests.jobs.cast import QUICK, Cast


async def main(mode: str, app: str, platform: str, relay: str, redis: str) -> None:
    cast = Cast(before=_hang if mode == "hang" else None)
    services = WorkerServices(
        database=Database(DatabaseUrls(app=app, platform=platform)),
        relay_url=relay,
        redis_url=redis,
        bell=RedisBell(redis),
        clock=SystemClock(),
        handlers=cast.handlers(),
        retry=QUICK,
    )
    await run_worker(services, stop=stop_on_signals())


async def _hang(event: Event) -> None:
    print(f"in the middle of {event.id}", flush=True)  # noqa: T201 (the test reads it)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
