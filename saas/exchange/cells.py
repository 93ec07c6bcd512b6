"""What stands in a cell, and how text of it is read: words, choices, yes and no, lists, telephone numbers.

A parser takes a cell and gives a value or raises `CellRefused`; empty cells never reach one. Numbers leave the file
as exact decimals, so nothing behind here sees a float.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeAlias

from saas.exchange.errors import CellRefused
from saas.kernel import BadUserInput
from saas.sealing import normalise_phone


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell of a workbook that shows no value: an error such as #N/A, or a formula that was never computed."""

    what: str


Cell: TypeAlias = str | Decimal | bool | date | datetime | time | Broken | None
Value: TypeAlias = str | int | Decimal | bool | date | datetime | tuple[str, ...] | None
Parser: TypeAlias = Callable[[Cell], Value]

TEXT_MAX = 2_000
_SHOWN = 40
_EXACT_BELOW = Decimal(10) ** 15
"""Excel keeps 15 digits of a number (IEEE 754 double): what is longer was rounded before it came here."""

ERROR_SHOWN, UNCOMPUTED_SHOWN = "#ERROR", "=…"
"""What stands for a cell with an error, and for a formula without a result; an error file repeats it."""

_EXCEL_ERRORS = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"} | {
    ERROR_SHOWN,
    UNCOMPUTED_SHOWN,
}
_INVISIBLE = re.compile("[\u200b\u2060\ufeff]")
_PLANE_ENDS = "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
_FORBIDDEN = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_PLANE_ENDS}]")
"""Control characters, lone surrogates and non-characters: no sheet shows them and no text of ours holds them."""

_SPACE = re.compile(r"[\s\u00a0\u3000]+")
_LINES = re.compile(r"\r\n?")
_SEPARATORS = re.compile(r"[、，,;；|｜\n]+")
_YES = frozenset({"是", "有", "对", "y", "yes", "true", "t", "1", "√", "✓", "✔"})
_NO = frozenset({"否", "无", "没有", "不", "n", "no", "false", "f", "0", "×", "x", "✗"})


def shown(cell: Cell) -> str:
    """A cell as a message quotes it: printable, at most 40 characters."""
    text = cell.what if isinstance(cell, Broken) else as_text(cell)
    printable = "".join(sign if sign.isprintable() else "�" for sign in text)
    return printable if len(printable) <= _SHOWN else f"{printable[: _SHOWN - 1]}…"


def as_text(cell: Cell) -> str:
    """The cell as it would be typed: digits of a number without exponent, a date as YYYY-MM-DD."""
    match cell:
        case None:
            return ""
        case str():
            return cell
        case Broken():
            return cell.what
        case bool():
            return "TRUE" if cell else "FALSE"
        case Decimal():
            return format(cell, "f")
        case datetime():
            return cell.isoformat(sep=" ")
        case _:
            return cell.isoformat()


def folded(text: str) -> str:
    """Full-width forms made narrow, outer space gone, lower case: how what people type is compared."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))).strip().lower()


def check_cell(cell: Cell) -> Cell:
    """Any cell before it is parsed; None where nothing is in it.

    :raises CellRefused: an Excel error, a formula without a value, characters that no text holds.
    """
    if isinstance(cell, Broken):
        raise CellRefused("exchange.cell_broken", {"value": cell.what})
    if not isinstance(cell, str):
        return cell
    is_plain = cell.isprintable()  # nearly every cell is: then nothing invisible and nothing forbidden stands in it
    text = (cell if is_plain else _INVISIBLE.sub("", cell)).strip()
    if text in _EXCEL_ERRORS:
        raise CellRefused("exchange.cell_broken", {"value": text})
    bad = None if is_plain else _FORBIDDEN.search(text)
    if bad is not None:
        raise CellRefused("exchange.character_forbidden", {"code": f"U+{ord(bad[0]):04X}"})
    return text or None


def plain_text(cell: Cell) -> str:
    """A cell's text, where a number stands for its digits: an order number or a telephone number.

    :raises CellRefused: a number of more digits than a workbook keeps.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Decimal) and abs(cell) >= _EXACT_BELOW:
        raise CellRefused("exchange.digits_lost", {"value": shown(cell)})
    if isinstance(cell, Decimal) and cell == cell.to_integral_value():
        return str(int(cell))
    return as_text(cell)


def text(*, longest: int = 200, multiline: bool = False) -> Parser:
    """Words as they stand; in one line unless `multiline`. A text that begins with ``=`` stays a text."""

    def parse(cell: Cell) -> str:
        found = plain_text(cell)
        if multiline:
            found = _LINES.sub("\n", found)
        elif "  " in found or not found.isprintable():
            found = _SPACE.sub(" ", found)
        if len(found) > longest:
            raise CellRefused("exchange.text_too_long", {"length": len(found), "longest": longest})
        return found

    return parse


def choice(options: Mapping[str, Mapping[str, str]], *, synonyms: Mapping[str, str] | None = None) -> Parser:
    """One of a few: `options` maps a value to its titles by locale, `synonyms` further words to values."""
    words = {folded(word): value for word, value in (synonyms or {}).items()}
    for value, titles in options.items():
        words |= {folded(word): value for word in (value, *titles.values())}
    known = "、".join(f"{titles.get('zh-CN', value)} ({titles.get('en', value)})" for value, titles in options.items())

    def parse(cell: Cell) -> str:
        found = words.get(folded(plain_text(cell)))
        if found is None:
            raise CellRefused("exchange.choice_unknown", {"value": shown(cell), "known": known})
        return found

    return parse


def yes_or_no(cell: Cell) -> bool:
    """Yes or no, in words, signs, digits or as a workbook's own."""
    word = folded(plain_text(cell))
    if isinstance(cell, bool) or word in _YES | _NO:
        return cell if isinstance(cell, bool) else word in _YES
    raise CellRefused("exchange.yes_or_no_unknown", {"value": shown(cell)})


def phone(cell: Cell) -> str:
    """A telephone number in its one normal form; the refusal does not repeat it."""
    try:
        return normalise_phone(plain_text(cell))
    except CellRefused:
        raise
    except BadUserInput:
        raise CellRefused("exchange.not_a_phone", {"length": len(as_text(cell))}) from None


def several(*, longest: int = 100, most: int = 50) -> Parser:
    """Words parted by commas, semicolons, 、, | or line ends; each once, in the order given."""

    def parse(cell: Cell) -> tuple[str, ...]:
        words = dict.fromkeys(filter(None, (_SPACE.sub(" ", part).strip() for part in _parts(cell))))
        if len(words) > most:
            raise CellRefused("exchange.too_many_words", {"count": len(words), "most": most})
        too_long = next((word for word in words if len(word) > longest), None)
        if too_long is not None:
            raise CellRefused("exchange.text_too_long", {"length": len(too_long), "longest": longest})
        return tuple(words)

    return parse


def _parts(cell: Cell) -> list[str]:
    return _SEPARATORS.split(_LINES.sub("\n", plain_text(cell)))
