"""Owners give customers back to the pool."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from saas.access import AccessTable
from saas.customers.actions.handovers import record_owner
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.actions.reasons import checked_reason
from saas.customers.errors import (
    NotTheOwner,
    ReasonUnlisted,
)
from saas.customers.events import CUSTOMER_RELEASED
from saas.customers.queries import POOL_SETTINGS, get_visible_customer
from saas.customers.settings import settings_in_force
from saas.events import emit
from saas.kernel import Actor, Clock, local_date
from tenants import current_tenant_id, current_transaction

RETURN_TO_POOL = """
WITH returned AS (
    UPDATE customer SET owner_id = NULL, owner_department_id = NULL, status = 'pooled', received_on = NULL,
        due_on = NULL, due_rule = NULL, settings_version = NULL, earlier_version = NULL, effective_follow_up_on = NULL,
        version = version + 1
    WHERE tenant_id = $1 AND id = $3 AND owner_id = $2 RETURNING id, pool_id
)
UPDATE ownership o SET ended_at = $4, ended_on = $5, end_kind = $6, reason = $7
FROM returned WHERE o.tenant_id = $1 AND o.customer_id = returned.id AND o.ended_at IS NULL
RETURNING returned.pool_id
"""
"""Gives the pool where the person owned the customer; no row, and nothing written, where somebody else does."""

_REASONS = f"""
SELECT p.name AS pool_name, {POOL_SETTINGS} FROM customer c
JOIN customer_pool p ON p.tenant_id = c.tenant_id AND p.id = c.pool_id WHERE c.tenant_id = $1 AND c.id = $2
"""


async def release_customer(
    actor: Actor, *, customer_id: UUID, reason: str, access: AccessTable, time_zone: str, clock: Clock
) -> UUID:
    """Give a customer back to its pool. The claim is not given back (L01); the cooldown begins today (P34).

    :raises BadUserInput: no reason is given, or too long a one (P32).
    :raises ReasonUnlisted: the pool has a list of reasons, and it is not on it (P32).
    :raises CustomerNotFound: missing, another company's, or not visible.
    :raises NotTheOwner: somebody else, or nobody, owns it.
    """
    now, reason = clock.now(), checked_reason(reason)
    today = local_date(now, time_zone)
    await get_visible_customer(actor, access, customer_id=customer_id)
    await _refuse_unlisted(customer_id, reason)
    values = (actor.employee_id, customer_id, now, today, "release", reason)
    pool_id = await current_transaction().fetchval(RETURN_TO_POOL, current_tenant_id(), *values)
    if pool_id is None:
        raise NotTheOwner("customers.not_the_owner").at("input", "customer")
    line = LedgerLine("released", pool_id, customer_id, former_owner_id=actor.employee_id, reason=reason)
    await write_ledger(actor, [line], at=now, on=today)
    owner = str(actor.employee_id)
    await record_owner(actor, "customer.released", customer_id, owner, None, reason, clock)
    await emit(CUSTOMER_RELEASED, {"customer_id": str(customer_id), "owner_id": owner})
    return customer_id


async def release_customers(
    actor: Actor, *, customer_ids: Collection[UUID], reason: str, access: AccessTable, time_zone: str, clock: Clock
) -> list[UUID]:
    """Give several customers back, all of them or none; in the order of their ids, so that nobody waits in a circle.

    Raises as `release_customer`.
    """
    return [
        await release_customer(actor, customer_id=each, reason=reason, access=access, time_zone=time_zone, clock=clock)
        for each in sorted(set(customer_ids))
    ]


async def _refuse_unlisted(customer_id: UUID, reason: str) -> None:
    row = await current_transaction().fetchrow(_REASONS, current_tenant_id(), customer_id)
    assert row is not None, "the caller has seen the customer, and customers are never deleted"
    reasons = settings_in_force(row).release_reasons
    if reasons and reason not in reasons:
        values = {"pool": row["pool_name"], "reason": reason, "reasons": ", ".join(reasons)}
        raise ReasonUnlisted("customers.reason_unlisted", values).at("input", "reason")
