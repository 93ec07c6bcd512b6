"""The last follow-up of many customers: noted as lists bring some in, set anew as some are taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tenants import current_tenant_id, current_transaction


async def note_follow_ups(rows: Sequence[tuple[UUID | None, UUID | None, datetime]]) -> None:
    """As `note_follow_up`, for many (customer, author, instant); of authors who don't own the customer nothing is."""
    await current_transaction().execute(
        """
        UPDATE customer c SET last_follow_up_at = greatest(c.last_follow_up_at, made.at)
        FROM (SELECT customer, author, max(at) AS at FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[])
              AS given (customer, author, at) GROUP BY customer, author) made
        WHERE c.tenant_id = $1 AND c.id = made.customer AND c.owner_id = made.author
        """,
        current_tenant_id(),
        [customer for customer, _, _ in rows],
        [author for _, author, _ in rows],
        [at for _, _, at in rows],
    )


async def restore_last_follow_ups(customer_ids: Sequence[UUID], last: Mapping[tuple[UUID, UUID], datetime]) -> None:
    """Set the last follow-up of customers anew, after some were taken back; `last` by (customer, author)."""
    await current_transaction().execute(
        """
        UPDATE customer c SET last_follow_up_at = (
            SELECT max(left_over.at) FROM unnest($3::uuid[], $4::uuid[], $5::timestamptz[])
                AS left_over (customer, author, at)
            WHERE left_over.customer = c.id AND left_over.author = c.owner_id)
        WHERE c.tenant_id = $1 AND c.id = ANY ($2)
        """,
        current_tenant_id(),
        customer_ids,
        [customer for customer, _ in last],
        [author for _, author in last],
        list(last.values()),
    )
