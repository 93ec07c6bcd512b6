"""Scoped reads of the customers room, for actions; lists and details go through the compiled reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from saas.access import AccessTable, scope_predicate
from saas.customers.errors import ClaimantNotOnStaff, CustomerNotFound
from saas.customers.policies import CUSTOMER_SCOPES
from saas.customers.rules import ClaimSituation, PoolRules
from saas.kernel import Actor
from tenants import current_transaction


@dataclass(frozen=True, slots=True)
class ClaimTarget:
    """The customer, its pool and the claimant, as one statement found them."""

    customer_id: UUID
    pool_id: UUID
    owner_id: UUID | None
    district_code: str | None
    industry: str | None
    level: str | None
    claimant_department_id: UUID
    pool: PoolRules


@dataclass(frozen=True, slots=True)
class Duplicate:
    """What the duplicate check may tell: that there is one, its status, and whom to ask."""

    status: str
    owner_name: str | None


async def find_claim_target(actor: Actor, access: AccessTable, *, customer_id: UUID) -> ClaimTarget:
    """The customer that the caller wants, if the caller may see it; locks the claimant's row.

    The lock makes the claims of one person follow each other, so that counts read after it are true when the
    claim is written; claims of different people don't wait for each other.

    :raises ClaimantNotOnStaff: the caller is not on the staff.
    :raises CustomerNotFound: missing, another company's, or not visible.
    """
    row = await current_transaction().fetchrow(
        _claim_target_sql(access), actor.tenant_id, actor.employee_id, customer_id
    )
    if row is None:
        raise CustomerNotFound("customers.not_found").at("input", "customerId")
    if row["claimant_department_id"] is None:
        raise ClaimantNotOnStaff("customers.claimant_not_on_staff")
    return _claim_target(row)


def _claim_target_sql(access: AccessTable) -> str:
    """Who sees the pool may also learn that a customer has just left it: the loser of a race is told "taken"."""
    scopes = access.visible("Customer")
    visible = scope_predicate(CUSTOMER_SCOPES, scopes, alias="c", tenant="$1", employee="$2")
    was_pooled = _LEFT_THE_POOL if "pool" in scopes else "false"
    return f"""
        WITH claimant AS (
            SELECT e.department_id FROM employee e
            WHERE e.tenant_id = $1 AND e.id = $2 AND e.status = 'active' FOR NO KEY UPDATE
        )
        SELECT c.id, c.owner_id, c.district_code, c.industry, c.level, p.id AS pool_id, p.name AS pool_name,
               p.claim_limit, p.holding_limit, p.cooldown_days,
               (SELECT department_id FROM claimant) AS claimant_department_id
        FROM customer c JOIN customer_pool p ON p.tenant_id = c.tenant_id AND p.id = c.pool_id
        WHERE c.tenant_id = $1 AND c.id = $3 AND ({visible} OR {was_pooled})
    """


_LEFT_THE_POOL = """EXISTS (
    SELECT FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id AND o.ended_at IS NULL
    AND o.start_kind IN ('claim', 'assign'))"""


def _claim_target(row: asyncpg.Record) -> ClaimTarget:
    return ClaimTarget(
        customer_id=row["id"],
        pool_id=row["pool_id"],
        owner_id=row["owner_id"],
        district_code=row["district_code"],
        industry=row["industry"],
        level=row["level"],
        claimant_department_id=row["claimant_department_id"],
        pool=PoolRules(
            name=row["pool_name"],
            claim_limit=row["claim_limit"],
            holding_limit=row["holding_limit"],
            cooldown_days=row["cooldown_days"],
        ),
    )


async def get_visible_customer(actor: Actor, access: AccessTable, *, customer_id: UUID) -> UUID | None:
    """The owner of a customer that the caller may see; None while it is pooled.

    :raises CustomerNotFound: missing, another company's, or not visible.
    """
    visible = scope_predicate(CUSTOMER_SCOPES, access.visible("Customer"), alias="c", tenant="$1", employee="$2")
    row = await current_transaction().fetchrow(
        f"SELECT c.owner_id FROM customer c WHERE c.tenant_id = $1 AND c.id = $3 AND {visible}"
        " AND ($2::uuid IS NULL OR true)",
        actor.tenant_id,
        actor.employee_id,
        customer_id,
    )
    if row is None:
        raise CustomerNotFound("customers.not_found").at("input", "customerId")
    owner: UUID | None = row["owner_id"]
    return owner


async def read_claim_situation(actor: Actor, target: ClaimTarget, *, today: date) -> ClaimSituation:
    """The counts that decide the claim, read after the claimant's row is locked."""
    row = await current_transaction().fetchrow(
        """
        SELECT coalesce((SELECT n.claims FROM claim_count n WHERE n.tenant_id = $1 AND n.pool_id = $4
                         AND n.employee_id = $2 AND n.counted_on = $5), 0) AS claims,
               (SELECT count(*) FROM customer c WHERE c.tenant_id = $1 AND c.owner_id = $2) AS holding,
               (SELECT max(o.ended_on) FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = $3
                AND o.owner_id = $2) AS last_ended_on
        """,
        actor.tenant_id,
        actor.employee_id,
        target.customer_id,
        target.pool_id,
        today,
    )
    assert row is not None, "a SELECT without FROM gives one row"
    return ClaimSituation(
        is_pooled=target.owner_id is None,
        claims_today=row["claims"],
        holding=row["holding"],
        last_ended_on=row["last_ended_on"],
    )


async def find_duplicate(*, name: str, phone_index: bytes | None) -> Duplicate | None:
    """A customer of this company with the same name or the same phone number, whoever may see it (P38)."""
    row = await current_transaction().fetchrow(
        """
        SELECT c.status, e.name AS owner_name
        FROM customer c LEFT JOIN employee e ON e.tenant_id = c.tenant_id AND e.id = c.owner_id
        WHERE c.tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)
          AND (c.name = $1 OR c.phone_index = $2) LIMIT 1
        """,
        name,
        phone_index,
    )
    return Duplicate(status=row["status"], owner_name=row["owner_name"]) if row else None


async def default_pool_id() -> UUID:
    """The pool that new customers belong to."""
    found: UUID = await current_transaction().fetchval("SELECT id FROM customer_pool WHERE is_default")
    return found
