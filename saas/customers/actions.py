"""Writes of the customers room: create, claim, release; each with its ownership row, audit entry and event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from saas.access import AccessTable
from saas.audit import record
from saas.customers.errors import (
    ClaimantNotOnStaff,
    CustomerAlreadyOwned,
    CustomerExists,
    GuardRefused,
    NotTheOwner,
)
from saas.customers.events import CUSTOMER_CLAIMED, CUSTOMER_CREATED, CUSTOMER_RELEASED
from saas.customers.hooks import ClaimFacts, Refusal
from saas.customers.models import CustomerPool
from saas.customers.queries import (
    ClaimTarget,
    default_pool_id,
    find_claim_target,
    find_duplicate,
    get_visible_customer,
    read_claim_situation,
)
from saas.customers.rules import claim_limit_reached, may_claim
from saas.events import emit
from saas.kernel import Actor, BadUserInput, Clock, local_date, new_id
from saas.people import clean_name, name_key, seal_phone
from saas.sealing import Keyring
from tenants import current_transaction

ClaimGuard = Callable[[ClaimFacts], Awaitable[Refusal | None]]
"""Asks the company's plugins whether the claim may be; None where they agree."""

NAME_MAX = 200
REASON_MAX = 200


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """What a new customer is made of; text is kept as given, without outer spaces."""

    name: str
    short_name: str | None = None
    industry: str | None = None
    level: str | None = None
    source: str | None = None
    district_code: str | None = None
    district_name: str | None = None
    contact_name: str | None = None
    phone: str | None = None


async def create_default_pool(*, name: str) -> CustomerPool:
    """The pool that a new company begins with."""
    return await CustomerPool.create(name=name, is_default=True)


async def create_customer(
    actor: Actor, new: NewCustomer, *, keep: bool, keyring: Keyring, time_zone: str, clock: Clock
) -> UUID:
    """A new customer: the caller's own (`keep`), or in the default pool.

    :raises CustomerExists: one with the same name or phone number is there (P38).
    :raises ClaimantNotOnStaff: `keep`, and the caller is not on the staff.
    """
    name = clean_name(new.name, field="name", longest=NAME_MAX)
    customer_id = new_id()
    phone = seal_phone(new.phone, keyring=keyring, table="customer", row_id=customer_id) if new.phone else {}
    await _refuse_duplicate(name, phone.get("phone_index"))
    pool_id = await default_pool_id()
    now = clock.now()
    await _insert_customer(customer_id, pool_id, name, new, phone, now)
    if keep:
        await _own(actor, customer_id, kind="created", now=now, today=local_date(now, time_zone))
    await record(actor, "customer.created", object_type="Customer", object_id=customer_id, clock=clock)
    await emit(CUSTOMER_CREATED, {"customer_id": str(customer_id)})
    return customer_id


async def _refuse_duplicate(name: str, phone_index: object) -> None:
    """Two that create the same customer at once follow each other: the lock is on the name and on the number."""
    digest = phone_index if isinstance(phone_index, bytes) else None
    keys = sorted([f"customer:{name}", *([f"phone:{digest.hex()}"] if digest else [])])
    for key in keys:
        await current_transaction().fetchval(
            "SELECT pg_advisory_xact_lock(hashtextextended(current_setting('app.tenant_id') || $1, 0))", key
        )
    found = await find_duplicate(name=name, phone_index=digest)
    if found is None:
        return
    if found.owner_name is None:
        raise CustomerExists("customers.exists_in_pool").at("input", "name")
    raise CustomerExists("customers.exists_owned", {"owner": found.owner_name}).at("input", "name")


async def _insert_customer(
    customer_id: UUID, pool_id: UUID, name: str, new: NewCustomer, phone: Mapping[str, bytes | str], now: datetime
) -> None:
    await current_transaction().execute(
        """
        INSERT INTO customer (id, tenant_id, pool_id, name, name_key, short_name, industry, level, source,
            district_code, district_name, contact_name, phone_sealed, phone_masked, phone_index, created_at)
        VALUES ($1, current_setting('app.tenant_id')::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        """,
        customer_id,
        pool_id,
        name,
        name_key(name),
        new.short_name,
        new.industry,
        new.level,
        new.source,
        new.district_code,
        new.district_name,
        new.contact_name,
        phone.get("phone_sealed"),
        phone.get("phone_masked"),
        phone.get("phone_index"),
        now,
    )


async def _own(actor: Actor, customer_id: UUID, *, kind: str, now: datetime, today: date) -> None:
    taken = await current_transaction().execute(
        """
        WITH owner AS (
            SELECT e.tenant_id, e.id, e.department_id FROM employee e WHERE e.tenant_id = $1 AND e.id = $2
            AND e.status = 'active'
        ), owned AS (
            UPDATE customer c SET owner_id = o.id, owner_department_id = o.department_id, status = 'owned',
                received_on = $5, version = c.version + 1
            FROM owner o WHERE c.tenant_id = $1 AND c.id = $3 AND c.owner_id IS NULL
            RETURNING c.pool_id, o.department_id
        )
        INSERT INTO ownership (id, tenant_id, customer_id, owner_id, owner_department_id, pool_id, started_at,
            started_on, start_kind, operator_id)
        SELECT $6, $1, $3, $2, owned.department_id, owned.pool_id, $4, $5, $7, $8 FROM owned
        """,
        actor.tenant_id,
        actor.employee_id,
        customer_id,
        now,
        today,
        new_id(),
        kind,
        actor.account_id,
    )
    if not taken:
        raise ClaimantNotOnStaff("customers.claimant_not_on_staff")


async def claim_customer(
    actor: Actor, *, customer_id: UUID, access: AccessTable, guard: ClaimGuard, time_zone: str, clock: Clock
) -> UUID:
    """Take a customer out of the pool for oneself.

    :raises CustomerNotFound: missing, another company's, or not visible.
    :raises CustomerAlreadyOwned: somebody was first; of any number at once exactly one wins (P51).
    :raises CooldownRunning, ClaimLimitReached, HoldingLimitReached: the pool's rules (P34, P05, P09).
    :raises GuardRefused: a plugin's rule.
    """
    now = clock.now()
    today = local_date(now, time_zone)
    target = await find_claim_target(actor, access, customer_id=customer_id)
    if target.owner_id is not None:
        raise CustomerAlreadyOwned("customers.already_owned").at("input", "customerId")
    refusal = may_claim(await read_claim_situation(actor, target, today=today), target.pool, today=today)
    if refusal is not None:
        raise refusal.at("input", "customerId")
    await _ask_guard(actor, target, guard, today=today)
    await _take(actor, target, now=now, today=today)
    await record(actor, "customer.claimed", object_type="Customer", object_id=customer_id, clock=clock)
    await emit(CUSTOMER_CLAIMED, {"customer_id": str(customer_id), "owner_id": str(actor.employee_id)})
    return customer_id


async def _ask_guard(actor: Actor, target: ClaimTarget, guard: ClaimGuard, *, today: date) -> None:
    assert actor.employee_id is not None, "find_claim_target refuses people who are not on the staff"
    facts = ClaimFacts(
        tenant_id=actor.tenant_id,
        customer_id=target.customer_id,
        district_code=target.district_code,
        industry=target.industry,
        level=target.level,
        claimant_id=actor.employee_id,
        claimant_department_id=target.claimant_department_id,
        on=today,
    )
    refusal = await guard(facts)
    if refusal is not None:
        raise GuardRefused(refusal.key, refusal.args).at("input", "customerId")


async def _take(actor: Actor, target: ClaimTarget, *, now: datetime, today: date) -> None:
    """The conditional update, the ownership row and the claim count, in one statement: all or nothing."""
    row = await current_transaction().fetchrow(
        """
        WITH taken AS (
            UPDATE customer SET owner_id = $2, owner_department_id = $4, status = 'owned', received_on = $6,
                version = version + 1
            WHERE tenant_id = $1 AND id = $3 AND owner_id IS NULL RETURNING pool_id
        ), opened AS (
            INSERT INTO ownership (id, tenant_id, customer_id, owner_id, owner_department_id, pool_id, started_at,
                started_on, start_kind, operator_id)
            SELECT $7, $1, $3, $2, $4, taken.pool_id, $5, $6, 'claim', $8 FROM taken
        ), counted AS (
            INSERT INTO claim_count AS n (id, tenant_id, pool_id, employee_id, counted_on, claims)
            SELECT $9, $1, taken.pool_id, $2, $6, 1 FROM taken
            ON CONFLICT (tenant_id, pool_id, employee_id, counted_on)
            DO UPDATE SET claims = n.claims + 1 WHERE n.claims < $10 RETURNING n.claims
        )
        SELECT (SELECT count(*) FROM taken) AS taken, (SELECT count(*) FROM counted) AS counted
        """,
        actor.tenant_id,
        actor.employee_id,
        target.customer_id,
        target.claimant_department_id,
        now,
        today,
        new_id(),
        actor.account_id,
        new_id(),
        target.pool.claim_limit,
    )
    assert row is not None, "the outer SELECT gives one row"
    if not row["taken"]:
        raise CustomerAlreadyOwned("customers.already_owned").at("input", "customerId")
    if not row["counted"]:
        raise claim_limit_reached(target.pool, today=today).at("input", "customerId")


async def release_customer(
    actor: Actor, *, customer_id: UUID, reason: str, access: AccessTable, time_zone: str, clock: Clock
) -> UUID:
    """Give a customer back to its pool. The claim is not given back (L01); the cooldown begins today (P34).

    :raises CustomerNotFound: missing, another company's, or not visible.
    :raises NotTheOwner: somebody else, or nobody, owns it.
    """
    now = clock.now()
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX:
        raise BadUserInput("customers.reason_needed", {"longest": REASON_MAX}).at("input", "reason")
    await get_visible_customer(actor, access, customer_id=customer_id)
    released = await current_transaction().execute(
        """
        WITH released AS (
            UPDATE customer SET owner_id = NULL, owner_department_id = NULL, status = 'pooled', received_on = NULL,
                version = version + 1
            WHERE tenant_id = $1 AND id = $3 AND owner_id = $2 RETURNING id
        )
        UPDATE ownership o SET ended_at = $4, ended_on = $5, end_kind = 'release', reason = $6
        FROM released WHERE o.tenant_id = $1 AND o.customer_id = released.id AND o.ended_at IS NULL
        """,
        actor.tenant_id,
        actor.employee_id,
        customer_id,
        now,
        local_date(now, time_zone),
        reason,
    )
    if not released:
        raise NotTheOwner("customers.not_the_owner").at("input", "customerId")
    await record(actor, "customer.released", object_type="Customer", object_id=customer_id, reason=reason, clock=clock)
    await emit(CUSTOMER_RELEASED, {"customer_id": str(customer_id), "owner_id": str(actor.employee_id)})
    return customer_id


async def note_follow_up(customer_id: UUID, *, occurred_at: datetime) -> None:
    """Keep the instant of the last follow-up beside the customer; an older one changes nothing."""
    await current_transaction().execute(
        "UPDATE customer SET last_follow_up_at = greatest(coalesce(last_follow_up_at, $2), $2) WHERE id = $1",
        customer_id,
        occurred_at,
    )
