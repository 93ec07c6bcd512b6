"""Claims: all that one is asked, then one conditional statement with all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from saas.access import AccessTable
from saas.audit import ENTRY_VALUES, entry_values, insert_entry_sql
from saas.customers.actions.ledger import claimed_line, tell_readers_after_commit
from saas.customers.claim_queries import ClaimFindings, ClaimTarget, find_claim_target, judged_claim
from saas.customers.errors import (
    ClaimantNotOnStaff,
    CustomerAlreadyOwned,
    PoolBeingAllocated,
)
from saas.customers.events import CUSTOMER_CLAIMED
from saas.customers.hooks import ClaimFacts
from saas.customers.ledger import LEDGER, WrittenLine, packed
from saas.customers.rules import (
    PoolRules,
    claim_limit_reached,
    may_claim,
)
from saas.customers.settings import Due, due_of_new_holding
from saas.events import event_values, insert_event_sql, ring_after_commit
from saas.kernel import Actor, Clock, RuleRefused, local_date, new_id
from tenants import (
    current_tenant_id,
    current_transaction,
)

ClaimGuard = Callable[[ClaimFacts], None]
"""Asks the company's plugins whether the claim may be, and raises RuleRefused where one says no (`refuse_by_plugins`
with the host and the plugins of the company filled in). Pure, so it is called inside the transaction."""


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
    found, limit = claim.found, claim.limit
    target, due = found.target, _due(found, today=today, time_zone=time_zone)
    line = claimed_line(actor, target, settings_version=found.settings_version, at=now, on=today)
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
        *_told(actor, target, line, by=by, clock=clock),
    )
    assert row is not None, "a SELECT without FROM gives one row"
    if not row["is_taken"]:
        raise CustomerAlreadyOwned("customers.already_owned").at("input", "customer")
    if not row["is_counted"]:
        assert limit is not None, "without a limit every claim counts"
        raise claim_limit_reached(claim.pool, limit, today=today).at("input", "customer")
    ring_after_commit()
    tell_readers_after_commit()


def _due(found: ClaimFindings, *, today: date, time_zone: str) -> Due:
    """When the customer goes back, were nothing done for it; it is received today."""
    target = found.target
    return due_of_new_holding(
        found.settings,
        received_on=today,
        last_deal_on=target.last_deal_on,
        level=target.level,
        contract_ended_on=target.contract_ends_on,
        declined_on=target.declined_on,
        created_on=local_date(target.created_at, time_zone),
    )


def _told(actor: Actor, target: ClaimTarget, line: WrittenLine, *, by: Actor, clock: Clock) -> tuple[object, ...]:
    """The values of the entry in the trail, bound to the ledger's line, and of the event."""
    owner = str(actor.employee_id)
    entry = entry_values(
        by,
        "customer.claimed",
        object_type="Customer",
        object_id=target.customer_id,
        changes={"owner": [None, owner], LEDGER: [None, packed([line])]},
        clock=clock,
    )
    event = event_values(CUSTOMER_CLAIMED, {"customer_id": str(target.customer_id), "owner_id": owner})
    return (*entry, *event)
