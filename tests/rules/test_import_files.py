"""Files as they come: which format, encoding and separator; what is damaged or made to do harm is refused."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.exchange.cells import Broken, Cell, as_text
from saas.exchange.errors import FileRefused
from saas.exchange.sheets import FileFormat, open_sheets

HEADER = "客户名称,金额\n"


def rows_of(content: bytes, name: str = "客户.csv") -> list[list[Cell]]:
    with open_sheets(io.BytesIO(content), filename=name) as sheets:
        return [row.cells for row in sheets.rows(sheets.names[0])]


def encoding_of(content: bytes) -> str | None:
    with open_sheets(io.BytesIO(content), filename="客户.csv") as sheets:
        return sheets.encoding


def refusal(content: bytes) -> tuple[str, dict[str, object]]:
    with pytest.raises(FileRefused) as caught:
        rows_of(content)
    return caught.value.key.removeprefix("exchange."), dict(caught.value.values)


def workbook(fill: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    fill(book)
    book.close()
    return target.getvalue()


def sheet(fill: Callable[[Any], None]) -> bytes:
    return workbook(lambda book: fill(book.add_worksheet("客户")))


def repacked(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
    return target.getvalue()


PLAIN = sheet(lambda each: each.write_row(0, 0, ["客户名称", "金额"]))


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with BOM"),
        ("gbk", "GBK"),
        ("gb18030", "GBK"),
        ("utf-16", "UTF-16"),
    ],
)
def test_encodings_are_told_apart(codec: str, name: str) -> None:
    content = (HEADER + "华信建材,5\n").encode(codec)
    assert encoding_of(content) == name
    assert rows_of(content) == [["客户名称", "金额"], ["华信建材", "5"]]


def test_characters_of_four_bytes_are_what_makes_gb18030() -> None:
    content = (HEADER + "𠮷祥䶮𬭎,5\n").encode("gb18030")
    assert encoding_of(content) == "GB18030"
    assert rows_of(content)[1] == ["𠮷祥䶮𬭎", "5"]


@given(st.lists(st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="\ufeff")), min_size=1))
def test_what_is_written_in_utf_8_or_gb18030_comes_back(words: list[str]) -> None:
    text = "客户名称，金额（元）是汉字\n" + "\n".join('"' + word.replace('"', '""') + '"' for word in words) + "\n"
    for codec in ("utf-8-sig", "gb18030", "utf-16"):
        found = rows_of(text.encode(codec))
        assert [row[0] for row in found[1:]] == [word or None for word in words]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_the_separator_is_found(separator: str) -> None:
    text = f'客户名称{separator}金额{separator}备注\n甲{separator}"1,5"{separator}"a;b\tc"\n'
    assert rows_of(text.encode())[1] == ["甲", "1,5", "a;b\tc"]


def test_a_told_separator_is_used_and_its_line_still_counts() -> None:
    with open_sheets(io.BytesIO(b"sep=;\r\nname;a,b\r\nx;y\r\n"), filename="a.csv") as sheets:
        rows = [(row.number, row.cells) for row in sheets.rows("a")]
    assert rows == [(1, []), (2, ["name", "a,b"]), (3, ["x", "y"])]


def test_one_column_needs_no_separator() -> None:
    assert rows_of("客户名称\n甲\n乙\n".encode()) == [["客户名称"], ["甲"], ["乙"]]


def test_quoted_fields_hold_separators_quotes_and_line_ends() -> None:
    content = '名称,备注\r\n甲,"a ""b"", c\r\nd"\r\n\r\n乙,e\r\n'.encode()
    assert rows_of(content) == [["名称", "备注"], ["甲", 'a "b", c\r\nd'], [], ["乙", "e"]]


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"", "file_empty"),
        (b" \r\n\r\n", "file_empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old_excel_or_encrypted"),
        (b"%PDF-1.7 ...", "not_a_sheet"),
        (b"\xef\xbb\xbf <html><table>", "not_a_sheet"),
        (b"name,x\n\x00\x01,2\n", "not_a_sheet"),
        (b"name\n\xff\xff\xff\n", "encoding_unknown"),
        (b"\xef\xbb\xbfname\n\xff\n", "encoding_broken"),
        (b"PK\x03\x04 and nothing more", "archive_broken"),
        (b'name\n"' + b"x" * 140_000, "quote_not_closed"),
        (PLAIN[: len(PLAIN) // 2], "archive_broken"),
        (PLAIN[:-30], "archive_broken"),
    ],
)
def test_what_is_no_sheet_is_refused(content: bytes, fact: str) -> None:
    assert refusal(content)[0] == fact


def test_a_file_of_more_than_100_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.truncate((100 << 20) + 1)
    with pytest.raises(FileRefused) as caught, open_sheets(path, filename="big.csv"):
        pass
    assert (caught.value.key, caught.value.values) == ("exchange.file_too_large", {"megabytes": 100, "most": 100})


def test_a_csv_of_more_rows_than_a_sheet_has_is_refused() -> None:
    read = 0
    with pytest.raises(FileRefused) as caught, open_sheets(io.BytesIO(b"n\n" * 1_048_577), filename="n.csv") as sheets:
        for _ in sheets.rows("n"):
            read += 1
    assert (read, caught.value.values) == (1_048_576, {"most": 1_048_576})


def test_a_csv_is_read_in_the_memory_of_a_few_rows() -> None:
    content = b"name,amount\n" + b"abcdefgh,1234.50\n" * 50_000
    with open_sheets(io.BytesIO(content), filename="n.csv") as sheets:
        tracemalloc.start()
        try:
            count = sum(1 for _ in sheets.rows("n"))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert count == 50_001
    assert peak < 600_000


def test_cells_of_a_workbook_keep_their_kind_and_place() -> None:
    def fill(each: Any) -> None:
        each.write("B3", "客户名称")
        each.write_row("B4", ["甲", 0.1 + 0.2, True, None, 13800138000, 1e15])
        each.write_datetime("B6", date(2026, 11, 27), book_format)
        each.write_string("C6", "=cmd|'/C calc'!A0")
        each.write_formula("D6", '="a"&"b"', None, "ab")

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book_format = book.add_format({"num_format": "yyyy-mm-dd"})
    fill(book.add_worksheet("客户"))
    book.close()
    rows = rows_of(target.getvalue())
    blank = [None] * 7
    assert rows[:3] == [blank, blank, [None, "客户名称", None, None, None, None, None]]
    assert rows[3] == [None, "甲", Decimal("0.3"), True, None, Decimal(13800138000), Decimal("1e15")]
    assert rows[5][1:4] == [date(2026, 11, 27), "=cmd|'/C calc'!A0", "ab"]


def test_errors_and_uncomputed_formulas_are_not_taken_for_empty_cells() -> None:
    def fill(each: Any) -> None:
        each.write_row("A1", ["a", "b"])
        each.write_formula("A2", "=NA()", None, "#N/A")
        each.write_formula("B2", '=IF(1,"","x")', None, "")
        each.write_formula("A3", "=B1*2", None, 7)

    def without_value(name: str, content: bytes) -> bytes:
        return content.replace(b"<f>B1*2</f><v>7</v>", b"<f>B1*2</f>") if "worksheets" in name else content

    assert rows_of(repacked(sheet(fill), without_value)) == [
        ["a", "b"],
        [Broken("#ERROR"), None],
        [Broken("=…")],
    ]


def test_hidden_sheets_are_left_out_and_a_csv_is_called_as_its_file() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("客户").write("A1", "x")
        book.add_worksheet("成交").write("A1", "y")
        book.add_worksheet("草稿").hide()

    with open_sheets(io.BytesIO(workbook(fill)), filename="a.xlsx") as sheets:
        assert (sheets.names, sheets.format, sheets.encoding) == (("客户", "成交"), FileFormat.XLSX, None)
        assert [row.cells for row in sheets.rows("成交")] == [["y"]]
    with open_sheets(io.BytesIO(b"x\n"), filename="三月.客户.csv") as sheets:
        assert (sheets.names, sheets.format, sheets.encoding) == (("三月.客户",), FileFormat.CSV, "UTF-8")


@pytest.mark.parametrize(
    ("cell", "fact"),
    [
        ("XFD1048576", ("too_many_cells", {"rows": 1_048_576, "columns": 16_384, "most": 4_000_000})),
        ("A1048577", ("too_many_rows", {"most": 1_048_576})),
        ("ZZZ400", ("too_many_cells", {"rows": 400, "columns": 18_278, "most": 4_000_000})),
    ],
)
def test_a_small_file_that_spans_a_huge_sheet_is_refused(cell: str, fact: tuple[str, dict[str, object]]) -> None:
    def stretch(name: str, content: bytes) -> bytes:
        if "worksheets" not in name:
            return content
        number = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        far = f'<row r="{number}"><c r="{cell}"><v>1</v></c></row></sheetData>'
        return content.replace(b"</sheetData>", far.encode())

    assert refusal(repacked(PLAIN, stretch)) == fact


def test_a_zip_bomb_is_refused_unpacked() -> None:
    def inflate(name: str, content: bytes) -> bytes:
        return content + b" " * (20 << 20) if "worksheets" in name else content

    assert refusal(repacked(PLAIN, inflate))[0] == "unpacks_too_large"


def test_an_entry_that_is_larger_than_it_says_is_refused() -> None:
    content = bytearray(repacked(PLAIN, lambda name, old: old + b" " * 5_000 if "worksheets" in name else old))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        sizes = [entry.file_size for entry in archive.infolist() if "worksheets" in entry.filename]
    place = content.rindex(sizes[0].to_bytes(4, "little"))
    content[place : place + 4] = (100).to_bytes(4, "little")
    assert refusal(bytes(content))[0] == "archive_broken"


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
def test_damaged_parts_are_refused(part: str) -> None:
    damaged = repacked(PLAIN, lambda name, old: old[: len(old) // 2] if name == part else old)
    assert refusal(damaged)[0] == "archive_broken"


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert refusal(target.getvalue())[0] == "not_a_workbook"


@settings(deadline=None)
@given(cut=st.integers(5, len(PLAIN) - 1), flip=st.integers(0, len(PLAIN) - 1))
def test_a_workbook_cut_or_changed_anywhere_is_read_or_refused(cut: int, flip: int) -> None:
    changed = bytearray(PLAIN)
    changed[flip] ^= 0x41
    for content in (PLAIN[:cut], bytes(changed)):
        with suppress(FileRefused):  # any other error fails
            rows_of(content)


@pytest.fixture
def samples() -> Path:
    folder = os.environ.get("SAAS_TEST_DATA")
    if not folder:
        pytest.skip("SAAS_TEST_DATA names no folder")
    return Path(folder) / "cn_import_samples"


def compared(path: Path) -> Iterator[dict[str, str]]:
    """The rows as records of texts, amounts with their cents."""
    with open_sheets(path, filename=path.name) as sheets:
        rows = sheets.rows(sheets.names[0])
        header = [as_text(cell) for cell in next(rows).cells]
        for row in rows:
            yield {name: as_text(cell) for name, cell in zip(header, row.cells, strict=True)}


@pytest.mark.parametrize(
    ("name", "expected", "encoding"),
    [
        ("customers_utf8bom.csv", "customers_expected.json", "UTF-8 with BOM"),
        ("customers_gbk.csv", "customers_expected.json", "GBK"),
        ("customers_gb18030_rare_chars.csv", "customers_gb18030_expected.json", "GB18030"),
        ("customers.xlsx", "customers_expected.json", None),
    ],
)
def test_a_real_list_is_read_cell_for_cell(samples: Path, name: str, expected: str, encoding: str | None) -> None:
    with open_sheets(samples / name, filename=name) as sheets:
        assert sheets.encoding == encoding
    wanted = json.loads((samples / expected).read_text(encoding="utf-8"))
    found = list(compared(samples / name))
    assert len(found) == len(wanted) == 300
    for row, other in zip(found, wanted, strict=True):
        assert Decimal(row.pop("预计金额")) == Decimal(other.pop("预计金额"))
        assert row == other
