"""What people are paid by: dated, sealed, never edited, never one's own, and ended at the company."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from saas.attendance import MonthOfDays, find_day_counts, set_day_counts
from saas.kernel import AppError, AppErrors, new_id
from saas.payroll import add_pay_item, assign_pay, declare, open_run, withdraw_pay_item
from saas.payroll.rules.inputs import OneOffEffect
from saas.sealing import Place
from tests.payroll_samples import BASIC, component, structure_of
from tests.payroll_stage import BARE, Office, office_of
from tests.staging import Company, refused


@pytest.fixture
def office(company: Company) -> Office:
    return office_of(company)


async def amounts(office: Office) -> list[tuple[Any, ...]]:
    """(opened amounts, from, to, whether superseded) of all assignments."""
    rows = await office.company.rows(
        "SELECT id, amounts_sealed, valid_from, valid_to, superseded_at IS NOT NULL FROM pay_assignment"
        " ORDER BY superseded_at IS NULL, valid_from"
    )
    keyring = office.company.keyring
    return [
        (keyring.open(Place("pay_assignment", "amounts_sealed", row[0]), row[1]), *row[2:])  # type: ignore[arg-type]
        for row in rows
    ]


async def test_a_change_supersedes_and_keeps_what_was_before(office: Office) -> None:
    structure_id = await office.save(structure_of(BASIC))
    person = await office.employ("1001")
    await office.assign(person, structure_id, "8000")
    office.later(hours=1)
    await office.assign(person, structure_id, "9000.5", on=date(2026, 6, 1))
    assert await amounts(office) == [
        ('{"base_salary":"8000.00"}', date(2026, 1, 1), None, True),
        ('{"base_salary":"8000.00"}', date(2026, 1, 1), date(2026, 6, 1), False),
        ('{"base_salary":"9000.50"}', date(2026, 6, 1), None, False),
    ]
    office.later(hours=1)
    await office.assign(person, structure_id, "7000", on=date(2026, 1, 1))
    assert [row for row in await amounts(office) if not row[3]] == [
        ('{"base_salary":"7000.00"}', date(2026, 1, 1), None, False)
    ]


async def test_a_change_of_department_leaves_one_salary(office: Office) -> None:
    """The month has two employments; what the second is given replaces what the first was."""
    structure_id = await office.save(structure_of(BASIC))
    person = await office.employ("1001")
    await office.assign(person, structure_id, "8000")
    await office.company.run(
        "WITH ended AS (UPDATE employment SET valid_to = '2026-03-01' WHERE employee_id = $1 RETURNING *)"
        " INSERT INTO employment (tenant_id, id, employee_id, legal_entity_id, department_id, valid_from, known_at)"
        " SELECT tenant_id, $2, employee_id, legal_entity_id, department_id, '2026-03-01', known_at FROM ended",
        person.employee_id,
        new_id(),
    )
    office.later(hours=1)
    await office.assign(person, structure_id, "9000", on=date(2026, 3, 1))
    assert [row for row in await amounts(office) if not row[3]] == [
        ('{"base_salary":"8000.00"}', date(2026, 1, 1), date(2026, 3, 1), False),
        ('{"base_salary":"9000.00"}', date(2026, 3, 1), None, False),
    ]
    assert (await office.documents(await office.computed()))["1001"]["net"] == "9000.00"


async def test_versions_of_structures_follow_each_other(office: Office) -> None:
    structure_id = await office.save(structure_of(BASIC))
    office.later(hours=1)
    other = structure_of(BASIC, component("extra", "100"))
    assert await office.save(other, on=date(2026, 7, 1), version=1) == structure_id
    rows = await office.company.rows(
        "SELECT hash, valid_from, valid_to FROM salary_structure_version WHERE superseded_at IS NULL"
        " ORDER BY valid_from"
    )
    assert rows == [
        (structure_of(BASIC).hash, date(2026, 1, 1), date(2026, 7, 1)),
        (other.hash, date(2026, 7, 1), None),
    ]
    before = await office.everything()
    for version in (0, 1):
        stale = await refused(office.save(other, version=version))
        assert (stale.key, stale.values["actual"]) == ("payroll.structure_changed", 2)
    with pytest.raises(AppErrors):
        await office.save(structure_of(component("a", "nothing")), version=2)
    assert await office.everything() == before


async def test_nobody_enters_their_own_pay(office: Office) -> None:
    structure_id = await office.save(structure_of(BASIC))
    person = await office.employ("1001")
    own = replace(office, clerk=replace(office.clerk, employee_id=person.employee_id))
    before = await office.everything()
    assert (await refused(own.assign(person, structure_id))).key == "payroll.own_pay"
    assert (await refused(own.add_item(person, "basic_pay", "100"))).key == "payroll.own_pay"
    assert await office.everything() == before


async def test_a_one_off_amount_is_withdrawn_before_it_is_paid_and_not_after(office: Office) -> None:
    structure_id, company = await office.save(structure_of(BASIC)), office.company
    person = await office.employ("1001")
    await office.assign(person, structure_id)
    kept, withdrawn = [await office.add_item(person, "basic_pay", amount) for amount in ("100", "7")]

    async def withdraw(item_id: Any) -> None:
        await company.within(
            lambda: withdraw_pay_item(office.clerk, item_id=item_id, reason="录错", clock=company.clock)
        )

    await withdraw(withdrawn)
    office.later(hours=1)
    run_id = await office.paid()
    assert (await office.documents(run_id))["1001"]["net"] == "10100.00"
    for item_id in (kept, withdrawn, new_id()):
        assert (await refused(withdraw(item_id))).key == "payroll.item_not_open"


async def test_days_are_replaced_month_by_month(office: Office) -> None:
    company, person = office.company, await office.employ("1001")
    employment_id = await office.employment(person)

    async def tell(month: str, **days: str) -> None:
        counts = {kind: Decimal(count) for kind, count in days.items()}
        told = [MonthOfDays(employment_id, month, counts)]
        await company.within(lambda: set_day_counts(office.clerk, told, clock=company.clock))

    await tell("2026-03", worked="20", absent="2")
    await tell("2026-04", worked="21")
    await tell("2026-03", worked="21.5", sick_leave="0.5")
    found = await company.within(lambda: find_day_counts([employment_id], month="2026-03"))
    assert dict(found) == {employment_id: {"worked": Decimal("21.50"), "sick_leave": Decimal("0.50")}}
    before = await office.everything()
    for key, attempt in (
        ("attendance.days_out_of_range", tell("2026-02", worked="29")),
        ("attendance.days_out_of_range", tell("2026-02", worked="-1")),
        ("attendance.days_out_of_range", tell("2026-02", worked="1.005")),
        ("attendance.kind_unknown", tell("2026-02", holiday="1")),
        ("attendance.month_malformed", tell("2026-13", worked="1")),
    ):
        assert (await refused(attempt)).key == key
    assert await office.everything() == before


async def test_changes_at_once_leave_one_present_assignment(office: Office) -> None:
    structure_id = await office.save(structure_of(BASIC))
    person = await office.employ("1001")
    await asyncio.gather(*(office.assign(person, structure_id, str(5000 + number)) for number in range(10)))
    assert len([row for row in await amounts(office) if not row[3]]) == 1
    await asyncio.gather(*(office.declare(person, {"bases": {}, "n": number}) for number in range(10)))
    assert await office.company.value("SELECT count(*) FROM pay_declaration WHERE superseded_at IS NULL") == 1


async def test_another_companys_ids_are_as_if_they_were_missing(office: Office, other_company: Company) -> None:
    foreign = office_of(other_company)
    structure_id = await office.save(structure_of(BASIC))
    theirs = await foreign.save(structure_of(BASIC))
    person, stranger = await office.employ("1001"), await foreign.employ("1001")
    strange = await foreign.employment(stranger)
    assert person.employee_id is not None
    employee_id = person.employee_id
    company, clock = office.company, office.company.clock
    mine: dict[str, Any] = {"valid_from": date(2026, 1, 1), "keyring": company.keyring, "clock": clock}
    base = {"base_salary": Decimal(1)}
    item: dict[str, Any] = {"month": "2026-03", "component": "a", "effect": OneOffEffect.ADD, "reason": "x"}
    before = await office.everything()
    for make_of in (
        lambda id_: assign_pay(
            office.clerk, employment_id=id_, structure_id=structure_id, amounts=base, reason="x", **mine
        ),
        lambda id_: add_pay_item(
            office.clerk, employment_id=id_, amount=Decimal(1), keyring=company.keyring, clock=clock, **item
        ),
        lambda id_: set_day_counts(office.clerk, [MonthOfDays(id_, "2026-03", {})], clock=clock),
    ):
        assert await _told(company, make_of, strange) == await _told(company, make_of, new_id())
    employment_id = await office.employment(person)
    others: list[tuple[Any, Any]] = [
        (
            lambda id_: assign_pay(
                office.clerk, employment_id=employment_id, structure_id=id_, amounts=base, reason="x", **mine
            ),
            theirs,
        ),
        (
            lambda id_: declare(office.clerk, employee_id=id_, legal_entity_id=office.entity, document={}, **mine),
            stranger.employee_id,
        ),
        (
            lambda id_: declare(office.clerk, employee_id=employee_id, legal_entity_id=id_, document={}, **mine),
            foreign.entity,
        ),
        (
            lambda id_: open_run(
                office.clerk, legal_entity_id=id_, month="2026-03", pays_on=date(2026, 3, 28), host=BARE, clock=clock
            ),
            foreign.entity,
        ),
    ]
    for make, seen in others:
        assert await _told(company, make, seen) == await _told(company, make, new_id())
    assert await office.everything() == before


async def _told(company: Company, make: Any, id_: Any) -> tuple[str, tuple[str, ...]]:
    """The refusal, without the id that it may quote."""
    refusal: AppError = await refused(company.within(lambda: make(id_)))
    return refusal.key, refusal.field
