"""What runs have frozen of facts that an import brought: why these stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.attendance import ToldDays
from saas.kernel import Period
from tenants import current_tenant_id, current_transaction

_HOLD_RUNS = """
SELECT id FROM payroll_run WHERE tenant_id = $1 AND state NOT IN ('locked', 'published', 'cancelled')
ORDER BY id FOR SHARE
"""
_FROZEN = """
SELECT told.place FROM unnest($2::int[], $3::uuid[], $4::date[], $5::date[], $6::timestamptz[])
  AS told (place, employee_id, first, until, known_at)
WHERE EXISTS (
    SELECT FROM payroll_input i
    JOIN payroll_run r ON r.tenant_id = $1 AND r.id = i.run_id AND r.state <> 'cancelled'
    JOIN pay_period p ON p.tenant_id = $1 AND p.id = r.pay_period_id
    WHERE i.tenant_id = $1 AND i.employee_id = told.employee_id AND i.inputs_sealed IS NOT NULL
      AND {seen} >= told.known_at
      AND p.until_on > told.first AND (told.until IS NULL OR p.first_on < told.until)
)
"""
_FROZEN_DATED = _FROZEN.format(seen="i.known_at")
_FROZEN_PRESENT = _FROZEN.format(seen="i.frozen_at")


@dataclass(frozen=True, slots=True)
class ToldPay:
    """An assignment as undoing it sees it: whose, for which days, and since when it is known."""

    employee_id: UUID
    period: Period
    known_at: datetime


async def find_frozen_pay(told: Sequence[ToldPay]) -> list[bool]:
    """Whether a run that is not cancelled has frozen each assignment: one that looks at what was known since."""
    return await _find(_FROZEN_DATED, told)


async def find_frozen_days(told: Sequence[ToldDays]) -> list[bool]:
    """Whether a run that is not cancelled has frozen these days: they are read as they are when a run freezes."""
    return await _find(_FROZEN_PRESENT, [ToldPay(each.employee_id, each.month, each.known_at) for each in told])


async def _find(sql: str, told: Sequence[ToldPay]) -> list[bool]:
    """Runs under way are held first, so that none freezes the facts while they are taken back."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute(_HOLD_RUNS, tenant_id)
    columns = (
        (n, each.employee_id, each.period.first, each.period.until, each.known_at) for n, each in enumerate(told)
    )
    rows = await transaction.fetch(sql, tenant_id, *map(list, zip(*columns, strict=True))) if told else []
    found = {row["place"] for row in rows}
    return [place in found for place in range(len(told))]
