"""Reads of the attendance room, for payroll."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from tenants import current_tenant_id, current_transaction

_COUNTS = """
SELECT employment_id, kind, days FROM attendance_day_count
WHERE tenant_id = $1 AND employment_id = ANY($2::uuid[]) AND month = $3
"""


async def find_day_counts(employment_ids: Sequence[UUID], *, month: str) -> Mapping[UUID, Mapping[str, Decimal]]:
    """Days by kind of each employment that has any in the month (``YYYY-MM``)."""
    found: dict[UUID, dict[str, Decimal]] = defaultdict(dict)
    rows = await current_transaction().fetch(_COUNTS, current_tenant_id(), list(employment_ids), month)
    for row in rows:
        found[row["employment_id"]][row["kind"]] = row["days"]
    return found
