"""Contributions: a clerk's golden months, every rounding mode, clamping, doubtful rows, later differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.china.errors import NotInForce, NotInsurable
from plugins.china.tables import rounding_modes as modes
from plugins.china.tables.insurance import INSURANCE, InsuranceTables
from plugins.china.tables.rounding_modes import RoundingMode
from plugins.china.tables.schemes import City, Scheme, Side
from plugins.china.v1.contributions import Contributions, Insured, Part, contributions, differences
from plugins.china.v1.rounding import rounded_by
from saas.kernel import Period
from tests.plugins.china_samples import in_fen, told

UNIT_RATES = {Scheme.HOUSING_FUND: Decimal("0.07"), Scheme.INJURY: Decimal("0.002")}
SHANGHAI_SCHEMES = tuple(scheme for scheme in Scheme if scheme is not Scheme.MATERNITY)
EMPLOYER, EMPLOYEE = Side.EMPLOYER, Side.EMPLOYEE


def insured(
    base: str,
    *,
    city: City = City.SHANGHAI,
    schemes: tuple[Scheme, ...] = SHANGHAI_SCHEMES,
    unit_rates: Mapping[Scheme, Decimal] = UNIT_RATES,
) -> Insured:
    return Insured(city=city, bases=dict.fromkeys(schemes, Decimal(base)), unit_rates=unit_rates)


def paid(person: Insured, month: date, known_on: date | None = None) -> Contributions:
    return contributions(person, month=month, tables=INSURANCE, known_on=known_on)


def table(found: Contributions) -> dict[str, tuple[str | None, str | None]]:
    """Employer's and employee's amount by scheme."""
    by_part = {(line.part.scheme, line.part.side): str(line.amount) for line in found.lines}
    schemes = dict.fromkeys(line.part.scheme for line in found.lines)
    return {scheme: (by_part.get((scheme, EMPLOYER)), by_part.get((scheme, EMPLOYEE))) for scheme in schemes}


def test_shanghai_in_september_2025_on_a_base_of_10_000() -> None:
    found = paid(insured("10000"), date(2025, 9, 10))
    assert table(found) == {
        "PENSION": ("1600.00", "800.00"),
        "MEDICAL": ("900.00", "200.00"),
        "UNEMPLOYMENT": ("50.00", "50.00"),
        "INJURY": ("20.00", None),
        "HOUSING_FUND": ("700", "700"),
    }
    assert (found.total(EMPLOYER), found.total(EMPLOYEE)) == (Decimal("3270.00"), Decimal("1750.00"))
    assert found.unverified() == ()


def test_shanghai_below_the_floor_and_above_the_ceiling() -> None:
    """7,460 and 37,302; the fund's own floor of 2,690 lies lower: 5,000 stays, and 7 % of 37,302 is 2,611.14."""
    low, high = (paid(insured(base), date(2026, 6, 30)) for base in ("5000", "50000"))
    assert table(low)["PENSION"] == ("1193.60", "596.80")
    assert table(low)["INJURY"] == ("14.92", None)
    assert table(low)["HOUSING_FUND"] == ("350", "350")
    assert table(high)["PENSION"] == ("5968.32", "2984.16")
    assert table(high)["UNEMPLOYMENT"] == ("186.51", "186.51")
    assert table(high)["HOUSING_FUND"] == ("2611", "2611")


def test_beijing_adds_three_yuan_to_the_employees_medical_share() -> None:
    schemes = (Scheme.PENSION, Scheme.MEDICAL, Scheme.UNEMPLOYMENT)
    found = paid(insured("8888.88", city=City.BEIJING, schemes=schemes), date(2026, 7, 1))
    assert table(found) == {
        "PENSION": ("1422.22", "711.11"),
        "MEDICAL": ("871.11", "180.78"),
        "UNEMPLOYMENT": ("44.44", "44.44"),
    }
    assert found.unverified() == (
        "beijing/medical/employer/rate/2024-07-01",
        "beijing/pension/employer/rate/2024-07-01",
        "beijing/unemployment/employer/rate/2024-07-01",
    )


def test_kunming_as_far_as_published() -> None:
    rates = {Scheme.HOUSING_FUND: Decimal("0.12")}
    bases = (Scheme.PENSION, Scheme.HOUSING_FUND)
    august = paid(insured("2000", city=City.KUNMING, schemes=bases, unit_rates=rates), date(2026, 8, 1))
    september = paid(insured("2000", city=City.KUNMING, schemes=bases, unit_rates=rates), date(2026, 9, 1))
    assert table(august) == {"PENSION": ("704.48", "352.24"), "HOUSING_FUND": ("260", "260")}
    assert table(september) == {"PENSION": ("704.48", "352.24"), "HOUSING_FUND": ("272", "272")}
    with pytest.raises(NotInForce):
        paid(insured("2000", city=City.KUNMING, schemes=(Scheme.MATERNITY,)), date(2026, 9, 1))


def test_a_row_that_begins_within_a_month_holds_from_the_next() -> None:
    """On a floor of 7,546 that would begin on 15 June, June still has 7,460: 8 % of them."""
    middle = date(2026, 6, 15)
    cut = {date(2026, 7, 1): Period(middle), date(2025, 7, 1): Period(date(2025, 7, 1), middle)}
    bounds = tuple(replace(row, period=cut.get(row.period.first, row.period)) for row in INSURANCE.bounds)
    tables = InsuranceTables(bounds=bounds, rates=INSURANCE.rates)
    person = insured("1000", schemes=(Scheme.PENSION,))
    june, july = (contributions(person, month=day, tables=tables) for day in (date(2026, 6, 30), date(2026, 7, 1)))
    assert [table(each)["PENSION"][1] for each in (june, july)] == ["596.80", "603.68"]


def test_a_scheme_without_a_base_is_not_contributed_to() -> None:
    found = paid(insured("10000", schemes=(Scheme.HOUSING_FUND,)), date(2026, 9, 1))
    assert [line.part for line in found.lines] == [
        Part("2026-09", Scheme.HOUSING_FUND, EMPLOYER),
        Part("2026-09", Scheme.HOUSING_FUND, EMPLOYEE),
    ]


@pytest.mark.parametrize(
    ("rates", "key", "values"),
    [
        ({}, "china.unit_rate_missing", {}),
        (
            {Scheme.HOUSING_FUND: Decimal("0.08")},
            "china.unit_rate_outside",
            {"rate": "8 %", "lowest": "5 %", "highest": "7 %"},
        ),
    ],
)
def test_the_units_rate_must_be_one_of_the_citys(
    rates: dict[Scheme, Decimal], key: str, values: dict[str, str]
) -> None:
    with pytest.raises(NotInsurable) as refused:
        paid(insured("10000", schemes=(Scheme.HOUSING_FUND,), unit_rates=rates), date(2026, 9, 1))
    named = {"city": "SHANGHAI", "scheme": "HOUSING_FUND", **values}
    assert (refused.value.key, refused.value.values) == (key, named)


def test_confirmed_rows_no_longer_restrict_a_run() -> None:
    found = paid(insured("10000", schemes=(Scheme.UNEMPLOYMENT,)), date(2026, 3, 1))
    employee, employer = (f"shanghai/unemployment/{side}/rate/2026-01-01" for side in ("employee", "employer"))
    assert found.unverified() == (employee, employer)
    assert found.unverified([employee]) == (employer,)
    assert found.unverified([employee, employer]) == ()


def test_explanation_names_base_bounds_rate_and_rounding() -> None:
    found = paid(insured("50000", schemes=(Scheme.HOUSING_FUND,)), date(2026, 6, 1))
    assert told(found.lines[1].explanation, "zh-CN") == [
        "上海公积金（个人）2026-06：37302.00 × 7 % + 0.00，四舍五入到元: 2611.00",
        "  申报基数 50000.00，不低于 2690.00，不高于 37302.00: 37302.00",
    ]
    assert told(found.lines[0].explanation, "en")[0] == (
        "Shanghai, housing fund, employer, 2026-06: 37302.00 × 7 % + 0.00, half up to yuan: 2611.00"
    )
    assert found.lines[0].explanation.source == "shanghai/housing_fund/employer/rate/2025-07-01"
    assert found.lines[0].explanation.parts[0].source == "shanghai/housing_fund/employer/bounds/2025-07-01"


@given(fen=st.integers(0, 8_000_000), month=st.integers(7, 12))
def test_each_line_is_its_clamped_base_times_its_rate(fen: int, month: int) -> None:
    """Fractions, with the figures of Shanghai for late 2025 once more: percents by side, floor, ceiling."""
    base = Decimal(fen).scaleb(-2)
    clamped = min(max(Fraction(base), Fraction(7_460)), Fraction(37_302))
    by_hand = {
        (Scheme.PENSION, EMPLOYER): Fraction(16, 100),
        (Scheme.PENSION, EMPLOYEE): Fraction(8, 100),
        (Scheme.MEDICAL, EMPLOYER): Fraction(9, 100),
        (Scheme.MEDICAL, EMPLOYEE): Fraction(2, 100),
        (Scheme.UNEMPLOYMENT, EMPLOYER): Fraction(1, 200),
        (Scheme.UNEMPLOYMENT, EMPLOYEE): Fraction(1, 200),
        (Scheme.INJURY, EMPLOYER): Fraction(2, 1000),
    }
    schemes = tuple(scheme for scheme in SHANGHAI_SCHEMES if scheme is not Scheme.HOUSING_FUND)
    found = paid(insured(str(base), schemes=schemes), date(2025, month, 15))
    assert {(line.part.scheme, line.part.side): line.amount for line in found.lines} == {
        part: in_fen(clamped * rate) for part, rate in by_hand.items()
    }
    assert found.total(EMPLOYER) + found.total(EMPLOYEE) == sum(line.amount for line in found.lines)


@pytest.mark.parametrize(
    ("mode", "title", "results"),
    [
        (modes.HALF_UP_TO_FEN, "四舍五入到分", "10.00 10.00 10.01 10.01 10.10 10.55 10.20"),
        (modes.HALF_UP_TO_JIAO, "四舍五入到角", "10.0 10.0 10.0 10.0 10.1 10.6 10.2"),
        (modes.HALF_UP_TO_YUAN, "四舍五入到元", "10 10 10 10 10 11 10"),
        (modes.UP_TO_FEN, "见厘进分", "10.00 10.01 10.01 10.01 10.10 10.55 10.20"),
        (modes.FEN_UP_TO_JIAO, "见分进角", "10.0 10.0 10.0 10.1 10.1 10.6 10.2"),
        (modes.JIAO_UP_TO_YUAN, "见角进元", "10 10 10 10 10 11 11"),
        (modes.UP_TO_YUAN, "进位到元", "10 11 11 11 11 11 11"),
        (modes.DOWN_TO_FEN, "舍去厘", "10.00 10.00 10.00 10.01 10.09 10.55 10.19"),
        (modes.DOWN_TO_JIAO, "舍去分", "10.0 10.0 10.0 10.0 10.0 10.5 10.1"),
        (modes.DOWN_TO_YUAN, "舍去角", "10 10 10 10 10 10 10"),
    ],
)
def test_every_rounding_mode(mode: RoundingMode, title: str, results: str) -> None:
    amounts = ("10", "10.001", "10.005", "10.01", "10.0999", "10.55", "10.1999")
    assert mode.title["zh-CN"] == title
    assert " ".join(str(rounded_by(Decimal(each), mode)) for each in amounts) == results


JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)


def test_a_later_notice_gives_one_line_per_month_scheme_and_side() -> None:
    """Shanghai's bounds from July 2026 were announced on 18 August: at 40,000, 37,731 instead of 37,302."""
    person = insured("40000", schemes=(Scheme.PENSION,))
    with pytest.raises(NotInForce):
        paid(person, JULY, known_on=date(2026, 8, 18))
    recomputed = [paid(person, month, known_on=date(2026, 8, 19)) for month in (JULY, AUGUST)]
    stored = {
        Part(month, Scheme.PENSION, side): amount
        for month in ("2026-07", "2026-08")
        for side, amount in ((EMPLOYER, Decimal("5968.32")), (EMPLOYEE, Decimal("2984.16")))
    }
    found = differences(stored, recomputed)
    assert [(each.part.month, each.part.side, str(each.amount)) for each in found] == [
        ("2026-07", "EMPLOYER", "68.64"),
        ("2026-07", "EMPLOYEE", "34.32"),
        ("2026-08", "EMPLOYER", "68.64"),
        ("2026-08", "EMPLOYEE", "34.32"),
    ]
    assert told(found[1].explanation, "zh-CN")[0] == (
        "2026-07 补差：现为 3018.48，原为 2984.16"
        "（Shanghai bounds of contribution bases, 2026-07; Shanghai contribution rates, list of 2025-07）: 34.32"
    )
    settled = {
        part: amount + next(each.amount for each in found if each.part == part) for part, amount in stored.items()
    }
    assert differences(settled, recomputed) == ()


def test_what_was_never_stored_is_due_in_full_and_less_is_given_back() -> None:
    recomputed = [paid(insured("10000", schemes=(Scheme.PENSION,)), AUGUST)]
    stored = {Part("2026-08", Scheme.PENSION, EMPLOYEE): Decimal("900.00")}
    assert [str(each.amount) for each in differences(stored, recomputed)] == ["1600.00", "-100.00"]
