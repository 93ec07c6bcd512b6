"""Figures as people write them: numbers, amounts of money, rates. Exact, or refused; never guessed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal

from saas.exchange.cells import Cell, Parser, as_text, shown
from saas.exchange.errors import CellRefused
from saas.kernel import minor_digits, rounded

_NUMBER = re.compile(r"\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_OTHER_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d+,\d{1,2}|\d{1,3}(?:\.\d{3}){2,}", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?e[+-]?\d+", re.ASCII)
_MULTIPLES = {"": Decimal(1), "千": Decimal(1_000), "万": Decimal(10_000), "亿": Decimal(100_000_000)}
_SIGNS = {
    "CNY": ("cny", "rmb", "人民币", "¥", "元", "圆"),
    "USD": ("usd", "us$", "$", "美元"),
    "HKD": ("hkd", "hk$", "港元", "港币"),
    "EUR": ("eur", "€", "欧元"),
    "GBP": ("gbp", "£", "英镑"),
    "JPY": ("jpy", "jp¥", "日元"),
}
_ANY_WORD = "|".join(
    map(re.escape, sorted((word for words in _SIGNS.values() for word in words), key=len, reverse=True))
)
_WORD_BEFORE, _WORD_BEHIND = re.compile(_ANY_WORD), re.compile(f"(?:{_ANY_WORD})$")
_MINUS = str.maketrans("−–—", "---")
_INTEGER_DIGITS_MAX = 13


@dataclass(frozen=True, slots=True)
class Amount:
    """Parses amounts in `currency` (ISO 4217) with no more digits than it has: 1,234.50 · ¥1,234.50 · 1234.5元 ·
    12.3万 · (1,234.50) for a negative one · full-width digits. Commas part thousands; 1.234,50 is refused, not guessed.

    A kind's columns are the same for every company, so the engine puts the company's currency in the place of this one.
    """

    currency: str = "CNY"
    integer_digits: int = _INTEGER_DIGITS_MAX
    multiple: str = ""

    def under(self, unit: str) -> Parser:
        """The parser below a header with a unit, such as 金额（万元）: its figures are multiples.

        :raises CellRefused: the unit is another currency.
        """
        bare, word = _without_money_word(_narrow(unit))
        if word and word not in self._own_words:
            raise CellRefused("exchange.other_currency", {"value": unit[:40], "currency": self.currency})
        return replace(self, multiple=bare) if bare in _MULTIPLES and unit.strip() else self

    def in_currency(self, currency: str) -> Parser:
        """The parser of a company that reckons in another currency."""
        return replace(self, currency=currency)

    @property
    def _own_words(self) -> tuple[str, ...]:
        return _SIGNS.get(self.currency, (self.currency.lower(),))

    def __call__(self, cell: Cell) -> Decimal:
        bare, is_negative = _unsigned(_narrow(cell))
        bare, word = _without_money_word(bare)
        if word and word not in self._own_words:
            raise CellRefused("exchange.other_currency", {"value": shown(cell), "currency": self.currency})
        multiple = bare[-1:] if bare[-1:] in _MULTIPLES else ""
        if multiple and self.multiple:
            raise CellRefused("exchange.unit_twice", {"value": shown(cell), "unit": self.multiple})
        inner, is_negative_inside = _unsigned(bare.removesuffix(multiple))
        if is_negative and is_negative_inside:
            raise _unreadable(cell)
        found = _number(inner, cell) * _MULTIPLES[multiple or self.multiple]
        signed = -found if is_negative or is_negative_inside else found
        return _fitting(signed, cell, minor_digits(self.currency), self.integer_digits)


def integer(*, least: int = 0, most: int = 10**9) -> Parser:
    """A whole number from `least` to `most`; thousands may be parted by commas."""

    def parse(cell: Cell) -> int:
        found = _decimal(_narrow(cell), quoted=cell)
        if found != found.to_integral_value():
            raise CellRefused("exchange.not_whole", {"value": shown(cell)})
        if not least <= found <= most:
            raise _out_of_range(cell, Decimal(least), Decimal(most))
        return int(found)

    return parse


def number(*, least: Decimal = Decimal(0), most: Decimal, digits: int = 2) -> Parser:
    """A number from `least` to `most` with at most `digits` behind the point, as days and hours are."""

    def parse(cell: Cell) -> Decimal:
        found = _decimal(_narrow(cell), quoted=cell)
        if not least <= found <= most:
            raise _out_of_range(cell, least, most)
        return _fitting(found, cell, digits, _INTEGER_DIGITS_MAX)

    return parse


@dataclass(frozen=True, slots=True)
class Rate:
    """Parses a rate to a fraction: 3% and 0.03 are the same. A bare number above 1 may mean per cent: refused."""

    least: Decimal = Decimal(0)
    most: Decimal = Decimal(1)
    digits: int = 6
    is_percent: bool = False

    def under(self, unit: str) -> Parser:
        """The parser below a header that says %: bare numbers are per cents."""
        return replace(self, is_percent=True) if _narrow(unit) == "%" else self

    def __call__(self, cell: Cell) -> Decimal:
        narrow = _narrow(cell)
        shift = {"%": -2, "‰": -3}.get(narrow[-1:], 0)
        found = _decimal(narrow[:-1] if shift else narrow, quoted=cell)
        # Below a header that says %, 0.03 may be a cell that shows 3 % as well as three hundredths of one.
        if not shift and (0 < abs(found) < 1 if self.is_percent else abs(found) > 1):
            raise CellRefused("exchange.rate_ambiguous", {"value": shown(cell)})
        found = found.scaleb(shift or (-2 if self.is_percent else 0))
        if not self.least <= found <= self.most:
            raise _out_of_range(cell, self.least, self.most)
        return _fitting(found, cell, self.digits, _INTEGER_DIGITS_MAX)


def _decimal(bare: str, *, quoted: Cell) -> Decimal:
    unsigned, is_negative = _unsigned(bare)
    found = _number(unsigned, quoted)
    return -found if is_negative else found


def _narrow(cell: Cell) -> str:
    """The cell's text with full-width forms made narrow and every space gone."""
    if isinstance(cell, bool) or not isinstance(cell, str | Decimal):
        raise _unreadable(cell)
    text = as_text(cell)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_MINUS)
    return "".join(text.lower().split())


def _unsigned(bare: str) -> tuple[str, bool]:
    if bare.startswith("(") and bare.endswith(")"):
        return bare[1:-1], True
    return bare.removeprefix("-").removeprefix("+"), bare.startswith("-")


def _without_money_word(bare: str) -> tuple[str, str]:
    """The figure without a currency's sign or word before or behind it, and that word."""
    before, behind = _WORD_BEFORE.match(bare), _WORD_BEHIND.search(bare)
    start, end = before.end() if before else 0, behind.start() if behind else len(bare)
    return bare[start : max(start, end)], before[0] if before else behind[0] if behind else ""


def _number(bare: str, cell: Cell) -> Decimal:
    if _NUMBER.fullmatch(bare):
        return Decimal(bare.replace(",", ""))
    if _OTHER_COMMA.fullmatch(bare):
        raise CellRefused("exchange.comma_ambiguous", {"value": shown(cell)})
    if _SCIENTIFIC.fullmatch(bare):
        raise CellRefused("exchange.scientific", {"value": shown(cell)})
    raise _unreadable(cell)


def _unreadable(cell: Cell) -> CellRefused:
    return CellRefused("exchange.not_a_number", {"value": shown(cell)})


def _out_of_range(cell: Cell, least: Decimal, most: Decimal) -> CellRefused:
    return CellRefused("exchange.out_of_range", {"value": shown(cell), "least": str(least), "most": str(most)})


def _fitting(found: Decimal, cell: Cell, digits: int, integer_digits: int) -> Decimal:
    if abs(found) >= Decimal(10) ** integer_digits:
        raise CellRefused("exchange.number_too_large", {"value": shown(cell), "digits": integer_digits})
    fitted = rounded(found, digits)
    if fitted != found:
        raise CellRefused("exchange.too_many_decimals", {"value": shown(cell), "digits": digits})
    return fitted
