"""Allocation (分配) of pooled customers to people by a method: pure, explained, and replayed from its roster.

A draw can be verified by outsiders: commit, allocate, certify; `verifier.py` is the one file that they run.
"""

from saas.customers.allocation.certificate import (
    Certificate,
    Commitment,
    PublicSeed,
    Seal,
    SecretSeed,
    certify,
    commit,
    extract,
)
from saas.customers.allocation.chances import DealtUnit, chances
from saas.customers.allocation.choices import (
    GO_BY_FACTS,
    IN_LINE,
    NOTHING_KNOWN,
    AllocationRule,
    Condition,
    CounterCycle,
    CustomerFacts,
    MatchPlan,
    Method,
    NewcomerFloor,
    OrderedRules,
    PluginMethod,
    PluginPlace,
    Trait,
    TraitKind,
)
from saas.customers.allocation.dealing import Allocation, DrawnNumber, Filtered, FilterRule, Nobody, Pick
from saas.customers.allocation.departments import with_department_shares
from saas.customers.allocation.errors import (
    DrawSeedRefused,
    GuaranteesExceedWhole,
    NotInDraw,
    PeriodStillOpen,
    RosterImpossible,
)
from saas.customers.allocation.explaining import PickFacts, explain_passed_over, explain_pick, shown_shares
from saas.customers.allocation.matching import preferred_first
from saas.customers.allocation.methods import allocate, shares_of
from saas.customers.allocation.missed import WITHOUT_LINE, made_up, made_up_places, missed_parts
from saas.customers.allocation.newcomers import guaranteed_newcomers
from saas.customers.allocation.performance import PerformancePlan
from saas.customers.allocation.roster import Candidate, DepartmentRoom, Missed, PooledCustomer, Roster
from saas.customers.allocation.tallies import Tallies, Tally, tallied
from saas.customers.allocation.verifier import Finding, verify_certificate
from saas.customers.allocation.weights import ramp_percent

__all__ = [
    "GO_BY_FACTS",
    "IN_LINE",
    "NOTHING_KNOWN",
    "WITHOUT_LINE",
    "Allocation",
    "AllocationRule",
    "Candidate",
    "Certificate",
    "Commitment",
    "Condition",
    "CounterCycle",
    "CustomerFacts",
    "DealtUnit",
    "DepartmentRoom",
    "DrawSeedRefused",
    "DrawnNumber",
    "FilterRule",
    "Filtered",
    "Finding",
    "GuaranteesExceedWhole",
    "MatchPlan",
    "Method",
    "Missed",
    "NewcomerFloor",
    "Nobody",
    "NotInDraw",
    "OrderedRules",
    "PerformancePlan",
    "PeriodStillOpen",
    "Pick",
    "PickFacts",
    "PluginMethod",
    "PluginPlace",
    "PooledCustomer",
    "PublicSeed",
    "Roster",
    "RosterImpossible",
    "Seal",
    "SecretSeed",
    "Tallies",
    "Tally",
    "Trait",
    "TraitKind",
    "allocate",
    "certify",
    "chances",
    "commit",
    "explain_passed_over",
    "explain_pick",
    "extract",
    "guaranteed_newcomers",
    "made_up",
    "made_up_places",
    "missed_parts",
    "preferred_first",
    "ramp_percent",
    "shares_of",
    "shown_shares",
    "tallied",
    "verify_certificate",
    "with_department_shares",
]
