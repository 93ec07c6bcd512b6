"""`saas bench reads`: servers, data, contenders, measurement, figures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from saas.backing import Backing, backing
from saas.bench.accounts import open_sessions
from saas.bench.cases import CLAIMANTS, Population, read_population
from saas.bench.checks import require_equal_answers, require_equal_claims
from saas.bench.contenders import FLOOR, ORDINARY, POOL_VARIABLE, PRODUCT, URL_VARIABLE, serving
from saas.bench.dataset import FULL, SHORT, fill, tenant_id
from saas.bench.figures import Figures, Memory
from saas.bench.load import CONNECTIONS
from saas.bench.machine import describe_machine
from saas.bench.measuring import Bench, Loader
from saas.bench.targets import FloorTarget, GraphqlTarget, Target
from saas.config import Settings
from saas.kernel import public_id
from saas.main import bring_up_to_date, installed_product

Progress = Callable[[str], None]
POOL_SIZE = 8
MEMORY_REQUESTS = (1_000, 10_000)
SHORT_MEMORY_REQUESTS = (50, 100)
SHORT_CONNECTIONS = 4


async def bench_reads(
    *,
    data: Path,
    rounds: int = 5,
    seconds: float = 3.0,
    report: Progress,
    is_short: bool = False,
    database_url: str = "",
) -> Figures:
    """Measure the product against its floor and against the ordinary way, on the same rows, in one run.

    Servers and rows live in a folder of their own below `data` (or in the empty database that `database_url` names)
    and are found again by the next run. `seconds` is the length of one measurement. `is_short` runs over few rows
    and proves that everything answers, not how fast. `report` gets a line of text now and then.

    :raises BenchError: the contenders answer differently, or something is wrong with the data.
    """
    scale = SHORT if is_short else FULL
    settings = Settings(data=data / "bench" / scale.name, database_url=database_url)
    async with backing(settings, progress=report) as servers:
        await bring_up_to_date(installed_product(), servers)
        await fill(servers.database.platform, servers.owner_url, scale, progress=report)
        population = await read_population(servers.database.app)
        async with _targets(servers, settings.data, population) as targets:
            connections = SHORT_CONNECTIONS if is_short else CONNECTIONS
            loader = Loader.start()
            bench = Bench(targets, population, loader, servers.database.app, servers.owner_url, connections=connections)
            try:
                return await _measured(bench, rounds=rounds, seconds=seconds, report=report, is_short=is_short)
            finally:
                await bench.reset_claims()
                loader.stop()


async def _measured(bench: Bench, *, rounds: int, seconds: float, report: Progress, is_short: bool) -> Figures:
    report("Comparing answers")
    await bench.reset_claims()
    await require_equal_answers(bench.targets, bench.population)
    await require_equal_claims(bench.targets, bench.population)
    memory = await _memory(bench, report=report, is_short=is_short)
    samples = await bench.measure_rounds(rounds=rounds, seconds=seconds, progress=report)
    names = tuple(target.running.contender.name for target in bench.targets)
    report(f"Measured on {describe_machine()}")
    return Figures(tuple(samples), tuple(memory), names)


async def _memory(bench: Bench, *, report: Progress, is_short: bool) -> list[Memory]:
    """Of the floor and the product; the ordinary contender would take minutes and has no goal."""
    early, late = SHORT_MEMORY_REQUESTS if is_short else MEMORY_REQUESTS
    found = []
    for target in bench.targets:
        if target.running.contender is not ORDINARY:
            report(f"Watching the memory of {target.running.contender.name} over {late:,} requests")
            found.append(await bench.measure_memory(target, early=early, late=late))
    return [memory for memory in found if memory is not None]


@asynccontextmanager
async def _targets(servers: Backing, data: Path, population: Population) -> AsyncIterator[Sequence[Target]]:
    """The contenders, serving; the floor first, since the others are compared with it."""
    environment = {
        URL_VARIABLE: servers.database.app,
        POOL_VARIABLE: str(POOL_SIZE),
        "SAAS_DATA": str(data),
        "DATABASE_URL": "",
        "DATABASE_APP_URL": servers.database.app,
        "DATABASE_PLATFORM_URL": servers.database.platform,
        "REDIS_URL": servers.redis_url,
        "SAAS_POOL_SIZE": str(POOL_SIZE),
    }
    tenant = {"tenant": str(tenant_id(1))}
    claimants = tuple({**tenant, "claimant": public_id("emp", one)} for one in population.claimants[:CLAIMANTS])
    async with AsyncExitStack() as stack:
        starting = (stack.enter_async_context(serving(each, environment)) for each in (FLOOR, PRODUCT, ORDINARY))
        floor, product, ordinary = await asyncio.gather(*starting)
        tokens = await open_sessions(servers.database, population)
        yield (
            FloorTarget(floor, population, tenant),
            GraphqlTarget(product, _bearer(tokens.reader), tuple(map(_bearer, tokens.claimants))),
            GraphqlTarget(ordinary, tenant, claimants),
        )


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
