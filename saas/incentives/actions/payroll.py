"""What payroll takes: statements of locked settlements, each paid by one run; the reference stands on both sides."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from saas.audit import record
from saas.incentives.errors import PayrollRefused
from saas.kernel import Actor, Clock, Period
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

_SETTLED = """
SELECT w.id AS employment_id, l.id, l.settlement_id, p.id AS plan_id, p.title, s.period_first, s.period_until,
       l.payable_sealed
FROM employment w
JOIN settlement_line l ON l.tenant_id = w.tenant_id AND l.employee_id = w.employee_id
    AND l.legal_entity_id = w.legal_entity_id
JOIN settlement s ON s.tenant_id = l.tenant_id AND s.id = l.settlement_id
JOIN incentive_plan p ON p.tenant_id = s.tenant_id AND p.id = s.plan_id
WHERE w.tenant_id = $1 AND w.id = ANY ($2) AND (s.state = 'locked' OR $5) AND s.period_until <= $3
  AND (l.payroll_run_id IS NULL OR l.payroll_run_id = $4)
ORDER BY w.id, s.period_first, p.code, l.id
"""
_CALCULATING = """
SELECT p.title, s.period_first FROM settlement s
JOIN incentive_plan p ON p.tenant_id = s.tenant_id AND p.id = s.plan_id
WHERE s.tenant_id = $1 AND s.state = 'calculating' AND s.period_until <= $2 ORDER BY s.period_first, p.code LIMIT 1
"""
_LOCKED = """
SELECT count(*) FROM settlement_line l JOIN settlement s ON s.tenant_id = $1 AND s.id = l.settlement_id
WHERE l.tenant_id = $1 AND l.id = ANY ($2) AND s.state = 'locked'
"""
_TAKE = """
UPDATE settlement_line l SET payroll_run_id = $3
WHERE l.tenant_id = $1 AND l.id = ANY ($2) AND l.payroll_run_id IS NULL
  AND EXISTS (SELECT FROM settlement s WHERE s.tenant_id = $1 AND s.id = l.settlement_id AND s.state = 'locked')
"""
_TAKEN = "SELECT count(*) FROM settlement_line WHERE tenant_id = $1 AND id = ANY ($2) AND payroll_run_id = $3"


@dataclass(frozen=True, slots=True)
class SettledCommission:
    """A statement that is to be paid: `statement_id` is what the payroll line refers to, `amount` in the plan's
    currency, not below 0. `first` and `until` are the settlement's days, the last one excluded.
    """

    employment_id: UUID
    statement_id: UUID
    settlement_id: UUID
    plan_id: UUID
    plan_title: str
    first: date
    until: date
    amount: Decimal


async def settled_commission(
    employment_ids: Collection[UUID], *, period: Period, run_id: UUID, keyring: Keyring, with_open: bool = False
) -> list[SettledCommission]:
    """What locked settlements up to the end of a pay period owe people in their employments; with `with_open`, those
    too that are calculated and not locked yet, so that a run can be looked at before.

    A person in two legal entities has the statement in the one that employed them at the cut-off. What another run
    has taken is left out; what `run_id` has is there again, so that the run can be replayed. A person's employments in
    one entity have the same statements: ask with one of them.

    :raises ValueError: the period is without end.
    """
    if period.until is None:
        raise ValueError("a pay period has an end")
    rows = await current_transaction().fetch(
        _SETTLED, current_tenant_id(), list(employment_ids), period.until, run_id, with_open
    )
    return [
        SettledCommission(
            row["employment_id"],
            row["id"],
            row["settlement_id"],
            row["plan_id"],
            row["title"],
            row["period_first"],
            row["period_until"],
            Decimal(keyring.open(Place("settlement_line", "payable_sealed", row["id"]), row["payable_sealed"])),
        )
        for row in rows
    ]


async def require_calculated(*, before: date) -> None:
    """Refuse while a settlement up to a day is being calculated: its commission would be missing, or the old draft's.

    :raises PayrollRefused: naming the plan and the first day of the period.
    """
    row = await current_transaction().fetchrow(_CALCULATING, current_tenant_id(), before)
    if row is not None:
        values = {"plan": row["title"], "first": row["period_first"].isoformat()}
        raise PayrollRefused("incentives.settlement_calculating", values, field=("takesOpenSettlements",))


async def require_locked(statement_ids: Collection[UUID]) -> None:
    """Refuse while statements are not of locked settlements.

    :raises PayrollRefused: with how many; one that was calculated anew is none any more.
    """
    wanted = list(set(statement_ids))
    locked = await current_transaction().fetchval(_LOCKED, current_tenant_id(), wanted)
    if locked != len(wanted):
        raise PayrollRefused("incentives.statements_not_locked", {"open": len(wanted) - locked})


async def take_into_payroll(actor: Actor, statement_ids: Collection[UUID], *, run_id: UUID, clock: Clock) -> None:
    """Note the run that pays statements, when it is locked; noting it again changes nothing.

    :raises PayrollRefused: one of them is another run's, or not of a locked settlement; then none is noted.
    """
    wanted = list(set(statement_ids))
    taken = await current_transaction().execute(_TAKE, current_tenant_id(), wanted, run_id)
    known = await current_transaction().fetchval(_TAKEN, current_tenant_id(), wanted, run_id)
    if known != len(wanted):
        raise PayrollRefused("incentives.statement_not_free", {"wanted": len(wanted), "taken": known})
    if taken:
        await record(
            actor,
            "settlement.taken_into_payroll",
            object_type="PayrollRun",
            object_id=run_id,
            changes={"statements": [None, taken]},
            clock=clock,
        )
