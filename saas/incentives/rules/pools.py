"""Bonus pools (奖金池): how much there is, and who gets which part of it (3.5).

pool = share x max(0, result - hurdle). A part is pool x key / sum of keys, with key = position weight x performance
factor x time factor; parts add up to the pool by largest remainder, ties by the order of the members. Sub-pools divide
by the same rule: departments first, then the people of each. Keys are frozen with the run that divides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction

from saas.incentives.errors import PoolRefused
from saas.incentives.rules.exact import percent, plain, rounded_ratio
from saas.kernel import EXACT, AppError, AppErrors, Explanation, divided, rounded


class Leavers(Enum):
    """What becomes of the part of somebody who has left."""

    TO_POOL = "to_pool"
    """The others divide it: the leaver's key counts as 0."""
    TO_COMPANY = "to_company"
    """It is not paid out."""
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """Amounts are in the pool's currency. `floor` and `cap` bound the pool; `reserve_share` of it is kept back."""

    share: Decimal
    hurdle: Decimal
    floor: Decimal | None = None
    cap: Decimal | None = None
    reserve_share: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Member:
    """A person, or a department with a pool of its own, with the factors of its key."""

    name: str
    weight: Decimal
    performance: Decimal = Decimal(1)
    time: Decimal = Decimal(1)
    has_left: bool = False

    @property
    def key(self) -> Decimal:
        """Position weight x performance factor x time factor."""
        return EXACT.multiply(EXACT.multiply(self.weight, self.performance), self.time)


@dataclass(frozen=True, slots=True)
class Funding:
    """What a pool holds: `pool` = `reserve` + `to_divide`."""

    pool: Decimal
    reserve: Decimal
    to_divide: Decimal
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Part:
    """What a member gets."""

    name: str
    amount: Decimal
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Distribution:
    """`parts`, in the order of the members, and `to_company` add up to what was to be divided."""

    parts: tuple[Part, ...]
    to_company: Decimal


def fund(result: Decimal, terms: PoolTerms, *, digits: int = 2) -> Funding:
    """The pool of a result; below the hurdle it is empty, or at its floor.

    :raises AppErrors: with every `PoolRefused`: a share outside 0 to 1, a cap below the floor.
    """
    problems = [*_term_problems(terms)]
    if problems:
        raise AppErrors(problems)
    above = max(Decimal(0), result - terms.hurdle)
    earned = rounded_ratio(Fraction(above) * Fraction(terms.share), digits)
    pool = earned if terms.floor is None else max(earned, rounded(terms.floor, digits))
    pool = pool if terms.cap is None else min(pool, rounded(terms.cap, digits))
    reserve = rounded_ratio(Fraction(pool) * Fraction(terms.reserve_share), digits)
    values = {
        "share": percent(terms.share),
        "result": plain(result),
        "hurdle": plain(terms.hurdle),
        "earned": str(earned),
        "floor": "-" if terms.floor is None else plain(terms.floor),
        "cap": "-" if terms.cap is None else plain(terms.cap),
        "reserve": str(reserve),
    }
    return Funding(pool, reserve, pool - reserve, Explanation("incentives.pool_funded", values, amount=str(pool)))


def _term_problems(terms: PoolTerms) -> Iterator[AppError]:
    for name, share in (("share", terms.share), ("reserveShare", terms.reserve_share)):
        if not 0 <= share <= 1:
            yield PoolRefused("incentives.pool_share_out_of_range", {"share": plain(share)}, field=(name,))
    if terms.floor is not None and terms.cap is not None and terms.cap < terms.floor:
        values = {"cap": plain(terms.cap), "floor": plain(terms.floor)}
        yield PoolRefused("incentives.pool_cap_below_floor", values, field=("cap",))


def divide_pool(
    amount: Decimal, members: Sequence[Member], *, leavers: Leavers = Leavers.TO_POOL, digits: int = 2
) -> Distribution:
    """A rounded amount divided by the members' keys; a key of 0 gets 0.

    :raises AppErrors: with every `PoolRefused`: a negative key, a member twice, keys that add up to 0.
    """
    keys = [Decimal(0) if member.has_left and leavers is Leavers.TO_POOL else member.key for member in members]
    problems = [*_key_problems(members, keys)]
    if problems:
        raise AppErrors(problems)
    whole = sum(keys, Decimal(0))
    parts: list[Part] = []
    to_company = Decimal(0)
    for member, key, cut in zip(members, keys, divided(amount, keys, digits), strict=True):
        is_kept = member.has_left and leavers is Leavers.TO_COMPANY
        to_company += cut if is_kept else 0
        parts.append(_part(member, key, Decimal(0) if is_kept else cut, amount, whole))
    return Distribution(tuple(parts), to_company)


def _key_problems(members: Sequence[Member], keys: Sequence[Decimal]) -> Iterator[AppError]:
    seen: set[str] = set()
    for place, member in enumerate(members):
        at = ("members", str(place))
        if min(member.weight, member.performance, member.time) < 0:
            yield PoolRefused(
                "incentives.pool_key_negative", {"member": member.name, "key": _formula(member)}, field=at
            )
        if member.name in seen:
            yield PoolRefused("incentives.pool_member_twice", {"member": member.name}, field=at)
        seen.add(member.name)
    if not any(keys):
        yield PoolRefused("incentives.pool_without_keys", {"members": len(members)}, field=("members",))


def _formula(member: Member) -> str:
    return " × ".join(map(plain, (member.weight, member.performance, member.time)))


def _part(member: Member, key: Decimal, amount: Decimal, pool: Decimal, whole: Decimal) -> Part:
    values = {
        "member": member.name,
        "pool": str(pool),
        "factors": _formula(member),
        "key": plain(key),
        "keys": plain(whole),
    }
    sentence = "incentives.pool_part_of_leaver" if member.has_left else "incentives.pool_part"
    return Part(member.name, amount, Explanation(sentence, values, amount=str(amount)))
