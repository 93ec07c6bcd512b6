"""Figures of the benchmark of allocation: ratios beside the floor, medians over rounds, memory by size."""

from __future__ import annotations

import pytest

from saas.bench.allocation import FLOOR, METHODS, AllocationFigures, AllocationSample, Pair, as_table

MIB = 2**20


def figures() -> AllocationFigures:
    """Three rounds; the machine is half as fast in the second and twice as fast in the third."""
    pairs = [
        Pair(
            AllocationSample(FLOOR, 1_000, pace, 3 * pace),
            AllocationSample(name, 1_000, pace, pace * (15 if name == "draw" else 7), 100 * MIB, 300 * MIB),
        )
        for pace in (1.0, 2.0, 0.5)
        for name in METHODS
    ]
    small = [AllocationSample(name, 100, 0.5, 0.5, 100 * MIB, 120 * MIB) for name in METHODS]
    return AllocationFigures(tuple(pairs), tuple(small))


def test_a_ratio_is_taken_beside_the_floor_so_that_drift_cancels() -> None:
    assert [each.ratio for each in figures().of("strict")] == pytest.approx([0.5] * 3)
    assert [each.ratio for each in figures().of("draw")] == pytest.approx([0.25] * 3)


def test_tables_hold_every_method_and_what_memory_grows_by() -> None:
    lines = as_table(figures()).splitlines()
    assert "| floor | 1.00 | 3.00 | 250 | 1.00 |" in lines
    assert "| draw | 1.00 | 15.00 | 62 | 0.25 |" in lines
    assert "| method | before MiB | peak MiB at 100 | peak MiB at 1,000 | bytes a customer |" in lines
    assert f"| draw | 100 | 120 | 300 | {180 * MIB / 900:,.0f} |" in lines
    for name in METHODS:
        assert sum(line.startswith(f"| {name} |") for line in lines) == 2
