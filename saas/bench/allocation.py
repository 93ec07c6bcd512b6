"""`saas bench allocation`: all customers of a pool given to its reps, by each method, beside the bare loop and bulk.

The product plans and commits as it always does: roster, filters, method, picks, locks, ownerships, ledger, trail,
events, and for a draw its commitment and certificate, under row-level security. Each allocation runs in a process of
its own, which tells its peak of memory; before each, the pool is put back.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from saas.backing import Backing, backing
from saas.bench.allocation_data import hire, put_back
from saas.bench.allocation_floor import measure_floor
from saas.bench.errors import BenchError
from saas.bench.machine import describe_machine
from saas.config import Settings
from saas.customers import Method
from saas.main import bring_up_to_date, installed_product

Progress = Callable[[str], None]
FLOOR = "floor"
CONTENDERS = (FLOOR, *(method.value for method in Method))


@dataclass(frozen=True, slots=True)
class AllocationSample:
    """One allocation by one contender: seconds of its parts, and bytes of memory (0 of the floor)."""

    contender: str
    round: int
    customers: int
    plan_seconds: float
    commit_seconds: float
    memory_before: int = 0
    memory_peak: int = 0

    @property
    def per_second(self) -> float:
        """Customers planned and given in a second."""
        return self.customers / (self.plan_seconds + self.commit_seconds)


@dataclass(frozen=True, slots=True)
class AllocationFigures:
    """All samples: `timed` of the large size over the rounds, `small` a tenth of it, once a method, for memory."""

    timed: tuple[AllocationSample, ...]
    small: tuple[AllocationSample, ...]

    def of(self, contender: str) -> list[AllocationSample]:
        """A contender's samples of the large size, by round."""
        return [each for each in self.timed if each.contender == contender]

    def ratio(self, contender: str) -> float:
        """Its speed as a multiple of the floor's: taken within a round, the median over the rounds."""
        pairs = zip(self.of(contender), self.of(FLOOR), strict=True)
        return median(each.per_second / floor.per_second for each, floor in pairs)


async def bench_allocation(
    *,
    data: Path,
    customers: int = 100_000,
    reps: int = 500,
    rounds: int = 3,
    report: Progress,
    database_url: str = "",
) -> AllocationFigures:
    """Give `customers` to `reps` by each method and by the floor, in turns; and a tenth of them, for the memory.

    Servers live in a folder of their own below `data`, or in the empty database that `database_url` names.

    :raises BenchError: an allocation did not give every customer.
    """
    settings = Settings(data=data / "bench" / "allocation", database_url=database_url)
    async with backing(settings, progress=report) as servers:
        await bring_up_to_date(installed_product(), servers)
        await hire(servers.owner_url, reps=reps)
        bench = _Bench(servers, settings.data, report)
        small = [await bench.measure(each, 0, customers // 10) for each in CONTENDERS if each != FLOOR]
        timed = []
        for number in range(rounds):
            begin = number % len(CONTENDERS)
            in_turn = sorted(CONTENDERS, key=lambda each: (CONTENDERS.index(each) - begin) % len(CONTENDERS))
            timed += [await bench.measure(each, number, customers) for each in in_turn]
        report(f"Measured on {describe_machine()}")
    return AllocationFigures(tuple(timed), tuple(small))


@dataclass(frozen=True, slots=True)
class _Bench:
    servers: Backing
    data: Path
    report: Progress

    async def measure(self, contender: str, number: int, customers: int) -> AllocationSample:
        await put_back(self.servers.owner_url, customers=customers)
        if contender == FLOOR:
            floor = await measure_floor(self.servers.owner_url, customers=customers)
            sample = AllocationSample(contender, number, customers, floor.plan_seconds, floor.commit_seconds)
        else:
            sample = AllocationSample(contender, number, customers, **await self._allocated(contender, customers))
        self.report(
            f"round {number + 1} {contender:<13} {customers:>7,}: plan {sample.plan_seconds:.2f} s,"
            f" commit {sample.commit_seconds:.2f} s"
        )
        return sample

    async def _allocated(self, method: str, customers: int) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "saas.bench.allocation_process",
            method,
            str(customers),
            env={**os.environ, **self._environment()},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        if process.returncode != 0:
            raise BenchError(
                f"The allocation by {method} ended with status {process.returncode}; see its reason above."
            )
        found: dict[str, Any] = orjson.loads(out)
        if found.pop("customers_given") != customers:
            raise BenchError(f"The allocation by {method} left customers in the pool; its speed counts only for all.")
        return found

    def _environment(self) -> Mapping[str, str]:
        return {
            "SAAS_DATA": str(self.data),
            "DATABASE_URL": self.servers.owner_url,
            "DATABASE_APP_URL": self.servers.database.app,
            "DATABASE_PLATFORM_URL": self.servers.database.platform,
            "DATABASE_RELAY_URL": self.servers.relay_url,
            "REDIS_URL": self.servers.redis_url,
        }


def as_table(figures: AllocationFigures) -> str:
    """The figures as tables of docs/benchmarks.md: speed beside the floor, then memory at both sizes."""
    return "\n".join([*_speeds(figures), "", *_memory(figures)])


def _speeds(figures: AllocationFigures) -> Iterator[str]:
    yield "| method | plan s | commit s | customers/s | × floor |"
    yield "| --- | --- | --- | --- | --- |"
    for contender in CONTENDERS:
        samples = figures.of(contender)
        plan, commit = median(each.plan_seconds for each in samples), median(each.commit_seconds for each in samples)
        speed = median(each.per_second for each in samples)
        yield f"| {contender} | {plan:.2f} | {commit:.2f} | {speed:,.0f} | {figures.ratio(contender):.2f} |"


def _memory(figures: AllocationFigures) -> Iterator[str]:
    """Peaks, and by how much each grows from the small size to the large one."""
    sizes = [f"{samples[0].customers:,}" for samples in (figures.small, figures.timed)]
    yield f"| method | before MiB | peak MiB at {sizes[0]} | peak MiB at {sizes[1]} | bytes a customer |"
    yield "| --- | --- | --- | --- | --- |"
    for small in figures.small:
        large = figures.of(small.contender)
        peak = median(each.memory_peak for each in large)
        more = (peak - small.memory_peak) / (large[0].customers - small.customers)
        held = " | ".join(f"{each / 2**20:.0f}" for each in (small.memory_before, small.memory_peak, peak))
        yield f"| {small.contender} | {held} | {more:,.0f} |"
