"""Root fields of the people room."""

from __future__ import annotations

from datetime import date

import strawberry

from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import IdempotentPayload, Ref, UserError, mapped, user_error
from saas.graphql.rooms.references import optional_id
from saas.kernel import Catalogue, public_id
from saas.people import RecordAlike, alike_warning, create_department, create_employee, list_people_alike
from saas.sealing import Sealer


@strawberry.input(description="A new department. Since 0.1.")
class DepartmentCreateInput:
    """What a department is made of."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key gives the same department.")
    name: str = strawberry.field(description="Name, 1 to 100 characters.")
    parent_id: strawberry.ID | None = strawberry.field(
        description="The department above (dep_…); the root when absent.", default=None
    )


@strawberry.type(description="The new department. Since 0.1.")
class DepartmentCreatePayload(IdempotentPayload):
    """Answer of departmentCreate."""

    department: Ref | None = mapped("Department", description="The new department; null when refused. Since 0.1.")


@mutation(requires="department:write", idempotent=True, description="Add a department below another")
async def department_create(info: Info, input: DepartmentCreateInput) -> DepartmentCreatePayload:  # noqa: A002
    parent_id = optional_id(input.parent_id, prefix="dep", field=("parentId",))
    made = await create_department(info.actor, name=input.name, parent_id=parent_id, clock=info.clock)
    return DepartmentCreatePayload(department=Ref("Department", made.id))


@strawberry.input(description="A new person on the staff. Since 0.1.")
class EmployeeCreateInput:
    """What an employee is made of."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key gives the same person.")
    name: str = strawberry.field(description="Full name, 1 to 100 characters.")
    number: str = strawberry.field(description="Staff number, unique in the company, 1 to 40 characters.")
    department_id: strawberry.ID | None = strawberry.field(
        description="Where the person works (dep_…); the root department when absent.", default=None
    )
    position: str | None = strawberry.field(description="Job title.", default=None)
    hired_on: date | None = strawberry.field(description="First day of work; today when absent.", default=None)
    phone: str | None = strawberry.field(description="Mobile number; it is sealed.", default=None)


@strawberry.type(description="The new person. Since 0.1.")
class EmployeeCreatePayload(IdempotentPayload):
    """Answer of employeeCreate."""

    employee: Ref | None = mapped("Employee", description="The new person; null when refused. Since 0.1.")
    warnings: list[UserError] = strawberry.field(
        description="That another record of the staff has the number; at most 1. Since 0.1.", default_factory=list
    )


@mutation(requires="employee:create", idempotent=True, description="Put a person on the staff")
async def employee_create(info: Info, input: EmployeeCreateInput) -> EmployeeCreatePayload:  # noqa: A002
    department_id = optional_id(input.department_id, prefix="dep", field=("departmentId",))
    made = await create_employee(
        info.actor,
        name=input.name,
        number=input.number,
        department_id=department_id,
        position=input.position,
        hired_on=input.hired_on,
        phone=input.phone,
        keyring=await info.room(Sealer).keyring(info.actor.tenant_id),
        time_zone=info.time_zone,
        clock=info.clock,
    )
    warning = await alike_warning(made.id)
    catalogue = info.room(Catalogue)
    warnings = [user_error(warning, catalogue=catalogue, locale=info.locale)] if warning else []
    return EmployeeCreatePayload(employee=Ref("Employee", made.id), warnings=warnings)


@strawberry.type(description="A record of the staff whose mobile number others have too. Since 0.1.")
class RecordAlikeView:
    """What the caller may not read is null."""

    id: strawberry.ID = strawberry.field(description="emp_…. Since 0.1.")
    number: str | None = strawberry.field(description="The staff number. Since 0.1.")
    name: str | None = strawberry.field(description="The name. Since 0.1.")
    is_active: bool = strawberry.field(description="Whether they are on the staff. Since 0.1.")


@strawberry.type(description="Records that count as one person, since they have one mobile number. Since 0.1.")
class PersonAlikeView:
    """At least two."""

    employees: list[RecordAlikeView] = strawberry.field(description="Oldest first, at most 20. Since 0.1.")


@query(
    requires="employee:create",
    description="Records of the staff that count as one person where customers are claimed, since they have one mobile "
    "number; as far as the caller sees at least two of them; at most 500 people",
)
async def employees_alike(info: Info) -> list[PersonAlikeView]:
    found = await list_people_alike(info.actor, info.rights)
    return [PersonAlikeView(employees=[_alike(each) for each in group]) for group in found]


def _alike(record: RecordAlike) -> RecordAlikeView:
    shown = strawberry.ID(public_id("emp", record.employee_id))
    return RecordAlikeView(id=shown, number=record.number, name=record.name, is_active=record.is_active)
