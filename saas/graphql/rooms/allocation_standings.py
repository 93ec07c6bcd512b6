"""Root fields about what people bring into allocations: traits, levels and credits; and customers: their needs."""

from __future__ import annotations

from enum import Enum

import strawberry

from saas.customers import (
    CREDIT_KIND,
    TRAIT_KIND,
    Credit,
    CustomerNeeds,
    LevelStanding,
    Trait,
    TraitKind,
    credit_back,
    set_customer_needs,
    set_employee_traits,
    set_level_standing,
)
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Payload, Ref, enum_of, mapped, stored_text
from saas.graphql.rooms.customers import CustomerRef, customer_id_of
from saas.graphql.rooms.references import placed_id


@strawberry.input(description="Something that a person is there for. Since 0.1.")
class EmployeeTraitInput:
    """As customers have it."""

    kind: Enum = enum_of(TRAIT_KIND, description="What it is.")
    value: str = strawberry.field(description="1 to 100 characters; a territory begins a district's code (GB/T 2260).")


@strawberry.input(description="What a person is there for. Since 0.1.")
class EmployeeTraitsSetInput:
    """In the place of what was set before."""

    employee: strawberry.ID = strawberry.field(description="The person (emp_…).")
    traits: list[EmployeeTraitInput] = strawberry.field(description="All of their traits, at most 100.")


@strawberry.type(description="The person. Since 0.1.")
class EmployeeTraitsSetPayload(Payload):
    """Answer of employeeTraitsSet."""

    employee: Ref | None = mapped("Employee", description="The person; null when refused. Since 0.1.")


@mutation(requires="pool:configure", description="Say what a person is there for when customers are matched (P43)")
async def employee_traits_set(info: Info, input: EmployeeTraitsSetInput) -> EmployeeTraitsSetPayload:  # noqa: A002
    employee_id = placed_id(input.employee, prefix="emp", field=("employee",))
    traits = [Trait(TraitKind(stored_text(TRAIT_KIND, each.kind)), each.value.strip()) for each in input.traits]
    await set_employee_traits(info.actor, employee_id=employee_id, traits=traits, clock=info.clock)
    return EmployeeTraitsSetPayload(employee=Ref("Employee", employee_id))


@strawberry.input(description="What a customer needs of whoever gets it. Since 0.1.")
class CustomerNeedsSetInput:
    """In the place of what was set before; absent: nothing is known."""

    customer: CustomerRef = strawberry.field(description="The customer.")
    language: str | None = strawberry.field(description="The language it speaks, 1 to 100 characters.", default=None)
    required_skill: str | None = strawberry.field(description="The skill it needs, 1 to 100 characters.", default=None)
    wanted_product: str | None = strawberry.field(
        description="The product it wants, 1 to 100 characters.", default=None
    )


@strawberry.type(description="The customer. Since 0.1.")
class CustomerNeedsSetPayload(Payload):
    """Answer of customerNeedsSet."""

    customer: Ref | None = mapped("Customer", description="The customer; null when refused. Since 0.1.")


@mutation(
    requires="customer:update",
    description="Say which language, skill and product a customer is matched by (P43); in a pool by customer:assign",
)
async def customer_needs_set(info: Info, input: CustomerNeedsSetInput) -> CustomerNeedsSetPayload:  # noqa: A002
    customer_id = await customer_id_of(input.customer)
    needs = CustomerNeeds(input.language, input.required_skill, input.wanted_product)
    await set_customer_needs(info.actor, customer_id=customer_id, needs=needs, access=info.rights, clock=info.clock)
    return CustomerNeedsSetPayload(customer=Ref("Customer", customer_id))


@strawberry.input(description="Where a person's level stands in a pool. Since 0.1.")
class AllocationLevelSetInput:
    """Of the method LEVEL."""

    pool: strawberry.ID = strawberry.field(description="The pool (poo_…).")
    employee: strawberry.ID = strawberry.field(description="The person (emp_…).")
    calibration: int = strawberry.field(description="Where the level begins, -1000000 to 1000000.", default=0)
    priority: int = strawberry.field(description="Among equal levels a lower one comes first, from 0.", default=0)


@strawberry.type(description="The pool. Since 0.1.")
class AllocationLevelSetPayload(Payload):
    """Answer of allocationLevelSet."""

    pool: Ref | None = mapped("CustomerPool", description="The pool; null when refused. Since 0.1.")


@mutation(requires="pool:configure", description="Set where a person's level begins in a pool, and the priority (P45)")
async def allocation_level_set(info: Info, input: AllocationLevelSetInput) -> AllocationLevelSetPayload:  # noqa: A002
    pool_id = placed_id(input.pool, prefix="poo", field=("pool",))
    employee_id = placed_id(input.employee, prefix="emp", field=("employee",))
    standing = LevelStanding(pool_id, employee_id, input.calibration, input.priority)
    await set_level_standing(info.actor, standing, clock=info.clock)
    return AllocationLevelSetPayload(pool=Ref("CustomerPool", pool_id))


@strawberry.input(description="Customers that shall no longer count as assigned. Since 0.1.")
class AllocationCreditBackInput:
    """In the present cycle of the pool's counters."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key credits once.")
    pool: strawberry.ID = strawberry.field(description="The pool (poo_…).")
    employee: strawberry.ID = strawberry.field(description="The person (emp_…).")
    customers: int = strawberry.field(description="How many, from 1; at most as many as were assigned.", default=1)
    kind: Enum = enum_of(CREDIT_KIND, description="Why.")
    reason: str = strawberry.field(description="The reason, for the public ledger, 1 to 200 characters.")
    customer: CustomerRef | None = strawberry.field(description="Which customer, where it is one.", default=None)


@strawberry.type(description="The pool. Since 0.1.")
class AllocationCreditBackPayload(IdempotentPayload):
    """Answer of allocationCreditBack."""

    pool: Ref | None = mapped("CustomerPool", description="The pool; null when refused. Since 0.1.")


@mutation(
    requires="pool:configure",
    idempotent=True,
    description="Let customers no longer count as assigned to a person: their level falls (P45, P47)",
)
async def allocation_credit_back(info: Info, input: AllocationCreditBackInput) -> AllocationCreditBackPayload:  # noqa: A002
    pool_id = placed_id(input.pool, prefix="poo", field=("pool",))
    credit = Credit(
        pool_id,
        placed_id(input.employee, prefix="emp", field=("employee",)),
        input.customers,
        stored_text(CREDIT_KIND, input.kind),
        input.reason,
        None if input.customer is None else await customer_id_of(input.customer),
    )
    await credit_back(info.actor, credit, time_zone=info.time_zone, clock=info.clock)
    return AllocationCreditBackPayload(pool=Ref("CustomerPool", pool_id))
