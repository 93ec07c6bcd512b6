"""Draws (3.3): a minimum paid in advance, recovered from later commission or not.

Whatever happens, the change of a recoverable balance is what was paid less what was earned.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from saas.incentives.rules.exact import rounded_ratio


@dataclass(frozen=True, slots=True)
class Draw:
    """`minimum` per period in the plan's currency; from period `recovers_from` (counted from 1) on, `share` of what is
    earned above the minimum goes to the balance. Not recoverable: the minimum is a gift."""

    minimum: Decimal
    is_recoverable: bool = True
    recovers_from: int = 1
    share: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is paid in a period, and what is owed after it."""

    paid: Decimal
    balance: Decimal


def draw_for(earned: Decimal, draw: Draw, *, balance: Decimal, period: int, digits: int = 2) -> Drawn:
    """Payment and balance of a period (counted from 1) in which `earned` was earned."""
    if not draw.is_recoverable:
        return Drawn(max(earned, draw.minimum), balance)
    if earned < draw.minimum:
        return Drawn(draw.minimum, balance + draw.minimum - earned)
    if period < draw.recovers_from:
        return Drawn(earned, balance)
    most = rounded_ratio(Fraction(earned - draw.minimum) * Fraction(draw.share), digits)
    recovered = min(balance, most)
    return Drawn(earned - recovered, balance - recovered)
