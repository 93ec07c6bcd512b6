"""Fixtures: real PostgreSQL and Valkey, a migrated template database, an empty copy of it for each test that asks."""

from __future__ import annotations

import gc
import os
import secrets
from collections.abc import AsyncIterator, Generator
from datetime import UTC, datetime
from pathlib import Path
from pkgutil import resolve_name
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from saas.kernel import FrozenClock, new_id
from saas.memory import keep_what_is_there
from saas.servers import Servers, running_servers
from tenants.database import Database, DatabaseRole, DatabaseUrls
from tenants.migrate import migrate
from tenants.orm import bind_models, unbind_models
from tenants.roles import ensure_database, ensure_roles, url_for
from tenants.schema import APP, OWNER, PLATFORM, RELAY
from tests.copies import Copies

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("suite"), max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
"""How often properties are tried; a busy machine is no fault of theirs."""

pytest_plugins = ["tests.scheduling"]
STAGES = ("tests.staging", "tests.companies")
"""The plugins that import the whole product, which takes seconds that workers would wait for who gives them work."""
pytest.register_assert_rewrite(*STAGES)  # a folder's own conftest may import them first


def pytest_configure(config: pytest.Config) -> None:
    """Bring in what tests begin with, and let servers write into memory where it has room: on a virtual disk the system
    spends as much on that as the tests."""
    if config.option.basetemp is None and "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)
    if not _gives_work_only(config):
        for name in STAGES:
            config.pluginmanager.import_plugin(name)


def _gives_work_only(config: pytest.Config) -> bool:
    """Whether other processes run the tests."""
    return config.getoption("dist", "no") != "no" and not config.option.collectonly


def _has_room(folder: str) -> bool:
    if not Path(folder).is_dir():
        return False
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize >= NEEDED_BYTES and not disk.f_flag & os.ST_NOEXEC


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules of product and tests make half a million objects that stay: not to be looked at for garbage again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        keep_what_is_there()
        gc.enable()


MODEL_APPS = "saas.main:MODEL_APPS"
MEMORY, NEEDED_BYTES = "/dev/shm", 6_000_000_000
PASSWORDS = dict.fromkeys((OWNER, APP, PLATFORM, RELAY), "only-for-tests")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """PostgreSQL and Valkey of this test run, shared by its workers, gone after the last."""
    shared = tmp_path_factory.getbasetemp()
    folder = (shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared) / "servers"
    async with running_servers(folder, durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def superuser_url(servers: Servers) -> str:
    """The administrator's URL of a PostgreSQL server that this test run may fill."""
    return servers.superuser_url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(superuser_url: str) -> AsyncIterator[str]:
    """The name of a database that holds every room's tables and no rows."""
    name = f"template_{secrets.token_hex(4)}"
    await ensure_roles(f"{superuser_url}?scram_iterations=1", PASSWORDS)  # thousands of sign-ins, no secret
    await ensure_database(superuser_url, name)
    await migrate(role_url(superuser_url, OWNER, name), resolve_name(MODEL_APPS))
    yield name
    await drop_database(superuser_url, name)


@pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
async def models(template: str) -> AsyncIterator[None]:
    """Tortoise models, bound to whatever transaction is open; after the migrations, whose run unbinds them."""
    await bind_models(resolve_name(MODEL_APPS))
    yield
    await unbind_models()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def maintenance(superuser_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """The administrator's connection of this process, for what every test needs: signing in costs more than that."""
    connection = await asyncpg.connect(superuser_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def copies(
    maintenance: asyncpg.Connection[asyncpg.Record], superuser_url: str, template: str
) -> AsyncIterator[Copies]:
    """The copies of the template that this process lends to its tests."""
    lending = Copies(maintenance, superuser_url, template)
    yield lending
    await lending.close()


@pytest_asyncio.fixture(loop_scope="session")
async def database_name(copies: Copies) -> AsyncIterator[str]:
    """A database like the template, with the rights that `ensure_database` gives, that this test has for itself."""
    name = await copies.lend()
    yield name
    await copies.take_back(name)


@pytest_asyncio.fixture(loop_scope="session")
async def database(superuser_url: str, database_name: str) -> AsyncIterator[Database]:
    """The gate to that database, with the two working roles."""
    gate = gate_to(superuser_url, database_name)
    yield gate
    await gate.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tenant_id(database: Database) -> UUID:
    """A company named 晨光销售."""
    return await make_tenant(database, "晨光销售")


@pytest_asyncio.fixture(loop_scope="session")
async def other_tenant_id(database: Database) -> UUID:
    """Another company, named 远山贸易."""
    return await make_tenant(database, "远山贸易")


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands at 10:00 in Shanghai on 2026-11-23."""
    return FrozenClock(datetime(2026, 11, 23, 2, 0, tzinfo=UTC))


async def make_tenant(database: Database, name: str) -> UUID:
    """A row in the tenant directory."""
    tenant_id = new_id()
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        await transaction.execute(
            "INSERT INTO platform.tenant (id, name, preset, quotas, created_at)"
            " VALUES ($1, $2, 'general', '{}', now())",
            tenant_id,
            name,
        )
    return tenant_id


def gate_to(superuser_url: str, name: str) -> Database:
    """A gate to a database, with the two working roles."""
    urls = DatabaseUrls(app=role_url(superuser_url, APP, name), platform=role_url(superuser_url, PLATFORM, name))
    return Database(urls, size=24)


def role_url(superuser_url: str, role: str, database: str) -> str:
    """The URL of a working role."""
    return url_for(superuser_url, role=role, password=PASSWORDS[role], database=database)


async def drop_database(superuser_url: str, name: str) -> None:
    """Remove a test's database, whoever is still connected."""
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()
