"""Refusals of the attendance room."""

from __future__ import annotations

from saas.kernel import BadUserInput, NotFound


class DayCountRefused(BadUserInput):
    """A month, a kind or a number of days that can't be."""


class EmploymentUnknown(NotFound):
    """Nobody of this company has that employment."""
