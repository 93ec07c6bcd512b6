"""History as people read it: the audit trail, and reports over what the other rooms keep; comparison stands here too.

The trail itself is written and verified by `saas.audit`; this room only maps it for reading.
"""

from saas.analytics.fairness import Alarm, FairnessReport, Figure, Line, Measure
from saas.analytics.queries import NEWCOMER_DAYS, FairnessWish, ShownReport, report_fairness
from saas.analytics.reads import reads

__all__ = [
    "NEWCOMER_DAYS",
    "Alarm",
    "FairnessReport",
    "FairnessWish",
    "Figure",
    "Line",
    "Measure",
    "ShownReport",
    "reads",
    "report_fairness",
]
