"""Root fields about deals: entered, credited, cancelled, and the money that comes in and goes back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import strawberry

from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Ref, mapped
from saas.graphql.rooms.customers import CustomerRef, ExternalKeyInput, customer_id_of
from saas.graphql.rooms.references import optional_id, placed_id
from saas.sales import (
    CreditPart,
    NewCollection,
    NewDeal,
    cancel_deal,
    enter_deal,
    find_deal_by_external_key,
    record_collection,
    record_refund,
    set_credits,
)


@strawberry.input(one_of=True, description="A deal, by its id or by its key in another system. Since 0.1.")
class DealRef:
    """Exactly one of the two."""

    id: strawberry.ID | None = strawberry.field(description="dea_…", default=strawberry.UNSET)
    external: ExternalKeyInput | None = strawberry.field(
        description="Its key in another system.", default=strawberry.UNSET
    )


async def deal_id_of(ref: DealRef) -> UUID:
    """The deal's id; whether the caller may see it is checked by the action.

    :raises DealNotFound: no deal of this company has the external key.
    """
    if ref.external:
        return await find_deal_by_external_key(ref.external.system, ref.external.key)
    return placed_id(str(ref.id), prefix="dea", field=("deal", "id"))


@strawberry.input(description="A person's part in a deal. Since 0.1.")
class CreditInput:
    """Whose performance, and how much of it."""

    employee: strawberry.ID = strawberry.field(description="The person (emp_…).")
    share: Decimal = strawberry.field(
        description='A fraction such as "0.4", all of which add up to 1; or whole parts such as "1", "1", "1".'
    )


def _parts(credits_: list[CreditInput]) -> tuple[CreditPart, ...]:
    return tuple(
        CreditPart(placed_id(part.employee, prefix="emp", field=("credits", str(at), "employee")), part.share)
        for at, part in enumerate(credits_)
    )


@strawberry.input(description="A new deal. Since 0.1.")
class DealEnterInput:
    """What a deal is made of."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key enters one deal.")
    customer: CustomerRef = strawberry.field(description="The customer.")
    number: str = strawberry.field(description="The deal's number, 1 to 60 characters, unique in the company.")
    signed_on: date = strawberry.field(description="When it was signed; not in the future.")
    amount: Decimal = strawberry.field(description="What it is worth, VAT included, in the company's currency.")
    vat_rate: Decimal = strawberry.field(description='Rate of VAT, a fraction such as "0.13".', default=Decimal(0))
    product: str | None = strawberry.field(description="What was sold.", default=None)
    category: str | None = strawberry.field(description="Kind of product.", default=None)
    channel: str | None = strawberry.field(description="By which way it was sold.", default=None)
    opportunity: strawberry.ID | None = strawberry.field(description="What it came of (opp_…).", default=None)
    owner: strawberry.ID | None = strawberry.field(
        description="Whose it is (emp_…); without it, whoever owned the customer on the day. Needs deal:credit.",
        default=None,
    )
    credits: list[CreditInput] = strawberry.field(
        description="Whose performance it is, at most 20, in their order; without it, the owner's. Needs deal:credit.",
        default_factory=list,
    )
    external: ExternalKeyInput | None = strawberry.field(description="Its key in another system.", default=None)
    contract_ends_on: date | None = strawberry.field(
        description="The last day of its contract; a pool may take customers back some time after it (P52).",
        default=None,
    )


@strawberry.type(description="The deal. Since 0.1.")
class DealEnterPayload(IdempotentPayload):
    """Answer of dealEnter."""

    deal: Ref | None = mapped("Deal", description="The deal; null when refused. Since 0.1.")


@mutation(
    requires="deal:enter",
    idempotent=True,
    description="Enter a deal (成交), credited to whoever owned the customer on the day of signing",
)
async def deal_enter(info: Info, input: DealEnterInput) -> DealEnterPayload:  # noqa: A002
    new = NewDeal(
        customer_id=await customer_id_of(input.customer),
        number=input.number,
        signed_on=input.signed_on,
        amount=input.amount,
        vat_rate=input.vat_rate,
        product=input.product,
        category=input.category,
        channel=input.channel,
        opportunity_id=optional_id(input.opportunity, prefix="opp", field=("opportunity",)),
        owner_id=optional_id(input.owner, prefix="emp", field=("owner",)),
        credits=_parts(input.credits),
        external_system=input.external.system if input.external else None,
        external_key=input.external.key if input.external else None,
        contract_ends_on=input.contract_ends_on,
    )
    deal_id = await enter_deal(
        info.actor,
        new,
        access=info.rights,
        currency=info.currency,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return DealEnterPayload(deal=Ref("Deal", deal_id))


@strawberry.input(description="Other credits of a deal. Since 0.1.")
class DealCreditsSetInput:
    """Whose performance the deal is from now on."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key changes it once.")
    deal: DealRef = strawberry.field(description="The deal.")
    credits: list[CreditInput] = strawberry.field(description="All of them, 1 to 20, in their order.")
    expected_version: int = strawberry.field(description="The deal's version as it was read.")


@strawberry.type(description="The deal with its credits. Since 0.1.")
class DealCreditsSetPayload(IdempotentPayload):
    """Answer of dealCreditsSet."""

    deal: Ref | None = mapped("Deal", description="The deal; null when refused. Since 0.1.")


@mutation(
    requires="deal:credit",
    idempotent=True,
    description="Credit a deal, and what was received for it, to other people or by other shares (业绩分成)",
)
async def deal_credits_set(info: Info, input: DealCreditsSetInput) -> DealCreditsSetPayload:  # noqa: A002
    deal_id = await set_credits(
        info.actor,
        deal_id=await deal_id_of(input.deal),
        parts=_parts(input.credits),
        expected_version=input.expected_version,
        access=info.rights,
        clock=info.clock,
    )
    return DealCreditsSetPayload(deal=Ref("Deal", deal_id))


@strawberry.input(description="Which deal came to nothing, and why. Since 0.1.")
class DealCancelInput:
    """The end of a deal."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key cancels once.")
    deal: DealRef = strawberry.field(description="The deal; what was received for it must have been paid back.")
    reason: str = strawberry.field(description="Why, 1 to 200 characters; it stands in the trail.")
    expected_version: int = strawberry.field(description="The deal's version as it was read.")


@strawberry.type(description="The cancelled deal. Since 0.1.")
class DealCancelPayload(IdempotentPayload):
    """Answer of dealCancel."""

    deal: Ref | None = mapped("Deal", description="The deal; null when refused. Since 0.1.")


@mutation(
    requires="deal:cancel",
    idempotent=True,
    description="End a deal that came to nothing; its performance is taken back under the day of cancellation",
)
async def deal_cancel(info: Info, input: DealCancelInput) -> DealCancelPayload:  # noqa: A002
    deal_id = await cancel_deal(
        info.actor,
        deal_id=await deal_id_of(input.deal),
        reason=input.reason,
        expected_version=input.expected_version,
        access=info.rights,
        currency=info.currency,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return DealCancelPayload(deal=Ref("Deal", deal_id))


@strawberry.input(description="Money that came in for a deal, or was paid back. Since 0.1.")
class CollectionRecordInput:
    """How much, when, for which deal."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key records it once.")
    deal: DealRef = strawberry.field(description="The deal.")
    received_on: date = strawberry.field(description="When; not in the future.")
    amount: Decimal = strawberry.field(description="How much, above 0, in the company's currency.")
    method: str | None = strawberry.field(description="How it was paid, at most 40 characters.", default=None)
    external: ExternalKeyInput | None = strawberry.field(description="Its key in another system.", default=None)


@strawberry.type(description="The collection or refund. Since 0.1.")
class CollectionRecordPayload(IdempotentPayload):
    """Answer of collectionRecord and refundRecord."""

    collection: Ref | None = mapped("Collection", description="The collection or refund; null when refused. Since 0.1.")


@mutation(
    requires="collection:record",
    idempotent=True,
    description="Record money that came in for a deal (回款); all of it together is never more than the deal's amount",
)
async def collection_record(info: Info, input: CollectionRecordInput) -> CollectionRecordPayload:  # noqa: A002
    collection_id = await record_collection(
        info.actor,
        await _received(input),
        access=info.rights,
        currency=info.currency,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CollectionRecordPayload(collection=Ref("Collection", collection_id))


@mutation(
    requires="refund:record",
    idempotent=True,
    description="Record money of a deal that was paid back (退款), never more than came in",
)
async def refund_record(info: Info, input: CollectionRecordInput) -> CollectionRecordPayload:  # noqa: A002
    refund_id = await record_refund(
        info.actor,
        await _received(input),
        access=info.rights,
        currency=info.currency,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CollectionRecordPayload(collection=Ref("Collection", refund_id))


async def _received(input_: CollectionRecordInput) -> NewCollection:
    """What the input says; the action knows which way the money went."""
    return NewCollection(
        deal_id=await deal_id_of(input_.deal),
        kind="collection",
        received_on=input_.received_on,
        amount=input_.amount,
        method=input_.method,
        external_system=input_.external.system if input_.external else None,
        external_key=input_.external.key if input_.external else None,
    )
