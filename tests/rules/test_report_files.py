"""Report files: numbers stay numbers with their digits, no text is a formula, and both files say the same."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from saas.exchange import Table, TableCell, csv_of, write_workbook
from saas.exchange.cells import Cell
from saas.exchange.sheets import open_sheets

HOSTILE = ("=1+1", "+8613800000000", "-2", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x","y")')
TEXTS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=30)


def workbook(*tables: Table) -> bytes:
    target = io.BytesIO()
    write_workbook(target, tables)
    return target.getvalue()


def read(content: bytes, sheet: str) -> list[list[Cell]]:
    with open_sheets(io.BytesIO(content), filename="报告.xlsx") as sheets:
        return [row.cells for row in sheets.rows(sheet)]


def read_csv(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_both_files_hold_the_rows() -> None:
    rows: list[list[TableCell]] = [
        ["张三", Decimal("1234.50"), 3, date(2026, 3, 8), None],
        ["李四", Decimal("-0.25"), 0, None, "备注"],
    ]
    table = Table("报告", ["姓名", "金额", "样本", "日期", "备注"], rows)
    assert read(workbook(table), "报告") == [
        ["姓名", "金额", "样本", "日期", "备注"],
        ["张三", Decimal("1234.5"), Decimal(3), date(2026, 3, 8), None],
        ["李四", Decimal("-0.25"), Decimal(0), None, "备注"],
    ]
    assert read_csv(csv_of(table)) == [
        ["姓名", "金额", "样本", "日期", "备注"],
        ["张三", "1234.50", "3", "2026-03-08", ""],
        ["李四", "-0.25", "0", "", "备注"],
    ]
    assert csv_of(table).count(b"\r\n") == 3


def test_no_text_is_a_formula() -> None:
    table = Table("s", ["=A1"], [[text] for text in HOSTILE])
    assert [row[0] for row in read_csv(csv_of(table))] == ["'=A1", *(f"'{text}" for text in HOSTILE)]
    content = workbook(table)
    assert [row[0] for row in read(content, "s")] == ["=A1", *HOSTILE]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    assert "<f>" not in sheet
    assert 'quotePrefix="1"' in styles


def test_amounts_show_the_digits_of_their_currency() -> None:
    table = Table("s", ["JPY", "CNY", "KWD"], [[Decimal(5), Decimal("5.10"), Decimal("5.125")]])
    content = workbook(table)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        styles = archive.read("xl/styles.xml").decode()
    assert 'formatCode="0.000"' in styles
    assert read(content, "s")[1] == [Decimal(5), Decimal("5.1"), Decimal("5.125")]


def test_an_empty_table_is_its_headers() -> None:
    table = Table("s", ["a", "b"], [])
    assert read(workbook(table, Table("t", ["c"], [[1]])), "s") == [["a", "b"]]
    assert read_csv(csv_of(table)) == [["a", "b"]]


@settings(max_examples=30)
@given(st.lists(st.lists(st.one_of(TEXTS, st.integers(-(10**9), 10**9)), min_size=2, max_size=2), max_size=5))
def test_a_text_comes_back_and_a_number_is_never_defused(rows: list[list[TableCell]]) -> None:
    table = Table("s", ["a", "b"], rows)
    for given_, found in zip(rows, read_csv(csv_of(table))[1:], strict=True):
        for cell, text in zip(given_, found, strict=True):
            if isinstance(cell, int):
                assert text == str(cell)
            else:
                assert text.removeprefix("'") == str(cell).removeprefix("'")
                assert not text.startswith(("=", "+", "-", "@"))
