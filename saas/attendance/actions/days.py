"""Writes of the attendance room: the days of a month, as whoever keeps the roster reports them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple
from decimal import Decimal
from uuid import UUID

from saas.attendance.errors import EmploymentUnknown
from saas.attendance.queries import Count
from saas.attendance.rules import DAY_KINDS, MonthOfDays
from saas.audit import entry_values, record_many
from saas.kernel import Actor, Clock, new_id, public_id
from tenants import current_tenant_id, current_transaction

EMPLOYMENT = "emt"

_HOLD = """
SELECT id, employee_id FROM employment WHERE tenant_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
_CLEAR = """
DELETE FROM attendance_day_count c USING unnest($2::uuid[], $3::text[]) AS told (employment_id, month)
WHERE c.tenant_id = $1 AND c.employment_id = told.employment_id AND c.month = told.month
"""
_INSERT = """
INSERT INTO attendance_day_count (tenant_id, id, employment_id, month, kind, days, known_at)
SELECT $1, id, employment_id, month, kind, days, known_at
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::numeric[], $7::timestamptz[])
  AS told (id, employment_id, month, kind, days, known_at)
"""


async def set_day_counts(actor: Actor, months: Sequence[MonthOfDays], *, clock: Clock) -> None:
    """Replace the days of these months, every kind of them; the last word on a month counts.

    Payroll freezes them with a run: what is told later is listed there as arrived since.

    :raises DayCountRefused: a month, a kind or a number of days that can't be.
    :raises EmploymentUnknown: nobody of this company has that employment.
    """
    for month in months:
        month.check()
    employees = await hold_employments([month.employment_id for month in months])
    at, told = clock.now(), {(month.employment_id, month.month): month for month in months}
    await replace_counts(
        told, (Count(*key, kind, days, at) for key, month in told.items() for kind, days in _of(month))
    )
    await record_many(
        [
            entry_values(
                actor,
                "attendance.days_set",
                object_type="Employee",
                object_id=employees[month.employment_id],
                changes={f"{month.month} {kind}": [None, format(days, "f")] for kind, days in month.days.items()},
                clock=clock,
            )
            for month in months
        ]
    )


def _of(month: MonthOfDays) -> Iterable[tuple[str, Decimal]]:
    return ((kind, month.days[kind]) for kind in DAY_KINDS if kind in month.days)


async def hold_employments(employment_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Whose employments these are; their rows are held, so that changes of a month's days follow each other.

    :raises EmploymentUnknown: nobody of this company has one of them.
    """
    rows = await current_transaction().fetch(_HOLD, current_tenant_id(), list(employment_ids))
    known = {row["id"]: row["employee_id"] for row in rows}
    for each in employment_ids:
        if each not in known:
            shown = public_id(EMPLOYMENT, each)
            raise EmploymentUnknown("attendance.employment_unknown", {"employment": shown}, field=("employmentId",))
    return known


async def replace_counts(months: Collection[tuple[UUID, str]], counts: Iterable[Count]) -> None:
    """Put these counts in the place of all that are kept for the months, each an employment and a ``YYYY-MM``."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute(_CLEAR, tenant_id, [each for each, _ in months], [month for _, month in months])
    rows = [(new_id(), *astuple(count)) for count in counts]
    if rows:
        await transaction.execute(_INSERT, tenant_id, *map(list, zip(*rows, strict=True)))
