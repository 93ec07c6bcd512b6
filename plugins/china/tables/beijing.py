"""Beijing (北京): bounds from July 2024 on, the fund's from July 2026. Maternity is inside the medical rate."""

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
_INSURED = tuple(scheme for scheme in SOCIAL_INSURANCE if scheme is not Scheme.MATERNITY)

BOUNDS: tuple[Bounds, ...] = (
    *bounds_rows(
        Notice(first=_JULY_2024, until=_JULY_2025, instrument="Beijing bounds of contribution bases, 2024-07"),
        City.BEIJING,
        _INSURED,
        floor=6_821,
        ceiling=35_283,
    ),
    *bounds_rows(
        Notice(
            first=_JULY_2025,
            until=_JULY_2026,
            instrument="Beijing bounds of contribution bases, 2025-07",
            status=Status.VERIFY,
        ),
        City.BEIJING,
        _INSURED,
        floor=7_162,
        ceiling=35_811,
    ),
    *bounds_rows(
        Notice(
            first=_JULY_2026,
            instrument="Beijing bounds of contribution bases, 2026-07",
            announced_on=date(2026, 8, 21),
            is_retroactive=True,
        ),
        City.BEIJING,
        _INSURED,
        floor=7_270,
        ceiling=36_348,
    ),
    *bounds_rows(
        Notice(first=_JULY_2026, instrument="Beijing housing fund, 2026-07"),
        City.BEIJING,
        (Scheme.HOUSING_FUND,),
        floor=2_540,
        ceiling=36_348,
    ),
)

_EMPLOYEES = Notice(first=_JULY_2024, instrument="Beijing contribution rates of employees")
_EMPLOYERS = Notice(first=_JULY_2024, instrument="Beijing contribution rates of employers", status=Status.VERIFY)
_FUND = Notice(first=_JULY_2026, instrument="Beijing housing fund, 2026-07; rounding assumed", status=Status.VERIFY)

RATES: tuple[Rate, ...] = (
    rate_row(_EMPLOYERS, City.BEIJING, Scheme.PENSION, Side.EMPLOYER, "16"),
    rate_row(_EMPLOYERS, City.BEIJING, Scheme.MEDICAL, Side.EMPLOYER, "9.8"),
    rate_row(_EMPLOYERS, City.BEIJING, Scheme.UNEMPLOYMENT, Side.EMPLOYER, "0.5"),
    rate_row(_EMPLOYERS, City.BEIJING, Scheme.INJURY, Side.EMPLOYER, unit_rate("0.2", "1.9")),
    rate_row(_EMPLOYEES, City.BEIJING, Scheme.PENSION, Side.EMPLOYEE, "8"),
    rate_row(_EMPLOYEES, City.BEIJING, Scheme.MEDICAL, Side.EMPLOYEE, "2", fixed="3"),
    rate_row(_EMPLOYEES, City.BEIJING, Scheme.UNEMPLOYMENT, Side.EMPLOYEE, "0.5"),
    *(
        rate_row(_FUND, City.BEIJING, Scheme.HOUSING_FUND, side, unit_rate("5", "12"), rounding=HALF_UP_TO_YUAN)
        for side in Side
    ),
)
