"""The payslip on paper: its texts are in the file, by glyphs that our font has; equal documents give equal bytes."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont

import saas.payroll
from plugins import china
from saas.kernel import LOCALES, Catalogue
from saas.payroll.pdf import print_payslip
from tests.golden.payroll_cases import FILE

CATALOGUE = Catalogue.of(["saas.payroll", "saas.formulas", "plugins.china"])
FONT = Path(saas.payroll.__path__[0]) / "fonts" / "NotoSansSC-payslip.ttf"
DOCUMENTS = [json.loads(line)["document"] for line in FILE.read_text(encoding="utf-8").splitlines()]
ORDINARY, COMMISSION = DOCUMENTS[0], DOCUMENTS[5]


def glyphs(pdf: bytes) -> Mapping[str, int]:
    """Character → glyph of every font of the file, as its tables for copying text say."""
    found: dict[str, int] = {}
    for text in _streams(pdf):
        for table in re.findall(rb"beginbfchar(.*?)endbfchar", text, re.DOTALL):
            for glyph, chars in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", table):
                found[bytes.fromhex(chars.decode()).decode("utf-16-be")] = int(glyph, 16)
    return found


def _streams(pdf: bytes) -> Iterator[bytes]:
    for body in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            yield zlib.decompress(body)
        except zlib.error:
            continue


def texts(document: Mapping[str, Any], locale: str) -> str:
    """Names and titles that the page must show."""
    person = document["person"]
    titles = "".join(line["titles"][locale] for line in document["lines"] if line["kind"] != "STATISTIC")
    return f"{person['name']}{document['department']}{document['legalEntity']}{titles}"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("document", [ORDINARY, COMMISSION], ids=["ordinary", "commission"])
def test_every_text_of_the_payslip_is_in_the_file(document: Mapping[str, Any], locale: str) -> None:
    pdf = print_payslip(document, catalogue=CATALOGUE, locale=locale)
    assert pdf.startswith(b"%PDF-1.")
    shown = glyphs(pdf)
    wanted = set(texts(document, locale)) - {" "}
    assert wanted - shown.keys() == set()
    assert 0 not in {shown[char] for char in wanted}  # glyph 0 is the box of a missing one
    label = CATALOGUE.text(locale, "payroll.print_net")
    assert set(label) - {" "} <= shown.keys()


def test_amounts_stand_with_commas_and_a_real_minus() -> None:
    shown = glyphs(print_payslip(COMMISSION, catalogue=CATALOGUE, locale="zh-CN"))
    assert {",", ".", "−", "1", "9"} <= shown.keys()


def test_equal_documents_give_equal_bytes() -> None:
    first, second = (print_payslip(ORDINARY, catalogue=CATALOGUE, locale="zh-CN") for _ in range(2))
    assert first == second
    assert first != print_payslip(COMMISSION, catalogue=CATALOGUE, locale="zh-CN")


def test_texts_can_not_change_the_page() -> None:
    """What people entered is laid out, never read as markup or code."""
    hostile = {**ORDINARY, "person": {**ORDINARY["person"], "name": '#panic("x") $a$ *b* ] } #read("/etc/passwd")'}}
    shown = glyphs(print_payslip(hostile, catalogue=CATALOGUE, locale="en"))
    assert {"#", "$", "*", "]", "}"} <= shown.keys()


def test_a_failed_payslip_is_not_printed() -> None:
    failed = next(document for document in DOCUMENTS if "failures" in document)
    with pytest.raises(KeyError):
        print_payslip(failed, catalogue=CATALOGUE, locale="en")


def test_the_font_has_every_character_of_our_sentences_and_titles() -> None:
    has = TTFont(FONT).getBestCmap().keys()
    sentences = "".join(CATALOGUE.text(locale, key) for locale in LOCALES for key in CATALOGUE.keys(locale))
    names = "".join(china.manifest.title.values()) + "王小明李雷韩梅梅赵敏陈晓欧阳司马诸葛"
    assert {char for char in sentences + names if ord(char) not in has and char not in "≠×÷≥≤→∞＋％＝"} == set()
    assert len(has) > 7_000


def test_the_licence_lies_beside_the_font() -> None:
    licence = FONT.with_name("OFL.txt").read_text(encoding="utf-8")
    assert "SIL Open Font License, Version 1.1" in licence
