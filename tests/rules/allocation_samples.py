"""Rosters for the tests of allocation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from saas.customers.allocation import (
    AllocationRule,
    Candidate,
    MatchPlan,
    Method,
    OrderedRules,
    PerformancePlan,
    PooledCustomer,
    Roster,
)
from saas.kernel import Period

DAY = date(2026, 11, 2)
SEED = bytes(range(32))
BUILT_IN = [each for each in Method if each is not Method.PLUGIN]
"""The methods that deal by themselves; a plugin's is dealt by its answer."""
PLAN = PerformancePlan(Period.of_month("2026-10"))


def person_id(number: int) -> UUID:
    return UUID(int=(1 << 100) + number)


def customer_id(number: int) -> UUID:
    return UUID(int=(1 << 101) + number)


def people(count: int, **facts: object) -> tuple[Candidate, ...]:
    """So many equal people."""
    return tuple(
        Candidate(person_id(number), f"rep {number}", turn=number, **facts)  # type: ignore[arg-type]
        for number in range(count)
    )


def customers(count: int, first: int = 0) -> tuple[PooledCustomer, ...]:
    return tuple(PooledCustomer(customer_id(first + number), f"cust***{first + number}") for number in range(count))


def roster(
    method: Method,
    candidates: tuple[Candidate, ...],
    pooled: tuple[PooledCustomer, ...] | int,
    *,
    seed: bytes | None = SEED,
    plan: PerformancePlan | None = PLAN,
    turn_after: int | None = None,
) -> Roster:
    return Roster(
        UUID(int=99),
        DAY,
        method,
        settings_version=4,
        candidates=candidates,
        customers=customers(pooled) if isinstance(pooled, int) else pooled,
        seed=seed,
        performance=plan,
        match=MatchPlan(),
        rules=OrderedRules((AllocationRule("others"),)),
        turn_after=turn_after,
    )


def seeded(number: int) -> bytes:
    return number.to_bytes(32, "big")


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]
