"""Figures of the benchmark of allocation: ratios within a round, medians over rounds, memory by size."""

from __future__ import annotations

import pytest

from saas.bench.allocation import CONTENDERS, FLOOR, AllocationFigures, AllocationSample, as_table

MIB = 2**20


def figures() -> AllocationFigures:
    """Three rounds; the machine is half as fast in the second and twice as fast in the third."""
    seconds = {FLOOR: 4.0, "draw": 16.0}
    timed = [
        AllocationSample(name, number, 1_000, pace, pace * (seconds.get(name, 8.0) - 1), 100 * MIB, 300 * MIB)
        for number, pace in enumerate((1.0, 2.0, 0.5))
        for name in CONTENDERS
    ]
    small = [AllocationSample(name, 0, 100, 0.5, 0.5, 100 * MIB, 120 * MIB) for name in CONTENDERS if name != FLOOR]
    return AllocationFigures(tuple(timed), tuple(small))


def test_a_ratio_is_taken_within_rounds_so_that_drift_cancels() -> None:
    assert [figures().ratio(name) for name in (FLOOR, "strict", "draw")] == pytest.approx([1.0, 0.5, 0.25])


def test_tables_hold_every_contender_and_what_memory_grows_by() -> None:
    lines = as_table(figures()).splitlines()
    assert "| floor | 1.00 | 3.00 | 250 | 1.00 |" in lines
    assert "| draw | 1.00 | 15.00 | 62 | 0.25 |" in lines
    assert "| method | before MiB | peak MiB at 100 | peak MiB at 1,000 | bytes a customer |" in lines
    assert f"| draw | 100 | 120 | 300 | {180 * MIB / 900:,.0f} |" in lines
    assert (
        sum(line.startswith(tuple(f"| {name} |" for name in CONTENDERS)) for line in lines) == 2 * len(CONTENDERS) - 1
    )
