"""Customers: create and claim; each with its ownership row, audit entry and event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from saas.access import AccessTable
from saas.audit import ENTRY_VALUES, entry_values, insert_entry_sql, record
from saas.customers.actions.duplicates import check_duplicate
from saas.customers.actions.ledger import claimed_line, tell_readers_after_commit
from saas.customers.claim_queries import ClaimFindings, ClaimTarget, find_claim_target, judged_claim
from saas.customers.errors import (
    ClaimantNotOnStaff,
    CustomerAlreadyOwned,
    CustomerExists,
    PoolBeingAllocated,
)
from saas.customers.events import CUSTOMER_CLAIMED, CUSTOMER_CREATED
from saas.customers.hooks import ClaimFacts
from saas.customers.ledger import LEDGER, packed
from saas.customers.moments import refuse_one_more
from saas.customers.queries import (
    Pool,
    count_customers,
    default_pool,
    lock_and_count_holding,
)
from saas.customers.rules import (
    NewCustomer,
    PoolRules,
    claim_limit_reached,
    match_key,
    may_claim,
)
from saas.customers.settings import Due, due_of_new_holding
from saas.events import emit, event_values, insert_event_sql, ring_after_commit
from saas.kernel import Actor, Clock, RuleRefused, local_date, new_id
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

ClaimGuard = Callable[[ClaimFacts], None]
"""Asks the company's plugins whether the claim may be, and raises RuleRefused where one says no (`refuse_by_plugins`
with the host and the plugins of the company filled in). Pure, so it is called inside the transaction."""


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


async def claim_customer(
    actor: Actor, *, customer_id: UUID, access: AccessTable, guard: ClaimGuard, time_zone: str, clock: Clock
) -> UUID:
    """Take a customer out of the pool for oneself: one statement that finds out, one that writes.

    :raises CustomerNotFound: missing, another company's, or not visible.
    :raises CustomerAlreadyOwned: somebody was first; of any number at once exactly one wins (P51).
    :raises PoolBeingAllocated: a job gives many customers of the pool, which takes a minute; nobody waits for it.
    :raises ClaimantNotOnStaff: the caller is not on the staff.
    :raises PoolDisabled, NotAPoolMember, WayClosed: it is not for the caller to claim from the pool (P01, P03, P04).
    :raises FairWindowRuns, CooldownRunning, ClaimLimitReached, ClaimTooSoon, BacklogFull, HoldingLimitReached: the
        pool's rules (P35, P34, P05, P08, P12, P09).
    :raises ApprovalNeeded: claims from the pool are asked for (P49).
    :raises RuleRefused: a plugin's rule.
    """
    now = clock.now()
    claim = await check_claim(actor, customer_id=customer_id, access=access, guard=guard, now=now, time_zone=time_zone)
    today = local_date(now, time_zone)
    await take(actor, claim, by=actor, now=now, today=today, time_zone=time_zone, clock=clock)
    return customer_id


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim that nothing speaks against, its claimant's row locked until the transaction ends.

    `limit` is that of the claims of a day, None for none and for who is exempt; `needs_approval` is false for those
    as well.
    """

    found: ClaimFindings
    pool: PoolRules
    limit: int | None
    needs_approval: bool


async def check_claim(
    actor: Actor,
    *,
    customer_id: UUID,
    access: AccessTable,
    guard: ClaimGuard,
    now: datetime,
    time_zone: str,
    is_approved: bool = False,
) -> CheckedClaim:
    """All that a claim by the actor is asked, before it takes the customer; `is_approved` passes approval alone (P49).

    Raises as `claim_customer`.
    """
    today = local_date(now, time_zone)
    found = await find_claim_target(actor, access, customer_id=customer_id, today=today)
    if found.situation.is_pooled and found.is_pool_busy:
        values = {"pool": found.pool_name}
        raise PoolBeingAllocated("customers.pool_being_allocated", values).at("input", "customer")
    if found.situation.is_pooled and found.target.claimant_department_id is None:
        raise ClaimantNotOnStaff("customers.claimant_not_on_staff")
    situation, pool = await judged_claim(actor, found, access, now=now, time_zone=time_zone)
    refusal = may_claim(replace(situation, is_approved=is_approved), pool, today=today)
    if refusal is not None:
        raise refusal.at("input", "customer")
    _ask_guard(actor, found.target, guard, today=today)
    limit = None if situation.is_exempt else pool.claim_limit
    return CheckedClaim(found, pool, limit, pool.rare.needs_approval and not situation.is_exempt)


def _ask_guard(actor: Actor, target: ClaimTarget, guard: ClaimGuard, *, today: date) -> None:
    assert actor.employee_id is not None, "who has a department here is on the staff"
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
    try:
        guard(facts)
    except RuleRefused as refusal:
        raise refusal.at("input", "customer") from None


_OWN_VALUES = 14
_TAKE = f"""
WITH taken AS (
    UPDATE customer SET owner_id = $2, owner_department_id = $4, status = 'owned', received_on = $6, due_on = $11,
        due_rule = $12, settings_version = $13, effective_follow_up_on = NULL, version = version + 1
    WHERE tenant_id = $1 AND id = $3 AND owner_id IS NULL AND version = $9 RETURNING pool_id
), opened AS (
    INSERT INTO ownership (id, tenant_id, customer_id, owner_id, owner_department_id, pool_id, started_at,
        started_on, start_kind, operator_id)
    SELECT $7, $1, $3, $2, $4, taken.pool_id, $5, $6, 'claim', $8 FROM taken
), published AS (
    INSERT INTO pool_event (tenant_id, id, pool_id, customer_id, kind, employee_id, operator_id, happened_at,
        happened_on, settings_version)
    SELECT $1, $14, taken.pool_id, $3, 'claimed', $2, $8, $5, $6, $13 FROM taken
), counted AS (
    INSERT INTO claim_count AS n (tenant_id, pool_id, employee_id, counted_on, claims)
    SELECT $1, taken.pool_id, $2, $6, 1 FROM taken
    ON CONFLICT (tenant_id, pool_id, employee_id, counted_on)
    DO UPDATE SET claims = n.claims + 1 WHERE $10::int IS NULL OR n.claims < $10 RETURNING n.claims
), audited AS (
    {insert_entry_sql(first_parameter=_OWN_VALUES + 1, source="taken")}
), told AS (
    {insert_event_sql(first_parameter=_OWN_VALUES + 1 + ENTRY_VALUES, source="taken")}
)
SELECT EXISTS (SELECT FROM taken) AS is_taken, EXISTS (SELECT FROM counted) AS is_counted
"""
"""The conditional update with all that belongs to it, in one round trip: all of it or nothing.

`version` closes the way by which the caller's own claim and release in between would escape the cooldown.
"""


async def take(
    actor: Actor,
    claim: CheckedClaim,
    *,
    by: Actor,
    now: datetime,
    today: date,
    time_zone: str,
    clock: Clock,
) -> None:
    """Take the customer of a checked claim for the actor; the trail names `by`, who is another where it was asked for.

    :raises CustomerAlreadyOwned: somebody was first.
    :raises ClaimLimitReached: the claims of the day were used up meanwhile.
    """
    found, pool, limit = claim.found, claim.pool, claim.limit
    target, owner = found.target, str(actor.employee_id)
    due = due_of_new_holding(
        found.settings,
        received_on=today,
        last_deal_on=target.last_deal_on,
        level=target.level,
        contract_ended_on=target.contract_ends_on,
        declined_on=target.declined_on,
        created_on=local_date(target.created_at, time_zone),
    )
    line = claimed_line(actor, target, settings_version=found.settings_version, at=now, on=today)
    entry = entry_values(
        by,
        "customer.claimed",
        object_type="Customer",
        object_id=target.customer_id,
        changes={"owner": [None, owner], LEDGER: [None, packed([line])]},
        clock=clock,
    )
    event = event_values(CUSTOMER_CLAIMED, {"customer_id": str(target.customer_id), "owner_id": owner})
    row = await current_transaction().fetchrow(
        _TAKE,
        current_tenant_id(),
        actor.employee_id,
        target.customer_id,
        target.claimant_department_id,
        now,
        today,
        new_id(),
        actor.account_id,
        target.version,
        limit,
        due.on,
        due.rule,
        found.settings_version,
        line.id,
        *entry,
        *event,
    )
    assert row is not None, "a SELECT without FROM gives one row"
    if not row["is_taken"]:
        raise CustomerAlreadyOwned("customers.already_owned").at("input", "customer")
    if not row["is_counted"]:
        assert limit is not None, "without a limit every claim counts"
        raise claim_limit_reached(pool, limit, today=today).at("input", "customer")
    ring_after_commit()
    tell_readers_after_commit()


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
