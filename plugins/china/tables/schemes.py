"""Social insurance (社保) and housing fund (公积金): rows of bounds and rows of rates, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from plugins.china.tables.rounding_modes import HALF_UP_TO_FEN, RoundingMode
from plugins.china.tables.rows import Row, Status
from saas.sdk import Localised, Period


class City(StrEnum):
    """Where a legal entity contributes."""

    SHANGHAI = "SHANGHAI"
    BEIJING = "BEIJING"
    KUNMING = "KUNMING"


class Scheme(StrEnum):
    """What is contributed to."""

    PENSION = "PENSION"
    MEDICAL = "MEDICAL"
    UNEMPLOYMENT = "UNEMPLOYMENT"
    MATERNITY = "MATERNITY"
    INJURY = "INJURY"
    HOUSING_FUND = "HOUSING_FUND"


class Side(StrEnum):
    """Who pays."""

    EMPLOYER = "EMPLOYER"
    EMPLOYEE = "EMPLOYEE"


TITLES: dict[City | Scheme | Side, Localised] = {
    City.SHANGHAI: {"en": "Shanghai", "zh-CN": "上海"},
    City.BEIJING: {"en": "Beijing", "zh-CN": "北京"},
    City.KUNMING: {"en": "Kunming", "zh-CN": "昆明"},
    Scheme.PENSION: {"en": "pension", "zh-CN": "养老保险"},
    Scheme.MEDICAL: {"en": "medical insurance", "zh-CN": "医疗保险"},
    Scheme.UNEMPLOYMENT: {"en": "unemployment insurance", "zh-CN": "失业保险"},
    Scheme.MATERNITY: {"en": "maternity insurance", "zh-CN": "生育保险"},
    Scheme.INJURY: {"en": "work injury insurance", "zh-CN": "工伤保险"},
    Scheme.HOUSING_FUND: {"en": "housing fund", "zh-CN": "公积金"},
    Side.EMPLOYER: {"en": "employer", "zh-CN": "单位"},
    Side.EMPLOYEE: {"en": "employee", "zh-CN": "个人"},
}

EMPLOYER_ONLY = frozenset({Scheme.INJURY, Scheme.MATERNITY})
SOCIAL_INSURANCE = tuple(scheme for scheme in Scheme if scheme is not Scheme.HOUSING_FUND)


@dataclass(frozen=True, slots=True)
class UnitRate:
    """A rate that each unit has of its own, within these limits (both allowed); decimal fractions."""

    lowest: Decimal
    highest: Decimal

    def __contains__(self, rate: Decimal) -> bool:
        return self.lowest <= rate <= self.highest


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRow(Row):
    """A row of one city, scheme and side."""

    city: City
    scheme: Scheme
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds(KeyedRow):
    """The lowest and the highest base, yuan a month."""

    floor: Decimal
    ceiling: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(KeyedRow):
    """The share of the base (decimal fraction), yuan added to it, and how the sum is rounded."""

    rate: Decimal | UnitRate
    fixed: Decimal = Decimal(0)
    rounding: RoundingMode = HALF_UP_TO_FEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Where figures come from, and for which days: what all rows of one notice share."""

    first: date
    until: date | None = None
    instrument: str
    status: Status = Status.PUBLISHED
    announced_on: date | None = None
    is_retroactive: bool = False


def bounds_rows(
    notice: Notice, city: City, schemes: Iterable[Scheme], *, floor: int, ceiling: int
) -> tuple[Bounds, ...]:
    """One row for each scheme and each side that pays to it."""
    return tuple(
        Bounds(
            id=_id(notice, city, scheme, side, "bounds"),
            period=Period(notice.first, notice.until),
            instrument=notice.instrument,
            status=notice.status,
            announced_on=notice.announced_on,
            is_retroactive=notice.is_retroactive,
            city=city,
            scheme=scheme,
            side=side,
            floor=Decimal(floor),
            ceiling=Decimal(ceiling),
        )
        for scheme in schemes
        for side in sides_of(scheme)
    )


def rate_row(
    notice: Notice,
    city: City,
    scheme: Scheme,
    side: Side,
    rate: str | UnitRate,
    *,
    fixed: str = "0",
    rounding: RoundingMode = HALF_UP_TO_FEN,
) -> Rate:
    """One row; `rate` in percent, as notices write it, or the limits of the units' own rates."""
    return Rate(
        id=_id(notice, city, scheme, side, "rate"),
        period=Period(notice.first, notice.until),
        instrument=notice.instrument,
        status=notice.status,
        announced_on=notice.announced_on,
        is_retroactive=notice.is_retroactive,
        city=city,
        scheme=scheme,
        side=side,
        rate=rate if isinstance(rate, UnitRate) else Decimal(rate) / 100,
        fixed=Decimal(fixed),
        rounding=rounding,
    )


def unit_rate(lowest: str, highest: str) -> UnitRate:
    """The limits of the units' own rates, in percent."""
    return UnitRate(Decimal(lowest) / 100, Decimal(highest) / 100)


def sides_of(scheme: Scheme) -> tuple[Side, ...]:
    """Who pays to a scheme."""
    return (Side.EMPLOYER,) if scheme in EMPLOYER_ONLY else (Side.EMPLOYER, Side.EMPLOYEE)


def _id(notice: Notice, city: City, scheme: Scheme, side: Side, kind: str) -> str:
    return f"{city}/{scheme}/{side}/{kind}/{notice.first}".lower()
