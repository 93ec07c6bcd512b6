"""When customers go back to the pool, and who is warned (P17 to P28, 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.options.declaring import camel, option, out_of_range
from saas.customers.options.holding import DAYS_MAX
from saas.customers.recycling import ChangeEffect, FollowUpKind, RecycleCondition, RecycleRules, Subject
from saas.kernel import Scalar
from saas.reads.mapping import EnumKind

LEVELS_MAX = 50
LEVEL_MAX = 20
KINDS_MAX = 10
CONDITIONS_MAX = 10
STAGES_MAX = 20
_KIND = re.compile(r"[a-z][a-z_]{0,19}", re.ASCII)


CONDITIONS_JOIN = EnumKind(
    "RecycleConditionsJoin",
    "How the conditions of recycling are joined.",
    {"ALL": ("all", "All of them must hold."), "ANY": ("any", "One of them must hold.")},
)
CONDITIONS_RECORDS = EnumKind(
    "RecycleConditionsRecords",
    "Which customers the conditions of recycling are about.",
    {
        "ALL": ("all", "All of them."),
        "CLAIMED": ("claimed", "Those that came from the pool: claimed, assigned or allocated."),
        "ENTERED": ("entered", "Those that were entered or imported with an owner."),
    },
)
CHANGE_EFFECT = EnumKind(
    "PoolChangeEffect",
    "Whom a change of recycling concerns.",
    {
        "ALL": ("all", "Everybody who holds customers, from the change's first day."),
        "NEW_OWNERSHIPS": (
            "new_ownerships",
            "Who receives a customer after it began; the others keep the rules that were in force for them.",
        ),
        "RESTART": ("restart", "Everybody; no clock counts from before the change's first day."),
    },
)


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
    recycle_opportunity_days: int | None = option(
        "P19",
        None,
        "Back to the pool after more days without an open opportunity; null: off.",
        least=1,
        most=DAYS_MAX,
        moves_due=True,
    )
    recycle_opportunity_days_by_level: tuple[LevelDays, ...] = option(
        "P22",
        (),
        "Other days of the opportunity rule for some levels; none: as the rule.",
        length=LEVELS_MAX,
        moves_due=True,
    )
    opportunity_moves_within_days: int = option(
        "P19",
        60,
        "Days that an open opportunity counts after its stage last advanced.",
        least=1,
        most=DAYS_MAX,
        moves_due=True,
    )
    follow_up_opportunity_exempt: bool = option(
        "P23", False, "Whether an open opportunity keeps a customer from the follow-up rule.", moves_due=True
    )
    deal_opportunity_exempt: bool = option(
        "P23", False, "Whether an open opportunity keeps a customer from the deal rule.", moves_due=True
    )
    recycle_dealt_follow_up_days: int | None = option(
        "P23",
        None,
        "A dealt customer goes after more days without a follow-up; null: off.",
        least=1,
        most=DAYS_MAX,
        moves_due=True,
    )
    recycle_decline_days: int | None = option(
        "P52",
        None,
        "Back to the pool more days after falling performance was found; null: off.",
        least=1,
        most=DAYS_MAX,
        moves_due=True,
    )
    recycle_contract_end_days: int | None = option(
        "P52",
        None,
        "Back to the pool more days after the last contract ended; null: off.",
        least=1,
        most=DAYS_MAX,
        moves_due=True,
    )
    recycle_conditions: tuple[RecycleCondition, ...] | None = option(
        "P21", None, "Conditions on which customers go back; null: off.", length=CONDITIONS_MAX, moves_due=True
    )
    recycle_conditions_join: str = option(
        "P21", "all", "Whether all conditions must hold, or one.", choices=CONDITIONS_JOIN, moves_due=True
    )
    recycle_conditions_records: str = option(
        "P21", "all", "Which customers the conditions are about.", choices=CONDITIONS_RECORDS, moves_due=True
    )
    collaborators_count: bool = option(
        "P25", False, "Whether follow-ups by others than the owner count.", moves_due=True
    )
    grace_days: int = option(
        "P27", 7, "Days after a change of recycling before which nothing is due; 1 is the next day.", least=1, most=90
    )
    change_effect: str = option(
        "P27", ChangeEffect.ALL.value, "Whom changes of recycling concern, this one included.", choices=CHANGE_EFFECT
    )

    def recycling_faults(self) -> Iterator[PoolRuleOutOfRange]:
        """What contradicts itself: levels of a rule that is off, a protection longer than its rule, no kind at all."""
        for rule in ("recycle_follow_up_days", "recycle_opportunity_days", "recycle_deal_days"):
            yield from self._faults_of_levels(rule)
        for rule in ("recycle_dealt_follow_up_days", "recycle_decline_days", "recycle_contract_end_days"):
            yield from self._faults_of_protection(rule, getattr(self, rule))
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
        yield from self._faults_of_conditions()

    def _faults_of_conditions(self) -> Iterator[PoolRuleOutOfRange]:
        """An empty list, which would match everybody (L21); days out of range; stages where there can be none."""
        name = "recycle_conditions"
        if self.recycle_conditions == ():
            yield PoolRuleOutOfRange("customers.pool_conditions_empty", field=(camel(name),))
        for at, each in enumerate(self.recycle_conditions or ()):
            if not 1 <= each.days <= DAYS_MAX:
                days: dict[str, Scalar] = {"given": each.days, "least": 1, "most": DAYS_MAX}
                yield PoolRuleOutOfRange("customers.pool_rule_out_of_range", days, field=(camel(name), str(at), "days"))
            if (each.subject is Subject.STAGE) != (1 <= len(each.stages) <= STAGES_MAX):
                told: dict[str, Scalar] = {"subject": each.subject.value, "count": len(each.stages)}
                yield PoolRuleOutOfRange(
                    "customers.pool_condition_stages", told, field=(camel(name), str(at), "stages")
                )

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
        if own is not None:
            yield from self._faults_of_protection(rule, shortest)

    def _faults_of_protection(self, rule: str, days: int | None) -> Iterator[PoolRuleOutOfRange]:
        if days is not None and 0 < days < self.protection_days <= DAYS_MAX:
            told: dict[str, Scalar] = {"protection": self.protection_days, "days": days, "rule": camel(rule)}
            yield PoolRuleOutOfRange("customers.pool_protection_beyond_rule", told, field=("protectionDays",))
