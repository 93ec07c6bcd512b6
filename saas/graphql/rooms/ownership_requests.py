"""Root fields by which claims and assignments are asked for, decided and taken back (P49)."""

from __future__ import annotations

from functools import partial

import strawberry

from saas.customers import OwnershipRequests, refuse_by_plugins
from saas.extensions import PluginHost
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Ref, mapped
from saas.graphql.rooms.customers import CustomerRef, customer_id_of
from saas.graphql.rooms.references import placed_id


def _requests(info: Info) -> OwnershipRequests:
    guard = partial(refuse_by_plugins, info.room(PluginHost), info.plugins)
    return OwnershipRequests(info.actor, info.rights, guard, info.time_zone, info.clock)


@strawberry.type(description="What became of the request. Since 0.1.")
class OwnershipRequestPayload(IdempotentPayload):
    """Answer of the mutations on requests."""

    request: Ref | None = mapped("OwnershipRequest", description="The request; null when refused. Since 0.1.")


@strawberry.input(description="Which customer is asked for, for whom and why. Since 0.1.")
class OwnershipRequestCreateInput:
    """A claim or an assignment."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key asks once.")
    customer: CustomerRef = strawberry.field(description="The customer; it must be in the pool, and stays there.")
    employee: strawberry.ID | None = strawberry.field(
        description="Who would own it (emp_…); absent: the caller. For somebody else customer:assign is needed.",
        default=None,
    )
    reason: str = strawberry.field(
        description="Why, 1 to 200 characters; of an assignment, the public ledger shows it."
    )


@mutation(
    requires="customer:claim",
    idempotent=True,
    description="Ask for a claim (领取申请) or an assignment (分配申请) that a second person decides about",
)
async def ownership_request_create(info: Info, input: OwnershipRequestCreateInput) -> OwnershipRequestPayload:  # noqa: A002
    employee_id = None if input.employee is None else placed_id(input.employee, prefix="emp", field=("employee",))
    request_id = await _requests(info).ask(
        customer_id=await customer_id_of(input.customer), employee_id=employee_id, reason=input.reason
    )
    return OwnershipRequestPayload(request=Ref("OwnershipRequest", request_id))


@strawberry.input(description="What is decided about a request. Since 0.1.")
class OwnershipRequestDecideInput:
    """A request that waits."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key decides once.")
    request: strawberry.ID = strawberry.field(description="The request (orq_…); not one's own, nor for oneself.")
    is_granted: bool = strawberry.field(description="True: the customer is claimed or assigned now; false: refused.")
    reason: str = strawberry.field(description="Why, 1 to 200 characters; who asked reads it.")


@mutation(
    requires="customer:assign",
    idempotent=True,
    description="Grant or refuse what somebody asked for; every rule is checked again, and other requests lapse",
)
async def ownership_request_decide(info: Info, input: OwnershipRequestDecideInput) -> OwnershipRequestPayload:  # noqa: A002
    given = placed_id(input.request, prefix="orq", field=("request",))
    request_id = await _requests(info).decide(request_id=given, is_granted=input.is_granted, reason=input.reason)
    return OwnershipRequestPayload(request=Ref("OwnershipRequest", request_id))


@strawberry.input(description="Which request to take back, and why. Since 0.1.")
class OwnershipRequestWithdrawInput:
    """One's own request."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key takes back once.")
    request: strawberry.ID = strawberry.field(description="The request (orq_…).")
    reason: str = strawberry.field(description="Why, 1 to 200 characters.")


@mutation(requires="customer:claim", idempotent=True, description="Take one's own request back while it waits")
async def ownership_request_withdraw(info: Info, input: OwnershipRequestWithdrawInput) -> OwnershipRequestPayload:  # noqa: A002
    given = placed_id(input.request, prefix="orq", field=("request",))
    request_id = await _requests(info).withdraw(request_id=given, reason=input.reason)
    return OwnershipRequestPayload(request=Ref("OwnershipRequest", request_id))
