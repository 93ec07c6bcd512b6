"""Performance credits (业绩归属): whose a deal is, and how its amounts are divided among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from saas.kernel import divided, rounded
from saas.sales.errors import SharesRefused

WHOLE = Decimal(1)
_FIELD = ("credits",)
SHARE_DIGITS = 8
MOST_CREDITS = 20
MOST_PARTS = 1_000_000
"""Of one person, where shares are given as whole parts: so small a share as to be stored as 0 can't be."""


@dataclass(frozen=True, slots=True)
class CreditPart:
    """A person's part in a deal, as it is entered: a decimal fraction, or a number of whole parts."""

    employee_id: UUID
    share: Decimal


@dataclass(frozen=True, slots=True)
class Credit:
    """A person's share of a deal, a fraction of 1, with the department they worked in on the day it was signed."""

    employee_id: UUID
    department_id: UUID
    share: Decimal


def check_parts(parts: Sequence[CreditPart]) -> tuple[CreditPart, ...]:
    """The parts with shares that add up to exactly 1, in the order given, which settles ties (the owner first).

    :raises SharesRefused: nobody is named, too many, or one twice; or the shares don't make up the whole.
    """
    if not 1 <= len(parts) <= MOST_CREDITS:
        raise SharesRefused("sales.credits_count", {"given": len(parts), "most": MOST_CREDITS}, field=_FIELD)
    people = [part.employee_id for part in parts]
    for place, person in enumerate(people):
        if person in people[:place]:
            raise SharesRefused("sales.credited_twice", {"place": place + 1}, field=_FIELD)
    shares = shares_of([part.share for part in parts])
    return tuple(CreditPart(person, share) for person, share in zip(people, shares, strict=True))


def shares_of(given: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Shares that add up to exactly 1: from decimals that do, or from whole parts (1 : 1 : 1).

    Whole parts are divided by largest remainder to `SHARE_DIGITS` digits; ties go by the order.

    :raises SharesRefused: a share not above 0 or with too many digits, or a sum that is not 1, naming the sum and
        what is missing or too much.
    """
    for share in given:
        if not share.is_finite() or not 0 < share <= MOST_PARTS:
            raise SharesRefused(
                "sales.share_out_of_range", {"share": str(share)[:40], "most": MOST_PARTS}, field=_FIELD
            )
    if all(share == share.to_integral_value() for share in given):
        return divided(WHOLE, given, SHARE_DIGITS)
    for share in given:
        if rounded(share, SHARE_DIGITS) != share:
            raise SharesRefused(
                "sales.share_too_precise", {"share": str(share)[:40], "digits": SHARE_DIGITS}, field=_FIELD
            )
    _check_sum(sum(given, Decimal(0)))
    return tuple(rounded(share, SHARE_DIGITS) for share in given)


def split(amount_minor: int, shares: Sequence[Decimal]) -> tuple[int, ...]:
    """An amount in smallest units divided by shares, in their order: by largest remainder, ties by position.

    The parts add up to the amount; an amount with fewer units than shares leaves some parts at 0.
    """
    return tuple(int(part) for part in divided(Decimal(amount_minor), shares, 0))


def _check_sum(total: Decimal) -> None:
    if total < WHOLE:
        raise SharesRefused(
            "sales.shares_short", {"sum": _percent(total), "missing": _percent(WHOLE - total)}, field=_FIELD
        )
    if total > WHOLE:
        raise SharesRefused(
            "sales.shares_over", {"sum": _percent(total), "excess": _percent(total - WHOLE)}, field=_FIELD
        )


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"
