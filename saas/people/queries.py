"""Reads of the people room for actions; lists and details go through the compiled reader."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

from saas.access import AccessTable, FieldAccess, scope_predicate
from saas.kernel import Actor
from saas.people.errors import DepartmentNotFound, EmployeeNotFound
from saas.people.models import Department, Employee
from saas.people.policies import DEPARTMENT_SCOPES, EMPLOYEE_SCOPES
from saas.people.rules import DepartmentNode, DepartmentTree
from tenants import current_tenant_id, current_transaction


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


async def find_hire_days(employee_ids: Collection[UUID]) -> dict[UUID, date]:
    """The first day of work of those who are on the staff."""
    rows = await current_transaction().fetch(
        "SELECT id, hired_on FROM employee WHERE tenant_id = $1 AND id = ANY ($2) AND status = 'active'",
        current_tenant_id(),
        list(employee_ids),
    )
    return {row["id"]: row["hired_on"] for row in rows}


_ON_LEAVE = """
SELECT DISTINCT employee_id FROM employee_leave
WHERE tenant_id = $1 AND employee_id = ANY ($2) AND cancelled_at IS NULL AND first_on <= $3 AND last_on >= $3
"""


async def find_on_leave(employee_ids: Collection[UUID], *, day: date) -> set[UUID]:
    """Those of the people who are away on that day."""
    rows = await current_transaction().fetch(_ON_LEAVE, current_tenant_id(), list(employee_ids), day)
    return {row["employee_id"] for row in rows}


_DEPARTMENTS_ON = """
SELECT e.id, asked.day, coalesce(
    (SELECT w.department_id FROM employment w
     WHERE w.tenant_id = $1 AND w.employee_id = e.id AND w.valid_from <= asked.day
       AND (w.valid_to IS NULL OR w.valid_to > asked.day) ORDER BY w.valid_from DESC, w.id LIMIT 1),
    e.department_id) AS department_id
FROM unnest($2::uuid[], $3::date[]) AS asked (id, day) JOIN employee e ON e.tenant_id = $1 AND e.id = asked.id
"""
_DEPARTMENT_IDS = "SELECT id FROM department WHERE tenant_id = $1 AND id = ANY ($2)"


async def find_departments_on(people: Sequence[tuple[UUID, date]]) -> dict[tuple[UUID, date], UUID]:
    """Where people worked on a day, by (employee, day): many in one statement; a person of no other company is there.

    On a day before or after their employment it is the department they are in now, which an import of old deals needs.
    """
    wanted = sorted(set(people))
    rows = await current_transaction().fetch(
        _DEPARTMENTS_ON, current_tenant_id(), [person for person, _ in wanted], [day for _, day in wanted]
    )
    return {(row["id"], row["day"]): row["department_id"] for row in rows}


async def find_departments(department_ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that are departments of this company."""
    rows = await current_transaction().fetch(_DEPARTMENT_IDS, current_tenant_id(), list(department_ids))
    return {row["id"] for row in rows}


_SUPERVISING = """
SELECT s.id FROM employee e
JOIN department_closure above ON above.tenant_id = $1 AND above.descendant_id = e.department_id
JOIN employee s ON s.tenant_id = $1 AND s.department_id = above.ancestor_id AND s.id = ANY ($3) AND s.id <> e.id
WHERE e.tenant_id = $1 AND e.id = $2 AND s.status = 'active'
ORDER BY above.depth
FETCH FIRST ROW WITH TIES
"""


async def find_manager(employee_id: UUID) -> UUID | None:
    """Whom a person reports to, where that is known and the manager is on the staff."""
    found: UUID | None = await current_transaction().fetchval(
        "SELECT m.id FROM employee e JOIN employee m ON m.tenant_id = $1 AND m.id = e.manager_id"
        " WHERE e.tenant_id = $1 AND e.id = $2 AND m.status = 'active'",
        current_tenant_id(),
        employee_id,
    )
    return found


async def find_supervisors(employee_id: UUID, *, among: Collection[UUID]) -> list[UUID]:
    """Who of `among` works in the nearest department at or above that of a person, themselves left out."""
    rows = await current_transaction().fetch(_SUPERVISING, current_tenant_id(), employee_id, list(among))
    return [row["id"] for row in rows]


_ENTITIES_ON = """
SELECT e.id, coalesce(
    (SELECT w.legal_entity_id FROM employment w WHERE w.tenant_id = $1 AND w.employee_id = e.id AND w.valid_from <= $3
     ORDER BY w.valid_from DESC, w.id LIMIT 1),
    e.legal_entity_id) AS legal_entity_id
FROM employee e WHERE e.tenant_id = $1 AND e.id = ANY ($2)
"""


async def find_legal_entities_on(employee_ids: Collection[UUID], *, day: date) -> dict[UUID, UUID]:
    """Which company in law employs each person on a day, or did last: of those who left, and before the first day
    (an import of old deals), the one that is known.
    """
    rows = await current_transaction().fetch(_ENTITIES_ON, current_tenant_id(), list(set(employee_ids)), day)
    return {row["id"]: row["legal_entity_id"] for row in rows}


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A person as other records may call them. `department_id` is today's."""

    id: UUID
    number: str
    name: str
    department_id: UUID
    is_active: bool


_NAMED = """
SELECT id, number, name, department_id, status = 'active' AS is_active FROM employee
WHERE tenant_id = $1 AND (number = ANY ($2) OR name = ANY ($2)) ORDER BY number
"""


async def find_named_people(words: Collection[str]) -> list[NamedPerson]:
    """The people whose number or name is one of the words, by number."""
    if not words:
        return []
    rows = await current_transaction().fetch(_NAMED, current_tenant_id(), list(words))
    return [NamedPerson(**dict(row)) for row in rows]


async def load_department_tree() -> DepartmentTree:
    """Today's whole tree; a company has hundreds of departments."""
    rows = await current_transaction().fetch(
        "SELECT id, parent_id, name FROM department WHERE tenant_id = $1 ORDER BY id", current_tenant_id()
    )
    return DepartmentTree(DepartmentNode(row["id"], row["parent_id"], row["name"]) for row in rows)


async def list_legal_entities() -> dict[str, UUID]:
    """The company's legal entities by name, the first one first."""
    rows = await current_transaction().fetch(
        "SELECT name, id FROM legal_entity WHERE tenant_id = $1 ORDER BY created_at, id", current_tenant_id()
    )
    return {row["name"]: row["id"] for row in rows}


async def find_numbers(people: Collection[UUID]) -> dict[UUID, str]:
    """Staff numbers by person."""
    if not people:
        return {}
    rows = await current_transaction().fetch(
        "SELECT id, number FROM employee WHERE tenant_id = $1 AND id = ANY ($2)", current_tenant_id(), list(people)
    )
    return {row["id"]: row["number"] for row in rows}


async def find_parents() -> dict[UUID, UUID | None]:
    """Today's departments, each with the one above it, None at the top."""
    rows = await current_transaction().fetch(
        "SELECT id, parent_id FROM department WHERE tenant_id = $1", current_tenant_id()
    )
    return {row["id"]: row["parent_id"] for row in rows}


async def find_departments_of(people: Collection[UUID]) -> dict[UUID, UUID]:
    """The department each person is in today."""
    rows = await current_transaction().fetch(
        "SELECT id, department_id FROM employee WHERE tenant_id = $1 AND id = ANY ($2)",
        current_tenant_id(),
        list(people),
    )
    return {row["id"]: row["department_id"] for row in rows}


@dataclass(frozen=True, slots=True)
class ReadableName:
    """How a person or a department is called, as far as the caller may read it."""

    name: str | None
    number: str | None = None


async def find_readable_names(actor: Actor, access: AccessTable, people: Collection[UUID]) -> dict[UUID, ReadableName]:
    """Names and staff numbers of people, for files: what the caller may not read is None, whom they don't see missing.

    The compiled reader says the same of each field.
    """
    sql = _names_sql(
        access.visible("Employee"),
        readable_rows(access, "Employee", "name"),
        readable_rows(access, "Employee", "number"),
    )
    rows = await current_transaction().fetch(sql, current_tenant_id(), actor.employee_id, list(people))
    return {row["id"]: ReadableName(row["name"], row["number"]) for row in rows}


async def find_readable_departments(
    actor: Actor, access: AccessTable, department_ids: Collection[UUID]
) -> dict[UUID, ReadableName]:
    """Names of departments, in the same way."""
    sql = _department_names_sql(access.visible("Department"), readable_rows(access, "Department", "name"))
    rows = await current_transaction().fetch(sql, current_tenant_id(), actor.employee_id, list(department_ids))
    return {row["id"]: ReadableName(row["name"]) for row in rows}


def readable_rows(access: AccessTable, type_name: str, field: str) -> frozenset[str]:
    """The scopes of the rows in which a field may be read."""
    right = access.read(type_name, field)
    if right.access is FieldAccess.ALLOW:
        return frozenset({"all"})
    return right.scopes if right.access is FieldAccess.ROWS else frozenset()


@lru_cache(maxsize=64)
def _names_sql(visible: frozenset[str], names: frozenset[str], numbers: frozenset[str]) -> str:
    row, name, number = (
        scope_predicate(EMPLOYEE_SCOPES, scopes, alias="e", tenant="$1", employee="me.id")
        for scopes in (visible, names, numbers)
    )
    return f"""
        SELECT e.id, CASE WHEN {name} THEN e.name END AS name, CASE WHEN {number} THEN e.number END AS number
        FROM employee e CROSS JOIN (SELECT $2::uuid AS id) me WHERE e.tenant_id = $1 AND e.id = ANY ($3) AND {row}
    """


@lru_cache(maxsize=64)
def _department_names_sql(visible: frozenset[str], names: frozenset[str]) -> str:
    row, name = (
        scope_predicate(DEPARTMENT_SCOPES, scopes, alias="d", tenant="$1", employee="me.id")
        for scopes in (visible, names)
    )
    return f"""
        SELECT d.id, CASE WHEN {name} THEN d.name END AS name
        FROM department d CROSS JOIN (SELECT $2::uuid AS id) me WHERE d.tenant_id = $1 AND d.id = ANY ($3) AND {row}
    """
