"""One worker in a process of its own: `python -m saas.bench.payroll_process` works as `saas work` does.

It says when it is ready, works until its input is closed, and then prints its memory.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import orjson
import structlog

from saas.backing import backing
from saas.bench.machine import peak_bytes, resident_bytes
from saas.config import read_settings
from saas.main import installed_product, opened, worker_services
from saas.worker import run_worker

READY = b"ready\n"


async def worked() -> dict[str, int]:
    """Work until nobody holds the other end of the input; the memory in use at the beginning and at the peak."""
    settings, product = read_settings(os.environ), installed_product()
    async with backing(settings) as servers, opened(product, settings, servers) as installation:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(run_worker(worker_services(installation), stop=stop))
            before = resident_bytes(os.getpid()) or 0
            sys.stdout.buffer.write(READY)
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)
            stop.set()
    return {"memory_before": before, "memory_peak": peak_bytes(os.getpid()) or 0}


if __name__ == "__main__":
    structlog.configure(  # the output is for figures
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    sys.stdout.buffer.write(orjson.dumps(asyncio.run(worked())))
