"""A company's life in the directory: created, suspended, resumed, limited, exported."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from saas.kernel import FrozenClock, new_id
from tenants import (
    PRESETS,
    Database,
    DatabaseRole,
    QuotaKind,
    TenantNotFound,
    TenantQuotaExceeded,
    TenantStatus,
    check_quota,
    create_tenant,
    export_tenant,
    get_preset,
    get_tenant,
    get_tenant_facts,
    list_tenants,
    lock_quota,
    resume_tenant,
    suspend_tenant,
)
from tenants.errors import ExportFolderNotEmpty, TenantStateUnchanged
from tests.companies import found, platform_rows

STEPS = "SELECT step, operator, reason FROM platform.tenant_event WHERE tenant_id = $1 ORDER BY step"


async def test_company_is_listed_suspended_and_resumed_with_reasons(directory: Database, clock: FrozenClock) -> None:
    async with directory.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        tenant_id = await create_tenant(name=" 晨光销售 ", preset=get_preset("general"), operator="ops", clock=clock)
        assert transaction.tenant_id == tenant_id
        await suspend_tenant(tenant_id, operator="ops", reason="unpaid", clock=clock)
        suspended = await get_tenant(tenant_id)
        with pytest.raises(TenantStateUnchanged):
            await suspend_tenant(tenant_id, operator="ops", reason="again", clock=clock)
        await resume_tenant(tenant_id, operator="ops", reason="paid", clock=clock)
        listed = await list_tenants()
    assert (suspended.name, suspended.status, suspended.version) == ("晨光销售", TenantStatus.SUSPENDED, 2)
    assert [(tenant.id, tenant.status, tenant.version) for tenant in listed] == [(tenant_id, TenantStatus.ACTIVE, 3)]
    steps = [tuple(row.values()) for row in await platform_rows(directory, STEPS, tenant_id)]
    assert steps == [("created", "ops", ""), ("resumed", "ops", "paid"), ("suspended", "ops", "unpaid")]


async def test_unknown_company_is_said_to_be_unknown(directory: Database, clock: FrozenClock) -> None:
    unknown = new_id()
    async with directory.transaction(None, role=DatabaseRole.PLATFORM):
        with pytest.raises(TenantNotFound) as refused:
            await suspend_tenant(unknown, operator="ops", reason="", clock=clock)
    assert refused.value.values == {"id": str(unknown)}


async def test_directory_is_paged_in_order_of_creation(directory: Database, clock: FrozenClock) -> None:
    async with directory.transaction(None, role=DatabaseRole.PLATFORM):
        for number in range(3):
            await create_tenant(name=f"公司{number}", preset=get_preset("general"), operator="ops", clock=clock)
        everything = await list_tenants()
        page = await list_tenants(first=2)
        rest = await list_tenants(after=page[-1].id)
    assert len(everything) == 3
    assert page + rest == everything


async def test_own_facts_are_known_to_the_application_role(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock, preset="insurance")
    async with directory.transaction(company.tenant_id):
        facts = await get_tenant_facts()
    assert (facts.name, facts.time_zone, facts.currency, facts.locale, facts.preset, facts.version) == (
        "晨光销售",
        "Asia/Shanghai",
        "CNY",
        "zh-CN",
        "insurance",
        1,
    )


async def test_quota_is_kept_to_the_last_place(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    async with directory.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        await transaction.execute("UPDATE platform.tenant SET quotas = '{\"customers\": 10}'")
    async with directory.transaction(company.tenant_id):
        await check_quota(QuotaKind.CUSTOMERS, used=9)
        await check_quota(QuotaKind.SEATS, used=1_000_000)
        with pytest.raises(TenantQuotaExceeded) as refused:
            await check_quota(QuotaKind.CUSTOMERS, used=8, adding=3)
    assert refused.value.key == "tenants.quota_exceeded.customers"
    assert refused.value.values == {"limit": 10, "used": 8, "adding": 3}


async def test_quota_lock_lets_twenty_take_exactly_what_is_left(directory: Database, clock: FrozenClock) -> None:
    company = await found(directory, clock)
    async with directory.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        await transaction.execute("UPDATE platform.tenant SET quotas = '{\"customers\": 3}'")

    async def take() -> None:
        async with directory.transaction(company.tenant_id) as transaction:
            await lock_quota(QuotaKind.CUSTOMERS)
            used = await transaction.fetchval("SELECT count(*) FROM outbox WHERE topic = 'test.taken'")
            await check_quota(QuotaKind.CUSTOMERS, used=used)
            await transaction.execute(
                "INSERT INTO outbox (SELECT (jsonb_populate_record(o, jsonb_build_object("
                "'id', gen_random_uuid(), 'topic', 'test.taken'))).* FROM outbox o LIMIT 1)"
            )

    outcomes = await asyncio.gather(*(take() for _ in range(20)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 3
    assert sum(isinstance(outcome, TenantQuotaExceeded) for outcome in outcomes) == 17


def test_presets_have_titles_in_both_languages() -> None:
    assert tuple(PRESETS) == ("general", "realty", "insurance", "software")
    assert all(set(preset.title) == {"en", "zh-CN"} for preset in PRESETS.values())
    assert PRESETS["realty"].plugins == ("realty",)


async def test_export_holds_the_company_whole_and_nobody_else(
    directory: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    company = await found(directory, clock)
    await found(directory, clock, company="远山贸易", email="wang@yuanshan.cn")
    folder = tmp_path / "export"
    manifest = await export_tenant(
        directory, company.tenant_id, folder=folder, operator="ops", reason="asked for", clock=clock
    )
    stored = json.loads((folder / "manifest.json").read_text())
    assert stored["company"] == manifest.company == "晨光销售"
    rows = {table.table: table.rows for table in manifest.tables}
    assert (rows["employee"], rows["department"], rows["legal_entity"]) == (1, 1, 1)
    for table in manifest.tables:
        content = (folder / table.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == table.sha256
        lines = [json.loads(line) for line in content.splitlines()]
        assert len(lines) == table.rows
        assert {line["tenant_id"] for line in lines} <= {str(company.tenant_id)}
    order = [table.table for table in manifest.tables]
    assert order.index("legal_entity") < order.index("employment")
    assert order.index("employee") < order.index("employment")
    assert ("exported", "ops", "asked for") in [
        tuple(row.values()) for row in await platform_rows(directory, STEPS, company.tenant_id)
    ]


async def test_export_into_a_folder_with_something_in_it_is_refused(
    directory: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    company = await found(directory, clock)
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(ExportFolderNotEmpty):
        await export_tenant(directory, company.tenant_id, folder=tmp_path, operator="ops", reason="", clock=clock)
    assert names_in(tmp_path) == ["letter.txt"]


async def test_export_of_an_unknown_company_writes_no_manifest(
    directory: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    with pytest.raises(TenantNotFound):
        await export_tenant(directory, new_id(), folder=tmp_path, operator="ops", reason="", clock=clock)
    assert names_in(tmp_path) == []


def names_in(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())
