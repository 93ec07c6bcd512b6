"""Dealt pools for the tests of fairness: people, their wheel, and allocators of several minds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from uuid import UUID

from saas.analytics.fairness import AuditedPeriod, AuditedPick, Wheel

PEOPLE = tuple(UUID(int=(1 << 100) + number) for number in range(10))
VETERANS, NEWCOMERS = PEOPLE[:5], frozenset(PEOPLE[5:])

Allocator = Callable[[Random, AuditedPick], UUID]
"""Who gets a pick, in an allocator's mind."""


def equal_wheel(people: Sequence[UUID] = PEOPLE, newcomers: frozenset[UUID] = NEWCOMERS) -> Wheel:
    """Everybody with the same weight."""
    return Wheel(tuple(people), (1,) * len(people), newcomers & frozenset(people))


def pool(random: Random, picks: int, *wheels: Wheel, groups: dict[str, frozenset[UUID]] | None = None) -> AuditedPeriod:
    """So many customers whose values differ widely, and the wheels in turn; nobody has got them yet."""
    waiting = [
        AuditedPick(
            wheels[number % len(wheels)],
            PEOPLE[0],
            int(random.lognormvariate(11, 0.7)),
            random.randint(0, 60),
            is_won=random.random() < 0.2,
        )
        for number in range(picks)
    ]
    return AuditedPeriod(tuple(waiting), groups or {})


def dealt(period: AuditedPeriod, allocator: Allocator, random: Random) -> AuditedPeriod:
    """The period as the allocator deals it."""
    picks = (replace(pick, employee_id=allocator(random, pick)) for pick in period.picks)
    return replace(period, picks=tuple(picks))


def fair(random: Random, pick: AuditedPick) -> UUID:
    """By the published weights."""
    return random.choices(pick.wheel.people, pick.wheel.weights)[0]


def preferring_veterans(random: Random, pick: AuditedPick) -> UUID:
    """Veterans count one and a half times."""
    wheel = pick.wheel
    weights = (
        weight * (1.0 if each in wheel.newcomers else 1.5)
        for each, weight in zip(wheel.people, wheel.weights, strict=True)
    )
    return random.choices(wheel.people, list(weights))[0]


def favouring(friend: UUID, *, from_value: int) -> Allocator:
    """Every second valuable customer goes to a friend; the friend gets fewer of the others, so nobody counts more."""

    def allocate(random: Random, pick: AuditedPick) -> UUID:
        if pick.value >= from_value and random.random() < 0.5:
            return friend
        return fair(random, pick)

    return allocate
