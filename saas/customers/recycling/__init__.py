"""Recycling (回收): whether, when and why a rule takes an owned customer back to the pool.

`recycle_verdict` is the one pure function for the job, the warnings and the days-left column.
"""

from saas.customers.recycling.clocks import Hold, RunningClock, Start
from saas.customers.recycling.comparing import Comparison, Effect, Held, Taken
from saas.customers.recycling.facts import (
    FollowUpFacts,
    OpportunityFacts,
    OwnershipFacts,
    RecycleFacts,
    ReminderFacts,
    holding,
)
from saas.customers.recycling.follow_ups import effective_days, effective_follow_up, is_effective
from saas.customers.recycling.settings import (
    ConditionRule,
    FollowUpKind,
    InactivityRule,
    Records,
    RecycleCondition,
    RecycleRule,
    RecycleRules,
    Subject,
)
from saas.customers.recycling.verdict import Action, Verdict, recycle_verdict

__all__ = [
    "Action",
    "Comparison",
    "ConditionRule",
    "Effect",
    "FollowUpFacts",
    "FollowUpKind",
    "Held",
    "Hold",
    "InactivityRule",
    "OpportunityFacts",
    "OwnershipFacts",
    "Records",
    "RecycleCondition",
    "RecycleFacts",
    "RecycleRule",
    "RecycleRules",
    "ReminderFacts",
    "RunningClock",
    "Start",
    "Subject",
    "Taken",
    "Verdict",
    "effective_days",
    "effective_follow_up",
    "holding",
    "is_effective",
    "recycle_verdict",
]
