"""What is known of an owned customer when its recycling is decided: plain values, whole days of the tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from saas.customers.recycling.settings import RecycleRule, RecycleRules


@dataclass(frozen=True, slots=True)
class ProtectionFacts:
    """A protection by the owner (P16): the day it was set, its last day as it was set, and the day on which its owner
    took it back, None where it was left to run.
    """

    began_on: date
    until_on: date
    given_up_on: date | None = None


@dataclass(frozen=True, slots=True)
class OwnershipFacts:
    """One ownership; `ended_on` None is the open one. `start_kind` is how it began: claim, created, transfer …

    `began_at` is the instant, None: later than whatever else happened that day. `protections` are those of its owner.
    """

    owner_id: UUID
    team_id: UUID | None
    began_on: date
    ended_on: date | None = None
    ended_by_transfer: bool = False
    start_kind: str = "claim"
    began_at: datetime | None = None
    protections: tuple[ProtectionFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowUpFacts:
    """One entry, on the tenant's day. `seconds` is the length of the call record, None without one."""

    on: date
    author_id: UUID
    kind: str
    content: str = ""
    seconds: int | None = None
    has_check_in: bool = False
    is_planned: bool = False
    is_deleted: bool = False
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class OpportunityFacts:
    """An open opportunity that began `on` a day, None for some day of the holding.

    It came to the furthest stage that it ever reached on `advanced_on`. `is_whole` says that it has what an
    opportunity needs to be believed: a product and an amount above 0. `position` is that of its `stage`.
    """

    owner_id: UUID
    advanced_on: date
    on: date | None = None
    is_whole: bool = True
    stage: str | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class ReminderFacts:
    """A reminder sent `days` before the due date of the clock that counted from `start_on`."""

    rule: RecycleRule
    start_on: date
    days: int
    is_delivered: bool


@dataclass(frozen=True, slots=True)
class RecycleFacts:
    """What is known of an owned customer. `ownerships` are oldest first and end with the open one; `follow_ups` stand
    in the order in which they were entered.

    Lock, protection by the rep and extension name the last day they hold. `postponed_on` are the days on which
    recycling waited for a reminder. `opportunities` are the open ones; a deal is anybody's, and so is a contract:
    `contract_ended_on` is the last day of the last one, which may lie ahead. `declined_on` is the day on which falling
    performance was established, None where it is not falling.
    """

    ownerships: tuple[OwnershipFacts, ...]
    created_on: date | None = None
    follow_ups: tuple[FollowUpFacts, ...] = ()
    level: str | None = None
    opportunities: tuple[OpportunityFacts, ...] = ()
    last_deal_on: date | None = None
    contract_ended_on: date | None = None
    declined_on: date | None = None
    locked_until: date | None = None
    protected_until: date | None = None
    extended_until: date | None = None
    reminders: tuple[ReminderFacts, ...] = ()
    postponed_on: tuple[date, ...] = ()


def holding(facts: RecycleFacts, rules: RecycleRules) -> tuple[OwnershipFacts, ...]:
    """The open ownership and those of the same team directly before it that ended by transfer, oldest first (3.1)."""
    held = [facts.ownerships[-1]]
    for earlier in reversed(facts.ownerships[:-1]):
        continues = earlier.ended_by_transfer and earlier.ended_on == held[0].began_on
        if not (rules.transfer_keeps_clock and continues and earlier.team_id == held[0].team_id):
            break
        held.insert(0, earlier)
    return tuple(held)
