"""What newcomers are guaranteed of an allocation, by whatever method it deals (新人保底).

Where shares or weights decide, they are filled up to the guarantee before anything is dealt. Where an order does, a
newcomer who would fall below it comes first: after every customer each has the guaranteed part of those dealt so far,
rounded down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from saas.customers.allocation.choices import Method
from saas.customers.allocation.dealing import May, PassingOrder, filter_rule
from saas.customers.allocation.errors import GuaranteesExceedWhole
from saas.customers.allocation.lines import Lines
from saas.customers.allocation.performance import is_newcomer
from saas.customers.allocation.roster import Candidate, Roster
from saas.kernel import Scalar

_EQUAL = frozenset({Method.FLEXIBLE, Method.STRICT})
"""Methods that give everybody an equal share: a guarantee up to that is kept without doing anything."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What a roster guarantees those who can receive any of its customers: `rate` of all to each of `newcomers`.

    `is_behind_owed` where something is made up for before the line goes on: then shares are not equal by themselves.
    """

    rate: Fraction
    newcomers: frozenset[int]
    people: int
    is_behind_owed: bool = False

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
        is_kept = method in _EQUAL and self.rate * self.people <= 1 and not self.is_behind_owed
        return bool(self.newcomers) and not is_kept


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
    return Guarantee(rate, newcomers if rate else frozenset(), len(seats), any(each.owed for each in seats))


def guaranteed_newcomers(roster: Roster) -> tuple[Guarantee, frozenset[UUID]]:
    """What the roster guarantees, and to whom.

    :raises GuaranteesExceedWhole: together it is more than all customers.
    """
    needs_weight = roster.method.needs_weight
    seated = [each for each in roster.candidates if filter_rule(each, needs_weight=needs_weight) is None]
    guarantee = guarantee_of(roster, seated)
    return guarantee, frozenset(seated[seat].employee_id for seat in guarantee.newcomers)


class _Turns:
    """Where newcomers stand: who has had fewest turns comes first."""

    def __init__(self, newcomers: frozenset[int]) -> None:
        self._got = dict.fromkeys(newcomers, 0)

    def key(self, seat: int) -> tuple[int, ...]:
        return (self._got[seat],)

    def serve(self, seat: int, records: int, *, made_up: int) -> None:
        if seat in self._got:
            self._got[seat] += 1


class NewcomersFirst:
    """A method's order, in which a newcomer who would fall below the guarantee is served out of turn.

    Of several the one with fewest comes first, then by lot. `entitled` says among whom the guarantee counts at a place,
    everybody without it.
    """

    def __init__(
        self, order: PassingOrder, guarantee: Guarantee, entitled: Callable[[int], frozenset[int]] | None = None
    ) -> None:
        self._order, self._guarantee, self._place, self._entitled = order, guarantee, -1, entitled
        self._lines, self._full = Lines(_Turns(guarantee.newcomers)), set[int]()
        self._groups: dict[frozenset[int], frozenset[int]] = {}

    def choose(self, may: May) -> int | None:
        """A newcomer who is due; else whose turn it is."""
        self._place += 1
        seat = self._due(may)
        if seat is None:
            return self._order.choose(may)
        self._order.take_out(seat)
        return seat

    def _due(self, may: May) -> int | None:
        group, due = self._newcomers(), self._guarantee.due(self._place)
        first = self._lines.first(group, self._full)
        if first is None or first[0] >= due:
            return None
        standing = self._lines.standing
        return self._lines.choose(group, lambda seat: standing.key(seat)[0] < due and may(seat), self._full)

    def _newcomers(self) -> frozenset[int]:
        if self._entitled is None:
            return self._guarantee.newcomers
        entitled = self._entitled(self._place)
        if entitled not in self._groups:
            self._groups[entitled] = entitled & self._guarantee.newcomers
        return self._groups[entitled]

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """A turn more, whichever way it came."""
        self._lines.standing.serve(seat, records, made_up=0)
        if not has_room:
            self._full.add(seat)
        self._order.served(seat, records=records, has_room=has_room)

    def leave(self, seats: Iterable[int]) -> None:
        """Without room, here and in the method's order."""
        self._full.update(seats)
        self._order.leave(seats)
