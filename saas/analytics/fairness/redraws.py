"""Chance by trial: each pick is drawn again from its own wheel, two thousand times, and the same figures are taken.

A band of a figure is where 95 % of its redraws lie. The alarm is one for the whole report: a figure counts as more than
chance where its deviation, in standard deviations, is exceeded by the *greatest* deviation of all figures in at most
5 % of redraws. So a report on a fair allocator raises any alarm in at most 5 % of cases, however many figures it has
and however they hang together: the single-step max-T of P. Westfall and S. Young, "Resampling-Based Multiple Testing"
(1993), chapter 2.

Of many picks not every redraw is drawn by itself: blocks of picks are drawn some hundred times, and a redraw takes one
outcome of each block by lot. Each redraw has exactly the chances of the rule; two of them share a block's outcome with
a chance of 1 / `outcomes`, which makes the 5 % uncertain by a few tenths of a percent more, and nothing else.
"""

from __future__ import annotations

from array import array
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from math import sqrt
from operator import add
from random import Random
from statistics import fmean, stdev

from saas.analytics.fairness.concentration import gini, jain
from saas.analytics.fairness.design import Design, Expectation, Subject, Turns
from saas.analytics.fairness.facts import Measure
from saas.analytics.fairness.loads import MEASURES, unpack

TIMES = 2_000
LEAST_EFFECTIVE = 5
"""Figures of less than so many expected picks of equal load are shown, and judged in their groups only: one customer
more is no finding there, and their jumps would blunt the alarm for everybody else. (W. Cochran's rule of five, 1954.)
"""

_DRAWS = 2_500_000
_LEAST_OUTCOMES = 200
_BLOCK = 1_000
_VALUE = MEASURES.index(Measure.VALUE)


def _as_it_is(index: float) -> float:
    return index


def _variation(index: float) -> float:
    """Jain's index as the coefficient of variation, which chance spreads like other figures.

    The index itself holds its square: rare deviations would drown those of all other figures.
    """
    return sqrt(max(0.0, 1 / index - 1))


@dataclass(frozen=True, slots=True)
class Index:
    """An index of concentration; `scaled` rises with unfairness, and is what is judged.

    Evener than chance is no fault (people served in turn are), so an index is judged on that side alone.
    """

    name: str
    of: Callable[[Sequence[float], Sequence[float]], float]
    scaled: Callable[[float], float]


INDICES = (Index("gini", gini, _as_it_is), Index("jain", jain, _variation))


@dataclass(frozen=True, slots=True)
class Spread:
    """What chance makes of a figure: expectation, standard deviation, and the band that holds 95 %.

    `is_judged` tells whether it is one of those the alarm looks at.
    """

    expected: float
    deviation: float
    low: float
    high: float
    is_judged: bool

    def distance(self, observed: float) -> float:
        """How far from the expectation, in standard deviations."""
        return (observed - self.expected) / self.deviation


@dataclass(frozen=True, slots=True)
class Null:
    """What chance makes of all figures: `spreads` by subject and measure; `indices` as `INDICES` has them, as they are
    and scaled, none where fewer than two people could get anything.

    `greatest` holds the greatest deviation of each redraw, in order.
    """

    design: Design
    spreads: Sequence[Sequence[Spread]]
    indices: Sequence[tuple[Spread, Spread]]
    greatest: Sequence[float]

    def adjusted(self, distance: float) -> float:
        """The chance that any figure of the report deviates so far: p, adjusted for all of them; never 0.

        The observed report counts as one of the redraws (A. Davison and D. Hinkley, "Bootstrap Methods", 1997, 4.2).
        """
        beyond = len(self.greatest) - _first_from(self.greatest, distance)
        return (beyond + 1) / (len(self.greatest) + 1)


def _first_from(greatest: Sequence[float], distance: float) -> int:
    """Where the deviations begin that are as great; a hair less counts as equal, since sums of floats differ by it."""
    return bisect(greatest, distance - 1e-9)


class Ratios:
    """The people of whom some value was expected, and what the indices of concentration are taken of."""

    def __init__(self, design: Design) -> None:
        found = [
            (at, each[_VALUE].expected)
            for at, (subject, each) in enumerate(zip(design.subjects, design.expectations, strict=True))
            if subject.person is not None and each[_VALUE].expected > 0
        ]
        whole = sum(expected for _, expected in found)
        self.subjects = [at for at, _ in found]
        self._expected = [expected for _, expected in found]
        self.parts = [expected / whole for _, expected in found]

    def of(self, values: Sequence[float]) -> list[float]:
        """The ratios of what these people got to what was expected."""
        return [value / expected for value, expected in zip(values, self._expected, strict=True)]


def redraw(design: Design, *, seed: int, times: int = TIMES) -> Null:
    """Draw the picks again; the same seed gives the same figures, on every machine.

    Nothing here depends on who got what.
    """
    rows = _redrawn(design, Random(seed), times)  # noqa: S311 - a trial of chance that anybody may repeat
    by_seat = list(zip(*rows, strict=True))
    greatest = [0.0] * times
    spreads, values = [], {}
    for at, (subject, expectations) in enumerate(zip(design.subjects, design.expectations, strict=True)):
        packed = _of_subject(subject, by_seat, times)
        sums = [unpack(packed, measure) for measure in range(len(MEASURES))]
        spreads.append([_spread(of, each) for of, each in zip(sums, expectations, strict=True)])
        for of, spread in zip(sums, spreads[-1], strict=True):
            if spread.is_judged:
                greatest = _greater(greatest, of, spread)
        values[at] = array("d", sums[_VALUE])
    indices = []
    for index, found in _index_values(Ratios(design), values):
        scaled = list(map(index.scaled, found))
        indices.append((_simulated_spread(found), judged := _simulated_spread(scaled)))
        if judged.is_judged:
            greatest = _greater(greatest, scaled, judged, is_one_sided=True)
    return Null(design, spreads, indices, sorted(greatest))


def _greater(
    greatest: list[float], sums: Sequence[float], spread: Spread, *, is_one_sided: bool = False
) -> list[float]:
    """The greater of what was and this figure's deviations, upwards or to either side."""
    expected, scale = spread.expected, 1 / spread.deviation
    distances = [(each - expected) * scale for each in sums]
    return list(map(max, greatest, distances if is_one_sided else map(abs, distances)))


def _redrawn(design: Design, random: Random, times: int) -> list[list[int]]:
    """The packed sums of each seat, of each redraw."""
    rows = [[0] * len(design.seats) for _ in range(times)]
    outcomes = min(times, max(_LEAST_OUTCOMES, _DRAWS // len(design.turns)))
    size = max(_BLOCK, 10 * len(design.seats))
    for start in range(0, len(design.turns), size):
        drawn = _outcomes(design, slice(start, start + size), random, outcomes)
        taken = range(times) if outcomes == times else [int(random.random() * outcomes) for _ in range(times)]
        rows = [list(map(add, row, drawn[at])) for row, at in zip(rows, taken, strict=True)]
    return rows


def _outcomes(design: Design, block: slice, random: Random, count: int) -> list[list[int]]:
    """Packed sums of each seat from the picks of a block, drawn so many times."""
    by_wheel: dict[int, tuple[Turns, list[int]]] = {}
    for turns, load in zip(design.turns[block], design.packed[block], strict=True):
        by_wheel.setdefault(id(turns), (turns, []))[1].append(load)
    drawn = []
    for _ in repeat(None, count):
        row = [0] * len(design.seats)
        for turns, loads in by_wheel.values():
            for seat, load in zip(_seats(turns, random, len(loads)), loads, strict=True):
                row[seat] += load
        drawn.append(row)
    return drawn


def _seats(turns: Turns, random: Random, count: int) -> list[int]:
    """Seats drawn from a wheel; by `Random.random` alone, whose numbers are the same in every version."""
    draw, seats, many, ends = random.random, turns.seats, len(turns.seats), turns.ends
    if turns.is_even:
        return [seats[int(draw() * many)] for _ in repeat(None, count)]
    whole = ends[-1]
    return [seats[bisect(ends, draw() * whole, 0, many - 1)] for _ in repeat(None, count)]


def _of_subject(subject: Subject, by_seat: Sequence[Sequence[int]], times: int) -> Sequence[int]:
    if len(subject.seats) == 1:
        return by_seat[subject.seats[0]]
    return list(map(sum, zip(*(by_seat[seat] for seat in subject.seats), strict=True))) or [0] * times


def _spread(sums: Sequence[int], chance: Expectation) -> Spread:
    low, high = _band(sums)
    # what always, or never, falls on somebody has no variance but that of rounding
    varies = chance.variance > 1e-9 * max(chance.expected, 1e-300) ** 2
    is_judged = varies and chance.effective >= LEAST_EFFECTIVE
    return Spread(chance.expected, sqrt(chance.variance), low, high, is_judged)


def _simulated_spread(values: Sequence[float]) -> Spread:
    """Of an index: its expectation has no closed form."""
    low, high = _band(values)
    deviation = stdev(values)
    return Spread(fmean(values), deviation, low, high, is_judged=deviation > 1e-9)


def _band(values: Sequence[float]) -> tuple[float, float]:
    """The values between which 95 % lie: those of rank 2.5 % of n + 1 from below and from above."""
    ordered = sorted(values)
    beyond = (len(ordered) + 1) // 40
    return ordered[beyond - 1], ordered[-beyond]


def _index_values(ratios: Ratios, values: dict[int, array[float]]) -> Iterator[tuple[Index, list[float]]]:
    if len(ratios.subjects) < 2:
        return
    of_people = zip(*(values[at] for at in ratios.subjects), strict=True)
    of_redraws = [ratios.of(each) for each in of_people]
    for index in INDICES:
        yield index, [index.of(each, ratios.parts) for each in of_redraws]
