"""Tax by a scale of brackets."""

from __future__ import annotations

from decimal import Decimal

from plugins.china.tables.income_tax import Bracket, Scale
from saas.sdk import EXACT, rounded

ZERO = Decimal("0.00")
"""Nothing, with the digits of an amount."""


def bracket_of(scale: Scale, taxable: Decimal, *, months: int = 1) -> Bracket:
    """The band of an amount; one equal to a band's limit is in the lower band.

    With `months`, the amount's part for one month is compared, without dividing it.
    """
    last = scale.brackets[-1]
    return next((each for each in scale.brackets if each.up_to is not None and taxable <= each.up_to * months), last)


def tax_of(scale: Scale, taxable: Decimal) -> Decimal:
    """Tax in yuan on a taxable amount, half up to the fen; nothing on nothing or less.

    Individual Income Tax Law (2018 revision), table 1.
    """
    return tax_in(bracket_of(scale, taxable), taxable)


def tax_in(bracket: Bracket, taxable: Decimal) -> Decimal:
    """The whole amount at the band's rate less its quick deduction, half up to the fen."""
    return rounded(EXACT.multiply(max(ZERO, taxable), bracket.rate) - bracket.quick_deduction)
