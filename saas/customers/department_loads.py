"""What limited departments hold together (P09), for one person or for many at once.

Whoever is about to add to them locks them: behind the people who receive, before the customers, in the order of their
ids, so that nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from saas.customers.rules import DepartmentLoad
from saas.customers.settings import PoolSettings
from tenants import current_tenant_id, current_transaction

_ABOVE = """
SELECT asked.id, ARRAY(SELECT u.ancestor_id FROM department_closure u WHERE u.tenant_id = $1
    AND u.descendant_id = asked.id ORDER BY u.depth, u.ancestor_id) AS departments
FROM unnest($2::uuid[]) AS asked (id)
"""
_OF_PEOPLE = "SELECT id, department_id FROM employee WHERE tenant_id = $1 AND id = ANY ($2)"
_LOCK = """
SELECT pg_advisory_xact_lock(hashtextextended($1::uuid || 'held by department ' || asked.id, 0))
FROM (SELECT unnest($2::uuid[]) AS id ORDER BY 1) asked
"""
_LOADS = """
SELECT d.id, d.name, count(c.id) AS holding
FROM department d JOIN department_closure u ON u.tenant_id = $1 AND u.ancestor_id = d.id
LEFT JOIN customer c ON c.tenant_id = $1 AND c.owner_department_id = u.descendant_id AND c.owner_id IS NOT NULL
    AND counts_as_held(c.last_deal_on, c.level, c.source, c.industry, $3::jsonb)
WHERE d.tenant_id = $1 AND d.id = ANY ($2) GROUP BY d.id, d.name ORDER BY d.name, d.id
"""


async def departments_above(department_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """Each department with those above it, itself first."""
    if not department_ids:
        return {}
    rows = await current_transaction().fetch(_ABOVE, current_tenant_id(), list(set(department_ids)))
    return {row["id"]: tuple(row["departments"]) for row in rows}


async def departments_of(employee_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """The department of each person with those above it, the nearest first; read them once the people are locked."""
    if not employee_ids:
        return {}
    rows = await current_transaction().fetch(_OF_PEOPLE, current_tenant_id(), list(employee_ids))
    above = await departments_above([row["department_id"] for row in rows])
    return {row["id"]: above[row["department_id"]] for row in rows}


async def lock_departments(department_ids: Collection[UUID]) -> None:
    """Let nobody add to what the departments hold until the transaction ends; all of them in one call."""
    if department_ids:
        await current_transaction().fetch(_LOCK, current_tenant_id(), list(department_ids))


async def find_loads(settings: PoolSettings, department_ids: Collection[UUID]) -> dict[UUID, DepartmentLoad]:
    """What those of the departments hold that the settings limit, by their names; lock them first to add to them."""
    limits = settings.limits_together(department_ids)
    if not limits:
        return {}
    rows = await current_transaction().fetch(_LOADS, current_tenant_id(), list(limits), settings.holding_text)
    return {row["id"]: DepartmentLoad(row["name"], limits[row["id"]], row["holding"]) for row in rows}
