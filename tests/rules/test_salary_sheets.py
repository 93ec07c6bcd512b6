"""Sheets of salaries and days: headers, structures and items as people write them, or refused without the amount."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.attendance.columns import ATTENDANCE_COLUMNS
from saas.exchange import CellRefused, ImportColumn, Row
from saas.exchange.columns import propose, read_headers
from saas.kernel import AppError, Period, uuid7_from
from saas.payroll import MonthlyItem
from saas.payroll.columns import SALARY_COLUMNS, KnownStructure, StructureBook, items_of
from saas.payroll.errors import PayInputRefused
from tests.payroll_samples import STRUCTURE, titles

SALES = replace(
    STRUCTURE,
    items=(
        MonthlyItem(code="car", titles=titles("车补", "Car")),
        MonthlyItem(code="phone", titles=titles("通讯补贴", "Phone")),
        MonthlyItem(code="phone2", titles=titles("二号通讯 补贴", "Phone 2")),
    ),
)
ITEMS = next(column for column in SALARY_COLUMNS if column.key == "items")
WORDS = {item.code: (item.code, *item.titles.values()) for item in SALES.items}


def read(cell: str) -> dict[str, str] | None:
    """The items of a cell."""
    found = items_of(Row(2, {"items": ITEMS.parse(cell)}), SALES, currency="CNY")
    return None if found is None else {code: str(amount) for code, amount in found.items()}


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("车补 300、通讯补贴 100", {"car": "300.00", "phone": "100.00"}),
        ("car 300, phone 100", {"car": "300.00", "phone": "100.00"}),
        ("车补300；通讯补贴：100.5元", {"car": "300.00", "phone": "100.50"}),
        ("车补=¥300 元 | Phone 2 ４０", {"car": "300.00", "phone2": "40.00"}),
        ("二号通讯 补贴 0.01万", {"phone2": "100.00"}),
        ("", None),
    ],
)
def test_items_are_read_as_people_write_them(cell: str, items: dict[str, str] | None) -> None:
    assert read(cell) == items


@given(st.data())
def test_every_way_of_writing_items_gives_the_same(data: st.DataObject) -> None:
    def one_of(words: Sequence[str]) -> str:
        return data.draw(st.sampled_from(words))

    codes = data.draw(st.lists(st.sampled_from(sorted(WORDS)), unique=True, min_size=1))
    fen = {code: data.draw(st.integers(0, 10**13)) for code in codes}
    parts = [
        data.draw(st.sampled_from(WORDS[code]))
        + data.draw(st.sampled_from((" ", "：", ": ", " = ")))
        + _written(amount)
        for code, amount in fen.items()
    ]
    expected = {code: str(Decimal(amount).scaleb(-2).quantize(Decimal("0.01"))) for code, amount in fen.items()}
    assert read(one_of(("、", ", ", "；", "\n")).join(parts)) == expected


def _written(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


@given(st.text(max_size=40))
def test_whatever_stands_in_a_cell_of_items_is_read_or_refused(words: str) -> None:
    with suppress(PayInputRefused, CellRefused):  # any other error fails
        assert set(read(words) or ()) <= set(WORDS)


def test_structures_are_called_by_code_or_by_a_title_that_one_has() -> None:
    always = Period(date(2026, 1, 1))

    def known(number: int, code: str, chinese: str) -> KnownStructure:
        return KnownStructure(uuid7_from(number, number), code, titles(chinese, code.title()), [(always, SALES)])

    book = StructureBook([known(1, "sales", "销售"), known(2, "office", "职能"), known(3, "branch", "职能")])
    assert [book.find(word).code for word in ("sales", "销售", "office", "Branch")] == [
        "sales",
        "sales",
        "office",
        "branch",
    ]
    for word in ("职能", "none", "SALES"):
        with pytest.raises(AppError) as refusal:
            book.find(word)
        assert (refusal.value.key, refusal.value.values["known"]) == (
            "payroll.structure_not_called_so",
            "sales、office、branch",
        )
    with pytest.raises(AppError) as several:
        book.only()
    assert (several.value.key, several.value.values["count"]) == ("payroll.structure_needed", 3)


@pytest.mark.parametrize(
    ("columns", "header", "keys"),
    [
        (
            SALARY_COLUMNS,
            "工号,薪资结构,基本工资（元）,津贴,生效日期,备注",
            "employee structure base_salary items valid_from reason",
        ),
        (SALARY_COLUMNS, "姓名*,月薪,起薪日期", "employee base_salary valid_from"),
        (
            SALARY_COLUMNS,
            "Staff number,Salary structure,Base salary,Monthly items,Valid from,Reason",
            "employee structure base_salary items valid_from reason",
        ),
        (
            ATTENDANCE_COLUMNS,
            "姓名,月份,出勤天数,年假,带薪假,病假,事假,旷工",
            "employee month worked annual_leave paid_leave sick_leave personal_leave absent",
        ),
        (
            ATTENDANCE_COLUMNS,
            "Employee,Month,Days worked,Annual leave,Paid leave,Sick leave,Personal leave,Days absent",
            "employee month worked annual_leave paid_leave sick_leave personal_leave absent",
        ),
    ],
)
def test_headers_are_known_in_both_languages(columns: tuple[ImportColumn, ...], header: str, keys: str) -> None:
    found = propose(read_headers(header.split(",")), columns)
    assert " ".join(str(each.key) for each in found) == keys
