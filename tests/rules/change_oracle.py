"""Changes of a pool's rules read plainly: which version a holding goes by, and when it is due by that one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class PlainVersion:
    """A version of the rules: its first day, when it was decided, whom it concerns, and what it says.

    `moves`: whether it says anything about recycling that the version before did not.
    """

    first: date
    decided_at: datetime
    effect: str
    follow_up_days: int | None
    deal_days: int | None
    protection_days: int
    keeps_clock: bool
    grace_days: int
    moves: bool


@dataclass(frozen=True, slots=True)
class PlainOwnership:
    """An ownership that began on a day, at an instant; by a transfer, or otherwise."""

    began_on: date
    began_at: datetime
    is_transfer: bool = False


def plain_version(versions: Sequence[PlainVersion], owned: Sequence[PlainOwnership]) -> int:
    """The place of the version that a customer goes by."""
    for place in range(len(versions) - 1, 0, -1):
        version = versions[place]
        if not version.moves:
            continue
        if version.effect != "new_ownerships" or _is_after(_first(version, owned), version):
            return place
        # It leaves the customer to what was in force before it, so look on there.
    return 0


def plain_due(versions: Sequence[PlainVersion], owned: Sequence[PlainOwnership], calls: Sequence[date]) -> date | None:
    """The day it goes, if nothing happens any more."""
    place = plain_version(versions, owned)
    rules, began_on = versions[place], _first(versions[place], owned).began_on
    moving = [each for each in versions[1 : place + 1] if each.moves]
    restarts = [each.first for each in versions[1:] if each.moves and each.effect == "restart"]
    silent_since = max([began_on, *restarts, *(day for day in calls if day >= began_on)])
    days = []
    if rules.follow_up_days is not None:
        days.append(silent_since + timedelta(days=rules.follow_up_days + 1))
    if rules.deal_days is not None:
        days.append(max([began_on, *restarts]) + timedelta(days=rules.deal_days + 1))
    if not days:
        return None
    due = min(days)
    if rules.protection_days:
        due = max(due, began_on + timedelta(days=rules.protection_days + 1))
    return max(due, moving[-1].first + timedelta(days=moving[-1].grace_days)) if moving else due


def _first(version: PlainVersion, owned: Sequence[PlainOwnership]) -> PlainOwnership:
    """Where the holding begins, as a version means it."""
    place = len(owned) - 1
    while version.keeps_clock and owned[place].is_transfer:
        place -= 1
    return owned[place]


def _is_after(owned: PlainOwnership, version: PlainVersion) -> bool:
    if owned.began_on == version.first:
        return owned.began_at >= version.decided_at
    return owned.began_on > version.first
