"""How every method deals: who may have a customer, whom the method's order picks, what that leaves.

Methods differ only in their `Order`; limits, cooldown, absence and the record of who was filtered are the same for
all. A customer costs a few steps in a heap, not a look at everybody.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from heapq import heapify, heappop, heappush
from typing import Protocol
from uuid import UUID

from saas.customers.allocation.choices import Method
from saas.customers.allocation.departments import shared_rooms
from saas.customers.allocation.roster import Candidate, Roster, Unit

May = Callable[[int], bool]
"""Whether the person in a seat may have the customer at hand."""


_NONE_BARRED: frozenset[int] = frozenset()


def _anybody(_: int) -> bool:
    return True


class FilterRule(Enum):
    """Why somebody could not have a customer."""

    DISABLED = "disabled"
    ABSENT = "absent"
    ON_LEAVE = "on_leave"
    OFF_HOURS = "off_hours"
    NO_WEIGHT = "no_weight"
    HOLDING_LIMIT = "holding_limit"
    THRESHOLD = "threshold"
    DEPARTMENT_LIMIT = "department_limit"
    COOLDOWN = "cooldown"


class Nobody(Enum):
    """Why a customer stays in the pool: no candidate at all, none with room left, or none who may have this one."""

    NO_CANDIDATE = "no_candidate"
    ALL_FULL = "all_full"
    NONE_MAY = "none_may"


@dataclass(frozen=True, slots=True)
class Filtered:
    """A person could not have the customers at the places `first` to `last`, by `rule`; `last` None is to the end."""

    employee_id: UUID
    rule: FilterRule
    first: int = 0
    last: int | None = None

    def covers(self, place: int) -> bool:
        """Whether the filter held for the customer at `place`."""
        return self.first <= place and (self.last is None or place <= self.last)


@dataclass(frozen=True, slots=True)
class Pick:
    """Where a unit goes: all of its records to one person, or to `nobody` with the reason."""

    place: int
    customer_ids: tuple[UUID, ...]
    employee_id: UUID | None
    nobody: Nobody | None = None


@dataclass(frozen=True, slots=True)
class DrawnNumber:
    """How a draw came about: `number` is below `total`, the weights of all who could have the customer; the weight of
    who got it begins at `start`; `attempt` counts the numbers rejected before. None for nobody.
    """

    attempt: int
    number: int | None
    start: int | None
    total: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """The outcome: a pick per unit in order, and all who were filtered.

    `shares` add up to exactly 1, and `balances` are what is still owed to each, in customers: both of the methods by
    share. `turn_after` is the turn that the strict method served last. `drawn` are the numbers of a draw, by place.
    `overflow` are the places of those units that the method gave to nobody and the overflow assignee gets (P13).
    """

    method: Method
    picks: tuple[Pick, ...]
    filtered: tuple[Filtered, ...]
    shares: Mapping[UUID, Fraction] = field(default_factory=dict)
    balances: Mapping[UUID, Decimal] = field(default_factory=dict)
    turn_after: int | None = None
    drawn: tuple[DrawnNumber, ...] = ()
    overflow: Mapping[int, UUID] = field(default_factory=dict)

    def receiver(self, place: int) -> UUID | None:
        """Who gets the unit in the end: whom the method picked, else the overflow assignee, else nobody."""
        return self.picks[place].employee_id or self.overflow.get(place)

    def receivers(self) -> list[UUID | None]:
        """Who gets each unit, by place."""
        return [self.receiver(pick.place) for pick in self.picks]

    def counts(self) -> Counter[UUID]:
        """Units by person."""
        return Counter(pick.employee_id for pick in self.picks if pick.employee_id is not None)


class Order(Protocol):
    """What makes a method: whose turn it is."""

    def choose(self, may: May) -> int | None:
        """The seat whose turn it is, among those that may; None where none may. `served` follows."""

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """The seat got the unit of so many records; without room it is not asked again."""

    def leave(self, seats: Iterable[int]) -> None:
        """Seats that others have left without room are not asked again."""


class PassingOrder(Order, Protocol):
    """An order beside which somebody can be served out of turn."""

    def take_out(self, seat: int) -> None:
        """The seat is served without having been chosen; `served` follows."""


class Queue:
    """Seats by a key of whole numbers, least first; whoever may not have this customer keeps their place.

    A seat that is removed leaves its entry behind, which counts no more: `_keys` says which do.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[tuple[int, ...], int]] = []
        self._keys: dict[int, tuple[int, ...]] = {}

    def fill(self, keys: list[tuple[tuple[int, ...], int]]) -> None:
        """Begin anew with these keys and seats."""
        self._heap, self._keys = keys, {seat: key for key, seat in keys}
        heapify(self._heap)

    def put(self, key: tuple[int, ...], seat: int) -> None:
        """Add a seat."""
        self._keys[seat] = key
        heappush(self._heap, (key, seat))

    def remove(self, seat: int) -> None:
        """Let a seat go, if it is there."""
        self._keys.pop(seat, None)

    def first(self) -> tuple[int, ...] | None:
        """The least key; None where there is no seat."""
        while self._heap and self._keys.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, may: May) -> int | None:
        """Remove and give the first seat that may; None where there is none."""
        passed = []
        found = None
        while self._heap and found is None:
            entry = heappop(self._heap)
            if self._keys.get(entry[1]) != entry[0]:
                continue
            if may(entry[1]):
                found = entry[1]
                del self._keys[found]
            else:
                passed.append(entry)
        for entry in passed:
            heappush(self._heap, entry)
        return found

    def take_until(self, bound: int) -> list[int]:
        """Remove and give all seats whose key begins with at most `bound`."""
        found = []
        while (key := self.first()) is not None and key[0] <= bound:
            seat = heappop(self._heap)[1]
            del self._keys[seat]
            found.append(seat)
        return found


class Table:
    """The seats, in the order in which the seed breaks ties, with the room they have left.

    Whoever can't have any of the customers has no seat. A company's records take a place in the holding each, since
    each is a customer until they are merged, but they are one turn.
    """

    def __init__(self, roster: Roster, units: tuple[Unit, ...], *, needs_weight: bool) -> None:
        self.filtered: list[Filtered] = []
        self.seats = self._seated(roster, needs_weight=needs_weight)
        self.rooms = [candidate.own_room for candidate in self.seats]
        self.leaving: frozenset[int] = frozenset()
        self._shared, self._gone = shared_rooms(self.seats), set[int]()
        self._standing = len(self.seats)
        self._largest = max((len(unit.records) for unit in units), default=1)
        self._tight = {seat for seat, room in enumerate(self.rooms) if room is not None and room < self._largest}
        self._cooling = self._in_cooldown(units)

    def _seated(self, roster: Roster, *, needs_weight: bool) -> tuple[Candidate, ...]:
        seated = []
        for candidate in sorted(roster.candidates, key=lambda each: _lot(roster, each)):
            rule = filter_rule(candidate, needs_weight=needs_weight)
            if rule is None:
                seated.append(candidate)
            else:
                self.filtered.append(Filtered(candidate.employee_id, rule))
        return tuple(seated)

    def _in_cooldown(self, units: tuple[Unit, ...]) -> dict[int, set[int]]:
        cooling: dict[int, set[int]] = {}
        places = {record.customer_id: unit.place for unit in units for record in unit.records}
        for seat, candidate in enumerate(self.seats):
            for place in sorted({places[each] for each in candidate.cooldown_customers if each in places}):
                cooling.setdefault(place, set()).add(seat)
                self.filtered.append(Filtered(candidate.employee_id, FilterRule.COOLDOWN, place, place))
        return cooling

    def may(self, unit: Unit) -> May:
        """Who may have the unit: cooldown over, room for all its records."""
        barred = self._cooling.get(unit.place, _NONE_BARRED)
        if len(unit.records) > 1:
            short = {seat for seat in self._tight if (self.rooms[seat] or 0) < len(unit.records)}
            self.filtered += [self._short_of_room(seat, unit.place, unit.place) for seat in sorted(short)]
            barred = barred | short | self._short_of_departments(unit, short)
        return (lambda seat: seat not in barred) if barred else _anybody

    def _short_of_departments(self, unit: Unit, short: set[int]) -> set[int]:
        """The others whose department has no room for all records of a unit."""
        if self._shared is None:
            return set()
        found = self._shared.short(len(unit.records)) - self._gone - short
        ids = (self.seats[seat].employee_id for seat in sorted(found))
        self.filtered += [Filtered(each, FilterRule.DEPARTMENT_LIMIT, unit.place, unit.place) for each in ids]
        return found

    def _short_of_room(self, seat: int, first: int, last: int | None) -> Filtered:
        return Filtered(self.seats[seat].employee_id, tighter_limit(self.seats[seat]), first, last)

    def give(self, seat: int, unit: Unit) -> bool:
        """Take the unit's room from the seat; whether any is left. Whom it leaves without room are `leaving` then."""
        room = self.rooms[seat]
        left = None if room is None else room - len(unit.records)
        if left is not None:
            self.rooms[seat] = left
            if left == 0:
                self._tight.discard(seat)
                self._standing -= 1
                self.filtered.append(self._short_of_room(seat, unit.place + 1, None))
            elif left < self._largest:
                self._tight.add(seat)
        has_room = left is None or left > 0
        return has_room if self._shared is None else self._share(seat, unit) and has_room

    def _share(self, seat: int, unit: Unit) -> bool:
        """Take the unit's room from the seat's departments; whether any is left there."""
        assert self._shared is not None
        if self.rooms[seat] == 0:
            self._gone.add(seat)
        closing = self._shared.take(seat, len(unit.records))
        for each in sorted(closing - self._gone):
            self._tight.discard(each)
            self._standing -= 1
            who = self.seats[each].employee_id
            self.filtered.append(Filtered(who, FilterRule.DEPARTMENT_LIMIT, unit.place + 1, None))
        self.leaving = frozenset(closing - self._gone - {seat})
        self._gone |= closing
        return seat not in closing

    def nobody(self) -> Nobody:
        """Why nobody could be chosen."""
        if not self.seats:
            return Nobody.NO_CANDIDATE
        return Nobody.NONE_MAY if self._standing else Nobody.ALL_FULL


def filter_rule(candidate: Candidate, *, needs_weight: bool) -> FilterRule | None:
    """The first rule that keeps a person from any customer at all; None where none does."""
    if not candidate.is_enabled:
        return FilterRule.DISABLED
    if candidate.is_absent:
        return FilterRule.ABSENT
    if candidate.is_on_leave or candidate.is_off_hours:
        return FilterRule.ON_LEAVE if candidate.is_on_leave else FilterRule.OFF_HOURS
    if needs_weight and candidate.weight == 0:
        return FilterRule.NO_WEIGHT
    if candidate.own_room == 0:
        return tighter_limit(candidate)
    return FilterRule.DEPARTMENT_LIMIT if candidate.room == 0 else None


def tighter_limit(candidate: Candidate) -> FilterRule:
    """Which of the limits of their own a person reaches first."""
    if candidate.holding_room is not None and candidate.holding_room == candidate.own_room:
        return FilterRule.HOLDING_LIMIT
    if candidate.assignable is not None and candidate.assignable == candidate.own_room:
        return FilterRule.THRESHOLD
    return FilterRule.DEPARTMENT_LIMIT


def _lot(roster: Roster, candidate: Candidate) -> bytes:
    """What breaks ties: drawn anew for each allocation, so that neither age nor id ever decides."""
    about = b"fairlead.allocation/1/tie\0" + roster.allocation_id.bytes + candidate.employee_id.bytes
    return hmac.digest(roster.drawn_seed(), about, "sha256")


def deal(roster: Roster, table: Table, units: tuple[Unit, ...], order: Order) -> Allocation:
    """Every unit in its order to whomever the method's order picks."""
    picks = []
    for unit in units:
        ids = tuple(record.customer_id for record in unit.records)
        seat = order.choose(table.may(unit))
        if seat is None:
            picks.append(Pick(unit.place, ids, None, table.nobody()))
            continue
        picks.append(Pick(unit.place, ids, table.seats[seat].employee_id))
        order.served(seat, records=len(unit.records), has_room=table.give(seat, unit))
        if table.leaving:
            order.leave(table.leaving)
            table.leaving = frozenset()
    return Allocation(roster.method, tuple(picks), tuple(table.filtered))
