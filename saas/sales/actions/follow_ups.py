"""Follow-ups: record what was done with a customer."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from saas.access import AccessTable
from saas.audit import record
from saas.customers import get_visible_customer, note_follow_up, settle_due
from saas.events import emit
from saas.kernel import Actor, Clock, local_date
from saas.sales.errors import FollowUpOfForeignCustomer
from saas.sales.events import FOLLOW_UP_RECORDED
from saas.sales.models import FollowUp
from saas.sales.queries import find_activity
from saas.sales.rules.follow_ups import check_evidence, check_kind, clean_content, happened_at


async def create_follow_up(
    actor: Actor,
    *,
    customer_id: UUID,
    kind: str,
    content: str,
    occurred_at: datetime | None,
    call_seconds: int | None = None,
    has_check_in: bool = False,
    access: AccessTable,
    time_zone: str,
    clock: Clock,
) -> FollowUp:
    """Record a follow-up of a customer that the caller owns; without `occurred_at` it happened now.

    `call_seconds` and `has_check_in` are the evidence that a pool may ask for. Where the follow-up counts, it moves the
    day on which the customer goes back to the pool.

    :raises BadUserInput: an unknown kind, a content that is empty or too long, or a call that lasted no time.
    :raises FollowUpInTheFuture: it has not happened yet.
    :raises CustomerNotFound: missing, another company's, or not visible.
    :raises FollowUpOfForeignCustomer: the caller does not own it.
    """
    now = clock.now()
    check_evidence(call_seconds)
    kind, text, at = check_kind(kind), clean_content(content), happened_at(occurred_at, now=now)
    await get_visible_customer(actor, access, customer_id=customer_id)
    author = actor.employee_id
    # The owner is checked by the update: between a look and a write the customer may have gone back to the pool.
    if author is None or not await note_follow_up(customer_id, owner_id=author, occurred_at=at):
        raise FollowUpOfForeignCustomer("sales.not_your_customer").at("input", "customer")
    follow_up = await FollowUp.create(
        customer_id=customer_id,
        author_id=author,
        kind=kind,
        content=text,
        call_seconds=call_seconds,
        has_check_in=has_check_in,
        occurred_at=at,
        occurred_on=local_date(at, time_zone),
        created_at=now,
    )
    today = local_date(now, time_zone)
    await settle_due([customer_id], activity=find_activity, time_zone=time_zone, today=today)
    await record(actor, "follow_up.created", object_type="FollowUp", object_id=follow_up.id, clock=clock)
    await emit(FOLLOW_UP_RECORDED, {"follow_up_id": str(follow_up.id), "customer_id": str(customer_id)})
    return follow_up
