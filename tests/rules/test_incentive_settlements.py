"""Settlements: the floor of 0, what is carried and recovered, buckets that reconcile over all statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.incentives import Buckets, Carried, Facts, Statement, accrue, reconcile, settle
from saas.incentives.errors import SettlementRefused
from tests.incentive_samples import APRIL, MARCH, d, day, deal, plan, receipt, refund

MARCH_31, APRIL_30, MAY_31 = day("03-31"), day("04-30"), day("05-31")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of whatever makes lines."""

    key: str
    person: str
    on: date
    amount: Decimal
    currency: str = "CNY"


def line(key: str, on: str, amount: str, person: str = "mei") -> Line:
    """A line of a day of 2026."""
    return Line(key, person, day(on), d(amount))


def only(statements: tuple[Statement, ...]) -> Statement:
    """The one statement."""
    (statement,) = statements
    return statement


def test_each_person_gets_the_lines_up_to_the_cut_off() -> None:
    lines = [
        line("b", "03-31", "20.00"),
        line("a", "03-01", "10.00"),
        line("c", "04-01", "5.00"),
        line("x", "03-02", "1.00", "bo"),
    ]
    statements = settle(lines, currency="CNY", cut_off=MARCH_31)
    assert [(s.person, [each.key for each in s.lines], s.earned, s.payout) for s in statements] == [
        ("bo", ["x"], d("1.00"), d("1.00")),
        ("mei", ["a", "b"], d("30.00"), d("30.00")),
    ]


def test_a_statement_stops_at_0_and_the_oldest_debt_is_recovered_first() -> None:
    march = only(settle([line("a", "03-01", "-30.00")], currency="CNY", cut_off=MARCH_31))
    assert (march.payout, march.carried) == (d("0"), (Carried(MARCH_31, d("-30.00")),))
    april = only(
        settle([line("b", "04-01", "-20.00")], currency="CNY", cut_off=APRIL_30, brought={"mei": march.carried})
    )
    assert april.carried == (Carried(MARCH_31, d("-30.00")), Carried(APRIL_30, d("-20.00")))
    may = only(settle([line("c", "05-01", "35.00")], currency="CNY", cut_off=MAY_31, brought={"mei": april.carried}))
    assert (may.payout, may.carried) == (d("0"), (Carried(APRIL_30, d("-15.00")),))
    after = only(settle([line("d", "05-02", "15.01")], currency="CNY", cut_off=MAY_31, brought={"mei": may.carried}))
    assert (after.payout, after.carried) == (d("0.01"), ())


def test_who_only_owes_has_a_statement_too_and_settling_twice_gives_nothing_new() -> None:
    debt = (Carried(MARCH_31, d("-30.00")),)
    statement = only(settle([], currency="CNY", cut_off=APRIL_30, brought={"mei": debt, "bo": ()}))
    assert (statement.person, len(statement.lines), statement.payout, statement.carried) == ("mei", 0, d("0"), debt)
    assert settle([], currency="CNY", cut_off=APRIL_30) == ()


def test_a_held_line_waits_and_holds_up_no_other() -> None:
    lines = [line("a", "03-01", "10.00"), line("b", "03-02", "20.00")]
    statement = only(settle(lines, currency="CNY", cut_off=MARCH_31, held={"a"}))
    assert [each.key for each in statement.lines] == ["b"]
    assert reconcile(lines, [statement], held={"a"}) == Buckets(
        earned=d("30.00"), pending=d("0"), held=d("10.00"), waiting=d("20.00"), paid=d("0"), carried=d("0")
    )


def test_currencies_and_repeated_lines_are_refused() -> None:
    dollars = Line("u", "mei", MARCH_31, d("1.00"), "USD")
    with pytest.raises(SettlementRefused) as refusal:
        settle([line("a", "03-01", "1.00"), dollars], currency="CNY", cut_off=MARCH_31)
    assert (refusal.value.key, refusal.value.values) == (
        "incentives.currencies_mixed",
        {"line": "u", "currency": "USD", "expected": "CNY"},
    )
    with pytest.raises(SettlementRefused) as refusal:
        settle([line("a", "03-01", "1.00"), line("a", "03-01", "1.00")], currency="CNY", cut_off=MARCH_31)
    assert (refusal.value.key, refusal.value.values) == ("incentives.line_twice", {"line": "a", "count": 2})


def test_statements_that_do_not_fit_the_lines_are_refused() -> None:
    lines = [line("a", "03-01", "-10.00"), line("b", "04-01", "20.00")]
    march = only(settle(lines, currency="CNY", cut_off=MARCH_31))
    forgetful = only(settle(lines[1:], currency="CNY", cut_off=APRIL_30))
    for statements, keys, values in (
        ([march, march], "line_not_once", {"line": "a", "count": 2}),
        ([march, forgetful], "buckets_apart", {"earned": "10.00", "parts": "20.00"}),
    ):
        with pytest.raises(SettlementRefused) as refusal:
            reconcile(lines, statements)
        assert (refusal.value.key, refusal.value.values) == (f"incentives.{keys}", values)
    with pytest.raises(SettlementRefused) as refusal:
        reconcile(lines[1:], [march])
    assert refusal.value.values == {"line": "a", "count": 0}


def test_commission_is_paid_taken_back_and_carried() -> None:
    facts = Facts(
        deals=(deal("D1", "1000"), deal("D2", "500", "04-02")),
        receipts=(receipt("R1", "D1", "1000"), receipt("R2", "D2", "500", "04-03")),
        refunds=(refund("B1", "D1", "1000", "04-20"),),
    )
    march_lines = accrue(facts, plan(), period=MARCH)
    april_lines = accrue(facts, plan(), period=APRIL)
    march = only(settle(march_lines, currency="CNY", cut_off=MARCH_31))
    april = only(settle(april_lines, currency="CNY", cut_off=APRIL_30, brought={"mei": march.carried}))
    assert [(s.earned, s.payout) for s in (march, april)] == [(d("30.00"), d("30.00")), (d("-15.00"), 0)]
    found = reconcile([*march_lines, *april_lines], [march, april], paid_through=MARCH_31)
    assert found == Buckets(
        earned=d("15.00"), pending=d("0"), held=d("0"), waiting=d("0"), paid=d("30.00"), carried=d("-15.00")
    )


_MONTHS = st.lists(st.lists(st.integers(-50_000, 50_000), max_size=5), min_size=1, max_size=8)


@given(months=_MONTHS, held=st.sets(st.tuples(st.integers(0, 7), st.integers(0, 4))), paid=st.integers(1, 9))
def test_earned_is_the_sum_of_the_other_buckets_whatever_happens(
    months: list[list[int]], held: set[tuple[int, int]], paid: int
) -> None:
    lines = [
        Line(f"{month}/{place}", "mei", date(2026, month + 1, 10), Decimal(fen).scaleb(-2))
        for month, amounts in enumerate(months)
        for place, fen in enumerate(amounts)
    ]
    keys = {f"{month}/{place}" for month, place in held}
    statements: list[Statement] = []
    settled: set[str] = set()
    for month in range(len(months)):
        brought = {"mei": statements[-1].carried if statements else ()}
        waiting = [each for each in lines if each.key not in settled]
        made = settle(waiting, currency="CNY", cut_off=date(2026, month + 1, 20), brought=brought, held=keys)
        statements += made
        settled |= {each.key for statement in made for each in statement.lines}
    for statement in statements:
        left = sum(carried.amount for carried in statement.carried)
        assert statement.earned + sum(c.amount for c in statement.brought) == statement.payout + left
        assert statement.payout >= 0 >= left
    buckets = reconcile(lines, statements, held=keys, paid_through=date(2026, paid, 20))
    assert buckets.earned == sum(each.amount for each in lines)
    assert buckets.held == sum(each.amount for each in lines if each.key in keys)
    assert buckets.pending == 0
