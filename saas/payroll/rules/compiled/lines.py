"""The lines of one payslip as they are written: texts and amounts, in the order of the document."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from saas.kernel import utf8_letters
from saas.payroll.rules.canonical import canonical_text
from saas.payroll.rules.payslips import LineKind

PLACES = {kind: place for place, kind in enumerate(LineKind)}
"""Where lines of a kind stand among the kinds."""

FORMS_MOST = 500
"""Forms of a component, or of a pack, that are kept: a formula of many cases has more ways than people take."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a line stands among the kinds, and what stands before its amount in the list that totals are made of;
    None for a statistic, which is not added up."""

    place: int
    counted: str | None

    @classmethod
    def of(cls, kind: LineKind, code: str) -> Slot:
        """The slot of lines of a kind and code."""
        is_counted = kind is not LineKind.STATISTIC
        counted = f'"{kind.value}",{utf8_letters(canonical_text(code))},"' if is_counted else None
        return cls(PLACES[kind], counted)


class Lines:
    """Lines by the places of their kinds, within one in the order in which they were added."""

    __slots__ = ("_amounts", "_counted", "_texts")

    def __init__(self) -> None:
        self._texts: list[list[str]] = [[] for _ in PLACES]
        self._amounts: list[list[Decimal]] = [[] for _ in PLACES]
        self._counted: list[list[str]] = [[] for _ in PLACES]

    def add(self, slot: Slot, amount: Decimal, shown: str, text: str) -> None:
        """Add a line: its amount, the amount as it is shown in it, and all of it."""
        self._texts[slot.place].append(text)
        self._amounts[slot.place].append(amount)
        if slot.counted is not None:
            self._counted[slot.place].append(f'{slot.counted}{shown}"')

    @property
    def text(self) -> str:
        """All of them as JSON."""
        return f"[{','.join([text for texts in self._texts for text in texts])}]"

    def counted(self, gross: str, net: str, employer_cost: str) -> str:
        """The text of `Counted`."""
        lines = [line for lines in self._counted for line in lines]
        return "[" + ",".join([f'"{gross}","{net}","{employer_cost}"', *lines]) + "]"

    def sum_of(self, *places: int) -> Decimal:
        """The sum of the lines at some places."""
        return sum([amount for place in places for amount in self._amounts[place]], Decimal(0))
