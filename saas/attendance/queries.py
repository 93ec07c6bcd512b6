"""Reads of the attendance room, for payroll and for sheets of days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from saas.kernel import Period
from tenants import current_tenant_id, current_transaction

_COUNTS = """
SELECT employment_id, kind, days FROM attendance_day_count
WHERE tenant_id = $1 AND employment_id = ANY($2::uuid[]) AND month = $3
"""
_COUNTS_OF_MONTHS = """
SELECT c.employment_id, c.month, c.kind, c.days, c.known_at
FROM attendance_day_count c JOIN unnest($2::uuid[], $3::text[]) AS told (employment_id, month)
  ON c.employment_id = told.employment_id AND c.month = told.month
WHERE c.tenant_id = $1 ORDER BY c.employment_id, c.month, c.kind
"""
_EMPLOYED = """
SELECT id, employee_id, legal_entity_id, valid_from, valid_to FROM employment
WHERE tenant_id = $1 AND employee_id = ANY($2::uuid[]) ORDER BY employee_id, valid_from, id
"""


async def find_day_counts(employment_ids: Sequence[UUID], *, month: str) -> Mapping[UUID, Mapping[str, Decimal]]:
    """Days by kind of each employment that has any in the month (``YYYY-MM``)."""
    found: dict[UUID, dict[str, Decimal]] = defaultdict(dict)
    rows = await current_transaction().fetch(_COUNTS, current_tenant_id(), list(employment_ids), month)
    for row in rows:
        found[row["employment_id"]][row["kind"]] = row["days"]
    return found


@dataclass(frozen=True, slots=True)
class Count:
    """Days of one kind as they are kept."""

    employment_id: UUID
    month: str
    kind: str
    days: Decimal
    known_at: datetime


async def find_counts(months: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], list[Count]]:
    """What is kept for each of these months of an employment, by kind; in one statement."""
    employments, texts = [employment for employment, _ in months], [month for _, month in months]
    found: dict[tuple[UUID, str], list[Count]] = defaultdict(list)
    for row in await current_transaction().fetch(_COUNTS_OF_MONTHS, current_tenant_id(), employments, texts):
        found[row["employment_id"], row["month"]].append(Count(*row))
    return found


@dataclass(frozen=True, slots=True)
class Employed:
    """An employment, and for which days."""

    id: UUID
    legal_entity_id: UUID
    period: Period


async def find_employed(employee_ids: Collection[UUID]) -> dict[UUID, list[Employed]]:
    """Everybody's employments, the oldest first."""
    found: dict[UUID, list[Employed]] = defaultdict(list)
    for row in await current_transaction().fetch(_EMPLOYED, current_tenant_id(), list(employee_ids)):
        period = Period(row["valid_from"], row["valid_to"])
        found[row["employee_id"]].append(Employed(row["id"], row["legal_entity_id"], period))
    return found
