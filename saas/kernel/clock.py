"""The clock, injected wherever time decides anything."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the instant, always in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FrozenClock:
    """A clock that stands until it is moved: for tests and demonstrations."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        self._at += by


def local_date(instant: datetime, zone: str) -> date:
    """The calendar day of `instant` in the IANA time zone `zone` (a tenant's days are its own zone's)."""
    return local_moment(instant, zone).date()


def local_moment(instant: datetime, zone: str) -> datetime:
    """The instant as the clocks of the IANA time zone `zone` show it."""
    return instant.astimezone(ZoneInfo(zone))
