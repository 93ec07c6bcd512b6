"""Minimum wage, probation and deductions for damage: findings with their amounts, at the limit and a fen beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.china.tables.minimum_wages import minimum_wage
from plugins.china.tables.schemes import City
from plugins.china.v1.findings import Finding
from plugins.china.v1.wage_limits import (
    NormalPay,
    damage_findings,
    damage_limit,
    minimum_wage_findings,
    probation_findings,
)
from tests.plugins.china_samples import CATALOGUE

SHANGHAI = minimum_wage(City.SHANGHAI, on=date(2026, 9, 1))
ELSEWHERE = replace(SHANGHAI, excludes_shares=False)


def missing(findings: tuple[Finding, ...]) -> list[Decimal]:
    assert all(each.is_blocking for each in findings)
    return [each.amount for each in findings]


@pytest.mark.parametrize(
    ("parts", "in_shanghai", "elsewhere"),
    [
        ({"gross": "2740"}, [], []),
        ({"gross": "2739.99"}, ["0.01"], ["0.01"]),
        ({"gross": "3000", "employee_shares": "500"}, ["240"], []),
        ({"gross": "4000", "overtime": "1500"}, ["240"], ["240"]),
        ({"gross": "4000", "hardship_allowances": "1000", "statutory_benefits": "300"}, ["40"], ["40"]),
        ({"gross": "3240", "employee_shares": "500"}, [], []),
    ],
)
def test_what_counts_toward_the_minimum_wage(
    parts: dict[str, str], in_shanghai: list[str], elsewhere: list[str]
) -> None:
    pay = NormalPay(**{name: Decimal(amount) for name, amount in parts.items()})
    assert missing(minimum_wage_findings(pay, minimum=SHANGHAI)) == [Decimal(each) for each in in_shanghai]
    assert missing(minimum_wage_findings(pay, minimum=ELSEWHERE)) == [Decimal(each) for each in elsewhere]


def test_a_breach_is_said_with_its_amount() -> None:
    (finding,) = minimum_wage_findings(NormalPay(gross=Decimal(2_500)), minimum=SHANGHAI)
    assert CATALOGUE.text("en", finding.key, finding.args) == (
        "Pay for normal hours is 2500.00, 240.00 below the minimum wage of 2740.00."
    )
    assert CATALOGUE.text("zh-CN", finding.key, finding.args) == (
        "正常工作时间工资为 2500.00，比最低工资标准 2740.00 少 240.00。"
    )


@pytest.mark.parametrize(
    ("wage", "agreed", "found"),
    [
        ("8000", "10000", []),
        ("7999.99", "10000", ["0.01"]),
        ("2740", "3000", []),
        ("2500", "3000", ["240"]),
    ],
)
def test_wage_on_probation(wage: str, agreed: str, found: list[str]) -> None:
    findings = probation_findings(Decimal(wage), agreed=Decimal(agreed), minimum=SHANGHAI)
    assert missing(findings) == [Decimal(each) for each in found]
    assert {each.key for each in findings} <= {"china.below_probation_wage"}


@pytest.mark.parametrize(
    ("wage", "limit"),
    [
        ("10000", "2000.00"),
        ("3425", "685.00"),
        ("3000", "260"),
        ("2740", "0.00"),
        ("2000", "0.00"),
        ("9999.99", "1999.99"),
    ],
)
def test_damage_takes_a_fifth_and_leaves_the_minimum_wage(wage: str, limit: str) -> None:
    assert damage_limit(Decimal(wage), minimum=SHANGHAI) == Decimal(limit)
    assert damage_findings(Decimal(limit), wage=Decimal(wage), minimum=SHANGHAI) == ()
    above = Decimal(limit) + Decimal("0.01")
    assert missing(damage_findings(above, wage=Decimal(wage), minimum=SHANGHAI)) == [Decimal("0.01")]


@given(fen=st.integers(0, 10**7))
def test_what_damage_leaves(fen: int) -> None:
    wage = Decimal(fen).scaleb(-2)
    limit = damage_limit(wage, minimum=SHANGHAI)
    assert 0 <= limit <= wage / 5
    assert limit == 0 or wage - limit >= SHANGHAI.monthly
