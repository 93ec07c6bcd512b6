"""Structures, months and declarations of any kind, drawn by hypothesis: what payslips of all sorts are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from saas.kernel import Period
from saas.payroll.hooks import pack_of
from saas.payroll.rules.inputs import DatedAmount, FrozenInputs, OneOff, OneOffEffect, SettledCommission
from saas.payroll.rules.packs import (
    Pack,
)
from saas.payroll.rules.structures import (
    ComponentKind,
    MonthlyItem,
    Nature,
    PayComponent,
    Proration,
    ProrationMethod,
    RoundingMode,
    Structure,
)
from saas.payroll.rules.versions import NEWEST, calculation
from tests.golden.payroll_cases import HOST, PINS, month
from tests.payroll_samples import PERSON, component, titles
from tests.plugins.china_samples import SHANGHAI_COMPANY

CHINA = pack_of(HOST, PINS)
V1 = calculation(NEWEST)
DAYS = st.integers(0, 30).map(lambda place: date(2026, 3, 1) + timedelta(days=place))
AMOUNTS = st.decimals(-99_999, 99_999, places=2) | st.sampled_from(
    [Decimal(0), Decimal("-0.00"), Decimal("0.01"), Decimal("99999999999.99")]
)
TEXTS = st.text(max_size=6) | st.sampled_from(['"引号"', "back\\slash", "\u2028", "emoji 🙂", "100 %", "%(x)s"])

NUMBERS = (
    *("底薪", "应得底薪", "days_paid", "days_due", "days_worked", "commission", "司龄月数", "car", "car.earned"),
    *("应得底薪", "底薪", "days.sick_leave", "0", "1", "0.005", "12%", "20000", "99999999999999999999999", "c3", "丁"),
)
TRUTHS = ("本期离职", "true", "hired_on < period_from", "months(hired_on, pays_on) >= 12")


@st.composite
def formulas(draw: st.DrawFn, names: tuple[str, ...], depth: int = 3) -> str:
    """A formula that comes to a number, with cases more often than people write them."""
    form = draw(st.integers(0, 7)) if depth else 0
    if form < 2:
        return draw(st.sampled_from(names))
    inner = formulas(names, depth - 1)
    if form == 2:
        return f"({draw(inner)} {draw(st.sampled_from('++--***/'))} {draw(inner)})"
    if form == 3:
        return f"-{draw(inner)}"
    if form == 4:
        return f"{draw(st.sampled_from(['min', 'max']))}({draw(inner)}, {draw(inner)})"
    if form == 5:
        return f"round({draw(inner)}, {draw(st.sampled_from(['2', '2', '-1', '0', '司龄月数']))})"
    cases = [f"{draw(truths(names, depth - 1))}, {draw(inner)}" for _ in range(form - 5)]
    return f"if({', '.join(cases)}, {draw(inner)})"


@st.composite
def truths(draw: st.DrawFn, names: tuple[str, ...], depth: int) -> str:
    form, number = draw(st.integers(0, 4)) if depth else 0, formulas(names, depth)
    if form == 0:
        return draw(st.sampled_from(TRUTHS))
    if form == 1:
        return f"not({draw(truths(names, depth - 1))})"
    if form == 2:
        one, other = draw(truths(names, depth - 1)), draw(truths(names, depth - 1))
        return f"{draw(st.sampled_from(['and', 'or']))}({one}, {other})"
    if form == 3:
        return f"between({draw(number)}, {draw(number)}, {draw(number)})"
    return f"{draw(number)} {draw(st.sampled_from(['=', '<>', '<', '<=', '>', '>=']))} {draw(number)}"


BOUNDS = st.none() | st.sampled_from([Decimal(-100), Decimal(0), Decimal("450.005"), Decimal(20_000)])


@st.composite
def components(draw: st.DrawFn, code: str, title: str, names: tuple[str, ...]) -> PayComponent:
    kind = draw(st.sampled_from([ComponentKind.EARNING, *ComponentKind]))
    is_statistic = kind is ComponentKind.STATISTIC
    return component(
        code,
        draw(formulas(names)),
        kind,
        titles=titles(title, draw(TEXTS)),
        digits=draw(st.sampled_from([None, 0, 4, 12] if is_statistic else [2, 2, 0, -2])),
        rounding=draw(st.sampled_from(RoundingMode)),
        floor=draw(BOUNDS),
        ceiling=draw(BOUNDS),
        is_taxed=draw(st.booleans()),
        nature=draw(st.sampled_from([Nature.ORDINARY, *Nature])) if kind is ComponentKind.EARNING else Nature.ORDINARY,
    )


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    """Three components of any kind, each of which may refer to those before it, shown in another order."""
    names: tuple[str, ...] = NUMBERS
    chosen = []
    for code, title in (("c0", "甲"), ("c1", "乙"), ("c2", "丙")):
        chosen.append(draw(components(code, title, names)))
        names = (*names, code, title)
    shown_as = draw(st.permutations([*chosen, component("c3", "应得底薪", titles=titles("丁", "D"))]))
    unpaid = {"personal_leave": Decimal(1), "sick_leave": Decimal("0.4"), "absent": Decimal(1)}
    return Structure(
        code="any",
        titles=titles("任意", "Any"),
        items=(MonthlyItem(code="car", titles=titles("车", "Car")),),
        components=tuple(shown_as),
        proration=Proration(method=draw(st.sampled_from(ProrationMethod)), unpaid=unpaid),
    )


@st.composite
def pay(draw: st.DrawFn, code: str) -> list[DatedAmount]:
    """No amount, one, or one that changes inside the month."""
    day = draw(DAYS)
    spans = draw(
        st.sampled_from(
            [
                [Period(date(2024, 1, 1))],
                [Period(date(2024, 1, 1))],
                [Period(day)],
                [],
                [Period(date(2024, 1, 1), day), Period(day)],
            ]
        )
    )
    return [DatedAmount(code, draw(AMOUNTS), span) for span in spans]


WORKED = st.decimals(0, 22, places=1)
DECLARATIONS = st.sampled_from(
    [
        {"bases": {"PENSION": "10000", "MEDICAL": "3000.5", "HOUSING_FUND": "99999"}, "specialAdditional": "1000"},
        {"bases": {}, "yearBefore": {"monthsWithheld": 12, "income": "50000"}},
        {"bases": {"PENSION": "0", "INJURY": "8000"}, "firstWage": True, "annualBonus": "SEPARATE"},
        {"bases": {"PENSION": "12000", "UNEMPLOYMENT": "12000"}, "credits": "99999", "annualBonus": "MERGED"},
        {"bases": {"MATERNITY": "8000"}},  # Shanghai has no such scheme
        {"specialAdditional": "2000", "other": "12.34", "exempt": "5"},
        {"base": {}},
        {},
    ]
)


@st.composite
def years(draw: st.DrawFn) -> dict[str, Any] | None:
    """No year so far, or one as the pack of China keeps it; mostly one that goes on."""
    if draw(st.booleans()):
        return None
    names = ("income", "exempt", "special", "special_additional", "other", "credits", "withheld")
    sums = {name: f"{draw(st.integers(0, 99_999_999)) / Decimal(100):.2f}" for name in names}
    number = draw(st.sampled_from([1, 2, 2, 2, 2, 9]))
    kept = {"months_employed": min(number, 2), "month": number, "has_full_year_deduction": draw(st.booleans())}
    year = draw(st.sampled_from([2026] * 5 + [2025]))
    return {**sums, **kept, "withheld_in_month": "0.00", "tax_year": year, "bonus_taken_on": None}


@st.composite
def one_offs(draw: st.DrawFn) -> tuple[OneOff, ...]:
    codes = st.sampled_from(["c0", "c1", "c2", "c3"] * 4 + ["gone"])
    count = draw(st.sampled_from([0, 0, 0, 1, 2, 3]))
    return tuple(
        OneOff(f"pit_{place}", draw(codes), draw(st.sampled_from(OneOffEffect)), draw(AMOUNTS), draw(TEXTS))
        for place in range(count)
    )


@st.composite
def months(draw: st.DrawFn, structure: Structure, pack: Pack | None) -> FrozenInputs:
    """A person's March: whole or in part, with and without whatever may be missing."""
    day, later = sorted((draw(DAYS), date(2026, 4, 1)))
    employed = draw(
        st.sampled_from(
            [
                (Period(date(2024, 1, 1)),),
                (Period(date(2024, 1, 1)),),
                (Period(day),),
                (Period(date(2024, 1, 1), later),),
                (Period(date(2024, 1, 1), date(2026, 3, 3)), Period(date(2026, 3, 20))),
            ]
        )
    )
    leave = st.decimals(0, 12, places=1)
    absences = draw(st.none() | st.dictionaries(st.sampled_from(["sick_leave", "absent", "annual_leave"]), leave))
    commission = tuple(
        SettledCommission(f"sli_{place}", draw(AMOUNTS), titles(draw(TEXTS), "Commission"))
        for place in range(draw(st.sampled_from([0, 0, 1, 2])))
    )
    hired = draw(st.sampled_from([date(2024, 1, 1), date(2024, 2, 29), date(2026, 3, 16)]))
    return month(
        structure,
        person=replace(
            PERSON,
            legal_entity_id=draw(st.sampled_from([SHANGHAI_COMPANY] * 5 + [PERSON.legal_entity_id])),
            hired_on=hired,
            name=draw(TEXTS),
            department=draw(TEXTS),
            position=draw(st.none() | TEXTS),
        ),
        pays_on=draw(st.sampled_from([date(2026, 3, 28)] * 3 + [date(2026, 4, 10), date(2018, 1, 5)])),
        employed=employed,
        amounts=(*draw(pay("base_salary")), *draw(pay("car"))),
        days_worked=draw(st.one_of(WORKED, WORKED, st.none())),
        absences=absences,
        commission=commission,
        one_offs=draw(one_offs()),
        declarations=draw(DECLARATIONS),
        year_to_date=draw(years()) if pack is CHINA else None,
    )
