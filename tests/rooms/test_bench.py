"""The benchmark runs from end to end: all contenders answer the same, every figure is there. No speed is asserted."""

from __future__ import annotations

from pathlib import Path

from saas.bench.cases import CASES
from saas.bench.running import bench_reads


async def test_all_contenders_answer_the_same_and_every_figure_is_there(tmp_path: Path) -> None:
    told: list[str] = []
    figures = await bench_reads(data=tmp_path, rounds=1, seconds=0.2, report=told.append, is_short=True)
    assert figures.contenders == ("floor", "product", "ordinary")
    seen = [(row.case.name, row.contender) for row in figures.rows()]
    assert seen == [(case.name, name) for case in CASES for name in figures.contenders]
    assert all(sample.requests > 0 and sample.p99_ms >= sample.p50_ms > 0 for sample in figures.samples)
    assert [goal.title.rpartition(": ")[2] for goal in figures.goals()[:-1]] == ["× floor"] * 5 + ["× ordinary"]
    assert "Comparing answers" in told
