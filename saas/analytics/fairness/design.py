"""What chance has to do with: everything about a period but who got what, and what is exactly to be expected of it.

If each pick falls, by itself, on one of its wheel with a chance p, a sum of loads has the expectation Σ load × p and
the variance Σ load² × p × (1 − p). Both are exact here; only what has no closed form is simulated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from uuid import UUID

from saas.analytics.fairness.facts import AuditedPeriod, AuditedPick, Wheel
from saas.analytics.fairness.loads import MEASURES, PICKS_MAX, Loads, loads_of, pack

Seat = tuple[UUID, bool]
"""A person, and whether they were a newcomer: who stops being one changes seats."""


@dataclass(frozen=True, slots=True)
class Subject:
    """About whom a figure is: a person, a declared group by its name, or, with neither, the newcomers."""

    person: UUID | None
    group: str | None
    seats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What chance gives: expectation, variance, and how many picks of equal load it is worth, `effective`."""

    expected: float
    variance: float
    effective: float


@dataclass(slots=True)
class Turns:
    """The picks of one wheel: its seats with the chance of each and where it ends, sums of loads and of their squares.

    `is_even` where all chances are the same.
    """

    seats: list[int]
    chances: list[float]
    ends: list[float]
    is_even: bool
    first: list[int] = field(default_factory=lambda: [0] * len(MEASURES))
    second: list[int] = field(default_factory=lambda: [0] * len(MEASURES))

    def add(self, loads: Loads) -> None:
        for at, load in enumerate(loads):
            self.first[at] += load
            self.second[at] += load * load


class Design:
    """The seats and loads of a period, and the expectations of all it tells about.

    :raises ValueError: there are no picks, or too many; or somebody got a customer who was not on its wheel.
    """

    def __init__(self, period: AuditedPeriod) -> None:
        picks = period.picks
        if not 1 <= len(picks) <= PICKS_MAX:
            raise ValueError(f"an audit is of 1 to {PICKS_MAX} picks: {len(picks)}")
        wheels = _wheels_of(picks)
        self.seats: list[Seat] = sorted({seat for wheel in wheels for seat in _seats_of(wheel)})
        self._seat_of = {seat: at for at, seat in enumerate(self.seats)}
        made = {id(wheel): self._turns(wheel) for wheel in wheels}
        loads = loads_of(picks)
        self.turns = [made[id(pick.wheel)] for pick in picks]
        for turns, each in zip(self.turns, loads, strict=True):
            turns.add(each)
        self._wheels = list(made.values())
        self.packed = [pack(each) for each in loads]
        self.totals = tuple(map(sum, zip(*loads, strict=True)))
        self.subjects = self._subjects(period)
        self.expectations = self._expectations()

    def places(self, picks: Sequence[AuditedPick]) -> Iterator[int]:
        """The seats that picks fell on: those that the design is of, whoever got them.

        :raises ValueError: somebody is not on the wheel.
        """
        people = {id(wheel): frozenset(wheel.people) for wheel in _wheels_of(picks)}
        for pick in picks:
            if pick.employee_id not in people[id(pick.wheel)]:
                raise ValueError(f"{pick.employee_id} got a customer without being on its wheel")
            yield self._seat_of[pick.employee_id, pick.employee_id in pick.wheel.newcomers]

    def _turns(self, wheel: Wheel) -> Turns:
        whole = sum(wheel.weights)
        seats = [self._seat_of[seat] for seat in _seats_of(wheel)]
        chances = [weight / whole for weight in wheel.weights]
        ends = list(accumulate(chances))
        return Turns(seats, chances, ends, is_even=min(wheel.weights) == max(wheel.weights))

    def _subjects(self, period: AuditedPeriod) -> list[Subject]:
        own: dict[UUID, list[int]] = {}
        for at, (person, _) in enumerate(self.seats):
            own.setdefault(person, []).append(at)
        subjects = [Subject(person, None, tuple(own[person])) for person in sorted(own)]
        subjects.append(Subject(None, None, tuple(at for at, (_, is_new) in enumerate(self.seats) if is_new)))
        for name, people in sorted(period.groups.items()):
            subjects.append(Subject(None, name, tuple(at for at, (each, _) in enumerate(self.seats) if each in people)))
        return subjects

    def _expectations(self) -> list[tuple[Expectation, ...]]:
        by_seat: list[list[list[float]]] = [[[0.0] * 3 for _ in MEASURES] for _ in self.seats]
        for turns in self._wheels:
            for seat, chance in zip(turns.seats, turns.chances, strict=True):
                _add(by_seat[seat], turns, chance)
        found = []
        for subject in self.subjects:
            if subject.person is None:
                sums = self._of_group(frozenset(subject.seats))
            else:
                sums = [[sum(parts) for parts in zip(*each, strict=True)] for each in self._across(by_seat, subject)]
            found.append(tuple(map(_expectation, sums)))
        return found

    @staticmethod
    def _across(by_seat: list[list[list[float]]], subject: Subject) -> Iterator[Sequence[list[float]]]:
        """The sums of a person's seats by measure: a wheel has but one of them, so they are independent."""
        return zip(*(by_seat[seat] for seat in subject.seats), strict=True)

    def _of_group(self, group: frozenset[int]) -> list[list[float]]:
        sums = [[0.0] * 3 for _ in MEASURES]
        for turns in self._wheels:
            both = zip(turns.seats, turns.chances, strict=True)
            _add(sums, turns, min(sum(chance for seat, chance in both if seat in group), 1.0))
        return sums


def _wheels_of(picks: Sequence[AuditedPick]) -> list[Wheel]:
    return list({id(each.wheel): each.wheel for each in picks}.values())


def _seats_of(wheel: Wheel) -> Iterable[Seat]:
    return ((person, person in wheel.newcomers) for person in wheel.people)


def _add(sums: list[list[float]], turns: Turns, chance: float) -> None:
    """What the picks of a wheel add where they fall on somebody with this chance."""
    for measure, first, second in zip(sums, turns.first, turns.second, strict=True):
        measure[0] += chance * first
        measure[1] += chance * second
        measure[2] += chance * (1 - chance) * second


def _expectation(sums: Sequence[float]) -> Expectation:
    expected, second, variance = sums
    return Expectation(expected, variance, expected * expected / second if second else 0.0)
