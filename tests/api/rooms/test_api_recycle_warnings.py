"""Warnings before recycling, as the worker is wired: to the owner and to whom they report, by mail."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from uuid import UUID

from saas.background import recycle_warning, recycling_run
from saas.customers import RECYCLE_WARNED
from saas.events import Event
from saas.jobs import MailFolder
from saas.kernel import new_id, split_public_id
from tenants import DatabaseRole, get_tenant
from tests.api.rooms.web import Person, Web

AGED = """
WITH held AS (
    UPDATE customer SET created_at = created_at - interval '26 days', settings_version = NULL WHERE tenant_id = $1
)
UPDATE ownership SET started_on = started_on - 26, started_at = started_at - interval '26 days' WHERE tenant_id = $1
"""


async def warned(web: Web, owner: Person, folder: Path) -> list[str]:
    """Run recycling when the company's customers have been held for 26 days, and deliver; the addresses written to."""
    installation, tenant_id = web.installation, split_public_id(owner.company_id)[1]
    async with installation.database.transaction(None, role=DatabaseRole.PLATFORM):
        tenant = await get_tenant(tenant_id)
    async with installation.database.transaction(tenant_id) as transaction:
        await transaction.execute(AGED, tenant_id)
    report = await recycling_run(installation.database, tenant, installation.clock).run()
    assert (report.warned, report.recycled, report.failed) == (1, 0, 0)
    handler = recycle_warning(
        installation.database, MailFolder(folder), installation.product.catalogue, installation.clock
    )
    async with installation.database.transaction(tenant_id) as transaction:
        notice: UUID = await transaction.fetchval("SELECT id FROM pool_notice WHERE tenant_id = $1", tenant_id)
        now = installation.clock.now()
        await handler(Event(new_id(), tenant_id, RECYCLE_WARNED, {"notice_id": str(notice)}, now, 1))
        assert await transaction.fetchval("SELECT delivered_at FROM pool_notice WHERE id = $1", notice) is not None
    return addresses(folder)


def addresses(folder: Path) -> list[str]:
    found = [message_from_bytes(file.read_bytes(), policy=SMTP)["To"] for file in folder.glob("*.eml")]
    return sorted(each.addresses[0].addr_spec for each in found)


async def test_the_owner_and_the_sales_managers_of_the_department_are_told(web: Web, tmp_path: Path) -> None:
    owner = await web.sign_up()
    rep, manager = await owner.invite("rep"), await owner.invite("sales_manager")
    await owner.invite("rep")
    await rep.create_customer("华阳科技", keep=True)
    assert await warned(web, owner, tmp_path) == sorted([rep.email, manager.email])


async def test_whom_the_owner_reports_to_is_told_in_their_place(web: Web, tmp_path: Path) -> None:
    owner = await web.sign_up()
    rep, boss = await owner.invite("rep"), await owner.invite("rep")
    await owner.invite("sales_manager")
    await rep.create_customer("华阳科技", keep=True)
    ids = [split_public_id(each.employee_id)[1] for each in (rep, boss)]
    async with web.installation.database.transaction(split_public_id(owner.company_id)[1]) as transaction:
        await transaction.execute("UPDATE employee SET manager_id = $2 WHERE id = $1", *ids)
    assert await warned(web, owner, tmp_path) == sorted([rep.email, boss.email])
