"""Root fields of the sales room."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Ref, enum_of, mapped, stored_text
from saas.graphql.rooms.customers import CustomerRef, customer_id_of
from saas.sales import FOLLOW_UP_KIND, create_follow_up


@strawberry.input(description="What was done with a customer. Since 0.1.")
class FollowUpCreateInput:
    """A follow-up."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key records it once.")
    customer: CustomerRef = strawberry.field(description="The customer; the caller must own it.")
    kind: Enum = enum_of(FOLLOW_UP_KIND, description="How.")
    content: str = strawberry.field(description="What was said and agreed, 1 to 4,000 characters.")
    occurred_at: datetime | None = strawberry.field(
        description="When it happened; now when absent, never in the future.", default=None
    )
    call_seconds: int | None = strawberry.field(
        description="Length of the call's record, 1 to 86400 seconds; a pool may ask for it.", default=None
    )
    has_check_in: bool = strawberry.field(
        description="Whether there is a check-in on the spot; a pool may ask for it.", default=False
    )


@strawberry.type(description="The recorded follow-up. Since 0.1.")
class FollowUpCreatePayload(IdempotentPayload):
    """Answer of followUpCreate."""

    follow_up: Ref | None = mapped("FollowUp", description="The follow-up; null when refused. Since 0.1.")


@mutation(requires="follow_up:create", idempotent=True, description="Record what was done with a customer (跟进)")
async def follow_up_create(info: Info, input: FollowUpCreateInput) -> FollowUpCreatePayload:  # noqa: A002
    made = await create_follow_up(
        info.actor,
        customer_id=await customer_id_of(input.customer),
        kind=stored_text(FOLLOW_UP_KIND, input.kind),
        content=input.content,
        occurred_at=input.occurred_at,
        call_seconds=input.call_seconds,
        has_check_in=input.has_check_in,
        access=info.rights,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return FollowUpCreatePayload(follow_up=Ref("FollowUp", made.id))
