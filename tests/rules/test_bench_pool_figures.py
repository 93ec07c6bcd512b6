"""Figures of the benchmark of the pool: ratios within a round, medians over rounds, goals."""

from __future__ import annotations

from collections import Counter

import pytest

from saas.bench.pool_claims import WON, ClaimSample
from saas.bench.pool_draw import DrawSample
from saas.bench.pool_figures import Night, PoolFigures, as_table
from saas.bench.pool_floor import NightSample

MIB = 2**20


def night(customers: int, due: int, pace: float, *, times: float, peak: int = 200) -> Night:
    """A night on a machine of that pace, `times` as long as its floor."""
    bare, floor = NightSample(due, 2 * pace, 0.1, 1.0), NightSample(due, 4 * pace, 0.1, None)
    return Night(customers, bare, floor, NightSample(due, 4 * pace * times, 3.0, 4.0, 150 * MIB, peak * MIB))


def figures(*, times: float = 2.0) -> PoolFigures:
    """Three rounds; the machine is half as fast in the second and twice as fast in the third."""
    nights = [night(1_000, 10, pace, times=times) for pace in (1.0, 2.0, 0.5)]
    large = [night(10_000, 10, pace, times=1.2 * times, peak=210) for pace in (1.0, 2.0, 0.5)]
    claims = [
        (
            ClaimSample("bare", 10 * pace, Counter({WON: 1_000, "taken": 100})),
            ClaimSample("product", 10 * pace, Counter({WON: 500, "customers.already_owned": 50})),
        )
        for pace in (1.0, 2.0, 0.5)
    ]
    small = night(100, 1, 1.0, times=times, peak=190)
    return PoolFigures(small, nights, large, claims, DrawSample(100, 3 * MIB, 7.25), "2 cores")


def test_a_ratio_is_taken_within_a_round_so_that_drift_cancels() -> None:
    assert figures().ratio == pytest.approx(2.0)
    assert figures().growth == pytest.approx(1.2)
    assert figures().memory_growth == pytest.approx(200 / 190)


def test_tables_tell_nights_memory_claims_and_goals() -> None:
    lines = as_table(figures()).splitlines()
    assert "| 1,000 | 10 | bare | 2.00 | 5 | 0.50 | 10,000 | 100,000 |" in lines
    assert "| 1,000 | 10 | floor | 4.00 | 2 | 1.00 | 10,000 | – |" in lines
    assert "| 10,000 | 10 | product | 9.60 | 1 | 2.40 | 300,000 | 400,000 |" in lines
    assert "| 10,000 | 10 | 150 | 210 |" in lines
    assert "| bare | 100 | 110 | 1.00 | taken 300 |" in lines
    assert "| product | 50 | 55 | 0.50 | customers.already_owned 150 |" in lines
    assert "A night beside its floor: × 2.00; goal at most × 3.00: kept." in lines
    assert "Many more customers and no more due: × 1.20; goal at most × 1.30: kept." in lines
    assert "The floor itself takes × 1.00 in the larger company." in lines
    assert "A certificate of 100 customers (3.0 MiB) is verified in 7.2 s." in lines


def test_a_missed_goal_is_called_so() -> None:
    assert "A night beside its floor: × 3.50; goal at most × 3.00: missed." in as_table(figures(times=3.5)).splitlines()
