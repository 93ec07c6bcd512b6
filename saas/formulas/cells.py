"""A cell of a decision table: any value, one value, one of a list, or a range ``[from, to)``.

``"A" | "B"`` lists values; ``[1000, 5000)`` holds 1000 and not 5000, and either bound may be left out; an empty cell,
``-``, ``any`` or ``任意`` is any value. A value is written as in a formula.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from saas.formulas.errors import FormulaFailed, FormulaProblem, FormulaRefused
from saas.formulas.formula import parse_formula
from saas.formulas.kinds import ORDERED, Kind, Value
from saas.formulas.limits import CELL_LONGEST
from saas.formulas.sources import Source, Span
from saas.formulas.tokens import check_length, plain
from saas.formulas.vocabulary import Vocabulary, folded

_NO_WORDS = Vocabulary(())
_ANY = frozenset({"", "-", "any", "任意"})
_RANGE = re.compile(r"\s*\[(?P<first>[^,]*),(?P<until>[^,]*)\)\s*")
_PIECE = re.compile(r'(?:^|\|)(?P<value>(?:"[^"]*"|[“”][^“”]*[“”]|[^|])*)')
_SAMPLES: dict[Kind, Value] = {Kind.NUMBER: Decimal(0), Kind.TEXT: "", Kind.DATE: date(2000, 1, 1), Kind.BOOL: True}
_ONE: dict[Kind, Any] = {Kind.NUMBER: Decimal(1), Kind.DATE: timedelta(days=1)}
_ANY_RANK, _RANGE_RANK, _LIST_RANK, _EQUAL_RANK = range(4)


@dataclass(frozen=True, slots=True)
class Cell:
    """`written` is the cell's text. `options` lists its values; without them it is the range from `first` up to, and
    not including, `until`, where None is no bound: without any, every value fits."""

    written: str
    kind: Kind
    options: tuple[Value, ...] = ()
    first: Any = None
    until: Any = None

    @property
    def rank(self) -> int:
        """How specific it is: one value more than a list, a list more than a range, a range more than any value."""
        if self.options:
            return _EQUAL_RANK if len(self.options) == 1 else _LIST_RANK
        return _ANY_RANK if self.first is None and self.until is None else _RANGE_RANK

    def fits(self, value: Any) -> bool:
        """Whether a value of its kind fits."""
        if self.options:
            return value in self.options
        return (self.first is None or self.first <= value) and (self.until is None or value < self.until)

    def common(self, other: Cell) -> Value | None:
        """A value that fits both cells, which are equally specific; None where none does."""
        if self.options:
            return next((value for value in self.options if value in other.options), None)
        firsts = [cell.first for cell in (self, other) if cell.first is not None]
        untils = [cell.until for cell in (self, other) if cell.until is not None]
        if firsts:
            value: Value = max(firsts)
        else:
            value = min(untils) - _ONE[self.kind] if untils else _SAMPLES[self.kind]
        return value if self.fits(value) and other.fits(value) else None


def parse_cell(text: str, *, kind: Kind) -> Cell:
    """The cell of a text, in a column of `kind`.

    :raises FormulaRefused: it is too long, a value is none of the kind, or a range is malformed, empty, or of a kind
        without order.
    """
    source = Source(text)
    check_length(source, most=CELL_LONGEST)
    if folded(text).strip() in _ANY:
        return Cell(text, kind)
    written = plain(text)
    bounds = _RANGE.fullmatch(written)
    if bounds is not None:
        return _range(source, kind, Span(*bounds.span("first")), Span(*bounds.span("until")))
    if written.lstrip().startswith("["):
        raise FormulaRefused([source.problem("formulas.range_malformed", Span(0, len(text)))])
    pieces = [Span(*found.span("value")) for found in _PIECE.finditer(written)]
    return Cell(text, kind, tuple(dict.fromkeys(_value(source, kind, piece) for piece in pieces)))


def _range(source: Source, kind: Kind, first: Span, until: Span) -> Cell:
    whole = Span(0, len(source.text))
    if kind not in ORDERED:
        raise FormulaRefused([source.problem("formulas.range_unordered", whole)])
    bounds: list[Any] = [
        _value(source, kind, span) if source.text[span.start : span.end].strip() else None for span in (first, until)
    ]
    if None not in bounds and bounds[0] >= bounds[1]:
        raise FormulaRefused([source.problem("formulas.range_empty", whole)])
    return Cell(source.text, kind, (), *bounds)


def _value(source: Source, kind: Kind, span: Span) -> Value:
    """What a part of a cell comes to. What stands before it is blanked, so that problems keep their places."""
    blank = re.sub(r"[^\r\n]", " ", source.text[: span.start])
    try:
        return parse_formula(blank + source.text[span.start : span.end], _NO_WORDS, result=kind).evaluate({})
    except FormulaFailed as failed:
        raise FormulaRefused([FormulaProblem(failed.key, failed.values)]) from None
