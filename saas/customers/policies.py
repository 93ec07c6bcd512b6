"""Row scopes of the customers room: scope name → predicate over the row ``{t}``."""

from __future__ import annotations

from saas.customers.settings import OPTIONS
from saas.people import MY_DEPARTMENT, MY_DEPARTMENT_TREE

_ABOVE_ME = (
    "(SELECT u.ancestor_id FROM department_closure u WHERE u.tenant_id = {tenant} AND u.descendant_id = "
    + MY_DEPARTMENT
    + ")"
)
_OF_POOL = "FROM pool_department d WHERE d.tenant_id = {tenant} AND d.pool_id = p.id"
_PEOPLE = "FROM pool_member n WHERE n.tenant_id = {tenant} AND n.pool_id = p.id"
_IS_MINE = (
    f"(NOT EXISTS (SELECT {_OF_POOL}) AND NOT EXISTS (SELECT {_PEOPLE})"
    f" OR EXISTS (SELECT {_OF_POOL} AND d.department_id IN {_ABOVE_ME})"
    f" OR EXISTS (SELECT {_PEOPLE} AND n.employee_id = {{employee}}))"
)
_MY_POOLS = "(SELECT p.id FROM customer_pool p WHERE p.tenant_id = {tenant} AND " + _IS_MINE + ")"
"""The pools of which the caller is a member (P01)."""

VISIBLE_POOL = (
    "{t}.pool_id = ANY (ARRAY(SELECT p.id FROM customer_pool p WHERE p.tenant_id = {tenant}"
    f" AND (p.settings ->> 'visible_to_all' = 'true' OR {_IS_MINE})))"
)
"""That the caller may look into a row's pool (P02); an array, so that it is found out once for all rows."""

CUSTOMER_SCOPES = {
    "all": "true",
    "department": "{t}.owner_department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.owner_id = {employee}",
    "pool": "({t}.owner_id IS NULL AND " + VISIBLE_POOL + ")",
}
ADMINISTERS_POOLS = "customer:assign"
"""Whoever may assign customers administers pools: nothing that a pool hides is hidden from them."""

FOREIGN_POOL = (
    "{t}.pool_id = ANY (ARRAY(SELECT a.pool_id FROM pool_administrator a JOIN employee e ON e.tenant_id = {tenant}"
    " AND e.id = a.employee_id AND e.status = 'active' WHERE a.tenant_id = {tenant} GROUP BY a.pool_id"
    " HAVING NOT coalesce(bool_or(a.employee_id = {employee}), false)))"
)
"""But where the pool names people on the staff who administer it, and the caller is none of them (P01)."""


def _in_pools_where(condition: str) -> str:
    """The row's pool is one of those: a question about few rows, asked once for all rows, and of none at no cost."""
    pools = f"SELECT p.id FROM customer_pool p WHERE p.tenant_id = {{tenant}} AND {condition}"
    return f"{{t}}.pool_id = ANY (ARRAY({pools}))"


def _is_on(name: str) -> str:
    default = str(OPTIONS[name].default).lower()
    return f"coalesce((p.settings ->> '{name}')::boolean, {default})"


_MASKING = f"coalesce(p.settings ->> 'phone_masking', '{OPTIONS['phone_masking'].default}')"
_POOLED = "{t}.owner_id IS NULL AND "
_MASKED_FOR_ALL = _in_pools_where(f"{_MASKING} = 'before_and_after'")
CUSTOMER_HIDDEN = {
    "shortName": _POOLED + _in_pools_where(_is_on("hides_short_name")),
    "contactName": _POOLED + _in_pools_where(_is_on("hides_contact_name")),
    "districtCode": _POOLED + _in_pools_where(_is_on("hides_district")),
    "districtName": _POOLED + _in_pools_where(_is_on("hides_district")),
    "phone": f"{_MASKED_FOR_ALL} OR {_POOLED}" + _in_pools_where(f"({_MASKING} <> 'never' OR {_is_on('hides_phone')})"),
    "phone.masked": _POOLED + _in_pools_where(f"{_MASKING} = 'never' AND {_is_on('hides_phone')}"),
}
"""Field → the rows in which the pool hides it (P36, P37)."""

OWNERSHIP_SCOPES = {
    "all": "true",
    "department": "{t}.owner_department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.owner_id = {employee}",
}
POOL_SCOPES = PROPOSAL_SCOPES = {"all": "true"}
MARK_SCOPES = NOTICE_SCOPES = {
    "all": "true",
    "department": "{t}.owner_department_id IN " + MY_DEPARTMENT_TREE,
    "self": "{t}.owner_id = {employee}",
}
REQUEST_SCOPES = {
    "all": "true",
    "department": "{t}.employee_department_id IN " + MY_DEPARTMENT_TREE,
    "self": "({t}.employee_id = {employee} OR {t}.requester_id = {employee})",
}
_MY_PEOPLE = (
    "(SELECT a.id FROM employee a WHERE a.tenant_id = {tenant} AND a.department_id IN " + MY_DEPARTMENT_TREE + ")"
)
POOL_EVENT_SCOPES = {
    "all": "true",
    "department": f"({{t}}.employee_id IN {_MY_PEOPLE} OR {{t}}.former_owner_id IN {_MY_PEOPLE})",
    "self": "({t}.employee_id = {employee} OR {t}.former_owner_id = {employee})",
    "pool": "{t}.pool_id IN " + _MY_POOLS,
    "named": "{t}.pool_id IN (SELECT p.id FROM customer_pool p WHERE p.tenant_id = {tenant} AND p.shows_names)",
}
"""``pool`` is whom the public ledger is for; ``named`` are the lines whose pool lets people be named."""
ALLOCATION_SCOPES = {"all": "true", "pool": "{t}.pool_id IN " + _MY_POOLS}
PICK_SCOPES = {
    "all": "true",
    "department": "{t}.employee_id IN " + _MY_PEOPLE,
    "self": "{t}.employee_id = {employee}",
}
