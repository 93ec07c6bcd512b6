"""The plan's quota of customers: exact when twenty come at once, and nothing changes where it refuses."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from uuid import UUID

from tenants import DatabaseRole, TenantQuotaExceeded
from tests.staging import Company, refused


async def set_quota(company: Company, **quotas: int) -> None:
    async with company.database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        await transaction.execute(
            "UPDATE platform.tenant SET quotas = $2 WHERE id = $1", company.tenant_id, json.dumps(quotas)
        )


async def test_a_full_plan_refuses_one_more_and_changes_nothing(company: Company) -> None:
    rep = await company.hire("0002")
    await set_quota(company, customers=2)
    await company.enter("甲")
    await company.enter("乙", keeper=rep)
    before = await company.everything()
    for keeper in (None, rep):
        refusal = await refused(company.enter("丙", keeper=keeper))
        assert isinstance(refusal, TenantQuotaExceeded)
        assert refusal.key == "tenants.quota_exceeded.customers"
        assert refusal.values == {"limit": 2, "used": 2, "adding": 1}
    assert await company.everything() == before
    await set_quota(company, customers=3)
    await company.enter("丙")


async def test_twenty_who_come_at_once_fill_the_plan_and_no_more(company: Company) -> None:
    await set_quota(company, customers=5)
    await company.enter("甲")
    outcomes = await asyncio.gather(*(company.enter(f"客户{n}") for n in range(20)), return_exceptions=True)
    assert Counter(map(type, outcomes)) == {UUID: 4, TenantQuotaExceeded: 16}
    assert await company.value("SELECT count(*) FROM customer") == 5


async def test_another_kinds_or_companys_quota_does_not_count(company: Company, other_company: Company) -> None:
    await set_quota(company, seats=0)
    await set_quota(other_company, customers=0)
    await company.enter("甲")
    assert isinstance(await refused(other_company.enter("甲")), TenantQuotaExceeded)


async def test_without_a_quota_creations_do_not_wait_for_each_other(company: Company) -> None:
    async with company.database.transaction(company.tenant_id) as transaction:
        await transaction.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('quota ' || $1::text || ' customers', 0))",
            str(company.tenant_id),
        )
        await asyncio.wait_for(asyncio.create_task(company.enter("甲")), timeout=5)
