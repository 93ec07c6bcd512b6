"""Reports over what the rooms below keep: how fairly the allocations of a pool were dealt (docs/fairness.md).

Facts are read in the request's transaction; the redraws take seconds where there are many picks, so they are made in
a thread, of large reports one at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TypeVar
from uuid import UUID

from saas.access import AccessTable
from saas.analytics.errors import GroupPersonNotFound, ReportPeriodRefused, ReportsBusy, ReportTooLarge
from saas.analytics.fairness import (
    AuditedPeriod,
    AuditedPick,
    FairnessReport,
    Wheel,
    audit,
    is_newcomer,
    seed_of,
)
from saas.customers import (
    GivenAllocation,
    GivenSize,
    find_given,
    find_visible_receivers,
    measure_given,
    require_audited_pool,
)
from saas.kernel import Actor
from saas.sales import find_expected_on, find_won, median_expected

AUDIT = "allocation:audit"
NEWCOMER_DAYS = 90
MOST_YEARS = 2
MOST_WORK = 25_000
PERSON_WORK = 20
"""A report's work counts in picks; each person is worth twenty: 20,000 picks among 250 people, or 15,000 among 500."""

MOST_SEATS = 100_000
"""People of all rosters together, who are each read from the rosters' JSON."""

MOST_CHANCES = 1_000_000
"""People of all different wheels together: cooldowns and full hands make many of them."""

LARGE = 2_000
FEWEST = 5
"""Newcomers and veterans are told of to who may not see each of them, where there are so many of both."""

LARGE_ONE = asyncio.Lock()
"""Held while a large report is made, whichever it is."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FairnessWish:
    """What to report on: a pool, from the first day to the last, the days a newcomer is one, and groups by name."""

    pool_id: UUID
    first: date
    last: date
    newcomer_days: int = NEWCOMER_DAYS
    groups: Mapping[str, frozenset[UUID]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShownReport:
    """The part of a report that the caller may see; `people` and `alarms` count all there are."""

    report: FairnessReport
    people: int
    alarms: int


@dataclass(frozen=True, slots=True)
class _Worth:
    """What was expected of customers on days, in minor units, what is taken of the others, and which were won."""

    expected: Mapping[tuple[UUID, date], int]
    typical: int
    won: Collection[tuple[UUID, date]]

    def of(self, customer: tuple[UUID, date]) -> int:
        return self.expected.get(customer, self.typical)


async def report_fairness(actor: Actor, access: AccessTable, wish: FairnessWish, *, time_zone: str) -> ShownReport:
    """How fairly a pool's allocations of a period were dealt (permission ``fairness:read``).

    People see the lines of whom they see the picks; who audits allocations sees everybody's.

    :raises ReportPeriodRefused: the period ends before it begins, or is longer than two years.
    :raises PoolNotFound: missing, or its allocations are not for the caller.
    :raises GroupPersonNotFound: a group holds somebody whose line the caller may not see.
    :raises ReportTooLarge: there are too many picks and people, or too many different wheels.
    :raises ReportsBusy: it is large, and another large one is being made.
    """
    refuse_period(wish.first, wish.last)
    await require_audited_pool(actor, access, pool_id=wish.pool_id)
    await _refuse_strangers(actor, access, frozenset().union(*wish.groups.values()))
    sizes = await measure_given(pool_id=wish.pool_id, first=wish.first, last=wish.last, time_zone=time_zone)
    _refuse_size(sizes)
    given = await find_given(sizes, time_zone=time_zone)
    making = partial(_audited, given, await _worth(given, time_zone), wish)
    report = await _beside(making, picks=sum(each.given for each in sizes))
    people = {line.person for line in report.people if line.person is not None}
    visible = people if access.may(AUDIT) else await find_visible_receivers(actor, access, people)
    return _shown(report, visible)


def refuse_period(first: date, last: date, *, field: str = "to") -> None:
    """Refuse what no report is of; `field` is the input's field of the last day.

    :raises ReportPeriodRefused: the period ends before it begins, or is longer than two years.
    """
    days = {"first": first.isoformat(), "last": last.isoformat()}
    if last < first:
        raise ReportPeriodRefused("analytics.period_backwards", days, field=(field,))
    if (last.year - MOST_YEARS, last.month, last.day) >= (first.year, first.month, first.day):
        raise ReportPeriodRefused("analytics.period_too_long", {**days, "years": MOST_YEARS}, field=(field,))


async def _refuse_strangers(actor: Actor, access: AccessTable, people: frozenset[UUID]) -> None:
    if access.may(AUDIT) or not people:
        return
    strangers = people - await find_visible_receivers(actor, access, people)
    if strangers:
        raise GroupPersonNotFound("analytics.group_person_not_found", {"missing": len(strangers)}, field=("groups",))


def _refuse_size(sizes: Sequence[GivenSize]) -> None:
    _refuse_work(sum(each.given for each in sizes), max((each.people for each in sizes), default=0))
    seats = sum(each.people for each in sizes)
    if seats > MOST_SEATS:
        values = {"allocations": len(sizes), "seats": seats, "most": MOST_SEATS}
        raise ReportTooLarge("analytics.fairness_rosters_too_large", values, field=("to",))


def _refuse_work(picks: int, people: int) -> None:
    most = max(0, MOST_WORK - PERSON_WORK * people)
    if picks > most:
        raise ReportTooLarge(
            "analytics.fairness_too_large", {"picks": picks, "people": people, "most": most}, field=("to",)
        )


async def _worth(given: Sequence[GivenAllocation], time_zone: str) -> _Worth:
    """Of a customer without an open opportunity the company's median is expected; where there is none at all, 1."""
    customers = [each for allocation in given for each in allocation.customers()]
    expected = await find_expected_on([(each.customer_id, each.given_on) for each in customers], time_zone=time_zone)
    won = await find_won([(each.customer_id, each.given_on, each.held_until) for each in customers])
    return _Worth(expected, await median_expected() or 1, won)


def _audited(given: Sequence[GivenAllocation], worth: _Worth, wish: FairnessWish) -> FairnessReport:
    """The whole report.

    :raises ReportTooLarge: there are too many people, or too many different wheels.
    """
    period = AuditedPeriod(_picks(given, worth, wish.newcomer_days), wish.groups)
    wheels = {id(pick.wheel): pick.wheel for pick in period.picks}
    _refuse_work(len(period.picks), len({person for wheel in wheels.values() for person in wheel.people}))
    chances = sum(len(wheel.people) for wheel in wheels.values())
    if chances > MOST_CHANCES:
        values = {"wheels": len(wheels), "chances": chances, "most": MOST_CHANCES}
        raise ReportTooLarge("analytics.fairness_too_varied", values, field=("to",))
    return audit(period, seed=seed_of(wish.pool_id, wish.first, wish.last))


def _picks(given: Sequence[GivenAllocation], worth: _Worth, days: int) -> tuple[AuditedPick, ...]:
    picks: list[AuditedPick] = []
    known: dict[Wheel, Wheel] = {}
    for allocation in given:
        dealt = allocation.dealt()
        newcomers = frozenset(
            person for person, hired in dealt.hired_on.items() if is_newcomer(hired, day=allocation.given_on, days=days)
        )
        wheels: dict[int, Wheel] = {}
        for unit in dealt.units:
            if id(unit.weights) not in wheels:
                new = newcomers.intersection(unit.weights)
                made = Wheel(tuple(unit.weights), tuple(unit.weights.values()), new)
                wheels[id(unit.weights)] = known.setdefault(made, made)
            customers = [(each.customer_id, each.given_on) for each in unit.customers]
            picks.append(
                AuditedPick(
                    wheels[id(unit.weights)],
                    unit.employee_id,
                    value=sum(map(worth.of, customers)),
                    waited_days=max(each.waited_days for each in unit.customers),
                    is_won=any(customer in worth.won for customer in customers),
                )
            )
    return tuple(picks)


async def _beside(work: Callable[[], _T], *, picks: int) -> _T:
    """In a thread; of large reports one at a time, and until it ends, even where nobody waits for it any more.

    :raises ReportsBusy: it is large, and another is being made.
    """
    if picks <= LARGE:
        return await asyncio.to_thread(work)
    if LARGE_ONE.locked():
        raise ReportsBusy("analytics.reports_busy")
    await LARGE_ONE.acquire()
    return await asyncio.shield(asyncio.create_task(_alone(work)))


async def _alone(work: Callable[[], _T]) -> _T:
    try:
        return await asyncio.to_thread(work)
    finally:
        LARGE_ONE.release()


def _shown(report: FairnessReport, visible: Collection[UUID]) -> ShownReport:
    everybody = {line.person for line in report.people if line.person is not None}
    people = tuple(line for line in report.people if line.person in visible)
    newcomers = report.newcomers
    if newcomers is not None and not everybody <= set(visible):
        both = len(newcomers.people), len(everybody - newcomers.people)
        newcomers = newcomers if min(both) >= FEWEST else None
    lines = {id(line) for line in (*people, *report.groups, newcomers)}
    alarms = tuple(each for each in report.alarms if each.line is None or id(each.line) in lines)
    part = replace(report, people=people, newcomers=newcomers, alarms=alarms)
    return ShownReport(part, people=len(everybody), alarms=len(report.alarms))
