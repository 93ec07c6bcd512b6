"""Amounts between the texts that people enter and the smallest units that tables hold (docs/adr/0018)."""

from __future__ import annotations

from decimal import Decimal

from saas.kernel import Money, minor_digits, rounded
from saas.sales.errors import AmountRefused

LARGEST_MINOR = 10**15
"""Smallest units of one amount: ten trillion yuan. Sums of thousands of them still fit a bigint."""


def minor_of(amount: Decimal, *, currency: str, field: str = "amount") -> int:
    """Smallest units of an amount above 0; `field` is the input's field that holds it.

    :raises AmountRefused: it is not above 0, larger than `LARGEST_MINOR`, or has more digits than the currency.
    """
    digits = minor_digits(currency)
    if not amount.is_finite() or amount <= 0:
        raise AmountRefused("sales.amount_not_positive", {"amount": str(amount)[:40]}, field=(field,))
    if amount > Decimal(LARGEST_MINOR).scaleb(-digits):
        values = {"amount": str(amount)[:40], "most": shown(LARGEST_MINOR, currency)}
        raise AmountRefused("sales.amount_too_large", values, field=(field,))
    if rounded(amount, digits) != amount:
        raise AmountRefused(
            "sales.amount_too_precise",
            {"amount": str(amount)[:40], "digits": digits, "currency": currency},
            field=(field,),
        )
    return Money(currency, rounded(amount, digits)).minor


def shown(minor: int, currency: str) -> str:
    """An amount as a text of digits, as errors and the trail name it."""
    return format(Money.of_minor(minor, currency).amount, "f")
