"""Row scopes of the sales room: scope name → predicate over the row ``{t}``."""

from __future__ import annotations

from saas.people import MY_DEPARTMENT_TREE

FOLLOW_UP_SCOPES = {
    "all": "true",
    "department": (
        "{t}.author_id IN (SELECT a.id FROM employee a WHERE a.tenant_id = {tenant} AND a.department_id IN "
        + MY_DEPARTMENT_TREE
        + ")"
    ),
    "self": "{t}.author_id = {employee}",
    "owned": (
        "EXISTS (SELECT FROM customer o WHERE o.tenant_id = {tenant} AND o.id = {t}.customer_id"
        " AND o.owner_id = {employee})"
    ),
}
