"""Root fields about what rules do to owned customers, their levels, and who owned what on a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

import strawberry

from saas.customers import Near, change_level, find_owner_on, foresee_recycling, require_visible_customers
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import IdempotentPayload, Ref, mapped
from saas.graphql.render import ExplanationLine, PageInfo
from saas.graphql.render_inputs import described_enum
from saas.graphql.rooms.customers import CustomerRef, customer_id_of
from saas.graphql.rooms.explanations import told
from saas.graphql.rooms.plain_pages import After, First, page_of
from saas.kernel import BadUserInput
from saas.sales import find_activity

MOST_CUSTOMERS = 100
FORESEEN_DAYS = 7

RecycleAction = described_enum(
    "RecycleAction",
    "What the next run of recycling would do with a customer today. Since 0.1.",
    {
        "KEEP": "Nothing yet, or a warning. Since 0.1.",
        "POSTPONE": "It is due, and waits a day for a reminder that was never delivered. Since 0.1.",
        "RECYCLE": "It goes back to the pool. Since 0.1.",
    },
)


@strawberry.input(description="Which customer gets which level, and why. Since 0.1.")
class CustomerLevelChangeInput:
    """Another level, or none."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key changes it once.")
    customer: CustomerRef = strawberry.field(description="The customer.")
    level: str | None = strawberry.field(description="The level, at most 20 characters; null: none.", default=None)
    reason: str = strawberry.field(description="Why, 1 to 200 characters; it stands in the trail.")


@strawberry.type(description="The customer with its level. Since 0.1.")
class CustomerLevelChangePayload(IdempotentPayload):
    """Answer of customerLevelChange."""

    customer: Ref | None = mapped("Customer", description="The customer; null when refused. Since 0.1.")


@mutation(
    requires="customer:level",
    idempotent=True,
    description="Change a customer's level (客户级别); more days to hold it count once in a holding",
)
async def customer_level_change(info: Info, input: CustomerLevelChangeInput) -> CustomerLevelChangePayload:  # noqa: A002
    customer_id = await change_level(
        info.actor,
        customer_id=await customer_id_of(input.customer),
        level=input.level,
        reason=input.reason,
        access=info.rights,
        activity=find_activity,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CustomerLevelChangePayload(customer=Ref("Customer", customer_id))


@strawberry.type(description="A customer that goes back to the pool before long, and why. Since 0.1.")
class ForeseenRecycling:
    """As things stand today."""

    customer: Ref | None = mapped("Customer", description="The customer. Since 0.1.")
    action: str = strawberry.field(
        description="What the run of today does. Since 0.1.", graphql_type=RecycleAction, default="KEEP"
    )
    due_on: date | None = strawberry.field(description="The day it goes. Since 0.1.", default=None)
    days_left: int | None = strawberry.field(
        description="Whole days left after today; 0 is the last day, below it is overdue. Since 0.1.", default=None
    )
    settings_version: int | None = strawberry.field(
        description="The version of the pool's settings whose rules it goes by. Since 0.1.", default=None
    )
    explanation: list[ExplanationLine] = strawberry.field(
        description="Each rule with its clock, and what keeps the customer: at most 20 lines. Since 0.1.",
        default_factory=list,
    )


@strawberry.type(description="A page of what recycling is going to do. Since 0.1.")
class ForeseenRecyclingConnection:
    """Soonest first."""

    nodes: list[ForeseenRecycling] = strawberry.field(description="The customers of the page. Since 0.1.")
    page_info: PageInfo = strawberry.field(description="Where the page stands. Since 0.1.")


Until = Annotated[
    date | None,
    strawberry.argument(description="Those that go on this day or before; a week from today when absent. Since 0.1."),
]


@query(
    signed_in=True,
    description="What recycling (回收) is going to do with the owned customers that the caller sees, and why",
)
async def recycle_preview(
    info: Info, first: First, after: After = None, until: Until = None
) -> ForeseenRecyclingConnection:
    page = page_of("recyclePreview", first=first, after=after)
    found = await foresee_recycling(
        info.actor,
        access=info.rights,
        until=until or info.today + timedelta(days=FORESEEN_DAYS),
        after=page.after,
        first=page.size + 1,
        activity=find_activity,
        time_zone=info.time_zone,
        today=info.today,
    )
    shown, page_info = page.cut(found, lambda near: near.key)
    return ForeseenRecyclingConnection(nodes=[_foreseen(info, near) for near in shown], page_info=page_info)


def _foreseen(info: Info, near: Near) -> ForeseenRecycling:
    verdict = near.verdict
    return ForeseenRecycling(
        customer=Ref("Customer", near.customer_id),
        action=verdict.action.name,
        due_on=verdict.due_on,
        days_left=verdict.days_left,
        settings_version=near.rules_version,
        explanation=told(info, verdict.explanation),
    )


@strawberry.type(description="Who owned a customer on a day. Since 0.1.")
class OwnerOnDay:
    """The last owner of that day."""

    customer: Ref | None = mapped("Customer", description="The customer. Since 0.1.")
    owner: Ref | None = mapped("Employee", description="Who owned it; null where nobody did. Since 0.1.")


@query(
    requires="customer:history",
    description="Who owned customers on a day, in the order asked, at most 100; who cannot see a customer is refused",
)
async def owners_on(
    info: Info,
    customers: Annotated[list[CustomerRef], strawberry.argument(description="The customers, at most 100. Since 0.1.")],
    on: Annotated[date, strawberry.argument(description="The day, in the company's calendar. Since 0.1.")],
) -> list[OwnerOnDay]:
    if len(customers) > MOST_CUSTOMERS:
        given = {"given": len(customers), "most": MOST_CUSTOMERS}
        raise BadUserInput("graphql.list_too_long", given, field=("customers",))
    ids = [await customer_id_of(each) for each in customers]
    await require_visible_customers(info.actor, info.rights, ids)
    owners = await find_owner_on([(each, on) for each in ids])
    return [OwnerOnDay(customer=Ref("Customer", each), owner=_employee(owners.get((each, on)))) for each in ids]


def _employee(employee_id: UUID | None) -> Ref | None:
    return None if employee_id is None else Ref("Employee", employee_id)
