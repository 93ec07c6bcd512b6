"""The error file: what was uploaded comes back cell for cell, with the reason, and can be read again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from saas.exchange.cells import Broken, Cell
from saas.exchange.columns import read_headers
from saas.exchange.error_files import ErrorFile
from saas.exchange.sheets import open_sheets

PRINTABLE = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=50)
CELLS = st.one_of(
    st.none(),
    PRINTABLE,
    st.booleans(),
    st.decimals(-(10**12), 10**12, places=2),
    st.dates(date(1905, 1, 1), date(2199, 1, 1)),
)


Sheet = tuple[str, Sequence[Cell], list[tuple[Sequence[Cell], str]]]
"""Name, header, and rows with the reason of each."""


def written(*sheets: Sheet, locale: str = "zh-CN") -> bytes:
    target = io.BytesIO()
    with ErrorFile(target, locale=locale) as file:
        for name, header, rows in sheets:
            file.begin_sheet(name, read_headers(header))
            for cells, why in rows:
                file.add_row(cells, why=why)
    return target.getvalue()


def read(content: bytes, sheet: str | None = None) -> list[list[Cell]]:
    with open_sheets(io.BytesIO(content), filename="错误.xlsx") as sheets:
        return [row.cells for row in sheets.rows(sheet or sheets.names[0])]


def failed(*cells: Cell, why: str = "错") -> Sheet:
    return "客户", [f"列{place}" for place in range(len(cells))], [(cells, why)]


def test_it_is_the_upload_with_a_last_column_for_the_reason() -> None:
    header = ["客户名称", None, "金额"]
    rows: list[tuple[Sequence[Cell], str]] = [
        (["甲", "不带表头", Decimal("1.5")], "金额太多"),
        (["乙"], "没有金额"),
    ]
    content = written(("客户", header, rows))
    assert read(content) == [
        ["客户名称", None, "金额", "错误原因"],
        ["甲", None, Decimal("1.5"), "金额太多"],
        ["乙", None, None, "没有金额"],
    ]
    assert [each.header for each in read_headers(read(content)[0])] == ["客户名称", "金额"]
    assert read(written(("客户", header, []), locale="en"))[0][-1] == "Error"


@settings(max_examples=30, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=6))
def test_every_cell_comes_back_as_it_was(cells: list[Cell]) -> None:
    found = read(written(failed(*cells)))[1]
    assert found == [*cells, "错"]
    assert [type(cell) for cell in found[:-1]] == [type(cell) for cell in cells]


def test_moments_times_and_broken_cells_come_back_too() -> None:
    cells: list[Cell] = [datetime.combine(date(2026, 11, 27), time(10, 30, 5)), time(10, 30), Broken("#ERROR")]
    assert read(written(failed(*cells)))[1] == [cells[0], cells[1], "#ERROR", "错"]


def test_nothing_in_it_is_a_formula() -> None:
    content = written(failed("=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", why="=HYPERLINK(1)"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        page, styles = archive.read("xl/worksheets/sheet1.xml"), archive.read("xl/styles.xml")
    assert b"<f>" not in page
    assert page.count(b's="1"') == 6
    assert b'quotePrefix="1"' in styles
    assert read(content)[1][:4] == ["=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)"]


def test_what_a_workbook_can_not_hold_is_replaced() -> None:
    content = written(failed("a\ud800b", "x" * 40_000))
    assert read(content)[1] == ["a\ufffdb", "x" * 32_767, "错"]


def test_sheets_get_names_that_a_workbook_takes() -> None:
    names = ["a/b", "A_B", "很" * 40, "很" * 40, ""]
    content = written(*((name, ["x"], []) for name in names))
    with open_sheets(io.BytesIO(content), filename="x.xlsx") as sheets:
        assert sheets.names == ("a_b", "A_B 2", "很" * 31, "很" * 27 + " 4", "5")
