"""Domain events and the outbox: what happened, written in the business transaction and delivered after it.

Also the idempotency records, so that repeating a call gives the first outcome.
"""

from saas.events.actions import (
    EVENT_VALUES,
    emit,
    emit_many,
    event_values,
    insert_event_sql,
    retry_dead_event,
    ring_after_commit,
    ring_with,
)
from saas.events.errors import DeadEventNotFound, IdempotencyKeyMalformed, IdempotencyKeyTaken
from saas.events.idempotency import IdempotencyStore, Outcome, check_key, purge_idempotency
from saas.events.jobs import DELIVER, Delivery, Relay, purge_outbox
from saas.events.queries import DeadEvent, list_dead_events
from saas.events.topics import Event, EventTopic, Handler, Handlers

__all__ = [
    "DELIVER",
    "EVENT_VALUES",
    "DeadEvent",
    "DeadEventNotFound",
    "Delivery",
    "Event",
    "EventTopic",
    "Handler",
    "Handlers",
    "IdempotencyKeyMalformed",
    "IdempotencyKeyTaken",
    "IdempotencyStore",
    "Outcome",
    "Relay",
    "check_key",
    "emit",
    "emit_many",
    "event_values",
    "insert_event_sql",
    "list_dead_events",
    "purge_idempotency",
    "purge_outbox",
    "retry_dead_event",
    "ring_after_commit",
    "ring_with",
]
