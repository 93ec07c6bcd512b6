"""Customers change hands: assigned by an administrator, or transferred from owner to owner.

The order of locks is that of claims: the person who receives, then the customer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from saas.access import AccessTable
from saas.audit import record
from saas.customers.actions.due_dates import ActivitySource, settle_due
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.actions.reasons import checked_reason
from saas.customers.administrators import require_administrator
from saas.customers.errors import (
    ApprovalNeeded,
    AssigneeNotOnStaff,
    CustomerAlreadyOwned,
    CustomerNotOwned,
    WayClosed,
)
from saas.customers.events import CUSTOMER_ASSIGNED, CUSTOMER_TRANSFERRED
from saas.customers.moments import judged_more
from saas.customers.queries import POOL_SETTINGS, get_visible_customer
from saas.customers.rules import ClaimSituation, PoolRules, may_hold_one_more, may_own_again, may_take
from saas.customers.settings import PoolSettings, due_of_new_holding, settings_in_force
from saas.events import emit
from saas.kernel import Actor, AppError, Clock, local_date, new_id
from saas.people import is_same_person_sql
from tenants import current_tenant_id, current_transaction

_LOCK = f"""
SELECT c.owner_id, c.created_at, c.last_deal_on, c.contract_ends_on, c.declined_on, c.level, p.id AS pool_id,
       p.name AS pool_name, {POOL_SETTINGS},
       (SELECT max(o.ended_on) FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = c.id
        AND {is_same_person_sql(record="o.owner_id", employee="$3")}) AS last_ended_on
FROM customer c JOIN customer_pool p ON p.tenant_id = c.tenant_id AND p.id = c.pool_id
WHERE c.tenant_id = $1 AND c.id = $2 FOR NO KEY UPDATE OF c
"""
_LOAD = """
SELECT l.department, l.claims, l.holding FROM customer c
JOIN customer_pool p ON p.tenant_id = $1 AND p.id = c.pool_id
CROSS JOIN LATERAL claimant_load($1, $2, p.id, $4, p.holding_rules) l
WHERE c.tenant_id = $1 AND c.id = $3
"""
_GIVE = """
WITH given AS (
    UPDATE customer SET owner_id = $3, owner_department_id = $4, status = 'owned', received_on = $6, due_on = $8,
        due_rule = $9, settings_version = $10, earlier_version = NULL, effective_follow_up_on = NULL,
        version = version + 1
    WHERE tenant_id = $1 AND id = $2 RETURNING pool_id
)
INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    start_kind, operator_id)
SELECT $1, $11, $2, $3, $4, given.pool_id, $5, $6, $12, $7 FROM given
"""
_COUNT = """
INSERT INTO claim_count AS n (tenant_id, pool_id, employee_id, counted_on, claims) VALUES ($1, $2, $3, $4, 1)
ON CONFLICT (tenant_id, pool_id, employee_id, counted_on) DO UPDATE SET claims = n.claims + 1
"""
_END = """
UPDATE ownership SET ended_at = $3, ended_on = $4, end_kind = 'transfer', reason = $5
WHERE tenant_id = $1 AND customer_id = $2 AND ended_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Handover:
    """What is known once the receiving person and the customer are locked."""

    customer_id: UUID
    owner_id: UUID | None
    department_id: UUID
    pool_id: UUID
    pool: PoolRules
    settings: PoolSettings
    settings_version: int
    created_on: date
    last_deal_on: date | None
    contract_ends_on: date | None
    declined_on: date | None
    level: str | None
    situation: ClaimSituation


async def _locked(customer_id: UUID, employee_id: UUID, now: datetime, time_zone: str) -> Handover:
    """The receiving person first, then the customer, as claims lock them.

    :raises AssigneeNotOnStaff: the person is not on the staff of this company.
    """
    transaction, tenant_id, today = current_transaction(), current_tenant_id(), local_date(now, time_zone)
    load = await transaction.fetchrow(_LOAD, tenant_id, employee_id, customer_id, today)
    if load is None or load["department"] is None:
        raise AssigneeNotOnStaff("customers.assignee_not_on_staff").at("input", "employee")
    row = await transaction.fetchrow(_LOCK, tenant_id, customer_id, employee_id)
    assert row is not None, "the caller has seen the customer, and customers are never deleted"
    settings = settings_in_force(row)
    situation, pool = await judged_more(
        ClaimSituation(
            is_pooled=row["owner_id"] is None,
            claims_today=load["claims"],
            holding=load["holding"],
            last_ended_on=row["last_ended_on"],
        ),
        settings,
        pool_name=row["pool_name"],
        customer_id=customer_id,
        claimant_id=employee_id,
        department_id=load["department"],
        now=now,
        time_zone=time_zone,
    )
    return Handover(
        customer_id=customer_id,
        owner_id=row["owner_id"],
        department_id=load["department"],
        pool_id=row["pool_id"],
        pool=pool,
        settings=settings,
        settings_version=row["settings_version"],
        created_on=local_date(row["created_at"], time_zone),
        last_deal_on=row["last_deal_on"],
        contract_ends_on=row["contract_ends_on"],
        declined_on=row["declined_on"],
        level=row["level"],
        situation=situation,
    )


async def assign_customer(
    actor: Actor,
    *,
    customer_id: UUID,
    employee_id: UUID,
    reason: str,
    access: AccessTable,
    time_zone: str,
    clock: Clock,
) -> UUID:
    """Give a pooled customer to somebody (permission ``customer:assign``).

    It never counts as the other person's claim, and passes the cooldown where the pool's settings say so (P07, L27).
    Whoever assigns to themselves claims: the claim counts, and the cooldown runs (L26).

    :raises BadUserInput: no reason is given, or too long a one.
    :raises CustomerNotFound: missing, another company's, or not visible.
    :raises AssigneeNotOnStaff: the person is not on the staff of this company.
    :raises NotAPoolAdministrator: the pool names others who administer it (P01).
    :raises CustomerAlreadyOwned: somebody owns it.
    :raises WayClosed: the pool has no assignments (P04).
    :raises ApprovalNeeded: assignments from the pool are asked for; one's own is where claims are (P49).
    :raises HoldingLimitReached, CooldownRunning, ClaimLimitReached: the pool's rules (P09, P34, P05).
    """
    now, reason = clock.now(), checked_reason(reason)
    await get_visible_customer(actor, access, customer_id=customer_id)
    found = await check_assignment(
        actor, customer_id=customer_id, employee_id=employee_id, now=now, time_zone=time_zone
    )
    if employee_id == actor.employee_id:
        values = (found.pool_id, employee_id, local_date(now, time_zone))
        await current_transaction().execute(_COUNT, current_tenant_id(), *values)
    await assign_checked(actor, found, employee_id, reason=reason, now=now, time_zone=time_zone, clock=clock)
    return customer_id


async def check_assignment(
    actor: Actor, *, customer_id: UUID, employee_id: UUID, now: datetime, time_zone: str, is_approved: bool = False
) -> Handover:
    """All that an assignment by the actor is asked, the person's row and the customer's locked from then on.

    `is_approved` passes approval alone (P49). Raises as `assign_customer`.
    """
    found = await _locked(customer_id, employee_id, now, time_zone)
    await require_administrator(actor, found.pool_id, place=("input", "customer"))
    is_own, today = employee_id == actor.employee_id, local_date(now, time_zone)
    _refuse_assignment(found, is_own=is_own, is_approved=is_approved, today=today)
    return found


async def assign_checked(
    actor: Actor, found: Handover, employee_id: UUID, *, reason: str, now: datetime, time_zone: str, clock: Clock
) -> None:
    """Give the customer of a checked assignment to the person, with ledger line, audit entry and event."""
    customer_id, today = found.customer_id, local_date(now, time_zone)
    await _give(actor, found, employee_id, "assign", now, today)
    line = LedgerLine(
        "assigned",
        found.pool_id,
        customer_id,
        employee_id=employee_id,
        reason=reason,
        settings_version=found.settings_version,
    )
    await write_ledger(actor, [line], at=now, on=today)
    owner = str(employee_id)
    await record_owner(actor, "customer.assigned", customer_id, None, owner, reason, clock)
    await emit(CUSTOMER_ASSIGNED, {"customer_id": str(customer_id), "owner_id": owner})


def _refuse_assignment(found: Handover, *, is_own: bool, is_approved: bool, today: date) -> None:
    situation, pool = found.situation, found.pool
    if not situation.is_pooled:
        raise CustomerAlreadyOwned("customers.already_owned").at("input", "customer")
    if not found.settings.allows_assignments:
        refusal: AppError | None = WayClosed("customers.assignments_closed", {"pool": pool.name})
    elif not is_approved and _needs_approval(found.settings, is_own=is_own):
        refusal = ApprovalNeeded("customers.assignment_needs_approval", {"pool": pool.name})
    elif is_own:
        refusal = may_take(replace(situation, is_exempt=found.settings.admins_claim_freely), pool, today=today)
    else:
        passes = found.settings.assign_ignores_cooldown
        cooling = None if passes else may_own_again(situation, pool, today=today)
        refusal = cooling or _may_hold_one_more(found)
    if refusal is not None:
        raise refusal.at("input", "customer")


def _needs_approval(settings: PoolSettings, *, is_own: bool) -> bool:
    """Whoever assigns to themselves claims: that way round the approval of claims is none (L26, P49)."""
    claims = settings.claims_need_approval and not settings.admins_claim_freely
    return settings.assignments_need_approval or (is_own and claims)


def _may_hold_one_more(found: Handover) -> AppError | None:
    moment = found.situation.moment
    return may_hold_one_more(found.situation.holding, found.pool, moment.departments if moment else ())


async def transfer_customer(
    actor: Actor,
    *,
    customer_id: UUID,
    employee_id: UUID,
    reason: str,
    access: AccessTable,
    activity: ActivitySource,
    time_zone: str,
    clock: Clock,
) -> UUID:
    """Hand a customer over to another owner (permission ``customer:transfer``); the holding limit is theirs too (3.2).

    Within a team the clock runs on, where the pool's settings say so; so passing it to and fro gains nothing (L09).

    :raises BadUserInput: no reason is given, or too long a one.
    :raises CustomerNotFound: missing, another company's, or not visible.
    :raises AssigneeNotOnStaff: the person is not on the staff of this company.
    :raises CustomerNotOwned: it is in the pool, or the person owns it already.
    :raises HoldingLimitReached: the person holds as many as the pool allows (P09).
    """
    now, reason = clock.now(), checked_reason(reason)
    today = local_date(now, time_zone)
    await get_visible_customer(actor, access, customer_id=customer_id)
    found = await _locked(customer_id, employee_id, now, time_zone)
    if found.owner_id is None:
        raise CustomerNotOwned("customers.transfer_of_pooled").at("input", "customer")
    if found.owner_id == employee_id:
        raise CustomerNotOwned("customers.transfer_to_owner").at("input", "employee")
    refusal = _may_hold_one_more(found)
    if refusal is not None:
        raise refusal.at("input", "employee")
    await current_transaction().execute(_END, current_tenant_id(), customer_id, now, today, reason)
    await _give(actor, found, employee_id, "transfer", now, today)
    await settle_due([customer_id], activity=activity, time_zone=time_zone, today=today)
    line = LedgerLine(
        "transferred",
        found.pool_id,
        customer_id,
        employee_id=employee_id,
        former_owner_id=found.owner_id,
        reason=reason,
    )
    await write_ledger(actor, [line], at=now, on=today)
    before, after = str(found.owner_id), str(employee_id)
    await record_owner(actor, "customer.transferred", customer_id, before, after, reason, clock)
    await emit(CUSTOMER_TRANSFERRED, {"customer_id": str(customer_id), "from_id": before, "owner_id": after})
    return customer_id


async def _give(actor: Actor, found: Handover, employee_id: UUID, kind: str, now: datetime, today: date) -> None:
    due = due_of_new_holding(
        found.settings,
        received_on=today,
        last_deal_on=found.last_deal_on,
        level=found.level,
        contract_ended_on=found.contract_ends_on,
        declined_on=found.declined_on,
        created_on=found.created_on,
        start_kind=kind,
    )
    await current_transaction().execute(
        _GIVE,
        current_tenant_id(),
        found.customer_id,
        employee_id,
        found.department_id,
        now,
        today,
        actor.account_id,
        due.on,
        due.rule,
        found.settings_version,
        new_id(),
        kind,
    )


async def record_owner(
    actor: Actor, action: str, customer_id: UUID, before: str | None, after: str | None, reason: str, clock: Clock
) -> None:
    """Who owned the customer before and who does now, in the trail; None: nobody."""
    await record(
        actor,
        action,
        object_type="Customer",
        object_id=customer_id,
        changes={"owner": [before, after]},
        reason=reason,
        clock=clock,
    )
