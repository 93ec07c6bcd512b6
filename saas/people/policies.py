"""Row scopes of the people room: scope name → predicate over the row ``{t}``."""

from __future__ import annotations

MY_DEPARTMENT = "(SELECT e.department_id FROM employee e WHERE e.tenant_id = {tenant} AND e.id = {employee})"
"""The caller's own department: an InitPlan, evaluated once a statement."""

MY_DEPARTMENT_TREE = (
    "(SELECT c.descendant_id FROM department_closure c WHERE c.tenant_id = {tenant} AND c.ancestor_id = "
    + MY_DEPARTMENT
    + ")"
)
"""The caller's department and all below it, by today's tree."""

EMPLOYEE_SCOPES = {
    "all": "true",
    "department": "{t}.department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.id = {employee}",
}
DEPARTMENT_SCOPES = {
    "all": "true",
    "department": "{t}.id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.id = " + MY_DEPARTMENT,
}
LEAVE_SCOPES = {
    "all": "true",
    "department": "{t}.employee_id IN (SELECT a.id FROM employee a WHERE a.tenant_id = {tenant} AND a.department_id IN "
    + MY_DEPARTMENT_TREE
    + ")",
    "self": "{t}.employee_id = {employee}",
}
LEGAL_ENTITY_SCOPES = {"all": "true"}
