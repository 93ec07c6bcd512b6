"""How amounts, rates and sentences are written in the explanations of this pack."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from saas.sdk import EXACT, Explanation, Localised

_FEN = Decimal("0.01")


def explained(
    fact: str,
    amount: Decimal | str,
    *parts: Explanation,
    source: str | None = None,
    **values: str | int | Localised,
) -> Explanation:
    """A node of the tree, with its sentence ``china.explained.<fact>`` and an amount to the fen; or the amount's text,
    which may be a mark."""
    text = amount if isinstance(amount, str) else yuan(amount)
    return Explanation(f"china.explained.{fact}", values, text, source, parts)


def yuan(amount: Decimal) -> str:
    """An amount with two digits: equal amounts give equal texts, however they were typed."""
    return str(amount.quantize(_FEN, ROUND_HALF_UP, EXACT))


def percent(rate: Decimal) -> str:
    """A decimal fraction as people write it: 0.005 is ``0.5 %``."""
    return f"{number(rate * 100)} %"


def number(value: Decimal) -> str:
    """Digits without trailing zeros: days, hours, factors."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
