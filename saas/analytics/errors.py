"""Refusals of the analytics room."""

from __future__ import annotations

from saas.kernel import BadUserInput, Conflict, LimitReached, NotFound, RuleRefused


class ReportPeriodRefused(BadUserInput):
    """A period that ends before it begins, or is longer than a report is of."""


class ReportTooLarge(LimitReached):
    """More picks or people than a request works through in its time."""


class ReportsBusy(LimitReached):
    """Large reports are made one at a time in each process."""


class ReportSettingsChanged(Conflict):
    """A pool's settings were changed while a report was reckoned, so its pages would be judged by different ones."""


class ReportScopeNarrower(RuleRefused):
    """A stored report tells of people whom its reader may not see any more."""


class GroupPersonNotFound(NotFound):
    """Somebody in a declared group is missing, another company's, or nobody whose picks the caller may see."""


class ReportDepartmentNotFound(NotFound):
    """The department that a report is to be about is missing or another company's."""
