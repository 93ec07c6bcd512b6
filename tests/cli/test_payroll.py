"""`saas payroll replay`: a run comes out as it was paid, and what was written over is named without an amount."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest_asyncio

from saas.kernel import Actor, FrozenClock, new_id, public_id
from saas.people import FoundedCompany
from saas.sealing import FileKeyProvider, Place, Sealer
from saas.servers import Servers
from tenants import Database, DatabaseUrls
from tests.cli.conftest import Ended, Operator
from tests.payroll_samples import BASIC, structure_of
from tests.payroll_stage import Office, office_of
from tests.staging import Company


@pytest_asyncio.fixture(loop_scope="session")
async def office(company: str, own_servers: Servers) -> AsyncIterator[Office]:
    """The payroll office of a company on the operator's own servers, sealing with the operator's keys."""
    tenant_id = UUID(company)
    url = own_servers.superuser_url.rpartition("/")[0] + "/fairlead"
    database = Database(DatabaseUrls(app=url, platform=url), size=2, platform_size=1)
    keyring = await Sealer(FileKeyProvider(own_servers.data)).keyring(tenant_id)
    async with database.transaction(tenant_id) as transaction:
        row = await transaction.fetchrow(
            "SELECT id, department_id, legal_entity_id FROM employee WHERE tenant_id = $1", tenant_id
        )
    assert row is not None
    founded = FoundedCompany(*row)
    founder = Actor(tenant_id, new_id(), founded.employee_id, frozenset({"owner"}))
    clock = FrozenClock(datetime(2026, 11, 23, 2, tzinfo=UTC))
    yield office_of(Company(database, tenant_id, clock, keyring, founded, new_id(), founder))
    await database.close()


async def paid(office: Office) -> UUID:
    structure_id = await office.save(structure_of(BASIC))
    for number in ("1001", "1002"):
        await office.assign(await office.employ(number), structure_id)
    return await office.paid()


async def test_an_untouched_run(operator: Operator, office: Office) -> None:
    run, tenant = public_id("prn", await paid(office)), str(office.company.tenant_id)
    ended = operator.saas("payroll", "replay", run, "--tenant", tenant)
    assert ended == Ended(0, "2 payslips computed again, 0 differences.\n", "")
    assert operator.saas("payroll", "replay", run, "--tenant", tenant, "--json").json == {
        "compared": 2,
        "differences": [],
    }


async def test_a_payslip_that_was_written_over(operator: Operator, office: Office) -> None:
    run_id = await paid(office)
    (row, _) = await office.company.rows(
        "SELECT id, employee_id, document_sealed FROM payslip WHERE run_id = $1", run_id
    )
    payslip_id, employee_id, sealed = row
    assert isinstance(payslip_id, UUID)
    assert isinstance(employee_id, UUID)
    assert isinstance(sealed, bytes)
    place = Place("payslip", "document_sealed", payslip_id)
    forged = office.company.keyring.open(place, sealed).replace("10000.00", "90000.00")
    await office.company.run(
        "UPDATE payslip SET document_sealed = $2 WHERE id = $1",
        payslip_id,
        office.company.keyring.seal("pay", place, forged),
    )
    ended = operator.saas(
        "payroll", "replay", public_id("prn", run_id), "--tenant", str(office.company.tenant_id), "--json"
    )
    assert ended.status == 1
    (difference,) = ended.json["differences"]
    assert (difference["payslip"], difference["employee"]) == (
        public_id("psl", payslip_id),
        public_id("emp", employee_id),
    )
    assert "net" in difference["places"]
    assert "90000" not in ended.out + ended.err


def test_what_is_no_run(operator: Operator, company: str) -> None:
    wrong = operator.saas("payroll", "replay", "run-7", "--tenant", company)
    assert wrong.status == 2
    assert "run-7 is no id of a payroll run" in wrong.err
    unknown = operator.saas("payroll", "replay", public_id("prn", new_id()), "--tenant", company)
    assert (unknown.status, unknown.out) == (1, "")
    assert "This company has no such payroll run." in unknown.err
