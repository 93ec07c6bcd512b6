"""Sheets as nobody should send them: each is refused with its reason, and not a row of it is written."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from saas.kernel import AppError
from tests.rooms.imports.toy import counts, workbook
from tests.rooms.sheets.conftest import Sheets
from tests.staging import Company, refused

LIST = [["客户编号", "客户名称"], ["C1", "甲有限公司"]]
DEALS = ["成交编号", "客户编号", "签约日期", "成交金额", "负责人", "业绩归属"]
BOOK = workbook(客户=[list(row) for row in LIST])
OF_IMPORTS = ("audit_entry", "outbox")


def bomb() -> bytes:
    """A workbook of a few kilobytes whose sheet unpacks to twenty megabytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry, old.read(entry) + (b" " * (20 << 20) if "worksheets" in entry.filename else b""))
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (lambda: b"", "exchange.file_empty"),
        (lambda: BOOK[: len(BOOK) // 2], "exchange.archive_broken"),
        (bomb, "exchange.unpacks_too_large"),
        (lambda: "客户编号,客户名称,客户名称\nC1,甲,乙\n".encode(), "exchange.header_twice"),
        (lambda: "备注,说明\na,b\n".encode(), "exchange.header_missing"),
    ],
    ids=["empty", "cut", "bomb", "header-twice", "other-headers"],
)
async def test_files_that_are_no_sheets_leave_nothing(
    sheets: Sheets, company: Company, tmp_path: Path, content: Callable[[], bytes], key: str
) -> None:
    before = await company.everything()
    refusal = await refused(sheets.stage(content(), "客户.xlsx", kind="customers"))
    assert isinstance(refusal, AppError)
    assert refusal.key == key
    assert await company.everything() == before
    assert [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()] == []


async def test_every_bad_cell_is_told_in_its_place_and_nothing_is_written(sheets: Sheets, company: Company) -> None:
    await sheets.bring(员工=[["工号", "姓名"], ["E1", "李雷"], ["E2", "韩冰"]], 客户=LIST)
    before = await company.everything()
    batch = await sheets.preview_book(
        成交=[
            DEALS,
            ["D1", "C1", "2026-01-05", "NaN", "E1", None],
            ["D2", "C1", "2026-01-05", "1e400", "E1", None],
            ["D3", "C1", "2026-01-05", "1.234,50", "E1", None],
            ["D4", "C1", "01/05/2026", "100", "E1", None],
            ["D5", "C1", "2026-02-30", "100", "E1", None],
            ["D6", "C1", "2026-01-05", "100", "E1", "李雷 60%、韩冰 39.9%"],
            ["D7", "C1", "2026-01-05", "$100", "E1", None],
        ]
    )
    assert counts(batch) == {"row": 7, "failed": 7, "done": 7}
    assert await sheets.told(batch) == [
        (2, "成交金额", "exchange.not_a_number"),
        (3, "成交金额", "exchange.scientific"),
        (4, "成交金额", "exchange.comma_ambiguous"),
        (5, "签约日期", "exchange.date_ambiguous"),
        (6, "签约日期", "exchange.no_such_day"),
        (7, "业绩归属", "sales.shares_short"),
        (8, "成交金额", "exchange.other_currency"),
    ]
    after = await company.everything()
    for table in OF_IMPORTS:
        del before[table], after[table]
    assert {table: rows for table, rows in after.items() if not table.startswith("import_")} == {
        table: rows for table, rows in before.items() if not table.startswith("import_")
    }


async def test_titles_totals_widths_and_formulas_are_read_as_people_mean_them(sheets: Sheets, company: Company) -> None:
    """Merged titles, six notations of figures and days, full-width digits, names that begin as formulas do."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False}) as book:
        page = book.add_worksheet("客户")
        page.merge_range(0, 0, 0, 1, "客户一览表（2026 年）")
        page.write_row(2, 0, ["客户编号", "客户名称"])
        for number, name in enumerate(("=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(1)")):
            page.write_row(3 + number, 0, [f"Ｃ{number}", name])
        page.write_row(7, 0, ["合计", 4])
        page = book.add_worksheet("成交")
        page.merge_range(0, 0, 0, 4, "成交明细")
        page.write_row(1, 0, ["成交编号", "客户名称", "签约日期", "成交金额", "负责人"])
        days = ("2026-01-05", "2026/1/5", "2026.1.5", "2026年1月5日", "２０２６－０１－０５", "20260105")
        amounts = ("1,234.50", "¥1234.5", "1234.5元", "0.12345万", "１２３４．５０", "人民币 1234.50")
        for number, (day, amount) in enumerate(zip(days, amounts, strict=True)):
            page.write_row(2 + number, 0, [f"D{number}", "+1+1", day, amount, "E1"])
        page.write_row(8, 0, ["总计", None, None, "7407", None])
    await sheets.bring(员工=[["工号", "姓名"], ["E1", "李雷"]])
    batch = await sheets.preview(target.getvalue(), "全部.xlsx")
    assert counts(batch) == {"row": 10, "new": 10, "done": 10}, await sheets.told(batch)
    assert await sheets.told(batch) == [(8, "", "exchange.total_row_left_out"), (9, "", "exchange.total_row_left_out")]
    assert await company.value("SELECT count(*) FROM customer") == 0
    await sheets.commit(batch)
    assert await company.rows('SELECT name FROM customer ORDER BY external_key COLLATE "C"') == [
        ("=cmd|'/C calc'!A0",),
        ("+1+1",),
        ("-2+3",),
        ("@SUM(1)",),
    ]
    assert await company.rows("SELECT DISTINCT signed_on::text, amount_minor FROM deal") == [("2026-01-05", 123_450)]
