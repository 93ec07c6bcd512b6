"""What tests of several rooms begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from saas.kernel import FrozenClock
from tenants import Database
from tests.conftest import make_tenant
from tests.staging import Company, stage


@pytest.fixture
def chunks_of_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the size that the product reads and writes at once: what holds between chunks is seen sooner."""
    monkeypatch.setattr("saas.exchange.actions.reading.CHUNK_ROWS", 100)
    monkeypatch.setattr("saas.exchange.actions.reading._CELLS_A_STEP", 100_000)


@pytest.fixture
def three_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests deal and give no more than three customers by themselves, so that a job is asked for seven."""
    monkeypatch.setattr("saas.customers.actions.wishes.AT_ONCE", 3)


@pytest_asyncio.fixture(loop_scope="session")
async def lone_company(database: Database, clock: FrozenClock, tmp_path: Path) -> AsyncIterator[Company]:
    """A company in a database of its own, whose tables a test may change."""
    yield await stage(database, await make_tenant(database, "晨光销售"), clock, tmp_path)
