"""Writes of the people room: found a company, add departments, hire people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from saas.audit import record
from saas.kernel import Actor, Clock, local_date, new_id
from saas.people.errors import EmployeeNumberTaken
from saas.people.models import Department, DepartmentClosure, Employee, Employment, LegalEntity
from saas.people.queries import get_department, get_root_department
from saas.people.rules import NUMBER_MAX, clean_name, name_key
from saas.sealing import Keyring, Place, mask_phone, normalise_phone
from tenants import current_transaction


@dataclass(frozen=True, slots=True)
class FoundedCompany:
    """What a new company begins with."""

    employee_id: UUID
    department_id: UUID
    legal_entity_id: UUID


async def found_company(actor: Actor, *, legal_name: str, owner_name: str, clock: Clock) -> FoundedCompany:
    """The first legal entity, the root department, and the owner as the first person on the staff."""
    entity = await LegalEntity.create(name=clean_name(legal_name, field="company", longest=200))
    root = await _create_department(legal_name, parent_id=None)
    owner = await _hire(
        name=clean_name(owner_name, field="ownerName"),
        number="0001",
        department_id=root.id,
        legal_entity_id=entity.id,
        position=None,
        hired_on=clock.now().date(),
        account_id=actor.account_id,
    )
    await record(actor, "people.company_founded", object_type="LegalEntity", object_id=entity.id, clock=clock)
    return FoundedCompany(employee_id=owner.id, department_id=root.id, legal_entity_id=entity.id)


async def create_department(actor: Actor, *, name: str, parent_id: UUID | None, clock: Clock) -> Department:
    """A department below `parent_id`, or below the root.

    :raises DepartmentNotFound: the parent is not one of this company.
    """
    parent = await get_department(parent_id) if parent_id else await get_root_department()
    department = await _create_department(clean_name(name, field="name"), parent_id=parent.id)
    await record(actor, "department.created", object_type="Department", object_id=department.id, clock=clock)
    return department


async def _create_department(name: str, *, parent_id: UUID | None) -> Department:
    department = await Department.create(name=name, name_key=name_key(name), parent_id=parent_id)
    await DepartmentClosure.create(ancestor_id=department.id, descendant_id=department.id, depth=0)
    if parent_id is not None:
        for above in await DepartmentClosure.filter(descendant_id=parent_id):
            await DepartmentClosure.create(
                ancestor_id=above.ancestor_id, descendant_id=department.id, depth=above.depth + 1
            )
    return department


async def create_employee(
    actor: Actor,
    *,
    name: str,
    number: str,
    department_id: UUID | None,
    position: str | None,
    hired_on: date | None,
    phone: str | None,
    keyring: Keyring,
    time_zone: str,
    clock: Clock,
) -> Employee:
    """Put a person on the staff, in the company's first legal entity.

    :raises EmployeeNumberTaken: another person has the number.
    :raises DepartmentNotFound: the department is not one of this company.
    """
    department = await get_department(department_id) if department_id else await get_root_department()
    number = clean_name(number, field="number", longest=NUMBER_MAX)
    if await Employee.exists(number=number):
        raise EmployeeNumberTaken("people.employee_number_taken", {"number": number}).at("input", "number")
    entity = await LegalEntity.all().order_by("id").first()
    assert entity is not None, "found_company makes the first legal entity"
    employee = await _hire(
        name=clean_name(name, field="name"),
        number=number,
        department_id=department.id,
        legal_entity_id=entity.id,
        position=position,
        hired_on=hired_on or local_date(clock.now(), time_zone),
        phone=phone,
        keyring=keyring,
    )
    await record(actor, "employee.created", object_type="Employee", object_id=employee.id, clock=clock)
    return employee


async def _hire(
    *,
    name: str,
    number: str,
    department_id: UUID,
    legal_entity_id: UUID,
    position: str | None,
    hired_on: date,
    account_id: UUID | None = None,
    phone: str | None = None,
    keyring: Keyring | None = None,
) -> Employee:
    employee_id = new_id()
    employee = await Employee.create(
        id=employee_id,
        name=name,
        name_key=name_key(name),
        number=number,
        department_id=department_id,
        legal_entity_id=legal_entity_id,
        position=position,
        hired_on=hired_on,
        account_id=account_id,
        **(seal_phone(phone, keyring=keyring, table="employee", row_id=employee_id) if phone and keyring else {}),
    )
    await Employment.create(
        employee_id=employee_id,
        legal_entity_id=legal_entity_id,
        department_id=department_id,
        position=position,
        valid_from=hired_on,
    )
    return employee


def seal_phone(phone: str, *, keyring: Keyring, table: str, row_id: UUID) -> dict[str, bytes | str]:
    """The three columns of a phone number: sealed, masked, and the blind index for exact look-up."""
    number = normalise_phone(phone)
    place = Place(table=table, column="phone_sealed", row_id=row_id)
    return {
        "phone_sealed": keyring.seal("personal", place, number),
        "phone_masked": mask_phone(number),
        "phone_index": keyring.blind_index("phone", number),
    }


async def link_account(employee_id: UUID, account_id: UUID) -> None:
    """Tie the person who accepted an invitation to their place on the staff."""
    await current_transaction().execute(
        "UPDATE employee SET account_id = $2, version = version + 1 WHERE id = $1", employee_id, account_id
    )
