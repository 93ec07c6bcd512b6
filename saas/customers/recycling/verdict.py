"""When a rule takes an owned customer back to the pool, and why.

One pure function decides for the nightly job, the warnings and the days-left column, so they can't disagree. Days are
whole dates of the tenant's calendar; nothing here reads a clock, and no edit, import or tag of a record moves one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import Enum
from types import MappingProxyType

from saas.customers.recycling.clocks import (
    Exemption,
    Hold,
    RunningClock,
    Start,
    exemption_of,
    holds,
    kept_until,
    start_of,
)
from saas.customers.recycling.conditions import Judged, condition_clock, is_about, judged_conditions
from saas.customers.recycling.effects import rules_for, told_effect
from saas.customers.recycling.facts import RecycleFacts, holding
from saas.customers.recycling.settings import ConditionRule, RecycleRule, RecycleRules, Subject
from saas.kernel import Explanation
from saas.kernel.explanations import Shown

POSTPONEMENTS_MAX = 3
"""How often recycling waits a day for a reminder that nobody delivered (3.4)."""


class Action(Enum):
    """What the job does today. POSTPONE: due, but no reminder was delivered; it waits a day and that is reported."""

    KEEP = "keep"
    POSTPONE = "postpone"
    RECYCLE = "recycle"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done today, by which clock, and when.

    `due_on` is the day the customer goes as things stand: the clock's, or later where `hold` keeps it. On the last day
    before it `days_left` is 0 and the customer is still owned. `clock`, `due_on` and `days_left` are None where no
    rule runs. `reminder` is the reminder to send today, in days before; `is_warned` says whether lists show a warning.
    `explanation` is put together when it is asked for: of most verdicts nobody does.
    """

    action: Action
    clock: RunningClock | None
    due_on: date | None
    days_left: int | None
    hold: Hold | None
    reminder: int | None
    is_warned: bool
    case: _Case = field(repr=False, compare=False)

    @property
    def explanation(self) -> Explanation:
        """By which version of the rules it goes, where that is not plain; each rule with what its clock says, and what
        keeps the customer beyond the day.
        """
        told = tuple(self.case.told())
        if self.due_on is None:
            return Explanation("customers.recycle_never", parts=told)
        args: dict[str, Shown] = {"due_on": self.due_on.isoformat(), "days_left": self.days_left}
        args["today"] = self.case.today.isoformat()
        parts = told if self.hold is None else (*told, _held(self.hold, self.due_on, self.case.rules))
        return replace(_ROOTS[self.action], args=args, parts=parts)


@dataclass(frozen=True, slots=True)
class _Case:
    """What a verdict is about; `rules` are those of `pool_rules` that reach the customer."""

    facts: RecycleFacts
    rules: RecycleRules
    today: date
    pool_rules: RecycleRules

    def clocks(self) -> Iterator[tuple[RunningClock, Exemption | None]]:
        """Each rule of inactivity that is on, with why it does not run."""
        facts, rules = self.facts, self.rules
        received_on = holding(facts, rules)[0].began_on
        for rule, settings, days in rules.running(facts.level):
            exemption = exemption_of(rule, settings, facts, rules, received_on)
            start_on, start = start_of(rule, facts, rules, received_on, self.today)
            kept = kept_until(rule, settings, facts, rules)
            yield RunningClock(rule, days, start_on, start, kept), exemption

    def told(self) -> Iterator[Explanation]:
        """By which version, and each rule with what its clock says, or why it does not run."""
        yield from told_effect(self.facts, self.pool_rules)
        yield from (_told(clock, exemption, self) for clock, exemption in self.clocks())
        if self.rules.condition is not None:
            yield _told_conditions(self.rules.condition, self)


def recycle_verdict(facts: RecycleFacts, rules: RecycleRules, today: date) -> Verdict:
    """Whether the customer goes back to the pool today, and if not, when: the one function for job, warning and column.

    `rules` are the pool's, with those that a change left in force for older holdings: which of them reach the customer
    is decided here (P27). The earliest due date wins (P24); ties go by the order of `RecycleRule`.
    """
    case = _Case(facts, rules_for(facts, rules).rules, today, rules)
    clocks = [clock for clock, exemption in case.clocks() if exemption is None]
    by_condition = condition_clock(facts, case.rules)
    clocks += [] if by_condition is None else [by_condition]
    if not clocks:
        return Verdict(Action.KEEP, None, None, None, None, None, is_warned=False, case=case)
    return _verdict(min(clocks, key=lambda each: each.due_on), case)


def _verdict(clock: RunningClock, case: _Case) -> Verdict:
    facts, rules, today = case.facts, case.rules, case.today
    due_on, hold = clock.due_on, None
    for each, free_on in holds(facts, rules):
        if free_on is not None and free_on > due_on:
            due_on, hold = free_on, each
    days_left = (due_on - today).days - 1
    of_clock = [each for each in facts.reminders if (each.rule, each.start_on) == (clock.rule, clock.counted_from)]
    reached = min((days for days in rules.reminder_days if 0 <= days_left <= days), default=None)
    action = _action(clock, facts, rules, is_due=days_left < 0, was_told=any(each.is_delivered for each in of_clock))
    return Verdict(
        action=action,
        clock=clock,
        due_on=due_on,
        days_left=days_left,
        hold=hold,
        reminder=None if reached in {each.days for each in of_clock} else reached,
        is_warned=reached is not None,
        case=case,
    )


def _action(clock: RunningClock, facts: RecycleFacts, rules: RecycleRules, *, is_due: bool, was_told: bool) -> Action:
    if not is_due:
        return Action.KEEP
    waited = sum(day >= clock.due_on for day in facts.postponed_on)
    may_wait = rules.reminder_days and not was_told and waited < POSTPONEMENTS_MAX
    return Action.POSTPONE if may_wait else Action.RECYCLE


_ROOTS: Mapping[Action, Explanation] = MappingProxyType(
    {
        Action.KEEP: Explanation("customers.recycle_later"),
        Action.POSTPONE: Explanation("customers.recycle_postponed"),
        Action.RECYCLE: Explanation("customers.recycle_today"),
    }
)
_RULES: Mapping[RecycleRule, Explanation] = MappingProxyType(
    {
        RecycleRule.NO_FOLLOW_UP: Explanation("customers.recycle_rule_no_follow_up"),
        RecycleRule.NO_OPPORTUNITY: Explanation("customers.recycle_rule_no_opportunity"),
        RecycleRule.NO_DEAL: Explanation("customers.recycle_rule_no_deal"),
        RecycleRule.DEALT_FOLLOW_UP: Explanation("customers.recycle_rule_dealt_follow_up"),
        RecycleRule.DECLINE: Explanation("customers.recycle_rule_decline"),
        RecycleRule.CONTRACT_END: Explanation("customers.recycle_rule_contract_end"),
        RecycleRule.PROTECTION_ENDED: Explanation("customers.recycle_rule_protection_ended"),
    }
)
_STARTS: Mapping[Start, Explanation] = MappingProxyType(
    {
        Start.CREATED: Explanation("customers.recycle_from_created"),
        Start.RECEIVED: Explanation("customers.recycle_from_received"),
        Start.FOLLOW_UP: Explanation("customers.recycle_from_follow_up"),
        Start.DEAL: Explanation("customers.recycle_from_deal"),
        Start.DECLINE: Explanation("customers.recycle_from_decline"),
        Start.CONTRACT_END: Explanation("customers.recycle_from_contract_end"),
        Start.PROTECTION: Explanation("customers.recycle_from_protection"),
        Start.RESTART: Explanation("customers.recycle_from_restart"),
    }
)
_EXEMPTIONS: Mapping[Exemption, Explanation] = MappingProxyType(
    {
        Exemption.DEALT: Explanation("customers.recycle_exempt_dealt"),
        Exemption.NOT_DEALT: Explanation("customers.recycle_exempt_not_dealt"),
        Exemption.NOT_DECLINING: Explanation("customers.recycle_exempt_not_declining"),
        Exemption.NO_CONTRACT: Explanation("customers.recycle_exempt_no_contract"),
        Exemption.NOT_PROTECTED: Explanation("customers.recycle_exempt_not_protected"),
    }
)
_ALL_CONDITIONS = Explanation("customers.recycle_rule_all_conditions")
_ANY_CONDITION = Explanation("customers.recycle_rule_any_condition")
_CONDITIONS: Mapping[Subject, Explanation] = MappingProxyType(
    {
        Subject.HELD: Explanation("customers.recycle_condition_held"),
        Subject.CREATED: Explanation("customers.recycle_condition_created"),
        Subject.STAGE: Explanation("customers.recycle_condition_stage"),
    }
)
_HOLDS: Mapping[Hold, Explanation] = MappingProxyType(
    {
        Hold.PROTECTION: Explanation("customers.recycle_held_protection"),
        Hold.LOCK: Explanation("customers.recycle_held_lock"),
        Hold.REP_PROTECTION: Explanation("customers.recycle_held_rep_protection"),
        Hold.EXTENSION: Explanation("customers.recycle_held_extension"),
        Hold.GRACE: Explanation("customers.recycle_held_grace"),
        Hold.POSTPONED: Explanation("customers.recycle_held_postponed"),
    }
)


def _told(clock: RunningClock, exemption: Exemption | None, case: _Case) -> Explanation:
    """A rule with what its clock says and what keeps it, or why it does not run."""
    if exemption is Exemption.DEALT:
        parts: tuple[Explanation, ...] = (replace(_EXEMPTIONS[exemption], args={"on": str(case.facts.last_deal_on)}),)
    elif exemption is not None:
        parts = (_EXEMPTIONS[exemption],)
    else:
        elapsed = max(0, (case.today - clock.start_on).days)  # a contract or a protection may still run
        args: dict[str, Shown] = {"on": clock.start_on.isoformat(), "elapsed": elapsed}
        args["due_on"] = clock.ripe_on.isoformat()
        parts = (replace(_STARTS[clock.start], args=args), *_kept(clock, case.rules))
    return replace(_RULES[clock.rule], args={"days": clock.days}, parts=parts)


def _told_conditions(rule: ConditionRule, case: _Case) -> Explanation:
    """All conditions with from when on each holds, whether one or all of them are needed."""
    root = _ALL_CONDITIONS if rule.asks_all else _ANY_CONDITION
    if not is_about(rule, case.facts):
        return replace(root, parts=(Explanation("customers.recycle_exempt_records"),))
    judged = judged_conditions(rule, case.facts, case.rules)
    return replace(root, parts=tuple(_told_condition(each, case.today) for each in judged))


def _told_condition(judged: Judged, today: date) -> Explanation:
    args: dict[str, Shown] = {"days": judged.condition.days}
    if judged.condition.subject is Subject.STAGE:
        args["stages"] = ", ".join(judged.condition.stages)
    if judged.clock is None:
        return Explanation("customers.recycle_condition_no_stage", args)
    args |= {"on": judged.clock.start_on.isoformat(), "elapsed": (today - judged.clock.start_on).days}
    return replace(_CONDITIONS[judged.condition.subject], args={**args, "from_on": judged.clock.due_on.isoformat()})


def _kept(clock: RunningClock, rules: RecycleRules) -> Iterator[Explanation]:
    """That an open opportunity keeps the customer beyond the clock's own day."""
    if clock.kept_until is not None and clock.due_on > clock.ripe_on:
        advanced_on = clock.kept_until - timedelta(days=rules.opportunity_days)
        args: dict[str, Shown] = {"on": advanced_on.isoformat(), "days": rules.opportunity_days}
        yield Explanation("customers.recycle_kept_opportunity", {**args, "until": clock.kept_until.isoformat()})


def _held(hold: Hold, due_on: date, rules: RecycleRules) -> Explanation:
    return replace(
        _HOLDS[hold], args={"until": (due_on - timedelta(days=1)).isoformat(), "days": rules.protection_days}
    )
