"""Refusals of an allocation, found before anything is dealt."""

from __future__ import annotations

from saas.kernel import BadUserInput, NotFound, RuleRefused


class RosterImpossible(BadUserInput):
    """A roster that no method can deal from: somebody twice, a number out of range, a value that the method needs."""


class PeriodStillOpen(RuleRefused):
    """Performance decides only once its period is closed (P44)."""


class GuaranteesExceedWhole(RuleRefused):
    """Floors and guarantees of newcomers together are more than all customers."""


class DrawSeedRefused(BadUserInput):
    """The seed is missing, malformed, or not the one that was committed."""


class NotInDraw(NotFound):
    """The certificate does not list this person."""
