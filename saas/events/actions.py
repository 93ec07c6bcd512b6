"""Telling what happened: `emit` writes to the outbox in the transaction of the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson

from saas.events.errors import DeadEventNotFound
from saas.jobs import Bell, SilentBell
from saas.kernel import Clock, Scalar, new_id
from tenants import current_tenant_id, current_transaction

_PARAMETERS = ("uuid", "uuid", "text", "text", "jsonb", "timestamptz")
EVENT_VALUES = len(_PARAMETERS)
"""How many parameters `insert_event_sql` takes."""


def insert_event_sql(*, first_parameter: int = 1, source: str = "") -> str:
    """The INSERT of one event, to be folded into a statement of the caller's own; it then calls `ring_after_commit`.

    Its parameters begin at ``$first_parameter`` and are those of `event_values`. With `source` (the name of a CTE)
    an event is written for each of its rows.
    """
    tenant, event, topic, handler, payload, due = (
        f"${first_parameter + place}::{kind}" for place, kind in enumerate(_PARAMETERS)
    )
    tail = f" FROM {source}" if source else ""
    return (
        "INSERT INTO outbox (tenant_id, id, topic, handler, payload, due_at, created_at)"
        f" SELECT {tenant}, {event}, {topic}, {handler}, {payload}, coalesce({due}, now()), now(){tail}"
    )


def event_values(
    topic: str, payload: Mapping[str, Scalar], *, due_at: datetime | None = None, handler: str | None = None
) -> tuple[object, ...]:
    """The values of one event, in the order of `insert_event_sql`'s parameters."""
    return current_tenant_id(), new_id(), topic, handler, orjson.dumps(dict(payload)).decode(), due_at


_INSERT_EVENT = insert_event_sql()
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


_INSERT_EVENTS = """
INSERT INTO outbox (tenant_id, id, topic, payload, due_at, created_at)
SELECT $1, told.id, $2, told.payload::jsonb, now(), now() FROM unnest($3::uuid[], $4::text[]) AS told (id, payload)
"""


async def emit_many(topic: str, payloads: Sequence[Mapping[str, Scalar]]) -> None:
    """As `emit`, an event for each payload, in one statement."""
    if not payloads:
        return
    ids, texts = [new_id() for _ in payloads], [orjson.dumps(dict(payload)).decode() for payload in payloads]
    await current_transaction().execute(_INSERT_EVENTS, current_tenant_id(), topic, ids, texts)
    ring_after_commit()


async def insert_event(
    topic: str, payload: Mapping[str, Scalar], *, due_at: datetime | None = None, handler: str | None = None
) -> UUID:
    """As `emit`; `handler` names the one handler of the topic that it is for."""
    values = event_values(topic, payload, due_at=due_at, handler=handler)
    await current_transaction().execute(_INSERT_EVENT, *values)
    ring_after_commit()
    _, event_id, *_ = values
    assert isinstance(event_id, UUID)
    return event_id


def ring_after_commit() -> None:
    """Wake the relay once the open transaction has committed."""
    current_transaction().after_commit(_Ringing.bell.ring)


async def retry_dead_event(*, event_id: UUID, clock: Clock) -> None:
    """Give a dead event a fresh row of attempts, from now.

    :raises DeadEventNotFound: the company has no dead event of that id.
    """
    transaction = current_transaction()
    if not await transaction.execute(_REVIVE, current_tenant_id(), event_id, clock.now()):
        raise DeadEventNotFound(event_id)
    ring_after_commit()
