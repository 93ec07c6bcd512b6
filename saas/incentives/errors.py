"""Refusals of the incentives room."""

from __future__ import annotations

from saas.kernel import BadUserInput, RuleRefused


class TiersRefused(BadUserInput):
    """Tiers or a table of them that leave an amount without a rate, or give it two."""


class PlanRefused(BadUserInput):
    """A plan that contradicts itself; found when it is saved, never when it is paid."""


class SharesRefused(BadUserInput):
    """Shares of a credit that are not exactly the whole."""


class FactRefused(RuleRefused):
    """A deal, receipt or refund that can't be accrued for: what is missing is an error, never 0."""


class TargetMissing(RuleRefused):
    """Attainment of no target, or of a target of 0, is not infinite: it does not exist."""


class PoolRefused(BadUserInput):
    """A pool that nobody's key divides, or a key that is none."""


class AwardRefused(RuleRefused):
    """An award over a reference that is not there, or was not there in time."""


class SettlementRefused(RuleRefused):
    """Lines that one settlement can't take together."""
