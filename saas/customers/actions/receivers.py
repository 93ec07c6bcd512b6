"""Who may receive without being named: a pool's people, for what arrives (P04), and its overflow assignee (P13)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.queries import is_member_sql
from saas.customers.settings import PoolSettings
from tenants import current_tenant_id, current_transaction

_MEMBERS = f"""
SELECT e.id FROM customer_pool p JOIN employee e ON e.tenant_id = $1 AND e.status = 'active'
WHERE p.tenant_id = $1 AND p.id = $2 AND {is_member_sql(employee="e.id", department="e.department_id")} ORDER BY e.id
"""


async def find_receivers(pool_id: UUID, *, among: Collection[UUID]) -> list[UUID]:
    """The pool's active members that stand `among` those who may own customers, in the order of their ids."""
    return [each for each in await _members(pool_id) if each in among]


async def refuse_unfit_receivers(pool_id: UUID, before: PoolSettings, after: PoolSettings) -> None:
    """Refuse a change to people who can receive nothing: an overflow assignee, or nobody for what arrives.

    What was fit when it was chosen keeps no later change from being made; allocations look at people anew.

    :raises PoolRuleOutOfRange: naming the field.
    """
    assignee = after.assignment_overflow_to
    is_chosen = assignee is not None and assignee != before.assignment_overflow_to
    begins = after.allocates_arrivals and not before.allocates_arrivals
    if not is_chosen and not begins:
        return
    members = await _members(pool_id)
    if is_chosen and assignee not in members:
        raise PoolRuleOutOfRange("customers.overflow_assignee_unfit", field=("assignmentOverflowTo",))
    if begins and not members:
        raise PoolRuleOutOfRange("customers.arrival_without_members", field=("arrivalMethod",))


async def _members(pool_id: UUID) -> list[UUID]:
    rows = await current_transaction().fetch(_MEMBERS, current_tenant_id(), pool_id)
    return [row["id"] for row in rows]
