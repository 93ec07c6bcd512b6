"""Scoped reads of the customers room, for actions; lists and details go through the compiled reader."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

import asyncpg

from saas.access import AccessTable, scope_predicate
from saas.customers.errors import (
    ClaimantNotOnStaff,
    CustomerNotFound,
    PoolNotFound,
)
from saas.customers.policies import CUSTOMER_SCOPES
from saas.customers.rules import PoolRules
from saas.customers.settings import PoolSettings, settings_in_force
from saas.kernel import Actor, local_date
from tenants import current_tenant_id, current_transaction


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool and its settings in force."""

    id: UUID
    name: str
    settings: PoolSettings
    settings_version: int

    def rules_for(self, employee_id: UUID | None, departments: Sequence[UUID] = ()) -> PoolRules:
        """What a claim of that person goes by; `departments` are theirs, the nearest first."""
        return self.settings.claim_rules(self.name, limit=self.settings.limit_of(employee_id, departments))


POOL_SETTINGS = "p.claim_limit, p.holding_limit, p.cooldown_days, p.settings::text AS settings, p.settings_version"
"""The columns of a pool ``p`` from which `settings_in_force` reads."""


def is_member_sql(*, employee: str, department: str) -> str:
    """Whether a person of a department is a member of the pool ``p`` (P01): scalar sub-selects, as `_LEFT_THE_POOL`."""
    of_pool = "FROM pool_department d WHERE d.tenant_id = $1 AND d.pool_id = p.id"
    people = "FROM pool_member n WHERE n.tenant_id = $1 AND n.pool_id = p.id"
    above = (
        f"(SELECT u.ancestor_id FROM department_closure u WHERE u.tenant_id = $1 AND u.descendant_id = {department})"
    )
    return (
        f"(NOT EXISTS (SELECT {of_pool}) AND NOT EXISTS (SELECT {people})"
        f" OR EXISTS (SELECT {of_pool} AND d.department_id IN {above})"
        f" OR EXISTS (SELECT {people} AND n.employee_id = {employee}))"
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


async def require_visible_customers(actor: Actor, access: AccessTable, customer_ids: Sequence[UUID]) -> None:
    """Refuse unless the caller may see all of them: one statement.

    :raises CustomerNotFound: one is missing, another company's, or not visible.
    """
    seen = await current_transaction().fetchval(
        _count_visible_sql(access.visible("Customer")), current_tenant_id(), actor.employee_id, list(customer_ids)
    )
    if seen < len(set(customer_ids)):
        raise CustomerNotFound("customers.not_found", field=("customers",))


@lru_cache(maxsize=64)
def _count_visible_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(CUSTOMER_SCOPES, scopes, alias="c", tenant="$1", employee="me.id")
    return f"""
        SELECT count(*) FROM customer c CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE c.tenant_id = $1 AND c.id = ANY ($3) AND {visible}
    """


async def lock_and_count_holding(actor: Actor, pool: Pool, *, today: date) -> tuple[UUID, int]:
    """The caller's department, and how many customers the caller holds that count; the caller's row is locked.

    :raises ClaimantNotOnStaff: the caller is not on the staff.
    """
    row = await current_transaction().fetchrow(
        "SELECT department, holding FROM claimant_load($1, $2, $3, $4, $5::jsonb)",
        current_tenant_id(),
        actor.employee_id,
        pool.id,
        today,
        pool.settings.holding_text,
    )
    if row is None or row["department"] is None:
        raise ClaimantNotOnStaff("customers.claimant_not_on_staff")
    return row["department"], row["holding"]


async def count_customers() -> int:
    """How many customers the company has."""
    return int(
        await current_transaction().fetchval("SELECT count(*) FROM customer WHERE tenant_id = $1", current_tenant_id())
    )


async def default_pool() -> Pool:
    """The pool that new customers belong to; every company has one from its first day."""
    row = await current_transaction().fetchrow(
        f"SELECT p.id, p.name, {POOL_SETTINGS} FROM customer_pool p WHERE p.tenant_id = $1 AND p.is_default",
        current_tenant_id(),
    )
    assert row is not None, "sign-up makes the default pool"
    return _pool(row)


async def get_pool(pool_id: UUID) -> Pool:
    """A pool that is not closed, of this company.

    :raises PoolNotFound: there is none.
    """
    row = await current_transaction().fetchrow(
        f"SELECT p.id, p.name, {POOL_SETTINGS} FROM customer_pool p"
        " WHERE p.tenant_id = $1 AND p.id = $2 AND p.status <> 'closed'",
        current_tenant_id(),
        pool_id,
    )
    if row is None:
        raise PoolNotFound("customers.pool_not_found", field=("pool",))
    return _pool(row)


def _pool(row: asyncpg.Record) -> Pool:
    return Pool(row["id"], row["name"], settings_in_force(row), row["settings_version"])


async def list_pools() -> dict[str, Pool]:
    """The company's pools that are not closed, by name, the default one first."""
    rows = await current_transaction().fetch(
        f"SELECT p.id, p.name, {POOL_SETTINGS} FROM customer_pool p WHERE p.tenant_id = $1 AND p.status <> 'closed'"
        " ORDER BY p.is_default DESC, p.name",
        current_tenant_id(),
    )
    return {row["name"]: _pool(row) for row in rows}


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
