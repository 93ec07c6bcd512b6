"""The people room: founding, departments and their closure, staff numbers, sealed phone numbers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from saas.kernel import Actor, BadUserInput, FrozenClock, new_id
from saas.people import create_department, create_employee, get_employee, link_account
from saas.people.errors import AccountTaken, DepartmentNotFound, EmployeeNotFound, EmployeeNumberTaken
from saas.people.models import Employee
from saas.sealing import Place
from tenants import Database
from tests.staging import ZONE, Company, refused, stage


async def department(company: Company, name: str, parent_id: UUID | None = None) -> UUID:
    made = await company.within(
        lambda: create_department(company.founder, name=name, parent_id=parent_id, clock=company.clock)
    )
    return made.id


async def hired(
    company: Company,
    *,
    number: str = "0002",
    name: str = "单伟",
    department_id: UUID | None = None,
    hired_on: date | None = None,
    phone: str | None = None,
) -> Employee:
    return await company.within(
        lambda: create_employee(
            company.founder,
            name=name,
            number=number,
            department_id=department_id,
            position=" 销售 ",
            hired_on=hired_on,
            phone=phone,
            keyring=company.keyring,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def test_a_company_begins_with_an_entity_a_root_and_its_founder(company: Company) -> None:
    founded = company.founded
    assert await company.rows("SELECT id, name FROM legal_entity") == [(founded.legal_entity_id, "晨光销售有限公司")]
    assert await company.rows("SELECT id, name, parent_id FROM department") == [
        (founded.department_id, "晨光销售有限公司", None)
    ]
    assert await company.rows("SELECT id, number, name, name_key, account_id, hired_on, status FROM employee") == [
        (
            founded.employee_id,
            "0001",
            "韩梅梅",
            "han mei mei",
            company.founder.account_id,
            date(2026, 11, 23),
            "active",
        )
    ]
    assert await company.rows("SELECT employee_id, valid_from, valid_to FROM employment") == [
        (founded.employee_id, date(2026, 11, 23), None)
    ]
    assert await company.rows("SELECT action, object_id FROM audit_entry") == [
        ("people.company_founded", founded.legal_entity_id)
    ]


async def test_the_founder_is_hired_on_the_day_of_the_companys_own_calendar(
    database: Database, tenant_id: UUID, tmp_path: Path
) -> None:
    late = FrozenClock(datetime(2026, 11, 22, 16, 30, tzinfo=UTC))
    company = await stage(database, tenant_id, late, tmp_path)
    assert await company.value("SELECT hired_on FROM employee") == date(2026, 11, 23)


async def test_a_second_root_is_refused_by_the_database(company: Company) -> None:
    with pytest.raises(Exception, match="department_one_root"):
        await company.run(
            "INSERT INTO department (tenant_id, id, name, name_key, created_at) VALUES ($1, $2, 'x', 'x', now())",
            company.tenant_id,
            new_id(),
        )


async def test_the_closure_holds_every_ancestor_with_its_distance(company: Company) -> None:
    root = company.founded.department_id
    east = await department(company, "华东大区")
    shanghai = await department(company, "上海", east)
    west = await department(company, "西部大区")
    found = await company.rows("SELECT ancestor_id, descendant_id, depth FROM department_closure")
    assert set(found) == {
        (root, root, 0),
        (east, east, 0),
        (shanghai, shanghai, 0),
        (west, west, 0),
        (root, east, 1),
        (root, west, 1),
        (east, shanghai, 1),
        (root, shanghai, 2),
    }
    assert len(found) == 8
    assert await company.value("SELECT name_key FROM department WHERE id = $1", east) == "hua dong da qu"
    assert await company.value("SELECT changes::text FROM audit_entry WHERE object_id = $1", shanghai) == (
        f'{{"name": [null, "上海"], "parent": [null, "{east}"]}}'
    )


@pytest.mark.parametrize("name", ["", "  ", "部" * 101])
async def test_a_department_needs_a_name(company: Company, name: str) -> None:
    refusal = await refused(department(company, name))
    assert isinstance(refusal, BadUserInput)
    assert refusal.field == ("input", "name")
    assert await company.value("SELECT count(*) FROM department") == 1


async def test_a_department_below_a_missing_one_is_refused(company: Company) -> None:
    refusal = await refused(department(company, "孤儿", new_id()))
    assert isinstance(refusal, DepartmentNotFound)
    assert refusal.field == ("input", "parentId")


async def test_a_person_is_put_on_the_staff(company: Company) -> None:
    east = await department(company, "华东大区")
    person = await hired(company, department_id=east, hired_on=date(2026, 1, 5))
    assert (person.name, person.name_key, person.number) == ("单伟", "shan wei", "0002")
    assert (person.department_id, person.position, person.status) == (east, "销售", "active")
    assert person.legal_entity_id == company.founded.legal_entity_id
    assert (person.phone_sealed, person.phone_masked, person.phone_index) == (None, None, None)
    assert await company.rows(
        "SELECT department_id, position, valid_from, valid_to FROM employment WHERE employee_id = $1", person.id
    ) == [(east, "销售", date(2026, 1, 5), None)]
    assert await company.value("SELECT changes::text FROM audit_entry WHERE object_id = $1", person.id) == (
        f'{{"number": [null, "0002"], "department": [null, "{east}"]}}'
    )


async def test_by_default_a_person_starts_today_in_the_root_department(company: Company) -> None:
    person = await hired(company)
    assert (person.department_id, person.hired_on) == (company.founded.department_id, date(2026, 11, 23))


async def test_the_phone_number_is_sealed_masked_and_found_by_its_blind_index(company: Company) -> None:
    person = await hired(company, phone="+86 138-0013-8000")
    assert person.phone_masked == "138****8000"
    assert person.phone_sealed is not None
    place = Place(table="employee", column="phone_sealed", row_id=person.id)
    assert company.keyring.open(place, person.phone_sealed) == "13800138000"
    assert person.phone_index == company.keyring.blind_index("employee.phone", "13800138000")
    stored = await company.rows("SELECT e::text FROM employee e UNION ALL SELECT a::text FROM audit_entry a")
    assert "13800138000" not in repr(stored)


async def test_what_is_not_a_phone_number_is_refused_at_its_field(company: Company) -> None:
    before = await company.everything()
    refusal = await refused(hired(company, phone="call me"))
    assert (refusal.key, refusal.field) == ("sealing.not_a_phone", ("input", "phone"))
    assert await company.everything() == before


async def test_a_staff_number_belongs_to_one_person(company: Company) -> None:
    await hired(company, number="0002")
    before = await company.everything()
    refusal = await refused(hired(company, number=" 0002 ", name="另一人"))
    assert isinstance(refusal, EmployeeNumberTaken)
    assert (refusal.values, refusal.field) == ({"number": "0002"}, ("input", "number"))
    assert await company.everything() == before


async def test_twenty_hires_with_one_number_give_one_person(company: Company) -> None:
    outcomes = await asyncio.gather(*(hired(company, number="0007") for _ in range(20)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Employee"] + ["EmployeeNumberTaken"] * 19
    assert await company.value("SELECT count(*) FROM employee WHERE number = '0007'") == 1
    assert await company.value("SELECT count(*) FROM employment") == 2
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'employee.created'") == 1


async def test_an_account_is_linked_once(company: Company) -> None:
    person, other = await hired(company), await hired(company, number="0003")
    account = new_id()
    for _ in range(2):
        await company.within(lambda: link_account(person.id, account))
    assert await company.rows("SELECT account_id, version FROM employee WHERE id = $1", person.id) == [(account, 2)]
    before = await company.everything()
    for employee_id, account_id in ((person.id, new_id()), (other.id, account)):
        refusal = await refused(company.within(partial(link_account, employee_id, account_id)))
        assert isinstance(refusal, AccountTaken)
    assert isinstance(await refused(company.within(lambda: link_account(new_id(), account))), EmployeeNotFound)
    assert await company.everything() == before


async def test_a_missing_person_is_not_found(company: Company) -> None:
    assert isinstance(await refused(company.within(lambda: get_employee(new_id()))), EmployeeNotFound)


async def test_the_actor_stands_in_the_trail(company: Company) -> None:
    actor: Actor = replace(company.founder, client="cli", request_id="r1")
    await company.within(lambda: create_department(actor, name="财务", parent_id=None, clock=company.clock))
    assert await company.rows(
        "SELECT account_id, employee_id, client, request_id, at FROM audit_entry WHERE action = 'department.created'"
    ) == [(actor.account_id, actor.employee_id, "cli", "r1", company.clock.now())]
