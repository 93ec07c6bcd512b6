"""Scoped reads of the customers room, for actions; lists and details go through the compiled reader."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

import asyncpg

from saas.access import AccessTable, scope_predicate
from saas.customers.errors import ClaimantNotOnStaff, CustomerAlreadyOwned, CustomerNotFound
from saas.customers.policies import CUSTOMER_SCOPES
from saas.customers.rules import ClaimSituation, PoolRules
from saas.kernel import Actor, local_date
from tenants import BOUND, Ask, Question, current_tenant_id, current_transaction


@dataclass(frozen=True, slots=True)
class ClaimTarget:
    """The customer as a claim found it. `version` rises with every change of owner.

    `claimant_department_id` is None where the claimant is not on the staff, and where the customer is owned.
    """

    customer_id: UUID
    version: int
    district_code: str | None
    industry: str | None
    level: str | None
    claimant_department_id: UUID | None


@dataclass(frozen=True, slots=True)
class ClaimFindings:
    """All that one statement found out about a claim."""

    target: ClaimTarget
    situation: ClaimSituation
    pool: PoolRules


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool and its rules."""

    id: UUID
    rules: PoolRules


@dataclass(frozen=True, slots=True)
class Duplicate:
    """What the duplicate check may tell: that there is one, by what it matched, and whom to ask.

    `matched` is the input's field: external, name or phone. `customer_id` is for the audit trail, never for the caller.
    """

    customer_id: UUID
    matched: str
    owner_name: str | None


async def find_claim_target(actor: Actor, access: AccessTable, *, customer_id: UUID, today: date) -> ClaimFindings:
    """The customer that the caller wants, if the caller may see it, and what decides the claim: one statement.

    Where the customer is pooled, the claimant's row is locked before the counts are taken (`claimant_load`).

    :raises CustomerNotFound: missing, another company's, or not visible.
    """
    row = await current_transaction().fetchrow(
        _claim_target_sql(access.visible("Customer")), current_tenant_id(), actor.employee_id, customer_id, today
    )
    if row is None:
        raise CustomerNotFound("customers.not_found").at("input", "customer")
    return _findings(row)


@lru_cache(maxsize=64)
def _claim_target_sql(scopes: frozenset[str]) -> str:
    return f"""
        SELECT c.id, c.version, c.owner_id, c.district_code, c.industry, c.level, p.name AS pool_name,
               p.claim_limit, p.holding_limit, p.cooldown_days,
               (SELECT max(o.ended_on) FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id
                AND o.owner_id = $2) AS last_ended_on,
               l.department, l.claims, l.holding
        FROM customer c JOIN customer_pool p ON p.tenant_id = c.tenant_id AND p.id = c.pool_id
        LEFT JOIN LATERAL (
            SELECT f.department, f.claims, f.holding FROM claimant_load($1, $2, p.id, $4) f
            WHERE c.owner_id IS NULL OFFSET 0
        ) l ON true
        WHERE c.tenant_id = $1 AND c.id = $3 AND {_claimable(scopes, employee="$2")}
    """


def _claimable(scopes: frozenset[str], *, employee: str) -> str:
    """Who sees the pool may also learn that a customer has just left it: the loser of a race is told "taken"."""
    visible = scope_predicate(CUSTOMER_SCOPES, scopes, alias="c", tenant="$1", employee=employee)
    return f"({visible} OR {_LEFT_THE_POOL})" if "pool" in scopes else visible


_LEFT_THE_POOL = """(
    SELECT o.start_kind FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id AND o.ended_at IS NULL
) IN ('claim', 'assign')"""
"""A scalar sub-select: an EXISTS may be planned as a hash of all the company's ownerships."""


async def foresee_claim(ask: Ask, actor: Actor, access: AccessTable, *, customer_id: UUID) -> None:
    """Refuse a claim that comes too late, before its transaction: most of a race, for one trip each.

    :raises CustomerNotFound: as `find_claim_target`.
    :raises CustomerAlreadyOwned: as `may_claim`, which puts it before every other refusal.
    """
    is_owned = await ask(_is_owned(access.visible("Customer")), actor.employee_id, customer_id)
    if is_owned is None:
        raise CustomerNotFound("customers.not_found").at("input", "customer")
    if is_owned:
        raise CustomerAlreadyOwned("customers.already_owned").at("input", "customer")


@lru_cache(maxsize=64)
def _is_owned(scopes: frozenset[str]) -> Question:
    sql = f"""
        SELECT c.owner_id IS NOT NULL FROM customer c
        WHERE {BOUND} AND c.tenant_id = $1 AND c.id = asked.v2 AND {_claimable(scopes, employee="asked.v1")}
    """
    return Question(sql, ("uuid", "uuid"))


def _findings(row: asyncpg.Record) -> ClaimFindings:
    return ClaimFindings(
        target=ClaimTarget(
            customer_id=row["id"],
            version=row["version"],
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
        ),
        pool=PoolRules(row["pool_name"], row["claim_limit"], row["holding_limit"], row["cooldown_days"]),
    )


async def get_visible_customer(actor: Actor, access: AccessTable, *, customer_id: UUID) -> UUID | None:
    """The owner of a customer that the caller may see; None while it is pooled.

    :raises CustomerNotFound: missing, another company's, or not visible.
    """
    row = await current_transaction().fetchrow(
        _visible_sql(access.visible("Customer")), current_tenant_id(), actor.employee_id, customer_id
    )
    if row is None:
        raise CustomerNotFound("customers.not_found").at("input", "customer")
    owner: UUID | None = row["owner_id"]
    return owner


@lru_cache(maxsize=64)
def _visible_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(CUSTOMER_SCOPES, scopes, alias="c", tenant="$1", employee="me.id")
    return f"""
        SELECT c.owner_id FROM customer c CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE c.tenant_id = $1 AND c.id = $3 AND {visible}
    """


async def lock_and_count_holding(actor: Actor, *, pool_id: UUID, today: date) -> tuple[UUID, int]:
    """The caller's department, and how many customers the caller holds; the caller's row is locked meanwhile.

    :raises ClaimantNotOnStaff: the caller is not on the staff.
    """
    row = await current_transaction().fetchrow(
        "SELECT department, holding FROM claimant_load($1, $2, $3, $4)",
        current_tenant_id(),
        actor.employee_id,
        pool_id,
        today,
    )
    if row is None or row["department"] is None:
        raise ClaimantNotOnStaff("customers.claimant_not_on_staff")
    return row["department"], row["holding"]


_DUPLICATE = """
SELECT c.id, e.name AS owner_name,
       CASE WHEN c.external_system = $4 AND c.external_key = $5 THEN 'external'
            WHEN c.match_key = $2 THEN 'name' ELSE 'phone' END AS matched
FROM customer c LEFT JOIN employee e ON e.tenant_id = c.tenant_id AND e.id = c.owner_id
WHERE c.tenant_id = $1
  AND (c.match_key = $2 OR c.phone_index = $3 OR (c.external_system = $4 AND c.external_key = $5))
ORDER BY matched, c.id LIMIT 1
"""
"""The words of `matched` happen to sort as they matter: the key first, then the name."""


async def find_duplicate(
    *, match_key: str, phone_index: bytes | None, external_system: str | None, external_key: str | None
) -> Duplicate | None:
    """A customer of this company with the same key, name or phone number, whoever may see it (P38)."""
    row = await current_transaction().fetchrow(
        _DUPLICATE, current_tenant_id(), match_key, phone_index, external_system, external_key
    )
    return Duplicate(row["id"], row["matched"], row["owner_name"]) if row else None


async def count_refused_checks(actor: Actor, *, on: date) -> int:
    """How often the duplicate check refused the caller on that day; those under way at this moment don't count yet."""
    found: int | None = await current_transaction().fetchval(
        "SELECT refusals FROM refused_check_count WHERE tenant_id = $1 AND account_id = $2 AND counted_on = $3",
        current_tenant_id(),
        actor.account_id,
        on,
    )
    return found or 0


async def count_customers() -> int:
    """How many customers the company has."""
    return int(
        await current_transaction().fetchval("SELECT count(*) FROM customer WHERE tenant_id = $1", current_tenant_id())
    )


async def default_pool() -> Pool:
    """The pool that new customers belong to; every company has one from its first day."""
    row = await current_transaction().fetchrow(
        "SELECT id, name, claim_limit, holding_limit, cooldown_days FROM customer_pool"
        " WHERE tenant_id = $1 AND is_default",
        current_tenant_id(),
    )
    assert row is not None, "sign-up makes the default pool"
    return Pool(row["id"], PoolRules(row["name"], row["claim_limit"], row["holding_limit"], row["cooldown_days"]))


async def list_pools() -> dict[str, Pool]:
    """The company's pools by name, the default one first."""
    rows = await current_transaction().fetch(
        "SELECT id, name, claim_limit, holding_limit, cooldown_days FROM customer_pool WHERE tenant_id = $1"
        " ORDER BY is_default DESC, name",
        current_tenant_id(),
    )
    return {
        row["name"]: Pool(
            row["id"], PoolRules(row["name"], row["claim_limit"], row["holding_limit"], row["cooldown_days"])
        )
        for row in rows
    }


async def find_customer_by_external_key(system: str, key: str) -> UUID:
    """The customer that has this key in another system; whether the caller may see it is the action's to check.

    :raises CustomerNotFound: none has.
    """
    found: UUID | None = await current_transaction().fetchval(_BY_EXTERNAL_KEY, current_tenant_id(), system, key)
    if found is None:
        raise CustomerNotFound("customers.not_found").at("input", "customer", "external")
    return found


_BY_EXTERNAL_KEY = "SELECT id FROM customer WHERE tenant_id = $1 AND external_system = $2 AND external_key = $3"


_OWNERS_ON = """
SELECT asked.id, asked.day, held.owner_id
FROM unnest($2::uuid[], $3::date[]) AS asked (id, day) CROSS JOIN LATERAL (
    SELECT o.owner_id FROM ownership o
    WHERE o.tenant_id = $1 AND o.customer_id = asked.id AND o.started_on <= asked.day
      AND (o.ended_on IS NULL OR o.ended_on >= asked.day)
    ORDER BY o.started_at DESC, o.id DESC LIMIT 1
) held
"""


async def find_owner_on(days: Sequence[tuple[UUID, date]]) -> dict[tuple[UUID, date], UUID]:
    """Who owned customers on days, by (customer, day): many in one statement, from the history of ownership.

    Of several owners on one day it is the last. A pair is missing where nobody owned the customer on the whole day.
    """
    wanted = sorted(set(days))
    rows = await current_transaction().fetch(
        _OWNERS_ON, current_tenant_id(), [customer for customer, _ in wanted], [day for _, day in wanted]
    )
    return {(row["id"], row["day"]): row["owner_id"] for row in rows}


async def lock_visible_customers(
    actor: Actor, access: AccessTable, customer_ids: Collection[UUID], *, time_zone: str
) -> dict[UUID, date]:
    """The day each customer has been here since, of those that the caller may see; locked, in the order of their ids.

    It is the day of entry, or of the first ownership where history was brought in. Who locks them writes what depends
    on all deals of a customer; claims of other customers don't wait.
    """
    rows = await current_transaction().fetch(
        _lock_visible_sql(access.visible("Customer")), current_tenant_id(), actor.employee_id, sorted(set(customer_ids))
    )
    return {
        row["id"]: min(filter(None, (local_date(row["created_at"], time_zone), row["first_owned_on"]))) for row in rows
    }


@lru_cache(maxsize=64)
def _lock_visible_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(CUSTOMER_SCOPES, scopes, alias="c", tenant="$1", employee="me.id")
    return f"""
        SELECT c.id, c.created_at, (SELECT min(o.started_on) FROM ownership o
            WHERE o.tenant_id = $1 AND o.customer_id = c.id) AS first_owned_on
        FROM customer c CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE c.tenant_id = $1 AND c.id = ANY ($3) AND {visible}
        ORDER BY c.id FOR NO KEY UPDATE OF c
    """


async def lock_customers(customer_ids: Collection[UUID]) -> None:
    """Lock customers in the order of their ids: who writes what depends on all deals of a customer comes after others.

    Nothing is told of them, so it asks for no right to see them.
    """
    await current_transaction().execute(_LOCK, current_tenant_id(), sorted(set(customer_ids)))


_LOCK = "SELECT FROM customer WHERE tenant_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE"
