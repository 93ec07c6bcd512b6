"""Reads of the sales room for actions and jobs; lists and details go through the compiled reader."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from saas.customers import FollowUpFacts
from tenants import current_tenant_id, current_transaction

_SINCE = """
SELECT f.customer_id, f.author_id, f.kind, f.content, f.call_seconds, f.has_check_in, f.occurred_on
FROM unnest($2::uuid[], $3::timestamptz[]) AS asked (id, instant)
JOIN follow_up f ON f.tenant_id = $1 AND f.customer_id = asked.id AND f.occurred_at >= asked.instant
ORDER BY f.customer_id, f.created_at, f.id
"""


async def find_follow_up_facts(since: Mapping[UUID, datetime]) -> dict[UUID, list[FollowUpFacts]]:
    """What was done with customers since an instant each, in the order of entry, as recycling judges it."""
    rows = await current_transaction().fetch(_SINCE, current_tenant_id(), list(since), list(since.values()))
    found: dict[UUID, list[FollowUpFacts]] = {}
    for row in rows:
        facts = FollowUpFacts(
            on=row["occurred_on"],
            author_id=row["author_id"],
            kind=row["kind"],
            content=row["content"],
            seconds=row["call_seconds"],
            has_check_in=row["has_check_in"],
        )
        found.setdefault(row["customer_id"], []).append(facts)
    return found
