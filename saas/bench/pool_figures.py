"""Figures of the benchmark of the pool: ratios beside the floors, medians over the rounds, goals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from saas.bench.pool_claims import WON, ClaimSample
from saas.bench.pool_draw import DrawSample
from saas.bench.pool_floor import NightSample

NIGHT_GOAL = 3.00
"""A night takes at most this many times what the bare statements take for the same rows."""

SIZE_GOAL = 1.30
"""With many more customers and no more due it takes at most this many times as long."""

MEMORY_GOAL = 1.20
"""The peak of memory with ten times as many due, over that with a tenth."""


@dataclass(frozen=True, slots=True)
class Night:
    """A night of a company of so many customers: without ledger, trail and events; with them; the product."""

    customers: int
    bare: NightSample
    floor: NightSample
    product: NightSample

    @property
    def ratio(self) -> float:
        """The product's time as a multiple of the floor's."""
        return self.product.seconds / self.floor.seconds


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """All samples; `claims` are pairs, the bare statement first."""

    small: Night
    nights: Sequence[Night]
    large: Sequence[Night]
    claims: Sequence[tuple[ClaimSample, ClaimSample]]
    draw: DrawSample
    machine: str

    @property
    def ratio(self) -> float:
        """A night beside its floor, the median over the rounds."""
        return median(each.ratio for each in self.nights)

    @property
    def growth(self) -> float:
        """A night of the large company over one of the company, by medians."""
        return _seconds(self.large) / _seconds(self.nights)

    @property
    def floor_growth(self) -> float:
        """The same of the floor: what deeper trees and colder pages cost whoever writes the rows."""
        return median(each.floor.seconds for each in self.large) / median(each.floor.seconds for each in self.nights)

    @property
    def memory_growth(self) -> float:
        """The peak of memory of a night over that of the small company's."""
        return max(each.product.memory_peak for each in self.nights) / self.small.product.memory_peak


def _seconds(nights: Sequence[Night]) -> float:
    return median(each.product.seconds for each in nights)


def as_table(figures: PoolFigures) -> str:
    """The figures as tables of docs/benchmarks.md."""
    lines = [*_nights(figures), "", *_memory(figures), "", *_claims(figures), "", *_remarks(figures)]
    return "\n".join(lines)


def _nights(figures: PoolFigures) -> Iterator[str]:
    yield "| customers | due | contender | seconds | customers/s | × floor | own µs | PostgreSQL µs |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for nights in (figures.nights, figures.large):
        for name in ("bare", "floor", "product"):
            samples: list[NightSample] = [getattr(each, name) for each in nights]
            took = median(each.seconds for each in samples)
            ratio = median(getattr(each, name).seconds / each.floor.seconds for each in nights)
            due = samples[0].recycled
            yield (
                f"| {nights[0].customers:,} | {due:,} | {name} | {took:.2f} | {due / took:,.0f} | {ratio:.2f} |"
                f" {_micros([each.own_cpu for each in samples], due)} |"
                f" {_micros([each.postgres_cpu for each in samples], due)} |"
            )


def _micros(seconds: Sequence[float | None], due: int) -> str:
    """Processor time a customer; a dash where the system does not tell."""
    told = [each for each in seconds if each is not None]
    return f"{median(told) / due * 1e6:,.0f}" if told else "–"


def _memory(figures: PoolFigures) -> Iterator[str]:
    yield "| customers | due | memory before MiB | peak MiB |"
    yield "| --- | --- | --- | --- |"
    for night in (figures.small, *(max(each, key=_peak) for each in (figures.nights, figures.large))):
        before, peak = night.product.memory_before / 2**20, night.product.memory_peak / 2**20
        yield f"| {night.customers:,} | {night.product.recycled:,} | {before:.0f} | {peak:.0f} |"


def _peak(night: Night) -> int:
    return night.product.memory_peak


def _claims(figures: PoolFigures) -> Iterator[str]:
    yield "| contender | claimed/s | answers/s | × bare | refusals |"
    yield "| --- | --- | --- | --- | --- |"
    bare, product = ([pair[at] for pair in figures.claims] for at in (0, 1))
    ratio = median(mine.per_second / floor.per_second for floor, mine in figures.claims)
    for samples, share in ((bare, 1.0), (product, ratio)):
        claimed, answers = median(each.per_second for each in samples), median(_answers(samples))
        yield f"| {samples[0].contender} | {claimed:,.0f} | {answers:,.0f} | {share:.2f} | {_refusals(samples)} |"


def _answers(samples: Sequence[ClaimSample]) -> list[float]:
    return [each.answers_per_second for each in samples]


def _refusals(samples: Sequence[ClaimSample]) -> str:
    found = sum((each.outcomes for each in samples), Counter[str]())
    return ", ".join(f"{name} {number:,}" for name, number in sorted(found.items()) if name != WON) or "none"


def _remarks(figures: PoolFigures) -> Iterator[str]:
    yield f"Measured on {figures.machine}, medians of {len(figures.nights)} rounds."
    goals = (
        ("A night beside its floor", figures.ratio, NIGHT_GOAL),
        ("Many more customers and no more due", figures.growth, SIZE_GOAL),
        ("Peak of memory with ten times as many due", figures.memory_growth, MEMORY_GOAL),
    )
    for title, reached, goal in goals:
        yield f"{title}: × {reached:.2f}; goal at most × {goal:.2f}: {'kept' if reached <= goal else 'missed'}."
    yield f"The floor itself takes × {figures.floor_growth:.2f} in the larger company."
    draw = figures.draw
    size = f"{draw.size / 2**20:.1f} MiB"
    yield f"A certificate of {draw.customers:,} customers ({size}) is verified in {draw.seconds:.1f} s."
