"""The dated rows: which one is in force, that none overlap by mistake, and what a missing one says."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.china.errors import NotInForce, NotInsurable
from plugins.china.settings import UNVERIFIED
from plugins.china.tables.holidays import HOLIDAYS
from plugins.china.tables.income_tax import ANNUAL_SCALES, BASIC_DEDUCTIONS, BONUS_SCALES
from plugins.china.tables.insurance import INSURANCE
from plugins.china.tables.minimum_wages import MINIMUM_WAGES, minimum_wage
from plugins.china.tables.rows import Row, in_force
from plugins.china.tables.schemes import City, KeyedRow, Scheme, Side, UnitRate
from plugins.china.tables.working_time import WORKING_TIMES, working_time
from saas.kernel import Period, month_after

ALL: tuple[Row, ...] = (
    *ANNUAL_SCALES,
    *BONUS_SCALES,
    *BASIC_DEDUCTIONS,
    *INSURANCE.bounds,
    *INSURANCE.rates,
    *MINIMUM_WAGES,
    *WORKING_TIMES,
    *HOLIDAYS.values(),
)


def row(name: str, first: date, until: date | None = None, announced_on: date | None = None) -> Row:
    return Row(id=name, period=Period(first, until), instrument="notice", announced_on=announced_on)


OLD = row("old", date(2025, 7, 1), date(2026, 7, 1))
NEW = row("new", date(2026, 7, 1), announced_on=date(2026, 8, 18))
CORRECTED = row("corrected", date(2026, 7, 1), announced_on=date(2026, 9, 2))


@pytest.mark.parametrize(
    ("on", "known_on", "found"),
    [
        (date(2025, 6, 30), None, None),
        (date(2025, 7, 1), None, OLD),
        (date(2026, 6, 30), None, OLD),
        (date(2026, 7, 1), None, CORRECTED),
        (date(2026, 7, 1), date(2026, 8, 17), None),
        (date(2026, 7, 1), date(2026, 8, 18), None),
        (date(2026, 7, 1), date(2026, 8, 19), NEW),
        (date(2026, 7, 1), date(2026, 9, 2), NEW),
        (date(2026, 7, 1), date(2026, 9, 3), CORRECTED),
        (date(2026, 6, 30), date(2026, 8, 1), OLD),
    ],
)
def test_which_row_is_in_force_as_known_when(on: date, known_on: date | None, found: Row | None) -> None:
    for rows in permutations([CORRECTED, OLD, NEW]):
        assert in_force(rows, on=on, known_on=known_on) is found


def test_a_row_announced_later_holds_although_it_begins_earlier() -> None:
    back_dated = row("back-dated", date(2026, 1, 1), announced_on=date(2026, 10, 1))
    for rows in permutations([OLD, NEW, back_dated]):
        assert in_force(rows, on=date(2026, 9, 1)) is back_dated
        assert in_force(rows, on=date(2026, 9, 1), known_on=date(2026, 10, 1)) is NEW


def test_ids_are_unique_and_every_row_names_its_instrument() -> None:
    assert len({each.id for each in ALL}) == len(ALL)
    assert all(each.instrument for each in ALL)


def test_rows_of_one_key_follow_each_other_without_gap_or_overlap() -> None:
    by_key: dict[tuple[str, City, Scheme, Side], list[KeyedRow]] = defaultdict(list)
    for kind, rows in (("bounds", INSURANCE.bounds), ("rate", INSURANCE.rates)):
        for each in rows:
            by_key[kind, each.city, each.scheme, each.side].append(each)
    for rows_of_key in by_key.values():
        ordered = sorted(rows_of_key, key=lambda each: each.period.first)
        assert [a.period.until for a, _ in pairwise(ordered)] == [b.period.first for _, b in pairwise(ordered)]
        assert ordered[-1].period.until is None
    assert len(by_key) == (9 + 9 + 6) + (9 + 9 + 10)


def test_values_are_plausible() -> None:
    for bounds in INSURANCE.bounds:
        assert 0 < bounds.floor < bounds.ceiling
    for each in INSURANCE.rates:
        rates = (each.rate.lowest, each.rate.highest) if isinstance(each.rate, UnitRate) else (each.rate, each.rate)
        assert Decimal(0) < rates[0] <= rates[1] <= Decimal("0.2")


@given(months=st.integers(0, 60))
def test_shanghai_is_complete_from_july_2024_on(months: int) -> None:
    on = date(2024, 7, 1)
    for _ in range(months):
        on = month_after(on)
    for scheme in (each for each in Scheme if each is not Scheme.MATERNITY):
        for side in INSURANCE.sides(City.SHANGHAI, scheme):
            assert on in INSURANCE.bounds_on(City.SHANGHAI, scheme, side, on=on).period
            assert on in INSURANCE.rate_on(City.SHANGHAI, scheme, side, on=on).period


@pytest.mark.parametrize(
    ("city", "scheme", "on"),
    [
        (City.SHANGHAI, Scheme.PENSION, date(2024, 6, 30)),
        (City.BEIJING, Scheme.HOUSING_FUND, date(2026, 6, 30)),
        (City.KUNMING, Scheme.MEDICAL, date(2026, 8, 31)),
        (City.KUNMING, Scheme.UNEMPLOYMENT, date(2026, 11, 1)),
        (City.KUNMING, Scheme.PENSION, date(2025, 12, 31)),
    ],
)
def test_a_month_without_bounds_is_an_error_that_names_it(city: City, scheme: Scheme, on: date) -> None:
    with pytest.raises(NotInForce) as refused:
        INSURANCE.bounds_on(city, scheme, Side.EMPLOYER, on=on)
    assert refused.value.key == "china.bounds_not_in_force"
    assert refused.value.values == {"city": city, "scheme": scheme, "side": "EMPLOYER", "on": on.isoformat()}


def test_a_month_without_rate_is_an_error_that_names_it() -> None:
    with pytest.raises(NotInForce) as refused:
        INSURANCE.rate_on(City.KUNMING, Scheme.PENSION, Side.EMPLOYEE, on=date(2025, 12, 31))
    assert refused.value.key == "china.rate_not_in_force"
    assert refused.value.values == {"city": "KUNMING", "scheme": "PENSION", "side": "EMPLOYEE", "on": "2025-12-31"}


def test_maternity_is_inside_the_medical_rate_of_shanghai() -> None:
    with pytest.raises(NotInsurable) as refused:
        INSURANCE.sides(City.SHANGHAI, Scheme.MATERNITY)
    assert (refused.value.key, refused.value.values) == (
        "china.scheme_unknown",
        {"city": "SHANGHAI", "scheme": "MATERNITY"},
    )
    assert INSURANCE.sides(City.KUNMING, Scheme.MATERNITY) == (Side.EMPLOYER,)


def test_other_figures_that_are_not_on_record_are_errors() -> None:
    with pytest.raises(NotInForce) as no_time:
        working_time(date(2024, 12, 31))
    assert (no_time.value.key, no_time.value.values) == ("china.working_time_not_in_force", {"on": "2024-12-31"})
    with pytest.raises(NotInForce) as no_wage:
        minimum_wage(City.KUNMING, on=date(2026, 11, 1))
    assert no_wage.value.key == "china.minimum_wage_not_in_force"
    assert no_wage.value.values == {"city": "KUNMING", "on": "2026-11-01"}


def test_what_waits_for_verification() -> None:
    places: dict[str, int] = defaultdict(int)
    for name, each in UNVERIFIED.items():
        assert not each.is_verified
        places["/".join([name.split("/")[0], name.split("/")[-2], name.split("/")[-1]])] += 1
    assert places == {
        "shanghai/bounds/2024-07-01": 2,
        "shanghai/rate/2024-07-01": 9,
        "shanghai/rate/2026-01-01": 2,
        "shanghai/minimum_wage/2025-07-01": 1,
        "beijing/bounds/2025-07-01": 7,
        "beijing/rate/2024-07-01": 4,
        "beijing/rate/2026-07-01": 2,
        "beijing/minimum_wage/2026-07-01": 1,
    }
