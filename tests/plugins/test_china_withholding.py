"""Cumulative withholding: what a payroll clerk can follow by hand, the order of payments, the special rules, errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.china.errors import TaxYearBroken
from plugins.china.tables.income_tax import income_tax_rules
from plugins.china.v1.months import YearBefore, may_deduct_full_year, months_employed
from plugins.china.v1.withholding import Payment, TaxKey, Withholding, YearToDate, taxable_of, withhold, year_tax
from saas.kernel import Explanation, Period, month_after, uuid7_from
from tests.plugins.china_samples import BEIJING_COMPANY, EMPTY_YEAR, KEY, payment, tax_by_slices, told

RULES = income_tax_rules(date(2026, 1, 10))
WAGE = {"income": "30000", "special": "4500", "special_additional": "2000"}


def run(payments: Sequence[Payment], year: YearToDate = EMPTY_YEAR) -> list[Withholding]:
    found: list[Withholding] = []
    for each in payments:
        found.append(withhold(each, found[-1].year if found else year, rules=RULES))
    return found


def amounts(payments: Sequence[Payment], year: YearToDate = EMPTY_YEAR) -> list[str]:
    return [str(each.amount) for each in run(payments, year)]


@pytest.mark.parametrize(
    ("wage", "months", "withheld"),
    [
        ({"income": "10000", "special": "1500", "special_additional": "1000"}, 12, ["75.00"] * 12),
        (WAGE, 3, ["555.00", "625.00", "1850.00"]),
        (
            {"income": "30000", "special": "4500", "special_additional": "2000", "credits": "100"},
            2,
            ["455.00", "525.00"],
        ),
        ({"income": "9000", "exempt": "1000", "other": "1000"}, 1, ["60.00"]),
    ],
)
def test_golden_years(wage: dict[str, str], months: int, withheld: list[str]) -> None:
    assert amounts([payment(month, wage) for month in range(1, months + 1)]) == withheld


def test_a_surplus_is_carried_and_not_refunded() -> None:
    """January 30,000 taxes 25,000 at 3 %; three months without pay leave it too high; April's pay uses it up first."""
    high, none = {"income": "30000"}, {"income": "0"}
    found = run([payment(1, high), payment(2, none), payment(3, none), payment(4, {"income": "8000"})])
    assert [str(each.amount) for each in found] == ["750.00", "0.00", "0.00", "0.00"]
    assert found[-1].year.withheld == 750
    carried = found[-1].explanation.parts[0].parts[-1]
    assert (carried.key, carried.amount) == ("china.explained.surplus", "210.00")
    assert amounts([payment(5, {"income": "20000"})], found[-1].year) == ["240.00"]


def test_a_missing_month_does_not_reset_the_year() -> None:
    (january,) = run([payment(1, WAGE)])
    (march,) = run([payment(3, WAGE)], january.year)
    assert march.year.months_employed == 3
    assert (march.amount, march.year.withheld) == (Decimal("405.00"), Decimal("960.00"))


def test_two_payments_of_a_month_share_one_basic_deduction() -> None:
    """Wages of 10,000 with shares of 1,500, and a bonus of 5,000: 8,500 taxable at 3 %, whichever is paid first."""
    wage = payment(1, {"income": "10000", "special": "1500"}, day=10)
    bonus = payment(1, {"income": "5000"}, day=20)
    assert amounts([wage, bonus]) == ["105.00", "150.00"]
    assert amounts([bonus, wage]) == ["0.00", "255.00"]


def test_what_a_month_withheld_too_much_comes_back_within_the_month() -> None:
    """The shares are booked with a second payment that has no wage."""
    found = run([payment(1, {"income": "20000"}), payment(1, {"special": "3000"}), payment(2)])
    assert [str(each.amount) for each in found] == ["450.00", "-90.00", "0.00"]
    assert [str(each.month_total) for each in found] == ["450.00", "360.00", "0.00"]
    assert found[-1].year.withheld == Decimal("360.00")


_FEN = st.integers(0, 12_000_000).map(lambda fen: str(Decimal(fen).scaleb(-2)))
_AMOUNTS = st.fixed_dictionaries({"income": _FEN, "special": _FEN, "special_additional": _FEN, "exempt": _FEN})
_YEAR = st.lists(st.lists(_AMOUNTS, min_size=1, max_size=3), min_size=1, max_size=12)


def payments_of(year: Sequence[Sequence[dict[str, str]]]) -> list[list[Payment]]:
    return [[payment(number, each) for each in month] for number, month in enumerate(year, 1)]


@given(year=_YEAR)
def test_withheld_is_the_highest_tax_that_any_month_ended_with(year: list[list[dict[str, str]]]) -> None:
    """The oracle sums slices of the year's own sums: nothing is refunded, so the highest month counts."""
    sums, highest, to_date = Decimal(0), Decimal(0), EMPTY_YEAR
    for number, month in enumerate(payments_of(year), 1):
        results = run(month, to_date)
        to_date = results[-1].year
        sums += sum(each.income - each.special - each.special_additional - each.exempt for each in month)
        highest = max(highest, tax_by_slices(max(Decimal(0), sums - 5_000 * number)))
        assert to_date.withheld == highest
        assert sum(each.amount for each in results) == results[-1].month_total >= 0
        assert to_date.withheld >= year_tax(to_date, rules=RULES)


@given(year=_YEAR, shuffle=st.randoms())
def test_order_within_a_month_changes_no_total(year: list[list[dict[str, str]]], shuffle: Random) -> None:
    in_order, shuffled = EMPTY_YEAR, EMPTY_YEAR
    for month in payments_of(year):
        in_order = run(month, in_order)[-1].year
        shuffle.shuffle(month)
        shuffled = run(month, shuffled)[-1].year
        assert shuffled == in_order


@given(wages=st.lists(_FEN, min_size=1, max_size=12))
def test_with_wages_above_the_deduction_withheld_is_the_tax_of_the_year(wages: list[str]) -> None:
    paid = [payment(month, {"income": str(Decimal(wage) + 5_000)}) for month, wage in enumerate(wages, 1)]
    found = run(paid)
    assert all(each.amount >= 0 for each in found)
    assert found[-1].year.withheld == tax_by_slices(sum(map(Decimal, wages), Decimal(0)))


def test_explanation_shows_every_number_in_both_languages() -> None:
    january, february = run([payment(1, WAGE), payment(2, WAGE)])
    assert told(february.explanation, "en") == [
        "Income tax withheld from the payment on 2026-02-10: 625.00",
        "  Income tax of 2026-02, all payments so far; never below zero: 625.00",
        "    Tax on 37000.00 at 10 %, less quick deduction 2520.00: 1180.00",
        "      Cumulative taxable income, never below zero: 37000.00",
        "        Cumulative income: 60000.00",
        "        Less: exempt income: 0.00",
        "        Less: basic deduction, 2 months of 5000.00: 10000.00",
        "        Less: employee's social insurance and housing fund: 9000.00",
        "        Less: special additional deductions: 4000.00",
        "        Less: other deductions: 0.00",
        "    Less: tax credits: 0.00",
        "    Less: withheld in the months before 2026-02: 555.00",
        "  Less: withheld from earlier payments of 2026-02: 0.00",
    ]
    assert told(january.explanation, "zh-CN")[:5] == [
        "2026-01-10 发放应扣个人所得税: 555.00",
        "  2026-01 截至本次发放的个人所得税，不低于零: 555.00",
        "    18500.00 × 3 % − 速算扣除数 0.00: 555.00",
        "      累计应纳税所得额，不低于零: 18500.00",
        "        累计收入: 30000.00",
    ]
    assert february.explanation.parts[0].parts[0].source == "income_tax/annual/2019-01-01"
    assert Explanation.of_plain(february.explanation.plain()) == february.explanation


def test_equal_payments_give_equal_bytes_however_they_are_typed() -> None:
    (typed,) = run([payment(1, {"income": "30000.00", "special": "4500.0", "special_additional": "2000"})])
    (plain,) = run([payment(1, WAGE)])
    assert typed.explanation.plain() == plain.explanation.plain()


def test_sixty_thousand_at_once() -> None:
    """Announcement 2020 No.19: nothing up to 60,000 of the year; afterwards the deduction stays 60,000."""
    year = replace(EMPTY_YEAR, has_full_year_deduction=True)
    found = run([payment(month, {"income": "20000"}) for month in range(1, 6)], year)
    assert [str(each.amount) for each in found] == ["0.00", "0.00", "0.00", "600.00", "880.00"]
    assert taxable_of(found[-1].year, rules=RULES) == 40_000
    assert "全年一次性扣除的减除费用: 60000.00" in "".join(told(found[-1].explanation, "zh-CN"))


@pytest.mark.parametrize(
    ("months", "income", "tax_year", "is_there", "may"),
    [
        (12, "60000", 2026, True, True),
        (12, "60000.01", 2026, True, False),
        (11, "40000", 2026, True, False),
        (12, "40000", 2026, False, False),
        (12, "40000", 2021, True, True),
        (12, "40000", 2020, True, False),
    ],
)
def test_who_may_deduct_sixty_thousand_at_once(
    months: int, income: str, tax_year: int, is_there: bool, may: bool
) -> None:
    before = YearBefore(months_withheld=months, income=Decimal(income))
    assert may_deduct_full_year(before, tax_year=tax_year, is_employed_in_january=is_there) is may


SINCE_2024 = [Period(date(2024, 3, 1))]
SINCE_JULY = [Period(date(2026, 7, 20))]
RETURNED = [Period(date(2026, 1, 1), date(2026, 3, 16)), Period(date(2026, 6, 1))]


@pytest.mark.parametrize(
    ("employed", "paid_on", "is_first_wage", "months"),
    [
        (SINCE_2024, date(2026, 1, 10), False, 1),
        (SINCE_2024, date(2026, 12, 31), False, 12),
        (SINCE_JULY, date(2026, 7, 31), False, 1),
        (SINCE_JULY, date(2026, 8, 10), False, 2),
        (SINCE_JULY, date(2026, 8, 10), True, 8),
        (SINCE_JULY, date(2026, 6, 30), True, 0),
        (RETURNED, date(2026, 5, 10), False, 3),
        (RETURNED, date(2026, 6, 10), False, 4),
        (RETURNED[1:], date(2026, 6, 10), False, 1),
        ([Period(date(2025, 1, 1), date(2026, 1, 1))], date(2026, 1, 10), False, 0),
        ([Period(date(2025, 1, 1), date(2026, 1, 2))], date(2026, 2, 10), False, 1),
    ],
)
def test_months_that_count(employed: list[Period], paid_on: date, is_first_wage: bool, months: int) -> None:
    assert months_employed(employed, paid_on=paid_on, is_first_wage=is_first_wage) == months


def test_first_wage_in_july_has_seven_deductions_at_once() -> None:
    months = months_employed(SINCE_JULY, paid_on=date(2026, 7, 31), is_first_wage=True)
    assert amounts([payment(7, {"income": "36000"}, months=months)]) == ["30.00"]
    assert amounts([payment(7, {"income": "36000"}, months=1)]) == ["930.00"]


def test_december_wages_paid_in_january_begin_the_new_year() -> None:
    with pytest.raises(TaxYearBroken) as refused:
        withhold(replace(payment(1, WAGE), paid_on=date(2027, 1, 5)), EMPTY_YEAR, rules=RULES)
    assert refused.value.key == "china.tax_year_mixed"
    next_year = replace(KEY, tax_year=2027)
    december = replace(payment(1, WAGE), key=next_year, paid_on=date(2027, 1, 5))
    assert withhold(december, YearToDate(key=next_year), rules=RULES).amount == Decimal("555.00")


@pytest.mark.parametrize(
    "other",
    [replace(KEY, legal_entity=BEIJING_COMPANY), replace(KEY, person=uuid7_from(9, 9))],
    ids=["entity", "person"],
)
def test_entities_and_persons_never_mix(other: TaxKey) -> None:
    with pytest.raises(TaxYearBroken) as refused:
        withhold(replace(payment(2, WAGE), key=other), run([payment(1, WAGE)])[0].year, rules=RULES)
    assert refused.value.values == {"paid_on": "2026-02-10", "tax_year": 2026}


def test_a_month_before_the_last_payment_is_closed() -> None:
    (march,) = run([payment(3, WAGE)])
    with pytest.raises(TaxYearBroken) as refused:
        run([payment(2, WAGE, months=3)], march.year)
    assert (refused.value.key, refused.value.values) == (
        "china.month_before_last_payment",
        {"paid_on": "2026-02-10", "last": 3},
    )


@pytest.mark.parametrize("months", [1, 4])
def test_impossible_months_are_refused(months: int) -> None:
    (second,) = run([payment(2, WAGE)])
    with pytest.raises(TaxYearBroken) as refused:
        run([payment(3, WAGE, months=months)], second.year)
    assert (refused.value.key, refused.value.values) == (
        "china.months_employed_impossible",
        {"months": months, "before": 2, "month": 3},
    )


SPANS = st.lists(
    st.tuples(st.dates(date(2024, 11, 1), date(2027, 2, 28)), st.none() | st.integers(1, 500)).map(
        lambda drawn: Period(drawn[0], None if drawn[1] is None else drawn[0] + timedelta(days=drawn[1]))
    ),
    max_size=3,
)


@given(SPANS, st.dates(date(2025, 1, 1), date(2026, 12, 31)))
def test_a_month_counts_if_any_day_of_it_was_employed(employed: list[Period], paid_on: date) -> None:
    """By the days themselves, one after the other."""
    year = Period(date(paid_on.year, 1, 1), month_after(paid_on))
    months = {day.month for day in year.days() if any(day in span for span in employed)}
    assert months_employed(employed, paid_on=paid_on) == len(months)
    first_wage = months_employed(employed, paid_on=paid_on, is_first_wage=True)
    assert first_wage == (len(months | set(range(1, min(months)))) if months else 0)
