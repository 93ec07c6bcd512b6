"""Pure decisions about customers: may this person claim this one now, may they hold one more, what is a valid one?

The meanings are the product's own: claim limit, interval, holding limit, backlog (P05, P08, P09, P12), cooldown of
former owners and fair window (P34, P35), approval (P49). Order of checks (3.2): enabled, pooled, approval, fair window,
cooldown, claim limit, backlog, holding limit; the conditional update comes after all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from saas.customers.errors import (
    ApprovalNeeded,
    BacklogFull,
    ClaimLimitReached,
    ClaimTooSoon,
    CooldownRunning,
    CustomerAlreadyOwned,
    DuplicateChecksUsedUp,
    FairWindowRuns,
    HoldingLimitReached,
    NotAPoolMember,
    PoolDisabled,
    WayClosed,
)
from saas.kernel import AppError, BadUserInput, Scalar
from saas.people import clean_name, clean_optional

_DISTRICT = re.compile(r"[1-9]\d{5}", re.ASCII)
_SPACE = re.compile(r"\s+")
NAME_MAX = 200
REFUSED_CHECKS_MAX = 100
"""Duplicates that one person is told of in a day: far above honest work, far below what a list of a market needs."""


@dataclass(frozen=True, slots=True)
class FairWindow:
    """How long nobody claims what came into the pool (P35); one of the three at most."""

    hours: int | None = None
    days: int | None = None
    opens_at: time | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is one."""
        return self != FairWindow()

    def ends_at(self, pooled_at: datetime, zone: ZoneInfo) -> datetime:
        """From when on a record may be claimed that came in at `pooled_at`.

        Hours go by; days are whole days of the company after the one it came in; a time is that of the next day.
        """
        if self.hours is not None:
            return pooled_at + timedelta(hours=self.hours)
        came_on = pooled_at.astimezone(zone).date()
        if self.days is not None:
            return datetime.combine(came_on + timedelta(days=self.days + 1), time(), zone).astimezone(UTC)
        if self.opens_at is not None:
            return datetime.combine(came_on + timedelta(days=1), self.opens_at, zone).astimezone(UTC)
        return pooled_at


@dataclass(frozen=True, slots=True)
class RareClaimRules:
    """The settings of a claim that few pools have (P04, P08, P12, P34 in hours and by department, P35, P49)."""

    allows_claims: bool = True
    interval_minutes: int = 0
    cooldown_hours: int | None = None
    is_cooldown_of_department: bool = False
    fair_window: FairWindow = FairWindow()
    first_follow_up_limit: int | None = None
    needs_approval: bool = False


@dataclass(frozen=True, slots=True)
class PoolRules:
    """The settings of a pool that decide a claim; limits are counts, None is no limit; the cooldown is in days."""

    name: str
    claim_limit: int | None
    holding_limit: int | None
    cooldown_days: int
    rare: RareClaimRules = RareClaimRules()


@dataclass(frozen=True, slots=True)
class DepartmentLoad:
    """What the people of a department and those below hold together, and the most they may (P09)."""

    name: str
    limit: int
    holding: int


@dataclass(frozen=True, slots=True)
class ClaimMoment:
    """What few pools ask at a claim: instants, records that wait for a first follow-up, departments.

    `pooled_at` is when the record came into the pool; `last_ended_at` when the claimant's own last ownership of it
    ended, or that of their department where the cooldown is the department's.
    """

    now: datetime
    zone: ZoneInfo
    pooled_at: datetime
    last_claimed_at: datetime | None = None
    last_ended_at: datetime | None = None
    awaiting_first: int = 0
    departments: tuple[DepartmentLoad, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimSituation:
    """What is known at the moment of a claim.

    `claims_today` counts claim events, whatever happened to the customers later; `holding` counts customers owned;
    `last_ended_on` is the day the claimant's last ownership of this customer ended, None where there was none.
    `is_enabled` and `is_member` are of the pool (P01, P03). `moment` is there where the pool asks for it; `is_exempt`
    says that claim limit, interval and cooldown are not for this claimant (P07), nor is approval; `is_approved` that
    a second person agrees, or is only asked to (P49).
    """

    is_pooled: bool
    claims_today: int
    holding: int
    last_ended_on: date | None
    is_enabled: bool = True
    is_member: bool = True
    moment: ClaimMoment | None = None
    is_exempt: bool = False
    is_approved: bool = False


def may_claim(situation: ClaimSituation, pool: PoolRules, *, today: date) -> AppError | None:
    """None where the claim is allowed, else the refusal with the rule, its values and the day or instant it lifts."""
    if not situation.is_enabled:
        return PoolDisabled("customers.pool_disabled", {"pool": pool.name})
    if not situation.is_pooled:
        return CustomerAlreadyOwned("customers.already_owned")
    if not pool.rare.allows_claims:
        return WayClosed("customers.claims_closed", {"pool": pool.name})
    if pool.rare.needs_approval and not (situation.is_exempt or situation.is_approved):
        return ApprovalNeeded("customers.claim_needs_approval", {"pool": pool.name})
    if not situation.is_member:
        return NotAPoolMember("customers.not_a_pool_member", {"pool": pool.name})
    return _window_runs(situation.moment, pool) or may_take(situation, pool, today=today)


def may_take(situation: ClaimSituation, pool: PoolRules, *, today: date) -> AppError | None:
    """None where the person's own past and limits allow a claim of a customer that is free for them."""
    moment = situation.moment
    if not situation.is_exempt:
        refusal = may_own_again(situation, pool, today=today)
        if refusal is not None:
            return refusal
        if pool.claim_limit is not None and situation.claims_today >= pool.claim_limit:
            return claim_limit_reached(pool, pool.claim_limit, today=today)
        refusal = _too_soon(moment, pool)
        if refusal is not None:
            return refusal
    departments = moment.departments if moment else ()
    return _backlog_full(moment, pool) or may_hold_one_more(situation.holding, pool, departments)


def _window_runs(moment: ClaimMoment | None, pool: PoolRules) -> AppError | None:
    window = pool.rare.fair_window
    if moment is None or not window.is_on:
        return None
    free_at = window.ends_at(moment.pooled_at, moment.zone)
    if moment.now >= free_at:
        return None
    return FairWindowRuns("customers.fair_window_runs", {"pool": pool.name, "free_at": _told(free_at, moment)})


def may_own_again(situation: ClaimSituation, pool: PoolRules, *, today: date) -> AppError | None:
    """None where the cooldown of a person's last ownership is over, in days and in hours; else the refusal (P34)."""
    free_from = cooldown_ends(situation.last_ended_on, pool.cooldown_days)
    if free_from is None or today >= free_from:
        return _hours_run(situation.moment, pool)
    values: dict[str, Scalar] = {"pool": pool.name, "days": pool.cooldown_days, "free_from": free_from.isoformat()}
    return CooldownRunning("customers.cooldown_running", values)


def _hours_run(moment: ClaimMoment | None, pool: PoolRules) -> AppError | None:
    """The cooldown in hours: blocked while fewer have gone by since the ownership ended (3.3)."""
    hours = pool.rare.cooldown_hours
    if moment is None or hours is None or moment.last_ended_at is None:
        return None
    free_at = moment.last_ended_at + timedelta(hours=hours)
    if moment.now >= free_at:
        return None
    values: dict[str, Scalar] = {"pool": pool.name, "hours": hours, "free_at": _told(free_at, moment)}
    return CooldownRunning("customers.cooldown_hours_running", values)


def _too_soon(moment: ClaimMoment | None, pool: PoolRules) -> AppError | None:
    minutes = pool.rare.interval_minutes
    if moment is None or not minutes or moment.last_claimed_at is None:
        return None
    free_at = moment.last_claimed_at + timedelta(minutes=minutes)
    if moment.now >= free_at:
        return None
    values: dict[str, Scalar] = {"pool": pool.name, "minutes": minutes, "free_at": _told(free_at, moment)}
    return ClaimTooSoon("customers.claim_too_soon", values)


def _backlog_full(moment: ClaimMoment | None, pool: PoolRules) -> AppError | None:
    limit = pool.rare.first_follow_up_limit
    if moment is None or limit is None or moment.awaiting_first < limit:
        return None
    values: dict[str, Scalar] = {"pool": pool.name, "limit": limit, "waiting": moment.awaiting_first}
    return BacklogFull("customers.backlog_full", values)


def may_hold_one_more(holding: int, pool: PoolRules, departments: Sequence[DepartmentLoad] = ()) -> AppError | None:
    """None where a person who holds `holding` customers may get another, claimed or entered; else the refusal (P09).

    The person's own limit comes first, then those of the departments.
    """
    if pool.holding_limit is not None and holding >= pool.holding_limit:
        values: dict[str, Scalar] = {"pool": pool.name, "limit": pool.holding_limit, "holding": holding}
        return HoldingLimitReached("customers.holding_limit_reached", values)
    for each in departments:
        if each.holding >= each.limit:
            held: dict[str, Scalar] = {"pool": pool.name, "department": each.name, "limit": each.limit}
            held["holding"] = each.holding
            return HoldingLimitReached("customers.department_limit_reached", held)
    return None


def _told(instant: datetime, moment: ClaimMoment) -> str:
    """An instant as the company's clocks show it."""
    return instant.astimezone(moment.zone).isoformat(timespec="minutes")


def may_check_duplicates(refused_today: int, *, today: date) -> AppError | None:
    """None where a person whom the duplicate check refused `refused_today` times may ask it again.

    The refusal comes before the check, hit or miss: otherwise it would go on telling that there is such a customer.
    """
    if refused_today < REFUSED_CHECKS_MAX:
        return None
    values: dict[str, Scalar] = {"limit": REFUSED_CHECKS_MAX, "free_from": (today + timedelta(days=1)).isoformat()}
    return DuplicateChecksUsedUp("customers.duplicate_checks_used_up", values)


def claim_limit_reached(pool: PoolRules, limit: int, *, today: date) -> ClaimLimitReached:
    """The refusal of P05: it lifts at the next local midnight, or never where the pool allows no claims at all."""
    if limit == 0:
        return ClaimLimitReached("customers.claims_off", {"pool": pool.name})
    return ClaimLimitReached(
        "customers.claim_limit_reached",
        {"pool": pool.name, "limit": limit, "free_from": (today + timedelta(days=1)).isoformat()},
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
    language: str | None = None
    required_skill: str | None = None
    wanted_product: str | None = None

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
            language=clean_optional(self.language, field="language", longest=100),
            required_skill=clean_optional(self.required_skill, field="requiredSkill", longest=100),
            wanted_product=clean_optional(self.wanted_product, field="wantedProduct", longest=100),
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
