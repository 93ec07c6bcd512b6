"""Root fields about opportunities: entered, and moved from stage to stage."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import strawberry

from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Ref, mapped
from saas.graphql.rooms.customers import CustomerRef, ExternalKeyInput, customer_id_of
from saas.graphql.rooms.references import optional_id, placed_id
from saas.sales import NewOpportunity, enter_opportunity, move_opportunity


@strawberry.input(description="A new opportunity. Since 0.1.")
class OpportunityEnterInput:
    """What an opportunity is made of."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key enters one opportunity.")
    stage: str = strawberry.field(description="Code of the stage it stands in, e.g. prospecting.")
    customer: CustomerRef | None = strawberry.field(description="The customer; absent while unknown.", default=None)
    owner: strawberry.ID | None = strawberry.field(
        description="Whose it is (emp_…); the caller's own by default. For somebody else: needs opportunity:assign.",
        default=None,
    )
    product: str | None = strawberry.field(description="What would be sold.", default=None)
    engaged_on: date | None = strawberry.field(description="When talks began.", default=None)
    closed_on: date | None = strawberry.field(
        description="When it was won or lost; only, and always, in a stage that ends it.", default=None
    )
    expected: Decimal | None = strawberry.field(
        description="What it is expected to bring, in the company's currency.", default=None
    )
    external: ExternalKeyInput | None = strawberry.field(description="Its key in another system.", default=None)


@strawberry.type(description="The opportunity. Since 0.1.")
class OpportunityEnterPayload(IdempotentPayload):
    """Answer of opportunityEnter."""

    opportunity: Ref | None = mapped("Opportunity", description="The opportunity; null when refused. Since 0.1.")


@mutation(requires="opportunity:enter", idempotent=True, description="Enter a sale that may come about (商机)")
async def opportunity_enter(info: Info, input: OpportunityEnterInput) -> OpportunityEnterPayload:  # noqa: A002
    new = NewOpportunity(
        stage=input.stage,
        customer_id=await customer_id_of(input.customer) if input.customer else None,
        owner_id=optional_id(input.owner, prefix="emp", field=("owner",)),
        product=input.product,
        engaged_on=input.engaged_on,
        closed_on=input.closed_on,
        expected=input.expected,
        external_system=input.external.system if input.external else None,
        external_key=input.external.key if input.external else None,
    )
    opportunity_id = await enter_opportunity(
        info.actor,
        new,
        access=info.rights,
        currency=info.currency,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return OpportunityEnterPayload(opportunity=Ref("Opportunity", opportunity_id))


@strawberry.input(description="Which opportunity goes where. Since 0.1.")
class OpportunityMoveInput:
    """A move to another stage."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key moves it once.")
    opportunity: strawberry.ID = strawberry.field(description="The opportunity (opp_…).")
    stage: str = strawberry.field(description="Code of the stage it goes to, e.g. won.")
    closed_on: date | None = strawberry.field(
        description="When it was won or lost, in a stage that ends it; today by default.", default=None
    )
    expected_version: int = strawberry.field(description="The opportunity's version as it was read.")


@strawberry.type(description="The opportunity in its new stage. Since 0.1.")
class OpportunityMovePayload(IdempotentPayload):
    """Answer of opportunityMove."""

    opportunity: Ref | None = mapped("Opportunity", description="The opportunity; null when refused. Since 0.1.")


@mutation(
    requires="opportunity:move",
    idempotent=True,
    description="Bring an opportunity to another stage; winning it makes no deal, which is entered when it is signed",
)
async def opportunity_move(info: Info, input: OpportunityMoveInput) -> OpportunityMovePayload:  # noqa: A002
    opportunity_id = await move_opportunity(
        info.actor,
        opportunity_id=placed_id(input.opportunity, prefix="opp", field=("opportunity",)),
        stage=input.stage,
        closed_on=input.closed_on,
        expected_version=input.expected_version,
        access=info.rights,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return OpportunityMovePayload(opportunity=Ref("Opportunity", opportunity_id))
