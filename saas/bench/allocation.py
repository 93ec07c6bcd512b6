"""`saas bench allocation`: all customers of a pool given to its reps, by each method, beside the bare loop and bulk.

The product plans and commits as it always does: roster, filters, method, picks, locks, ownerships, ledger, trail,
events, and for a draw its commitment and certificate, under row-level security. Each allocation runs in a process of
its own, which tells its peak of memory; before each, the pool is put back.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
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
METHODS = tuple(method.value for method in Method if method is not Method.PLUGIN)
"""All of the product's own; of a plugin's method it would measure the plugin."""


@dataclass(frozen=True, slots=True)
class AllocationSample:
    """One allocation by one contender: seconds of its parts, and bytes of memory (0 of the floor)."""

    contender: str
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
class Pair:
    """An allocation by a method, and the floor on the same rows a moment before."""

    floor: AllocationSample
    product: AllocationSample

    @property
    def ratio(self) -> float:
        """The product's speed as a multiple of the floor's."""
        return self.product.per_second / self.floor.per_second


@dataclass(frozen=True, slots=True)
class AllocationFigures:
    """All samples: pairs of the large size over the rounds, and `small`, a tenth of it, once a method, for memory."""

    pairs: tuple[Pair, ...]
    small: tuple[AllocationSample, ...]

    def of(self, method: str) -> list[Pair]:
        """A method's pairs, by round."""
        return [each for each in self.pairs if each.product.contender == method]


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
        small = []
        for method in METHODS:
            await put_back(servers.owner_url, customers=customers // 10)
            small.append(await bench.allocate(method, customers // 10))
        pairs = [await bench.pair(method, customers) for _ in range(rounds) for method in METHODS]
        report(f"Measured on {describe_machine()}")
    return AllocationFigures(tuple(pairs), tuple(small))


@dataclass(frozen=True, slots=True)
class _Bench:
    servers: Backing
    data: Path
    report: Progress

    async def pair(self, method: str, customers: int) -> Pair:
        """The floor, which copies the pool for itself, then the method: the machine's moods are the same for both."""
        await put_back(self.servers.owner_url, customers=customers)
        return Pair(await self.floor(customers), await self.allocate(method, customers))

    async def floor(self, customers: int) -> AllocationSample:
        found = await measure_floor(self.servers.owner_url, customers=customers)
        return self._told(AllocationSample(FLOOR, customers, found.plan_seconds, found.commit_seconds))

    async def allocate(self, method: str, customers: int) -> AllocationSample:
        return self._told(AllocationSample(method, customers, **await self._allocated(method, customers)))

    def _told(self, sample: AllocationSample) -> AllocationSample:
        self.report(
            f"{sample.contender:<13} {sample.customers:>7,}: plan {sample.plan_seconds:.2f} s,"
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
    yield f"| {FLOOR} | {_medians([each.floor for each in figures.pairs])} | 1.00 |"
    for method in METHODS:
        pairs = figures.of(method)
        ratio = median(each.ratio for each in pairs)
        yield f"| {method} | {_medians([each.product for each in pairs])} | {ratio:.2f} |"


def _medians(samples: Sequence[AllocationSample]) -> str:
    plan, commit = median(each.plan_seconds for each in samples), median(each.commit_seconds for each in samples)
    return f"{plan:.2f} | {commit:.2f} | {median(each.per_second for each in samples):,.0f}"


def _memory(figures: AllocationFigures) -> Iterator[str]:
    """Peaks, and by how much each grows from the small size to the large one."""
    few, many = figures.small[0].customers, figures.pairs[0].product.customers
    yield f"| method | before MiB | peak MiB at {few:,} | peak MiB at {many:,} | bytes a customer |"
    yield "| --- | --- | --- | --- | --- |"
    for small in figures.small:
        peak = median(each.product.memory_peak for each in figures.of(small.contender))
        more = (peak - small.memory_peak) / (many - few)
        held = " | ".join(f"{each / 2**20:.0f}" for each in (small.memory_before, small.memory_peak, peak))
        yield f"| {small.contender} | {held} | {more:,.0f} |"
