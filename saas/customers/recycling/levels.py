"""By which level recycling counts: one that brings more days helps once in a holding, and no oftener (L13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from saas.customers.recycling.settings import RecycleRules


@dataclass(frozen=True, slots=True)
class CountedLevel:
    """The level that recycling counts by; `raised_at` is when one last brought more days, None if never."""

    level: str | None
    raised_at: datetime | None = None


def counted_level(
    before: CountedLevel, after: str | None, rules: RecycleRules, *, held_since: datetime, now: datetime
) -> CountedLevel:
    """By which level recycling counts once a customer's level is `after`; `held_since` is when the holding began.

    Fewer days count at once. More days count the first time in a holding; after that the level changes in name only.
    """
    if not _brings_more(before.level, after, rules):
        return CountedLevel(after, before.raised_at)
    was_raised = before.raised_at is not None and before.raised_at >= held_since
    return before if was_raised else CountedLevel(after, now)


def _brings_more(before: str | None, after: str | None, rules: RecycleRules) -> bool:
    """Whether any rule has more days for the one level than for the other."""
    was = {rule: days for rule, _, days in rules.running(before)}
    return any(days > was[rule] for rule, _, days in rules.running(after))
