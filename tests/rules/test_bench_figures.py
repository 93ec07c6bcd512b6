"""Figures of the benchmark: medians over rounds, ratios within a round, goals, and the tables."""

from __future__ import annotations

import pytest

from saas.bench.cases import CASES, CLAIMANTS, LIST, RIVALS, claims
from saas.bench.figures import Figures, Memory, Sample, as_markdown
from saas.bench.load import Outcome, request_bytes
from saas.bench.targets import comparable
from saas.kernel import new_id

NAMES = ("floor", "product", "ordinary")


def sample(case: str, contender: str, number: int, per_second: float) -> Sample:
    return Sample(case, contender, number, 100, per_second, 1.0, 2.0, 100.0, None)


def figures() -> Figures:
    """Three rounds; the machine is half as fast in the second and twice as fast in the third."""
    speeds = {"floor": 1000.0, "product": 850.0, "ordinary": 50.0}
    samples = [
        sample(case.name, name, number, speeds[name] * pace)
        for case in CASES
        for name in NAMES
        for number, pace in enumerate((1.0, 0.5, 2.0))
    ]
    return Figures(tuple(samples), (Memory("product", 1_000, 100 * 2**20, 10_000, 112 * 2**20),), NAMES)


def test_a_ratio_is_taken_within_rounds_so_that_drift_cancels() -> None:
    assert figures().ratio(LIST, "product", "floor") == pytest.approx(0.85)
    assert figures().ratio(LIST, "product", "ordinary") == pytest.approx(17.0)


def test_rows_are_medians() -> None:
    row = next(row for row in figures().rows() if row.case is LIST and row.contender == "product")
    assert (row.per_second, row.p50_ms, row.p99_ms) == (850.0, 1.0, 2.0)
    assert (row.application_us, row.postgres_us) == (100.0, None)


def test_goals_say_what_is_met() -> None:
    assert [goal.is_met for goal in figures().goals()] == [True, True, True, True, True, True, False]
    assert figures().goals()[-1].reached == pytest.approx(1.12)


def test_tables_hold_every_figure() -> None:
    lines = as_markdown(figures()).splitlines()
    assert "| list of 50 with owner and last 3 follow-ups | product | 850 | 0.85 | 1.00 | 2.00 | 100 | – |" in lines
    assert "| memory after 10,000 requests over after 1,000 | ≤ 1.10 | 1.12 | no |" in lines
    assert "| product | 1,000 | 100.0 | 10,000 | 112.0 |" in lines


def test_every_customer_has_sixteen_different_rivals() -> None:
    customers = [new_id() for _ in range(5)]
    sent = list(claims(customers))
    for number, customer_id in enumerate(customers):
        rivals = [claim for claim in sent if claim.customer_id == customer_id]
        assert rivals == sent[number * RIVALS : (number + 1) * RIVALS]
        assert len({claim.claimant for claim in rivals}) == RIVALS
    assert {claim.claimant for claim in sent} == set(range(CLAIMANTS))


def test_the_same_instant_compares_equal_in_any_notation() -> None:
    plain = {"at": "2026-05-28T05:31:13.186Z", "name": "恒信"}
    assert comparable(plain) == comparable({"at": "2026-05-28T05:31:13.186000+00:00", "name": "恒信"})
    assert comparable(plain) != comparable({"at": "2026-05-28T05:31:13.187Z", "name": "恒信"})


def test_latency_quantiles() -> None:
    outcome = Outcome(latencies_ns=[number * 1_000_000 for number in range(100, 0, -1)])
    assert (outcome.latency_ms(0.5), outcome.latency_ms(0.99)) == (51.0, 100.0)


def test_a_request_is_plain_http() -> None:
    assert request_bytes("/list", b"{}", {"tenant": "x"}) == (
        b"POST /list HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"content-length: 2\r\ntenant: x\r\n\r\n{}"
    )
