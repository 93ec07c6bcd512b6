"""Fixtures of the jobs and events rooms: a real Valkey, the relay's role, a relay and a delivery to hold in hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from saas.events import Delivery, Relay
from saas.jobs import RetryPolicy
from saas.kernel import Clock
from tenants import Database
from tenants.pool import ConnectionPool
from tenants.schema import APP, PLATFORM, RELAY
from tests.conftest import role_url
from tests.jobs.cast import Cast, Tray, Valkey


@pytest.fixture
def valkey_server(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey that is not started yet."""
    server = Valkey(tmp_path / "valkey")
    yield server
    server.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def valkey(valkey_server: Valkey) -> Valkey:
    """A Valkey that answers."""
    valkey_server.start()
    await valkey_server.ready()
    return valkey_server


@pytest.fixture
def relay_url(superuser_url: str, database_name: str) -> str:
    """The relay role's URL of the fresh database."""
    return role_url(superuser_url, RELAY, database_name)


@pytest.fixture
def app_and_platform(superuser_url: str, database_name: str) -> tuple[str, str]:
    """The two working roles' URLs of the fresh database, for another process."""
    return role_url(superuser_url, APP, database_name), role_url(superuser_url, PLATFORM, database_name)


@pytest_asyncio.fixture(loop_scope="session")
async def relay_pool(relay_url: str) -> AsyncIterator[ConnectionPool]:
    """Connections of the relay's role."""
    pool = ConnectionPool(relay_url, size=4)
    yield pool
    await pool.close()


@pytest.fixture
def tray() -> Tray:
    """A queue under the test's control."""
    return Tray()


@pytest.fixture
def cast() -> Cast:
    """Handlers that note what they were asked."""
    return Cast()


@pytest.fixture
def retry() -> RetryPolicy:
    """The retry policy of the product, with three attempts."""
    return RetryPolicy(max_attempts=3)


@pytest.fixture
def relay(relay_pool: ConnectionPool, tray: Tray, retry: RetryPolicy, clock: Clock) -> Relay:
    """A relay that fills the tray."""
    return Relay(relay_pool, tray, retry=retry, clock=clock)


@pytest.fixture
def delivery(database: Database, cast: Cast, retry: RetryPolicy, clock: Clock) -> Delivery:
    """A delivery to the cast."""
    return Delivery(database, cast.handlers(), retry=retry, clock=clock)
