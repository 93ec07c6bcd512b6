"""Telling what happened: `emit` writes to the outbox in the transaction of the caller."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import orjson

from saas.events.errors import DeadEventNotFound
from saas.jobs import Bell, SilentBell
from saas.kernel import Clock, Scalar, new_id
from tenants import current_tenant_id, current_transaction

INSERT_EVENT = (
    "INSERT INTO outbox (tenant_id, id, topic, handler, payload, due_at, created_at)"
    " VALUES ($1, $2, $3, $4, $5::text::jsonb, coalesce($6::timestamptz, now()), now())"
)
_REVIVE = (
    "UPDATE outbox SET dead_at = NULL, due_at = $3, attempts = 0"
    " WHERE tenant_id = $1 AND id = $2 AND dead_at IS NOT NULL"
)


class _Ringing:
    """The bell of this process; silent (the relay polls) until the wiring hangs one up."""

    bell: Bell = SilentBell()


def ring_with(bell: Bell) -> None:
    """Wake the relay by `bell` after each commit that emitted something; called once, by the wiring."""
    _Ringing.bell = bell


async def emit(topic: str, payload: Mapping[str, Scalar], *, due_at: datetime | None = None) -> UUID:
    """Write an event in the current transaction: it is delivered if and only if that commits.

    The payload holds ids and plain facts, never personal data: handlers look those up when they run. `due_at` is
    the earliest instant of delivery, by default at once. The answer is the event's id.
    """
    return await insert_event(topic, payload, due_at=due_at)


async def insert_event(
    topic: str, payload: Mapping[str, Scalar], *, due_at: datetime | None = None, handler: str | None = None
) -> UUID:
    """As `emit`; `handler` names the one handler of the topic that it is for."""
    transaction, event_id = current_transaction(), new_id()
    text = orjson.dumps(dict(payload)).decode()
    await transaction.execute(INSERT_EVENT, current_tenant_id(), event_id, topic, handler, text, due_at)
    transaction.after_commit(_Ringing.bell.ring)
    return event_id


async def retry_dead_event(*, event_id: UUID, clock: Clock) -> None:
    """Give a dead event a fresh row of attempts, from now.

    :raises DeadEventNotFound: the company has no dead event of that id.
    """
    transaction = current_transaction()
    if not await transaction.execute(_REVIVE, current_tenant_id(), event_id, clock.now()):
        raise DeadEventNotFound(event_id)
    transaction.after_commit(_Ringing.bell.ring)
