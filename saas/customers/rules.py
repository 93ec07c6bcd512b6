"""Pure decisions of the customer pool: may this person claim this customer now?

The meanings are the product's own: claim limit and holding limit (P05, P09), cooldown of former owners (P34).
Order of checks: pooled, cooldown, claim limit, holding limit; the conditional update comes after all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from saas.customers.errors import ClaimLimitReached, CooldownRunning, CustomerAlreadyOwned, HoldingLimitReached
from saas.kernel import AppError


@dataclass(frozen=True, slots=True)
class PoolRules:
    """The settings of a pool that decide a claim; limits are counts, the cooldown is in days."""

    name: str
    claim_limit: int
    holding_limit: int
    cooldown_days: int


@dataclass(frozen=True, slots=True)
class ClaimSituation:
    """What is known at the moment of a claim."""

    is_pooled: bool
    claims_today: int
    holding: int
    last_ended_on: date | None


def may_claim(situation: ClaimSituation, pool: PoolRules, *, today: date) -> AppError | None:
    """None where the claim is allowed, else the refusal with the rule, its values and the day it lifts."""
    if not situation.is_pooled:
        return CustomerAlreadyOwned("customers.already_owned")
    free_from = cooldown_ends(situation.last_ended_on, pool.cooldown_days)
    if free_from is not None and today < free_from:
        return CooldownRunning(
            "customers.cooldown_running",
            {"pool": pool.name, "days": pool.cooldown_days, "free_from": free_from.isoformat()},
        )
    if situation.claims_today >= pool.claim_limit:
        return claim_limit_reached(pool, today=today)
    if situation.holding >= pool.holding_limit:
        return HoldingLimitReached(
            "customers.holding_limit_reached",
            {"pool": pool.name, "limit": pool.holding_limit, "holding": situation.holding},
        )
    return None


def claim_limit_reached(pool: PoolRules, *, today: date) -> ClaimLimitReached:
    """The refusal of P05: it lifts at the next local midnight."""
    return ClaimLimitReached(
        "customers.claim_limit_reached",
        {"pool": pool.name, "limit": pool.claim_limit, "free_from": (today + timedelta(days=1)).isoformat()},
    )


def cooldown_ends(ended_on: date | None, cooldown_days: int) -> date | None:
    """The first day on which a former owner may claim again: blocked through `ended_on` + N inclusive (3.3)."""
    if ended_on is None or cooldown_days == 0:
        return None
    return ended_on + timedelta(days=cooldown_days + 1)
