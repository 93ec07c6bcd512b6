"""Appeals: an owner files one for a customer, which then stays; somebody else decides."""

from __future__ import annotations

from uuid import UUID

from saas.access import AccessTable
from saas.audit import record
from saas.circulation.errors import AppealStanding
from saas.circulation.events import APPEAL_DECIDED, APPEAL_FILED
from saas.circulation.queries import get_visible_line
from saas.circulation.rules.moving import LineState, may_appeal, may_decide
from saas.events import emit
from saas.kernel import Actor, BadUserInput, Clock, Scalar, local_date
from tenants import current_tenant_id, current_transaction

REASON_MAX = 200
_LOCK = """
SELECT l.state, l.employee_id, l.appellant_account_id, l.assessment_id, a.appeal_until, a.state AS assessment_state
FROM assessment_customer l JOIN assessment a ON a.tenant_id = $1 AND a.id = l.assessment_id
WHERE l.tenant_id = $1 AND l.id = $2 FOR NO KEY UPDATE OF l
"""
_APPEAL = """
UPDATE assessment_customer SET state = 'appealed', appeal_reason = $3, appealed_at = $4, appellant_account_id = $5
WHERE tenant_id = $1 AND id = $2
"""
_DECIDE = """
UPDATE assessment_customer SET state = $3, decision_reason = $4, decided_at = $5, decider_account_id = $6,
    decider_id = $7 WHERE tenant_id = $1 AND id = $2
"""


async def file_appeal(
    actor: Actor, *, line_id: UUID, reason: str, access: AccessTable, time_zone: str, clock: Clock
) -> UUID:
    """Appeal for a customer of one's own that an announced assessment reclaims (permission ``assessment:appeal``).

    It stays until somebody else decides, however long that takes.

    :raises BadUserInput: no reason, or too long a one.
    :raises LineNotFound: missing, another company's, or not visible.
    :raises AppealRefused: it is somebody else's customer, or the days of appeal are over.
    :raises AppealStanding: it is appealed for already, or does not move (any more).
    """
    reason = _checked(reason)
    await get_visible_line(actor, access, line_id)
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), line_id)
    assert row is not None, "the caller has seen it, and customers of assessments are never deleted"
    refusal = may_appeal(
        LineState(row["state"]),
        owner_id=row["employee_id"],
        actor_id=actor.employee_id,
        until=row["appeal_until"],
        today=local_date(clock.now(), time_zone),
    )
    if refusal is not None:
        raise refusal.at("input", "line")
    _refuse_over(row["assessment_state"])
    values = (reason, clock.now(), actor.account_id)
    await current_transaction().execute(_APPEAL, current_tenant_id(), line_id, *values)
    await _record(actor, "appealed", line_id, LineState.APPEALED, reason, clock)
    await emit(APPEAL_FILED, {"line_id": str(line_id)})
    return line_id


async def decide_appeal(
    actor: Actor, *, line_id: UUID, is_granted: bool, reason: str, access: AccessTable, clock: Clock
) -> UUID:
    """Grant an appeal, and the customer stays; or refuse it, and it moves (permission ``assessment:decide``).

    :raises BadUserInput: no reason, or too long a one.
    :raises LineNotFound: missing, another company's, or not visible.
    :raises AppealRefused: the appeal is the caller's own.
    :raises AppealStanding: nobody appeals for it (any more); of any number at once one decides.
    """
    reason = _checked(reason)
    await get_visible_line(actor, access, line_id)
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), line_id)
    assert row is not None, "the caller has seen it, and customers of assessments are never deleted"
    refusal = may_decide(
        LineState(row["state"]),
        appellants=frozenset({row["appellant_account_id"], row["employee_id"]}),
        deciders=frozenset({actor.account_id, actor.employee_id}),
    )
    if refusal is not None:
        raise refusal.at("input", "line")
    _refuse_over(row["assessment_state"])
    state = LineState.GRANTED if is_granted else LineState.REFUSED
    values = (state.value, reason, clock.now(), actor.account_id, actor.employee_id)
    await current_transaction().execute(_DECIDE, current_tenant_id(), line_id, *values)
    await _record(actor, state.value, line_id, state, reason, clock)
    await emit(APPEAL_DECIDED, {"line_id": str(line_id)})
    return line_id


def _refuse_over(state: str) -> None:
    """Of an assessment that was dropped nothing moves, so there is nothing to appeal against."""
    if state != "announced":
        raise AppealStanding("circulation.appeal_closed").at("input", "line")


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_MAX:
        raise BadUserInput("circulation.reason_needed", {"longest": REASON_MAX}).at("input", "reason")
    return reason


async def _record(actor: Actor, verb: str, line_id: UUID, state: LineState, reason: str, clock: Clock) -> None:
    changes: dict[str, list[Scalar]] = {"state": [None, state.value]}
    await record(
        actor,
        f"assessment_customer.{verb}",
        object_type="AssessmentCustomer",
        object_id=line_id,
        changes=changes,
        reason=reason,
        clock=clock,
    )
