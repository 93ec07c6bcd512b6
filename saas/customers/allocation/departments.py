"""The room that departments have together (P09): it falls with each pick of theirs, and who is left drops out.

A draw knows the room of people alone, as its published arithmetic has it: there it is divided among them beforehand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from saas.customers.allocation.roster import Candidate, DepartmentRoom, Roster
from saas.kernel import divided


class SharedRooms:
    """What is left of the room that departments have together, as their people, by seat, receive."""

    def __init__(self, people: Sequence[Candidate]) -> None:
        self._of = [tuple(room.department_id for room in each.departments) for each in people]
        self._left = {room.department_id: room.room for each in people for room in each.departments}
        self._members: dict[UUID, set[int]] = {department_id: set() for department_id in self._left}
        for seat, departments in enumerate(self._of):
            for each in departments:
                self._members[each].add(seat)

    def take(self, seat: int, records: int) -> set[int]:
        """Take the room of so many records; the seats of departments that are full by that."""
        closing: set[int] = set()
        for each in self._of[seat]:
            self._left[each] -= records
            if self._left[each] <= 0:
                closing |= self._members[each]
        return closing

    def short(self, records: int) -> set[int]:
        """The seats of departments without room for so many records."""
        return {seat for each, left in self._left.items() if left < records for seat in self._members[each]}


def shared_rooms(people: Sequence[Candidate]) -> SharedRooms | None:
    """The rooms of the people's departments; None where none is limited."""
    return SharedRooms(people) if any(each.departments for each in people) else None


def with_department_shares(roster: Roster) -> Roster:
    """The roster of a draw, with each person's part of a department's room where the draw could fill it.

    The room is divided by weight, as far as people's own limits go, ties by lot; so no outcome is beyond a limit. Parts
    from before are divided anew.
    """
    undivided = tuple(replace(each, department_share=None) for each in roster.candidates)
    roster = replace(roster, candidates=undivided)
    caps = {each.employee_id: _most(each, len(roster.customers)) for each in roster.candidates}
    shares: dict[UUID, int] = {}
    for room, members in _by_size(roster):
        if room.room < len(roster.customers) and room.room < sum(caps[each.employee_id] for each in members):
            parts = _parted(room.room, members, caps)
            shares |= parts
            caps |= parts
    people = (replace(each, department_share=shares.get(each.employee_id)) for each in roster.candidates)
    return replace(roster, candidates=tuple(people))


def _most(candidate: Candidate, customers: int) -> int:
    """How many a person could receive by their own limits."""
    is_away = candidate.is_absent or candidate.is_on_leave or candidate.is_off_hours
    if is_away or not candidate.is_enabled or not candidate.weight:
        return 0
    return customers if candidate.room is None else min(candidate.room, customers)


def _by_size(roster: Roster) -> list[tuple[DepartmentRoom, list[Candidate]]]:
    """The departments with their people, in the order of lots: those with fewer people first, which lie below."""
    members: dict[DepartmentRoom, list[Candidate]] = {}
    for candidate in sorted(roster.candidates, key=lambda each: _lot(roster, each)):
        for each in candidate.departments:
            members.setdefault(each, []).append(candidate)
    return sorted(members.items(), key=lambda item: (len(item[1]), item[0].room, item[0].department_id))


def _lot(roster: Roster, candidate: Candidate) -> bytes:
    """Breaks ties by neither age nor id; not by the seed, which nobody knows yet."""
    about = b"fairlead.allocation/1/department\0" + roster.allocation_id.bytes + candidate.employee_id.bytes
    return hashlib.sha256(about).digest()


def _parted(room: int, members: Sequence[Candidate], caps: Mapping[UUID, int]) -> dict[UUID, int]:
    """Room divided by weight; what is beyond somebody's own room goes to the others."""
    parts = dict.fromkeys((each.employee_id for each in members), 0)
    rest = [each for each in members if caps[each.employee_id]]
    while room and rest:
        weights = [Decimal(each.weight * each.ramp_percent) for each in rest]
        for each, part in zip(rest, divided(Decimal(room), weights, digits=0), strict=True):
            taken = min(int(part), caps[each.employee_id] - parts[each.employee_id])
            parts[each.employee_id] += taken
            room -= taken
        rest = [each for each in rest if parts[each.employee_id] < caps[each.employee_id]]
    return parts
