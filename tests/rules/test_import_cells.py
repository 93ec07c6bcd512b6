"""Cells as people fill them in: what is read from each notation, and what is refused rather than guessed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.exchange.cells import Broken, Cell, Value, check_cell, choice, phone, several, text, yes_or_no
from saas.exchange.columns import ImportColumn
from saas.exchange.days import day, moment, month
from saas.exchange.errors import CellRefused
from saas.exchange.figures import Amount, Rate, integer, number

LEVEL = choice({"A": {"zh-CN": "重点", "en": "Key"}, "B": {"zh-CN": "普通", "en": "Plain"}}, synonyms={"大客户": "A"})


MIDNIGHT = time()


def refusal(parse: Callable[[Cell], Value], cell: Cell) -> tuple[str, dict[str, object]]:
    with pytest.raises(CellRefused) as caught:
        parse(check_cell(cell))
    return caught.value.key.removeprefix("exchange."), dict(caught.value.values)


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1,234.50", "1234.50"),
        ("¥1,234.50", "1234.50"),
        ("￥1，234．50", "1234.50"),
        ("1234.5元", "1234.50"),
        ("人民币 1234.5 元", "1234.50"),
        ("RMB1234", "1234.00"),
        ("12.3万", "123000.00"),
        ("12.3 万元", "123000.00"),
        ("1.5亿", "150000000.00"),
        ("(1,234.50)", "-1234.50"),
        ("（1,234.50）", "-1234.50"),
        ("-¥1,234.50", "-1234.50"),
        ("¥-1,234.50", "-1234.50"),
        ("−5", "-5.00"),
        ("１２３４．５", "1234.50"),
        ("0", "0.00"),
        ("9999999999999.99", "9999999999999.99"),
        (Decimal("398415.54"), "398415.54"),
        (Decimal("1.2E+5"), "120000.00"),
    ],
)
def test_amounts_are_read_in_every_usual_notation(cell: Cell, amount: str) -> None:
    assert str(Amount()(cell)) == amount


@pytest.mark.parametrize(
    ("cell", "fact"),
    [
        ("1.234,50", "comma_ambiguous"),
        ("1,23", "comma_ambiguous"),
        ("1.234.567", "comma_ambiguous"),
        ("12,34,567.00", "not_a_number"),
        ("1,2345.00", "not_a_number"),
        ("NaN", "not_a_number"),
        ("inf", "not_a_number"),
        ("-Infinity", "not_a_number"),
        ("1e400", "scientific"),
        ("1.2E+05", "scientific"),
        (Decimal("1e400"), "number_too_large"),
        ("10000000000000", "number_too_large"),
        ("0.125", "too_many_decimals"),
        ("1.234", "too_many_decimals"),
        ("$5", "other_currency"),
        ("5美元", "other_currency"),
        ("--5", "not_a_number"),
        ("-(5)", "not_a_number"),
        ("面议", "not_a_number"),
        ("٣", "not_a_number"),
        (True, "not_a_number"),
        (date(2026, 11, 27), "not_a_number"),
    ],
)
def test_amounts_that_are_none_or_could_be_two_are_refused(cell: Cell, fact: str) -> None:
    assert refusal(Amount(), cell)[0] == fact


@given(fen=st.integers(-(10**15) + 1, 10**15 - 1))
def test_every_way_of_writing_an_amount_gives_the_same(fen: int) -> None:
    amount = Decimal(fen).scaleb(-2)
    brackets = f"({-amount:,.2f})" if amount < 0 else f"{amount:,.2f}"
    for written in (str(amount), f"{amount:,.2f}", f"¥{amount:,.2f}", f"{amount}元", brackets):
        assert Amount()(written) == amount
        assert Amount()(written.translate({ord(str(d)): 0xFF10 + d for d in range(10)})) == amount


@given(st.text())
def test_whatever_stands_in_a_cell_is_read_or_refused(words: str) -> None:
    for parse in (
        Amount(),
        Rate(),
        integer(),
        number(most=Decimal(31)),
        day,
        moment,
        month,
        phone,
        yes_or_no,
        LEVEL,
        text(),
        several(),
    ):
        with suppress(CellRefused):  # any other error fails
            cell = check_cell(words)
            if cell is not None:
                parse(cell)


def test_a_unit_in_the_header_multiplies_once() -> None:
    column = ImportColumn("amount", {"zh-CN": "金额", "en": "Amount"}, Amount())
    assert column.under("", "万元").parse("12.3") == Decimal("123000.00")
    assert column.under("万元", "必填").parse(Decimal("12.3")) == Decimal("123000.00")
    assert column.under("万元", "元").parse("12.3") == Decimal("12.30")
    assert refusal(column.under("万元").parser, "12.3万") == ("unit_twice", {"value": "12.3万", "unit": "万"})
    with pytest.raises(CellRefused) as caught:
        column.under("", "USD")
    assert caught.value.key == "exchange.other_currency"


@pytest.mark.parametrize(
    ("cell", "rate"), [("3%", "0.03"), ("３．５％", "0.035"), ("5‰", "0.005"), ("0.03", "0.03"), (Decimal(1), "1")]
)
def test_rates_are_fractions(cell: Cell, rate: str) -> None:
    assert Rate()(cell) == Decimal(rate)


def test_a_bare_rate_that_could_be_per_cent_is_refused() -> None:
    assert refusal(Rate(), "3")[0] == "rate_ambiguous"
    assert refusal(Rate(), Decimal(30))[0] == "rate_ambiguous"
    assert refusal(Rate(), "101%") == ("out_of_range", {"value": "101%", "least": "0", "most": "1"})
    below_per_cent = Rate().under("%")
    assert below_per_cent("3") == Decimal("0.03")
    assert below_per_cent("0.5%") == Decimal("0.005")
    assert refusal(below_per_cent, Decimal("0.03"))[0] == "rate_ambiguous"


def test_whole_numbers() -> None:
    assert integer()("1,200") == 1200
    assert integer()(Decimal("7.0")) == 7
    assert refusal(integer(), "7.5") == ("not_whole", {"value": "7.5"})
    assert refusal(integer(most=10), "11") == ("out_of_range", {"value": "11", "least": "0", "most": "10"})
    assert refusal(integer(), "1e400")[0] == "scientific"


def test_numbers_with_a_fraction() -> None:
    days = number(most=Decimal(31))
    assert [str(days(cell)) for cell in ("21.5", "２２", Decimal("0.50"), "31")] == ["21.50", "22.00", "0.50", "31.00"]
    assert refusal(days, "1.005") == ("too_many_decimals", {"value": "1.005", "digits": 2})
    assert refusal(days, "31.5") == ("out_of_range", {"value": "31.5", "least": "0", "most": "31"})
    assert refusal(days, "-1")[0] == "out_of_range"
    assert refusal(days, "1e400")[0] == "scientific"
    assert refusal(days, "9" * 500)[0] == "out_of_range"


@pytest.mark.parametrize(
    "cell",
    [
        "2026-11-27",
        "2026/11/27",
        "2026.11.27",
        "2026年11月27日",
        "2026 年 11 月 27 号",
        "２０２６－１１－２７",
        "20261127",
        "46353",
        "2026-11-27 00:00:00",
        "2026-11-27T00:00",
        Decimal(46353),
        Decimal(20261127),
        date(2026, 11, 27),
        datetime.combine(date(2026, 11, 27), MIDNIGHT),
    ],
)
def test_days_are_read_in_every_usual_notation(cell: Cell) -> None:
    assert day(cell) == date(2026, 11, 27)


@pytest.mark.parametrize(
    ("cell", "fact"),
    [
        ("11/12/2026", "date_ambiguous"),
        ("27/11/2026", "date_ambiguous"),
        ("26-11-27", "date_ambiguous"),
        ("26年11月27日", "date_ambiguous"),
        ("2026-02-30", "no_such_day"),
        ("20261301", "no_such_day"),
        ("2026-11-27 10:30", "time_unexpected"),
        (Decimal("46353.5"), "time_unexpected"),
        ("1899-12-31", "date_out_of_range"),
        ("9999-01-01", "date_out_of_range"),
        ("2026-11-27 25:00", "not_a_date"),
        ("明天", "not_a_date"),
        ("7", "not_a_date"),
        (Decimal("1e400"), "not_a_date"),
        (time(10, 30), "not_a_date"),
        (True, "not_a_date"),
    ],
)
def test_days_that_are_none_or_could_be_two_are_refused(cell: Cell, fact: str) -> None:
    assert refusal(day, cell)[0] == fact


@given(st.dates(date(1954, 10, 3), date(2173, 10, 13)))
def test_every_way_of_writing_a_day_gives_the_same(one: date) -> None:
    serial = (one - date(1899, 12, 30)).days
    written = (f"{one:%Y-%m-%d}", f"{one.year}/{one.month}/{one.day}", f"{one:%Y%m%d}", one)
    for cell in (*written, Decimal(serial)):
        assert day(cell) == one
        assert moment(cell) == datetime.combine(one, MIDNIGHT)


@given(st.builds(datetime.combine, st.dates(date(1954, 10, 3), date(2173, 10, 12)), st.times()))
def test_moments_are_read_to_the_second(one: datetime) -> None:
    whole = one.replace(microsecond=0)
    serial = Decimal((whole - datetime.combine(date(1899, 12, 30), MIDNIGHT)) // timedelta(seconds=1)) / 86400
    for cell in (one, f"{whole:%Y-%m-%d %H:%M:%S}", f"{whole:%Y/%m/%d %H：%M：%S}", serial):
        assert moment(cell) == whole


@pytest.mark.parametrize(
    "cell", ["2026-11", "2026/11", "2026.11", "2026年11月", "202611", Decimal(202611), date(2026, 11, 1)]
)
def test_months(cell: Cell) -> None:
    assert month(cell) == "2026-11"


@pytest.mark.parametrize(
    ("cell", "fact"),
    [
        ("2026.1", "month_ambiguous"),
        (Decimal("2026.1"), "month_ambiguous"),
        ("2026-13", "no_such_day"),
        ("11/2026", "not_a_month"),
        (date(2026, 11, 27), "not_a_month"),
        (True, "not_a_month"),
    ],
)
def test_what_is_no_month_or_could_be_two_is_refused(cell: Cell, fact: str) -> None:
    assert refusal(month, cell)[0] == fact


def test_choices_are_known_by_both_languages() -> None:
    assert [LEVEL(word) for word in ("重点", "KEY", " a ", "大客户", "Ｂ", "普通")] == ["A", "A", "A", "A", "B", "B"]
    fact, values = refusal(LEVEL, "特级")
    assert (fact, values) == ("choice_unknown", {"value": "特级", "known": "重点 (Key)、普通 (Plain)"})


def test_yes_and_no() -> None:
    assert [yes_or_no(word) for word in ("是", "Y", "√", "TRUE", "1", True, Decimal(1))] == [True] * 7
    assert [yes_or_no(word) for word in ("否", "n", "×", "无", "0", False)] == [False] * 6
    assert refusal(yes_or_no, "可能") == ("yes_or_no_unknown", {"value": "可能"})


def test_telephone_numbers_come_as_text_and_as_numbers_and_are_not_repeated() -> None:
    assert phone("+86 138-0013-8000") == "13800138000"
    assert phone(Decimal(13800138000)) == "13800138000"
    assert refusal(phone, "打不通") == ("not_a_phone", {"length": 3})


def test_lists_are_parted_by_any_separator() -> None:
    assert several()("上海、北京，上海; Paris\n东京") == ("上海", "北京", "Paris", "东京")
    assert refusal(several(most=2), "a,b,c") == ("too_many_words", {"count": 3, "most": 2})


def test_texts_are_kept_as_they_stand() -> None:
    assert text()(check_cell("  （华信）建材  公司 ")) == "（华信）建材 公司"
    assert text()("买买提·吐尔逊") == "买买提·吐尔逊"
    assert text()(Decimal("4500012345.0")) == "4500012345"
    assert text(multiline=True)("一\r\n二") == "一\n二"
    assert refusal(text(longest=3), "一二三四") == ("text_too_long", {"length": 4, "longest": 3})


@pytest.mark.parametrize("formula", ["=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(1)"])
def test_what_looks_like_a_formula_is_a_text(formula: str) -> None:
    assert text()(check_cell(formula)) == formula


@pytest.mark.parametrize(
    ("cell", "fact"),
    [
        ("a\x00b", "character_forbidden"),
        ("a\x1bb", "character_forbidden"),
        ("a\ud800", "character_forbidden"),
        ("a\uffff", "character_forbidden"),
        ("#N/A", "cell_broken"),
        (Broken("#ERROR"), "cell_broken"),
        (Decimal(123456789012345678), "digits_lost"),
    ],
)
def test_what_no_text_holds_is_refused(cell: Cell, fact: str) -> None:
    assert refusal(text(), cell)[0] == fact


def test_an_empty_cell_is_missing_only_where_it_is_required() -> None:
    titles = {"zh-CN": "名称", "en": "Name"}
    assert ImportColumn("name", titles, text()).parse(" \u200b\ufeff ") is None
    with pytest.raises(CellRefused) as caught:
        ImportColumn("name", titles, text(), required=True).parse(None)
    placed = caught.value.in_cell(row=7, column="名称", key="name")
    assert (placed.key, placed.values, placed.field) == (
        "exchange.value_missing",
        {"row": 7, "column": "名称"},
        ("rows", "7", "name"),
    )
