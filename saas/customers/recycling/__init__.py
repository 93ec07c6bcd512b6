"""Recycling (回收): whether, when and why a rule takes an owned customer back to the pool.

`recycle_verdict` is the one pure function for the job, the warnings and the days-left column.
"""

from saas.customers.recycling.clocks import Hold, RunningClock, Start
from saas.customers.recycling.comparing import Comparison, Effect, Held, Taken
from saas.customers.recycling.facts import (
    FollowUpFacts,
    OwnershipFacts,
    RecycleFacts,
    ReminderFacts,
    holding,
)
from saas.customers.recycling.follow_ups import effective_follow_up, effective_follow_ups, is_effective
from saas.customers.recycling.settings import FollowUpKind, InactivityRule, RecycleRule, RecycleRules
from saas.customers.recycling.verdict import Action, Verdict, recycle_verdict

__all__ = [
    "Action",
    "Comparison",
    "Effect",
    "FollowUpFacts",
    "FollowUpKind",
    "Held",
    "Hold",
    "InactivityRule",
    "OwnershipFacts",
    "RecycleFacts",
    "RecycleRule",
    "RecycleRules",
    "ReminderFacts",
    "RunningClock",
    "Start",
    "Taken",
    "Verdict",
    "effective_follow_up",
    "effective_follow_ups",
    "holding",
    "is_effective",
    "recycle_verdict",
]
