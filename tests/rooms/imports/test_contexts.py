"""For whom a step acts: the person as they are now, in a company that signed up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest_asyncio

from saas.access import AccessTables
from saas.exchange import FolderStore, Importer, Kinds, Mode, carry_out, inspect_upload, preview_import, stage_import
from saas.extensions import PluginHost, TenantPlugins
from saas.importing import ImportContexts
from saas.kernel import Actor, FrozenClock
from saas.main import installed_product
from saas.sealing import FileKeyProvider, Sealer
from tenants import Database, DatabaseRole
from tests.companies import HOST, actor_of, enter, found
from tests.rooms.imports.toy import CATALOGUE, Accounts, accounts, blocks


@pytest_asyncio.fixture(loop_scope="session")
async def owner(database: Database, clock: FrozenClock) -> Actor:
    """The owner of a company that signed up, signed in."""
    await found(database, clock)
    return await actor_of(database, clock, (await enter(database, clock)).tokens.access_token)


@pytest_asyncio.fixture(loop_scope="session")
async def contexts(database: Database, clock: FrozenClock, tmp_path: Path) -> ImportContexts:
    """The contexts of the product's own wiring."""
    sealer = Sealer(FileKeyProvider(tmp_path / "keys"))
    return ImportContexts(database, AccessTables(database, installed_product().rights), sealer, HOST, clock)


async def test_a_context_has_the_rights_plugins_and_keys_of_now(
    database: Database, owner: Actor, contexts: ImportContexts
) -> None:
    async with database.transaction(owner.tenant_id):
        context = await contexts(replace(owner, roles=frozenset({"auditor"}), employee_id=None))
    assert (context.actor.roles, context.actor.employee_id) == (
        frozenset({"owner", "payroll_officer"}),
        owner.employee_id,
    )
    assert context.access.may("import:commit")
    assert (context.time_zone, context.keyring.tenant_id) == ("Asia/Shanghai", owner.tenant_id)
    assert context.service(PluginHost) is HOST
    assert isinstance(context.service(TenantPlugins), TenantPlugins)


async def test_who_left_the_company_imports_nothing_any_more(
    database: Database, owner: Actor, contexts: ImportContexts, clock: FrozenClock, tmp_path: Path
) -> None:
    class Customers(Accounts):
        permission = "customer:create"

    files, kinds = FolderStore(tmp_path / "uploads"), Kinds([Customers()])
    stored = await files.save(owner.tenant_id, blocks(accounts(2)))
    upload = await inspect_upload(stored, tenant_id=owner.tenant_id, filename="a.csv", kinds=kinds, files=files)
    async with database.transaction(owner.tenant_id):
        context = await contexts(owner)
        batch_id = await stage_import(context, upload, kinds=kinds, catalogue=CATALOGUE)
        await preview_import(context, batch_id=batch_id, kinds=kinds, mode=Mode.REJECT_ALL)
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        await transaction.execute(
            "UPDATE platform.membership SET valid_to = $2 WHERE tenant_id = $1", owner.tenant_id, clock.now()
        )
    importer = Importer(kinds, files, contexts, CATALOGUE, clock)
    await carry_out(database, importer, tenant_id=owner.tenant_id, batch_id=batch_id)
    async with database.transaction(owner.tenant_id) as transaction:
        row = await transaction.fetchrow("SELECT state, failure_key, failure FROM import_batch WHERE id = $1", batch_id)
    assert row is not None
    assert tuple(row) == ("failed", "exchange.person_gone", "发起导入的人已不是本公司成员，导入已停止。")
