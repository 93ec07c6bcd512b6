"""Root fields of the customers room."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import strawberry

from saas.customers import (
    NewCustomer,
    RefusalTally,
    assign_customer,
    assignment_warning,
    claim_customer,
    claim_customers,
    create_customer,
    find_customer_by_external_key,
    foresee_claim,
    refuse_by_plugins,
    release_customer,
    release_customers,
    transfer_customer,
)
from saas.extensions import PluginHost
from saas.graphql.fields import Info, Rivalry, mutation
from saas.graphql.payloads import IdempotentPayload, Ref, UserError, mapped, user_error
from saas.graphql.rooms.references import placed_id
from saas.kernel import AppError, BadUserInput, Catalogue, Scalar, local_date
from saas.sales import find_activity
from saas.sealing import Sealer
from tenants import Ask

MOST_AT_ONCE = 100


@strawberry.input(description="A record's key in another system. Since 0.1.")
class ExternalKeyInput:
    """System and key; unique in the company."""

    system: str = strawberry.field(description="Short name of the other system, e.g. crm.")
    key: str = strawberry.field(description="The record's key there.")


@strawberry.input(one_of=True, description="A customer, by its id or by its key in another system. Since 0.1.")
class CustomerRef:
    """Exactly one of the two."""

    id: strawberry.ID | None = strawberry.field(description="cus_…", default=strawberry.UNSET)
    external: ExternalKeyInput | None = strawberry.field(
        description="Its key in another system.", default=strawberry.UNSET
    )


async def customer_id_of(ref: CustomerRef) -> UUID:
    """The customer's id; whether the caller may see it is checked by the action.

    :raises CustomerNotFound: no customer of this company has the external key.
    """
    if ref.external:
        return await find_customer_by_external_key(ref.external.system, ref.external.key)
    return placed_id(str(ref.id), prefix="cus", field=("customer", "id"))


@strawberry.input(description="A new customer. Since 0.1.")
class CustomerCreateInput:
    """What a customer is made of."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key gives the same customer.")
    name: str = strawberry.field(description="Full name, 1 to 200 characters; checked for duplicates.")
    keep: bool = strawberry.field(
        description="True: the caller owns it at once; false: it goes to the default pool.", default=False
    )
    short_name: str | None = strawberry.field(description="Short name.", default=None)
    industry: str | None = strawberry.field(description="Industry.", default=None)
    level: str | None = strawberry.field(description="The company's own grade, e.g. A, B, C.", default=None)
    source: str | None = strawberry.field(description="Where the customer came from.", default=None)
    district_code: str | None = strawberry.field(
        description="Administrative division, GB/T 2260 code of six digits.", default=None
    )
    district_name: str | None = strawberry.field(description="Name of the administrative division.", default=None)
    language: str | None = strawberry.field(description="The language it speaks, for matching.", default=None)
    required_skill: str | None = strawberry.field(description="The skill it needs, for matching.", default=None)
    wanted_product: str | None = strawberry.field(description="The product it wants, for matching.", default=None)
    contact_name: str | None = strawberry.field(description="Name of the contact.", default=None)
    phone: str | None = strawberry.field(description="Phone number; sealed, and checked for duplicates.", default=None)
    external: ExternalKeyInput | None = strawberry.field(description="Its key in another system.", default=None)


@strawberry.type(description="The new customer. Since 0.1.")
class CustomerCreatePayload(IdempotentPayload):
    """Answer of customerCreate."""

    customer: Ref | None = mapped("Customer", description="The new customer; null when refused. Since 0.1.")
    warnings: list[UserError] = strawberry.field(
        description="What the duplicate check warns of, where the pool lets it only warn; at most 1. Since 0.1.",
        default_factory=list,
    )


@mutation(requires="customer:create", idempotent=True, description="Enter a customer, for oneself or for the pool")
async def customer_create(info: Info, input: CustomerCreateInput) -> CustomerCreatePayload:  # noqa: A002
    new = NewCustomer(
        name=input.name,
        short_name=input.short_name,
        industry=input.industry,
        level=input.level,
        source=input.source,
        district_code=input.district_code,
        district_name=input.district_name,
        language=input.language,
        required_skill=input.required_skill,
        wanted_product=input.wanted_product,
        contact_name=input.contact_name,
        phone=input.phone,
        external_system=input.external.system if input.external else None,
        external_key=input.external.key if input.external else None,
    )
    customer_id, warning = await create_customer(
        info.actor,
        new,
        keep=input.keep,
        keyring=await info.room(Sealer).keyring(info.actor.tenant_id),
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CustomerCreatePayload(customer=Ref("Customer", customer_id), warnings=_warnings(info, warning))


@strawberry.input(description="Which customer to claim. Since 0.1.")
class CustomerClaimInput:
    """A claim from the pool."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key claims once.")
    customer: CustomerRef = strawberry.field(description="The customer.")


@strawberry.type(description="The claimed customer. Since 0.1.")
class CustomerClaimPayload(IdempotentPayload):
    """Answer of customerClaim."""

    customer: Ref | None = mapped(
        "Customer", description="The customer, now the caller's; null when refused. Since 0.1."
    )


async def _foresee_claim(info: Info, ask: Ask, input: CustomerClaimInput) -> None:  # noqa: A002
    customer_id = await customer_id_of(input.customer)
    await foresee_claim(ask, info.actor, info.rights, customer_id=customer_id)


def _note_refusal(info: Info, refusal: AppError, *, input: CustomerClaimInput) -> None:  # noqa: A002
    """For the pool's metrics; a customer called by another system's key is not looked up for that."""
    _note(info, refusal, [input.customer])


def _note(info: Info, refusal: AppError, customers: list[CustomerRef]) -> None:
    known = [str(each.id) for each in customers[:1] if each.id]
    if not known:
        return
    try:
        customer_id = placed_id(known[0], prefix="cus", field=("customer", "id"))
    except AppError:
        return  # an id that is none was refused as such
    tally = info.room(RefusalTally)
    tally.note(refusal, tenant_id=info.actor.tenant_id, customer_id=customer_id, today=info.today)


def _note_refusals(info: Info, refusal: AppError, *, input: CustomersClaimInput) -> None:  # noqa: A002
    """A batch is refused as a whole, and once: in the pool of its first customer."""
    _note(info, refusal, input.customers)


def _claimed_id(input: CustomerClaimInput) -> str | None:  # noqa: A002
    """The customer as the caller names it; None for a key of another system, which a statement would have to find."""
    return str(input.customer.id) if input.customer.id else None


@mutation(
    requires="customer:claim",
    idempotent=True,
    rivalry=Rivalry(over=_claimed_id, foresee=_foresee_claim),
    refused=_note_refusal,
    description="Take a customer out of the pool for oneself (领取); of any number at once exactly one succeeds",
)
async def customer_claim(info: Info, input: CustomerClaimInput) -> CustomerClaimPayload:  # noqa: A002
    customer_id = await claim_customer(
        info.actor,
        customer_id=await customer_id_of(input.customer),
        access=info.rights,
        guard=partial(refuse_by_plugins, info.room(PluginHost), info.plugins),
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CustomerClaimPayload(customer=Ref("Customer", customer_id))


@strawberry.input(description="Which customers to claim. Since 0.1.")
class CustomersClaimInput:
    """Several claims at once."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key claims once.")
    customers: list[CustomerRef] = strawberry.field(description="The customers, at most 100; each counts as a claim.")


@strawberry.type(description="The claimed customers. Since 0.1.")
class CustomersClaimPayload(IdempotentPayload):
    """Answer of customersClaim."""

    customers: list[Ref] = mapped(
        "Customer", description="The customers, now the caller's; empty when refused. Since 0.1.", many=True
    )


@mutation(
    requires="customer:claim",
    idempotent=True,
    refused=_note_refusals,
    description="Take several customers out of the pool (批量领取): all of them, or none where one is refused",
)
async def customers_claim(info: Info, input: CustomersClaimInput) -> CustomersClaimPayload:  # noqa: A002
    claimed = await claim_customers(
        info.actor,
        customer_ids=await _ids_of(input.customers),
        access=info.rights,
        guard=partial(refuse_by_plugins, info.room(PluginHost), info.plugins),
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CustomersClaimPayload(customers=[Ref("Customer", each) for each in claimed])


async def _ids_of(customers: list[CustomerRef]) -> list[UUID]:
    if len(customers) > MOST_AT_ONCE:
        given: dict[str, Scalar] = {"given": len(customers), "most": MOST_AT_ONCE}
        raise BadUserInput("graphql.list_too_long", given, field=("customers",))
    return [await customer_id_of(each) for each in customers]


@strawberry.input(description="Which customer to release, and why. Since 0.1.")
class CustomerReleaseInput:
    """A release to the pool."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key releases once.")
    customer: CustomerRef = strawberry.field(description="The customer; the caller must own it.")
    reason: str = strawberry.field(description="Why, 1 to 200 characters; one of the pool's where it has a list.")


@strawberry.type(description="The released customer. Since 0.1.")
class CustomerReleasePayload(IdempotentPayload):
    """Answer of customerRelease."""

    customer: Ref | None = mapped(
        "Customer", description="The customer, now in the pool; null when refused. Since 0.1."
    )


@mutation(requires="customer:release", idempotent=True, description="Give a customer back to its pool (退回公海)")
async def customer_release(info: Info, input: CustomerReleaseInput) -> CustomerReleasePayload:  # noqa: A002
    customer_id = await release_customer(
        info.actor,
        customer_id=await customer_id_of(input.customer),
        reason=input.reason,
        access=info.rights,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CustomerReleasePayload(customer=Ref("Customer", customer_id))


@strawberry.input(description="Which customers to release, and why. Since 0.1.")
class CustomersReleaseInput:
    """Several releases at once."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key releases once.")
    customers: list[CustomerRef] = strawberry.field(description="The customers, at most 100, all of them one's own.")
    reason: str = strawberry.field(description="Why, 1 to 200 characters; one of the pool's where it has a list.")


@strawberry.type(description="The released customers. Since 0.1.")
class CustomersReleasePayload(IdempotentPayload):
    """Answer of customersRelease."""

    customers: list[Ref] = mapped(
        "Customer", description="The customers, now in their pools; empty when refused. Since 0.1.", many=True
    )


@mutation(
    requires="customer:release",
    idempotent=True,
    description="Give several customers back to their pools (批量退回公海): all of them or none",
)
async def customers_release(info: Info, input: CustomersReleaseInput) -> CustomersReleasePayload:  # noqa: A002
    released = await release_customers(
        info.actor,
        customer_ids=await _ids_of(input.customers),
        reason=input.reason,
        access=info.rights,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CustomersReleasePayload(customers=[Ref("Customer", each) for each in released])


@strawberry.input(description="Which customer to assign, to whom and why. Since 0.1.")
class CustomerAssignInput:
    """An assignment from the pool."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key assigns once.")
    customer: CustomerRef = strawberry.field(description="The customer; it must be in the pool.")
    employee: strawberry.ID = strawberry.field(description="Who gets it (emp_…).")
    reason: str = strawberry.field(description="Why, 1 to 200 characters; it stands in the public ledger.")


@strawberry.type(description="The assigned customer. Since 0.1.")
class CustomerAssignPayload(IdempotentPayload):
    """Answer of customerAssign."""

    customer: Ref | None = mapped("Customer", description="The customer; null when refused. Since 0.1.")
    warnings: list[UserError] = strawberry.field(
        description="Where more is assigned to the person than the pool foresees; at most 1. Since 0.1.",
        default_factory=list,
    )


@mutation(requires="customer:assign", idempotent=True, description="Give a customer of the pool to somebody (分配)")
async def customer_assign(info: Info, input: CustomerAssignInput) -> CustomerAssignPayload:  # noqa: A002
    employee_id = placed_id(input.employee, prefix="emp", field=("employee",))
    customer_id = await assign_customer(
        info.actor,
        customer_id=await customer_id_of(input.customer),
        employee_id=employee_id,
        reason=input.reason,
        access=info.rights,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    today = local_date(info.clock.now(), info.time_zone)
    warning = await assignment_warning(customer_id, employee_id, today=today)
    return CustomerAssignPayload(customer=Ref("Customer", customer_id), warnings=_warnings(info, warning))


def _warnings(info: Info, warning: AppError | None) -> list[UserError]:
    return [user_error(warning, catalogue=info.room(Catalogue), locale=info.locale)] if warning else []


@strawberry.input(description="Which customer to hand over, to whom and why. Since 0.1.")
class CustomerTransferInput:
    """A transfer from owner to owner."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key transfers once.")
    customer: CustomerRef = strawberry.field(description="The customer; somebody must own it.")
    employee: strawberry.ID = strawberry.field(description="Who gets it (emp_…).")
    reason: str = strawberry.field(description="Why, 1 to 200 characters; it stands in the ownership's history.")


@strawberry.type(description="The transferred customer. Since 0.1.")
class CustomerTransferPayload(IdempotentPayload):
    """Answer of customerTransfer."""

    customer: Ref | None = mapped("Customer", description="The customer; null when refused. Since 0.1.")


@mutation(requires="customer:transfer", idempotent=True, description="Hand a customer over to another owner (转交)")
async def customer_transfer(info: Info, input: CustomerTransferInput) -> CustomerTransferPayload:  # noqa: A002
    customer_id = await transfer_customer(
        info.actor,
        customer_id=await customer_id_of(input.customer),
        employee_id=placed_id(input.employee, prefix="emp", field=("employee",)),
        reason=input.reason,
        access=info.rights,
        activity=find_activity,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CustomerTransferPayload(customer=Ref("Customer", customer_id))
