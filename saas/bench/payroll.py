"""`saas bench payroll`: a month's payslips of a whole company, beside the least that could make and keep them.

The product freezes the inputs, computes the payslips with their explanations and stores them sealed and digested, by
its own jobs in worker processes of their own, under row-level security, totals and plan hash included. In the same
round the same amounts are found in a bare loop, the same documents sealed, and the same rows copied. Nothing is kept
from round to round but the staff.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

import asyncpg

from saas.backing import Backing, backing
from saas.bench.errors import BenchError
from saas.bench.machine import PostgresProcesses, describe_machine, spent
from saas.bench.payroll_company import PaidCompany, begin_run, found_paid_company, give_up_run
from saas.bench.payroll_floor import FloorSample, measure_floor
from saas.bench.payroll_workers import Workers, working
from saas.config import Settings
from saas.kernel import SystemClock
from saas.main import Installation, bring_up_to_date, installed_product, opened
from saas.payroll import compute_run

Progress = Callable[[str], None]
GOAL = 3.00
"""On two cores, so with two workers, computing and storing takes at most this many times what arithmetic, sealing and
COPY take, one after the other."""

MEMORY_GOAL = 1.20
"""The peak of memory at the large size is at most this many times that at the small one."""

_LONGEST_SECONDS = 1_800
_LOOK_SECONDS = 0.02
_RUN = "SELECT state, stage, computed, failed FROM payroll_run WHERE tenant_id = $1 AND id = $2"
_TROUBLE = "SELECT last_error FROM outbox WHERE tenant_id = $1 AND last_error IS NOT NULL LIMIT 1"


@dataclass(frozen=True, slots=True)
class RunSample:
    """One run: seconds of its steps, processor seconds of computing, bytes of memory of the largest worker."""

    workers: int
    people: int
    freeze_seconds: float
    compute_seconds: float
    worker_cpu: float | None
    postgres_cpu: float | None
    memory_before: int
    memory_peak: int


@dataclass(frozen=True, slots=True)
class Round:
    """The runs of one round, with one worker and with two, and the floor between them."""

    one: RunSample
    two: RunSample
    floor: FloorSample

    @property
    def ratio(self) -> float:
        """Computing and storing with two workers, as a multiple of the floor."""
        return self.two.compute_seconds / self.floor.seconds

    @property
    def ratio_of_one(self) -> float:
        """The same with one worker."""
        return self.one.compute_seconds / self.floor.seconds


@dataclass(frozen=True, slots=True)
class PayrollFigures:
    """All rounds, and the run of a tenth of the people for its memory."""

    small: RunSample
    rounds: Sequence[Round]
    machine: str

    @property
    def ratio(self) -> float:
        """The median over the rounds."""
        return median(each.ratio for each in self.rounds)

    @property
    def growth(self) -> float:
        """The peak of memory at the large size over that at the small one."""
        return max(each.one.memory_peak for each in self.rounds) / self.small.memory_peak


async def bench_payroll(
    *, data: Path, people: int = 10_000, rounds: int = 3, report: Progress, database_url: str = ""
) -> PayrollFigures:
    """Pay a tenth of `people` once, then `people` in every round, each company in a run after the other.

    Servers live in a folder of their own below `data`, or in the empty database that `database_url` names.

    :raises BenchError: a run did not end as it should, or its amounts are not those found by hand.
    """
    settings, product = Settings(data=data / "bench" / "payroll", database_url=database_url), installed_product()
    async with backing(settings, progress=report) as servers:
        await bring_up_to_date(product, servers)
        async with opened(product, settings, servers) as installation, _owner(servers) as owner:
            bench = _Bench(installation, servers, owner, report)
            small = await bench.company(people // 10)
            sample, _ = await bench.run(small, workers=1)
            large = await bench.company(people)
            measured = [await bench.round(large, number) for number in range(1, rounds + 1)]
            return PayrollFigures(sample, measured, describe_machine())


@asynccontextmanager
async def _owner(servers: Backing) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(servers.owner_url, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class _Bench:
    """What runs need: the product open in this process, its servers, and the owner's connection."""

    installation: Installation
    servers: Backing
    owner: asyncpg.Connection[asyncpg.Record]
    report: Progress

    async def company(self, people: int) -> PaidCompany:
        """A company of so many people, and the planner's statistics of it."""
        self.report(f"Entering {people:,} people")
        company = await found_paid_company(self.installation, people=people)
        await self.owner.execute("VACUUM (ANALYZE)")
        return company

    async def round(self, company: PaidCompany, number: int) -> Round:
        """A run with one worker, with the floor behind it, and one with two; who begins changes."""
        self.report(f"Round {number}")
        samples: dict[int, RunSample] = {}
        floor = FloorSample()
        for workers in (1, 2) if number % 2 else (2, 1):
            samples[workers], compared = await self.run(company, workers=workers)
            floor = compared if workers == 1 else floor
        return Round(samples[1], samples[2], floor)

    async def run(self, company: PaidCompany, *, workers: int) -> tuple[RunSample, FloorSample]:
        """One run from opening to its plan, and the floor over what it stored; nothing of it stays."""
        people = len(company.numbers)
        await self.owner.execute("TRUNCATE payslip, payroll_input")
        async with working(self.servers, self.installation.settings.data, workers=workers) as team:
            began = perf_counter()
            run_id = await begin_run(self.installation, company.actor, company.legal_entity_id)
            await self._until(company, run_id, team, "frozen")
            frozen = perf_counter() - began
            computed, worker_cpu, postgres_cpu = await self._computed(company, run_id, team)
        floor = await measure_floor(self.installation, company, run_id, owner=self.owner)
        await give_up_run(self.installation, company.actor, run_id)
        memory = (team.memory_before, team.memory_peak)
        return RunSample(workers, people, frozen, computed, worker_cpu, postgres_cpu, *memory), floor

    async def _computed(
        self, company: PaidCompany, run_id: UUID, team: Workers
    ) -> tuple[float, float | None, float | None]:
        async with PostgresProcesses(self.servers.owner_url) as postgres:
            before, worked, began = await postgres.cpu(), team.cpu_seconds(), perf_counter()
            async with self.installation.database.transaction(company.actor.tenant_id):
                await compute_run(company.actor, run_id=run_id, clock=SystemClock())
            await self._until(company, run_id, team, "done")
            took, after = perf_counter() - began, team.cpu_seconds()
            worker_cpu = None if worked is None or after is None else after - worked
            return took, worker_cpu, spent(before, await postgres.cpu())

    async def _until(self, company: PaidCompany, run_id: UUID, team: Workers, stage: str) -> None:
        """Wait for a stage of the run, by looking at it.

        :raises BenchError: a job failed, a worker ended, or it takes more than half an hour.
        """
        tenant_id = company.actor.tenant_id
        for look in range(int(_LONGEST_SECONDS / _LOOK_SECONDS)):
            async with self.installation.database.transaction(tenant_id) as transaction:
                row = await transaction.fetchrow(_RUN, tenant_id, run_id)
                trouble = await transaction.fetchval(_TROUBLE, tenant_id) if look % 50 == 0 else None
            if row is not None and row["stage"] == stage:
                return
            if trouble:
                raise BenchError(f"a job of the run failed: {trouble}")
            team.require_alive()
            await asyncio.sleep(_LOOK_SECONDS)
        raise BenchError(f"the run is not {stage} within half an hour")


def as_table(figures: PayrollFigures) -> str:
    """The figures as tables of docs/benchmarks.md, medians over the rounds, and whether the goals are kept."""
    rounds = figures.rounds
    people = rounds[0].one.people
    floor = median(each.floor.seconds for each in rounds)
    parts = {
        "freezing the inputs, one worker": [each.one.freeze_seconds for each in rounds],
        "computing and storing, one worker": [each.one.compute_seconds for each in rounds],
        "**computing and storing, two workers**": [each.two.compute_seconds for each in rounds],
        "(i) the same arithmetic in a bare loop": [each.floor.arithmetic_seconds for each in rounds],
        "(ii) JSON and AES-GCM of the same documents": [each.floor.sealing_seconds for each in rounds],
        "(iii) COPY of the same rows": [each.floor.copy_seconds for each in rounds],
        "(i) + (ii) + (iii)": [each.floor.seconds for each in rounds],
    }
    lines = [f"| {people:,} people | payslips/s | µs a payslip | × (i + ii + iii) |", "| --- | --- | --- | --- |"]
    for title, seconds in parts.items():
        took = median(seconds)
        lines.append(f"| {title} | {people / took:,.0f} | {took / people * 1e6:,.0f} | {took / floor:.2f} |")
    return "\n".join([*lines, "", *_remarks(figures), "", *_memory(figures)])


def _remarks(figures: PayrollFigures) -> list[str]:
    rounds, people = figures.rounds, figures.rounds[0].one.people
    two, one = _spread([each.ratio for each in rounds]), _spread([each.ratio_of_one for each in rounds])
    size = median(each.floor.sealed_bytes for each in rounds) / people
    lines = [
        f"Measured on {figures.machine}, medians of {len(rounds)} rounds; {size:,.0f} bytes a payslip.",
        f"Computing and storing with two workers: {two}; goal at most × {GOAL:.2f}: {_verdict(figures.ratio, GOAL)}.",
        f"With one: {one}.",
    ]
    return [*lines, *_processors(rounds, people)]


def _spread(ratios: Sequence[float]) -> str:
    return f"× {median(ratios):.2f} (rounds: {min(ratios):.2f} to {max(ratios):.2f})"


def _processors(rounds: Sequence[Round], people: int) -> list[str]:
    """Processor time a payslip, where the system tells; unlike the clock it hardly depends on who else is at work."""
    spent_by = [
        (each.one.worker_cpu, each.one.postgres_cpu, each.floor.own_cpu, each.floor.postgres_cpu) for each in rounds
    ]
    told = [[seconds for seconds in each if seconds is not None] for each in spent_by]
    if any(len(each) < 4 for each in told):
        return []
    worker, postgres, own, copy = (median(column) / people * 1e6 for column in zip(*told, strict=True))
    ratio = median((each[0] + each[1]) / (each[2] + each[3]) for each in told)
    product = f"{worker:,.0f} µs in the worker and {postgres:,.0f} µs in PostgreSQL"
    return [f"Processor time a payslip: {product}; the floor {own:,.0f} and {copy:,.0f} µs: × {ratio:.2f}."]


def _memory(figures: PayrollFigures) -> list[str]:
    lines = ["| people | memory before MiB | peak MiB |", "| --- | --- | --- |"]
    for sample in (figures.small, max((each.one for each in figures.rounds), key=lambda one: one.memory_peak)):
        before, peak = sample.memory_before / 2**20, sample.memory_peak / 2**20
        lines.append(f"| {sample.people:,} | {before:.0f} | {peak:.0f} |")
    verdict = _verdict(figures.growth, MEMORY_GOAL)
    growth = (
        f"Peak of memory at ten times the people: × {figures.growth:.2f}; goal at most × {MEMORY_GOAL:.2f}: {verdict}."
    )
    return [*lines, "", growth]


def _verdict(reached: float, goal: float) -> str:
    return "kept" if reached <= goal else "missed"
