"""Row scopes of the customers room: scope name → predicate over the row ``{t}``."""

from __future__ import annotations

from saas.people import MY_DEPARTMENT_TREE

CUSTOMER_SCOPES = {
    "all": "true",
    "department": "{t}.owner_department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.owner_id = {employee}",
    "pool": "{t}.owner_id IS NULL",
}
OWNERSHIP_SCOPES = {
    "all": "true",
    "department": "{t}.owner_department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.owner_id = {employee}",
}
POOL_SCOPES = {"all": "true"}
