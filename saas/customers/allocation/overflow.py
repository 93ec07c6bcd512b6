"""Who gets what nobody could have for the thresholds alone: the overflow assignee of the pool (P13).

It comes after the method and beside it: no turn, share, level or draw knows of it, and what the method gave to nobody
is told so. Ordered rules have their default owner before that: the rule itself names whom a customer is for at last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from saas.customers.allocation.choices import Method
from saas.customers.allocation.dealing import Allocation, FilterRule, filter_rule
from saas.customers.allocation.matching import Aims
from saas.customers.allocation.roster import Candidate, Roster, Unit

_UNBOUNDED = 10**9


def with_overflow(roster: Roster, allocation: Allocation) -> Allocation:
    """The allocation with what goes to the roster's overflow assignee, while they have room and no cooldown.

    A unit overflows that the method gave to nobody, where somebody would have had it but for their threshold. The
    assignee's own threshold does not count; their holding limit does, beside all that the method gave them.
    """
    person = roster.overflow
    if person is None or filter_rule(person, needs_weight=False) is not None:
        return allocation
    held_up = _HeldUp(roster, allocation)
    if not held_up.people:
        return allocation
    overflow: dict[int, UUID] = {}
    room = _UNBOUNDED if person.room is None else person.room - held_up.given_to(person.employee_id)
    for unit, pick in zip(roster.units(), allocation.picks, strict=True):
        if pick.employee_id is not None:
            held_up.count(pick.employee_id, len(unit.records))
        elif len(unit.records) <= room and not _is_cooling(person, unit) and held_up.is_anybody_by(unit):
            overflow[unit.place] = person.employee_id
            room -= len(unit.records)
    return replace(allocation, overflow=overflow)


def _is_cooling(person: Candidate, unit: Unit) -> bool:
    return any(record.customer_id in person.cooldown_customers for record in unit.records)


class _HeldUp:
    """Those whom a threshold alone can keep from a customer, and what the method has given them so far."""

    def __init__(self, roster: Roster, allocation: Allocation) -> None:
        self._picks = allocation.picks
        self._got: dict[UUID, int] = {}
        left_out = {employee_id for employee_id, share in allocation.shares.items() if not share}
        self.people = [
            (place, each)
            for place, each in enumerate(roster.candidates)
            if each.employee_id not in left_out and _has_tighter_threshold(each, roster.method)
        ]
        self._is_for = _aim(roster)

    def given_to(self, employee_id: UUID) -> int:
        """How many customers the whole allocation gives a person by its method."""
        return sum(len(pick.customer_ids) for pick in self._picks if pick.employee_id == employee_id)

    def count(self, employee_id: UUID, records: int) -> None:
        """A person got so many."""
        self._got[employee_id] = self._got.get(employee_id, 0) + records

    def is_anybody_by(self, unit: Unit) -> bool:
        """Whether somebody whom the unit was for had room for it, no cooldown, and only their threshold was used up."""
        is_for = self._is_for(unit)
        return any(is_for(place, each) and self._is_held_up(each, unit) for place, each in self.people)

    def _is_held_up(self, each: Candidate, unit: Unit) -> bool:
        got, records = self._got.get(each.employee_id, 0), len(unit.records)
        if each.assignable is None or each.assignable - got >= records:
            return False
        has_room = each.holding_room is None or each.holding_room - got >= records
        return has_room and not _is_cooling(each, unit)


def _has_tighter_threshold(each: Candidate, method: Method) -> bool:
    if filter_rule(each, needs_weight=method.needs_weight) not in (None, FilterRule.THRESHOLD):
        return False
    return each.assignable is not None and (each.holding_room is None or each.holding_room > each.assignable)


def _aim(roster: Roster) -> Callable[[Unit], Callable[[int, Candidate], bool]]:
    """Whom a unit was for, of the methods that say so; a plugin is not told of people who are full already."""
    if roster.method in (Method.MATCH, Method.RULES):
        aims = Aims(roster, roster.candidates)

        def aimed(unit: Unit) -> Callable[[int, Candidate], bool]:
            aim = aims.of([record.facts for record in unit.records])
            return lambda place, _: place in aim.first or place in aim.others

        return aimed
    if roster.plugin is not None:
        return lambda unit: _answered_for(roster.plugin.groups if roster.plugin else (), unit)
    return lambda _: lambda _place, _each: True


def _answered_for(groups: Sequence[frozenset[UUID]], unit: Unit) -> Callable[[int, Candidate], bool]:
    answer = unit.records[0].answer
    whose = frozenset[UUID]() if answer is None else groups[answer.group]
    return lambda _, each: each.room == 0 or each.employee_id in whose
