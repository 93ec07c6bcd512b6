"""Reports of how people use what they hold, and of what goes into a pool and out of it (docs/behaviour.md).

Facts are read a page of customers at a time and added up, so that memory holds a page and the people, never all
customers; what can be summed in the database is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from uuid import UUID

from saas.access import AccessTable
from saas.analytics.behaviour import (
    FEWEST,
    Comparison,
    CustomerFacts,
    Figure,
    Flow,
    Grouping,
    Line,
    Observed,
    Return,
    Seat,
    Tallies,
    Tally,
    Terms,
    Tree,
    add_achieved,
    add_flow,
    figure_of,
    lines,
    observe,
    period_before,
    period_last_year,
    period_of,
    read_from,
    returns,
    twelve_months,
)
from saas.analytics.errors import ReportDepartmentNotFound, ReportPeriodRefused, ReportsBusy, ReportTooLarge
from saas.analytics.queries import LARGE_ONE, refuse_period
from saas.audit import record
from saas.customers import (
    HeldCustomer,
    HeldWish,
    count_entries,
    count_held,
    find_visible_owners,
    get_held,
    get_reported_pools,
    list_held,
    require_open_pool,
)
from saas.kernel import Actor, Clock, Period, Scalar, minor_digits
from saas.people import find_departments_of, find_parents
from saas.sales import find_standing_deals, find_touches, sum_achieved, sum_collected

EVERYBODY = "behaviour:audit"
"""Who holds it sees everybody's figures."""

NEW_DAYS = CONVERSION_DAYS = 90
PAGE = 2_000
MOST_HELD = 40_000
LARGE = 5_000
MOST_RETURNS = 10_000
FIRST_YEAR, LAST_YEAR = 1900, 2999


class FileFormat(Enum):
    """Which file: a workbook with the returns on a second sheet, or the report alone as CSV."""

    XLSX = "xlsx"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class BehaviourWish:
    """What to report on: pools, days, the other period if any, what lines are of, for how many days a customer is new
    and within how many a deal counts for who received it; a department with those below it alone, where one is given.
    """

    pool_ids: tuple[UUID, ...]
    period: Period
    other: Period | None
    grouping: Grouping = Grouping.PERSON
    new_days: int = NEW_DAYS
    conversion_days: int = CONVERSION_DAYS
    department_id: UUID | None = None

    @property
    def last(self) -> date:
        """The period's last day."""
        assert self.period.last is not None, "a report's period has an end"
        return self.period.last

    @property
    def periods(self) -> tuple[Period, ...]:
        """The period, and the other one behind it."""
        return (self.period,) if self.other is None else (self.period, self.other)


@dataclass(frozen=True, slots=True)
class ShownBehaviour:
    """The lines that the caller may see, and the returns of people they may see, the newest first; `people` counts
    everybody in the period. `return_count` counts the returns that the caller may see, of which the first are listed.
    """

    wish: BehaviourWish
    people: int
    lines: tuple[Line, ...]
    returns: tuple[Return, ...]
    return_count: int


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """What went into a pool and out of it. Figures of people's work are None where they are of fewer than five people
    and the caller does not see everybody.
    """

    flow: Flow
    entered: int
    moved_in: int
    conversion: Figure | None
    expired_untouched: Figure | None
    returns: int | None


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is being added up, a tally for each period; returns and the flow of a pool are of the first alone."""

    terms: Terms
    periods: Sequence[Period]
    time_zone: str
    tallies: tuple[Tallies, ...]
    flow_of: UUID | None = None
    returns: list[Return] = field(default_factory=list)
    flow: Flow = field(default_factory=Flow)

    @property
    def wish(self) -> HeldWish:
        """The ownerships that matter: of a pool's flow those alone that began or ended."""
        terms = self.terms
        return HeldWish(terms.pools, self.periods, terms.departments, is_moving=self.flow_of is not None)

    async def read(self) -> None:
        """All customers that anybody held in the periods, a page at a time: four statements each."""
        ids = await list_held(self.wish)
        for place in range(0, len(ids), PAGE):
            page = await get_held(ids[place : place + PAGE], time_zone=self.time_zone)
            for customer in await self._with_facts(page):
                self._add(customer)

    async def _with_facts(self, page: Sequence[HeldCustomer]) -> list[CustomerFacts]:
        ids = [each.customer_id for each in page]
        touches = await find_touches({each.customer_id: read_from(each, self.periods) for each in page})
        deals = await find_standing_deals(ids)
        paid = await sum_collected(ids, [twelve_months(each) for each in self.periods])
        places = range(len(self.periods))
        return [
            CustomerFacts(
                each,
                touches.get(each.customer_id, ()),
                deals.get(each.customer_id, ()),
                [paid.get((each.customer_id, place), 0) for place in places],
            )
            for each in page
        ]

    def _add(self, customer: CustomerFacts) -> None:
        observe(customer, self.periods, self.terms, self.tallies)
        for period, tallies in zip(self.periods, self.tallies, strict=True):
            for each in returns(customer.held, period, self.terms):
                tallies[each.receiver_id, each.department_id].sums["returns"] += 1
                if tallies is self.tallies[0]:
                    self.returns.append(each)
        if self.flow_of is not None:
            add_flow(customer.held, self.flow_of, self.periods[0], today=self.terms.today, into=self.flow)


async def report_behaviour(
    actor: Actor, access: AccessTable, wish: BehaviourWish, *, time_zone: str, currency: str, today: date
) -> ShownBehaviour:
    """How people used what they held (permission ``behaviour:read``).

    People see the lines of whom they see the ownerships: a rep the own one, a manager the team's; ``behaviour:audit``
    shows everybody's.

    :raises PoolNotFound, ReportDepartmentNotFound: a pool or the department is missing or another company's.
    :raises ReportTooLarge: there are more ownerships than a report works through.
    :raises ReportsBusy: it is large, and another large report is being made.
    """
    reading = await _read(wish, time_zone=time_zone, currency=currency, today=today)
    for period, tallies in zip(wish.periods, reading.tallies, strict=True):
        achieved = await sum_achieved(
            wish.pool_ids, period, new_days=wish.new_days, departments=reading.terms.departments
        )
        add_achieved(achieved, tallies)
    now, before = reading.tallies[0], reading.tallies[1] if wish.other is not None else None
    observed = Observed(now, before, await _tree({person for tallies in reading.tallies for person, _ in tallies}))
    visible = await _visible(actor, access, {*now, *(before or ())})
    seen = [each for each in reading.returns if (each.receiver_id, each.department_id) in visible]
    seen.sort(key=lambda each: (each.received_on, each.customer_id), reverse=True)
    return ShownBehaviour(
        wish=wish,
        people=len({person for person, _ in now}),
        lines=tuple(lines(observed, wish.grouping, visible=visible)),
        returns=tuple(seen[:MOST_RETURNS]),
        return_count=len(seen),
    )


async def export_behaviour(
    actor: Actor,
    access: AccessTable,
    wish: BehaviourWish,
    *,
    wanted: FileFormat,
    time_zone: str,
    currency: str,
    today: date,
    clock: Clock,
) -> ShownBehaviour:
    """The same for a file, which leaves the product: who had it made, of which days and of how many lines is audited.

    :raises PoolNotFound, ReportTooLarge, ReportsBusy: see `report_behaviour`.
    """
    report = await report_behaviour(actor, access, wish, time_zone=time_zone, currency=currency, today=today)
    told: dict[str, Sequence[Scalar]] = {
        "format": [None, wanted.value],
        "pools": [None, len(wish.pool_ids)],
        "days": [None, f"{wish.period.first}/{wish.last}"],
        "lines": [None, len(report.lines)],
    }
    await record(
        actor, "behaviour.exported", object_type="CustomerPool", object_id=wish.pool_ids[0], changes=told, clock=clock
    )
    return report


async def measure_pool(
    actor: Actor, access: AccessTable, wish: BehaviourWish, *, time_zone: str, currency: str, today: date
) -> PoolMetrics:
    """What went into a pool and out of it, and what came of it (permission ``behaviour:read``); of `wish` without
    another period.

    :raises PoolNotFound: missing, another company's, or one that the caller may not look into.
    :raises ReportTooLarge, ReportsBusy: see `report_behaviour`.
    """
    (pool_id,) = wish.pool_ids
    if not access.may(EVERYBODY):
        await require_open_pool(actor, access, pool_id=pool_id)
    reading = await _read(wish, time_zone=time_zone, currency=currency, today=today, flow_of=pool_id)
    entered, moved_in = await count_entries(pool_id, wish.period, time_zone=time_zone)
    (tallies,) = reading.tallies
    is_seen = set(tallies) <= set(await _visible(actor, access, tallies))

    def is_told(name: str) -> bool:
        return is_seen or len({person for (person, _), tally in tallies.items() if tally.sums[name]}) >= FEWEST

    whole = Tally.of(tallies.values())
    return PoolMetrics(
        flow=reading.flow,
        entered=entered,
        moved_in=moved_in,
        conversion=figure_of("conversion_claim", whole) if is_told("cohort_claim") else None,
        expired_untouched=figure_of("expired_untouched", whole) if is_told("out_recycle") else None,
        returns=len(reading.returns) if is_told("returns") else None,
    )


async def _read(
    wish: BehaviourWish, *, time_zone: str, currency: str, today: date, flow_of: UUID | None = None
) -> _Reading:
    pools = await get_reported_pools(wish.pool_ids)
    departments = None if wish.department_id is None else await _below(wish.department_id)
    unit: int = 10 ** minor_digits(currency)
    terms = Terms(pools, wish.new_days, wish.conversion_days, today, unit, departments)
    reading = _Reading(terms, wish.periods, time_zone, tuple({} for _ in wish.periods), flow_of)
    held = await count_held(reading.wish)
    if held > MOST_HELD:
        raise ReportTooLarge("analytics.behaviour_too_large", {"held": held, "most": MOST_HELD}, field=("to",))
    async with _turn(held):
        await reading.read()
    return reading


@asynccontextmanager
async def _turn(held: int) -> AsyncIterator[None]:
    """Of large reports one at a time in each process.

    :raises ReportsBusy: it is large, and another is being made.
    """
    if held <= LARGE:
        yield
        return
    if LARGE_ONE.locked():
        raise ReportsBusy("analytics.reports_busy")
    async with LARGE_ONE:
        yield


async def _visible(actor: Actor, access: AccessTable, seats: Collection[Seat]) -> Collection[Seat]:
    return seats if access.may(EVERYBODY) else await find_visible_owners(actor, access, seats)


async def _below(department_id: UUID) -> frozenset[UUID]:
    """A department and those below it, by today's tree.

    :raises ReportDepartmentNotFound: there is none.
    """
    tree = Tree(await find_parents(), {})
    if department_id not in tree.parents:
        raise ReportDepartmentNotFound("analytics.department_not_found", field=("department",))
    return frozenset(each for each in tree.parents if department_id in tree.above(each))


async def _tree(people: Collection[UUID]) -> Tree:
    return Tree(await find_parents(), await find_departments_of(people))


def reported_period(first: date, last: date, *, field: str = "to") -> Period:
    """The days of a report, or of the other period that `field` ends.

    :raises ReportPeriodRefused: they end before they begin, are more than two years, or lie in years of no report.
    """
    refuse_period(first, last, field=field)
    if not FIRST_YEAR <= first.year <= last.year <= LAST_YEAR:
        values: dict[str, Scalar] = {
            "first": first.isoformat(),
            "last": last.isoformat(),
            "earliest": FIRST_YEAR,
            "latest": LAST_YEAR,
        }
        raise ReportPeriodRefused("analytics.period_out_of_calendar", values, field=(field,))
    return period_of(first, last)


def other_period(period: Period, comparison: Comparison, given: Period | None) -> Period | None:
    """The period that one is compared with.

    :raises ReportPeriodRefused: `given` is missing where it is to be given, or there where it is not asked for.
    """
    if (comparison is Comparison.GIVEN) != (given is not None):
        raise ReportPeriodRefused("analytics.comparison_incomplete", field=("comparisonFrom",))
    made: Mapping[Comparison, Period | None] = {
        Comparison.PREVIOUS: period_before(period),
        Comparison.LAST_YEAR: period_last_year(period),
        Comparison.GIVEN: given,
    }
    return made.get(comparison)
