"""Whether other rules can take a customer sooner, whatever customers there are (L28).

A rule of the settings and not of numbers: whom a change takes tomorrow nobody knows today, and a change in ten small
steps is ten changes that can take a customer sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from operator import gt
from types import MappingProxyType
from typing import Any

from saas.customers.recycling.settings import (
    ConditionRule,
    FollowUpKind,
    InactivityRule,
    Records,
    RecycleRules,
    Restart,
)


def can_take_sooner(before: RecycleRules, after: RecycleRules) -> bool:
    """Whether a verdict by the new rules can come earlier than by those of before, for any customer on any day.

    What is not known to be harmless counts: a part of the rules that has no line in `_PARTS` may not change at all.
    """
    return _takes_older_sooner(before, after) or any(
        _PARTS.get(each.name, _differ)(getattr(before, each.name), getattr(after, each.name))
        for each in fields(RecycleRules)
    )


def _takes_older_sooner(before: RecycleRules, after: RecycleRules) -> bool:
    """Of the rules that older holdings go by (P27): without them the newest reach these, though they are no tighter
    than the newest were; with others than before, they may be.
    """
    old, new = ({each.version: each.rules for each in rules.earlier} for rules in (before, after))
    newest = replace(before, earlier=())
    return not old.keys() <= new.keys() or any(
        can_take_sooner(old.get(version, newest), rules) for version, rules in new.items()
    )


def _differ(before: Any, after: Any) -> bool:
    return bool(before != after)


def _not_by_itself(before: Any, after: Any) -> bool:
    """Of what is compared with other parts."""
    return False


def _is_rule_sooner(before: InactivityRule, after: InactivityRule) -> bool:
    """Switched on, fewer days for any level, or an exemption less."""
    if after.days is None:
        return False
    if before.days is None:
        return True
    levels = (None, *before.days_by_level, *after.days_by_level)
    return (
        any((after.days_for(level) or 0) < (before.days_for(level) or 0) for level in levels)
        or before.exempts_dealt > after.exempts_dealt
        or before.exempts_open_opportunity > after.exempts_open_opportunity
    )


def _is_condition_sooner(before: ConditionRule | None, after: ConditionRule | None) -> bool:
    """Other conditions than before but with more days; one of them in the place of all; other records than before."""
    if after is None or before is None:
        return after is not None
    pairs = zip(before.conditions, after.conditions, strict=False)
    return (
        len(before.conditions) != len(after.conditions)
        or any((one.subject, one.stages) != (two.subject, two.stages) or two.days < one.days for one, two in pairs)
        or before.asks_all > after.asks_all
        or before.records not in (after.records, Records.ALL)
    )


def _do_kinds_count_less(before: tuple[FollowUpKind, ...], after: tuple[FollowUpKind, ...]) -> bool:
    """A kind less, or one that needs more than it did; of a kind that is listed twice the first counts."""
    first = {each.kind: each for each in reversed(after)}
    return any(
        _needs_more(first.get(name), kind) for name, kind in {each.kind: each for each in reversed(before)}.items()
    )


def _needs_more(after: FollowUpKind | None, before: FollowUpKind) -> bool:
    return (
        after is None
        or after.least_seconds > before.least_seconds
        or after.least_characters > before.least_characters
        or after.needs_check_in > before.needs_check_in
    )


def _comes_earlier(before: Any, after: Any) -> bool:
    """Of the day before which nothing is due."""
    return before is not None and (after is None or after < before)


def _restarts_earlier(before: Restart | None, after: Restart | None) -> bool:
    """Of the day from before which no clock counts."""
    return before is not None and (after is None or after.on < before.on)


def _go_unannounced(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Without any reminder nothing waits for one that was not delivered."""
    return bool(before) and not after


_PARTS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "no_follow_up": _is_rule_sooner,
        "no_opportunity": _is_rule_sooner,
        "no_deal": _is_rule_sooner,
        "dealt_follow_up": _is_rule_sooner,
        "decline": _is_rule_sooner,
        "contract_end": _is_rule_sooner,
        "protection_ended": _is_rule_sooner,
        "protection_ends_from": _comes_earlier,
        "condition": _is_condition_sooner,
        "opportunity_days": gt,
        "protection_days": gt,
        "reminder_days": _go_unannounced,
        "not_before": _comes_earlier,
        "restart": _restarts_earlier,
        "earlier": _not_by_itself,
        "collaborators_count": gt,
        "follow_up_kinds": _do_kinds_count_less,
    }
)
"""Of each part of the rules, by value of before and after: whether the change of it can take a customer sooner.

`transfer_keeps_clock` has none: an earlier beginning of a holding lets more days have passed, and more work count.
"""
