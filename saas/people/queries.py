"""Reads of the people room for actions; lists and details go through the compiled reader."""

from __future__ import annotations

from uuid import UUID

from saas.people.errors import DepartmentNotFound, EmployeeNotFound
from saas.people.models import Department, Employee


async def get_department(department_id: UUID) -> Department:
    """A department of this company.

    :raises DepartmentNotFound: there is none.
    """
    found = await Department.get_or_none(id=department_id)
    if found is None:
        raise DepartmentNotFound("people.department_not_found").at("input", "departmentId")
    return found


async def get_root_department() -> Department:
    """The top of the company's tree, which `found_company` made."""
    return await Department.get(parent_id__isnull=True)


async def get_employee(employee_id: UUID) -> Employee:
    """A person on this company's staff.

    :raises EmployeeNotFound: there is none.
    """
    found = await Employee.get_or_none(id=employee_id)
    if found is None:
        raise EmployeeNotFound("people.employee_not_found").at("input", "employeeId")
    return found
