"""Row scopes of the sales room: scope name → predicate over the row ``{t}``."""

from __future__ import annotations

from saas.people import MY_DEPARTMENT_TREE

_CUSTOMER_IS_MINE = (
    "EXISTS (SELECT FROM customer o WHERE o.tenant_id = {tenant} AND o.id = {t}.customer_id"
    " AND o.owner_id = {employee})"
)

FOLLOW_UP_SCOPES = {
    "all": "true",
    "department": (
        "{t}.author_id IN (SELECT a.id FROM employee a WHERE a.tenant_id = {tenant} AND a.department_id IN "
        + MY_DEPARTMENT_TREE
        + ")"
    ),
    "self": "{t}.author_id = {employee}",
    "owned": _CUSTOMER_IS_MINE,
}
STAGE_SCOPES = {"all": "true"}
OPPORTUNITY_SCOPES = {
    "all": "true",
    "department": "{t}.owner_department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.owner_id = {employee}",
    "owned": _CUSTOMER_IS_MINE,
}
DEAL_SCOPES = {
    "all": "true",
    "department": "{t}.owner_department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.owner_id = {employee}",
    "credited": (
        "EXISTS (SELECT FROM performance_credit s WHERE s.tenant_id = {tenant} AND s.deal_id = {t}.id"
        " AND s.employee_id = {employee})"
    ),
}
"""Who owns a deal, heads the department it was made in, or is credited with a part of it."""

_OF_DEAL = "EXISTS (SELECT FROM deal d WHERE d.tenant_id = {{tenant}} AND d.id = {{t}}.deal_id AND {condition})"
COLLECTION_SCOPES = {
    "all": "true",
    "department": _OF_DEAL.format(condition="d.owner_department_id IN " + MY_DEPARTMENT_TREE),
    "self": _OF_DEAL.format(condition="d.owner_id = {employee}"),
    "credited": (
        "EXISTS (SELECT FROM performance_credit s WHERE s.tenant_id = {tenant} AND s.deal_id = {t}.deal_id"
        " AND s.employee_id = {employee})"
    ),
}
CREDIT_SCOPES = {
    "all": "true",
    "department": "{t}.department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.employee_id = {employee}",
    "owned": _OF_DEAL.format(condition="d.owner_id = {employee}"),
}
PERFORMANCE_SCOPES = {
    "all": "true",
    "department": "{t}.department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.employee_id = {employee}",
}
TARGET_SCOPES = {
    "all": "true",
    "department": (
        "{t}.department_id IN "
        + MY_DEPARTMENT_TREE
        + " OR {t}.employee_id IN (SELECT a.id FROM employee a WHERE a.tenant_id = {tenant} AND a.department_id IN "
        + MY_DEPARTMENT_TREE
        + ")"
    ),
    "self": "{t}.employee_id = {employee}",
}
