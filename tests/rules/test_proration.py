"""Months that were not kept in full: joiners, leavers, absences, and wages that change inside a month."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kernel import Period
from saas.payroll.rules.inputs import DatedAmount
from saas.payroll.rules.structures import Proration, ProrationMethod
from saas.payroll.rules.v1.proration import earned, in_force_last, share_of
from tests.payroll_samples import ALWAYS, MARCH, WEEKDAYS, month

WAGE = (DatedAmount("base_salary", Decimal(10000), ALWAYS),)


def pay(method: ProrationMethod = ProrationMethod.PER_DAY_WORKED, *pieces: DatedAmount, **changed: Any) -> Decimal:
    proration = Proration(method=method)
    inputs = month(**changed)
    return earned(pieces or WAGE, share_of(inputs, proration), proration)


@pytest.mark.parametrize("method", ProrationMethod)
def test_a_full_month_earns_the_whole_wage_by_every_method(method: ProrationMethod) -> None:
    assert pay(method) == Decimal(10000)
    assert pay(method, absences={"annual_leave": Decimal(3), "paid_leave": Decimal(2)}) == Decimal(10000)


@pytest.mark.parametrize(
    ("method", "absent", "expected"),
    [
        (ProrationMethod.PER_DAY_WORKED, "1", "9655.17"),  # 21 / 21.75
        (ProrationMethod.PER_DAY_ABSENT, "1", "9540.23"),  # 20.75 / 21.75
        (ProrationMethod.ACTUAL_DAYS, "1", "9545.45"),  # 21 / 22
        (ProrationMethod.PER_DAY_WORKED, "0.5", "9885.06"),  # 21.5 / 21.75
        (ProrationMethod.PER_DAY_WORKED, "0.1", "10000.00"),  # 21.9 / 21.75, never more than the wage
        (ProrationMethod.PER_DAY_WORKED, "21", "459.77"),  # 1 / 21.75
        (ProrationMethod.PER_DAY_ABSENT, "21", "344.83"),  # 0.75 / 21.75
        (ProrationMethod.PER_DAY_ABSENT, "21.9", "0.00"),  # below nothing
        (ProrationMethod.ACTUAL_DAYS, "22", "0.00"),
    ],
)
def test_absences_by_each_method(method: ProrationMethod, absent: str, expected: str) -> None:
    assert round(pay(method, absences={"absent": Decimal(absent)}), 2) == Decimal(expected)


def test_partly_paid_leave_counts_its_unpaid_part() -> None:
    proration = Proration(method=ProrationMethod.ACTUAL_DAYS, unpaid={"sick_leave": Decimal("0.4")})
    share = share_of(month(absences={"sick_leave": Decimal(5), "absent": Decimal(9)}), proration)
    assert (share.days_due, share.days_unpaid, share.days_paid) == (22, Decimal("2.0"), Decimal("20.0"))


@pytest.mark.parametrize(
    ("employed", "paid"),
    [
        ((Period(date(2026, 3, 16)),), 12),
        ((Period(date(2024, 1, 1), date(2026, 3, 16)),), 10),
        ((Period(date(2026, 3, 9), date(2026, 3, 14)),), 5),
        ((Period(date(2026, 3, 14), date(2026, 3, 16)),), 0),
        ((Period(date(2024, 1, 1), date(2026, 3, 4)), Period(date(2026, 3, 30))), 4),
    ],
)
def test_joiners_and_leavers_are_paid_from_first_to_last_day(employed: tuple[Period, ...], paid: int) -> None:
    found = pay(ProrationMethod.ACTUAL_DAYS, employed=employed)
    assert round(found, 6) == round(Decimal(10000) * paid / 22, 6)


def test_a_raise_inside_the_month_splits_it_by_pay_days() -> None:
    pieces = (
        DatedAmount("base_salary", Decimal(8000), Period(date(2024, 1, 1), date(2026, 3, 16))),
        DatedAmount("base_salary", Decimal(10000), Period(date(2026, 3, 16))),
    )
    assert round(pay(ProrationMethod.ACTUAL_DAYS, *pieces), 2) == Decimal("9090.91")  # (10 × 8,000 + 12 × 10,000) / 22
    assert round(pay(ProrationMethod.PER_DAY_WORKED, *pieces), 2) == Decimal("9090.91")  # a full month
    # 20 of 22 days: 9,090.91 × 20 / 21.75
    assert round(pay(ProrationMethod.PER_DAY_WORKED, *pieces, absences={"absent": Decimal(2)}), 2) == Decimal("8359.46")
    assert in_force_last(pieces, month()) == Decimal(10000)
    assert in_force_last(pieces, month(employed=(Period(date(2024, 1, 1), date(2026, 3, 16)),))) == Decimal(8000)


@given(
    method=st.sampled_from(ProrationMethod),
    cut=st.integers(1, 30),
    absent=st.decimals(min_value=0, max_value=22, places=2),
    first=st.integers(0, 20),
)
def test_a_change_to_the_same_amount_changes_nothing(
    method: ProrationMethod, cut: int, absent: Decimal, first: int
) -> None:
    day = MARCH.first + timedelta(days=cut)
    pieces = tuple(
        DatedAmount("base_salary", Decimal(10000), span) for span in (Period(ALWAYS.first, day), Period(day))
    )
    changed = {"absences": {"absent": absent}, "employed": (Period(MARCH.first + timedelta(days=first)),)}
    whole, split = pay(method, **changed), pay(method, *pieces, **changed)
    assert abs(whole - split) < Decimal("1e-40")
    assert 0 <= whole <= 10000


@given(
    absent=st.decimals(min_value=0, max_value=22, places=2),
    first=st.integers(0, 20),
    wages=st.lists(st.integers(1000, 99_999), min_size=1, max_size=4),
)
def test_actual_days_agree_with_fractions(absent: Decimal, first: int, wages: list[int]) -> None:
    """Day by day in fractions: each pay day earns its wage / 22, absences are spread over the days employed."""
    starts = [MARCH.first + timedelta(days=place * 7) for place in range(len(wages))]
    ends: list[date | None] = [*starts[1:], None]
    pieces = tuple(
        DatedAmount("base_salary", Decimal(wage), Period(start, end))
        for wage, start, end in zip(wages, starts, ends, strict=True)
    )
    employed = MARCH.first + timedelta(days=first)
    days = [day for day in WEEKDAYS if day >= employed]
    kept = max(Fraction(0), len(days) - Fraction(absent)) / len(days)
    by_day = sum((Fraction(wages[min((day.day - 1) // 7, len(wages) - 1)]) / 22 for day in days), Fraction(0)) * kept
    found = pay(ProrationMethod.ACTUAL_DAYS, *pieces, absences={"absent": absent}, employed=(Period(employed),))
    assert abs(Fraction(found) - by_day) < Fraction(1, 10**40)
