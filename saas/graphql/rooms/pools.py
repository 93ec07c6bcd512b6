"""Root fields about pools: their settings, members and life."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import strawberry

from saas.customers import (
    PoolChange,
    close_pool,
    configure_pool,
    create_pool,
    move_customers,
)
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Payload, Ref, mapped
from saas.graphql.rooms.pool_options import options_in, takes_options
from saas.graphql.rooms.references import placed_id
from saas.kernel import BadUserInput
from saas.sales import find_activity

MOST_DEPARTMENTS = 100
MOST_MEMBERS = 500
MOST_ADMINISTRATORS = 100
MOST_OVER = 100


@strawberry.input(description="A new pool. Since 0.1.")
class CustomerPoolCreateInput:
    """It begins with the product's own settings, open to everybody."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key gives the same pool.")
    name: str = strawberry.field(description="Name, 1 to 100 characters, unique in the company.")


@strawberry.type(description="The new pool. Since 0.1.")
class CustomerPoolCreatePayload(IdempotentPayload):
    """Answer of customerPoolCreate."""

    pool: Ref | None = mapped("CustomerPool", description="The pool; null when refused. Since 0.1.")


@mutation(requires="pool:configure", idempotent=True, description="Add a pool (公海)")
async def customer_pool_create(info: Info, input: CustomerPoolCreateInput) -> CustomerPoolCreatePayload:  # noqa: A002
    pool_id = await create_pool(info.actor, name=input.name, time_zone=info.time_zone, clock=info.clock)
    return CustomerPoolCreatePayload(pool=Ref("CustomerPool", pool_id))


@strawberry.input(description="New rules of a pool. Since 0.1.")
@takes_options
class CustomerPoolUpdateInput:
    """What is absent stays as it is."""

    id: strawberry.ID = strawberry.field(description="The pool (poo_…).")
    name: str | None = strawberry.field(description="Name, 1 to 100 characters.", default=None)
    is_enabled: bool | None = strawberry.field(
        description="False: it keeps its customers, and nobody claims from it.", default=None
    )
    is_default: bool = strawberry.field(description="True: new customers belong to it from now on.", default=False)
    departments: list[strawberry.ID] | None = strawberry.field(
        description="The departments (dep_…) whose people, those below too, are members, at most 100.", default=None
    )
    members: list[strawberry.ID] | None = strawberry.field(
        description="People (emp_…) who are members beside those, at most 500; neither: everybody is.", default=None
    )
    administrators: list[strawberry.ID] | None = strawberry.field(
        description="People (emp_…) who alone of all with customer:assign administer it, at most 100; none: all those.",
        default=None,
    )
    valid_from: date | None = strawberry.field(
        description="First day of the new settings; today when absent or past.", default=None
    )
    expected_version: int = strawberry.field(description="The pool's version as it was read.")


@strawberry.type(description="Somebody who holds more customers than a pool allows. Since 0.1.")
class PoolOverLimit:
    """They keep all of them."""

    employee: Ref | None = mapped("Employee", description="The person. Since 0.1.")
    holding: int = strawberry.field(description="Customers that count. Since 0.1.", default=0)
    limit: int = strawberry.field(description="How many they may hold. Since 0.1.", default=0)


@strawberry.type(description="The pool with its new rules. Since 0.1.")
class CustomerPoolUpdatePayload(Payload):
    """Answer of customerPoolUpdate."""

    pool: Ref | None = mapped("CustomerPool", description="The pool; null when refused. Since 0.1.")
    over_limit: list[PoolOverLimit] = strawberry.field(
        description="Where the change is of what people may hold: those who hold more now, the furthest first, at most"
        " 100; they keep all and take none. Since 0.1.",
        default_factory=list,
    )


@mutation(requires="pool:configure", description="Change a pool and what it allows; later claims are judged by it")
async def customer_pool_update(info: Info, input: CustomerPoolUpdateInput) -> CustomerPoolUpdatePayload:  # noqa: A002
    pool_id = placed_id(input.id, prefix="poo", field=("id",))
    change = PoolChange(
        settings=options_in(input),
        name=input.name,
        is_enabled=input.is_enabled,
        is_default=input.is_default,
        department_ids=_ids(input.departments, "departments", "dep", most=MOST_DEPARTMENTS),
        member_ids=_ids(input.members, "members", "emp", most=MOST_MEMBERS),
        administrator_ids=_ids(input.administrators, "administrators", "emp", most=MOST_ADMINISTRATORS),
        valid_from=input.valid_from,
    )
    over = await configure_pool(
        info.actor,
        pool_id=pool_id,
        change=change,
        expected_version=input.expected_version,
        activity=find_activity,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    shown = [
        PoolOverLimit(employee=Ref("Employee", each.employee_id), holding=each.holding, limit=each.limit)
        for each in over[:MOST_OVER]
    ]
    return CustomerPoolUpdatePayload(pool=Ref("CustomerPool", pool_id), over_limit=shown)


def _ids(given: list[strawberry.ID] | None, name: str, prefix: str, *, most: int) -> tuple[UUID, ...] | None:
    if given is None:
        return None
    if len(given) > most:
        raise BadUserInput("graphql.list_too_long", {"given": len(given), "most": most}, field=(name,))
    return tuple(placed_id(each, prefix=prefix, field=(name, str(at))) for at, each in enumerate(given))


@strawberry.input(description="Which pool to close. Since 0.1.")
class CustomerPoolCloseInput:
    """A pool without customers."""

    id: strawberry.ID = strawberry.field(description="The pool (poo_…).")
    expected_version: int = strawberry.field(description="The pool's version as it was read.")


@strawberry.type(description="The closed pool. Since 0.1.")
class CustomerPoolClosePayload(Payload):
    """Answer of customerPoolClose."""

    pool: Ref | None = mapped("CustomerPool", description="The pool; null when refused. Since 0.1.")


@mutation(requires="pool:configure", description="Close a pool that has no customers, for ever; its history stays")
async def customer_pool_close(info: Info, input: CustomerPoolCloseInput) -> CustomerPoolClosePayload:  # noqa: A002
    pool_id = placed_id(input.id, prefix="poo", field=("id",))
    await close_pool(info.actor, pool_id=pool_id, expected_version=input.expected_version, clock=info.clock)
    return CustomerPoolClosePayload(pool=Ref("CustomerPool", pool_id))


@strawberry.input(description="From which pool to which. Since 0.1.")
class CustomerPoolMoveInput:
    """All customers of a pool, a thousand at a call."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key moves once.")
    from_pool: strawberry.ID = strawberry.field(description="The pool they belong to (poo_…).")
    to_pool: strawberry.ID = strawberry.field(description="The pool they will belong to (poo_…).")


@strawberry.type(description="How many were moved. Since 0.1.")
class CustomerPoolMovePayload(IdempotentPayload):
    """Answer of customerPoolMove."""

    moved: int | None = strawberry.field(
        description="How many customers; below 1000 none is left. Null when refused. Since 0.1.", default=None
    )


@mutation(
    requires="pool:configure",
    idempotent=True,
    description="Let at most 1000 customers of a pool, owned ones too, belong to another pool",
)
async def customer_pool_move(info: Info, input: CustomerPoolMoveInput) -> CustomerPoolMovePayload:  # noqa: A002
    moved = await move_customers(
        info.actor,
        from_pool_id=placed_id(input.from_pool, prefix="poo", field=("fromPool",)),
        to_pool_id=placed_id(input.to_pool, prefix="poo", field=("toPool",)),
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CustomerPoolMovePayload(moved=moved)
