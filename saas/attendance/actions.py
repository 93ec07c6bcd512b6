"""Writes of the attendance room: the days of a month, as whoever keeps the roster reports them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from saas.attendance.errors import EmploymentUnknown
from saas.attendance.rules import DAY_KINDS, MonthOfDays
from saas.audit import record
from saas.kernel import Actor, Clock, new_id, public_id
from tenants import current_tenant_id, current_transaction

EMPLOYMENT = "emt"

_KNOWN = "SELECT id, employee_id FROM employment WHERE tenant_id = $1 AND id = ANY($2::uuid[])"
_CLEAR = """
DELETE FROM attendance_day_count c USING unnest($2::uuid[], $3::text[]) AS told (employment_id, month)
WHERE c.tenant_id = $1 AND c.employment_id = told.employment_id AND c.month = told.month
"""
_INSERT = """
INSERT INTO attendance_day_count (tenant_id, id, employment_id, month, kind, days, known_at)
SELECT $1, id, employment_id, month, kind, days, $2
FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::numeric[])
  AS told (id, employment_id, month, kind, days)
"""


async def set_day_counts(actor: Actor, months: Sequence[MonthOfDays], *, clock: Clock) -> None:
    """Replace the days of these months, every kind of them; the last word on a month counts.

    Payroll freezes them with a run: what is told later is listed there as arrived since.

    :raises DayCountRefused: a month, a kind or a number of days that can't be.
    :raises EmploymentUnknown: nobody of this company has that employment.
    """
    for month in months:
        month.check()
    employees = await _employees_of([month.employment_id for month in months])
    await _replace(months, at=clock.now())
    for month in months:
        await record(
            actor,
            "attendance.days_set",
            object_type="Employee",
            object_id=employees[month.employment_id],
            changes={f"{month.month} {kind}": [None, format(days, "f")] for kind, days in month.days.items()},
            clock=clock,
        )


async def _employees_of(employment_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    rows = await current_transaction().fetch(_KNOWN, current_tenant_id(), list(employment_ids))
    known = {row["id"]: row["employee_id"] for row in rows}
    for each in employment_ids:
        if each not in known:
            shown = public_id(EMPLOYMENT, each)
            raise EmploymentUnknown("attendance.employment_unknown", {"employment": shown}, field=("employmentId",))
    return known


async def _replace(months: Sequence[MonthOfDays], *, at: datetime) -> None:
    transaction, tenant_id = current_transaction(), current_tenant_id()
    told = {(month.employment_id, month.month): month for month in months}
    await transaction.execute(_CLEAR, tenant_id, [each for each, _ in told], [month for _, month in told])
    rows = [
        (new_id(), month.employment_id, month.month, kind, month.days[kind])
        for month in told.values()
        for kind in DAY_KINDS
        if kind in month.days
    ]
    if rows:
        await transaction.execute(_INSERT, tenant_id, at, *map(list, zip(*rows, strict=True)))
