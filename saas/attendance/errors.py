"""Refusals of the attendance room."""

from __future__ import annotations

from saas.kernel import BadUserInput, Conflict, NotFound, RuleRefused


class DayCountRefused(BadUserInput):
    """A month, a kind or a number of days that can't be."""


class EmploymentUnknown(NotFound):
    """Nobody of this company has that employment."""


class DaysChanged(Conflict):
    """The days of a month were told anew since a sheet brought them."""


class DaysFrozen(RuleRefused):
    """A payroll run has frozen the days of a month since a sheet brought them."""
