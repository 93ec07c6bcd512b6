"""What formulas mean: exact values of each sign, word and function, in English, Chinese and full width."""

from __future__ import annotations

from datetime import date
from decimal import Context, Decimal, localcontext

import pytest

from saas.formulas import FUNCTIONS, Kind, Vocabulary, Word, parse_formula
from tests.formula_samples import VALUES, VOCABULARY, formula_of, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1000.50", "1000.50"),
        (".5", "0.5"),
        ("3%", "0.03"),
        ("3%%", "0.0003"),
        ("1.5万", "15000"),
        ("2亿", "200000000"),
        ("1.5万%", "150"),
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("100 / 5 / 4", "5"),
        ("100 / (5 / 4)", "80"),
        ("-3%", "-0.03"),
        ("--2", "2"),
        ("2 - -3", "5"),
        ("-2 * -3", "6"),
        ("200 * 10%", "20"),
        ("(1 + 1)%", "0.02"),
        ("= 1 + 1", "2"),
        ("0.1 + 0.2", "0.3"),
        ("1234567890123456789012.01 * 10", "12345678901234567890120.1"),
    ],
)
def test_arithmetic_is_exact(text: str, value: str) -> None:
    assert value_of(text) == Decimal(value)


def test_a_quotient_keeps_sixty_digits_whatever_context_surrounds_it() -> None:
    with localcontext(Context(prec=5)):
        assert str(value_of("100 / 3")) == "33." + "3" * 58
        assert value_of("1234567890.123456789 + 0") == Decimal("1234567890.123456789")
        assert value_of("12345678901234567890.12345678901234567890万%%") == Decimal(
            "12345678901234567890.12345678901234567890"
        )


def test_a_negative_zero_is_shown_as_zero() -> None:
    assert str(value_of("round(-0.001, 2)")) == "0.00"
    assert str(value_of("-(1 - 1)")) == "0"
    assert str(value_of("base_salary", base_salary=Decimal("-0.00"))) == "0.00"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("1 = 1.0", True),
        ("1 == 2", False),
        ("1 <> 2", True),
        ("1 != 1", False),
        ("2 >= 2", True),
        ("2 <= 1", False),
        ("2 < 3", True),
        ("3 > 3", False),
        ('"a" = "A"', False),
        ('level = "A"', True),
        ("hired_on < left_on", True),
        ('hired_on = date("2024-01-31")', True),
        ("true = false", False),
        ("not 1 = 1", False),
        ("not not true", True),
        ("true or false and false", True),
        ("(true or false) and false", False),
        ("not false and false", False),
        ("真 且 非 假", True),
        ("1>2或3>2", True),
        ("1>2或者工龄>2", True),
        ("(1>2)或者(3>2)并且(1=1)", True),
        ("AND(1 < 2, 2 < 3, true)", True),
        ("OR(1 > 2, 2 > 3)", False),
        ("且(真, 假)", False),
        ("或(假, 真)", True),
        ("NOT(1 > 2)", True),
        ("NOT(true) = false", True),
        ("1>2 or 且(真, 真) and true", True),
    ],
)
def test_conditions(text: str, holds: bool) -> None:
    assert value_of(text, Kind.BOOL) is holds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("min(3, 1, 2)", "1"),
        ("取大(3, 1, 2)", "3"),
        ("abs(-2.50)", "2.50"),
        ("round(2.345, 2)", "2.35"),
        ("round(-2.345, 2)", "-2.35"),
        ("四舍五入(0.5, 0)", "1"),
        ("round(1250, -2)", "1300"),
        ("roundup(2.341, 2)", "2.35"),
        ("roundup(-2.341, 2)", "-2.35"),
        ("rounddown(2.349, 2)", "2.34"),
        ("rounddown(-2.349, 2)", "-2.34"),
        ("ceil(2.1)", "3"),
        ("ceil(-2.1)", "-2"),
        ("floor(2.9)", "2"),
        ("floor(-2.1)", "-3"),
        ('days(date("2026-02-27"), date("2026-03-01"))', "2"),
        ('days(date("2026-03-01"), date("2026-02-27"))', "-2"),
        ("year(left_on) * 10000 + month(left_on) * 100 + day(left_on)", "20260228"),
        ("年份(入职日) + 月(入职日) + 日(入职日)", "2056"),
    ],
)
def test_functions_of_numbers_and_days(text: str, value: str) -> None:
    assert value_of(text) == Decimal(value)


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2026-01-31", "2026-02-27", 0),
        ("2026-01-31", "2026-02-28", 1),
        ("2024-01-31", "2024-02-28", 0),
        ("2024-01-31", "2024-02-29", 1),
        ("2026-02-28", "2026-03-27", 0),
        ("2026-02-28", "2026-03-28", 1),
        ("2026-01-15", "2027-01-14", 11),
        ("2026-01-15", "2027-01-15", 12),
        ("2026-02-28", "2026-01-31", -1),
        ("2026-05-05", "2026-05-05", 0),
        ("0001-01-01", "9999-12-31", 119987),
    ],
)
def test_a_month_is_complete_on_its_day_or_on_the_last_day_there_is(first: str, last: str, months: int) -> None:
    assert value_of(f'months(date("{first}"), date("{last}"))') == months


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("between(2, 2, 3)", True),
        ("介于(3, 2, 3)", True),
        ("between(3.01, 2, 3)", False),
        ("between(2.5, 3, 2)", False),
        ('between(hired_on, date("2024-01-01"), date("2024-12-31"))', True),
        ('contains(region, "东")', True),
        ('包含("abc", "B")', False),
        ('in(level, "B", "A")', True),
        ("属于(seniority, 1, 2)", False),
        ("in(3, 1 + 2)", True),
    ],
)
def test_functions_that_give_conditions(text: str, holds: bool) -> None:
    assert value_of(text, Kind.BOOL) is holds


def test_minimum_and_maximum_take_days_too() -> None:
    assert value_of("min(hired_on, left_on)", Kind.DATE) == date(2024, 1, 31)
    assert value_of('取大(入职日, date("2030-01-01"))', Kind.DATE) == date(2030, 1, 1)


@pytest.mark.parametrize(("seniority", "value"), [(0, "0"), (1, "100"), (4, "300"), (9, "500")])
def test_an_if_takes_the_first_case_that_holds(seniority: int, value: str) -> None:
    text = "如果(工龄 < 1, 0, 工龄 < 3, 100, 工龄 < 5, 300, 500)"
    assert value_of(text, seniority=Decimal(seniority)) == Decimal(value)


def test_an_if_gives_texts_and_days_as_well() -> None:
    assert value_of('if(is_manager, "经理", "员工")', Kind.TEXT) == "经理"
    assert value_of("if(is_manager, hired_on, left_on)", Kind.DATE, is_manager=False) == date(2026, 2, 28)


def test_a_case_that_is_not_taken_needs_no_values() -> None:
    assert value_of("if(is_manager, base_salary, days_worked / 0)", days_worked=None) == Decimal("8000.00")
    assert value_of("false and days_worked > 0", Kind.BOOL, days_worked=None) is False
    assert value_of("true or deal.amount / 0 > 0", Kind.BOOL) is True


def test_full_width_and_plain_texts_are_the_same_formula() -> None:
    wide = "如果（级别＝“A”，　四舍五入（底薪 × 出勤天数 ÷ ２１．７５，２），－１．５万＋３％）"
    plain = 'if(level = "A", round(base_salary * days_worked / 21.75, 2), -15000 + 3%)'
    assert formula_of(wide).tree == formula_of(plain).tree
    assert formula_of(wide).canonical == plain
    assert value_of(wide) == Decimal("7356.32")
    assert value_of("ｂａｓｅ＿ｓａｌａｒｙ") == Decimal("8000.00")
    assert value_of("3 ≥ 3 and 3 ≤ 3 and 3 ≠ 4 and 4 ＞＝ 3 and 3 － 1 = 2", Kind.BOOL) is True


def test_names_are_found_whatever_their_case_and_by_each_alias() -> None:
    texts = ("base_salary", "BASE_SALARY", "Base", "底薪", "底薪 ", "\t底薪\r\n")
    assert {formula_of(text).canonical for text in texts} == {"base_salary"}
    assert formula_of("成交.金额 + Deal.Amount").canonical == "deal.amount + deal.amount"


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('"say ""yes"""', 'say "yes"'),
        ("“全角（）％”", "全角（）％"),
        ("＂宽＂", "宽"),
        ('""', ""),
        ('"“curly”"', "“curly”"),
    ],
)
def test_texts_keep_their_content(text: str, content: str) -> None:
    assert value_of(text, Kind.TEXT) == content
    assert formula_of(formula_of(text, Kind.TEXT).canonical, Kind.TEXT).tree == formula_of(text, Kind.TEXT).tree


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("((1))+(2*3)", "1 + 2 * 3"),
        ("(1+2)+3", "(1 + 2) + 3"),
        ("1+(2+3)", "1 + (2 + 3)"),
        ("(1*2)/3", "(1 * 2) / 3"),
        ("-(1+2)", "-(1 + 2)"),
        ("(-1)%", "(-1)%"),
        ("- 1 %", "-1%"),
        ("(3%)%", "3%%"),
        ("1.50 + 007", "1.5 + 7"),
        ("取小(底薪,1)", "min(base_salary, 1)"),
        ('日期("2026-01-31") > 入职日', 'date("2026-01-31") > hired_on'),
        ("not (true and false)", "not (true and false)"),
        ("(not true) and false", "not true and false"),
        ("(true and false) and true", "(true and false) and true"),
        ("(1 = 1) = true", "(1 = 1) = true"),
        ("and(true, or(true, false))", "true and (true or false)"),
    ],
)
def test_the_canonical_form_has_no_needless_bracket_and_reads_back_to_the_same_tree(text: str, canonical: str) -> None:
    kind = Kind.BOOL if any(word in text for word in ("true", ">")) else Kind.NUMBER
    formula = formula_of(text, kind)
    assert formula.canonical == canonical
    assert formula_of(canonical, kind).tree == formula.tree


def test_a_formula_names_the_inputs_it_reads_in_their_order() -> None:
    assert formula_of("if(is_manager, 底薪 + base * 工龄, 0)").inputs == ("is_manager", "base_salary", "seniority")
    assert formula_of("1 + 1").inputs == ()


def test_names_of_functions_may_be_fields_too() -> None:
    vocabulary = Vocabulary([Word("month", Kind.DATE, {}, ("月",)), Word("如果", Kind.NUMBER, {})])
    formula = parse_formula("month(month) + 月(月) + 如果", vocabulary, result=Kind.NUMBER)
    assert formula.evaluate({"month": date(2026, 5, 1), "如果": Decimal(1)}) == Decimal(11)


@pytest.mark.parametrize("alias", [alias for function in FUNCTIONS for alias in function.aliases])
def test_each_chinese_name_calls_its_function(alias: str) -> None:
    arguments = {
        "contains": '("华东", "东")',
        "days": "(hired_on, left_on)",
        "months": "(hired_on, left_on)",
        "between": "(seniority, 1, 5)",
        "in": "(seniority, 1, 3)",
        **dict.fromkeys(("year", "month", "day"), "(hired_on)"),
        **dict.fromkeys(("round", "roundup", "rounddown"), "(1.25, 1)"),
        **dict.fromkeys(("min", "max"), "(1, 2)"),
        **dict.fromkeys(("abs", "ceil", "floor"), "(-1.5)"),
    }
    (function,) = [function for function in FUNCTIONS if alias in function.aliases]
    kind = function.gives or Kind.NUMBER
    chinese = formula_of(alias + arguments[function.name], kind)
    english = formula_of(function.name + arguments[function.name], kind)
    assert chinese.tree == english.tree
    assert chinese.evaluate(VALUES) == english.evaluate(VALUES)


def test_a_formula_is_checked_against_its_own_words_only() -> None:
    formula = parse_formula("底薪", VOCABULARY, result=Kind.NUMBER)
    assert formula.evaluate({"base_salary": Decimal(1), "level": None}) == Decimal(1)
