"""Pure decisions about follow-ups: what one must be to be kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from saas.kernel import BadUserInput
from saas.sales.errors import FollowUpInTheFuture

KINDS = ("call", "visit", "meeting", "message", "note")
CONTENT_MAX = 4000
CLOCK_SKEW = timedelta(minutes=5)
"""Phones' clocks run ahead a little; more than this is the future."""


def check_kind(kind: str) -> str:
    """The kind of a follow-up, one of `KINDS`.

    :raises BadUserInput: it is another word.
    """
    if kind not in KINDS:
        raise BadUserInput("sales.unknown_kind", {"kind": kind[:40], "known": ", ".join(KINDS)}).at("input", "kind")
    return kind


def clean_content(content: str) -> str:
    """The text without outer white space.

    :raises BadUserInput: nothing remains, or more than `CONTENT_MAX` characters.
    """
    text = content.strip()
    if not text or len(text) > CONTENT_MAX:
        raise BadUserInput("sales.content_length", {"length": len(text), "longest": CONTENT_MAX}).at("input", "content")
    return text


def happened_at(claimed: datetime | None, *, now: datetime) -> datetime:
    """When it happened: `claimed`, or now where nothing is claimed. A clock a little ahead is taken for now.

    :raises FollowUpInTheFuture: it has not happened yet.
    """
    if claimed is None:
        return now
    if claimed > now + CLOCK_SKEW:
        raise FollowUpInTheFuture("sales.follow_up_in_the_future", {"at": claimed.isoformat()}).at(
            "input", "occurredAt"
        )
    return min(claimed, now)
