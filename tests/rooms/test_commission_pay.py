"""From a deal to a payslip: what was collected becomes a statement, and one payroll run pays it, once."""

from __future__ import annotations

from uuid import UUID

from saas.incentives.errors import PayrollRefused
from saas.kernel import public_id
from tests.payroll_samples import BASIC, structure_of
from tests.payroll_stage import office_of
from tests.rooms.paying import APRIL, MARCH, Paying, a_plan, collected
from tests.rooms.selling import Sales
from tests.staging import Company, refused


async def test_a_locked_statement_is_paid_by_one_run_and_referred_to_by_both(company: Company) -> None:
    office, paying, sales = office_of(company), Paying.of(company), Sales(company, company.founder)
    structure_id = await office.save(structure_of(BASIC))
    rep = await office.employ("1001")
    await office.assign(rep, structure_id)
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep, "123456.78")
    unlocked = await office.computed("2026-03")
    assert (await office.documents(unlocked))["1001"]["net"] == "10000.00"
    await company.run("UPDATE payroll_run SET state = 'cancelled' WHERE id = $1", unlocked)
    await paying.settled(plan_id, MARCH)
    statement_id = await company.value("SELECT id FROM settlement_line")
    assert isinstance(statement_id, UUID)
    run_id = await office.paid("2026-03")
    document = (await office.documents(run_id))["1001"]
    (line,) = [line for line in document["lines"] if line["code"] == "commission"]
    # 3 % of 123,456.78, half up to the fen
    assert (line["amount"], line["sources"], document["net"]) == (
        "3703.70",
        [public_id("stm", statement_id)],
        "13703.70",
    )
    assert line["titles"]["zh-CN"] == "销售提成（2026-03-01 至 2026-03-31）"
    assert await company.value("SELECT payroll_run_id FROM settlement_line") == run_id
    assert (await office.replay(run_id)).differences == ()
    assert (await office.documents(await office.paid("2026-04")))["1001"]["net"] == "10000.00"
    assert await paying.owed(await office.employment(rep), APRIL, run_id) != []


async def test_commission_that_is_not_locked_can_be_looked_at_and_not_paid(company: Company) -> None:
    office, paying, sales = office_of(company), Paying.of(company), Sales(company, company.founder)
    structure_id = await office.save(structure_of(BASIC))
    rep = await office.employ("1001")
    await office.assign(rep, structure_id)
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep, "123456.78")
    calculated = await paying.commit(plan_id, MARCH)
    run_id = await office.open("2026-03", takes_open_settlements=True, computes_at_once=True)
    await office.work()
    assert (await office.run(run_id))["state"] == "computed"
    assert (await office.documents(run_id))["1001"]["net"] == "13703.70"
    plan_hash = await office.submit(run_id)
    before = await company.everything()
    refusal = await refused(office.approve(run_id, plan_hash))
    assert isinstance(refusal, PayrollRefused)
    assert (refusal.key, refusal.values) == ("incentives.statements_not_locked", {"open": 1})
    assert await company.everything() == before
    await paying.submit(calculated)
    await paying.approve(calculated)
    await paying.lock(calculated)
    await office.approve(run_id, plan_hash)
    await office.lock(run_id)
    assert await company.value("SELECT payroll_run_id FROM settlement_line") == run_id
    assert (await office.replay(run_id)).differences == ()


async def test_commission_calculated_anew_since_has_to_be_frozen_anew(company: Company) -> None:
    office, paying, sales = office_of(company), Paying.of(company), Sales(company, company.founder)
    structure_id = await office.save(structure_of(BASIC))
    rep = await office.employ("1001")
    await office.assign(rep, structure_id)
    plan_id = await paying.in_force(a_plan())
    await collected(company, sales, rep, "1000.00")
    await paying.commit(plan_id, MARCH)
    run_id = await office.open("2026-03", takes_open_settlements=True, computes_at_once=True)
    await office.work()
    plan_hash = await office.submit(run_id)
    await collected(company, sales, rep, "2000.00")
    await paying.settled(plan_id, MARCH)
    refusal = await refused(office.approve(run_id, plan_hash))
    assert (refusal.key, refusal.values) == ("incentives.statements_not_locked", {"open": 1})
    assert (await office.run(run_id))["state"] == "in_review"
