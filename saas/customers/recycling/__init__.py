"""Recycling (回收): whether, when and why a rule takes an owned customer back to the pool.

`recycle_verdict` is the one pure function for the job, the warnings and the days-left column.
"""

from saas.customers.recycling.clocks import Hold, RunningClock, Start
from saas.customers.recycling.comparing import Comparison, DryRun, Effect, Held, Taken
from saas.customers.recycling.effects import rules_for
from saas.customers.recycling.facts import (
    FollowUpFacts,
    OpportunityFacts,
    OwnershipFacts,
    ProtectionFacts,
    RecycleFacts,
    ReminderFacts,
    holding,
)
from saas.customers.recycling.follow_ups import effective_days, effective_follow_up, effective_follow_ups, is_effective
from saas.customers.recycling.levels import CountedLevel, counted_level
from saas.customers.recycling.protections import last_protected_on
from saas.customers.recycling.settings import (
    ChangeEffect,
    ConditionRule,
    EarlierRules,
    FollowUpKind,
    InactivityRule,
    Records,
    RecycleCondition,
    RecycleRule,
    RecycleRules,
    Restart,
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
from saas.customers.recycling.tightening import can_take_sooner
from saas.customers.recycling.verdict import Action, Verdict, recycle_verdict

__all__ = [
    "Action",
    "ChangeEffect",
    "Comparison",
    "ConditionRule",
    "CountedLevel",
    "DryRun",
    "EarlierRules",
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
    "ProtectionFacts",
    "Receiver",
    "Records",
    "RecycleCondition",
    "RecycleFacts",
    "RecycleRule",
    "RecycleRules",
    "ReminderFacts",
    "Restart",
    "RunningClock",
    "Start",
    "Subject",
    "Taken",
    "Target",
    "TargetRules",
    "TargetWay",
    "Unfit",
    "Verdict",
    "can_take_sooner",
    "counted_level",
    "effective_days",
    "effective_follow_up",
    "effective_follow_ups",
    "holding",
    "is_effective",
    "last_protected_on",
    "recycle_target",
    "recycle_verdict",
    "rules_for",
    "told_target",
]
