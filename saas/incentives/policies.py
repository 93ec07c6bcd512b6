"""Row scopes of the incentives room: scope name → predicate over the row ``{t}``."""

from __future__ import annotations

from saas.people import MY_DEPARTMENT_TREE
from saas.sales.policies import COLLECTION_SCOPES

_OF_MY_DEPARTMENT = (
    "{t}.employee_id IN (SELECT a.id FROM employee a WHERE a.tenant_id = {tenant} AND a.department_id IN "
    + MY_DEPARTMENT_TREE
    + ")"
)
_IS_LOCKED = (
    "EXISTS (SELECT FROM settlement s WHERE s.tenant_id = {tenant} AND s.id = {t}.settlement_id AND s.state = 'locked')"
)

PLAN_SCOPES = {
    "all": "true",
    "published": (
        "EXISTS (SELECT FROM incentive_plan_version v WHERE v.tenant_id = {tenant} AND v.plan_id = {t}.id"
        " AND v.state = 'published')"
    ),
}
VERSION_SCOPES = {"all": "true", "published": "{t}.state = 'published'"}
PARTICIPANT_SCOPES = {"all": "true", "department": _OF_MY_DEPARTMENT, "self": "{t}.employee_id = {employee}"}
STAGE_SCOPES = COLLECTION_SCOPES
"""Who sees a deal's collections sees its stages."""

ACCRUAL_SCOPES = {"all": "true", "department": _OF_MY_DEPARTMENT, "self": "{t}.employee_id = {employee}"}
SETTLEMENT_SCOPES = {
    "all": "true",
    "self": (
        "({t}.state = 'locked' AND EXISTS (SELECT FROM settlement_line l WHERE l.tenant_id = {tenant}"
        " AND l.settlement_id = {t}.id AND l.employee_id = {employee}))"
    ),
}
STATEMENT_SCOPES = {
    "all": "true",
    "department": _OF_MY_DEPARTMENT,
    "self": "({t}.employee_id = {employee} AND " + _IS_LOCKED + ")",
}
"""A person sees a statement once it is locked: before that it may still change."""

POOL_RUN_SCOPES = {"all": "true"}
