"""Row scopes of the circulation room: scope name → predicate over the row ``{t}``."""

from __future__ import annotations

from saas.people import MY_DEPARTMENT_TREE

_IS_ANNOUNCED = (
    "EXISTS (SELECT FROM assessment a WHERE a.tenant_id = {tenant} AND a.id = {t}.assessment_id"
    " AND a.state IN ('announced', 'closed'))"
)

POLICY_SCOPES = {"all": "true"}
"""The rules that people are judged by are for everybody."""

DECLINE_SCOPES = {
    "all": "true",
    "department": "{t}.owner_department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.owner_id = {employee}",
}
ASSESSMENT_SCOPES = {"all": "true", "announced": "{t}.state IN ('announced', 'closed')"}
PERSON_SCOPES = LINE_SCOPES = {
    "all": "true",
    "department": "({t}.department_id IN " + MY_DEPARTMENT_TREE + " AND " + _IS_ANNOUNCED + ")",
    "self": "({t}.employee_id = {employee} AND " + _IS_ANNOUNCED + ")",
}
"""Drafts are for those who see everything: what may still change frightens nobody."""
