"""Exact amounts between an input and its rounding.

An amount without VAT is a division that often has no end in decimals. Cut to any number of digits, receipts that
together reach a tier's cut just so would miss it. So what lies between is a ratio of whole numbers: amounts come in as
`Decimal`, are ratios on the way, and are rounded once to `Decimal`.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from saas.kernel import EXACT

_SHOWN_DIGITS = 6
_MAY_BE_EMPTY = 4
"""Of the digits shown, how many are left out where they are zeros."""


def rounded_ratio(value: Fraction, digits: int) -> Decimal:
    """`value` with `digits` behind the point, a half away from zero: what `saas.kernel.rounded` is for a ratio."""
    numerator, denominator = abs(value.numerator) * 10**digits, value.denominator
    units = (2 * numerator + denominator) // (2 * denominator)
    return Decimal(-units if value < 0 else units).scaleb(-digits, context=EXACT)


def decimal_of(value: Fraction) -> Decimal:
    """`value` to sixty significant digits, for keeping beside a line; calculations go on with the ratio itself."""
    return EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


def shown(value: Fraction | Decimal) -> str:
    """An amount as sentences show it: at least two and at most six digits behind the point."""
    text = format(rounded_ratio(Fraction(value), _SHOWN_DIGITS), "f")
    return text[:-_MAY_BE_EMPTY] + text[-_MAY_BE_EMPTY:].rstrip("0")


def percent(rate: Decimal | Fraction) -> str:
    """A rate as sentences show it: 0.03 is ``3 %``."""
    return f"{plain(rounded_ratio(Fraction(rate) * 100, _SHOWN_DIGITS))} %"


def plain(number: Decimal) -> str:
    """A number without exponent and without zeros that say nothing: equal numbers give equal texts."""
    return format(number.normalize(EXACT), "f") if number else "0"
