"""Refusals of the reports room."""

from __future__ import annotations

from saas.kernel import Conflict, LimitReached, NotFound, RuleRefused


class ReportNotFound(NotFound):
    """Missing, removed, of another kind, another person's or company's: they are one."""


class ReportNotReady(Conflict):
    """The report is being reckoned, or could not be."""


class ReportsRunning(LimitReached):
    """As many reports of the company are being reckoned as may be at a time."""


class PersonGone(RuleRefused):
    """Whoever asked for a report is no member of the company any more."""
