"""Refusals of the events room."""

from __future__ import annotations

from uuid import UUID

from saas.kernel import BadUserInput, Conflict, IdempotencyKeyReused, NotFound


class IdempotencyKeyMalformed(BadUserInput):
    """An idempotency key is 1 to 100 printable characters."""

    def __init__(self, length: int) -> None:
        super().__init__("events.idempotency_key_malformed", {"length": length}, field=("input", "idempotencyKey"))


class IdempotencyKeyOfOtherCall(IdempotencyKeyReused):
    """The key stands for another call: another operation, or the same with another body."""

    def __init__(self, *, key: str, operation: str) -> None:
        super().__init__(
            "events.idempotency_key_reused", {"key": key, "operation": operation}, field=("input", "idempotencyKey")
        )


class IdempotencyKeyTaken(Conflict):
    """Another call with this key committed while this one ran: roll back and look its outcome up."""

    def __init__(self, *, key: str) -> None:
        super().__init__("events.idempotency_key_taken", {"key": key}, field=("input", "idempotencyKey"))


class DeadEventNotFound(NotFound):
    """There is no dead event of that id in this company."""

    def __init__(self, event_id: UUID) -> None:
        super().__init__("events.dead_event_not_found", {"event": str(event_id)})
