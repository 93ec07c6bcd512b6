"""The reason that somebody gives for what they do."""

from __future__ import annotations

from saas.kernel import BadUserInput

REASON_MAX = 200


def checked_reason(reason: str) -> str:
    """A reason without outer white space.

    :raises BadUserInput: none is given, or too long a one (P32).
    """
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX:
        raise BadUserInput("customers.reason_needed", {"longest": REASON_MAX}).at("input", "reason")
    return reason
