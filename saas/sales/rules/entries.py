"""Entering many rows at once: what became of each, and how refused ones drop out of the further way."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar
from uuid import UUID

from saas.kernel import AppError
from saas.sales.errors import RowTwice

RowT = TypeVar("RowT")
NextT = TypeVar("NextT")


class Outcome(Enum):
    """What an entered row did."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of a row: the record it is now, or why it was refused."""

    outcome: Outcome
    id: UUID | None = None
    refusal: AppError | None = None

    def record_id(self) -> UUID:
        """The record, where one row is all there was.

        :raises AppError: the row was refused.
        """
        if self.refusal is not None:
            raise self.refusal
        assert self.id is not None, "a row that was not refused is a record"
        return self.id


@dataclass
class Entries(Generic[RowT]):
    """Rows on their way in, by place. What is decided is noted once; rows still `standing` go on."""

    standing: dict[int, RowT]
    outcomes: dict[int, Entered] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[RowT]) -> Entries[RowT]:
        """All rows, undecided."""
        return cls(dict(enumerate(rows)))

    def judge(self, decide: Callable[[RowT], NextT]) -> Entries[NextT]:
        """The rows as `decide` makes them; where it raises an AppError, the row is refused with it."""
        onwards: dict[int, NextT] = {}
        for place, row in self.standing.items():
            try:
                onwards[place] = decide(row)
            except AppError as refusal:
                self.outcomes[place] = Entered(Outcome.REFUSED, refusal=refusal)
        return Entries(onwards, self.outcomes)

    def once(self, identities: Callable[[RowT], Iterable[Hashable]]) -> Entries[RowT]:
        """The rows without those that mean the same record as an earlier one; identities are what tells records apart.

        Those are refused with `RowTwice`, which names the earlier row, counted from 1.
        """
        seen: dict[Hashable, int] = {}
        for place, row in list(self.standing.items()):
            named = list(identities(row))
            earlier = next((seen[name] for name in named if name in seen), None)
            if earlier is not None:
                del self.standing[place]
                refusal = RowTwice("sales.row_twice", {"first": earlier + 1})
                self.outcomes[place] = Entered(Outcome.REFUSED, refusal=refusal)
                continue
            seen.update(dict.fromkeys(named, place))
        return self

    def settle(self, place: int, outcome: Outcome, record_id: UUID) -> None:
        """Note what a row became; it stands no longer."""
        del self.standing[place]
        self.outcomes[place] = Entered(outcome, record_id)

    def refuse(self, place: int, refusal: AppError) -> None:
        """Note that a row is refused; it stands no longer."""
        del self.standing[place]
        self.outcomes[place] = Entered(Outcome.REFUSED, refusal=refusal)

    def results(self) -> list[Entered]:
        """What became of every row, in their order.

        :raises KeyError: a row is still undecided.
        """
        return [self.outcomes[place] for place in range(len(self.outcomes) + len(self.standing))]
