"""The text of a formula and places in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from saas.formulas.errors import FormulaProblem
from saas.kernel import Scalar

_LINE_END = re.compile(r"\r\n|\r|\n")
_SHOWN = 60


class Span(NamedTuple):
    """A part of a text, by offsets in characters: from `start` up to, and not including, `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """A formula as it was written."""

    text: str

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1, in characters."""
        ends = [found.end() for found in _LINE_END.finditer(self.text, 0, offset)]
        return len(ends) + 1, offset - (ends[-1] if ends else 0) + 1

    def values(self, span: Span, **more: Scalar) -> dict[str, Scalar]:
        """The values that place an error: ``line``, ``column``, ``text`` (cut where it is long), and `more`."""
        line, column = self.place(span.start)
        return {"line": line, "column": column, "text": cut(self.text[span.start : span.end]), **more}

    def problem(self, key: str, span: Span, **more: Scalar) -> FormulaProblem:
        """The problem `key` at `span`."""
        return FormulaProblem(key, self.values(span, **more))


def cut(text: str) -> str:
    """A text that is quoted in a sentence, shortened where it is long."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
