"""Tiers, payout curves and targets: amounts a clerk can check, tables that are refused, an oracle that walks by fen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.incentives import (
    Beyond,
    Bound,
    CurvePoint,
    Mode,
    PayoutCurve,
    TableRow,
    Tiers,
    attainment_of,
    check_curve,
    parse_table,
    payout,
    prorated_target,
    year_to_date,
)
from saas.incentives.errors import TargetMissing
from saas.incentives.rules.exact import percent, plain, rounded_ratio, shown
from saas.incentives.rules.tiers import tier_problems
from saas.kernel import AppErrors, Period, rounded
from tests.incentive_samples import LADDER, WHOLE_LADDER, d

# 3 / 5 / 8 % with cuts at 100,000 and 200,000: base, marginal, whole amount (upper inclusive), whole (lower inclusive)
CLERKS_TABLE = """
      0.00 |      0.00 |      0.00 |      0.00
      0.01 |      0.00 |      0.00 |      0.00
     50000 |   1500.00 |   1500.00 |   1500.00
  99999.99 |   3000.00 |   3000.00 |   3000.00
 100000.00 |   3000.00 |   3000.00 |   5000.00
 100000.01 |   3000.00 |   5000.00 |   5000.00
    150000 |   5500.00 |   7500.00 |   7500.00
 200000.00 |   8000.00 |  10000.00 |  16000.00
 200000.01 |   8000.00 |  16000.00 |  16000.00
    250000 |  12000.00 |  20000.00 |  20000.00
"""


@pytest.mark.parametrize("row", CLERKS_TABLE.strip().splitlines())
def test_a_clerk_finds_the_same(row: str) -> None:
    base, marginal, whole, lower_inclusive = (Decimal(cell.strip()) for cell in row.split("|"))
    lower = replace(WHOLE_LADDER, bound=Bound.LOWER_INCLUSIVE)
    found = [rounded_ratio(tiers.commission(Fraction(base)), 2) for tiers in (LADDER, WHOLE_LADDER, lower)]
    assert found == [marginal, whole, lower_inclusive]


def test_nothing_is_earned_below_nothing() -> None:
    assert [tiers.commission(Fraction(-5)) for tiers in (LADDER, WHOLE_LADDER)] == [0, 0]


_RATES = st.integers(0, 1000).map(lambda n: Decimal(n).scaleb(-3))
_FEN = st.integers(0, 3_000).map(lambda n: Decimal(n).scaleb(-2))


@st.composite
def ladders(draw: st.DrawFn, mode: Mode | None = None) -> Tiers:
    """Cuts of at most 25.00, so that an oracle may go through every fen."""
    cuts = sorted(draw(st.sets(st.integers(1, 2_500), max_size=5)))
    rates = draw(st.lists(_RATES, min_size=len(cuts) + 1, max_size=len(cuts) + 1))
    chosen = mode or draw(st.sampled_from(Mode))
    return Tiers(tuple(Decimal(cut).scaleb(-2) for cut in cuts), tuple(rates), chosen, draw(st.sampled_from(Bound)))


def tier_of_fen(tiers: Tiers, fen: int) -> int:
    """The oracle's own way to a tier: how many cuts are passed, counted one by one in fen."""
    passed = 0
    for cut in tiers.cuts:
        at = int(cut * 100)
        passed += fen > at if tiers.bound is Bound.UPPER_INCLUSIVE else fen >= at
    return passed


@given(tiers=ladders(), base=_FEN)
def test_an_oracle_that_counts_fen_by_fen_agrees(tiers: Tiers, base: Decimal) -> None:
    fen = int(base * 100)
    if tiers.mode is Mode.MARGINAL:
        upper = replace(tiers, bound=Bound.UPPER_INCLUSIVE)
        thousandths = sum(int(tiers.rates[tier_of_fen(upper, each)] * 1000) for each in range(1, fen + 1))
    else:
        thousandths = fen * int(tiers.rates[tier_of_fen(tiers, fen)] * 1000)
    assert tiers.commission(Fraction(base)) == Fraction(thousandths, 100_000)


@given(tiers=ladders(Mode.MARGINAL), base=_FEN)
def test_marginal_tiers_have_no_cliff_and_no_matter_which_bound(tiers: Tiers, base: Decimal) -> None:
    here, one_fen_on = tiers.commission(Fraction(base)), tiers.commission(Fraction(base) + Fraction(1, 100))
    assert 0 <= one_fen_on - here <= Fraction(1, 100) * Fraction(max(tiers.rates))
    other = Bound.LOWER_INCLUSIVE if tiers.bound is Bound.UPPER_INCLUSIVE else Bound.UPPER_INCLUSIVE
    assert replace(tiers, bound=other).commission(Fraction(base)) == here


def test_a_whole_amount_scale_tells_of_its_jumps() -> None:
    assert list(WHOLE_LADDER.jumps()) == [(d("100000"), d("2000")), (d("200000"), d("6000"))]
    assert list(LADDER.jumps()) == []


@given(
    months=st.lists(st.integers(-200_000_00, 200_000_00), min_size=1, max_size=12),
    tiers=st.sampled_from([LADDER, WHOLE_LADDER]),
)
def test_months_of_a_year_to_date_add_up_to_the_year(months: list[int], tiers: Tiers) -> None:
    accrued = base = Decimal(0)
    for fen in months:
        base += Decimal(fen).scaleb(-2)
        accrued += year_to_date(tiers, base=base, accrued=accrued)
    assert accrued == rounded_ratio(tiers.commission(Fraction(base)), 2)


def test_year_to_date_corrects_earlier_months_by_itself() -> None:
    first = year_to_date(LADDER, base=d("120000"), accrued=d("0"))
    assert first == d("4000.00")
    assert year_to_date(LADDER, base=d("90000"), accrued=first) == d("-1300.00")


def test_attainment_bands_are_multiples_of_the_target() -> None:
    bands = Tiers((d("0.8"), d("1")), (d("0"), d("0.02"), d("0.05")), of_target=True)
    in_money = bands.for_target(d("50000"), person="mei", period="2026-03")
    assert (in_money.cuts, in_money.of_target) == ((d("40000"), d("50000")), False)
    assert in_money.commission(Fraction(60_000)) == 200 + 500
    assert LADDER.for_target(None, person="mei", period="2026-03") is LADDER


@pytest.mark.parametrize(("target", "found"), [(None, "-"), (d("0"), "0"), (d("-1.50"), "-1.5")])
def test_attainment_of_no_target_is_refused(target: Decimal | None, found: str) -> None:
    bands = replace(LADDER, of_target=True)
    values = {"person": "mei", "period": "2026-03", "target": found}
    for asked in (
        lambda: bands.for_target(target, person="mei", period="2026-03"),
        lambda: attainment_of(d("1"), target, person="mei", period="2026-03"),
    ):
        with pytest.raises(TargetMissing) as refusal:
            asked()
        assert (refusal.value.key, refusal.value.values) == ("incentives.target_missing", values)


def rows(text: str) -> list[TableRow]:
    """``"0-100 0.03; 100- 0.05"``; an end left out is none."""
    found = []
    for row in text.split(";"):
        span, rate = row.split()
        since, upto = span.split("~")
        found.append(TableRow(Decimal(since), Decimal(upto) if upto else None, Decimal(rate)))
    return found


def test_a_closed_table_becomes_cuts() -> None:
    table = rows("0~100000 0.03; 100000~200000 0.05; 200000~ 0.08")
    assert parse_table(table) == LADDER
    assert parse_table(table, mode=Mode.WHOLE_AMOUNT) == WHOLE_LADDER
    assert parse_table(rows("0~ 0.03")) == Tiers((), (d("0.03"),))


REFUSED_TABLES = [
    (
        "0~100 0.1; 100.01~ 0.2",
        "rows_apart",
        {"row": 1, "upto": "100", "next_row": 2, "since": "100.01", "apart": "0.01"},
    ),
    ("0~100 0.1; 90~ 0.2", "rows_overlap", {"row": 1, "upto": "100", "next_row": 2, "since": "90", "apart": "10"}),
    ("0~100 0.1; 100~90 0.2; 90~ 0.3", "row_upside_down", {"row": 2, "since": "100", "upto": "90"}),
    ("0~100 0.1; 100~100 0.2; 100~ 0.3", "row_upside_down", {"row": 2, "since": "100", "upto": "100"}),
    ("0~100 0.1; 100~200 0.2", "table_without_end", {"row": 2, "since": "100", "upto": "200"}),
    ("10~ 0.1", "table_starts_late", {"row": 1, "since": "10", "upto": "∞"}),
    ("-5~10 0.1; 10~ 0.2", "row_negative", {"row": 1, "since": "-5", "upto": "10"}),
    ("0~ 0.1; 100~ 0.2", "row_open_too_early", {"row": 1, "since": "0", "upto": "∞", "last": 2}),
    ("0~10 3; 10~ 0.2", "rate_out_of_range", {"rate": "3"}),
]


@pytest.mark.parametrize(("text", "key", "values"), REFUSED_TABLES)
def test_a_table_that_leaves_a_doubt_is_refused(text: str, key: str, values: dict[str, object]) -> None:
    with pytest.raises(AppErrors) as refusal:
        parse_table(rows(text))
    assert [(error.key, error.values) for error in refusal.value.errors] == [(f"incentives.{key}", values)]


def test_rows_out_of_order_are_all_told_at_once() -> None:
    with pytest.raises(AppErrors) as refusal:
        parse_table(rows("100~200 0.2; 0~100 0.1; 200~ 0.3"))
    found = [(error.key.removeprefix("incentives."), error.field) for error in refusal.value.errors]
    assert found == [
        ("table_starts_late", ("rows", "0")),
        ("rows_unordered", ("rows", "1")),
        ("rows_apart", ("rows", "2")),
    ]
    with pytest.raises(AppErrors) as refusal:
        parse_table([])
    assert [error.key for error in refusal.value.errors] == ["incentives.table_empty"]


def test_cuts_that_are_none_are_all_told_at_once() -> None:
    wrong = Tiers((d("0"), d("5"), d("5")), (d("0.1"), d("-0.1")))
    assert [(e.key.removeprefix("incentives."), e.field, e.values) for e in tier_problems(wrong)] == [
        ("tier_count", ("rates",), {"cuts": 3, "rates": 2, "needed": 4}),
        ("cut_not_positive", ("cuts", "0"), {"cut": "0"}),
        ("cuts_unordered", ("cuts", "2"), {"cut": "5", "before": "5"}),
        ("rate_out_of_range", ("rates", "1"), {"rate": "-0.1"}),
    ]


CURVE = PayoutCurve((CurvePoint(d("0.8"), d("0.5")), CurvePoint(d("1"), d("1")), CurvePoint(d("1.2"), d("1.6"))))


@pytest.mark.parametrize(
    ("attainment", "below", "above", "factor"),
    [
        ("0.8", Beyond.ZERO, Beyond.FLAT, "0.5"),
        ("0.9", Beyond.ZERO, Beyond.FLAT, "0.75"),
        ("1", Beyond.ZERO, Beyond.FLAT, "1"),
        ("1.1", Beyond.ZERO, Beyond.FLAT, "1.3"),
        ("0.7999", Beyond.ZERO, Beyond.FLAT, "0"),
        ("0.7", Beyond.FLAT, Beyond.FLAT, "0.5"),
        ("0.7", Beyond.STRAIGHT_ON, Beyond.FLAT, "0.25"),
        ("0.1", Beyond.STRAIGHT_ON, Beyond.FLAT, "0"),
        ("1.5", Beyond.ZERO, Beyond.FLAT, "1.6"),
        ("1.5", Beyond.ZERO, Beyond.STRAIGHT_ON, "2.5"),
        ("1.5", Beyond.ZERO, Beyond.ZERO, "0"),
    ],
)
def test_a_payout_curve_is_linear_between_its_points(
    attainment: str, below: Beyond, above: Beyond, factor: str
) -> None:
    curve = check_curve(replace(CURVE, below=below, above=above))
    assert curve.factor(Fraction(attainment)) == Fraction(factor)


def test_a_payout_is_rounded_once_and_shows_attainment_to_four_decimals() -> None:
    attainment = attainment_of(d("280000"), d("300000"), person="mei", period="2026-03")
    amount, why = payout(CURVE, attainment=attainment, target_bonus=d("9999.99"))
    assert amount == d("8333.33")
    assert why.args == {"attainment": "0.9333", "factor": "0.833333", "target_bonus": "9999.99"}


def test_a_curve_that_is_none_is_refused() -> None:
    with pytest.raises(AppErrors) as refusal:
        check_curve(PayoutCurve((CurvePoint(d("1"), d("-1")), CurvePoint(d("1"), d("2")))))
    assert [(e.key, e.values) for e in refusal.value.errors] == [
        ("incentives.curve_negative", {"attainment": "1", "factor": "-1"}),
        ("incentives.curve_unordered", {"attainment": "1", "before": "1"}),
    ]
    with pytest.raises(AppErrors, match="curve_empty"):
        check_curve(PayoutCurve(()))


def test_a_target_is_prorated_by_calendar_days() -> None:
    march = Period.of_month("2026-03")
    assert prorated_target(d("100000"), period=march, active=Period(date(2026, 3, 17))) == d("48387.10")
    assert prorated_target(d("100000"), period=march, active=Period(date(2026, 1, 1))) == d("100000.00")
    assert prorated_target(d("100000"), period=march, active=Period(date(2026, 4, 1))) == d("0.00")


@given(units=st.integers(-(10**15), 10**15), digits=st.integers(0, 4))
def test_a_ratio_rounds_as_an_amount_does(units: int, digits: int) -> None:
    amount = Decimal(units).scaleb(-5)
    assert rounded_ratio(Fraction(amount), digits) == rounded(amount, digits)


def test_numbers_are_shown_in_one_way() -> None:
    assert [shown(Fraction(1, 3)), shown(Fraction(5)), shown(d("0.1250"))] == ["0.333333", "5.00", "0.125"]
    assert [percent(d("0.030")), percent(Fraction(1, 3)), percent(d("1"))] == ["3 %", "33.333333 %", "100 %"]
    assert [plain(d("1E+3")), plain(d("0.50")), plain(d("0E-9"))] == ["1000", "0.5", "0"]
