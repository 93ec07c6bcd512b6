"""History as people read it: the audit trail, and reports over what the other rooms keep; comparison stands here too.

The trail itself is written and verified by `saas.audit`; this room only maps it for reading.
"""

from saas.analytics.behaviour import (
    Compared,
    Comparison,
    Flow,
    Grouping,
    Return,
    Unit,
    ratio,
)
from saas.analytics.behaviour import Figure as BehaviourFigure
from saas.analytics.behaviour import Line as BehaviourLine
from saas.analytics.behaviour_queries import (
    FileFormat,
    PoolMetrics,
    ShownBehaviour,
    export_behaviour,
    measure_pool,
    other_period,
    report_behaviour,
    reported_period,
)
from saas.analytics.behaviour_reading import CONVERSION_DAYS, NEW_DAYS, BehaviourWish
from saas.analytics.behaviour_reports import (
    BehaviourReportKind,
    export_stored_behaviour,
    read_behaviour,
    start_behaviour,
)
from saas.analytics.behaviour_rows import BEHAVIOUR_COLUMNS, Writing, file_of, names_for, rows_of
from saas.analytics.fairness import Alarm, FairnessReport, Figure, Line, Measure
from saas.analytics.queries import NEWCOMER_DAYS, FairnessWish, ShownReport, report_fairness
from saas.analytics.reads import reads

__all__ = [
    "BEHAVIOUR_COLUMNS",
    "CONVERSION_DAYS",
    "NEWCOMER_DAYS",
    "NEW_DAYS",
    "Alarm",
    "BehaviourFigure",
    "BehaviourLine",
    "BehaviourReportKind",
    "BehaviourWish",
    "Compared",
    "Comparison",
    "FairnessReport",
    "FairnessWish",
    "Figure",
    "FileFormat",
    "Flow",
    "Grouping",
    "Line",
    "Measure",
    "PoolMetrics",
    "Return",
    "ShownBehaviour",
    "ShownReport",
    "Unit",
    "Writing",
    "export_behaviour",
    "export_stored_behaviour",
    "file_of",
    "measure_pool",
    "names_for",
    "other_period",
    "ratio",
    "read_behaviour",
    "reads",
    "report_behaviour",
    "report_fairness",
    "reported_period",
    "rows_of",
    "start_behaviour",
]
