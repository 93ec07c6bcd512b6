"""How people use what they hold, and how that compares: with another period, with others, department with department.

Pure: plain values in, a report out. `observe` adds a customer to the tallies of people, `lines` makes the report.
"""

from saas.analytics.behaviour.facts import CustomerFacts, Terms, read_from, twelve_months
from saas.analytics.behaviour.flows import BACK_DAYS, Flow, add_flow
from saas.analytics.behaviour.measures import MEASURES, Figure, Measure, Unit, figure_of, percentile, ratio
from saas.analytics.behaviour.periods import Comparison, period_before, period_last_year, period_of
from saas.analytics.behaviour.report import FEWEST, Compared, Grouping, Line, Observed, Tree, lines
from saas.analytics.behaviour.returns import Return, ReturnKind, returns
from saas.analytics.behaviour.tallies import Seat, Tallies, Tally, add_achieved, observe, tally_of

__all__ = [
    "BACK_DAYS",
    "FEWEST",
    "MEASURES",
    "Compared",
    "Comparison",
    "CustomerFacts",
    "Figure",
    "Flow",
    "Grouping",
    "Line",
    "Measure",
    "Observed",
    "Return",
    "ReturnKind",
    "Seat",
    "Tallies",
    "Tally",
    "Terms",
    "Tree",
    "Unit",
    "add_achieved",
    "add_flow",
    "figure_of",
    "lines",
    "observe",
    "percentile",
    "period_before",
    "period_last_year",
    "period_of",
    "ratio",
    "read_from",
    "returns",
    "tally_of",
    "twelve_months",
]
