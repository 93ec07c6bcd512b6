"""A night of recycling in a process of its own: `python -m saas.bench.pool_process` tells its seconds and memory."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import asdict
from time import perf_counter, process_time

import orjson

from saas.backing import backing
from saas.bench.errors import BenchError
from saas.bench.machine import PostgresProcesses, peak_bytes, resident_bytes, spent
from saas.bench.pool_data import CLOCK, TENANT, ZONE
from saas.bench.pool_floor import NightSample
from saas.config import read_settings
from saas.customers import RecyclingRun
from saas.main import installed_product, opened
from saas.sales import find_activity
from tenants import Database


async def measured() -> NightSample:
    """Open the product that the environment names, and measure a night in it."""
    settings, product = read_settings(os.environ), installed_product()
    async with backing(settings) as servers, opened(product, settings, servers, clock=CLOCK) as installation:
        return await measured_in(installation.database, servers.owner_url)


async def measured_in(database: Database, owner_url: str) -> NightSample:
    """The nightly job once, as the worker runs it.

    :raises BenchError: a customer failed.
    """
    async with database.transaction(TENANT), database.transaction(TENANT), database.transaction(TENANT):
        pass  # the connections are there, for processes that come later can't be compared
    memory = resident_bytes(os.getpid()) or 0
    async with PostgresProcesses(owner_url) as postgres:
        before, worked, began = await postgres.cpu(), process_time(), perf_counter()
        run = RecyclingRun(database, TENANT, time_zone=ZONE, activity=find_activity, clock=CLOCK)
        report = await run.run()
        took, own = perf_counter() - began, process_time() - worked
        postgres_cpu = spent(before, await postgres.cpu())
    if report.failed:
        raise BenchError(f"{report.failed} customers failed, the first with: {report.failures[0][1]}")
    return NightSample(report.recycled, took, own, postgres_cpu, memory, peak_bytes(os.getpid()) or 0)


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(asdict(asyncio.run(measured()))).decode())
