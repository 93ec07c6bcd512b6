"""Credits (业绩归属): whose a deal is, in which shares, and how a total is divided by them.

Shares are decimals that add up to exactly 1, or whole parts (1 : 1 : 1). The order of the participants is part of the
credit, the owner first: it settles who gets a fen that is left over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from saas.incentives.errors import SharesRefused
from saas.incentives.rules.exact import decimal_of, plain
from saas.kernel import AppError, AppErrors, divided


@dataclass(frozen=True, slots=True)
class Share:
    """One participant's share: a decimal fraction, or a number of parts."""

    person: str
    share: Decimal


@dataclass(frozen=True, slots=True)
class Credit:
    """The participants in their order. With `in_parts`, shares are whole numbers whose sum is the whole."""

    shares: tuple[Share, ...]
    in_parts: bool = False

    @classmethod
    def whole(cls, person: str) -> Credit:
        """Everything to one person: what a deal has unless somebody says otherwise."""
        return cls((Share(person, Decimal(1)),))

    def fraction(self, place: int) -> Fraction:
        """The participant's share of the whole."""
        return Fraction(self.shares[place].share) / sum((Fraction(part.share) for part in self.shares), Fraction(0))


def split(total: Decimal, credit: Credit, *, digits: int = 2) -> tuple[Decimal, ...]:
    """A rounded total divided by the credit's shares, in their order, by largest remainder.

    The parts add up to the total; a total with fewer fen than participants leaves some of them 0.
    """
    return divided(total, [part.share for part in credit.shares], digits)


def check_credit(credit: Credit) -> Credit:
    """The same credit.

    :raises AppErrors: with every `SharesRefused`: nobody, somebody twice, a share not above 0 or no whole part, a sum
        that is not exactly 1 (naming the sum and what is missing or too much).
    """
    problems = [*credit_problems(credit)]
    if problems:
        raise AppErrors(problems)
    return credit


def credit_problems(credit: Credit) -> Iterator[AppError]:
    """Everything that is wrong with a credit."""
    if not credit.shares:
        yield SharesRefused("incentives.credit_to_nobody", {}, field=("shares",))
        return
    seen: set[str] = set()
    for place, part in enumerate(credit.shares):
        at = ("shares", str(place))
        if part.person in seen:
            yield SharesRefused("incentives.credited_twice", {"person": part.person}, field=at)
        seen.add(part.person)
        if part.share <= 0:
            yield SharesRefused("incentives.share_not_positive", _values(part), field=at)
        elif credit.in_parts and part.share != part.share.to_integral_value():
            yield SharesRefused("incentives.part_not_whole", _values(part), field=at)
    if not credit.in_parts:
        yield from _sum_problems(sum((Fraction(part.share) for part in credit.shares), Fraction(0)))


def _sum_problems(total: Fraction) -> Iterator[AppError]:
    if total < 1:
        values = {"sum": plain(decimal_of(total)), "missing": plain(decimal_of(1 - total))}
        yield SharesRefused("incentives.shares_fall_short", values, field=("shares",))
    if total > 1:
        values = {"sum": plain(decimal_of(total)), "excess": plain(decimal_of(total - 1))}
        yield SharesRefused("incentives.shares_exceed", values, field=("shares",))


def _values(part: Share) -> dict[str, str | int | bool | None]:
    return {"person": part.person, "share": plain(part.share)}
