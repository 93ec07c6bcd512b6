"""Customers are entered, with their ownership where somebody keeps them; and what the row keeps of follow-ups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from saas.audit import record
from saas.customers.actions.duplicates import check_duplicate
from saas.customers.errors import (
    CustomerExists,
)
from saas.customers.events import CUSTOMER_CREATED
from saas.customers.moments import refuse_one_more
from saas.customers.queries import (
    Pool,
    count_customers,
    default_pool,
    lock_and_count_holding,
)
from saas.customers.rules import (
    NewCustomer,
    match_key,
)
from saas.customers.settings import Due, due_of_new_holding
from saas.events import emit
from saas.kernel import Actor, Clock, local_date, new_id
from saas.people import SealedPhone, name_key, seal_phone
from saas.sealing import Keyring
from tenants import (
    QuotaKind,
    check_quota,
    current_tenant_id,
    current_transaction,
    find_quota,
    lock_quota,
)


class Entered(NamedTuple):
    """A new customer, and what the duplicate check warned of."""

    customer_id: UUID
    warning: CustomerExists | None


async def create_customer(
    actor: Actor, new: NewCustomer, *, keep: bool, keyring: Keyring, time_zone: str, clock: Clock
) -> Entered:
    """A new customer: the caller's own (`keep`), or in the default pool.

    :raises BadUserInput: a value that can't be stored.
    :raises CustomerExists: one with the same name, phone number or external key is there (P38).
    :raises DuplicateChecksUsedUp: the caller was told so too often today.
    :raises TenantQuotaExceeded: the company's plan holds no more customers.
    :raises ClaimantNotOnStaff, HoldingLimitReached: `keep`, and the caller may not hold one more (P09).
    """
    new, customer_id, now = new.cleaned(), new_id(), clock.now()
    today = local_date(now, time_zone)
    phone = seal_phone(new.phone, keyring=keyring, table="customer", row_id=customer_id) if new.phone else None
    pool = await default_pool()
    warning = await check_duplicate(actor, new, phone, pool.settings, today=today, clock=clock)
    await _refuse_past_quota()
    kept = await _kept(actor, pool, new.level, now=now, today=today) if keep else None
    await _insert_customer(customer_id, pool.id, new, phone, kept, created_at=now)
    if kept:
        await _open_ownership(actor, customer_id, pool.id, kept)
    owner = str(kept.owner_id) if kept else None
    await record(
        actor,
        "customer.created",
        object_type="Customer",
        object_id=customer_id,
        changes={"name": [None, new.name], "owner": [None, owner]},
        clock=clock,
    )
    await emit(CUSTOMER_CREATED, {"customer_id": str(customer_id), "owner_id": owner})
    return Entered(customer_id, warning)


async def _refuse_past_quota() -> None:
    """Where the plan limits customers, those who enter one follow each other; elsewhere nobody waits or counts."""
    if await find_quota(QuotaKind.CUSTOMERS) is None:
        return
    await lock_quota(QuotaKind.CUSTOMERS)
    await check_quota(QuotaKind.CUSTOMERS, used=await count_customers())


@dataclass(frozen=True, slots=True)
class _Kept:
    owner_id: UUID
    department_id: UUID
    at: datetime
    on: date
    due: Due
    settings_version: int


async def _kept(actor: Actor, pool: Pool, level: str | None, *, now: datetime, today: date) -> _Kept:
    """A customer entered for oneself is one more to hold, like a claimed one: no way round the limit (L17)."""
    department_id, holding = await lock_and_count_holding(actor, pool, today=today)
    assert actor.employee_id is not None, "lock_and_count_holding refuses people who are not on the staff"
    refusal = await refuse_one_more(pool, holding, employee_id=actor.employee_id, department_id=department_id)
    if refusal is not None:
        raise refusal
    due = due_of_new_holding(
        pool.settings, received_on=today, last_deal_on=None, level=level, created_on=today, start_kind="created"
    )
    return _Kept(actor.employee_id, department_id, now, today, due, pool.settings_version)


async def _insert_customer(
    customer_id: UUID,
    pool_id: UUID,
    new: NewCustomer,
    phone: SealedPhone | None,
    kept: _Kept | None,
    *,
    created_at: datetime,
) -> None:
    await current_transaction().execute(
        """
        INSERT INTO customer (tenant_id, id, pool_id, name, name_key, match_key, short_name, industry, level, source,
            district_code, district_name, contact_name, phone_sealed, phone_masked, phone_index, external_system,
            external_key, created_at, owner_id, owner_department_id, received_on, due_on, due_rule, settings_version,
            language, required_skill, wanted_product, status)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $28, CASE WHEN $20::uuid IS NULL THEN 'pooled' ELSE 'owned' END)
        """,
        current_tenant_id(),
        customer_id,
        pool_id,
        new.name,
        name_key(new.name),
        match_key(new.name),
        new.short_name,
        new.industry,
        new.level,
        new.source,
        new.district_code,
        new.district_name,
        new.contact_name,
        *(phone.columns() if phone else (None, None, None)),
        new.external_system,
        new.external_key,
        created_at,
        *_held_values(kept),
        new.language,
        new.required_skill,
        new.wanted_product,
    )


def _held_values(kept: _Kept | None) -> tuple[object, ...]:
    """What the row of an owned customer has and that of a pooled one has not."""
    if kept is None:
        return (None,) * 6
    due = kept.due
    return kept.owner_id, kept.department_id, kept.on, due.on, due.rule, kept.settings_version


async def _open_ownership(actor: Actor, customer_id: UUID, pool_id: UUID, kept: _Kept) -> None:
    await current_transaction().execute(
        """
        INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at,
            started_on, start_kind, operator_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'created', $9)
        """,
        current_tenant_id(),
        new_id(),
        customer_id,
        kept.owner_id,
        kept.department_id,
        pool_id,
        kept.at,
        kept.on,
        actor.account_id,
    )


async def note_follow_up(customer_id: UUID, *, owner_id: UUID, occurred_at: datetime) -> bool:
    """Keep the instant of the last follow-up beside the customer; an older one changes nothing.

    False, and nothing written, where `owner_id` does not own the customer (any more).
    """
    noted = await current_transaction().execute(
        """
        UPDATE customer SET last_follow_up_at = greatest(last_follow_up_at, $4)
        WHERE tenant_id = $1 AND id = $2 AND owner_id = $3
        """,
        current_tenant_id(),
        customer_id,
        owner_id,
        occurred_at,
    )
    return noted == 1
