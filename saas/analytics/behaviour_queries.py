"""Reports of how people use what they hold, and of what goes into a pool and out of it (docs/behaviour.md)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from enum import Enum
from uuid import UUID

from saas.access import AccessTable
from saas.analytics.behaviour import (
    FEWEST,
    Comparison,
    Figure,
    Flow,
    Line,
    Return,
    Tally,
    figure_of,
    period_before,
    period_last_year,
    period_of,
)
from saas.analytics.behaviour_reading import (
    EVERYBODY,
    BehaviourWish,
    Reading,
    see_lines,
    terms_of,
    visible_seats,
)
from saas.analytics.errors import ReportPeriodRefused, ReportsBusy, ReportTooLarge
from saas.analytics.queries import LARGE_ONE, refuse_period
from saas.audit import record
from saas.customers import count_entries, count_held, require_open_pool
from saas.kernel import Actor, Clock, Period, Scalar

MOST_HELD = 40_000
LARGE = 5_000
MOST_RETURNS = 10_000
FIRST_YEAR, LAST_YEAR = 1900, 2999


class FileFormat(Enum):
    """Which file: a workbook with the returns on a second sheet, or the report alone as CSV."""

    XLSX = "xlsx"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class ShownBehaviour:
    """The lines that the caller may see, and the returns of people they may see, the newest first; `people` counts
    everybody in the period. `line_count` and `return_count` count what the caller may see, where a part is listed.
    """

    wish: BehaviourWish
    people: int
    lines: tuple[Line, ...]
    line_count: int
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
    seen = await see_lines(actor, access, wish, reading.tallies, departments=reading.terms.departments)
    found = seen.newest(reading.returns)
    return ShownBehaviour(
        wish=wish,
        people=seen.people,
        lines=seen.lines,
        line_count=len(seen.lines),
        returns=tuple(found[:MOST_RETURNS]),
        return_count=len(found),
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
    await record_export(actor, report, wanted=wanted, clock=clock)
    return report


async def record_export(actor: Actor, report: ShownBehaviour, *, wanted: FileFormat, clock: Clock) -> None:
    """Keep in the trail that somebody has a report as a file."""
    wish = report.wish
    told: dict[str, Sequence[Scalar]] = {
        "format": [None, wanted.value],
        "pools": [None, len(wish.pool_ids)],
        "days": [None, f"{wish.period.first}/{wish.last}"],
        "lines": [None, len(report.lines)],
    }
    await record(
        actor, "behaviour.exported", object_type="CustomerPool", object_id=wish.pool_ids[0], changes=told, clock=clock
    )


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
    is_seen = set(tallies) <= set(await visible_seats(actor, access, tallies))

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
) -> Reading:
    terms = await terms_of(wish, currency=currency, today=today)
    reading = Reading(terms, wish.periods, time_zone, tuple({} for _ in wish.periods), flow_of)
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
