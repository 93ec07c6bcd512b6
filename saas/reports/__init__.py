"""Reports that take longer than a request: asked for, reckoned by the worker page by page, kept for some days.

A room above gives a kind (`ReportKind`): how a page is reckoned and how the pages are put together. Here stand what
all of them share: states, steps that survive a kill, the bound on how many run, the stored result, its removal.
"""

from saas.reports.actions import Reporter, discard_report, start_report
from saas.reports.errors import PersonGone, ReportNotFound, ReportNotReady, ReportsRunning
from saas.reports.events import REPORT_STEP_DUE, TOPICS
from saas.reports.jobs import REPORT, ReportJobs, purge_reports
from saas.reports.kinds import Asked, Finished, Found, Page, Presence, ReportKind
from saas.reports.queries import Report, get_ready, get_report, list_items, list_reports
from saas.reports.rules import KEPT, MOST_RUNNING, ReportState

__all__ = [
    "KEPT",
    "MOST_RUNNING",
    "REPORT",
    "REPORT_STEP_DUE",
    "TOPICS",
    "Asked",
    "Finished",
    "Found",
    "Page",
    "PersonGone",
    "Presence",
    "Report",
    "ReportJobs",
    "ReportKind",
    "ReportNotFound",
    "ReportNotReady",
    "ReportState",
    "Reporter",
    "ReportsRunning",
    "discard_report",
    "get_ready",
    "get_report",
    "list_items",
    "list_reports",
    "purge_reports",
    "start_report",
]
