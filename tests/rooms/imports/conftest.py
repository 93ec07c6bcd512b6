"""Fixtures of the imports' tests: toy tables in a database of their own, and companies that import into them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest_asyncio

from saas.exchange import FolderStore
from saas.kernel import Actor, FrozenClock, new_id
from saas.sealing import FileKeyProvider, Sealer
from tenants import Database, DatabaseUrls
from tenants.roles import ensure_database
from tenants.schema import APP, OWNER, PLATFORM, TenantIndex, TenantTable
from tests.conftest import drop_database, make_tenant, role_url
from tests.rooms.imports.toy import TABLES, Imports


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def toy_database(superuser_url: str, template: str) -> AsyncIterator[Database]:
    """A database with toy tables; companies in it are kept apart by row-level security."""
    name = f"imports_{secrets.token_hex(6)}"
    await ensure_database(superuser_url, name, template=template)
    await _make_tables(role_url(superuser_url, OWNER, name))
    app, platform = (role_url(superuser_url, role, name) for role in (APP, PLATFORM))
    gate = Database(DatabaseUrls(app=app, platform=platform), size=24)
    yield gate
    await gate.close()
    await drop_database(superuser_url, name)


async def _make_tables(owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute(TABLES)
    for table in ("toy_account", "toy_order"):
        for statement in TenantTable(table).sql:
            await owner.execute(statement)
    await owner.execute(str(TenantIndex("toy_account", "toy_account_ref", "ref", unique=True).sql))
    await owner.close()


@pytest_asyncio.fixture(loop_scope="session")
async def imports(toy_database: Database, clock: FrozenClock, tmp_path: Path) -> Imports:
    """A company that this test has for itself."""
    return await company_that_imports(toy_database, clock, tmp_path, "晨光销售")


@pytest_asyncio.fixture(loop_scope="session")
async def other_imports(toy_database: Database, clock: FrozenClock, tmp_path: Path) -> Imports:
    """Another company in the same database and folder."""
    return await company_that_imports(toy_database, clock, tmp_path, "远山贸易")


async def company_that_imports(database: Database, clock: FrozenClock, folder: Path, name: str) -> Imports:
    """A company with keys, a folder for uploads, and a person."""
    tenant_id = await make_tenant(database, name)
    keyring = await Sealer(FileKeyProvider(folder / "keys")).keyring(tenant_id)
    return Imports(database, tenant_id, clock, keyring, FolderStore(folder / "uploads"), person(tenant_id))


def person(tenant_id: UUID) -> Actor:
    """Somebody on the staff."""
    return Actor(tenant_id, account_id=new_id(), employee_id=new_id(), roles=frozenset({"owner"}))
