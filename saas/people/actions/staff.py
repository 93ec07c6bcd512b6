"""Writes of the people room: found a company, add departments, put people on the staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from saas.audit import record
from saas.kernel import Actor, AppError, Clock, local_date, new_id
from saas.people.errors import AccountTaken, EmployeeNumberTaken
from saas.people.models import Department, Employee, Employment, LegalEntity
from saas.people.queries import get_department, get_employee, get_root_department
from saas.people.rules import (
    COMPANY_NAME_MAX,
    NUMBER_MAX,
    POSITION_MAX,
    clean_name,
    clean_optional,
    name_key,
    person_name_key,
)
from saas.sealing import Keyring, Place, mask_phone, normalise_phone
from tenants import current_tenant_id, current_transaction

FIRST_NUMBER = "0001"
"""The staff number of whoever founds the company."""


@dataclass(frozen=True, slots=True)
class FoundedCompany:
    """What a new company begins with."""

    employee_id: UUID
    department_id: UUID
    legal_entity_id: UUID


async def found_company(
    actor: Actor, *, legal_name: str, owner_name: str, clock: Clock, time_zone: str = "Asia/Shanghai"
) -> FoundedCompany:
    """The first legal entity, the root department, and the owner as the first person on the staff.

    :raises BadUserInput: a name is empty or too long.
    """
    name = clean_name(legal_name, field="company", longest=COMPANY_NAME_MAX)
    entity = await LegalEntity.create(name=name)
    root = await insert_department(name, parent_id=None)
    owner = _Hire(
        name=clean_name(owner_name, field="ownerName"),
        number=FIRST_NUMBER,
        department_id=root.id,
        legal_entity_id=entity.id,
        position=None,
        hired_on=local_date(clock.now(), time_zone),
        created_at=clock.now(),
        account_id=actor.account_id,
    )
    employee_id = await _put_on_staff(owner)
    await record(actor, "people.company_founded", object_type="LegalEntity", object_id=entity.id, clock=clock)
    return FoundedCompany(employee_id=employee_id, department_id=root.id, legal_entity_id=entity.id)


async def create_department(actor: Actor, *, name: str, parent_id: UUID | None, clock: Clock) -> Department:
    """A department below `parent_id`, or below the root.

    :raises DepartmentNotFound: the parent is not one of this company.
    :raises BadUserInput: the name is empty or too long.
    """
    name = clean_name(name, field="name")
    parent = await _parent(parent_id) if parent_id else await get_root_department()
    department = await insert_department(name, parent_id=parent.id)
    await record(
        actor,
        "department.created",
        object_type="Department",
        object_id=department.id,
        changes={"name": [None, name], "parent": [None, str(parent.id)]},
        clock=clock,
    )
    return department


async def _parent(parent_id: UUID) -> Department:
    try:
        return await get_department(parent_id)
    except AppError as missing:
        raise missing.at("input", "parentId") from None


async def insert_department(name: str, *, parent_id: UUID | None) -> Department:
    """A node below `parent_id`, in the closure too; the caller records who made it."""
    department = await Department.create(name=name, name_key=name_key(name), parent_id=parent_id)
    await current_transaction().execute(
        """
        INSERT INTO department_closure (tenant_id, ancestor_id, descendant_id, depth)
        SELECT $1::uuid, c.ancestor_id, $2::uuid, c.depth + 1
        FROM department_closure c WHERE c.tenant_id = $1 AND c.descendant_id = $3
        UNION ALL SELECT $1::uuid, $2::uuid, $2::uuid, 0
        """,
        current_tenant_id(),
        department.id,
        parent_id,
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
    """Put a person on the staff, in the company's first legal entity; by default of the root department, from today.

    :raises EmployeeNumberTaken: another person has the number; of several at once one gets it.
    :raises DepartmentNotFound: the department is not one of this company.
    :raises BadUserInput: a text is empty, too long, or not a phone number.
    """
    department = await get_department(department_id) if department_id else await get_root_department()
    entity = await LegalEntity.all().order_by("created_at", "id").first()
    assert entity is not None, "found_company makes the first legal entity"
    hire = _Hire(
        name=clean_name(name, field="name"),
        number=clean_name(number, field="number", longest=NUMBER_MAX),
        department_id=department.id,
        legal_entity_id=entity.id,
        position=clean_optional(position, field="position", longest=POSITION_MAX),
        hired_on=hired_on or local_date(clock.now(), time_zone),
        created_at=clock.now(),
    )
    employee_id = await _put_on_staff(hire, phone=phone, keyring=keyring)
    await record(
        actor,
        "employee.created",
        object_type="Employee",
        object_id=employee_id,
        changes={"number": [None, hire.number], "department": [None, str(hire.department_id)]},
        clock=clock,
    )
    return await get_employee(employee_id)


@dataclass(frozen=True, slots=True)
class _Hire:
    name: str
    number: str
    department_id: UUID
    legal_entity_id: UUID
    position: str | None
    hired_on: date
    created_at: datetime
    account_id: UUID | None = None


async def _put_on_staff(hire: _Hire, *, phone: str | None = None, keyring: Keyring | None = None) -> UUID:
    """The person and the first dated row of their employment."""
    employee_id = new_id()
    sealed = seal_phone(phone, keyring=keyring, table="employee", row_id=employee_id) if phone and keyring else None
    # ON CONFLICT waits for whoever took the number a moment ago, and leaves the transaction usable.
    is_free = await current_transaction().execute(
        """
        INSERT INTO employee (tenant_id, id, account_id, number, name, name_key, department_id, legal_entity_id,
            position, hired_on, phone_sealed, phone_masked, phone_index, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (tenant_id, number) DO NOTHING
        """,
        current_tenant_id(),
        employee_id,
        hire.account_id,
        hire.number,
        hire.name,
        person_name_key(hire.name),
        hire.department_id,
        hire.legal_entity_id,
        hire.position,
        hire.hired_on,
        *(sealed.columns() if sealed else (None, None, None)),
        hire.created_at,
    )
    if not is_free:
        raise EmployeeNumberTaken("people.employee_number_taken", {"number": hire.number}).at("input", "number")
    await Employment.create(
        employee_id=employee_id,
        legal_entity_id=hire.legal_entity_id,
        department_id=hire.department_id,
        position=hire.position,
        valid_from=hire.hired_on,
    )
    return employee_id


@dataclass(frozen=True, slots=True)
class SealedPhone:
    """A phone number as it is stored: sealed, masked, and as the blind index for exact look-up."""

    sealed: bytes
    masked: str
    index: bytes

    def columns(self) -> tuple[bytes, str, bytes]:
        """The values of phone_sealed, phone_masked and phone_index."""
        return self.sealed, self.masked, self.index


def seal_phone(phone: str, *, keyring: Keyring, table: str, row_id: UUID) -> SealedPhone:
    """Seal the number of a row of `table`; the blind index is named ``<table>.phone``.

    :raises BadUserInput: the text is not a phone number.
    """
    try:
        number = normalise_phone(phone)
    except AppError as refused:
        raise refused.at("input", "phone") from None
    place = Place(table=table, column="phone_sealed", row_id=row_id)
    return SealedPhone(
        sealed=keyring.seal("personal", place, number),
        masked=mask_phone(number),
        index=keyring.blind_index(f"{table}.phone", number),
    )


async def link_account(employee_id: UUID, account_id: UUID) -> None:
    """Tie the person who accepted an invitation to their place on the staff; repeating it changes nothing.

    :raises EmployeeNotFound: there is no such person in this company.
    :raises AccountTaken: the person has another account, or the account is another person's.
    """
    employee = await get_employee(employee_id)
    if employee.account_id == account_id:
        return
    linked = await current_transaction().execute(
        """
        UPDATE employee e SET account_id = $3, version = e.version + 1
        WHERE e.tenant_id = $1 AND e.id = $2 AND e.account_id IS NULL
          AND NOT EXISTS (SELECT FROM employee o WHERE o.tenant_id = $1 AND o.account_id = $3)
        """,
        current_tenant_id(),
        employee_id,
        account_id,
    )
    if not linked:
        raise AccountTaken("people.account_taken", {"number": employee.number})
