"""A year that begins, in China, through the database: settings pinned, declarations sealed, tax cumulated by locks."""

from __future__ import annotations

from typing import Any

import pytest_asyncio

from plugins import china
from plugins.china.settings import UNVERIFIED
from saas.extensions import PluginHost, enable_plugin
from saas.kernel import public_id
from saas.main import HOOKS
from saas.payroll import failed_payslips
from tenants import DatabaseRole
from tests.payroll_samples import BASIC, structure_of
from tests.payroll_stage import Office, office_of
from tests.staging import Company, refused

HOST = PluginHost(HOOKS, {"china": china})
DECLARED = {"bases": {}, "other": "4500", "specialAdditional": "2000"}


def settings(office: Office) -> dict[str, Any]:
    founder = public_id("emp", office.company.founded.employee_id)
    entity = {"legalEntity": public_id("ent", office.entity), "city": "SHANGHAI", "fundRate": "0.07"}
    return {
        "entities": [{**entity, "injuryRate": "0.002"}],
        "confirmations": [{"row": row, "confirmedBy": founder, "confirmedOn": "2026-01-05"} for row in UNVERIFIED],
    }


async def set_up(office: Office) -> None:
    company = office.company
    async with company.database.transaction(company.tenant_id, role=DatabaseRole.PLATFORM):
        await enable_plugin(
            office.clerk,
            host=HOST,
            plugin="china",
            settings=settings(office),
            reason="上线",
            expected_version=0,
            clock=company.clock,
        )
    # Settings begin today at the earliest; the months of these tests lie before.
    await company.run("UPDATE plugin_setting SET valid_from = '2025-01-01' WHERE superseded_at IS NULL")


@pytest_asyncio.fixture(loop_scope="session")
async def office(company: Company) -> Office:
    office = office_of(company, host=HOST)
    await set_up(office)
    structure_id = await office.save(structure_of(BASIC))
    person = await office.employ("1001")
    await office.assign(person, structure_id, "30000")
    await office.declare(person, DECLARED)
    return office


async def tax(office: Office, run_id: Any) -> str:
    lines = {line["code"]: line["amount"] for line in (await office.documents(run_id))["1001"]["lines"]}
    return str(lines["china.income_tax"])


async def test_tax_is_cumulated_from_lock_to_lock(office: Office) -> None:
    """The published example: 555, 625, 1,850."""
    runs = [await office.paid(month) for month in ("2026-01", "2026-02", "2026-03")]
    assert [await tax(office, run_id) for run_id in runs] == ["555.00", "625.00", "1850.00"]
    for run_id in runs:
        replay = await office.replay(run_id)
        assert (replay.compared, replay.differences) == (1, ())
    assert await office.company.value("SELECT count(*) FROM year_to_date") == 1
    row = await office.run(runs[0])
    assert (row["pack"], row["pack_version"], row["pack_calculation"]) == ("china", "1.0.0", "v1")


async def test_a_cancelled_run_leaves_the_year_as_it_was(office: Office) -> None:
    first = await office.computed("2026-01")
    await office.company.run("UPDATE payroll_run SET state = 'cancelled' WHERE id = $1", first)
    assert await office.company.value("SELECT count(*) FROM year_to_date") == 0
    assert await tax(office, await office.computed("2026-01")) == "555.00"


async def test_a_closed_run_is_replayed_with_the_settings_that_it_pinned(office: Office) -> None:
    run_id = await office.paid("2026-01")
    office.later(hours=1)
    await office.company.run("UPDATE plugin_setting SET settings = jsonb_set(settings, '{entities}', '[]')")
    assert (await office.replay(run_id)).differences == ()
    assert (await refused(office.open("2026-02"))).key == "china.legal_entity_not_placed"


async def test_the_years_calendar_must_be_published(office: Office) -> None:
    before = await office.everything()
    assert (await refused(office.open("2027-01"))).key == "china.calendar_not_in_force"
    assert await office.everything() == before


async def test_declarations_that_do_not_fit_fail_one_person(office: Office) -> None:
    structure_id = await office.company.value("SELECT id FROM salary_structure")
    other = await office.employ("1002")
    await office.assign(other, structure_id)  # type: ignore[arg-type]
    await office.declare(other, {"bases": {"PENSIONS": "1"}})
    run_id = await office.computed("2026-01")
    found = await office.company.within(lambda: failed_payslips(run_id))
    assert [(each.number, each.failure) for each in found] == [("1002", "extensions.setting_not_allowed")]
    assert await tax(office, run_id) == "555.00"
