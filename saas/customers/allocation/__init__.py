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
from saas.customers.allocation.dealing import Allocation, DrawnNumber, Filtered, FilterRule, Nobody, Pick
from saas.customers.allocation.errors import (
    DrawSeedRefused,
    GuaranteesExceedWhole,
    NotInDraw,
    PeriodStillOpen,
    RosterImpossible,
)
from saas.customers.allocation.explaining import PickFacts, explain_passed_over, explain_pick, shown_shares
from saas.customers.allocation.methods import allocate, shares_of
from saas.customers.allocation.performance import PerformancePlan
from saas.customers.allocation.roster import Candidate, Method, NewcomerFloor, PooledCustomer, Roster
from saas.customers.allocation.tallies import Tallies, Tally, tallied
from saas.customers.allocation.verifier import Finding, verify_certificate

__all__ = [
    "Allocation",
    "Candidate",
    "Certificate",
    "Commitment",
    "DealtUnit",
    "DrawSeedRefused",
    "DrawnNumber",
    "FilterRule",
    "Filtered",
    "Finding",
    "GuaranteesExceedWhole",
    "Method",
    "NewcomerFloor",
    "Nobody",
    "NotInDraw",
    "PerformancePlan",
    "PeriodStillOpen",
    "Pick",
    "PickFacts",
    "PooledCustomer",
    "PublicSeed",
    "Roster",
    "RosterImpossible",
    "Seal",
    "SecretSeed",
    "Tallies",
    "Tally",
    "allocate",
    "certify",
    "chances",
    "commit",
    "explain_passed_over",
    "explain_pick",
    "extract",
    "shares_of",
    "shown_shares",
    "tallied",
    "verify_certificate",
]
