"""What was measured, and how it is judged: medians over rounds, ratios within a round, and the goals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from saas.bench.cases import CASES, LIST, Case

ORDINARY_GOAL = 10.0
"""The product answers lists at least this many times as fast as the ordinary contender."""

MEMORY_GOAL = 1.10
"""A web process may use at most this many times the memory after 10,000 requests that it used after 1,000."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One contender in one case in one round. Processor time is per request; None where it can't be read."""

    case: str
    contender: str
    round: int
    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    application_us: float | None
    postgres_us: float | None


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a web process after few and after many requests."""

    contender: str
    early_requests: int
    early_bytes: int
    late_requests: int
    late_bytes: int

    @property
    def growth(self) -> float:
        """Late over early."""
        return self.late_bytes / self.early_bytes

    def goal(self) -> Goal:
        """What the product must keep to."""
        title = f"memory after {self.late_requests:,} requests over after {self.early_requests:,}"
        return Goal(title, MEMORY_GOAL, self.growth, is_at_most=True)


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of one contender in one case."""

    case: Case
    contender: str
    per_second: float
    to_floor: float
    p50_ms: float
    p99_ms: float
    application_us: float | None
    postgres_us: float | None


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal of the product, and what was reached."""

    title: str
    least: float
    reached: float
    is_at_most: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure lies on the right side."""
        return self.reached <= self.least if self.is_at_most else self.reached >= self.least


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a run measured."""

    samples: tuple[Sample, ...]
    memory: tuple[Memory, ...]
    contenders: tuple[str, ...]

    def rows(self) -> list[Row]:
        """One row per case and contender, the floor first."""
        return [self._row(case, contender) for case in CASES for contender in self.contenders]

    def ratio(self, case: Case, contender: str, to: str) -> float:
        """The median over rounds of `contender`'s requests per second over those of `to` in the same round."""
        own, other = self._by_round(case, contender), self._by_round(case, to)
        return median(own[number] / other[number] for number in own)

    def goals(self) -> list[Goal]:
        """The product's goals, as far as the product ran."""
        if "product" not in self.contenders:
            return []
        goals = [Goal(f"{case.title}: × floor", case.goal, self.ratio(case, "product", "floor")) for case in CASES]
        goals.append(Goal(f"{LIST.title}: × ordinary", ORDINARY_GOAL, self.ratio(LIST, "product", "ordinary")))
        return goals + [memory.goal() for memory in self.memory if memory.contender == "product"]

    def _row(self, case: Case, contender: str) -> Row:
        samples = self._of(case, contender)

        def middle(value: Callable[[Sample], float | None]) -> float | None:
            known = [number for number in map(value, samples) if number is not None]
            return median(known) if known else None

        return Row(
            case,
            contender,
            per_second=median(sample.per_second for sample in samples),
            to_floor=self.ratio(case, contender, "floor"),
            p50_ms=median(sample.p50_ms for sample in samples),
            p99_ms=median(sample.p99_ms for sample in samples),
            application_us=middle(lambda sample: sample.application_us),
            postgres_us=middle(lambda sample: sample.postgres_us),
        )

    def _of(self, case: Case, contender: str) -> list[Sample]:
        return [sample for sample in self.samples if (sample.case, sample.contender) == (case.name, contender)]

    def _by_round(self, case: Case, contender: str) -> dict[int, float]:
        return {sample.round: sample.per_second for sample in self._of(case, contender)}


def as_markdown(figures: Figures) -> str:
    """The tables of docs/benchmarks.md."""
    parts = [
        _table(
            ("case", "contender", "req/s", "× floor", "p50 ms", "p99 ms", "application µs", "PostgreSQL µs"),
            (_cells(row) for row in figures.rows()),
        )
    ]
    if figures.goals():
        parts.append(_table(("goal", "wanted", "reached", "met"), (_goal_cells(goal) for goal in figures.goals())))
    if figures.memory:
        parts.append(_table(("web process", "requests", "MiB", "requests", "MiB"), map(_memory_cells, figures.memory)))
    return "\n\n".join(parts)


def _cells(row: Row) -> tuple[str, ...]:
    numbers = (f"{row.per_second:,.0f}", f"{row.to_floor:.2f}", f"{row.p50_ms:.2f}", f"{row.p99_ms:.2f}")
    return (row.case.title, row.contender, *numbers, _micro(row.application_us), _micro(row.postgres_us))


def _goal_cells(goal: Goal) -> tuple[str, ...]:
    sign = "≤" if goal.is_at_most else "≥"
    return (goal.title, f"{sign} {goal.least:.2f}", f"{goal.reached:.2f}", "yes" if goal.is_met else "no")


def _memory_cells(memory: Memory) -> tuple[str, ...]:
    early, late = (f"{size / 2**20:.1f}" for size in (memory.early_bytes, memory.late_bytes))
    return (memory.contender, f"{memory.early_requests:,}", early, f"{memory.late_requests:,}", late)


def _micro(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
