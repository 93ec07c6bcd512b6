"""Dealing by where people stand in a line, each customer to the first of those it is for: level, match, ordered rules.

A customer is for some people before others (P43), or for those of its rule (P48). Customers for the same people share
a line; who stands where is looked at when a line is asked, so that a customer costs a few steps whatever the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from heapq import heapify, heappop, heappush, heapreplace
from types import MappingProxyType
from typing import Protocol

from saas.customers.allocation.choices import Method
from saas.customers.allocation.dealing import May
from saas.customers.allocation.matching import Aim, Aims
from saas.customers.allocation.roster import Candidate, Roster, Unit
from saas.customers.allocation.rotation import last_served

_NOW = 2
"""Later than all that was before the allocation, as `last_served` orders it."""


class Standing(Protocol):
    """Where everybody stands: keys of whole numbers, least first, that only rise."""

    def key(self, seat: int) -> tuple[int, ...]:
        """Where the person stands now."""

    def serve(self, seat: int, records: int, *, made_up: int) -> None:
        """The person got so many records, of which so many were made up for: those stand beside the line (P46)."""


class _Waits:
    """Who was served least recently, then has fewest in the cycle."""

    def __init__(self, seats: Sequence[Candidate]) -> None:
        self._keys: list[tuple[int, ...]] = [last_served(each) for each in seats]
        self._turns = 0

    def key(self, seat: int) -> tuple[int, ...]:
        return self._keys[seat]

    def serve(self, seat: int, records: int, *, made_up: int) -> None:
        if not made_up:
            self._turns += 1
            self._keys[seat] = (_NOW, self._turns)


class _Rooms:
    """Who has most room, in customers or as a part of the limit; orders as fractions do, as in `MostRoom`."""

    def __init__(self, seats: Sequence[Candidate], *, relative: bool) -> None:
        self._rooms = [each.holding_room or 0 for each in seats]
        self._limits = [max(each.holding_limit or 0, 1) if relative else 1 for each in seats]
        self._shift = 2 * max(self._limits, default=1).bit_length()

    def key(self, seat: int) -> tuple[int, ...]:
        return (-((self._rooms[seat] << self._shift) // self._limits[seat]),)

    def serve(self, seat: int, records: int, *, made_up: int) -> None:
        self._rooms[seat] -= records


class _Levels:
    """Whose level is lowest, then whose priority comes first, then who waits longest (P45)."""

    def __init__(self, seats: Sequence[Candidate]) -> None:
        self._levels = [each.level for each in seats]
        self._priorities = [each.priority for each in seats]
        self._waits = _Waits(seats)

    def key(self, seat: int) -> tuple[int, ...]:
        return (self._levels[seat], self._priorities[seat], *self._waits.key(seat))

    def serve(self, seat: int, records: int, *, made_up: int) -> None:
        self._levels[seat] += records - made_up
        self._waits.serve(seat, records, made_up=made_up)


class _OwedFirst:
    """Whoever is owed most stands first, until it is made up for; then where the method has them."""

    def __init__(self, standing: Standing, seats: Sequence[Candidate]) -> None:
        self._standing, self._left = standing, [each.owed for each in seats]

    def key(self, seat: int) -> tuple[int, ...]:
        return (-self._left[seat], *self._standing.key(seat))

    def serve(self, seat: int, records: int, *, made_up: int = 0) -> None:
        taken = min(self._left[seat], records)
        self._left[seat] -= taken
        self._standing.serve(seat, records, made_up=taken)


_STANDINGS: Mapping[Method, Callable[[Sequence[Candidate]], Standing]] = MappingProxyType(
    {
        Method.FLEXIBLE: _Waits,
        Method.LOAD_ABSOLUTE: partial(_Rooms, relative=False),
        Method.LOAD_RELATIVE: partial(_Rooms, relative=True),
        Method.LEVEL: _Levels,
    }
)


def _standing(method: Method, seats: Sequence[Candidate]) -> Standing:
    standing = _STANDINGS[method](seats)
    return _OwedFirst(standing, seats) if any(each.owed for each in seats) else standing


class Lines:
    """The lines of one standing, one for each group of people that was asked for; ties by seat."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self._lines: dict[frozenset[int], list[tuple[tuple[int, ...], int]]] = {}

    def first(self, group: frozenset[int], full: set[int]) -> tuple[int, ...] | None:
        """Where the first of a group stands; None where there is nobody."""
        line = self._line(group)
        while line:
            key, seat = self.standing.key(line[0][1]), line[0][1]
            if seat in full:
                heappop(line)
            elif key != line[0][0]:
                heapreplace(line, (key, seat))
            else:
                return key
        return None

    def _line(self, group: frozenset[int]) -> list[tuple[tuple[int, ...], int]]:
        if group not in self._lines:
            self._lines[group] = [(self.standing.key(seat), seat) for seat in group]
            heapify(self._lines[group])
        return self._lines[group]

    def choose(self, group: frozenset[int], may: May, full: set[int]) -> int | None:
        """The first of a group that may; an entry from before somebody was served is set right when it comes up."""
        line, passed, found = self._line(group), [], None
        while line and found is None:
            entry = heappop(line)
            key, seat = self.standing.key(entry[1]), entry[1]
            if seat in full:
                continue
            if entry[0] != key:
                heappush(line, (key, seat))
                continue
            passed.append(entry)
            if may(seat):
                found = seat
        for entry in passed:
            heappush(line, entry)
        return found


class InLine:
    """Each unit to the first in its line."""

    def __init__(self, roster: Roster, units: Sequence[Unit], seats: Sequence[Candidate]) -> None:
        self._units, self._aims, self._place = units, Aims(roster, seats), -1
        self._lines = {method: Lines(_standing(method, seats)) for method in roster.deciding_methods()}
        self._turns = [0] * len(seats)
        self._full: set[int] = set()

    def entitled(self, place: int) -> frozenset[int]:
        """Among whom newcomers are guaranteed something of the unit."""
        return self._aim(place).entitled

    def _aim(self, place: int) -> Aim:
        return self._aims.of([record.facts for record in self._units[place].records])

    def choose(self, may: May) -> int | None:
        """Of those whom the customer is for first, while they may have it; else of the others."""
        self._place += 1
        aim = self._aim(self._place)
        lines, quota = self._lines[aim.then], aim.quota
        wanted = may if quota is None else (lambda seat: self._turns[seat] < quota and may(seat))
        seat = lines.choose(aim.first, wanted, self._full)
        return lines.choose(aim.others, may, self._full) if seat is None else seat

    def take_out(self, seat: int) -> None:
        """The unit at hand is theirs; where they stand is looked at when they come up."""
        self._place += 1

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """Behind, in every line."""
        self._turns[seat] += 1
        for lines in self._lines.values():
            lines.standing.serve(seat, records, made_up=0)
        if not has_room:
            self._full.add(seat)

    def leave(self, seats: Iterable[int]) -> None:
        """Full, as who has no room of their own."""
        self._full.update(seats)
