"""Worker processes for `saas bench payroll`, started before a run and ended after it."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from saas.backing import Backing
from saas.bench.errors import BenchError
from saas.bench.machine import cpu_seconds
from saas.bench.payroll_process import READY

_MEMORY = ("memory_before", "memory_peak")


@dataclass(slots=True)
class Workers:
    """Processes that work; once they have ended, their memory is here."""

    processes: Sequence[Process]
    memory_before: int = 0
    memory_peak: int = 0

    def cpu_seconds(self) -> float | None:
        """Processor time of all of them so far; None where the system does not tell."""
        each = [cpu_seconds(process.pid) for process in self.processes]
        return None if None in each else sum(seconds for seconds in each if seconds is not None)

    def require_alive(self) -> None:
        """Refuse to wait for who has ended.

        :raises BenchError: a worker has ended.
        """
        for process in self.processes:
            if process.returncode is not None:
                raise BenchError(f"a worker ended with status {process.returncode}, its reason stands above")


@asynccontextmanager
async def working(servers: Backing, data: Path, *, workers: int) -> AsyncIterator[Workers]:
    """So many workers, ready when the block begins and ended behind it.

    :raises BenchError: one does not start, or does not end well.
    """
    team = Workers([await _started(servers, data) for _ in range(workers)])
    try:
        for process in team.processes:
            assert process.stdout is not None, "its output is a pipe"
            if await process.stdout.readline() != READY:
                raise BenchError("a worker did not start, its reason stands above")
        yield team
        told = [await _ended(process) for process in team.processes]
        team.memory_before, team.memory_peak = (max(each[key] for each in told) for key in _MEMORY)
    finally:
        for process in team.processes:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _started(servers: Backing, data: Path) -> Process:
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "SAAS_DATA": str(data),
        "DATABASE_APP_URL": servers.database.app,
        "DATABASE_PLATFORM_URL": servers.database.platform,
        "DATABASE_RELAY_URL": servers.relay_url,
        "REDIS_URL": servers.redis_url,
    }
    command = (sys.executable, "-m", "saas.bench.payroll_process")
    return await asyncio.create_subprocess_exec(*command, env=environment, stdin=PIPE, stdout=PIPE)


async def _ended(process: Process) -> Mapping[str, int]:
    out, _ = await process.communicate(b"")  # closes its input
    if process.returncode != 0:
        raise BenchError(f"a worker ended with status {process.returncode}, its reason stands above")
    told: Mapping[str, int] = orjson.loads(out)
    return told
