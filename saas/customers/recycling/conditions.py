"""The condition rule (P21): how long a customer is held, how old it is, and a stage that stands still, by AND or OR.

Each condition is true from a day that is known ahead: AND is the latest of them, OR the earliest. What is missing
never matches (L19), and no conditions at all match nobody (L21).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from saas.customers.recycling.clocks import RunningClock, Start, opportunities_of_holding
from saas.customers.recycling.facts import RecycleFacts, holding
from saas.customers.recycling.settings import (
    ConditionRule,
    Records,
    RecycleCondition,
    RecycleRule,
    RecycleRules,
    Subject,
)

_ENTERED = frozenset({"created", "imported"})


@dataclass(frozen=True, slots=True)
class Judged:
    """A condition with the clock that says from when on it is true, None where it can't become true by time alone."""

    condition: RecycleCondition
    clock: RunningClock | None


def condition_clock(facts: RecycleFacts, rules: RecycleRules) -> RunningClock | None:
    """The clock of the condition that decides; None where the rule is off, or what it asks for is not there."""
    rule = rules.condition
    if rule is None or not is_about(rule, facts):
        return None
    judged = [each.clock for each in judged_conditions(rule, facts, rules)]
    clocks = [each for each in judged if each is not None]
    if not clocks or (rule.asks_all and len(clocks) < len(judged)):
        return None
    return (max if rule.asks_all else min)(clocks, key=lambda each: each.due_on)


def is_about(rule: ConditionRule, facts: RecycleFacts) -> bool:
    """Whether the customer came the way that the rule is about: a transfer changes nothing of that."""
    kinds = [each.start_kind for each in facts.ownerships if each.start_kind != "transfer"]
    is_entered = bool(kinds) and kinds[-1] in _ENTERED
    return rule.records is Records.ALL or is_entered == (rule.records is Records.ENTERED)


def judged_conditions(rule: ConditionRule, facts: RecycleFacts, rules: RecycleRules) -> Iterator[Judged]:
    """Each condition, in the order of the settings."""
    for each in rule.conditions:
        yield Judged(each, _clock(each, facts, rules))


def _clock(condition: RecycleCondition, facts: RecycleFacts, rules: RecycleRules) -> RunningClock | None:
    start_on, start = holding(facts, rules)[0].began_on, Start.RECEIVED
    if condition.subject is Subject.CREATED and facts.created_on is not None:
        start_on, start = facts.created_on, Start.CREATED
    elif condition.subject is Subject.STAGE:
        opened = opportunities_of_holding(facts, rules)
        furthest = max(opened, key=lambda each: (each.position, each.advanced_on), default=None)
        if furthest is None or furthest.stage not in condition.stages:
            return None
        start_on, start = furthest.advanced_on, Start.STAGE
    if rules.restart is not None and rules.restart.on > start_on:
        start_on, start = rules.restart.on, Start.RESTART
    return RunningClock(RecycleRule.CONDITION, condition.days, start_on, start)
