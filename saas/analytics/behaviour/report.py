"""The report: lines of people, departments or all, each measure beside another period and the group's median."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from saas.analytics.behaviour.measures import MEASURES, Measure
from saas.analytics.behaviour.tallies import Seat, Tally, people_of

FEWEST = 5
"""A median is told where at least so many people have a figure: of fewer it would tell of one of them."""


class Grouping(Enum):
    """What a line is of."""

    PERSON = "person"
    DEPARTMENT = "department"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure, the same of the other period, how far it has moved, and the median of the people of the group.

    Each is None where there is nothing to be told; `people` counts those of whom the median is.
    """

    measure: Measure
    value: Decimal | None
    sample: int
    before: Decimal | None
    sample_before: int
    median: Decimal | None
    people: int

    @property
    def difference(self) -> Decimal | None:
        """This period's figure less the other's."""
        return None if self.value is None or self.before is None else self.value - self.before

    def plain(self) -> list[str | int | None]:
        """As JSON values, without the measure."""
        value, before, median = (None if each is None else str(each) for each in (self.value, self.before, self.median))
        return [value, self.sample, before, self.sample_before, median, self.people]

    @classmethod
    def of_plain(cls, measure: Measure, plain: Sequence[Any]) -> Compared:
        """What `plain` described."""
        value, sample, before, sample_before, median, people = plain
        return cls(measure, _decimal(value), sample, _decimal(before), sample_before, _decimal(median), people)


@dataclass(frozen=True, slots=True)
class Line:
    """A person's, a department's (with those below) or all's figures, in the order of `MEASURES`; `people` counts of
    how many people it is. `group_id` is the department whose people the medians are of, None for all.
    """

    id: UUID | None
    people: int
    group_id: UUID | None
    figures: tuple[Compared, ...]

    def plain(self) -> list[Any]:
        """As JSON values; figures by the keys of their measures."""
        ids = (None if each is None else str(each) for each in (self.id, self.group_id))
        return [*ids, self.people, {each.measure.key: each.plain() for each in self.figures}]

    @classmethod
    def of_plain(cls, plain: Sequence[Any]) -> Line:
        """What `plain` described; a measure that it lacks is left out."""
        id_, group_id, people, figures = plain
        found = tuple(Compared.of_plain(each, figures[each.key]) for each in MEASURES if each.key in figures)
        return cls(_id(id_), people, _id(group_id), found)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


@dataclass(frozen=True, slots=True)
class Tree:
    """Today's departments: each with its parent, None at the root, and where each person is now."""

    parents: Mapping[UUID, UUID | None]
    departments: Mapping[UUID, UUID]

    def above(self, department_id: UUID) -> Iterable[UUID]:
        """The department and those above it, the nearest first."""
        at: UUID | None = department_id
        while at is not None:
            yield at
            at = self.parents.get(at)


@dataclass(frozen=True, slots=True)
class Observed:
    """The tallies of the period and of the other one, by person and department; the other is None without one."""

    now: Mapping[Seat, Tally]
    before: Mapping[Seat, Tally] | None
    tree: Tree


def lines(observed: Observed, grouping: Grouping, *, visible: Collection[Seat]) -> list[Line]:
    """The lines that may be shown to who sees those people in those departments, by id.

    A person's line is of the departments in which it may be seen. A department's, and that of all, is shown to who
    sees everybody in it alone.
    """
    if grouping is Grouping.PERSON:
        return _people(observed, frozenset(visible))
    if grouping is Grouping.DEPARTMENT:
        return _departments(observed, frozenset(visible))
    seats = _seats(observed)
    return [_line(None, None, seats, observed, _Group(observed, None))] if seats and seats <= set(visible) else []


def _seats(observed: Observed) -> set[Seat]:
    return {*observed.now, *(observed.before or ())}


def _people(observed: Observed, visible: frozenset[Seat]) -> list[Line]:
    seats: dict[UUID, set[Seat]] = {}
    for seat in _seats(observed) & visible:
        seats.setdefault(seat[0], set()).add(seat)
    groups = _Groups(observed)
    return [_line(person, None, own, observed, groups.around(person)) for person, own in sorted(seats.items())]


def _departments(observed: Observed, visible: frozenset[Seat]) -> list[Line]:
    below: dict[UUID, set[Seat]] = {}
    for seat in _seats(observed):
        for department_id in observed.tree.above(seat[1]):
            below.setdefault(department_id, set()).add(seat)
    return [
        _line(each, each, seats, observed, _Group(observed, seats))
        for each, seats in sorted(below.items())
        if seats <= visible
    ]


class _Group:
    """People whose median is told: those of some seats, or all."""

    def __init__(self, observed: Observed, seats: Collection[Seat] | None, department_id: UUID | None = None) -> None:
        chosen = observed.now if seats is None else {each: observed.now[each] for each in seats if each in observed.now}
        self.department_id = department_id
        self._people = list(people_of(chosen).values())
        self._medians: dict[str, tuple[Decimal | None, int]] = {}

    def median(self, measure: Measure) -> tuple[Decimal | None, int]:
        """The median (the lower of two) and of how many people; None where they are fewer than five."""
        if measure.key not in self._medians:
            self._medians[measure.key] = self._reckoned(measure)
        return self._medians[measure.key]

    def _reckoned(self, measure: Measure) -> tuple[Decimal | None, int]:
        values = sorted(value for value in (measure.of(each).value for each in self._people) if value is not None)
        return (values[(len(values) - 1) // 2] if len(values) >= FEWEST else None), len(values)


class _Groups:
    """The group around a person: the nearest department at or above theirs with five people in the report."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self._below: dict[UUID, set[UUID]] = {}
        self._known: dict[UUID | None, _Group] = {}
        for person in {person for person, _ in observed.now}:
            for department_id in self._around(person):
                self._below.setdefault(department_id, set()).add(person)

    def around(self, person: UUID) -> _Group:
        """The group of a person; all where no department has five."""
        at = next((each for each in self._around(person) if len(self._below.get(each, ())) >= FEWEST), None)
        if at not in self._known:
            people = None if at is None else self._below[at]
            seats = None if people is None else {seat for seat in self._observed.now if seat[0] in people}
            self._known[at] = _Group(self._observed, seats, at)
        return self._known[at]

    def _around(self, person: UUID) -> Iterable[UUID]:
        department_id = self._observed.tree.departments.get(person)
        return () if department_id is None else self._observed.tree.above(department_id)


def _line(id_: UUID | None, group_id: UUID | None, seats: Collection[Seat], observed: Observed, group: _Group) -> Line:
    now = Tally.of(observed.now[each] for each in seats if each in observed.now)
    known = observed.before
    before = None if known is None else Tally.of(known[each] for each in seats if each in known)
    people = len({person for person, _ in seats})
    return Line(id_, people, group_id or group.department_id, _compared(now, before, group))


def _compared(now: Tally, before: Tally | None, group: _Group) -> tuple[Compared, ...]:
    return tuple(_figure(measure, now, before, group) for measure in MEASURES)


def _figure(measure: Measure, now: Tally, before: Tally | None, group: _Group) -> Compared:
    figure, (median, people) = measure.of(now), group.median(measure)
    other = None if before is None else measure.of(before)
    return Compared(
        measure=measure,
        value=figure.value,
        sample=figure.sample,
        before=None if other is None else other.value,
        sample_before=0 if other is None else other.sample,
        median=median,
        people=people,
    )
