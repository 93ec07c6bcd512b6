"""Several claims at once: all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from saas.access import AccessTable
from saas.customers.actions.claiming import ClaimGuard, claim_customer
from saas.kernel import Actor, AppError, Clock


async def claim_customers(
    actor: Actor,
    *,
    customer_ids: Sequence[UUID],
    access: AccessTable,
    guard: ClaimGuard,
    time_zone: str,
    clock: Clock,
) -> list[UUID]:
    """Take several customers, all of them or none (P06, L05); in the order of their ids, so nobody waits in a circle.

    Raises as `claim_customer`, naming the place in the list.
    """
    claimed = []
    for customer_id in sorted(set(customer_ids)):
        try:
            claimed.append(
                await claim_customer(
                    actor, customer_id=customer_id, access=access, guard=guard, time_zone=time_zone, clock=clock
                )
            )
        except AppError as refusal:
            raise refusal.at("input", "customers", str(customer_ids.index(customer_id))) from None
    return claimed
