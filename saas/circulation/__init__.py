"""Performance-driven circulation: old customers that decline, and the periodic assessment of what reps hold.

Both are judged by pure rules against a policy of the pool; what they decide is warned of, appealed against and carried
out through the customers room, and explains itself.
"""

from saas.circulation.actions.appeals import decide_appeal, file_appeal
from saas.circulation.actions.assessments import (
    AssessmentWish,
    announce_assessment,
    ask_to_move,
    cancel_assessment,
    create_assessment,
)
from saas.circulation.actions.dry_run_reports import (
    DeclineDryRunReport,
    StoredForecast,
    get_decline_dry_run,
    start_decline_dry_run,
)
from saas.circulation.actions.dry_running import DeclineForecast, dry_run_declines
from saas.circulation.actions.policies import PolicyChange, change_policy
from saas.circulation.events import TOPICS
from saas.circulation.queries import explain_decline, explain_line, explain_person
from saas.circulation.reads import ASSESSMENT_CYCLE, ASSESSMENT_ROTATION, reads
from saas.circulation.rules.terms import (
    AssessmentTerms,
    Cycle,
    DeclineMeasure,
    DeclineTerms,
    PolicyKind,
    Rotation,
    UseMeasure,
)

__all__ = [
    "ASSESSMENT_CYCLE",
    "ASSESSMENT_ROTATION",
    "TOPICS",
    "AssessmentTerms",
    "AssessmentWish",
    "Cycle",
    "DeclineDryRunReport",
    "DeclineForecast",
    "DeclineMeasure",
    "DeclineTerms",
    "PolicyChange",
    "PolicyKind",
    "Rotation",
    "StoredForecast",
    "UseMeasure",
    "announce_assessment",
    "ask_to_move",
    "cancel_assessment",
    "change_policy",
    "create_assessment",
    "decide_appeal",
    "dry_run_declines",
    "explain_decline",
    "explain_line",
    "explain_person",
    "file_appeal",
    "get_decline_dry_run",
    "reads",
    "start_decline_dry_run",
]
