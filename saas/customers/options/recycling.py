"""When customers go back to the pool, and who is warned (P17 to P28, 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.options.declaring import camel, option, out_of_range
from saas.customers.options.holding import DAYS_MAX
from saas.customers.recycling import FollowUpKind, RecycleRules
from saas.kernel import Scalar

LEVELS_MAX = 50
LEVEL_MAX = 20
KINDS_MAX = 10
_KIND = re.compile(r"[a-z][a-z_]{0,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LevelDays:
    """The days of a rule for customers of a level, in the place of the rule's own (P22)."""

    level: str
    days: int


@dataclass(frozen=True)
class RecyclingOptions:
    """Options of recycling; days are calendar days, and a rule whose days are null is off."""

    protection_days: int = option(
        "P17", 3, "Days that a new owner keeps a customer in any case.", least=0, most=DAYS_MAX, moves_due=True
    )
    recycle_follow_up_days: int | None = option(
        "P18",
        30,
        "Back to the pool after more days without a follow-up; null: off.",
        least=1,
        most=DAYS_MAX,
        moves_due=True,
    )
    recycle_deal_days: int | None = option(
        "P20",
        180,
        "Back to the pool after more days without a deal; null: off.",
        least=1,
        most=DAYS_MAX,
        moves_due=True,
    )
    recycle_follow_up_days_by_level: tuple[LevelDays, ...] = option(
        "P22",
        (),
        "Other days of the follow-up rule for some levels; none: as the rule.",
        length=LEVELS_MAX,
        moves_due=True,
    )
    recycle_deal_days_by_level: tuple[LevelDays, ...] = option(
        "P22", (), "Other days of the deal rule for some levels; none: as the rule.", length=LEVELS_MAX, moves_due=True
    )
    dealt_exempt: bool = option("P23", True, "Whether customers with a deal are never recycled.", moves_due=True)
    reminder_days: tuple[int, ...] = option(
        "P28",
        (7, 3, 1),
        "Days before recycling at which the owner is warned.",
        least=0,
        most=DAYS_MAX,
        length=5,
        is_descending=True,
    )
    follow_up_kinds: tuple[FollowUpKind, ...] = option(
        "P18",
        RecycleRules().follow_up_kinds,
        "The follow-ups that count, and what they need.",
        moves_due=True,
    )
    transfer_keeps_clock: bool = option(
        "P25", True, "Whether a transfer within a team keeps the clock running.", moves_due=True
    )
    grace_days: int = option(
        "P27", 7, "Days after a change of recycling before which nothing is due; 1 is the next day.", least=1, most=90
    )

    def recycling_faults(self) -> Iterator[PoolRuleOutOfRange]:
        """What contradicts itself: levels of a rule that is off, a protection longer than its rule, no kind at all."""
        yield from self._faults_of_levels("recycle_follow_up_days")
        yield from self._faults_of_levels("recycle_deal_days")
        if not 1 <= len(self.follow_up_kinds) <= KINDS_MAX:
            yield out_of_range("follow_up_kinds", len(self.follow_up_kinds), 1, KINDS_MAX)
        for kind in self.follow_up_kinds:
            if not _KIND.fullmatch(kind.kind):
                yield PoolRuleOutOfRange(
                    "customers.pool_kind_malformed", {"kind": kind.kind[:40]}, field=("followUpKinds",)
                )
            for given, most in ((kind.least_seconds, 86_400), (kind.least_characters, 4_000)):
                if not 0 <= given <= most:
                    yield out_of_range("follow_up_kinds", given, 0, most)

    def _faults_of_levels(self, rule: str) -> Iterator[PoolRuleOutOfRange]:
        """The days of a rule by level, and a protection that is longer than the rule: the rule would never act."""
        own, levels = getattr(self, rule), getattr(self, f"{rule}_by_level")
        place = (camel(f"{rule}_by_level"),)
        if levels and own is None:
            yield PoolRuleOutOfRange("customers.pool_levels_of_no_rule", {"rule": camel(rule)}, field=place)
        names = [each.level for each in levels]
        for at, each in enumerate(levels):
            if not 1 <= len(each.level.strip()) <= LEVEL_MAX or each.level in names[:at]:
                given: dict[str, Scalar] = {"level": each.level[:40], "longest": LEVEL_MAX}
                yield PoolRuleOutOfRange("customers.pool_level_refused", given, field=(*place, str(at), "level"))
            if not 1 <= each.days <= DAYS_MAX:
                days: dict[str, Scalar] = {"given": each.days, "least": 1, "most": DAYS_MAX}
                yield PoolRuleOutOfRange("customers.pool_rule_out_of_range", days, field=(*place, str(at), "days"))
        shortest = min((days for days in (own, *(each.days for each in levels)) if days is not None), default=None)
        if own is not None and shortest is not None and 0 < shortest < self.protection_days <= DAYS_MAX:
            told: dict[str, Scalar] = {"protection": self.protection_days, "days": shortest, "rule": camel(rule)}
            yield PoolRuleOutOfRange("customers.pool_protection_beyond_rule", told, field=("protectionDays",))
