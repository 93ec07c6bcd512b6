"""Chains of chunks: each looks on behind the last person it claimed, and begins anew where nobody is left there."""

from __future__ import annotations

from uuid import UUID

from saas.events import emit
from saas.payroll import PAYSLIPS_AWAITED, compute_run
from tests.payroll_samples import STRUCTURE
from tests.payroll_stage import office_of
from tests.staging import Company

_COMPUTED = "SELECT count(*) FROM payslip WHERE run_id = $1"


async def test_a_chain_passes_by_nobody_for_good(company: Company) -> None:
    office = office_of(company, chunk=2)
    structure_id = await office.save(STRUCTURE)
    for number in range(5):
        await office.assign(await office.employ(f"1{number:03}", name=f"员工{number}"), structure_id)
    run_id = await office.open()
    await office.work()
    await company.within(lambda: compute_run(office.clerk, run_id=run_id, clock=company.clock))
    await company.run("UPDATE outbox SET done_at = now(), due_at = NULL WHERE topic = 'payroll.payslips_awaited'")
    rows = await company.rows("SELECT employee_id FROM payroll_input WHERE run_id = $1 ORDER BY employee_id", run_id)
    people = [UUID(str(row[0])) for row in rows]

    behind = {"run_id": str(run_id), "after": str(people[3])}
    await company.within(lambda: emit(PAYSLIPS_AWAITED, behind))
    assert await office.work(most=1) == 1
    assert await company.rows("SELECT employee_id FROM payslip WHERE run_id = $1 ORDER BY 1", run_id) == [
        (people[0],),
        (people[1],),
    ]
    (payload,) = await company.rows("SELECT payload->>'after' FROM outbox WHERE done_at IS NULL")
    assert payload == (str(people[1]),)
    await office.work()
    assert await company.value(_COMPUTED, run_id) == 5
    assert (await office.run(run_id))["state"] == "computed"
