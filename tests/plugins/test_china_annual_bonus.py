"""The annual bonus: separate and merged, the jumps of its table, and when the separate method is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.china.errors import BonusNotSeparate
from plugins.china.tables.income_tax import BONUS_SCALES, income_tax_rules
from plugins.china.v1.annual_bonus import bonus_jump, compare_methods, tax_separately
from plugins.china.v1.withholding import YearToDate
from tests.plugins.china_samples import CATALOGUE, KEY, in_fen, tax_by_slices, told

PAID_ON = date(2026, 2, 10)
RULES = income_tax_rules(PAID_ON)
SCALE = BONUS_SCALES[0]
THRESHOLDS = (36_000, 144_000, 300_000, 420_000, 660_000, 960_000)
FEN = st.integers(0, 2 * 10**8).map(lambda fen: Decimal(fen).scaleb(-2))


def net(bonus: Decimal) -> Decimal:
    return tax_separately(bonus, paid_on=PAID_ON, taken_on=None, rules=RULES).net


def by_hand(bonus: Decimal) -> Decimal:
    """Bands of a twelfth, compared as exact fractions."""
    monthly = Fraction(bonus) / 12
    bands = ((3_000, 3, 0), (12_000, 10, 210), (25_000, 20, 1_410), (35_000, 25, 2_660), (55_000, 30, 4_410))
    for limit, percent, quick in (*bands, (80_000, 35, 7_160)):
        if monthly <= limit:
            return in_fen(Fraction(bonus) * percent / 100 - quick)
    return in_fen(Fraction(bonus) * 45 / 100 - 15_160)


@given(bonus=FEN)
def test_separate_tax_is_that_of_the_monthly_bands(bonus: Decimal) -> None:
    found = tax_separately(bonus, paid_on=PAID_ON, taken_on=None, rules=RULES)
    assert (found.tax, found.net) == (by_hand(bonus), bonus - by_hand(bonus))


@pytest.mark.parametrize(
    ("bonus", "threshold", "even_at", "loss"),
    [
        ("36000.01", "36000", "38566.67", "2309.99"),
        ("36001", "36000", "38566.67", "2309.10"),
        ("38566.66", "36000", "38566.67", "0.01"),
        ("150000", "144000", "160500.00", "8400.00"),
        ("160499.99", "144000", "160500.00", "0.01"),
        ("318333", "300000", "318333.34", "0.25"),
        ("430000", "420000", "447500.00", "12250.00"),
        ("700000", "660000", "706538.47", "4250.00"),
        ("1000000", "960000", "1120000.00", "66000.00"),
    ],
)
def test_golden_jumps(bonus: str, threshold: str, even_at: str, loss: str) -> None:
    jump = bonus_jump(Decimal(bonus), SCALE)
    assert jump is not None
    assert (str(jump.threshold), str(jump.even_at), str(jump.loss)) == (threshold, even_at, loss)


@pytest.mark.parametrize(
    "bonus", ["0", "35999.99", "36000", "38566.67", "144000", "160500", "960000", "1120000", "5000000"]
)
def test_no_warning_where_more_bonus_is_more_pay(bonus: str) -> None:
    assert bonus_jump(Decimal(bonus), SCALE) is None


@given(bonus=FEN)
def test_a_warning_stands_exactly_where_a_threshold_below_leaves_more(bonus: Decimal) -> None:
    """All amounts but the last fen before x: rounding may make that one even."""
    better = [limit for limit in THRESHOLDS if limit < bonus and net(Decimal(limit)) > net(bonus)]
    jump = bonus_jump(bonus, SCALE)
    if better:
        assert jump is not None
        assert (jump.threshold, jump.loss) == (Decimal(better[-1]), net(Decimal(better[-1])) - net(bonus))
    else:
        assert jump is None or (jump.loss, jump.even_at - bonus) == (Decimal(0), Decimal("0.01"))


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_each_threshold_jumps_and_heals(threshold: int) -> None:
    jump = bonus_jump(Decimal(threshold) + Decimal("0.01"), SCALE)
    assert jump is not None
    assert net(jump.even_at) >= net(Decimal(threshold)) > net(jump.even_at - 1)


def test_the_warning_names_threshold_and_loss() -> None:
    jump = bonus_jump(Decimal(36_001), SCALE)
    assert jump is not None
    finding = jump.finding(Decimal(36_001))
    assert (finding.amount, finding.is_blocking) == (Decimal("2309.10"), False)
    assert CATALOGUE.text("en", finding.key, finding.args) == (
        "A bonus of 36001.00 leaves 2309.10 less after tax than one of 36000.00; "
        "from 38566.67 on it leaves as much again."
    )
    assert CATALOGUE.text("zh-CN", finding.key, finding.args) == (
        "奖金 36001.00 的税后所得比 36000.00 少 2309.10；达到 38566.67 才与之相当。"
    )


def forecast(income: str) -> YearToDate:
    return YearToDate(key=KEY, income=Decimal(income), special=Decimal(18_000), months_employed=12, month=12)


def test_both_methods_side_by_side() -> None:
    """Wages of 120,000 with shares of 18,000: 42,000 taxable, 1,680 tax; with 36,000 more 78,000 and 5,280."""
    found = compare_methods(Decimal(36_000), forecast=forecast("120000"), taken_on=None, rules=RULES)
    assert found.separate is not None
    assert (found.separate.tax, found.separate.net) == (Decimal("1080.00"), Decimal("34920.00"))
    assert (found.merged.tax, found.merged.net) == (Decimal("3600.00"), Decimal("32400.00"))
    assert found.jump is None
    lines = told(found.merged.explanation, "zh-CN")
    assert lines[:3] == [
        "全年一次性奖金 36000.00 并入综合所得：预计全年增加的税额: 3600.00",
        "  含奖金的全年税额: 5280.00",
        "    78000.00 × 10 % − 速算扣除数 2520.00: 5280.00",
    ]
    assert "  减：不含奖金的全年税额: 1680.00" in lines
    (line,) = told(found.separate.explanation, "en")
    assert line == (
        "Annual bonus of 36000.00 taxed separately: a twelfth is 3000, "
        "so 3 % of the bonus, less quick deduction 0.00: 1080.00"
    )


def test_low_wages_make_merging_better() -> None:
    found = compare_methods(Decimal(36_000), forecast=forecast("60000"), taken_on=None, rules=RULES)
    assert found.separate is not None
    assert (found.separate.tax, found.merged.tax) == (Decimal("1080.00"), Decimal("540.00"))


@given(income=st.integers(0, 10**6), bonus=FEN)
def test_merged_is_what_the_bonus_adds_to_the_year(income: int, bonus: Decimal) -> None:
    found = compare_methods(bonus, forecast=forecast(str(income)), taken_on=None, rules=RULES)
    with_bonus, without = (max(Decimal(0), amount - 78_000) for amount in (income + bonus, Decimal(income)))
    assert found.merged.tax == tax_by_slices(with_bonus) - tax_by_slices(without)
    assert found.merged.net + found.merged.tax == bonus


def test_once_a_calendar_year() -> None:
    bonus, taken_on = Decimal(36_000), date(2026, 1, 5)
    with pytest.raises(BonusNotSeparate) as refused:
        tax_separately(bonus, paid_on=PAID_ON, taken_on=taken_on, rules=RULES)
    assert refused.value.key == "china.separate_bonus_taken"
    assert refused.value.values == {"taken_on": "2026-01-05", "year": 2026}
    compared = compare_methods(bonus, forecast=forecast("120000"), taken_on=taken_on, rules=RULES)
    assert (compared.separate, compared.jump, compared.merged.tax) == (None, None, Decimal("3600.00"))
    last_year = date(2025, 12, 31)
    assert tax_separately(bonus, paid_on=PAID_ON, taken_on=last_year, rules=RULES).tax == 1_080


def test_not_after_2027() -> None:
    day = date(2028, 1, 1)
    with pytest.raises(BonusNotSeparate) as refused:
        tax_separately(Decimal(36_000), paid_on=day, taken_on=None, rules=income_tax_rules(day))
    assert (refused.value.key, refused.value.values) == ("china.separate_bonus_not_in_force", {"on": "2028-01-01"})


def test_a_twelfth_just_above_a_limit_is_not_shown_as_the_limit() -> None:
    found = tax_separately(Decimal("36000.01"), paid_on=PAID_ON, taken_on=None, rules=RULES)
    assert found.explanation.args["monthly"] == "3000.000833"
