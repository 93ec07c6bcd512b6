"""What an allocation is asked for: the input of allocationPlan, and what it means."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TypeVar
from uuid import UUID

import strawberry

from saas.customers import (
    ALLOCATION_METHOD,
    TRAIT_KIND,
    AllocationWish,
    MatchPlan,
    Method,
    Participant,
    PerformancePlan,
    TraitKind,
)
from saas.graphql.payloads import enum_of, optional_enum_of, stored_text
from saas.graphql.rooms.customers import CustomerRef, customer_id_of
from saas.graphql.rooms.references import placed_id
from saas.kernel import BadUserInput, Period

MOST_NAMED = 1_000
MOST_TAKEN = 100_000
MOST_PEOPLE = 500
MOST_POINTS = 50
SOURCE_MAX = 200

T = TypeVar("T")


@strawberry.input(description="A person who may receive customers. Since 0.1.")
class AllocationParticipantInput:
    """With what only the caller knows; limits, history and cooldown are looked up."""

    employee: strawberry.ID = strawberry.field(description="The person (emp_…).")
    weight: int = strawberry.field(
        description="Of the methods by weight: a whole number of 0 to 1000000; 0 leaves the person out.", default=1
    )
    attainment: Decimal | None = strawberry.field(
        description="Of performance first: the fraction of the target reached in the plan's period; none: the average.",
        default=None,
    )
    most: int | None = strawberry.field(description="The most customers this allocation gives them.", default=None)
    is_absent: bool = strawberry.field(description="Whether they are away and get none.", default=False)


@strawberry.input(description="A point of the curve from attainment to weight. Since 0.1.")
class PerformancePointInput:
    """Joined by straight lines, level outside them."""

    attainment: Decimal = strawberry.field(description="The fraction of the target, rising from point to point.")
    weight: Decimal = strawberry.field(description="The weight there, from 0.")


@strawberry.input(description="How attainment becomes a share of the customers. Since 0.1.")
class PerformancePlanInput:
    """Of a closed period, published before it."""

    first: date = strawberry.field(description="First day of the period.")
    until: date = strawberry.field(description="The day after its last; it must have come.")
    curve: list[PerformancePointInput] | None = strawberry.field(
        description="At most 50 points; weight = attainment, up to 2, when absent.", default=None
    )
    cap: Decimal | None = strawberry.field(description="The most that a weight counts; 2 when absent.", default=None)
    floor_rate: Decimal | None = strawberry.field(
        description="Nobody gets less than this part of an equal share, 0 to 1; 0.2 when absent.", default=None
    )
    newcomer_days: int | None = strawberry.field(
        description="For how many days after hiring a person is a newcomer; 90 when absent.", default=None
    )
    newcomer_rate: Decimal | None = strawberry.field(
        description="The part of all customers each newcomer gets at least, 0 to 1; 0 when absent.", default=None
    )


@strawberry.input(description="A method that a plugin brings. Since 0.1.")
class AllocationPluginInput:
    """Of a plugin that the company has enabled."""

    name: str = strawberry.field(description="The plugin.")
    method: str = strawberry.field(description="Its method, as the plugin names it.")


@strawberry.input(description="A kind of trait. Since 0.1.")
class MatchKindInput:
    """As people have it."""

    kind: Enum = enum_of(TRAIT_KIND, description="The kind.")


@strawberry.input(description="Whom customers fit, and who prefers them (P43). Since 0.1.")
class MatchPlanInput:
    """By the traits of people: employeeTraits."""

    must: list[MatchKindInput] | None = strawberry.field(
        description="What must fit where a person has such traits; TERRITORY when absent.", default=None
    )
    prefer: list[MatchKindInput] | None = strawberry.field(
        description="By what people prefer customers, and get them first.", default=None
    )
    then: Enum | None = optional_enum_of(
        ALLOCATION_METHOD,
        description="Among several: FLEXIBLE, LOAD_ABSOLUTE, LOAD_RELATIVE or LEVEL; FLEXIBLE when absent.",
    )
    quota: int | None = strawberry.field(
        description="Turns until a person who prefers customers comes first no longer, 1 to 100000; none: never.",
        default=None,
    )


@strawberry.input(description="What to allocate to whom, and how. Since 0.1.")
class AllocationPlanInput:
    """Nothing is given before the commit."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key plans once.")
    pool: strawberry.ID = strawberry.field(description="The pool (poo_…).")
    method: Enum = enum_of(ALLOCATION_METHOD, description="How customers are dealt.")
    people: list[AllocationParticipantInput] = strawberry.field(description="Who may receive, 1 to 500.")
    customers: list[CustomerRef] | None = strawberry.field(
        description="Which customers of the pool, in this order, at most 1000; those that wait longest when absent.",
        default=None,
    )
    take: int = strawberry.field(
        description="How many of those that wait longest, 1 to 100000; of no use where customers are named.",
        default=100,
    )
    performance: PerformancePlanInput | None = strawberry.field(
        description="The plan of performance first.", default=None
    )
    match: MatchPlanInput | None = strawberry.field(description="The plan of match first.", default=None)
    plugin: AllocationPluginInput | None = strawberry.field(
        description="The plugin's method, of at most 2000 customers.", default=None
    )
    seed_source: str | None = strawberry.field(
        description="Of a draw: which public value its seed will be, said exactly; a secret seed when absent.",
        default=None,
    )


async def wish_of(input: AllocationPlanInput) -> AllocationWish:  # noqa: A002
    """What is wished for.

    :raises BadUserInput: an id or a number is malformed, or a list too long.
    """
    return AllocationWish(
        pool_id=placed_id(input.pool, prefix="poo", field=("pool",)),
        method=Method(stored_text(ALLOCATION_METHOD, input.method)),
        people=[_participant(each, at) for at, each in enumerate(_bounded(input.people, MOST_PEOPLE, "people"))],
        customer_ids=await _named(input),
        take=_taken(input.take),
        plan=None if input.performance is None else _performance(input.performance),
        seed_source=_source(input.seed_source),
        match=None if input.match is None else _match(input.match),
        plugin=None if input.plugin is None else (input.plugin.name, input.plugin.method),
    )


def _bounded(items: list[T], most: int, field: str) -> list[T]:
    if len(items) > most:
        raise BadUserInput("graphql.list_too_long", {"given": len(items), "most": most}, field=(field,))
    return items


def _participant(given: AllocationParticipantInput, at: int) -> Participant:
    return Participant(
        placed_id(given.employee, prefix="emp", field=("people", str(at), "employee")),
        weight=given.weight,
        attainment=given.attainment,
        most=given.most,
        is_absent=given.is_absent,
    )


async def _named(given: AllocationPlanInput) -> list[UUID] | None:
    if given.customers is None:
        return None
    return [await customer_id_of(each) for each in _bounded(given.customers, MOST_NAMED, "customers")]


def _taken(take: int) -> int:
    if not 1 <= take <= MOST_TAKEN:
        raise BadUserInput("graphql.number_out_of_range", {"given": take, "most": MOST_TAKEN}, field=("take",))
    return take


def _source(source: str | None) -> str | None:
    text = (source or "").strip()
    if len(text) > SOURCE_MAX:
        raise BadUserInput("graphql.text_too_long", {"given": len(text), "most": SOURCE_MAX}, field=("seedSource",))
    return text or None


def _performance(given: PerformancePlanInput) -> PerformancePlan:
    if given.until <= given.first:
        raise BadUserInput("graphql.period_empty", field=("performance", "until"))
    period = Period(given.first, given.until)
    wanted = {name: getattr(given, name) for name in ("cap", "floor_rate", "newcomer_days", "newcomer_rate")}
    chosen = {name: value for name, value in wanted.items() if value is not None}
    if given.curve is not None:
        points = _bounded(given.curve, MOST_POINTS, "performance")
        chosen["curve"] = tuple((each.attainment, each.weight) for each in points)
    return PerformancePlan(period, **chosen)


def _match(given: MatchPlanInput) -> MatchPlan:
    kinds = {
        name: tuple(TraitKind(stored_text(TRAIT_KIND, each.kind)) for each in _bounded(chosen, len(TraitKind), name))
        for name in ("must", "prefer")
        if (chosen := getattr(given, name)) is not None
    }
    then = Method.FLEXIBLE if given.then is None else Method(stored_text(ALLOCATION_METHOD, given.then))
    return MatchPlan(then=then, quota=given.quota, **kinds)
