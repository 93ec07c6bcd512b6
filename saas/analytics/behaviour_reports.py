"""The behaviour report as one that a job reckons: of any number of ownerships, page by page (docs/behaviour.md).

What is stored is what whoever asked might see: it is read by them alone, and no more once they see less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from saas.access import AccessTable
from saas.analytics.behaviour import Grouping, Line, Return, Seat, Tallies, Tally, Terms, tally_of
from saas.analytics.behaviour_queries import MOST_RETURNS, FileFormat, ShownBehaviour, record_export
from saas.analytics.behaviour_reading import (
    BehaviourWish,
    Reading,
    SeenLines,
    see_lines,
    terms_of,
    visible_seats,
)
from saas.analytics.errors import ReportScopeNarrower, ReportSettingsChanged
from saas.customers import count_held_customers, get_reported_pools, list_held
from saas.kernel import Actor, Clock, Period
from saas.reports import Asked, Finished, Found, Page, get_ready, list_items, start_report

BEHAVIOUR = "analytics.behaviour"
LINES, RETURNS = "lines", "returns"
PAGE = 1_000
"""Customers of a step: a fraction of a second of the processor, some seconds where it is shared with many."""

_ALL = 1_000_000
_KEPT_TWICE = 2 * MOST_RETURNS


async def start_behaviour(
    actor: Actor, wish: BehaviourWish, *, time_zone: str, currency: str, today: date, clock: Clock
) -> UUID:
    """Have a behaviour report made by a job (permission ``behaviour:read``); the report's id.

    :raises PoolNotFound, ReportDepartmentNotFound: a pool or the department is missing or another company's.
    :raises ReportsRunning: as many of the company's reports are reckoned as may be.
    """
    terms = await terms_of(wish, currency=currency, today=today)
    total = await count_held_customers(_reading(wish, terms, time_zone).wish)
    return await start_report(actor, BEHAVIOUR, wish=_plain(wish, terms), total=total, clock=clock)


async def read_behaviour(
    actor: Actor, access: AccessTable, report_id: UUID, *, after: int = -1, lines: int = _ALL, returns: int = _ALL
) -> ShownBehaviour:
    """A report that a job has made, for whoever asked for it: so many lines behind the place `after`, which counts
    from 0, and the first returns (permission ``behaviour:read``).

    :raises ReportNotFound: missing, removed, another person's or company's, or no behaviour report.
    :raises ReportNotReady: it is being reckoned, or could not be.
    :raises ReportScopeNarrower: it tells of people whom its reader may not see any more.
    """
    report = await get_ready(report_id, kind=BEHAVIOUR, actor=actor)
    summary = report.summary
    seats = {(UUID(person), UUID(department)) for person, department in summary["seats"]}
    if not seats <= set(await visible_seats(actor, access, seats)):
        raise ReportScopeNarrower("analytics.report_scope_narrower", field=("report",))
    return ShownBehaviour(
        wish=_wish(report.wish),
        people=summary["people"],
        lines=tuple(Line.of_plain(each) for _, each in await list_items(report_id, LINES, after=after, first=lines)),
        line_count=summary["lines"],
        returns=tuple(Return.of_plain(each) for _, each in await list_items(report_id, RETURNS, first=returns)),
        return_count=summary["returns"],
    )


async def export_stored_behaviour(
    actor: Actor, access: AccessTable, report_id: UUID, *, wanted: FileFormat, clock: Clock
) -> ShownBehaviour:
    """The whole of it for a file, which leaves the product and is audited as `export_behaviour` is.

    :raises ReportNotFound, ReportNotReady, ReportScopeNarrower: see `read_behaviour`.
    """
    report = await read_behaviour(actor, access, report_id)
    await record_export(actor, report, wanted=wanted, clock=clock)
    return report


@dataclass(frozen=True, slots=True)
class BehaviourReportKind:
    """How a behaviour report is reckoned, with the settings that the pools had when it was asked for."""

    name: str = BEHAVIOUR
    permission: str = "behaviour:read"

    async def reckon(self, asked: Asked, *, after: UUID, total: Any) -> Page:
        """A page of customers whom anybody held, added to the sums of people.

        :raises ReportSettingsChanged: a pool's settings were changed since the report was asked for.
        """
        reading = await _resumed(asked, total)
        ids = await list_held(reading.wish, after=after, most=PAGE)
        await reading.add(ids)
        sums = [
            [[str(person), str(department), tally.plain()] for (person, department), tally in each.items()]
            for each in reading.tallies
        ]
        return Page(sums, len(ids), ids[-1] if ids else None, [each.plain() for each in reading.returns])

    async def finish(self, asked: Asked, *, total: Any, found: Found) -> Finished:
        """The lines that whoever asked may see, and their returns.

        :raises ReportSettingsChanged: see `reckon`.
        """
        reading, wish, by = await _resumed(asked, total), _wish(asked.wish), asked.by
        seen = await see_lines(by.actor, by.access, wish, reading.tallies, departments=reading.terms.departments)
        returns, count = await _newest(found, seen)
        summary = {
            "people": seen.people,
            "lines": len(seen.lines),
            "returns": count,
            "seats": [[str(person), str(department)] for person, department in sorted(seen.seats)],
        }
        return Finished(
            summary, {LINES: [each.plain() for each in seen.lines], RETURNS: [each.plain() for each in returns]}
        )


async def _newest(found: Found, seen: SeenLines) -> tuple[list[Return], int]:
    """The newest returns that may be seen, and how many there are; never more than twice what is kept in memory."""
    kept: list[Return] = []
    count = 0
    async for page in found:
        visible = seen.newest(map(Return.of_plain, page))
        count += len(visible)
        kept += visible
        if len(kept) > _KEPT_TWICE:
            kept = seen.newest(kept)[:MOST_RETURNS]
    return seen.newest(kept)[:MOST_RETURNS], count


def _absorb(plain: Iterable[Any], into: Tallies) -> None:
    for person, department, tally in plain:
        seat: Seat = (UUID(person), UUID(department))
        tally_of(into, seat).add(Tally.of_plain(tally))


async def _resumed(asked: Asked, total: Any) -> Reading:
    """The reading of a report with what its pages have come to.

    :raises ReportSettingsChanged: the pools' settings are others by now.
    """
    wish, plain = _wish(asked.wish), asked.wish
    pools = await get_reported_pools(wish.pool_ids)
    if {str(pool_id): pool.version for pool_id, pool in pools.items()} != plain["versions"]:
        raise ReportSettingsChanged("analytics.report_settings_changed")
    departments = plain["departments"]
    terms = Terms(
        pools,
        wish.new_days,
        wish.conversion_days,
        date.fromisoformat(plain["today"]),
        plain["unit"],
        None if departments is None else frozenset(map(UUID, departments)),
    )
    reading = _reading(wish, terms, asked.by.time_zone)
    for sums, into in zip(total or (), reading.tallies, strict=total is not None):
        _absorb(sums, into)
    return reading


def _reading(wish: BehaviourWish, terms: Terms, time_zone: str) -> Reading:
    return Reading(terms, wish.periods, time_zone, tuple({} for _ in wish.periods))


def _plain(wish: BehaviourWish, terms: Terms) -> dict[str, Any]:
    """The wish, and what is held fast while it is reckoned: the day, the departments, the pools' versions."""
    return {
        "pools": [str(each) for each in wish.pool_ids],
        "periods": [_days(each) for each in wish.periods],
        "grouping": wish.grouping.value,
        "new_days": wish.new_days,
        "conversion_days": wish.conversion_days,
        "department": None if wish.department_id is None else str(wish.department_id),
        "today": terms.today.isoformat(),
        "unit": terms.unit,
        "departments": None if terms.departments is None else sorted(map(str, terms.departments)),
        "versions": {str(pool_id): pool.version for pool_id, pool in terms.pools.items()},
    }


def _days(period: Period) -> list[str]:
    assert period.until is not None, "a report's period has an end"
    return [period.first.isoformat(), period.until.isoformat()]


def _wish(plain: Mapping[str, Any]) -> BehaviourWish:
    periods = [Period(*map(date.fromisoformat, each)) for each in plain["periods"]]
    wish = BehaviourWish(
        tuple(map(UUID, plain["pools"])),
        periods[0],
        periods[1] if len(periods) > 1 else None,
        Grouping(plain["grouping"]),
        plain["new_days"],
        plain["conversion_days"],
    )
    department = plain["department"]
    return wish if department is None else replace(wish, department_id=UUID(department))
