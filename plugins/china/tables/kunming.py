"""Kunming (昆明): what was published for 2026. Unemployment, maternity and injury have rates but no bounds yet."""

from __future__ import annotations

from datetime import date

from plugins.china.tables.rounding_modes import HALF_UP_TO_YUAN
from plugins.china.tables.schemes import (
    Bounds,
    City,
    Notice,
    Rate,
    Scheme,
    Side,
    bounds_rows,
    rate_row,
    unit_rate,
)

_JANUARY, _SEPTEMBER = date(2026, 1, 1), date(2026, 9, 1)

BOUNDS: tuple[Bounds, ...] = (
    *bounds_rows(
        Notice(first=_JANUARY, instrument="Kunming bounds of pension bases, 2026-01"),
        City.KUNMING,
        (Scheme.PENSION,),
        floor=4_403,
        ceiling=22_017,
    ),
    *bounds_rows(
        Notice(first=_SEPTEMBER, instrument="Kunming bounds of medical bases, 2026-09"),
        City.KUNMING,
        (Scheme.MEDICAL,),
        floor=4_403,
        ceiling=22_017,
    ),
    *bounds_rows(
        Notice(
            first=_JANUARY,
            until=_SEPTEMBER,
            instrument="Kunming housing fund; the ceiling back-dated to 2026-01",
            is_retroactive=True,
        ),
        City.KUNMING,
        (Scheme.HOUSING_FUND,),
        floor=2_170,
        ceiling=32_543,
    ),
    *bounds_rows(
        Notice(first=_SEPTEMBER, instrument="Kunming housing fund, 2026-09"),
        City.KUNMING,
        (Scheme.HOUSING_FUND,),
        floor=2_270,
        ceiling=32_543,
    ),
)

_RATES = Notice(first=_JANUARY, instrument="Kunming contribution rates")

RATES: tuple[Rate, ...] = (
    *(
        rate_row(_RATES, City.KUNMING, scheme, side, rate)
        for scheme, employer, employee in (
            (Scheme.PENSION, "16", "8"),
            (Scheme.MEDICAL, "7", "2"),
            (Scheme.UNEMPLOYMENT, "0.7", "0.3"),
        )
        for side, rate in ((Side.EMPLOYER, employer), (Side.EMPLOYEE, employee))
    ),
    rate_row(_RATES, City.KUNMING, Scheme.MATERNITY, Side.EMPLOYER, "0.9"),
    rate_row(_RATES, City.KUNMING, Scheme.INJURY, Side.EMPLOYER, unit_rate("0.2", "1.9")),
    *(
        rate_row(_RATES, City.KUNMING, Scheme.HOUSING_FUND, side, unit_rate("5", "12"), rounding=HALF_UP_TO_YUAN)
        for side in Side
    ),
)
