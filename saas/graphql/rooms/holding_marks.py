"""Root fields by which owners lock, protect and extend what they hold."""

from __future__ import annotations

from enum import Enum

import strawberry

from saas.customers import MARK_KIND, Marking, MarkKind
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Ref, enum_of, mapped, stored_text
from saas.graphql.rooms.customers import CustomerRef, customer_id_of
from saas.graphql.rooms.references import placed_id
from saas.sales import find_activity


def _marking(info: Info) -> Marking:
    return Marking(info.actor, info.rights, find_activity, info.time_zone, info.clock)


@strawberry.type(description="What became of the mark. Since 0.1.")
class HoldingMarkPayload(IdempotentPayload):
    """Answer of the mutations on marks."""

    mark: Ref | None = mapped("HoldingMark", description="The mark; null when refused. Since 0.1.")


@strawberry.input(description="What to keep from the pool, how and for how long. Since 0.1.")
class CustomerMarkInput:
    """A lock, a protection or an extension."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key marks once.")
    customer: CustomerRef = strawberry.field(description="The customer; the caller must own it.")
    kind: Enum = enum_of(MARK_KIND, description="What the mark does.")
    days: int | None = strawberry.field(
        description="Its length in days; the longest that the pool allows when absent.", default=None
    )
    reason: str = strawberry.field(description="Why, 1 to 200 characters; it stands in the public ledger.")


@mutation(
    requires="customer:mark",
    idempotent=True,
    description="Lock (锁定), protect (保护) or extend (延期) one's own customer; an extension may need a decision",
)
async def customer_mark(info: Info, input: CustomerMarkInput) -> HoldingMarkPayload:  # noqa: A002
    mark_id = await _marking(info).mark(
        customer_id=await customer_id_of(input.customer),
        kind=MarkKind(stored_text(MARK_KIND, input.kind)),
        days=input.days,
        reason=input.reason,
    )
    return HoldingMarkPayload(mark=Ref("HoldingMark", mark_id))


@strawberry.input(description="Which mark to take back, and why. Since 0.1.")
class HoldingMarkEndInput:
    """One's own mark."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key ends once.")
    mark: strawberry.ID = strawberry.field(description="The mark (hmk_…).")
    reason: str = strawberry.field(description="Why, 1 to 200 characters; it stands in the public ledger.")


@mutation(requires="customer:mark", idempotent=True, description="Take one's own lock, protection or extension back")
async def holding_mark_end(info: Info, input: HoldingMarkEndInput) -> HoldingMarkPayload:  # noqa: A002
    given = placed_id(input.mark, prefix="hmk", field=("mark",))
    mark_id = await _marking(info).end(mark_id=given, reason=input.reason)
    return HoldingMarkPayload(mark=Ref("HoldingMark", mark_id))


@strawberry.input(description="What is decided about an extension. Since 0.1.")
class HoldingMarkDecideInput:
    """An extension that waits."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key decides once.")
    mark: strawberry.ID = strawberry.field(description="The extension (hmk_…); not of a customer of one's own.")
    is_granted: bool = strawberry.field(description="True: the day it is due is moved; false: refused.")
    reason: str = strawberry.field(description="Why, 1 to 200 characters; the owner reads it.")


@mutation(
    requires="customer:extend", idempotent=True, description="Grant or refuse an extension of somebody's customer"
)
async def holding_mark_decide(info: Info, input: HoldingMarkDecideInput) -> HoldingMarkPayload:  # noqa: A002
    given = placed_id(input.mark, prefix="hmk", field=("mark",))
    mark_id = await _marking(info).decide(mark_id=given, is_granted=input.is_granted, reason=input.reason)
    return HoldingMarkPayload(mark=Ref("HoldingMark", mark_id))
