"""Who could have had each customer that was dealt, and with which weight the method published for each of them.

It is what an audit asks of a roster afterwards. Of the methods in turn everybody has the same weight; of those by share
it is the share; of those by load and by level it is what levelling gives each of them. What newcomers are guaranteed is
in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from saas.customers.allocation.choices import CustomerFacts, Method
from saas.customers.allocation.dealing import filter_rule
from saas.customers.allocation.departments import shared_rooms
from saas.customers.allocation.draw import published_weights_of_draw
from saas.customers.allocation.matching import Aim, Aims
from saas.customers.allocation.methods import shares_of
from saas.customers.allocation.newcomers import guarantee_of
from saas.customers.allocation.performance import filled_shares
from saas.customers.allocation.roster import Candidate, Roster
from saas.customers.allocation.weights import whole_weights

_BY_SHARE = frozenset({Method.WEIGHTED, Method.PERFORMANCE})
_BY_LOAD = frozenset({Method.LOAD_ABSOLUTE, Method.LOAD_RELATIVE})
_HARDLY = Fraction(1, 10**6)
"""By load, the share of who would get nothing: they could have been next all the same, had others been barred."""


@dataclass(frozen=True, slots=True)
class DealtUnit:
    """Records that went to one person together, or to nobody, at their `place`; `known` and `group`
    where the method goes by them.
    """

    place: int
    records: tuple[UUID, ...]
    employee_id: UUID | None
    known: tuple[CustomerFacts, ...] = ()
    group: int | None = None


def chances(roster: Roster, units: Sequence[DealtUnit]) -> Iterator[Mapping[UUID, int]]:
    """For each unit, in the order of places, whole-number weights above 0 of those who could have had it.

    The roster's customers don't matter: `units` are all that it dealt. Where the same people could, it is the same
    mapping. Nobody could where it is empty. What was made up for after leave (P46) was nobody else's.
    """
    weights = published_weights(roster, customers=sum(len(unit.records) for unit in units))
    people = [each.employee_id for each in roster.candidates]
    rooms = {each.employee_id: each.own_room for each in roster.candidates if each.own_room is not None}
    shared, seats = shared_rooms(roster.candidates), {person: seat for seat, person in enumerate(people)}
    cooling = _cooling(roster.candidates)
    full = {each.employee_id for each in roster.candidates if each.room is not None and each.room <= 0}
    known: dict[frozenset[UUID], Mapping[UUID, int]] = {}
    owed = {each.employee_id: each.owed for each in roster.candidates if each.owed}
    aims = Aims(roster, roster.candidates) if roster.method in (Method.MATCH, Method.RULES) else None
    for unit in units:
        barred = full.union(*(cooling.get(record, ()) for record in unit.records))
        if aims is not None:
            barred |= _aimed_past(roster.candidates, aims.of(unit.known), unit.employee_id)
        if roster.plugin is not None and unit.group is not None:
            barred |= {each.employee_id for each in roster.candidates} - roster.plugin.groups[unit.group]
        if len(unit.records) > 1:
            barred |= {person for person, room in rooms.items() if room < len(unit.records)}
            barred |= {people[seat] for seat in shared.short(len(unit.records))} if shared is not None else set()
        if unit.employee_id is not None and owed.get(unit.employee_id, 0) > 0:
            barred |= weights.keys() - {unit.employee_id}
            owed[unit.employee_id] -= len(unit.records)
        out = frozenset(barred)
        if out not in known:
            known[out] = {person: weight for person, weight in weights.items() if person not in out}
        yield known[out]
        if unit.employee_id in rooms:
            rooms[unit.employee_id] -= len(unit.records)
            if rooms[unit.employee_id] <= 0:
                full.add(unit.employee_id)
        if shared is not None and unit.employee_id is not None:
            full |= {people[seat] for seat in shared.take(seats[unit.employee_id], len(unit.records))}


def published_weights(roster: Roster, *, customers: int) -> dict[UUID, int]:
    """The weight of each who could have any customer, as whole numbers above 0, by their ids in order.

    :param customers: how many were dealt, which decides what levelling gives.
    """
    candidates = sorted(roster.candidates, key=lambda each: each.employee_id)
    seated = [each for each in candidates if filter_rule(each, needs_weight=roster.method.needs_weight) is None]
    weights = whole_weights(_parts(roster, seated, customers)) if seated else []
    return {each.employee_id: weight for each, weight in zip(seated, weights, strict=True) if weight}


def _parts(roster: Roster, seated: Sequence[Candidate], customers: int) -> list[Fraction]:
    if roster.method in _BY_SHARE:
        shares = shares_of(roster)
        return [shares[each.employee_id] for each in seated]
    if roster.method is Method.DRAW:
        weights_of_draw = published_weights_of_draw(roster)
        return [Fraction(weights_of_draw[each.employee_id]) for each in seated]
    if roster.method in _BY_LOAD:
        is_relative = roster.method is Method.LOAD_RELATIVE
        rooms = [each.holding_room or 0 for each in seated]
        sizes = [max(each.holding_limit or 0, 1) if is_relative else 1 for each in seated]
        parts = [share or _HARDLY for share in levelled(rooms, sizes, customers)]
        return _filled(roster, seated, parts)
    if roster.method is Method.LEVEL:
        highest = max(each.level for each in seated)
        rooms = [highest - each.level + customers for each in seated]
        parts = [share or _HARDLY for share in levelled(rooms, [1] * len(seated), customers)]
        return _filled(roster, seated, parts)
    return _filled(roster, seated, [Fraction(1)] * len(seated))


def _filled(roster: Roster, seated: Sequence[Candidate], parts: list[Fraction]) -> list[Fraction]:
    """The parts, filled up to what newcomers are guaranteed; as they are where that is nothing."""
    guarantee = guarantee_of(roster, seated)
    return filled_shares(parts, guarantee.least()) if guarantee.newcomers else parts


def _aimed_past(people: Sequence[Candidate], aim: Aim, receiver: UUID | None) -> set[UUID]:
    """Whom the unit was not for: where it went to one of the first, all others."""
    first = {people[seat].employee_id for seat in aim.first}
    whose = first if receiver in first else first | {people[seat].employee_id for seat in aim.others}
    return {each.employee_id for each in people} - whose


def levelled(rooms: Sequence[int], sizes: Sequence[int], customers: int) -> list[Fraction]:
    """What each gets, with all room taken from the top until so many customers are given: room − level × size.

    The level is the one at which it comes to `customers`; who has less room in proportion gets nothing.
    """
    by_room = sorted(range(len(rooms)), key=lambda seat: Fraction(rooms[seat], sizes[seat]), reverse=True)
    room = size = 0
    level = Fraction(0)
    for seat in by_room:
        if size and Fraction(rooms[seat], sizes[seat]) <= Fraction(room - customers, size):
            break
        room, size = room + rooms[seat], size + sizes[seat]
        level = Fraction(room - customers, size)
    return [max(Fraction(0), each - level * of) for each, of in zip(rooms, sizes, strict=True)]


def _cooling(candidates: Iterable[Candidate]) -> dict[UUID, set[UUID]]:
    """Who may not have a customer, having owned it too lately, by the customer."""
    found: dict[UUID, set[UUID]] = {}
    for candidate in candidates:
        for customer_id in candidate.cooldown_customers:
            found.setdefault(customer_id, set()).add(candidate.employee_id)
    return found
