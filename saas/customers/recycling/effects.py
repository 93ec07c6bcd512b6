"""By which version of the rules a customer goes: whom a change reaches, and whom it leaves to those before (P27).

A change reaches all holdings, or those that begin after it; each holding goes by the newest version that reaches it.
What a holding is, each version says itself: where it lets a transfer begin a holding, the transfer begins a new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from saas.customers.recycling.facts import RecycleFacts, holding
from saas.customers.recycling.settings import EarlierRules, RecycleRules
from saas.kernel import Explanation


class Reached(NamedTuple):
    """The rules that a customer goes by. `left` are those that a newer version left in force for it; None: the newest
    reaches it.
    """

    rules: RecycleRules
    left: EarlierRules | None = None


def rules_for(facts: RecycleFacts, rules: RecycleRules) -> Reached:
    """The newest of the rules that reach the customer's holding; the oldest reach all."""
    reached = Reached(rules)
    for each in reversed(rules.earlier):
        if not _was_open(facts, reached.rules, each):
            break
        reached = Reached(each.rules, each)
    return reached


def _was_open(facts: RecycleFacts, newer: RecycleRules, earlier: EarlierRules) -> bool:
    """Whether the holding, as the newer rules mean it, was open when these began."""
    first = holding(facts, newer)[0]
    if first.began_on != earlier.until_on:
        return first.began_on < earlier.until_on
    return first.began_at is not None and (earlier.until_at is None or first.began_at < earlier.until_at)


def told_effect(facts: RecycleFacts, rules: RecycleRules) -> Iterator[Explanation]:
    """By which version the customer goes and why, where a change reached but some, or let clocks begin anew."""
    left = rules_for(facts, rules).left
    if left is not None:
        yield Explanation(
            "customers.recycle_by_earlier_version",
            {"version": left.version, "next": left.version + 1, "from": left.until_on.isoformat()},
        )
    elif rules.earlier:
        newest = rules.earlier[-1]
        yield Explanation(
            "customers.recycle_by_newer_version",
            {"version": newest.version + 1, "from": newest.until_on.isoformat()},
        )
    restart = rules.restart
    if restart is not None and holding(facts, rules_for(facts, rules).rules)[0].began_on < restart.on:
        yield Explanation(
            "customers.recycle_clocks_restarted", {"version": restart.version, "from": restart.on.isoformat()}
        )
