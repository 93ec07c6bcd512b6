"""The run: every contender in its own process, every case in every round, one after another."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice

import asyncpg

from saas.bench.cases import CASES, CLAIM, READS, Case, Claim, Population, claims, reading_values
from saas.bench.checks import require_one_winner
from saas.bench.dataset import tenant_id
from saas.bench.errors import BenchError
from saas.bench.figures import Memory, Sample
from saas.bench.load import CONNECTIONS, Outcome, Plan, run_load
from saas.bench.machine import PostgresProcesses, spent
from saas.bench.targets import Target

Progress = Callable[[str], None]
WARM_UP_SHARE = 0.2
"""The unmeasured part before each measurement, as a share of its seconds."""


@dataclass(slots=True)
class Loader:
    """The process that sends the load; nothing else runs in it."""

    executor: ProcessPoolExecutor

    @classmethod
    def start(cls) -> Loader:
        """A fresh process, not a copy of this one."""
        return cls(ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")))

    async def run(self, plan: Plan) -> Outcome:
        """Carry out a plan there.

        :raises BenchError: an answer was wrong, or none came.
        """
        outcome = await asyncio.get_running_loop().run_in_executor(self.executor, run_load, plan)
        if outcome.failures:
            raise BenchError(f"{outcome.failures} of {outcome.requests} answers were wrong: {outcome.failed[0]!r}")
        if not outcome.requests:
            raise BenchError("Not one answer arrived; the contender's process may have ended.")
        return outcome

    def stop(self) -> None:
        """End the process."""
        self.executor.shutdown()


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything a measurement needs."""

    targets: Sequence[Target]
    population: Population
    loader: Loader
    app_url: str
    owner_url: str
    connections: int = CONNECTIONS

    async def measure_rounds(self, *, rounds: int, seconds: float, progress: Progress) -> list[Sample]:
        """Each case in each round at each contender; who begins changes from round to round."""
        samples = []
        for number in range(rounds):
            for case in CASES:
                first = number % len(self.targets)
                for target in (*self.targets[first:], *self.targets[:first]):
                    sample = await self._measure(target, case, number, seconds)
                    progress(_told(sample, rounds))
                    samples.append(sample)
        return samples

    async def measure_memory(self, target: Target, *, early: int, late: int) -> Memory | None:
        """Memory of a contender after `early` and after `late` requests of all reading cases in turn; None without
        /proc."""
        sizes = []
        for count in (early, late - early):
            await self._send_mixed(target, count)
            sizes.append(target.running.resident_bytes())
        before, after = sizes
        if before is None or after is None:
            return None
        return Memory(target.running.contender.name, early, before, late, after)

    async def _send_mixed(self, target: Target, count: int) -> None:
        lists = [reading_values(case, self.population, count=100) for case in READS]
        requests = [
            target.reading(case, values)
            for row in zip(*lists, strict=True)
            for case, values in zip(READS, row, strict=True)
        ]
        await self.loader.run(self._plan(target, requests, 600.0, limit=count))

    async def _measure(self, target: Target, case: Case, number: int, seconds: float) -> Sample:
        if case is CLAIM:
            return await self._measure_claims(target, number, seconds)
        requests = [target.reading(case, values) for values in reading_values(case, self.population)]
        await self.loader.run(self._plan(target, requests, seconds * WARM_UP_SHARE))
        _, sample = await self._run_observed(target, case, number, self._plan(target, requests, seconds))
        return sample

    async def _measure_claims(self, target: Target, number: int, seconds: float) -> Sample:
        await self.reset_claims()
        tenth = len(self.population.pooled) // 10
        warming = self._claim_plan(target, claims(self.population.pooled[:tenth]), seconds * WARM_UP_SHARE)
        await self.loader.run(warming)
        sent = list(claims(self.population.pooled[tenth:]))
        plan = self._claim_plan(target, sent, seconds)
        outcome, sample = await self._run_observed(target, CLAIM, number, plan)
        await require_one_winner(self.app_url, outcome, sent, self.population)
        return sample

    def _claim_plan(self, target: Target, sent: Iterable[Claim], seconds: float) -> Plan:
        most = int(seconds * 8_000) + 160
        requests = [target.claiming(claim) for claim in islice(sent, most)]
        return self._plan(target, requests, seconds, is_finite=True)

    def _plan(
        self,
        target: Target,
        requests: Sequence[bytes],
        seconds: float,
        *,
        is_finite: bool = False,
        limit: int | None = None,
    ) -> Plan:
        return Plan(
            target.running.port, requests, seconds, is_finite=is_finite, limit=limit, connections=self.connections
        )

    async def _run_observed(self, target: Target, case: Case, number: int, plan: Plan) -> tuple[Outcome, Sample]:
        async with PostgresProcesses(self.owner_url) as processes:
            postgres, application = await processes.cpu(), target.running.cpu_seconds()
            outcome = await self.loader.run(plan)
            postgres_seconds = spent(postgres, await processes.cpu())
            application_seconds = _difference(application, target.running.cpu_seconds())
        sample = Sample(
            case=case.name,
            contender=target.running.contender.name,
            round=number,
            requests=outcome.requests,
            per_second=outcome.requests / outcome.seconds,
            p50_ms=outcome.latency_ms(0.50),
            p99_ms=outcome.latency_ms(0.99),
            application_us=_per_request(application_seconds, outcome.requests),
            postgres_us=_per_request(postgres_seconds, outcome.requests),
        )
        return outcome, sample

    async def reset_claims(self) -> None:
        """Put every contested customer back into the pool, as if nobody had ever claimed it."""
        connection = await asyncpg.connect(self.app_url, timeout=10)
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL statement_timeout = 0")
                await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant_id(1)))
                for statement in _RESET:
                    await connection.execute(statement, list(self.population.pooled))
                await connection.execute("DELETE FROM claim_count")
        finally:
            await connection.close()
        await _vacuum(self.owner_url)


_RESET = (
    "DELETE FROM ownership WHERE customer_id = ANY($1::uuid[])",
    """
    UPDATE customer SET owner_id = NULL, owner_department_id = NULL, status = 'pooled', received_on = NULL
    WHERE id = ANY($1::uuid[]) AND owner_id IS NOT NULL
    """,
)


async def _vacuum(owner_url: str) -> None:
    """Leave no contender the dead rows of the one before."""
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        await connection.execute("VACUUM customer, ownership, claim_count")
    finally:
        await connection.close()


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _per_request(seconds: float | None, requests: int) -> float | None:
    return None if seconds is None or not requests else seconds * 1e6 / requests


def _told(sample: Sample, rounds: int) -> str:
    place = f"round {sample.round + 1}/{rounds}"
    return f"{place} {sample.case:<9}{sample.contender:<9}{sample.per_second:>9,.0f}/s  p99 {sample.p99_ms:.1f} ms"
