"""`saas bench pool`: a night of recycling, a rush of claims and the verification of a draw, each beside its floor.

The nights: a company of so many customers, of which each hundredth is due; a tenth of it, for the memory; and one of
many more customers of which no more are due, for what those that are not due cost. Each night of the product is a
process of its own, right after its floors on the same rows; before each, what was due is put back.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from saas.backing import Backing, backing
from saas.bench.errors import BenchError
from saas.bench.machine import describe_machine
from saas.bench.pool_claims import ClaimSample, measure_claims
from saas.bench.pool_data import DUE_EVERY, add_owned, add_pooled, empty, found, put_back
from saas.bench.pool_draw import measure_verification
from saas.bench.pool_figures import Night, PoolFigures
from saas.bench.pool_floor import NightSample, measure_night
from saas.config import Settings
from saas.main import bring_up_to_date, installed_product
from tenants import Database

Progress = Callable[[str], None]
CLAIMANTS, CLAIMED = 50, 1_000
_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """How much is measured: customers of the company and of the large one, people, customers of a draw.

    `seconds` is the length of a rush of claims by one contender.
    """

    customers: int
    large: int
    reps: int
    drawn: int
    seconds: float


async def bench_pool(
    *, data: Path, sizes: PoolSizes, rounds: int = 3, report: Progress, database_url: str = ""
) -> PoolFigures:
    """Measure nights, claims and a verification, in rounds; the rows are gone afterwards.

    Servers live in a folder of their own below `data`, or in the empty database that `database_url` names.

    :raises BenchError: a night left customers, a claim had two winners, or a certificate does not fit.
    """
    settings, product = Settings(data=data / "bench" / "pool", database_url=database_url), installed_product()
    async with backing(settings, progress=report) as servers:
        await bring_up_to_date(product, servers)
        bench = _Bench(servers, settings.data, sizes, report)
        try:
            claims = await bench.claims(rounds)
            small, nights, large = await bench.nights(rounds)
        finally:
            await empty(servers.owner_url)
    report(f"Verifying a certificate of {sizes.drawn:,} customers")
    draw = await measure_verification(settings.data, customers=sizes.drawn, reps=sizes.reps)
    return PoolFigures(small, nights, large, claims, draw, describe_machine())


@dataclass(frozen=True, slots=True)
class _Bench:
    servers: Backing
    data: Path
    sizes: PoolSizes
    report: Progress

    async def claims(self, rounds: int) -> list[tuple[ClaimSample, ClaimSample]]:
        """Rushes of the bare statement and of the product, in turns."""
        self.report(f"{CLAIMANTS} people claim of {CLAIMED:,} customers")
        await found(self.servers.owner_url, reps=max(CLAIMANTS, self.sizes.reps))
        await add_pooled(self.servers.owner_url, customers=CLAIMED)
        return [(await self._rush(is_bare=True), await self._rush(is_bare=False)) for _ in range(rounds)]

    async def _rush(self, *, is_bare: bool) -> ClaimSample:
        database = Database(self.servers.database, size=_CONNECTIONS)
        try:
            return await measure_claims(
                database, self.servers.owner_url, is_bare=is_bare, reps=CLAIMANTS, seconds=self.sizes.seconds
            )
        finally:
            await database.close()

    async def nights(self, rounds: int) -> tuple[Night, list[Night], list[Night]]:
        """One of a tenth of the company, then of the whole in each round, then of the large one."""
        customers, large, owner_url = self.sizes.customers, self.sizes.large, self.servers.owner_url
        await found(owner_url, reps=self.sizes.reps)
        await self._add(0, customers // 10, due_until=customers // 10)
        small = await self._night(customers // 10)
        await found(owner_url, reps=self.sizes.reps)
        await self._add(0, customers, due_until=customers)
        nights = [await self._night(customers) for _ in range(rounds)]
        await self._add(customers, large, due_until=customers)
        return small, nights, [await self._night(large) for _ in range(rounds)]

    async def _add(self, after: int, until: int, *, due_until: int) -> None:
        self.report(f"Filling {until:,} customers")
        reps = self.sizes.reps
        await add_owned(self.servers.owner_url, after=after, until=until, due_until=due_until, reps=reps)

    async def _night(self, customers: int) -> Night:
        due = min(customers, self.sizes.customers) // DUE_EVERY
        samples = []
        for contender in ("bare", "floor", "product"):
            sample = await self._measured(contender)
            if sample.recycled != due:
                raise BenchError(f"The {contender} took {sample.recycled:,} of {due:,} customers that were due.")
            self.report(f"{contender:<7} {due:,} of {customers:,}: {sample.seconds:.2f} s")
            samples.append(sample)
            await put_back(self.servers.owner_url, due_until=due * DUE_EVERY, reps=self.sizes.reps)
        return Night(customers, *samples)

    async def _measured(self, contender: str) -> NightSample:
        urls, owner_url = self.servers.database, self.servers.owner_url
        return (
            await self._of_product()
            if contender == "product"
            else await measure_night(urls, owner_url, is_whole=contender == "floor")
        )

    async def _of_product(self) -> NightSample:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "saas.bench.pool_process",
            env={**os.environ, **self._environment()},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        if process.returncode != 0:
            raise BenchError(f"The night ended with status {process.returncode}; see its reason above.")
        return NightSample(**orjson.loads(out))

    def _environment(self) -> dict[str, str]:
        return {
            "SAAS_DATA": str(self.data),
            "DATABASE_URL": self.servers.owner_url,
            "DATABASE_APP_URL": self.servers.database.app,
            "DATABASE_PLATFORM_URL": self.servers.database.platform,
            "DATABASE_RELAY_URL": self.servers.relay_url,
            "REDIS_URL": self.servers.redis_url,
        }
