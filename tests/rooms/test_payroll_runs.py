"""Runs: frozen, computed, previewed, approved by a second person, locked, published; and what each step refuses."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from saas.attendance import MonthOfDays, set_day_counts
from saas.kernel import ErrorCode, new_id
from saas.payroll import (
    SettledCommission,
    approve_run,
    arrived_since,
    cancel_run,
    component_changes,
    exclude_from_run,
    failed_payslips,
    get_run,
    refreeze_inputs,
    resume_run,
    send_back_run,
)
from saas.payroll.queries import present_plan_hash
from saas.sealing import Place
from tenants.schema import OWNER
from tests.companies import trail
from tests.conftest import role_url
from tests.payroll_samples import BASIC, STRUCTURE, component, structure_of, titles
from tests.payroll_stage import Ledger, Office, office_of
from tests.staging import Company, refused

SHARE = structure_of(BASIC, component("share", "1000 / days_worked"))


@pytest.fixture
def office(company: Company) -> Office:
    return office_of(company)


async def staffed(office: Office, people: int, structure: Any = STRUCTURE) -> list[Any]:
    """People with 10,000 a month each."""
    structure_id = await office.save(structure)
    staff = [await office.employ(f"1{number:03}", name=f"员工{number}") for number in range(people)]
    for person in staff:
        await office.assign(person, structure_id)
    return staff


async def tell_days(office: Office, person: Any, **days: str) -> None:
    company, employment_id = office.company, await office.employment(person)
    month = MonthOfDays(employment_id, "2026-03", {kind: Decimal(count) for kind, count in days.items()})
    await company.within(lambda: set_day_counts(office.clerk, [month], clock=company.clock))


async def test_a_run_from_opening_to_published_payslips(office: Office) -> None:
    staff = await staffed(office, 6)
    await tell_days(office, staff[0], worked="20", absent="2")
    run_id = await office.open(pays_on=date(2026, 4, 10))
    opened = await office.run(run_id)
    assert (opened["state"], opened["stage"], opened["people"], opened["frozen"]) == ("draft", "freezing", 6, 0)
    await office.work()
    assert ((await office.run(run_id))["stage"], (await office.run(run_id))["frozen"]) == ("frozen", 6)
    await office.compute(run_id)
    computed = await office.run(run_id)
    assert (computed["state"], computed["computed"], computed["failed"]) == ("computed", 6, 0)
    assert len(computed["plan_hash"]) == 64
    documents = await office.documents(run_id)
    # 10,000 x 20 / 21.75 + 400 of meals + 450 of bonus - 100
    assert [document["net"] for _, document in sorted(documents.items())] == ["9945.40", *["10790.00"] * 5]
    assert documents["1000"]["findings"] == [{"key": "payroll.no_pack", "args": {}, "isBlocking": False}]
    await office.approve(run_id, await office.submit(run_id))
    await office.lock(run_id)
    assert await office.company.value("SELECT state FROM pay_period") == "closed"
    assert await office.company.value("SELECT count(*) FROM payslip WHERE published_at IS NOT NULL") == 0
    await office.publish(run_id)
    assert await office.company.value("SELECT count(*) FROM payslip WHERE published_at IS NOT NULL") == 6
    assert (await office.replay(run_id)).differences == ()
    assert [step for step in await trail(office.company.database, office.company.tenant_id) if "payroll" in step] == [
        "payroll_run.approved",
        "payroll_run.computing_begun",
        "payroll_run.locked",
        "payroll_run.opened",
        "payroll_run.published",
        "payroll_run.submitted",
    ]


def stands_open(row: str, amount: str) -> bool:
    """Whether a row's text shows an amount: in words, in minor units, or as bytes that nobody sealed.

    Bytes are read as what they are: their hexadecimal digits alone would show any five digits sooner or later.
    """
    words = re.sub(r"\\+x([0-9a-f]*)", lambda match: f" {bytes.fromhex(match[1]).decode('latin-1')} ", row)
    return re.search(rf"(?<![0-9a-fA-F]){amount}(00)?(?![0-9a-fA-F])", words) is not None


def test_an_amount_that_stands_open_is_seen() -> None:
    assert stands_open('(7,"{""net"": ""10790.00""}")', "10790")
    assert stands_open("(7,1079000,2026)", "10790")
    assert stands_open('(7,"\\\\x223130373930")', "10790")
    assert not stands_open('(7,"\\\\x5fe0cbd60610790418c1",0061079041c5ca37)', "10790")


async def test_no_amount_of_a_person_stands_open_in_the_database(office: Office) -> None:
    await staffed(office, 2)
    run_id = await office.paid()
    assert (await office.documents(run_id))["1000"]["net"] == "10790.00"
    for table, rows in (await office.everything()).items():
        for (text,) in rows:
            assert not stands_open(str(text), "10790"), table
            assert not stands_open(str(text), "10000"), table


async def test_totals_are_open_for_groups_of_five_and_no_smaller_ones(office: Office) -> None:
    await staffed(office, 5)
    run_id = await office.computed()
    rows = await office.company.rows(
        "SELECT dimension, measure, people, amount_minor FROM payroll_total WHERE run_id = $1 AND key <> 'ratio'"
        " AND (dimension <> 'component' OR key IN ('basic_pay', 'loan')) ORDER BY 1, 2, 3",
        run_id,
    )
    assert [row for row in rows if row[1] in ("amount", "net", "gross")] == [
        ("component", "amount", 5, 5_000_000),
        ("component", "amount", 5, 50_000),
        ("department", "gross", 5, 5_445_000),
        ("department", "net", 5, 5_395_000),
        ("legal_entity", "gross", 5, 5_445_000),
        ("legal_entity", "net", 5, 5_395_000),
    ]
    (anybody, *_) = await office.company.rows("SELECT employee_id FROM payslip WHERE run_id = $1", run_id)
    await exclude(office, run_id, anybody[0])
    assert await office.company.value("SELECT count(amount_minor) FROM payroll_total WHERE run_id = $1", run_id) == 0
    assert await office.company.value("SELECT max(people) FROM payroll_total WHERE run_id = $1", run_id) == 4


async def exclude(office: Office, run_id: Any, employee_id: Any, reason: str = "停薪留职") -> None:
    company = office.company
    await company.within(
        lambda: exclude_from_run(
            office.clerk, run_id=run_id, employee_id=employee_id, reason=reason, clock=company.clock
        )
    )
    await office.work()


async def test_one_division_by_zero_fails_one_person_and_names_them(office: Office) -> None:
    staff = await staffed(office, 3, SHARE)
    for person, worked in zip(staff, ("20", "0", "10"), strict=True):
        await tell_days(office, person, worked=worked)
    run_id = await office.computed()
    documents = await office.documents(run_id)
    assert {number: document["state"] for number, document in documents.items()} == {
        "1000": "ok",
        "1001": "failed",
        "1002": "ok",
    }
    assert documents["1000"]["net"] == "10050.00"
    assert [failure["key"] for failure in documents["1001"]["failures"]] == ["formulas.division_by_zero"]
    (found,) = await office.company.within(lambda: failed_payslips(run_id))
    assert (found.number, found.name, found.failure) == ("1001", "员工1", "formulas.division_by_zero")
    before = await office.everything()
    refusal = await refused(office.submit(run_id))
    assert (refusal.key, refusal.values) == ("payroll.payslips_unresolved", {"failed": 1})
    assert await office.everything() == before


async def test_a_failed_person_is_put_right_or_excluded_and_the_run_goes_on(office: Office) -> None:
    staff = await staffed(office, 3, SHARE)
    for person in staff:
        await tell_days(office, person, worked="0")
    run_id, company = await office.computed(), office.company
    assert (await office.run(run_id))["failed"] == 3
    office.later(hours=1)
    await tell_days(office, staff[0], worked="20")
    arrived = await company.within(lambda: _arrived(run_id))
    assert [(fact.kind, fact.employee_id) for fact in arrived] == [("attendance", staff[0].employee_id)]
    for person in staff[:2]:
        await refreeze(office, run_id, person.employee_id)
    assert await company.within(lambda: _arrived(run_id)) == []
    await exclude(office, run_id, staff[1].employee_id)
    await exclude(office, run_id, staff[2].employee_id, "长期病假")
    run = await office.run(run_id)
    assert (run["state"], run["computed"], run["failed"], run["excluded"]) == ("computed", 3, 0, 2)
    await office.approve(run_id, await office.submit(run_id))
    await office.lock(run_id)
    await office.publish(run_id)
    rows = await company.rows(
        "SELECT state, exclusion, published_at IS NOT NULL FROM payslip WHERE run_id = $1 ORDER BY employee_id", run_id
    )
    assert rows == [("ok", None, True), ("excluded", "停薪留职", False), ("excluded", "长期病假", False)]


async def refreeze(office: Office, run_id: Any, *employee_ids: Any) -> None:
    company = office.company
    await company.within(
        lambda: refreeze_inputs(
            office.clerk,
            run_id=run_id,
            employee_ids=list(employee_ids),
            keyring=company.keyring,
            commission=office.commission,
            clock=company.clock,
        )
    )
    await office.work()


async def _arrived(run_id: Any) -> Any:
    return await arrived_since(await get_run(run_id))


async def test_people_without_pay_are_named_and_not_left_out(office: Office) -> None:
    structure_id = await office.save(on=date(2026, 4, 1))
    person, other = await office.employ("1001"), await office.employ("1002")
    office.later(hours=1)
    run_id = await office.computed()
    found = await office.company.within(lambda: failed_payslips(run_id))
    assert [(each.number, each.failure) for each in found] == [
        ("1001", "payroll.not_assigned"),
        ("1002", "payroll.not_assigned"),
    ]
    refusal = await refused(office.assign(person, structure_id))
    assert (refusal.key, refusal.code) == ("payroll.structure_not_found", ErrorCode.NOT_FOUND)
    await office.save(on=date(2026, 1, 1), version=1)
    office.later(hours=1)
    await office.assign(person, structure_id)
    await refreeze(office, run_id, person.employee_id, other.employee_id)
    found = await office.company.within(lambda: failed_payslips(run_id))
    assert [each.number for each in found] == ["1002"]


async def test_who_opened_computed_or_changed_a_run_does_not_approve_it(office: Office) -> None:
    staff = await staffed(office, 2)
    opener, computer, changer = (replace(office.clerk, account_id=new_id()) for _ in range(3))
    run_id = await office.open(actor=opener)
    await office.work()
    await office.compute(run_id, actor=computer)
    company = office.company
    await company.within(
        lambda: exclude_from_run(
            changer, run_id=run_id, employee_id=staff[0].employee_id, reason="离职结算", clock=company.clock
        )
    )
    await office.work()
    plan = await office.submit(run_id)
    before = await office.everything()
    for actor in (opener, computer, changer):
        refusal = await refused(office.approve(run_id, plan, actor=actor))
        assert (refusal.key, refusal.code) == ("payroll.own_run", ErrorCode.RULE_REFUSED)
    assert await office.everything() == before
    await office.approve(run_id, plan)
    assert (await office.run(run_id))["state"] == "approved"


async def test_the_database_itself_wants_two_people(office: Office) -> None:
    await staffed(office, 1)
    run_id = await office.computed()
    with pytest.raises(asyncpg.CheckViolationError, match="payroll_run_two_people"):
        await office.company.run("UPDATE payroll_run SET approved_by = opened_by WHERE id = $1", run_id)


async def test_a_stale_plan_is_not_committed(office: Office) -> None:
    staff = await staffed(office, 2)
    run_id, company = await office.computed(), office.company
    old = await office.submit(run_id)
    await company.within(
        lambda: send_back_run(office.approver, run_id=run_id, reason="请核对奖金", clock=company.clock)
    )
    office.later(hours=1)
    await office.add_item(staff[0], "bonus", "50")
    await refreeze(office, run_id, staff[0].employee_id)
    new = await office.submit(run_id)
    assert new != old
    before = await office.everything()
    refusal = await refused(office.approve(run_id, old))
    assert (refusal.key, refusal.code, refusal.field) == ("payroll.plan_stale", ErrorCode.PLAN_CHANGED, ("planHash",))
    assert await office.everything() == before
    await office.approve(run_id, new)


async def test_a_payslip_changed_behind_the_plan_is_noticed_at_approval_lock_and_replay(office: Office) -> None:
    staff = await staffed(office, 2)
    run_id, company = await office.computed(), office.company
    plan = await office.submit(run_id)
    await company.run("UPDATE payslip SET digest = repeat('0', 32) WHERE employee_id = $1", staff[0].employee_id)
    assert (await refused(office.approve(run_id, plan))).key == "payroll.plan_stale"
    assert [each.places for each in (await office.replay(run_id)).differences] == [("digest",)]
    await company.run("UPDATE payroll_run SET state = 'approved' WHERE id = $1", run_id)
    assert (await refused(office.lock(run_id))).key == "payroll.payslip_changed"
    assert await company.value("SELECT state FROM pay_period") == "open"


async def test_replay_names_what_was_written_over(office: Office) -> None:
    await staffed(office, 2)
    run_id, company = await office.paid(), office.company
    (row,) = await company.rows("SELECT s.id, s.document_sealed FROM payslip s LIMIT 1")
    place = Place("payslip", "document_sealed", row[0])  # type: ignore[arg-type]
    text = company.keyring.open(place, row[1]).replace('"net":"10790.00"', '"net":"90790.00"')  # type: ignore[arg-type]
    await company.run(
        "UPDATE payslip SET document_sealed = $2 WHERE id = $1", row[0], company.keyring.seal("pay", place, text)
    )
    replay = await office.replay(run_id)
    assert replay.compared == 2
    assert [(each.payslip_id, each.places) for each in replay.differences] == [(row[0], ("net",))]


async def test_a_closed_period_takes_no_second_run(office: Office) -> None:
    await staffed(office, 1)
    await office.paid()
    before = await office.everything()
    refusal = await refused(office.open())
    assert (refusal.key, refusal.values) == ("payroll.period_closed", {"month": "2026-03"})
    assert await office.everything() == before
    assert (await office.run(await office.open("2026-04")))["state"] == "draft"


async def test_a_legal_entity_has_one_run_under_way(office: Office) -> None:
    await staffed(office, 1)
    run_id, company = await office.open(), office.company
    before = await office.everything()
    for month in ("2026-03", "2026-04"):
        refusal = await refused(office.open(month))
        assert (refusal.key, refusal.code) == ("payroll.run_under_way", ErrorCode.CONFLICT)
    assert await office.everything() == before
    await company.within(lambda: cancel_run(office.clerk, run_id=run_id, reason="月份有误", clock=company.clock))
    again = await office.open()
    assert (await office.run(run_id))["state"] == "cancelled"
    assert await office.work() > 0
    assert (await office.run(again))["stage"] == "frozen"
    assert await company.value("SELECT count(*) FROM payroll_input WHERE run_id = $1", run_id) == 0


async def test_chunks_stop_with_a_cancelled_run_and_go_on_after_a_lost_one(company: Company) -> None:
    office = office_of(company, chunk=2)
    await staffed(office, 5)
    run_id = await office.open()
    assert await office.work(most=1) == 1
    assert (await office.run(run_id))["frozen"] == 2
    await company.run("DELETE FROM outbox WHERE topic = 'payroll.inputs_awaited'")
    await company.within(lambda: resume_run(office.clerk, run_id=run_id, clock=company.clock))
    await office.work()
    run = await office.run(run_id)
    assert (run["stage"], run["frozen"], run["people"]) == ("frozen", 5, 5)
    refusal = await refused(company.within(lambda: resume_run(office.clerk, run_id=run_id, clock=company.clock)))
    assert (refusal.key, refusal.values) == ("payroll.run_busy", {"step": "resume", "stage": "frozen"})
    await office.compute(run_id)
    whole = (await office.run(run_id))["plan_hash"]
    await company.within(lambda: cancel_run(office.clerk, run_id=run_id, reason="重算", clock=company.clock))
    assert len(whole) == 64
    refusal = await refused(office.submit(run_id))
    assert refusal.values == {"step": "submit", "state": "cancelled", "needed": "computed"}


async def test_the_size_of_chunks_changes_no_payslip(company: Company) -> None:
    by_one = office_of(company, chunk=1)
    await staffed(by_one, 5)
    first = await by_one.computed()
    one = await by_one.documents(first)
    await company.within(lambda: cancel_run(by_one.clerk, run_id=first, reason="重算", clock=company.clock))
    second = await office_of(company, chunk=200).computed()
    assert await by_one.documents(second) == one


async def test_a_plan_reads_the_inputs_of_each_person_once(
    company: Company, superuser_url: str, database_name: str
) -> None:
    """Whatever the planner believes: here, that the tables are as empty as they were just found."""
    owner = await asyncpg.connect(role_url(superuser_url, OWNER, database_name))
    await owner.execute("VACUUM (ANALYZE) payslip, payroll_input")
    await owner.close()
    office, people = office_of(company), 40
    await staffed(office, people)
    run_id = await office.computed()
    read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'payroll_input'"
    async with company.database.transaction(company.tenant_id) as transaction:
        run = await get_run(run_id)
        before = await transaction.fetchval(read)
        plan = await present_plan_hash(run)
        assert await transaction.fetchval(read) - before == people
    assert plan == run.facts.plan_hash


async def test_a_step_delivered_twice_does_nothing_twice(office: Office) -> None:
    await staffed(office, 3)
    run_id = await office.open()
    payload, jobs = {"run_id": str(run_id)}, office.jobs()
    for _ in range(3):
        await office.deliver(new_id(), "payroll.inputs_awaited", payload, jobs=jobs)
    assert (await office.run(run_id))["frozen"] == 3
    await office.compute(run_id)
    before = await office.everything()
    await office.deliver(new_id(), "payroll.payslips_awaited", payload, jobs=jobs)
    assert await office.everything() == before


async def test_one_off_amounts_are_paid_once_and_commission_is_handed_over(company: Company) -> None:
    ledger = Ledger()
    office = office_of(company, commission=ledger)
    (person,) = await staffed(office, 1)
    ledger.waiting[await office.employment(person)] = [
        SettledCommission("sli_7", Decimal("1234.56"), titles("二月提成", "Commission"))
    ]
    item = await office.add_item(person, "bonus", "50")
    run_id = await office.paid()
    lines = {
        line["code"]: (line["amount"], line["sources"]) for line in (await office.documents(run_id))["1000"]["lines"]
    }
    assert lines["commission"] == ("1234.56", ["sli_7"])
    assert lines["bonus"] == ("500.00", [f"pit_{item.hex}"])
    assert ledger.paid == [("sli_7", run_id)]
    assert await company.value("SELECT run_id FROM pay_item") == run_id
    assert (await office.documents(await office.computed("2026-04")))["1000"]["net"] == "12024.56"


async def test_differences_against_the_month_before(office: Office) -> None:
    staff = await staffed(office, 6)
    await office.paid()
    for person in staff:
        await office.add_item(person, "bonus", "10", month="2026-04")
    run_id = await office.computed("2026-04")

    async def changes() -> dict[str, Any]:
        return {each.code: (each.before, each.after) for each in await component_changes(await get_run(run_id))}

    found = await office.company.within(changes)
    assert found["basic_pay"] == (Decimal(60000), Decimal(60000))
    assert found["bonus"] == (Decimal(2700), Decimal(2760))


async def test_a_raise_is_dated_and_a_run_that_was_open_before_keeps_what_it_knew(office: Office) -> None:
    (person,) = await staffed(office, 1, structure_of(BASIC))
    run_id = await office.open()
    office.later(hours=1)
    structure_id = await office.company.value("SELECT id FROM salary_structure")
    await office.assign(person, structure_id, "20000", on=date(2026, 3, 16))  # type: ignore[arg-type]
    await office.work()
    await office.compute(run_id)
    assert (await office.documents(run_id))["1000"]["net"] == "10000.00"
    arrived = await office.company.within(lambda: _arrived(run_id))
    assert ("pay_assignment", person.employee_id) in {(fact.kind, fact.employee_id) for fact in arrived}
    await refreeze(office, run_id, person.employee_id)
    # 10 pay days at 10,000, 12 at 20,000 of 22
    assert (await office.documents(run_id))["1000"]["net"] == "15454.55"


async def test_another_company_sees_no_run(office: Office, other_company: Company) -> None:
    await staffed(office, 1)
    run_id = await office.computed()
    for attempt in (
        other_company.within(lambda: get_run(run_id)),
        other_company.within(
            lambda: approve_run(
                other_company.founder,
                run_id=run_id,
                agreed="x",
                keyring=other_company.keyring,
                commission=office.commission,
                clock=other_company.clock,
            )
        ),
    ):
        assert (await refused(attempt)).key == "payroll.run_not_found"
