"""From a calculated settlement to a locked one: reviewed, approved by somebody else, closed once; or taken away."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from saas.audit import record
from saas.events import emit
from saas.incentives.actions.plans import REASON_MAX, is_same_person
from saas.incentives.actions.settlement_rows import delete_draft
from saas.incentives.errors import (
    NeedsSomebodyElse,
    PeriodRefused,
    ResultChanged,
    SettlementNotFound,
    SettlementStanding,
)
from saas.incentives.events import SETTLEMENT_APPROVED, SETTLEMENT_LOCKED
from saas.incentives.rules.settling import check_totals
from saas.kernel import Actor, Clock, Money, Scalar
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

_LOCK = """
SELECT s.id, s.plan_id, s.state, s.plan_hash, s.calculator_account_id, s.calculator_id, p.currency
FROM settlement s JOIN incentive_plan p ON p.tenant_id = s.tenant_id AND p.id = s.plan_id
WHERE s.tenant_id = $1 AND s.id = $2 FOR UPDATE OF s
"""
_ALONE = """
SELECT EXISTS (SELECT FROM incentive_plan_version
    WHERE tenant_id = $1 AND plan_id = $2 AND state = 'published'
      AND (author_account_id = $3 OR author_id = $4) AND (publisher_account_id = $3 OR publisher_id = $4))
"""
_MOVE = "UPDATE settlement SET state = $3 WHERE tenant_id = $1 AND id = $2"
_APPROVE = """
UPDATE settlement SET state = 'approved', approved_at = $3, approver_account_id = $4, approver_id = $5
WHERE tenant_id = $1 AND id = $2
"""
_CLOSE = "UPDATE settlement SET state = 'locked', locked_at = $3 WHERE tenant_id = $1 AND id = $2"
_LINES = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM accrual WHERE tenant_id = $1 AND settlement_id = $2"
_AMOUNTS = ("earned_sealed", "brought_sealed", "payable_sealed", "carried_sealed")
_STATEMENTS = f"SELECT id, {', '.join(_AMOUNTS)} FROM settlement_line WHERE tenant_id = $1 AND settlement_id = $2"


@dataclass(frozen=True, slots=True)
class _Locked:
    """A settlement, locked for this transaction."""

    id: UUID
    plan_id: UUID
    state: str
    plan_hash: str | None
    calculator_account_id: UUID
    calculator_id: UUID | None
    currency: str


async def _lock(settlement_id: UUID) -> _Locked:
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), settlement_id)
    if row is None:
        raise SettlementNotFound("incentives.settlement_not_found", field=("settlement",))
    return _Locked(*row)


def _require(settlement: _Locked, state: str, plan_hash: str) -> None:
    if settlement.state != state:
        raise SettlementStanding("incentives.settlement_is", {"state": settlement.state}, field=("settlement",))
    if settlement.plan_hash != plan_hash:
        values: dict[str, Scalar] = {"expected": plan_hash, "actual": settlement.plan_hash}
        raise ResultChanged("incentives.result_changed", values, field=("planHash",))


async def submit_settlement(actor: Actor, *, settlement_id: UUID, plan_hash: str, clock: Clock) -> UUID:
    """Hand a calculated settlement to whoever reviews it.

    :raises SettlementNotFound: there is none such.
    :raises SettlementStanding: it is not just calculated.
    :raises ResultChanged: it was calculated anew.
    """
    _require(await _lock(settlement_id), "calculated", plan_hash)
    await current_transaction().execute(_MOVE, current_tenant_id(), settlement_id, "in_review")
    await _tell(actor, "settlement.submitted", settlement_id, ("calculated", "in_review"), clock=clock)
    return settlement_id


async def approve_settlement(
    actor: Actor, *, settlement_id: UUID, plan_hash: str, keyring: Keyring, clock: Clock
) -> UUID:
    """Approve a settlement in review; totals are checked to the fen.

    Two people stand behind what is paid: whoever calculated it can't approve it, nor whoever wrote and published a
    version of its plan alone.

    Facts that arrived since don't stand in the way: they come as adjustments in the next period.

    :raises SettlementNotFound: there is none such.
    :raises SettlementStanding: it is not in review.
    :raises ResultChanged: it was calculated anew.
    :raises NeedsSomebodyElse: the caller calculated it, or put the plan in force alone.
    :raises SettlementRefused: its statements are not its lines.
    """
    settlement = await _lock(settlement_id)
    _require(settlement, "in_review", plan_hash)
    if is_same_person(actor, settlement.calculator_account_id, settlement.calculator_id):
        raise NeedsSomebodyElse("incentives.calculator_approves")
    if await current_transaction().fetchval(
        _ALONE, current_tenant_id(), settlement.plan_id, actor.account_id, actor.employee_id
    ):
        raise NeedsSomebodyElse("incentives.planner_approves")
    await _check_totals(settlement, keyring)
    await current_transaction().execute(
        _APPROVE, current_tenant_id(), settlement_id, clock.now(), actor.account_id, actor.employee_id
    )
    await _tell(actor, "settlement.approved", settlement_id, ("in_review", "approved"), clock=clock)
    await emit(SETTLEMENT_APPROVED, {"settlement_id": str(settlement_id)})
    return settlement_id


async def _check_totals(settlement: _Locked, keyring: Keyring) -> None:
    lines = await current_transaction().fetchval(_LINES, current_tenant_id(), settlement.id)
    rows = await current_transaction().fetch(_STATEMENTS, current_tenant_id(), settlement.id)
    opened = []
    for row in rows:
        earned, brought, payable, carried = (
            Decimal(keyring.open(Place("settlement_line", column, row["id"]), row[column])) for column in _AMOUNTS
        )
        opened.append((earned, brought, payable, carried))
    check_totals(Money.of_minor(lines, settlement.currency).amount, opened)


async def lock_settlement(actor: Actor, *, settlement_id: UUID, plan_hash: str, clock: Clock) -> UUID:
    """Close an approved settlement for good (封账): its people see their statements, payroll may pay them.

    :raises SettlementNotFound: there is none such.
    :raises SettlementStanding: it is not approved; of several at once one closes it.
    :raises ResultChanged: it is another result.
    """
    _require(await _lock(settlement_id), "approved", plan_hash)
    await current_transaction().execute(_CLOSE, current_tenant_id(), settlement_id, clock.now())
    await _tell(actor, "settlement.locked", settlement_id, ("approved", "locked"), clock=clock)
    await emit(SETTLEMENT_LOCKED, {"settlement_id": str(settlement_id)})
    return settlement_id


async def discard_settlement(actor: Actor, *, settlement_id: UUID, reason: str, clock: Clock) -> UUID:
    """Take away a settlement that is not locked, so that its period is calculated anew.

    :raises SettlementNotFound: there is none such.
    :raises SettlementStanding: it is locked: what is closed is put right by adjustments.
    :raises PeriodRefused: no reason, or one that is too long.
    """
    settlement = await _lock(settlement_id)
    if settlement.state == "locked":
        raise SettlementStanding("incentives.settlement_is", {"state": settlement.state}, field=("settlement",))
    if not 0 < len(reason.strip()) <= REASON_MAX:
        raise PeriodRefused("incentives.reason_wanted", {"longest": REASON_MAX}, field=("reason",))
    await delete_draft(settlement_id)
    await _tell(
        actor, "settlement.discarded", settlement_id, (settlement.state, "discarded"), reason=reason, clock=clock
    )
    return settlement_id


async def _tell(
    actor: Actor, action: str, settlement_id: UUID, states: tuple[str, str], *, reason: str = "", clock: Clock
) -> None:
    await record(
        actor,
        action,
        object_type="Settlement",
        object_id=settlement_id,
        changes={"state": [*states]},
        reason=reason,
        clock=clock,
    )
