"""What tests of several rooms begin with."""

from __future__ import annotations

import pytest


@pytest.fixture
def chunks_of_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the size that the product reads and writes at once: what holds between chunks is seen sooner."""
    monkeypatch.setattr("saas.exchange.actions.reading.CHUNK_ROWS", 100)
    monkeypatch.setattr("saas.exchange.actions.reading._CELLS_A_STEP", 100_000)


@pytest.fixture
def three_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests deal and give no more than three customers by themselves, so that a job is asked for seven."""
    monkeypatch.setattr("saas.customers.actions.wishes.AT_ONCE", 3)
