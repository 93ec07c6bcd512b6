"""Days, months and moments as people write them. What could be read in two ways is refused, not guessed."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from saas.exchange.cells import Cell, as_text, shown
from saas.exchange.errors import CellRefused
from saas.kernel import month_of

_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?|(\d{4})(\d{2})(\d{2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})[-/.年](\d{1,2})月?|(\d{4})(\d{2})", re.ASCII)
_TIME = re.compile(r"(.+?)[t\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.0+)?)?", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_TWO_WAYS = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.](?:\d{2}|\d{4})|\d{2}年\d{1,2}月\d{1,2}[日号]?", re.ASCII)
_CUT_MONTH = re.compile(r"\d{4}\.1", re.ASCII)
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (a day count of Excel's 1900 system, without a zone)
_SERIALS = range(20_000, 100_000)
_FIRST, _LAST = date(1900, 1, 1), date(2199, 12, 31)


def day(cell: Cell) -> date:
    """A calendar day: a date cell, 2026-11-27, 2026/11/27, 2026.11.27, 2026年11月27日, 20261127, or Excel's number of
    it. 11/12/2026 and two-digit years are refused.
    """
    found = moment(cell)
    if found.time() != time():
        raise CellRefused("exchange.time_unexpected", {"value": shown(cell)})
    return found.date()


def moment(cell: Cell) -> datetime:
    """A day with or without a time of that day, by the clock on the wall: the company's zone gives it its instant."""
    if isinstance(cell, datetime):
        return _within(cell.replace(microsecond=0), cell)
    if isinstance(cell, date):
        return _within(datetime.combine(cell, time()), cell)
    if isinstance(cell, bool) or not isinstance(cell, str | Decimal):
        raise _unreadable(cell)
    text = unicodedata.normalize("NFKC", as_text(cell)).strip().lower()
    if _SERIAL.fullmatch(text) and int(text[:5]) in _SERIALS:
        return _within(_of_serial(Decimal(text)), cell)
    with_time = _TIME.fullmatch(text)
    if with_time is None:
        return _within(datetime.combine(_day_of(text, cell), time()), cell)
    day_of_it, hour, minute, second = with_time.groups()
    return _within(_at(_day_of(day_of_it, cell), int(hour), int(minute), int(second or 0), cell), cell)


def month(cell: Cell) -> str:
    """A calendar month as ``YYYY-MM``: 2026-11, 2026/11, 2026年11月, 202611, or a date cell on its first day."""
    if isinstance(cell, date):
        if cell.day != 1:
            raise CellRefused("exchange.not_a_month", {"value": shown(cell)})
        return month_of(cell)
    text = unicodedata.normalize("NFKC", as_text(cell)).strip()
    if _CUT_MONTH.fullmatch(text):
        raise CellRefused("exchange.month_ambiguous", {"value": shown(cell)})
    found = None if isinstance(cell, bool) else _MONTH.fullmatch(text)
    if found is None:
        raise CellRefused("exchange.not_a_month", {"value": shown(cell)})
    year, number = (int(part) for part in found.groups() if part is not None)
    return month_of(_existing(year, number, 1, cell))


def _day_of(text: str, cell: Cell) -> date:
    found = _DAY.fullmatch(text.replace(" ", ""))
    if found is not None:
        year, month_number, day_number = (int(part) for part in found.groups() if part is not None)
        return _existing(year, month_number, day_number, cell)
    if _TWO_WAYS.fullmatch(text):
        raise CellRefused("exchange.date_ambiguous", {"value": shown(cell)})
    raise _unreadable(cell)


def _existing(year: int, month_number: int, day_number: int, cell: Cell) -> date:
    try:
        return _within(datetime(year, month_number, day_number), cell).date()  # noqa: DTZ001 (a day of the calendar)
    except ValueError:
        raise CellRefused("exchange.no_such_day", {"value": shown(cell)}) from None


def _at(day_of_it: date, hour: int, minute: int, second: int, cell: Cell) -> datetime:
    try:
        return datetime.combine(day_of_it, time(hour, minute, second))
    except ValueError:
        raise _unreadable(cell) from None


def _of_serial(days: Decimal) -> datetime:
    """Excel's number of a day, with the fraction of it, to the second (ECMA-376 part 1, 18.17.4.1, 1900 system)."""
    return _EPOCH + timedelta(seconds=int((days * 86_400).to_integral_value()))


def _within(found: datetime, cell: Cell) -> datetime:
    if not _FIRST <= found.date() <= _LAST:
        raise CellRefused("exchange.date_out_of_range", {"value": shown(cell)})
    return found


def _unreadable(cell: Cell) -> CellRefused:
    return CellRefused("exchange.not_a_date", {"value": shown(cell)})
