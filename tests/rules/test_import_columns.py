"""From a sheet to a table: where the header is, which column is which, which rows count."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.exchange.cells import Cell, text
from saas.exchange.columns import (
    ImportColumn,
    MappedHeader,
    MatchedBy,
    apply_mapping,
    column_letters,
    columns_by_place,
    fingerprint,
    propose,
    read_headers,
)
from saas.exchange.days import day
from saas.exchange.errors import MappingRefused, SheetRefused
from saas.exchange.figures import Amount
from saas.exchange.headers import Table, find_table, is_total
from saas.exchange.sheets import SheetRow
from saas.kernel import AppError


def column(key: str, chinese: str, english: str, *synonyms: str, required: bool = False) -> ImportColumn:
    return ImportColumn(key, {"zh-CN": chinese, "en": english}, text(), synonyms, required=required)


CUSTOMERS = (
    column("name", "客户名称", "Customer", "公司名称", "单位名称", required=True),
    column("phone", "手机", "Mobile", "手机号码", "联系电话"),
    ImportColumn("amount", {"zh-CN": "预计金额", "en": "Expected amount"}, Amount(), ("金额",)),
    ImportColumn("next_on", {"zh-CN": "下次跟进日期", "en": "Next follow-up"}, day),
)
DEALS = (
    column("customer", "客户名称", "Customer", required=True),
    column("number", "合同编号", "Contract number", required=True),
    ImportColumn("amount", {"zh-CN": "成交金额", "en": "Amount"}, Amount(), required=True),
)
KINDS = {"customers": CUSTOMERS, "deals": DEALS}


def rows(*lines: list[Cell]) -> Iterator[SheetRow]:
    return (SheetRow(number, cells) for number, cells in enumerate(lines, start=1))


def headers(*names: Cell) -> tuple[MappedHeader, ...]:
    return read_headers(names)


def keys(mapped: tuple[MappedHeader, ...]) -> dict[str, str | None]:
    return {each.header: each.key for each in mapped}


def table(*lines: list[Cell]) -> Table:
    return find_table(rows(*lines), KINDS)


def refusal(*lines: list[Cell]) -> AppError:
    with pytest.raises(SheetRefused) as caught:
        table(*lines)
    return caught.value


def test_the_header_is_found_below_titles_and_blank_lines() -> None:
    found = table(
        ["晨光销售客户名单", None, None],
        [None, None, None],
        ["制表：李雷", None, "单位：万元"],
        ["客户名称", "手机", "预计金额"],
        [],
        ["华信", "13800138000", "5"],
    )
    assert (found.kind, found.header_row, found.unit) == ("customers", 4, "万元")
    assert [(row.number, row.cells[0]) for row in found.rows] == [(6, "华信")]


def test_the_kind_is_the_one_whose_columns_the_header_names() -> None:
    assert table(["客户名称", "合同编号", "成交金额"], ["华信", "1", "5"]).kind == "deals"
    assert table(["客户名称", "手机"], ["华信", "1"]).kind == "customers"
    assert table(["Customer", "MOBILE "], ["Huaxin", "1"]).kind == "customers"


def test_data_far_below_the_top_is_not_taken_for_a_header() -> None:
    filler: list[list[Cell]] = [["x"]] * 50
    assert refusal(*filler, ["客户名称"]).key == "exchange.header_missing"
    assert refusal([None], ["  "]).key == "exchange.sheet_empty"
    assert refusal().key == "exchange.sheet_empty"


def test_a_header_that_stands_twice_is_refused_with_both_columns() -> None:
    refused = refusal(["客户名称", "手机", "备注", " 手机 "], ["华信", "1", "", "2"])
    assert refused.key == "exchange.header_twice"
    assert refused.values == {"header": "手机", "first": "B", "second": "D"}


def test_the_error_column_of_a_former_upload_is_left_out() -> None:
    assert keys(headers("客户名称", "错误原因")) == {"客户名称": None}
    assert keys(headers("Customer", "error")) == {"Customer": None}


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("客户名称", "name"),
        ("*客户 名称（必填）", "name"),
        ("CUSTOMER", "name"),
        ("公司名称", "name"),
        ("联系电话", "phone"),
        ("预计金额(元)", "amount"),
        ("Expected Amount (CNY)", "amount"),
        ("expected_amount", "amount"),
        ("下次跟进日期：", "next_on"),
        ("下次跟进的日期", "next_on"),
        ("合计金额", None),
        ("负责人", None),
    ],
)
def test_headers_are_taken_for_columns(header: str, key: str | None) -> None:
    assert keys(propose(headers(header), CUSTOMERS)) == {header: key}


def test_each_column_is_proposed_once_and_says_why() -> None:
    mapped = propose(headers("公司名称", "客户名称", "下次跟进的日期", "备注"), CUSTOMERS)
    assert [(each.key, each.matched_by) for each in mapped] == [
        ("name", MatchedBy.TITLE),
        (None, None),
        ("next_on", MatchedBy.CLOSENESS),
        (None, None),
    ]


@given(st.lists(st.sampled_from([name for each in CUSTOMERS for name in each.names]), unique=True))
def test_no_column_is_ever_proposed_twice(names: list[str]) -> None:
    found = [each.key for each in propose(headers(*names), CUSTOMERS) if each.key]
    assert len(found) == len(set(found))


def test_people_correct_a_mapping() -> None:
    proposed = propose(headers("公司", "客户名称", "手机"), CUSTOMERS)
    mapped = apply_mapping(proposed, CUSTOMERS, {"公司": "name", "手机": None})
    assert keys(mapped) == {"公司": "name", "客户名称": None, "手机": None}
    assert mapped[0].matched_by is MatchedBy.PERSON


@pytest.mark.parametrize(
    ("chosen", "fact"),
    [
        ({"没有": "name"}, "exchange.header_unknown"),
        ({"手机": "salary"}, "exchange.column_unknown"),
        ({"手机": "name", "客户名称": "name"}, "exchange.column_twice"),
    ],
)
def test_mappings_that_do_not_fit_are_refused(chosen: dict[str, str | None], fact: str) -> None:
    proposed = propose(headers("客户名称", "手机"), CUSTOMERS)
    with pytest.raises(MappingRefused) as caught:
        apply_mapping(proposed, CUSTOMERS, chosen)
    assert caught.value.key == fact


def test_required_columns_must_be_mapped() -> None:
    with pytest.raises(MappingRefused) as caught:
        columns_by_place(propose(headers("手机"), DEALS), DEALS, unit="", locale="zh-CN")
    assert caught.value.values == {"columns": "客户名称、合同编号、成交金额"}


def test_columns_are_read_below_the_units_of_title_and_header() -> None:
    mapped = propose(headers("客户名称", "预计金额（万元）"), CUSTOMERS)
    by_place = columns_by_place(mapped, CUSTOMERS, unit="", locale="en")
    assert by_place[1].parse("1.5") == Decimal("15000.00")
    mapped = propose(headers("客户名称", None, "预计金额"), CUSTOMERS)
    assert columns_by_place(mapped, CUSTOMERS, unit="千元", locale="en")[2].parse("1.5") == Decimal("1500.00")


def test_a_fingerprint_is_that_of_the_headers_and_their_order() -> None:
    assert fingerprint(headers("客户名称", "Mobile ")) == fingerprint(headers("客户名称", "MOBILE"))
    assert fingerprint(headers("客户名称", "手机")) != fingerprint(headers("手机", "客户名称"))


@pytest.mark.parametrize(
    ("cells", "is_one"),
    [
        (["合计", None, "1,234.50"], True),
        (["总计：", "", Decimal(5)], True),
        ([None, "小计", "12.3万"], True),
        (["合计：300条", None], True),
        (["Total", "5.125"], True),
        (["Grand Total", "¥5"], True),
        (["合计", "上海", "5"], False),
        (["Total", "Shanghai"], False),
        (["Total Energies", "5"], False),
        (["合计数码有限公司", "5"], False),
        (["华信", "合计"], False),
        ([None, None], False),
        ([Decimal(5)], False),
    ],
)
def test_total_rows_are_told_from_customers_of_that_name(cells: list[Cell], is_one: bool) -> None:
    assert is_total(SheetRow(9, cells)) is is_one


def test_columns_are_called_as_a_spreadsheet_calls_them() -> None:
    assert [column_letters(place) for place in (0, 25, 26, 701, 702, 16383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
