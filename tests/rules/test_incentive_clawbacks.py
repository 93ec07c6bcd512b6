"""Refunds after payment: three methods that differ, grades, limits; late facts of a locked period."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.incentives import (
    Cause,
    Clawback,
    Facts,
    Grade,
    Limit,
    LimitKind,
    Override,
    Release,
    Stream,
    TeamSpell,
    Window,
    accrue,
    adjustments,
)
from saas.incentives.rules.plans import Plan
from saas.kernel import AppErrors, Period
from tests.incentive_samples import (
    APRIL,
    LADDER,
    MARCH,
    SINCE_2026,
    THREE_PERCENT,
    WHOLE_LADDER,
    amounts,
    d,
    day,
    deal,
    in_all,
    noon,
    plan,
    receipt,
    refund,
    rule,
    signed_plan,
    version,
)

PAID = Facts(
    deals=(deal("D1", "150000"), deal("D2", "100000")),
    receipts=(receipt("R1", "D1", "150000", "03-10"), receipt("R2", "D2", "100000", "03-20")),
)
REFUNDED = replace(PAID, refunds=(refund("B1", "D1", "60000", "04-08"),))


def method(clawback: Clawback, **members: Any) -> Plan:
    """A marginal ladder over the month: 12,000 for the 250,000 of `PAID`, 5,500 of it for D1."""
    return plan(version(rule(LADDER), clawback=clawback, **members))


# 60,000 of D1 go back in April
CLERKS_TABLE = [
    ("recomputed: 250,000 to 190,000 is 12,000 to 7,500", Clawback.RECOMPUTE, "-4500.00"),
    ("average rate: 60,000 x 12,000 / 250,000", Clawback.AVERAGE_RATE, "-2880.00"),
    ("original line: 60,000 x 5,500 / 150,000", Clawback.ORIGINAL_LINE, "-2200.00"),
]


@pytest.mark.parametrize(("case", "clawback", "amount"), CLERKS_TABLE, ids=[case for case, _, _ in CLERKS_TABLE])
def test_the_three_methods_differ_and_leave_the_paid_lines_alone(case: str, clawback: Clawback, amount: str) -> None:
    assert amounts(accrue(REFUNDED, method(clawback), period=APRIL)) == [("mei", "B1", amount)]
    assert accrue(REFUNDED, method(clawback), period=MARCH) == accrue(PAID, method(clawback), period=MARCH)


def test_a_clawback_names_what_it_takes_back() -> None:
    (line,) = accrue(REFUNDED, method(Clawback.RECOMPUTE), period=APRIL)
    assert (line.cause, line.deal, line.event, line.of, line.version) == (Cause.CLAWED_BACK, "D1", "B1", "R1", 1)
    assert (line.on, line.base) == (day("04-08"), Decimal(-60_000))


@pytest.mark.parametrize(
    ("on", "amount"), [("04-09", "-2200.00"), ("04-10", "-1100.00"), ("06-08", "-1100.00"), ("06-09", "0.00")]
)
def test_grades_count_whole_days_and_hold_through_their_last(on: str, amount: str) -> None:
    graded = method(Clawback.ORIGINAL_LINE, grades=(Grade(30, d("1")), Grade(90, d("0.5"))))
    facts = replace(PAID, refunds=(refund("B1", "D1", "60000", on),))
    month = graded.cycle.period_of(day(on))
    assert amounts(accrue(facts, graded, period=month)) == [("mei", "B1", amount)]


def test_a_refund_takes_back_the_latest_receipts_first() -> None:
    facts = Facts(
        deals=(deal("D1", "1000"),),
        receipts=(receipt("R1", "D1", "600", "03-10"), receipt("R2", "D1", "400", "03-20")),
        refunds=(refund("B1", "D1", "500", "04-01"), refund("B2", "D1", "500", "04-02")),
    )
    lines = accrue(facts, method(Clawback.ORIGINAL_LINE), period=APRIL)
    assert [(line.event, line.of, str(line.amount)) for line in lines] == [
        ("B1", "R1", "-3.00"),
        ("B1", "R2", "-12.00"),
        ("B2", "R1", "-15.00"),
    ]


@pytest.mark.parametrize("clawback", Clawback)
def test_what_goes_back_in_many_pieces_takes_back_exactly_what_was_paid(clawback: Clawback) -> None:
    pieces = tuple(refund(f"B{n}", "D1", "11.11", f"04-{n:02d}") for n in range(1, 10))
    facts = Facts(deals=(deal("D1", "99.99"),), receipts=(receipt("R1", "D1", "99.99"),), refunds=pieces)
    terms = method(clawback)
    paid, back = accrue(facts, terms, period=MARCH), accrue(facts, terms, period=APRIL)
    assert in_all(paid, "mei") == d("3.00")
    assert -in_all(back, "mei") <= d("3.00")
    assert clawback is Clawback.AVERAGE_RATE or in_all(back, "mei") == d("-3.00")


def test_more_than_came_can_not_go_back() -> None:
    facts = replace(PAID, refunds=(refund("B1", "D1", "100000", "04-01"), refund("B2", "D1", "50000.01", "04-02")))
    with pytest.raises(AppErrors) as refusal:
        accrue(facts, method(Clawback.RECOMPUTE), period=APRIL)
    assert [(error.key, error.values) for error in refusal.value.errors] == [
        ("incentives.refund_exceeds", {"refund": "B2", "deal": "D1", "back": "150000.01", "most": "150000"})
    ]
    early = replace(PAID, refunds=(refund("B1", "D1", "1", "03-09"),))
    with pytest.raises(AppErrors, match="refund_exceeds"):
        accrue(early, method(Clawback.RECOMPUTE), period=MARCH)


def test_of_what_is_released_in_steps_no_more_goes_back_than_was_released() -> None:
    facts = Facts(
        deals=(deal("D1", "200000"),),
        receipts=(receipt("R1", "D1", "20000", "03-10"), receipt("R2", "D1", "20000", "04-10")),
        refunds=(refund("B1", "D1", "20000", "04-01"),),
    )
    terms = signed_plan(version(rule(LADDER)), release=Release.AT_COLLECTION)
    assert amounts(accrue(facts, terms, period=MARCH)) == [("mei", "R1", "800.00")]
    assert amounts(accrue(facts, terms, period=APRIL)) == [("mei", "B1", "-800.00"), ("mei", "R2", "800.00")]


def test_each_event_goes_back_by_the_method_of_its_own_version() -> None:
    first = version(rule(LADDER), effective=Period(day("01-01"), day("03-15")), clawback=Clawback.ORIGINAL_LINE)
    second = version(rule(LADDER), number=2, effective=Period(day("03-15")), clawback=Clawback.RECOMPUTE)
    refunds = (refund("B1", "D1", "60000", "04-08"), refund("B2", "D2", "100000", "04-09"))
    lines = accrue(replace(PAID, refunds=refunds), plan(first, second), period=APRIL)
    assert amounts(lines) == [("mei", "B1", "-2200.00"), ("mei", "B2", "-4800.00")]


def test_a_cancelled_deal_takes_back_what_signing_paid() -> None:
    facts = Facts(
        deals=(deal("D1", "1000", credited="mei 1, bo 1, li 1"),), refunds=(refund("B1", "D1", "1000", "04-01"),)
    )
    lines = accrue(facts, signed_plan(version(rule(THREE_PERCENT))), period=APRIL)
    assert sorted(amounts(lines)) == [("bo", "B1", "-10.00"), ("li", "B1", "-10.00"), ("mei", "B1", "-10.00")]


def test_an_override_goes_back_as_it_came() -> None:
    facts = replace(REFUNDED, teams=(TeamSpell("chen", "mei", SINCE_2026),))
    terms = plan(version(override=Override(LADDER)))
    lines = accrue(facts, terms, period=APRIL)
    assert [(line.person, line.stream, str(line.amount)) for line in lines] == [
        ("chen", Stream.OVERRIDE, "-4500.00"),
        ("mei", Stream.OWN, "-1800.00"),
    ]


def test_a_clawback_of_another_month_neither_uses_up_a_guarantee_nor_makes_room_under_a_cap() -> None:
    facts = replace(
        REFUNDED,
        deals=(*PAID.deals, deal("D3", "200000", "04-02")),
        receipts=(*PAID.receipts, receipt("R3", "D3", "200000", "04-20")),
    )
    capped = method(Clawback.RECOMPUTE, limits=(Limit(LimitKind.CAP, d("5000")),))
    assert in_all(accrue(facts, capped, period=APRIL), "mei") == d("5000.00") - d("4500.00")
    guaranteed = method(Clawback.RECOMPUTE, limits=(Limit(LimitKind.GUARANTEE, d("9000")),))
    assert in_all(accrue(facts, guaranteed, period=APRIL), "mei") == d("9000.00") - d("4500.00")


@given(
    sizes=st.lists(st.integers(1, 200_000_00), min_size=1, max_size=5),
    shares=st.lists(st.integers(1, 100), min_size=5, max_size=5),
    window=st.sampled_from(Window),
    tiers=st.sampled_from([LADDER, WHOLE_LADDER]),
)
def test_recomputing_leaves_what_the_rest_alone_would_have_earned(
    sizes: list[int], shares: list[int], window: Window, tiers: object
) -> None:
    sums = [Decimal(size).scaleb(-2) for size in sizes]
    backs = [min(total, max(d("0.01"), total * share // 100)) for total, share in zip(sums, shares, strict=False)]
    deals = tuple(deal(f"D{n}", str(total)) for n, total in enumerate(sums))
    receipts = tuple(receipt(f"R{n}", f"D{n}", str(total)) for n, total in enumerate(sums))
    refunds = tuple(refund(f"B{n}", f"D{n}", str(back), "03-20") for n, back in enumerate(backs))
    terms = plan(version(rule(tiers)), window=window)  # type: ignore[arg-type]
    net = accrue(Facts(deals, receipts, refunds), terms, period=MARCH)
    kept = [(n, total - back) for n, (total, back) in enumerate(zip(sums, backs, strict=True)) if total > back]
    rest = Facts(deals, tuple(receipt(f"R{n}", f"D{n}", str(left)) for n, left in kept))
    assert in_all(net, "mei") == in_all(accrue(rest, terms, period=MARCH), "mei")


def test_a_late_fact_becomes_adjustments_in_the_open_period() -> None:
    terms = plan(version(rule(WHOLE_LADDER)))
    stored = accrue(PAID, terms, period=MARCH)
    late = replace(
        PAID,
        deals=(*PAID.deals, deal("D3", "5000")),
        receipts=(receipt("R1", "D1", "90000", "03-10"), *PAID.receipts[1:], receipt("R3", "D3", "5000", "03-28")),
    )
    recomputed = accrue(late, terms, period=MARCH)
    posted = adjustments(recomputed, stored, on=day("04-15"), at=noon(day("04-15")))
    assert [(line.cause, line.event, str(line.amount)) for line in posted] == [
        (Cause.ADJUSTED, "R1", "-7500.00"),
        (Cause.ADJUSTED, "R2", "-3000.00"),
        (Cause.ADJUSTED, "R3", "250.00"),
    ]
    assert {line.on for line in posted} == {day("04-15")}
    assert posted[0].explanation.args == {
        "month": "2026-03",
        "event": "R1",
        "posted": "12000.00",
        "recomputed": "4500.00",
    }
    assert adjustments(recomputed, [*stored, *posted], on=day("04-16"), at=noon(day("04-16"))) == ()
    back = adjustments(stored, [*stored, *posted], on=day("05-01"), at=noon(day("05-01")))
    assert [(line.event, str(line.amount), line.explanation.args["month"]) for line in back] == [
        ("R1", "7500.00", "2026-03"),
        ("R2", "3000.00", "2026-03"),
        ("R3", "-250.00", "2026-03"),
    ]
