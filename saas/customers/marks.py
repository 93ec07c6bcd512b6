"""Marks on an open ownership that keep a customer from the pool: lock, protection, extension (P15, P16, P33).

Each is limited in number and length, and none can be renewed for ever: the same owner waits first (L14).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from saas.customers.errors import MarkCooldown, MarkLimitReached, MarkOff, MarkRuns, MarkSpent
from saas.customers.rules import cooldown_ends
from saas.kernel import AppError, BadUserInput, Scalar


class MarkKind(Enum):
    """What a mark does: a locked or protected customer is not recycled; an extension moves the day it is due."""

    LOCK = "lock"
    PROTECTION = "protection"
    EXTENSION = "extension"


@dataclass(frozen=True, slots=True)
class MarkRules:
    """What a pool allows of one kind; `number` 0 switches it off.

    `number` is how many a person may have at once, of extensions how often a holding may be extended; `days` is the
    longest. `cooldown_days` go by before the same owner sets one on the same customer again; extensions have none.
    """

    number: int
    days: int
    cooldown_days: int


@dataclass(frozen=True, slots=True)
class MarkSituation:
    """What is known when somebody asks for a mark.

    `number` are those of the kind that the person has now; of extensions those of this holding, asked for or granted.
    `runs_until` is the last day of one that the customer has, None without one; `is_awaited`: one waits for a decision.
    `last_day` is the last day of the last one that this owner had on the customer; `spent_on` that of a protection of
    this holding at whose end the customer goes back, None without one (P16).
    """

    number: int
    runs_until: date | None
    is_awaited: bool
    last_day: date | None
    spent_on: date | None = None


def check_days(days: int, rules: MarkRules) -> int:
    """Accept a length in days.

    :raises BadUserInput: it is not between 1 and what the pool allows.
    """
    if not 1 <= days <= rules.days:
        values: dict[str, Scalar] = {"given": days, "least": 1, "most": rules.days}
        raise BadUserInput("customers.mark_days_out_of_range", values).at("input", "days")
    return days


def may_mark(pool: str, rules: MarkRules, situation: MarkSituation, *, today: date) -> AppError | None:
    """None where the owner may set a mark on the customer today; else the refusal.

    Order of checks: switched on, none there, not spent, cooldown, number.
    """
    if rules.number == 0:
        return MarkOff("customers.mark_off", {"pool": pool})
    if situation.is_awaited:
        return MarkRuns("customers.mark_awaited")
    if situation.runs_until is not None:
        return MarkRuns("customers.mark_runs", {"until": situation.runs_until.isoformat()})
    if situation.spent_on is not None:
        return MarkSpent("customers.mark_spent", {"until": situation.spent_on.isoformat()})
    free_from = cooldown_ends(situation.last_day, rules.cooldown_days)
    if free_from is not None and today < free_from:
        values: dict[str, Scalar] = {"days": rules.cooldown_days, "free_from": free_from.isoformat()}
        return MarkCooldown("customers.mark_cooldown", values)
    if situation.number >= rules.number:
        return MarkLimitReached(
            "customers.mark_limit_reached", {"pool": pool, "limit": rules.number, "number": situation.number}
        )
    return None


def last_day(days: int, *, today: date) -> date:
    """The last day of a lock or protection that begins today: so many whole days follow today."""
    return today + timedelta(days=days)


def extended_until(due_on: date, days: int) -> date:
    """The last day on which a customer that was due on `due_on` stays after an extension."""
    return due_on + timedelta(days=days - 1)
