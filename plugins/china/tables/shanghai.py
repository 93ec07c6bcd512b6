"""Shanghai (上海): bounds and rates from July 2024 on. Maternity is inside the medical rate."""

from __future__ import annotations

from datetime import date

from plugins.china.tables.rounding_modes import HALF_UP_TO_YUAN
from plugins.china.tables.rows import Status
from plugins.china.tables.schemes import (
    SOCIAL_INSURANCE,
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

_JULY_2024, _JULY_2025, _JULY_2026 = (date(year, 7, 1) for year in (2024, 2025, 2026))
_MARCH_2026 = date(2026, 3, 1)
_INSURED = tuple(scheme for scheme in SOCIAL_INSURANCE if scheme is not Scheme.MATERNITY)
_FUND = (Scheme.HOUSING_FUND,)

BOUNDS: tuple[Bounds, ...] = (
    *bounds_rows(
        Notice(first=_JULY_2024, until=_JULY_2025, instrument="Shanghai bounds of contribution bases, 2024-07"),
        City.SHANGHAI,
        _INSURED,
        floor=7_384,
        ceiling=36_921,
    ),
    *bounds_rows(
        Notice(first=_JULY_2025, until=_JULY_2026, instrument="Shanghai bounds of contribution bases, 2025-07"),
        City.SHANGHAI,
        _INSURED,
        floor=7_460,
        ceiling=37_302,
    ),
    *bounds_rows(
        Notice(
            first=_JULY_2026,
            instrument="Shanghai bounds of contribution bases, 2026-07",
            announced_on=date(2026, 8, 18),
            is_retroactive=True,
        ),
        City.SHANGHAI,
        _INSURED,
        floor=7_546,
        ceiling=37_731,
    ),
    *bounds_rows(
        Notice(
            first=_JULY_2024,
            until=_JULY_2025,
            instrument="Shanghai housing fund, 2024-07",
            status=Status.VERIFY,
        ),
        City.SHANGHAI,
        _FUND,
        floor=2_690,
        ceiling=36_921,
    ),
    *bounds_rows(
        Notice(first=_JULY_2025, until=_JULY_2026, instrument="Shanghai housing fund, 2025-07"),
        City.SHANGHAI,
        _FUND,
        floor=2_690,
        ceiling=37_302,
    ),
    *bounds_rows(
        Notice(first=_JULY_2026, instrument="Shanghai housing fund, 2026-07"),
        City.SHANGHAI,
        _FUND,
        floor=2_740,
        ceiling=37_731,
    ),
)

_BEFORE_THE_LIST = Notice(
    first=_JULY_2024,
    until=_JULY_2025,
    instrument="Shanghai contribution rates; the list of 2025-07, taken for the year before",
    status=Status.VERIFY,
)
_LIST = Notice(first=_JULY_2025, instrument="Shanghai contribution rates, list of 2025-07")
_LIST_UNTIL_2026 = Notice(first=_JULY_2025, until=date(2026, 1, 1), instrument=_LIST.instrument)
_LIST_UNTIL_MARCH = Notice(first=_JULY_2025, until=_MARCH_2026, instrument=_LIST.instrument)
_NOTICE_2 = Notice(first=_MARCH_2026, instrument="Shanghai medical insurance, notice 2026 No.2")
_FROM_2026 = Notice(
    first=date(2026, 1, 1),
    instrument="Shanghai contribution rates; the list of 2025-07, taken for the years after",
    status=Status.VERIFY,
)
_UNIT_FUND, _UNIT_INJURY = unit_rate("5", "7"), unit_rate("0.2", "1.9")

RATES: tuple[Rate, ...] = (
    *(
        rate_row(notice, City.SHANGHAI, scheme, side, rate)
        for scheme, notices, employer, employee in (
            (Scheme.PENSION, (_BEFORE_THE_LIST, _LIST), "16", "8"),
            (Scheme.MEDICAL, (_BEFORE_THE_LIST, _LIST_UNTIL_MARCH, _NOTICE_2), "9", "2"),
            (Scheme.UNEMPLOYMENT, (_BEFORE_THE_LIST, _LIST_UNTIL_2026, _FROM_2026), "0.5", "0.5"),
        )
        for notice in notices
        for side, rate in ((Side.EMPLOYER, employer), (Side.EMPLOYEE, employee))
    ),
    *(
        rate_row(notice, City.SHANGHAI, Scheme.INJURY, Side.EMPLOYER, _UNIT_INJURY)
        for notice in (_BEFORE_THE_LIST, _LIST)
    ),
    *(
        rate_row(notice, City.SHANGHAI, Scheme.HOUSING_FUND, side, _UNIT_FUND, rounding=HALF_UP_TO_YUAN)
        for notice in (_BEFORE_THE_LIST, _LIST)
        for side in Side
    ),
)
