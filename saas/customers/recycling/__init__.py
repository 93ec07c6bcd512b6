"""Recycling (回收): whether, when and why a rule takes an owned customer back to the pool.

`recycle_verdict` is the one pure function for the job, the warnings and the days-left column.
"""

from saas.customers.recycling.clocks import Hold, RunningClock, Start
from saas.customers.recycling.comparing import Comparison, DryRun, Effect, Held, Taken
from saas.customers.recycling.facts import (
    FollowUpFacts,
    OpportunityFacts,
    OwnershipFacts,
    RecycleFacts,
    ReminderFacts,
    holding,
)
from saas.customers.recycling.follow_ups import effective_days, effective_follow_up, effective_follow_ups, is_effective
from saas.customers.recycling.levels import CountedLevel, counted_level
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
from saas.customers.recycling.targets import (
    PersonFacts,
    PoolFacts,
    Receiver,
    Target,
    TargetRules,
    TargetWay,
    Unfit,
    recycle_target,
    told_target,
)
from saas.customers.recycling.verdict import Action, Verdict, recycle_verdict

__all__ = [
    "Action",
    "Comparison",
    "ConditionRule",
    "CountedLevel",
    "DryRun",
    "Effect",
    "FollowUpFacts",
    "FollowUpKind",
    "Held",
    "Hold",
    "InactivityRule",
    "OpportunityFacts",
    "OwnershipFacts",
    "PersonFacts",
    "PoolFacts",
    "Receiver",
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
    "Target",
    "TargetRules",
    "TargetWay",
    "Unfit",
    "Verdict",
    "counted_level",
    "effective_days",
    "effective_follow_up",
    "effective_follow_ups",
    "holding",
    "is_effective",
    "recycle_target",
    "recycle_verdict",
    "told_target",
]
