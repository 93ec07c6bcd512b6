"""Whether a pool was dealt fairly: its figures against what chance makes of the published weights.

Pure: plain values in, a report out. `audit` is all of it; `redraw` and `judged` are its two halves.
"""

from saas.analytics.fairness.concentration import gini, jain
from saas.analytics.fairness.design import Design
from saas.analytics.fairness.facts import AuditedPeriod, AuditedPick, Measure, Wheel, is_newcomer
from saas.analytics.fairness.redraws import LEAST_EFFECTIVE, TIMES, Null, redraw
from saas.analytics.fairness.report import LEVEL, Alarm, FairnessReport, Figure, Line, audit, judged, seed_of

__all__ = [
    "LEAST_EFFECTIVE",
    "LEVEL",
    "TIMES",
    "Alarm",
    "AuditedPeriod",
    "AuditedPick",
    "Design",
    "FairnessReport",
    "Figure",
    "Line",
    "Measure",
    "Null",
    "Wheel",
    "audit",
    "gini",
    "is_newcomer",
    "jain",
    "judged",
    "redraw",
    "seed_of",
]
