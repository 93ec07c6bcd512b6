"""Events that were given up, for the people who run the installation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenants import current_tenant_id, current_transaction

_DEAD = (
    "SELECT id, topic, handler, attempts, last_error, created_at, dead_at FROM outbox"
    " WHERE tenant_id = $1 AND dead_at IS NOT NULL ORDER BY dead_at DESC, id LIMIT $2"
)


@dataclass(frozen=True, slots=True)
class DeadEvent:
    """An event whose attempts are used up; `last_error` says what went wrong, without values."""

    id: UUID
    topic: str
    handler: str | None
    attempts: int
    last_error: str
    created_at: datetime
    dead_at: datetime


async def list_dead_events(*, first: int) -> list[DeadEvent]:
    """The company's dead events, the newest `first` ones (at most 100)."""
    rows = await current_transaction().fetch(_DEAD, current_tenant_id(), min(first, 100))
    return [DeadEvent(**dict(row)) for row in rows]
