"""What a claim finds out, in one statement; and when claims from a pool have to stand back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

import asyncpg

from saas.access import AccessTable, scope_predicate
from saas.customers.administrators import is_administrator
from saas.customers.errors import CustomerAlreadyOwned, CustomerNotFound, PoolBeingAllocated
from saas.customers.moments import judged_more
from saas.customers.policies import CUSTOMER_SCOPES, VISIBLE_POOL
from saas.customers.queries import POOL_SETTINGS, is_member_sql
from saas.customers.rules import ClaimSituation, PoolRules
from saas.customers.settings import PoolSettings, settings_in_force
from saas.kernel import Actor
from saas.people import is_same_person_sql
from tenants import BOUND, Ask, Question, current_tenant_id, current_transaction


@dataclass(frozen=True, slots=True)
class ClaimTarget:
    """The customer as a claim found it. `version` rises with every change of owner.

    `claimant_department_id` is None where the claimant is not on the staff, and where the customer is owned.
    """

    customer_id: UUID
    pool_id: UUID
    version: int
    last_deal_on: date | None
    contract_ends_on: date | None
    declined_on: date | None
    created_at: datetime
    district_code: str | None
    industry: str | None
    level: str | None
    claimant_department_id: UUID | None


@dataclass(frozen=True, slots=True)
class ClaimFindings:
    """All that one statement found out about a claim; little of it where a job gives the pool's customers just now."""

    target: ClaimTarget
    situation: ClaimSituation
    pool_name: str
    settings: PoolSettings
    settings_version: int
    is_pool_busy: bool


async def find_claim_target(actor: Actor, access: AccessTable, *, customer_id: UUID, today: date) -> ClaimFindings:
    """The customer that the caller wants, if the caller may see it, and what decides the claim: one statement.

    Where the customer is pooled, the claimant's row is locked before the counts are taken (`claimant_load`), unless
    a job gives customers of the pool: it may hold that row, and the customer's, for a minute.

    :raises CustomerNotFound: missing, another company's, or not visible.
    """
    row = await current_transaction().fetchrow(
        _claim_target_sql(access.visible("Customer")), current_tenant_id(), actor.employee_id, customer_id, today
    )
    if row is None:
        raise CustomerNotFound("customers.not_found").at("input", "customer")
    return _findings(row)


async def judged_claim(
    actor: Actor, found: ClaimFindings, access: AccessTable, *, now: datetime, time_zone: str
) -> tuple[ClaimSituation, PoolRules]:
    """The situation with all that the pool asks; nothing more is asked where somebody owns the customer."""
    target, settings = found.target, found.settings
    situation = found.situation
    is_admin = settings.admins_claim_freely and access.may("customer:assign")
    if is_admin and await is_administrator(actor, target.pool_id):
        situation = replace(situation, is_exempt=True)
    if target.claimant_department_id is None or actor.employee_id is None:
        return situation, settings.claim_rules(found.pool_name, limit=settings.holding_limit)
    return await judged_more(
        situation,
        settings,
        pool_name=found.pool_name,
        customer_id=target.customer_id,
        claimant_id=actor.employee_id,
        department_id=target.claimant_department_id,
        now=now,
        time_zone=time_zone,
    )


def _claims_of(pool: str) -> str:
    """The key of the lock that claims from a pool share, and a job that gives many of its customers has alone."""
    return f"hashtextextended('claims of ' || {pool}, 0)"


@lru_cache(maxsize=64)
def _claim_target_sql(scopes: frozenset[str]) -> str:
    return f"""
        SELECT c.id, c.pool_id, c.version, c.owner_id, c.district_code, c.industry, c.level, c.last_deal_on,
               c.contract_ends_on, c.declined_on, c.created_at,
               p.name AS pool_name, p.status = 'open' AS is_enabled, {POOL_SETTINGS},
               (SELECT max(o.ended_on) FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id
                AND {is_same_person_sql(record="o.owner_id", employee="$2")}) AS last_ended_on,
               l.department, l.claims, l.holding, NOT w.is_free AS is_pool_busy,
               {is_member_sql(employee="$2", department="l.department")} AS is_member
        FROM customer c JOIN customer_pool p ON p.tenant_id = c.tenant_id AND p.id = c.pool_id
        CROSS JOIN LATERAL (
            SELECT pg_try_advisory_xact_lock_shared({_claims_of("p.id")}) AS is_free OFFSET 0
        ) w
        LEFT JOIN LATERAL (
            SELECT f.department, f.claims, f.holding FROM claimant_load($1, $2, p.id, $4, p.holding_rules) f
            WHERE c.owner_id IS NULL AND w.is_free OFFSET 0
        ) l ON true
        WHERE c.tenant_id = $1 AND c.id = $3 AND {_claimable(scopes, employee="$2")}
    """


def _claimable(scopes: frozenset[str], *, employee: str) -> str:
    """Who sees the pool may also learn that a customer has just left it: the loser of a race is told "taken"."""
    visible = scope_predicate(CUSTOMER_SCOPES, scopes, alias="c", tenant="$1", employee=employee)
    if "pool" not in scopes:
        return visible
    shown = VISIBLE_POOL.format(t="c", tenant="$1", employee=employee)
    return f"({visible} OR ({shown} AND {_LEFT_THE_POOL}))"


_LEFT_THE_POOL = """(
    SELECT o.start_kind FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id AND o.ended_at IS NULL
) IN ('claim', 'assign')"""
"""A scalar sub-select: an EXISTS may be planned as a hash of all the company's ownerships."""


async def foresee_claim(ask: Ask, actor: Actor, access: AccessTable, *, customer_id: UUID) -> None:
    """Refuse a claim that comes too late, before its transaction: most of a race, for one trip each.

    :raises CustomerNotFound: as `find_claim_target`.
    :raises CustomerAlreadyOwned: as `may_claim`, which puts it before every other refusal but that of a
        disabled pool.
    """
    is_owned = await ask(_is_owned(access.visible("Customer")), actor.employee_id, customer_id)
    if is_owned is None:
        raise CustomerNotFound("customers.not_found").at("input", "customer")
    if is_owned:
        raise CustomerAlreadyOwned("customers.already_owned").at("input", "customer")


@lru_cache(maxsize=64)
def _is_owned(scopes: frozenset[str]) -> Question:
    sql = f"""
        SELECT c.owner_id IS NOT NULL AND (SELECT p.status = 'open' FROM customer_pool p
            WHERE p.tenant_id = $1 AND p.id = c.pool_id) FROM customer c
        WHERE {BOUND} AND c.tenant_id = $1 AND c.id = asked.v2 AND {_claimable(scopes, employee="asked.v1")}
    """
    return Question(sql, ("uuid", "uuid"))


def _findings(row: asyncpg.Record) -> ClaimFindings:
    settings = settings_in_force(row)
    return ClaimFindings(
        target=ClaimTarget(
            customer_id=row["id"],
            pool_id=row["pool_id"],
            version=row["version"],
            last_deal_on=row["last_deal_on"],
            contract_ends_on=row["contract_ends_on"],
            declined_on=row["declined_on"],
            created_at=row["created_at"],
            district_code=row["district_code"],
            industry=row["industry"],
            level=row["level"],
            claimant_department_id=row["department"],
        ),
        situation=ClaimSituation(
            is_pooled=row["owner_id"] is None,
            claims_today=row["claims"] or 0,
            holding=row["holding"] or 0,
            last_ended_on=row["last_ended_on"],
            is_enabled=row["is_enabled"],
            is_member=row["is_member"],
        ),
        pool_name=row["pool_name"],
        settings=settings,
        settings_version=row["settings_version"],
        is_pool_busy=row["is_pool_busy"],
    )


async def hold_claims(pool_id: UUID) -> None:
    """Let no claim from the pool begin until the transaction ends, and wait for those that have begun."""
    await current_transaction().fetchval(f"SELECT pg_advisory_xact_lock({_claims_of('$1::uuid')})", pool_id)


async def refuse_during_allocation(pool_id: UUID) -> None:
    """Refuse what would have to wait for a job that gives, or is about to give, many customers of the pool.

    :raises PoolBeingAllocated: there is one.
    """
    name = await current_transaction().fetchval(_BEING_ALLOCATED, current_tenant_id(), pool_id)
    if name is not None:
        raise PoolBeingAllocated("customers.pool_being_allocated", {"pool": name}, field=("allocation",))


_BEING_ALLOCATED = """
SELECT p.name FROM pool_allocation a JOIN customer_pool p ON p.tenant_id = $1 AND p.id = a.pool_id
WHERE a.tenant_id = $1 AND a.pool_id = $2 AND a.state = 'committing'
"""
