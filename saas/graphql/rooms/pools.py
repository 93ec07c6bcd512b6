"""Root fields about pools: their settings, members and life."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry

from saas.customers import (
    FollowUpKind,
    LevelDays,
    PoolChange,
    close_pool,
    configure_pool,
    create_pool,
    move_customers,
)
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Payload, Ref, enum_of, mapped, stored_text
from saas.graphql.rooms.references import placed_id
from saas.kernel import BadUserInput
from saas.sales import FOLLOW_UP_KIND

MOST_DEPARTMENTS = 100


@strawberry.input(description="What a kind of follow-up needs to count. Since 0.1.")
class EffectiveKindInput:
    """A kind of the list, with its evidence."""

    kind: Enum = enum_of(FOLLOW_UP_KIND, description="The kind.")
    least_seconds: int = strawberry.field(description="Length of the call's record, 0 to 86400 seconds.", default=0)
    least_characters: int = strawberry.field(description="Characters of text, 0 to 4000.", default=0)
    needs_check_in: bool = strawberry.field(description="Whether it needs a check-in.", default=False)


@strawberry.input(description="The days of a rule for customers of a level. Since 0.1.")
class LevelDaysInput:
    """In the place of the rule's own."""

    level: str = strawberry.field(description="The level, 1 to 20 characters, as customers have it.")
    days: int = strawberry.field(description="Days, 1 to 3650.")


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
class CustomerPoolUpdateInput:
    """What is absent stays as it is."""

    id: strawberry.ID = strawberry.field(description="The pool (poo_…).")
    name: str | None = strawberry.field(description="Name, 1 to 100 characters.", default=None)
    is_enabled: bool | None = strawberry.field(
        description="False: it keeps its customers, and nobody claims from it.", default=None
    )
    is_default: bool = strawberry.field(description="True: new customers belong to it from now on.", default=False)
    departments: list[strawberry.ID] | None = strawberry.field(
        description="The departments (dep_…) whose people, those below too, claim from it, at most 100; none: all.",
        default=None,
    )
    claim_limit: int | None = strawberry.field(
        description="Claims per person and local day, 0 to 200; 0 closes the pool.", default=None
    )
    holding_limit: int | None = strawberry.field(description="Customers a person may hold, 0 to 10000.", default=None)
    cooldown_days: int | None = strawberry.field(
        description="Whole days before a former owner may claim again, 0 to 365.", default=None
    )
    protection_days: int | None = strawberry.field(
        description="Days that a new owner keeps a customer in any case, 0 to 3650.", default=None
    )
    recycle_follow_up_days: int | None = strawberry.field(
        description="Back to the pool after more days without a follow-up, 1 to 3650; null: off.",
        default=strawberry.UNSET,
    )
    recycle_deal_days: int | None = strawberry.field(
        description="Back to the pool after more days without a deal, 1 to 3650; null: off.", default=strawberry.UNSET
    )
    recycle_follow_up_days_by_level: list[LevelDaysInput] | None = strawberry.field(
        description="Other days of the follow-up rule for some levels, at most 50; none: as the rule.", default=None
    )
    recycle_deal_days_by_level: list[LevelDaysInput] | None = strawberry.field(
        description="Other days of the deal rule for some levels, at most 50; none: as the rule.", default=None
    )
    dealt_exempt: bool | None = strawberry.field(
        description="Whether customers with a deal are never recycled.", default=None
    )
    reminder_days: list[int] | None = strawberry.field(
        description="Days before recycling at which the owner is warned, at most 5 of 0 to 3650.", default=None
    )
    follow_up_kinds: list[EffectiveKindInput] | None = strawberry.field(
        description="The follow-ups that count, 1 to 10.", default=None
    )
    transfer_keeps_clock: bool | None = strawberry.field(
        description="Whether a transfer within a team keeps the clock running.", default=None
    )
    grace_days: int | None = strawberry.field(
        description="Days after a change of recycling before which nothing is due, 1 to 90.", default=None
    )
    assign_ignores_cooldown: bool | None = strawberry.field(
        description="Whether assignments ignore the cooldown.", default=None
    )
    shows_names: bool | None = strawberry.field(description="Whether the public ledger names people.", default=None)
    release_reasons: list[str] | None = strawberry.field(
        description="The reasons that a release may have, at most 30 of 1 to 50 characters; none: any.", default=None
    )
    lock_limit: int | None = strawberry.field(
        description="Customers a person may lock at once, 0 to 10000; 0: none.", default=None
    )
    lock_days: int | None = strawberry.field(
        description="Days that a lock holds at the longest, 1 to 3650.", default=None
    )
    rep_protection_limit: int | None = strawberry.field(
        description="Customers a person may protect at once, 0 to 10000; 0: none.", default=None
    )
    rep_protection_days: int | None = strawberry.field(
        description="Days that a protection by its rep holds at the longest, 1 to 3650.", default=None
    )
    extension_times: int | None = strawberry.field(
        description="How often a holding may be extended, 0 to 10; 0: never.", default=None
    )
    extension_days: int | None = strawberry.field(
        description="Days of an extension at the longest, 1 to 365.", default=None
    )
    extension_needs_approval: bool | None = strawberry.field(
        description="Whether a supervisor decides about extensions.", default=None
    )
    valid_from: date | None = strawberry.field(
        description="First day of the new settings; today when absent or past.", default=None
    )
    expected_version: int = strawberry.field(description="The pool's version as it was read.")


@strawberry.type(description="The pool with its new rules. Since 0.1.")
class CustomerPoolUpdatePayload(Payload):
    """Answer of customerPoolUpdate."""

    pool: Ref | None = mapped("CustomerPool", description="The pool; null when refused. Since 0.1.")


_KEPT_BY_NULL = (
    "claim_limit",
    "holding_limit",
    "cooldown_days",
    "protection_days",
    "dealt_exempt",
    "transfer_keeps_clock",
    "grace_days",
    "assign_ignores_cooldown",
    "shows_names",
    "lock_limit",
    "lock_days",
    "rep_protection_limit",
    "rep_protection_days",
    "extension_times",
    "extension_days",
    "extension_needs_approval",
)
_BY_LEVEL = ("recycle_follow_up_days_by_level", "recycle_deal_days_by_level")
_OFF_BY_NULL = ("recycle_follow_up_days", "recycle_deal_days")


@mutation(requires="pool:configure", description="Change a pool and what it allows; later claims are judged by it")
async def customer_pool_update(info: Info, input: CustomerPoolUpdateInput) -> CustomerPoolUpdatePayload:  # noqa: A002
    pool_id = placed_id(input.id, prefix="poo", field=("id",))
    change = PoolChange(
        settings=settings_in(input),
        name=input.name,
        is_enabled=input.is_enabled,
        is_default=input.is_default,
        department_ids=_departments(input),
        valid_from=input.valid_from,
    )
    await configure_pool(
        info.actor,
        pool_id=pool_id,
        change=change,
        expected_version=input.expected_version,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return CustomerPoolUpdatePayload(pool=Ref("CustomerPool", pool_id))


def settings_in(input: CustomerPoolUpdateInput) -> dict[str, Any]:  # noqa: A002
    """The settings that an input changes, by name of `PoolSettings`."""
    wanted = {name: getattr(input, name) for name in _KEPT_BY_NULL if getattr(input, name) is not None}
    wanted |= {name: getattr(input, name) for name in _OFF_BY_NULL if getattr(input, name) is not strawberry.UNSET}
    for name in _BY_LEVEL:
        given = getattr(input, name)
        if given is not None:
            wanted[name] = tuple(LevelDays(each.level.strip(), each.days) for each in given)
    if input.release_reasons is not None:
        wanted["release_reasons"] = tuple(each.strip() for each in input.release_reasons)
    if input.reminder_days is not None:
        wanted["reminder_days"] = tuple(sorted(set(input.reminder_days), reverse=True))
    if input.follow_up_kinds is not None:
        wanted["follow_up_kinds"] = tuple(_kind(each) for each in input.follow_up_kinds)
    return wanted


def _kind(given: EffectiveKindInput) -> FollowUpKind:
    return FollowUpKind(
        stored_text(FOLLOW_UP_KIND, given.kind), given.least_seconds, given.least_characters, given.needs_check_in
    )


def _departments(input: CustomerPoolUpdateInput) -> tuple[UUID, ...] | None:  # noqa: A002
    if input.departments is None:
        return None
    if len(input.departments) > MOST_DEPARTMENTS:
        given = {"given": len(input.departments), "most": MOST_DEPARTMENTS}
        raise BadUserInput("graphql.list_too_long", given, field=("departments",))
    return tuple(
        placed_id(each, prefix="dep", field=("departments", str(at))) for at, each in enumerate(input.departments)
    )


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
