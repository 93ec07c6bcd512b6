"""What newcomers are guaranteed of an allocation, by whatever method it deals (新人保底).

Where shares or weights decide, they are filled up to the guarantee before anything is dealt. Where an order does, a
newcomer who would fall below it comes first: after every customer each has the guaranteed part of those dealt so far,
rounded down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from saas.customers.allocation.choices import Method
from saas.customers.allocation.dealing import May, PassingOrder, Queue, filter_rule
from saas.customers.allocation.errors import GuaranteesExceedWhole
from saas.customers.allocation.performance import is_newcomer
from saas.customers.allocation.roster import Candidate, Roster
from saas.kernel import Scalar

_EQUAL = frozenset({Method.FLEXIBLE, Method.STRICT})
"""Methods that give everybody an equal share: a guarantee up to that is kept without doing anything."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What a roster guarantees those who can receive any of its customers: `rate` of all to each of `newcomers`."""

    rate: Fraction
    newcomers: frozenset[int]
    people: int

    def least(self) -> list[Fraction]:
        """The least share of each seat."""
        return [self.rate if seat in self.newcomers else Fraction(0) for seat in range(self.people)]

    def due(self, place: int) -> int:
        """How many each newcomer must have before the customer of `place` goes to anybody else.

        It looks ahead by as many customers as there are other newcomers: all may fall below at once.
        """
        return int(self.rate * (place + len(self.newcomers)))

    def decides(self, method: Method) -> bool:
        """Whether it can decide a pick by itself, beside the method's order."""
        return bool(self.newcomers) and not (method in _EQUAL and self.rate * self.people <= 1)


def guarantee_of(roster: Roster, seats: Sequence[Candidate]) -> Guarantee:
    """What the roster guarantees the newcomers among those who can receive.

    :raises GuaranteesExceedWhole: together it is more than all customers.
    """
    floor = roster.newcomers
    if floor is None:
        return Guarantee(Fraction(0), frozenset(), len(seats))
    newcomers = frozenset(
        seat for seat, each in enumerate(seats) if is_newcomer(each.hired_on, roster.day, days=floor.days)
    )
    rate = max(Fraction(floor.floor_percent, 100 * max(len(seats), 1)), Fraction(floor.share_percent, 100))
    if rate * len(newcomers) > 1:
        told: dict[str, Scalar] = {"newcomers": len(newcomers), "each": floor.share_percent}
        told["together"] = floor.share_percent * len(newcomers)
        raise GuaranteesExceedWhole("customers.newcomer_guarantees_exceed", told)
    return Guarantee(rate, newcomers if rate else frozenset(), len(seats))


def guaranteed_newcomers(roster: Roster) -> tuple[Guarantee, frozenset[UUID]]:
    """What the roster guarantees, and to whom.

    :raises GuaranteesExceedWhole: together it is more than all customers.
    """
    needs_weight = roster.method.needs_weight
    seated = [each for each in roster.candidates if filter_rule(each, needs_weight=needs_weight) is None]
    guarantee = guarantee_of(roster, seated)
    return guarantee, frozenset(seated[seat].employee_id for seat in guarantee.newcomers)


class NewcomersFirst:
    """A method's order, in which a newcomer who would fall below the guarantee is served out of turn.

    Of several the one with fewest comes first, then by lot. `entitled` says among whom the guarantee counts at a place,
    everybody without it.
    """

    def __init__(
        self, order: PassingOrder, guarantee: Guarantee, entitled: Callable[[int], frozenset[int]] | None = None
    ) -> None:
        self._order, self._guarantee, self._place, self._entitled = order, guarantee, -1, entitled
        self._got = dict.fromkeys(guarantee.newcomers, 0)
        self._queue = Queue()
        self._queue.fill([((0,), seat) for seat in sorted(guarantee.newcomers)])

    def choose(self, may: May) -> int | None:
        """A newcomer who is due; else whose turn it is."""
        self._place += 1
        due = self._guarantee.due(self._place)
        seat = self._due(due, may) if self._is_any(due) else None
        if seat is None:
            return self._order.choose(may)
        self._order.take_out(seat)
        return seat

    def _due(self, due: int, may: May) -> int | None:
        entitled = self._guarantee.newcomers if self._entitled is None else self._entitled(self._place)
        return self._queue.take(lambda each: self._got[each] < due and each in entitled and may(each))

    def _is_any(self, due: int) -> bool:
        first = self._queue.first()
        return first is not None and first[0] < due

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """A turn more, whichever way it came."""
        if seat in self._got:
            self._queue.remove(seat)
            self._got[seat] += 1
            if has_room:
                self._queue.put((self._got[seat],), seat)
        self._order.served(seat, records=records, has_room=has_room)
