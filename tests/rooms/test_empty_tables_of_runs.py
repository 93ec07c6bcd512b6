"""A run whose tables were just found empty: plans that were made then are kept, and must not read tables end to end."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from saas.kernel import FrozenClock
from saas.payroll import compute_run
from tenants import Database
from tenants.schema import OWNER
from tests.conftest import make_tenant, role_url
from tests.payroll_stage import office_of
from tests.staging import Company, stage

_PEOPLE = 7
_SCANS = """
SELECT sum(seq_scan), sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('payroll_input', 'payslip')
"""


async def test_frozen_and_computed_without_reading_tables_end_to_end(
    database: Database, database_name: str, superuser_url: str, clock: FrozenClock, tmp_path: Path
) -> None:
    company = await stage(database, await make_tenant(database, "晨光销售"), clock, tmp_path)
    office = office_of(company, chunk=2)
    for number in range(_PEOPLE):
        await office.employ(f"1{number:03}", name=f"员工{number}")
    owner = await asyncpg.connect(role_url(superuser_url, OWNER, database_name))
    for table in ("payroll_input", "payslip"):
        await owner.execute(f"VACUUM {table}")
        found = await owner.fetchrow("SELECT relpages, reltuples FROM pg_class WHERE relname = $1", table)
        assert tuple(found or ()) == (0, 0)
    await owner.close()
    before = await _scans(company)

    run_id = await office.open()
    assert await office.work() == _PEOPLE // 2 + 1
    await company.within(lambda: compute_run(office.clerk, run_id=run_id, clock=company.clock))
    await office.work()

    assert await _scans(company) == before
    run = await office.run(run_id)
    assert (run["state"], run["frozen"], run["failed"]) == ("computed", _PEOPLE, _PEOPLE)


async def _scans(company: Company) -> tuple[object, ...]:
    await company.run("SELECT pg_stat_force_next_flush()")
    (counts,) = await company.rows(_SCANS)
    return counts
