"""The report: each share with what was expected and what chance gives, and an alarm where it is more than chance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median_low
from uuid import UUID

from saas.analytics.fairness.design import Design, Subject
from saas.analytics.fairness.facts import AuditedPeriod, Measure
from saas.analytics.fairness.loads import MEASURES, unpack
from saas.analytics.fairness.redraws import INDICES, TIMES, Null, Ratios, Spread, redraw
from saas.kernel import rounded

LEVEL = Decimal("0.05")
"""An alarm is raised where the adjusted p is at most this."""

DIGITS = 6
"""Digits behind the point of shares and indices."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An observed figure, what the published weights let expect, and the band in which 95 % of redraws lie.

    `p_adjusted` is the chance that *any* figure of the report deviates as far; None where there was too little to judge
    it by itself.
    """

    observed: Decimal
    expected: Decimal
    low: Decimal
    high: Decimal
    p_adjusted: Decimal | None

    @property
    def is_alarm(self) -> bool:
        """Whether it is more than chance."""
        return self.p_adjusted is not None and self.p_adjusted <= LEVEL


@dataclass(frozen=True, slots=True)
class Line:
    """The shares of a person, of a declared `group`, or, with neither, of the newcomers; 1 is all there was.

    A measure of which there was nothing at all has no share. `median_waited_days` is None where they got nothing.
    """

    person: UUID | None
    group: str | None
    people: frozenset[UUID]
    shares: dict[Measure, Figure]
    median_waited_days: int | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A figure that is more than chance: an index of the whole report, or a measure of a line."""

    figure: Figure
    index: str | None = None
    line: Line | None = None
    measure: Measure | None = None


@dataclass(frozen=True, slots=True)
class FairnessReport:
    """What became of a period's picks. Without a pick there are no lines and no indices."""

    picks: int
    redraws: int
    people: tuple[Line, ...] = ()
    groups: tuple[Line, ...] = ()
    newcomers: Line | None = None
    indices: dict[str, Figure] | None = None
    median_waited_days: int | None = None
    alarms: tuple[Alarm, ...] = ()


def seed_of(pool_id: UUID, first: date, last: date) -> int:
    """The seed of a pool's period: nobody chooses it, and the report is the same whenever it is made."""
    text = f"fairlead.fairness/1/{pool_id}/{first}/{last}"
    return int.from_bytes(hashlib.sha256(text.encode("ascii")).digest()[:8], "big")


def audit(period: AuditedPeriod, *, seed: int, times: int = TIMES) -> FairnessReport:
    """The report of a period, with its redraws made from a seed.

    :raises ValueError: somebody got a customer without being on its wheel.
    """
    if not period.picks:
        return FairnessReport(0, 0)
    return judged(period, redraw(Design(period), seed=seed, times=times))


def judged(period: AuditedPeriod, null: Null) -> FairnessReport:
    """The report by redraws that were made of the same picks, whoever got them.

    :raises ValueError: somebody got a customer without being on its wheel.
    """
    return _Judge(period, null).report()


class _Judge:
    def __init__(self, period: AuditedPeriod, null: Null) -> None:
        self._picks, self._null, self._design = period.picks, null, null.design
        self._by_seat = [0] * len(self._design.seats)
        self._waited: dict[int, list[int]] = {}
        seats = self._design.places(period.picks)
        for pick, packed, seat in zip(period.picks, self._design.packed, seats, strict=True):
            self._by_seat[seat] += packed
            self._waited.setdefault(seat, []).append(pick.waited_days)

    def report(self) -> FairnessReport:
        lines = [
            self._line(subject, spreads)
            for subject, spreads in zip(self._design.subjects, self._null.spreads, strict=True)
        ]
        indices = dict(self._indices())
        newcomers = next(line for line in lines if line.person is None and line.group is None)
        return FairnessReport(
            picks=len(self._picks),
            redraws=len(self._null.greatest),
            people=tuple(line for line in lines if line.person is not None),
            groups=tuple(line for line in lines if line.group is not None),
            newcomers=newcomers if newcomers.people else None,
            indices=indices,
            median_waited_days=median_low(pick.waited_days for pick in self._picks),
            alarms=tuple(sorted(_alarms(lines, indices), key=_gravest)),
        )

    def _sums(self, subject: Subject) -> list[int]:
        packed = sum(self._by_seat[seat] for seat in subject.seats)
        return [unpack([packed], measure)[0] for measure in range(len(MEASURES))]

    def _line(self, subject: Subject, spreads: Sequence[Spread]) -> Line:
        waited = [days for seat in subject.seats for days in self._waited.get(seat, ())]
        whole = self._design.totals
        shares = {
            measure: self._figure(spread, observed, whole=total)
            for measure, spread, observed, total in zip(MEASURES, spreads, self._sums(subject), whole, strict=True)
            if total
        }
        people = frozenset(self._design.seats[seat][0] for seat in subject.seats)
        return Line(subject.person, subject.group, people, shares, median_low(waited) if waited else None)

    def _figure(self, spread: Spread, observed: float, *, whole: float) -> Figure:
        """The figure as a part of the whole; deviations to either side count."""
        p = self._null.adjusted(abs(spread.distance(observed))) if spread.is_judged else None
        return _told(spread, observed, p, whole=whole)

    def _indices(self) -> Iterator[tuple[str, Figure]]:
        ratios = Ratios(self._design)
        values = [self._sums(self._design.subjects[at])[MEASURES.index(Measure.VALUE)] for at in ratios.subjects]
        if not self._null.indices:
            return
        for index, (shown, scaled) in zip(INDICES, self._null.indices, strict=True):
            observed = index.of(ratios.of(values), ratios.parts)
            p = self._null.adjusted(scaled.distance(index.scaled(observed))) if scaled.is_judged else None
            yield index.name, _told(shown, observed, p)


def _told(spread: Spread, observed: float, p_adjusted: float | None, *, whole: float = 1) -> Figure:
    return Figure(
        observed=_digits(observed / whole),
        expected=_digits(spread.expected / whole),
        low=_digits(spread.low / whole),
        high=_digits(spread.high / whole),
        p_adjusted=None if p_adjusted is None else _digits(p_adjusted),
    )


def _alarms(lines: Sequence[Line], indices: dict[str, Figure]) -> Iterator[Alarm]:
    for name, figure in indices.items():
        if figure.is_alarm:
            yield Alarm(figure, index=name)
    for line in lines:
        for measure, figure in line.shares.items():
            if figure.is_alarm:
                yield Alarm(figure, line=line, measure=measure)


def _gravest(alarm: Alarm) -> Decimal:
    assert alarm.figure.p_adjusted is not None, "an alarm is of a figure that was judged"
    return alarm.figure.p_adjusted


def _digits(value: float) -> Decimal:
    return rounded(Decimal(value), DIGITS)
