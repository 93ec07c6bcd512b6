"""The settings of a pool that decide recycling (P17 to P28, P52)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, StrEnum

from saas.customers.errors import PoolRuleOutOfRange
from saas.kernel import Scalar

DAYS_MAX = 3650


class RecycleRule(Enum):
    """The rules, in the order that breaks a tie of due dates: P18, P19, P20, dealt customers' own N (L15), falling
    performance, P52, P16, P21.
    """

    NO_FOLLOW_UP = "no_follow_up"
    NO_OPPORTUNITY = "no_opportunity"
    NO_DEAL = "no_deal"
    DEALT_FOLLOW_UP = "dealt_follow_up"
    DECLINE = "decline"
    CONTRACT_END = "contract_end"
    PROTECTION_ENDED = "protection_ended"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class InactivityRule:
    """One rule: more than `days` without; None is off. `days_by_level` has its own N for some levels (P22)."""

    days: int | None
    days_by_level: Mapping[str, int] = field(default_factory=dict)
    exempts_dealt: bool = True
    exempts_open_opportunity: bool = False

    def days_for(self, level: str | None) -> int | None:
        """N for a customer of that level; None where the rule is off."""
        return self.days if self.days is None or level is None else self.days_by_level.get(level, self.days)


class Subject(StrEnum):
    """What a condition is about (P21)."""

    HELD = "held"
    CREATED = "created"
    STAGE = "stage"


class Records(StrEnum):
    """Which customers the conditions are about: by how the first owner since the pool came to them."""

    ALL = "all"
    CLAIMED = "claimed"
    ENTERED = "entered"


@dataclass(frozen=True, slots=True)
class RecycleCondition:
    """A condition, true once more than `days` have passed since the holding began, since the customer was entered, or
    since its furthest open opportunity, standing in one of the `stages`, last advanced.
    """

    subject: Subject
    days: int
    stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConditionRule:
    """Conditions that must all hold, or one of which must, for the customers that it is about."""

    conditions: tuple[RecycleCondition, ...]
    asks_all: bool = True
    records: Records = Records.ALL


@dataclass(frozen=True, slots=True)
class FollowUpKind:
    """What a kind of follow-up needs to count: the length of its call record in seconds, of its text, a check-in."""

    kind: str
    least_seconds: int = 0
    least_characters: int = 0
    needs_check_in: bool = False


class ChangeEffect(StrEnum):
    """Whom a change of the rules concerns (P27)."""

    ALL = "all"
    NEW_OWNERSHIPS = "new_ownerships"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Restart:
    """A change that let the clocks of every rule begin anew: its version, and its first day."""

    version: int
    on: date


@dataclass(frozen=True, slots=True)
class EarlierRules:
    """The rules up to a version that holdings still go by which were open when the next one began (P27).

    The next began on `until_on`; of that day those count as open before that began before `until_at`, when it was
    decided, None: all of them.
    """

    version: int
    until_on: date
    until_at: datetime | None
    rules: RecycleRules


@dataclass(frozen=True, slots=True)
class RecycleRules:
    """The settings of a pool that decide recycling; days are calendar days.

    `protection_days` keep a customer with a new owner (P17). `reminder_days` are days before (P28). A change of rules
    makes nothing due before `not_before`; no clock counts from before the day of `restart`; `earlier` are the rules
    that older holdings go by, the oldest first (P27).

    Protections by reps that are over on `protection_ends_from` or later bring the customer back, where
    `protection_ended` is on (P16); None: whenever they were.

    `dealt_follow_up` is no follow-up of a customer with a deal, whom P18 leaves alone (L15). `decline` counts from the
    day on which falling performance was established, `contract_end` from the end of the last contract (P52). An open
    opportunity counts for `opportunity_days` from the day on which its stage last advanced (L12).
    """

    no_follow_up: InactivityRule = InactivityRule(30)
    no_opportunity: InactivityRule = InactivityRule(None, exempts_open_opportunity=True)
    no_deal: InactivityRule = InactivityRule(180)
    dealt_follow_up: InactivityRule = InactivityRule(None, exempts_dealt=False)
    decline: InactivityRule = InactivityRule(None, exempts_dealt=False)
    contract_end: InactivityRule = InactivityRule(None, exempts_dealt=False)
    protection_ended: InactivityRule = InactivityRule(None)
    protection_ends_from: date | None = None
    condition: ConditionRule | None = None
    opportunity_days: int = 60
    protection_days: int = 3
    reminder_days: tuple[int, ...] = (7, 3, 1)
    not_before: date | None = None
    restart: Restart | None = None
    earlier: tuple[EarlierRules, ...] = ()
    transfer_keeps_clock: bool = True
    collaborators_count: bool = False
    follow_up_kinds: tuple[FollowUpKind, ...] = (
        FollowUpKind("call", least_seconds=30),
        FollowUpKind("visit"),
        FollowUpKind("meeting"),
        FollowUpKind("note", least_characters=20),
    )

    def running(self, level: str | None) -> Iterator[tuple[RecycleRule, InactivityRule, int]]:
        """The rules of inactivity that are on, each with its N for the level."""
        rules = {
            RecycleRule.NO_FOLLOW_UP: self.no_follow_up,
            RecycleRule.NO_OPPORTUNITY: self.no_opportunity,
            RecycleRule.NO_DEAL: self.no_deal,
            RecycleRule.DEALT_FOLLOW_UP: self.dealt_follow_up,
            RecycleRule.DECLINE: self.decline,
            RecycleRule.CONTRACT_END: self.contract_end,
            RecycleRule.PROTECTION_ENDED: self.protection_ended,
        }
        for name, rule in rules.items():
            days = rule.days_for(level)
            if days is not None:
                yield name, rule, days

    def asks_opportunities(self, level: str | None) -> bool:
        """Whether what is open decides anything: most pools never look."""
        conditions = () if self.condition is None else self.condition.conditions
        return any(each.subject is Subject.STAGE for each in conditions) or any(
            rule is RecycleRule.NO_OPPORTUNITY or settings.exempts_open_opportunity
            for rule, settings, _ in self.running(level)
        )

    def check(self) -> None:
        """Refuse a number of days out of range.

        :raises PoolRuleOutOfRange: naming the number and the range.
        """
        numbers = [days for _, rule, days in self.running(None) for days in (days, *rule.days_by_level.values())]
        for given in (*numbers, self.opportunity_days, self.protection_days, *self.reminder_days):
            if not 0 <= given <= DAYS_MAX:
                values: dict[str, Scalar] = {"given": given, "least": 0, "most": DAYS_MAX}
                raise PoolRuleOutOfRange("customers.pool_rule_out_of_range", values)
