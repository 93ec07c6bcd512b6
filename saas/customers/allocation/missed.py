"""What people miss on leave, and how it is made up for on their return (P46).

Whoever stood on a roster and was on leave missed what was dealt there by the head: in equal parts, by weight where
weights deal. So with it they stand where the others do. What is made up for comes before the line and leaves
everybody's place in it. A draw, a
share by attainment and a plugin's answer are no line: nothing is missed there, and nothing made up for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Protocol
from uuid import UUID

from saas.customers.allocation.choices import Method
from saas.customers.allocation.dealing import Allocation, May, PassingOrder, filter_rule
from saas.customers.allocation.matching import Aims
from saas.customers.allocation.roster import Roster

WITHOUT_LINE = frozenset({Method.DRAW, Method.PERFORMANCE, Method.PLUGIN})
"""Methods in which nothing is missed or made up for."""


class OrderWithAside(PassingOrder, Protocol):
    """An order beside which somebody can be served without losing their place."""

    def aside(self, seat: int, *, has_room: bool) -> None:
        """The seat got the unit, and stands where it stood; without room it is not asked again."""


class OwedFirst:
    """An order in which those come first who are owed something, the most first, then by lot, until it is made up for.

    Whatever they get until then counts for that, even what newcomers are guaranteed.
    """

    def __init__(self, order: OrderWithAside, owed: Sequence[int]) -> None:
        self._order, self._left, self._is_aside = order, {seat: each for seat, each in enumerate(owed) if each}, False

    def choose(self, may: May) -> int | None:
        """Who is owed most of those that may; else whose turn it is."""
        asking = [seat for seat, left in self._left.items() if left > 0 and may(seat)]
        self._is_aside = bool(asking)
        return min(asking, key=lambda seat: (-self._left[seat], seat)) if asking else self._order.choose(may)

    def take_out(self, seat: int) -> None:
        """Served out of turn: beside the line, while something is owed."""
        self._is_aside = self._left.get(seat, 0) > 0
        if not self._is_aside:
            self._order.take_out(seat)

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """So much less is owed, and nothing to who is full: that stays for another time."""
        if not self._is_aside:
            self._order.served(seat, records=records, has_room=has_room)
            return
        self._left[seat] = self._left[seat] - records if has_room else 0
        self._order.aside(seat, has_room=has_room)

    def leave(self, seats: Iterable[int]) -> None:
        """What they are owed stays for another time."""
        gone = set(seats)
        self._left = {seat: left for seat, left in self._left.items() if seat not in gone}
        self._order.leave(gone)


def made_up_places(roster: Roster, allocation: Allocation) -> frozenset[int]:
    """The places of those customers that were made up for: what people got while they were owed something."""
    left = {each.employee_id: each.owed for each in roster.candidates if each.owed}
    places = set()
    for pick in allocation.picks:
        if pick.employee_id is not None and left.get(pick.employee_id, 0) > 0:
            places.add(pick.place)
            left[pick.employee_id] -= len(pick.customer_ids)
    return frozenset(places)


def made_up(roster: Roster, records: Mapping[UUID, int]) -> dict[UUID, int]:
    """How many customers were made up for, of so many that each really got; who is owed nothing is not there."""
    return {
        each.employee_id: min(each.owed, records.get(each.employee_id, 0)) for each in roster.candidates if each.owed
    }


def missed_parts(roster: Roster, given: Mapping[int, int]) -> dict[UUID, Fraction]:
    """What each person on leave missed, in customers: of the units at their places, with so many customers each.

    Who could have had none anyway, for another reason, missed none; nor did who was not there for a customer.
    """
    needs_weight = roster.method.needs_weight
    could = [replace(each, is_on_leave=False) for each in roster.candidates]
    could = [each for each in could if filter_rule(each, needs_weight=needs_weight) is None]
    away = {each.employee_id for each in roster.candidates if each.is_on_leave}
    seats = [seat for seat, each in enumerate(could) if each.employee_id in away]
    if roster.method in WITHOUT_LINE or not seats:
        return {}
    aims, dealt = Aims(roster, could), Counter[frozenset[int]]()
    for unit in roster.units():
        if records := given.get(unit.place, 0):
            dealt[aims.of([each.facts for each in unit.records]).entitled] += records
    weights = [each.weight * each.ramp_percent if needs_weight else 1 for each in could]
    present = frozenset(range(len(could))).difference(seats)
    parts = {could[seat].employee_id: _part(seat, weights, present, dealt) for seat in seats}
    return {employee_id: part for employee_id, part in parts.items() if part}


def _part(seat: int, weights: Sequence[int], present: frozenset[int], dealt: Mapping[frozenset[int], int]) -> Fraction:
    """Of customers for the seat's group, what each got by the head of those who were there."""
    part = Fraction(0)
    for group, records in dealt.items():
        whole = sum(weights[each] for each in group & present)
        if seat in group and whole:
            part += Fraction(weights[seat] * records, whole)
    return part
