"""Pure decisions about customers: may this person claim this one now, may they hold one more, what is a valid one?

The meanings are the product's own: claim limit and holding limit (P05, P09), cooldown of former owners (P34).
Order of checks: pooled, enabled, member, cooldown, claim limit, holding limit; the conditional update comes after all.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

from saas.customers.errors import (
    ClaimLimitReached,
    CooldownRunning,
    CustomerAlreadyOwned,
    DuplicateChecksUsedUp,
    HoldingLimitReached,
    NotAPoolMember,
    PoolDisabled,
)
from saas.kernel import AppError, BadUserInput, Scalar
from saas.people import clean_name, clean_optional

_DISTRICT = re.compile(r"[1-9]\d{5}", re.ASCII)
_SPACE = re.compile(r"\s+")
NAME_MAX = 200
REFUSED_CHECKS_MAX = 100
"""Duplicates that one person is told of in a day: far above honest work, far below what a list of a market needs."""


@dataclass(frozen=True, slots=True)
class PoolRules:
    """The settings of a pool that decide a claim; limits are counts, the cooldown is in days."""

    name: str
    claim_limit: int
    holding_limit: int
    cooldown_days: int


@dataclass(frozen=True, slots=True)
class ClaimSituation:
    """What is known at the moment of a claim.

    `claims_today` counts claim events, whatever happened to the customers later; `holding` counts customers owned;
    `last_ended_on` is the day the claimant's last ownership of this customer ended, None where there was none.
    `is_enabled` and `is_member` are of the pool (P01, P03).
    """

    is_pooled: bool
    claims_today: int
    holding: int
    last_ended_on: date | None
    is_enabled: bool = True
    is_member: bool = True


def may_claim(situation: ClaimSituation, pool: PoolRules, *, today: date) -> AppError | None:
    """None where the claim is allowed, else the refusal with the rule, its values and the day it lifts."""
    if not situation.is_pooled:
        return CustomerAlreadyOwned("customers.already_owned")
    if not situation.is_enabled:
        return PoolDisabled("customers.pool_disabled", {"pool": pool.name})
    if not situation.is_member:
        return NotAPoolMember("customers.not_a_pool_member", {"pool": pool.name})
    return may_take(situation, pool, today=today)


def may_take(situation: ClaimSituation, pool: PoolRules, *, today: date) -> AppError | None:
    """None where the person's own past and limits allow a claim of a customer that is free for them."""
    refusal = may_own_again(situation.last_ended_on, pool, today=today)
    if refusal is not None:
        return refusal
    if situation.claims_today >= pool.claim_limit:
        return claim_limit_reached(pool, today=today)
    return may_hold_one_more(situation.holding, pool)


def may_own_again(last_ended_on: date | None, pool: PoolRules, *, today: date) -> AppError | None:
    """None where the cooldown of a person's last ownership is over; else the refusal (P34)."""
    free_from = cooldown_ends(last_ended_on, pool.cooldown_days)
    if free_from is None or today >= free_from:
        return None
    values: dict[str, Scalar] = {"pool": pool.name, "days": pool.cooldown_days, "free_from": free_from.isoformat()}
    return CooldownRunning("customers.cooldown_running", values)


def may_hold_one_more(holding: int, pool: PoolRules) -> AppError | None:
    """None where a person who holds `holding` customers may get another, claimed or entered; else the refusal (P09)."""
    if holding < pool.holding_limit:
        return None
    return HoldingLimitReached(
        "customers.holding_limit_reached",
        {"pool": pool.name, "limit": pool.holding_limit, "holding": holding},
    )


def may_check_duplicates(refused_today: int, *, today: date) -> AppError | None:
    """None where a person whom the duplicate check refused `refused_today` times may ask it again.

    The refusal comes before the check, hit or miss: otherwise it would go on telling that there is such a customer.
    """
    if refused_today < REFUSED_CHECKS_MAX:
        return None
    values: dict[str, Scalar] = {"limit": REFUSED_CHECKS_MAX, "free_from": (today + timedelta(days=1)).isoformat()}
    return DuplicateChecksUsedUp("customers.duplicate_checks_used_up", values)


def claim_limit_reached(pool: PoolRules, *, today: date) -> ClaimLimitReached:
    """The refusal of P05: it lifts at the next local midnight, or never where the pool allows no claims at all."""
    if pool.claim_limit == 0:
        return ClaimLimitReached("customers.claims_off", {"pool": pool.name})
    return ClaimLimitReached(
        "customers.claim_limit_reached",
        {"pool": pool.name, "limit": pool.claim_limit, "free_from": (today + timedelta(days=1)).isoformat()},
    )


def cooldown_ends(ended_on: date | None, cooldown_days: int) -> date | None:
    """The first day on which a former owner may claim again: blocked through `ended_on` + N inclusive (3.3).

    Days are the tenant's calendar days, whatever the hour the ownership ended. With N = 0 there is no cooldown.
    """
    if ended_on is None or cooldown_days == 0:
        return None
    return ended_on + timedelta(days=cooldown_days + 1)


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """What a new customer is made of; text is kept without outer and doubled spaces, empty text as none."""

    name: str
    short_name: str | None = None
    industry: str | None = None
    level: str | None = None
    source: str | None = None
    district_code: str | None = None
    district_name: str | None = None
    contact_name: str | None = None
    phone: str | None = None
    external_system: str | None = None
    external_key: str | None = None

    def cleaned(self) -> NewCustomer:
        """The same, as it is stored; the phone number is left to `seal_phone`.

        :raises BadUserInput: a text is too long, the name is empty, or the district is no code.
        """
        return NewCustomer(
            name=clean_name(self.name, field="name", longest=NAME_MAX),
            short_name=clean_optional(self.short_name, field="shortName", longest=100),
            industry=clean_optional(self.industry, field="industry", longest=100),
            level=clean_optional(self.level, field="level", longest=20),
            source=clean_optional(self.source, field="source", longest=40),
            district_code=check_district(clean_optional(self.district_code, field="districtCode", longest=12)),
            district_name=clean_optional(self.district_name, field="districtName", longest=100),
            contact_name=clean_optional(self.contact_name, field="contactName", longest=100),
            phone=clean_optional(self.phone, field="phone", longest=40),
            external_system=clean_optional(self.external_system, field="external", longest=40),
            external_key=clean_optional(self.external_key, field="external", longest=100),
        )


def match_key(name: str) -> str:
    """What the duplicate check compares: the name without width, case and spaces ("华为（深圳）" = "华为(深圳)")."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", name)).casefold()


def check_district(code: str | None) -> str | None:
    """A code of an administrative division, or None.

    :raises BadUserInput: it is not of six digits, as GB/T 2260 has it.
    """
    if code is not None and not _DISTRICT.fullmatch(code):
        raise BadUserInput("customers.district_malformed", {"code": code[:12]}).at("input", "districtCode")
    return code
