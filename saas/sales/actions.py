"""Writes of the sales room: record what was done with a customer."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from saas.access import AccessTable
from saas.audit import record
from saas.customers import get_visible_customer, note_follow_up
from saas.events import emit
from saas.kernel import Actor, BadUserInput, Clock, local_date
from saas.sales.errors import FollowUpInTheFuture, FollowUpOfForeignCustomer
from saas.sales.events import FOLLOW_UP_RECORDED
from saas.sales.models import FollowUp

CONTENT_MAX = 4000
CLOCK_SKEW = timedelta(minutes=5)
"""Phones' clocks run ahead a little; more than this is the future."""


async def create_follow_up(
    actor: Actor,
    *,
    customer_id: UUID,
    kind: str,
    content: str,
    occurred_at: datetime | None,
    access: AccessTable,
    time_zone: str,
    clock: Clock,
) -> FollowUp:
    """Record a follow-up of a customer that the caller owns.

    :raises CustomerNotFound: missing, another company's, or not visible.
    :raises FollowUpOfForeignCustomer: the caller does not own it.
    :raises FollowUpInTheFuture: it has not happened yet.
    """
    now = clock.now()
    happened = occurred_at or now
    text = content.strip()
    if not text or len(text) > CONTENT_MAX:
        raise BadUserInput("sales.content_length", {"longest": CONTENT_MAX}).at("input", "content")
    if happened > now + CLOCK_SKEW:
        raise FollowUpInTheFuture("sales.follow_up_in_the_future", {"at": happened.isoformat()}).at(
            "input", "occurredAt"
        )
    owner = await get_visible_customer(actor, access, customer_id=customer_id)
    if owner is None or owner != actor.employee_id:
        raise FollowUpOfForeignCustomer("sales.not_your_customer").at("input", "customerId")
    follow_up = await FollowUp.create(
        customer_id=customer_id,
        author_id=owner,
        kind=kind,
        content=text,
        occurred_at=happened,
        occurred_on=local_date(happened, time_zone),
        created_at=now,
    )
    await note_follow_up(customer_id, occurred_at=happened)
    await record(actor, "follow_up.created", object_type="FollowUp", object_id=follow_up.id, clock=clock)
    await emit(FOLLOW_UP_RECORDED, {"follow_up_id": str(follow_up.id), "customer_id": str(customer_id)})
    return follow_up
