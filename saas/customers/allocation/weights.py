"""Dealing by shares so that nobody is ever a whole customer ahead or behind: Tijdeman's chairman assignment.

R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980): with k people, whose turn may come
(they are behind by at least 1 / (2k − 2)) and whose deadline is the earliest gets the next. Then after every customer
each count is within 1 − 1 / (2k − 2) of the exact share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import lcm

from saas.customers.allocation.dealing import May, Queue
from saas.customers.allocation.newcomers import guarantee_of
from saas.customers.allocation.performance import filled_shares
from saas.customers.allocation.roster import Candidate, Roster

UNIT = 10**18
"""A customer, in the whole numbers that balances are counted in."""


class ByShare:
    """Whose deadline is the earliest, by whole-number weights; ties by the seed's order.

    `balances` are what earlier allocations still owe each, in customers; at most one customer each is made up for, so
    that nobody who comes back is flooded (P46). When somebody is full, the rest go on with what they are owed, and
    what was owed to who is full is spread over them by weight. A weight of 0 gets nothing.
    """

    def __init__(self, weights: Sequence[int], balances: Sequence[Decimal]) -> None:
        self._weights = weights
        self._shift = 2 * max(weights, default=1).bit_length()
        self._owed = [int(max(Decimal(-1), min(Decimal(1), each)).scaleb(18)) for each in balances]
        self._waiting, self._ready = Queue(), Queue()
        self._begin([seat for seat, weight in enumerate(weights) if weight])

    def _begin(self, members: Sequence[int]) -> None:
        """Go on with these seats: their weights are the whole, and what is owed to them evens out."""
        self._members, self._step = members, 0
        self._got = dict.fromkeys(members, 0)
        self._whole = sum(self._weights[seat] for seat in members)
        self._parts = max(2 * len(members) - 2, 1)
        surplus = sum(self._owed[seat] for seat in members)
        for seat in members:
            self._owed[seat] -= surplus * self._weights[seat] // self._whole
        self._ready.fill([])
        self._waiting.fill([((self._opens(seat),), seat) for seat in members])

    def _opens(self, seat: int) -> int:
        """The first step at which the seat is behind by 1 / (2k − 2) of a customer or more."""
        behind = UNIT + self._parts * (UNIT * self._got[seat] - self._owed[seat])
        return -(-behind * self._whole // (self._parts * UNIT * self._weights[seat]))

    def _deadline(self, seat: int) -> tuple[int]:
        """Orders as the last steps do by which the seat must be served: exact, as keys of `MostRoom` are."""
        ahead = self._parts * (UNIT * (self._got[seat] + 1) - self._owed[seat]) - UNIT
        return ((ahead << self._shift) // self._weights[seat],)

    def choose(self, may: May) -> int | None:
        """The seat with the earliest deadline; where none of those whose turn may come may, who comes next."""
        for opened in self._waiting.take_until(self._step + 1):
            self._ready.put(self._deadline(opened), opened)
        seat = self._ready.take(may)
        return self._waiting.take(may) if seat is None else seat

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """One turn, whatever the number of records."""
        self._step += 1
        self._got[seat] += 1
        if has_room:
            self._waiting.put((self._opens(seat),), seat)
            return
        self.leave([seat])

    def aside(self, seat: int, *, has_room: bool) -> None:
        """The seat got a customer that was made up for, which no share counts."""
        if not has_room and seat in self._got:
            self._waiting.remove(seat)
            self._ready.remove(seat)
            self.leave([seat])

    def take_out(self, seat: int) -> None:
        """Nobody is served out of turn: what newcomers are guaranteed is in the shares."""

    def leave(self, seats: Iterable[int]) -> None:
        """The rest go on with what they are owed."""
        out = set(seats)
        for member in self._members:
            self._owed[member] = self._balance(member)
        self._begin([member for member in self._members if member not in out])

    def _balance(self, seat: int) -> int:
        return self._owed[seat] + UNIT * self._weights[seat] * self._step // self._whole - UNIT * self._got[seat]

    def balances(self) -> dict[int, Decimal]:
        """What is owed to each seat that still has room, in customers, for the next allocation."""
        return {seat: Decimal(self._balance(seat)).scaleb(-18) for seat in self._members}


def weighted_shares(roster: Roster, seats: Sequence[Candidate]) -> list[Fraction]:
    """The share of each by weight, filled up to what newcomers are guaranteed; they add up to 1.

    :raises GuaranteesExceedWhole: that is more than all customers.
    """
    least = guarantee_of(roster, seats).least()
    return filled_shares([Fraction(each.weight * each.ramp_percent) for each in seats], least)


def drawn_weights(roster: Roster, seats: Sequence[Candidate]) -> list[int]:
    """The weight that each is drawn by: their own, but where newcomers would have less of the whole than they are
    guaranteed, whole numbers in the proportion of `weighted_shares`.

    :raises GuaranteesExceedWhole: as `weighted_shares`.
    """
    is_ramped = any(each.ramp_percent != 100 for each in seats)
    own = [each.weight * each.ramp_percent if is_ramped else each.weight for each in seats]
    whole, least = sum(own), guarantee_of(roster, seats).least()
    if all(weight >= floor * whole for weight, floor in zip(own, least, strict=True)):
        return own
    return whole_weights(weighted_shares(roster, seats))


def ramp_percent(percents: Sequence[int], hired_on: date | None, day: date) -> int:
    """How much of a person's weight counts on a day: by the whole months since they were hired, 100 after the last."""
    if hired_on is None or day < hired_on:
        return 100
    months = (day.year - hired_on.year) * 12 + day.month - hired_on.month - (day.day < hired_on.day)
    return percents[months] if months < len(percents) else 100


def whole_weights(shares: Sequence[Fraction]) -> list[int]:
    """Whole numbers in exactly the proportion of the shares."""
    common = lcm(*(share.denominator for share in shares))
    return [share.numerator * (common // share.denominator) for share in shares]
