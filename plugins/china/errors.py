"""What the calculations refuse. Findings, which report and don't stop, stand in `plugins.china.v1.findings`."""

from saas.sdk import RuleRefused


class NotInForce(RuleRefused):
    """No row holds on the day: nothing is calculated with the last known value."""


class TaxYearBroken(RuleRefused):
    """A payment does not continue the cumulated amounts that it was given."""


class BonusNotSeparate(RuleRefused):
    """An annual bonus can't be taxed separately."""


class NotInsurable(RuleRefused):
    """A contribution can't be calculated: the scheme or the unit's rate is not one of the city's."""


class LegalEntityNotPlaced(RuleRefused):
    """The settings say nothing of a legal entity."""


class CalculationUnknown(RuleRefused):
    """A run was computed with a version of the calculations that this version of the pack does not hold."""
