"""The names that the tests of formulas use, and values for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from saas.formulas import Formula, Kind, Value, Vocabulary, Word, parse_formula
from saas.kernel import LOCALES, AppError, Catalogue

WORDS = (
    Word("base_salary", Kind.NUMBER, {"zh-CN": "底薪", "en": "Base salary"}, ("底薪", "base")),
    Word("days_worked", Kind.NUMBER, {"zh-CN": "出勤天数", "en": "Days worked"}, ("出勤天数",)),
    Word("seniority", Kind.NUMBER, {"zh-CN": "工龄"}, ("工龄",)),
    Word("deal.amount", Kind.NUMBER, {"en": "Amount of the deal"}, ("成交.金额",)),
    Word("level", Kind.TEXT, {"zh-CN": "级别", "en": "Level"}, ("级别",)),
    Word("region", Kind.TEXT, {}, ("地区",)),
    Word("hired_on", Kind.DATE, {"zh-CN": "入职日", "en": "Hired on"}, ("入职日",)),
    Word("left_on", Kind.DATE, {"zh-CN": "离职日"}),
    Word("is_manager", Kind.BOOL, {"zh-CN": "是否经理"}, ("在职经理",)),
)
VOCABULARY = Vocabulary(WORDS)
VALUES: Mapping[str, Value] = {
    "base_salary": Decimal("8000.00"),
    "days_worked": Decimal(20),
    "seniority": Decimal(3),
    "deal.amount": Decimal("123456.78"),
    "level": "A",
    "region": "华东",
    "hired_on": date(2024, 1, 31),
    "left_on": date(2026, 2, 28),
    "is_manager": True,
}
CATALOGUE = Catalogue.of(["saas.formulas"])


def formula_of(text: str, kind: Kind = Kind.NUMBER) -> Formula:
    """The formula of a text over these names."""
    return parse_formula(text, VOCABULARY, result=kind)


def value_of(text: str, kind: Kind = Kind.NUMBER, **changed: Value | None) -> Value:
    """What a text comes to for these values, with some of them changed."""
    return formula_of(text, kind).evaluate({**VALUES, **changed})


def unsaid(*errors: AppError) -> list[str]:
    """Keys of errors of which a sentence or its remedy lacks a value or a language."""
    return [
        error.key
        for error in errors
        for locale in LOCALES
        for key in (error.key, f"{error.key}.hint")
        if not CATALOGUE.has(locale, key) or "{" in CATALOGUE.text(locale, key, error.values)
    ]
