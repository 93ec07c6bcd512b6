"""The real product on a loopback port, over one database for all tests here: each signs up companies of its own."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from saas.backing import Backing
from saas.config import Settings
from saas.customers import RefusalTally, tell_readers_with
from saas.jobs import RedisBell, RedisCompanyBell, SilentBell
from saas.kernel import SystemClock
from saas.main import Installation, Product, installed_product, web_services
from saas.sealing import FileKeyProvider, Sealer
from saas.servers import Servers
from saas.web import create_app
from saas.web.serving import serving
from tenants import Database, DatabaseUrls
from tests.api.rooms.web import Person, Web
from tests.companies import cheap_passwords


@pytest.fixture(scope="session")
def product() -> Product:
    """What is installed, plugins included."""
    return installed_product()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def installation(
    servers: Servers, shared_database: Database, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """The product on the shared database, with passwords that cost next to nothing to check."""
    ledger_bell = RedisCompanyBell(servers.redis_url)
    tell_readers_with(ledger_bell)
    bell, redis = RedisBell(servers.redis_url), Redis.from_url(servers.redis_url)
    refusals, none = RefusalTally(shared_database), DatabaseUrls(app="", platform="")
    yield Installation(
        product=product,
        settings=Settings(data=tmp_path_factory.mktemp("data")),
        backing=Backing(owner_url="", database=none, relay_url="", redis_url=servers.redis_url),
        database=shared_database,
        clock=SystemClock(),
        sealer=Sealer(FileKeyProvider(tmp_path_factory.mktemp("keys"))),
        passwords=cheap_passwords(),
        bell=bell,
        ledger_bell=ledger_bell,
        redis=redis,
        refusals=refusals,
    )
    await refusals.close()
    tell_readers_with(SilentBell())
    await bell.close()
    await ledger_bell.close()
    await redis.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def web(installation: Installation) -> AsyncIterator[Web]:
    """The running server."""
    async with (
        serving(create_app(web_services(installation))) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client,
    ):
        yield Web(installation, client)


@dataclass(frozen=True)
class Cast:
    """The four kinds of caller."""

    owner: Person
    rep: Person
    other: Person
    nobody: Person


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cast(web: Web) -> Cast:
    """A company's owner and a rep of it, another company's owner, and nobody; tests leave their access as it is."""
    owner = await web.sign_up("晨光销售")
    return Cast(owner, await owner.invite("rep", name="李雷"), await web.sign_up("远山贸易"), web.nobody)


@pytest.fixture
def key() -> str:
    """An idempotency key of this test's own."""
    return secrets.token_hex(8)
