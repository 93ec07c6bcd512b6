"""What entries earn: tiers run over a window (an order, a person's period, the year to date), in the order of events.

A line of tiers is the difference of two rounded running totals, so that the lines of a window add up to its rounded
total, and an earlier line does not change when a later event arrives. The one exception is meant: in whole-amount mode
over a period, every line of the period has the rate that the period reaches. All rules of a version add to one running
base; flat rates and units are linear and rounded by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from saas.incentives.rules.credits import split
from saas.incentives.rules.entries import Entry
from saas.incentives.rules.exact import rounded_ratio
from saas.incentives.rules.lines import Stream
from saas.incentives.rules.plans import Cycle, Plan, Window
from saas.incentives.rules.tiers import Flat, Mode, PerUnit, Shape, Tiers
from saas.kernel import Period, month_of


@dataclass(frozen=True, slots=True)
class Point:
    """A running total: the base so far and what it has earned, neither rounded."""

    base: Fraction
    commission: Fraction


@dataclass(frozen=True, slots=True)
class Earned:
    """What an entry earns.

    `shape` has its cuts in money. `before` and `after` are the running totals of tiers, None for linear shapes. `exact`
    is the event's commission before rounding, `whole` after it, `parts` its division among the participants where it is
    divided; `amount` is the person's.
    """

    entry: Entry
    shape: Shape
    base: Fraction
    before: Point | None
    after: Point | None
    exact: Fraction
    whole: Decimal
    parts: tuple[Decimal, ...]
    amount: Decimal


def window_key(entry: Entry, plan: Plan) -> Hashable:
    """Which entries run together."""
    return entry.person, entry.stream, entry.award, _window_of(entry, plan)


def _window_of(entry: Entry, plan: Plan) -> Hashable:
    if plan.window is Window.ORDER:
        return entry.event.deal.id
    return _period_of(entry, plan)


def _period_of(entry: Entry, plan: Plan) -> Period:
    cycle = Cycle.YEAR if plan.window is Window.YEAR else plan.cycle
    return cycle.period_of(entry.event.on)


def grouped(entries: Iterable[Entry], plan: Plan) -> Mapping[Hashable, list[Entry]]:
    """Entries by their window; each list keeps the order that the entries have."""
    groups: dict[Hashable, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[window_key(entry, plan)].append(entry)
    return groups


Targets = Mapping[tuple[str, Period], Decimal]
"""A person's target of just that period."""


def earn(entries: Sequence[Entry], plan: Plan, targets: Targets) -> list[Earned]:
    """What the entries of one window earn, in the order of events.

    :raises TargetMissing: tiers of a target, and the person has none in that period.
    """
    running = _Running(_reached_by_all(entries, plan))
    return [_earned(entry, plan, targets, running) for entry in entries]


def _reached_by_all(entries: Sequence[Entry], plan: Plan) -> Fraction | None:
    """The base whose rate every line of a whole-amount scale gets; None where it grows event by event."""
    return sum((_counted(e, plan) for e in entries), Fraction(0)) if plan.window is Window.PERIOD else None


def _counted(entry: Entry, plan: Plan) -> Fraction:
    """The base that the window adds up: the order's own, or what is credited to the person."""
    is_of_order = plan.window is Window.ORDER and entry.stream is Stream.OWN
    return entry.event.base if is_of_order else entry.base


@dataclass(slots=True)
class _Running:
    """The running total of one window."""

    reached_by_all: Fraction | None
    base: Fraction = Fraction(0)
    settled: Fraction = Fraction(0)
    retroactive: dict[Tiers, Fraction] = field(default_factory=dict)

    def add(self, base: Fraction, shape: Shape) -> tuple[Point, Point]:
        before = self._point()
        if isinstance(shape, Tiers) and shape.mode is Mode.MARGINAL:
            self.settled += shape.commission(self.base + base) - shape.commission(self.base)
        elif isinstance(shape, Tiers) and self.reached_by_all is not None:
            self.settled += base * Fraction(shape.rate_at(self.reached_by_all))
        elif isinstance(shape, Tiers):
            self.retroactive[shape] = self.retroactive.get(shape, Fraction(0)) + base
        self.base += base
        return before, self._point()

    def _point(self) -> Point:
        rates = (base * Fraction(tiers.rate_at(self.base)) for tiers, base in self.retroactive.items())
        return Point(self.base, self.settled + sum(rates, Fraction(0)))


def _earned(entry: Entry, plan: Plan, targets: Targets, running: _Running) -> Earned:
    shape = _shape_in_money(entry, plan, targets)
    counted = _counted(entry, plan)
    before, after = running.add(counted, shape)
    if isinstance(shape, Tiers):
        whole = rounded_ratio(after.commission, plan.digits) - rounded_ratio(before.commission, plan.digits)
        is_divided = plan.window is Window.ORDER and entry.place is not None
        line = Earned(entry, shape, counted, before, after, after.commission - before.commission, whole, (), whole)
    else:
        base, exact = _linear(entry, shape)
        whole, is_divided = rounded_ratio(exact, plan.digits), entry.place is not None
        line = Earned(entry, shape, base, None, None, exact, whole, (), whole)
    return _divided(line, plan) if is_divided else line


def _linear(entry: Entry, shape: Flat | PerUnit) -> tuple[Fraction, Fraction]:
    """Base (or units) and commission of the whole event; of an override, of the team's part of it."""
    share = entry.share if entry.place is None else Fraction(1)
    if isinstance(shape, PerUnit):
        return entry.event.units * share, entry.event.units * share * Fraction(shape.amount)
    return entry.event.base * share, entry.event.base * share * Fraction(shape.rate)


def _divided(line: Earned, plan: Plan) -> Earned:
    """The total is rounded first and divided then: the participants' parts add up to it."""
    assert line.entry.place is not None
    credit = line.entry.event.deal.credit
    if len(credit.shares) == 1:
        return line
    parts = split(line.whole, credit, digits=plan.digits)
    return replace(line, parts=parts, amount=parts[line.entry.place])


def _shape_in_money(entry: Entry, plan: Plan, targets: Targets) -> Shape:
    shape = entry.rule.shape
    if not isinstance(shape, Tiers) or not shape.of_target:
        return shape
    period = _period_of(entry, plan)
    name = str(period.first.year) if plan.window is Window.YEAR else month_of(period.first)
    return shape.for_target(targets.get((entry.person, period)), person=entry.person, period=name)
