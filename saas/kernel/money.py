"""Exact amounts: rounding once, dividing without losing a cent. `Decimal` in and out, never a float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
"""For products and quotients that are rounded later: wide enough that no sum of ours is rounded on the way."""

_MINOR_DIGITS = {"BIF": 0, "CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "PYG": 0, "UGX": 0, "VND": 0, "XAF": 0, "XOF": 0}
_MINOR_DIGITS |= {"DJF": 0, "GNF": 0, "KMF": 0, "RWF": 0, "VUV": 0, "XPF": 0}
_MINOR_DIGITS |= {"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3}


def minor_digits(currency: str) -> int:
    """Digits behind the point of an amount in a currency of ISO 4217: two for most, none for JPY, three for KWD."""
    return _MINOR_DIGITS.get(currency, 2)


def rounded(amount: Decimal, digits: int = 2, rounding: str = ROUND_HALF_UP) -> Decimal:
    """`amount` with `digits` behind the point; half away from zero unless another rounding is named."""
    return amount.quantize(_unit(digits), rounding, EXACT)


@lru_cache(maxsize=64)
def _unit(digits: int) -> Decimal:
    return Decimal(1).scaleb(-digits)


def divided(total: Decimal, shares: Sequence[Decimal], digits: int = 2) -> tuple[Decimal, ...]:
    """`total` divided in proportion to `shares`, by largest remainder: the parts always add up to the total.

    Each part is cut to `digits`, and the missing units go one by one to the largest fractions cut off; ties go by
    the order of the shares. A negative total divides as its absolute value does. A share of 0 gets 0.

    :raises ValueError: a negative share, shares that add up to 0, or a total with more digits than `digits`.
    """
    whole = sum(shares, Decimal(0))
    if whole <= 0 or min(shares) < 0:
        raise ValueError(f"shares must not be negative nor add up to 0: {[str(share) for share in shares]}")
    if rounded(total, digits) != total:
        raise ValueError(f"round the total before dividing it: {total} has more than {digits} digits")
    exact = [EXACT.divide(EXACT.multiply(abs(total), share), whole) for share in shares]
    parts = [rounded(part, digits, ROUND_DOWN) for part in exact]
    unit = Decimal(1).scaleb(-digits)
    missing = int((abs(total) - sum(parts)) / unit)
    by_fraction = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_fraction[:missing]:
        parts[place] += unit
    return tuple(-part if total < 0 else part for part in parts)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in a currency of ISO 4217, with just the digits that the currency has."""

    currency: str
    amount: Decimal

    def __post_init__(self) -> None:
        if not self.amount.is_finite() or rounded(self.amount, minor_digits(self.currency)) != self.amount:
            raise ValueError(f"{self.amount} is no amount in {self.currency}: round it first")

    @property
    def minor(self) -> int:
        """The amount in the smallest unit (fen, cent): how tables hold it."""
        return int(self.amount.scaleb(minor_digits(self.currency)))

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> Money:
        """An amount from its smallest units."""
        return cls(currency, Decimal(minor).scaleb(-minor_digits(currency)))
