"""Minimum wages (最低工资标准) by the month, and what a city leaves out when it tests them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from plugins.china.errors import NotInForce
from plugins.china.tables.rows import Row, Status, in_force
from plugins.china.tables.schemes import City
from saas.sdk import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimumWage(Row):
    """Yuan a month for normal hours; `excludes_shares`: the employee's contributions are taken off before the test."""

    city: City
    monthly: Decimal
    excludes_shares: bool


MINIMUM_WAGES = (
    MinimumWage(
        id="shanghai/minimum_wage/2025-07-01",
        period=Period(date(2025, 7, 1)),
        instrument="Shanghai minimum wage, 2025-07; leaving out of contributions not read in the notice",
        status=Status.VERIFY,
        city=City.SHANGHAI,
        monthly=Decimal(2_740),
        excludes_shares=True,
    ),
    MinimumWage(
        id="beijing/minimum_wage/2026-07-01",
        period=Period(date(2026, 7, 1)),
        instrument="Beijing minimum wage; its first day is not known, so it is kept from 2026-07 on",
        status=Status.VERIFY,
        city=City.BEIJING,
        monthly=Decimal(2_540),
        excludes_shares=True,
    ),
)


def minimum_wage(city: City, *, on: date) -> MinimumWage:
    """The minimum wage in force.

    :raises NotInForce: none is on record; it names city and day.
    """
    found = in_force((row for row in MINIMUM_WAGES if row.city is city), on=on)
    if found is None:
        raise NotInForce("china.minimum_wage_not_in_force", {"city": city, "on": on.isoformat()})
    return found
