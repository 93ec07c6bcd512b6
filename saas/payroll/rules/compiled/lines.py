"""The lines of one payslip as they are written: texts and amounts, in the order of the document."""

from __future__ import annotations

from decimal import Decimal

from saas.payroll.rules.payslips import LineKind

PLACES = {kind: place for place, kind in enumerate(LineKind)}
"""Where lines of a kind stand among the kinds."""


class Lines:
    """Lines by the places of their kinds, within one in the order in which they were added."""

    __slots__ = ("_amounts", "_texts")

    def __init__(self) -> None:
        self._texts: list[list[str]] = [[] for _ in PLACES]
        self._amounts: list[list[Decimal]] = [[] for _ in PLACES]

    def add(self, place: int, amount: Decimal, text: str) -> None:
        """Add a line of a kind, by the kind's place."""
        self._texts[place].append(text)
        self._amounts[place].append(amount)

    @property
    def text(self) -> str:
        """All of them as JSON."""
        return f"[{','.join([text for texts in self._texts for text in texts])}]"

    def sum_of(self, *places: int) -> Decimal:
        """The sum of the lines at some places."""
        return sum([amount for place in places for amount in self._amounts[place]], Decimal(0))
