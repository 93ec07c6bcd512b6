"""What a room above gives to be reckoned as a report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from saas.access import AccessTable
from saas.kernel import Actor, Clock


@dataclass(frozen=True, slots=True)
class Presence:
    """Whoever asked, as they are now, and what the company counts by."""

    actor: Actor
    access: AccessTable
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a step works for: who asked, with the rights of this moment, and what they wished, as JSON values."""

    by: Presence
    wish: Mapping[str, Any]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Page:
    """What a page came to, as JSON values: `total` of all pages up to it, which takes the place of the one before, and
    what was `found` in it to be listed. Of how many objects it is, and the last of them; None where there was none.
    """

    total: Any
    done: int
    last: UUID | None
    found: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """A result as JSON values: `summary`, and by name the lists, whose entries are read a page at a time."""

    summary: Mapping[str, Any]
    lists: Mapping[str, Sequence[Any]]


Found = AsyncIterator[Sequence[Any]]
"""What was found in the pages, in their order, one page at a time."""


class ReportKind(Protocol):
    """A kind of report. Its steps are short transactions of their own, and only read."""

    @property
    def name(self) -> str:
        """``room.report``; it is stored, so it must stay."""

    @property
    def permission(self) -> str:
        """What whoever asked must still hold at each step."""

    async def reckon(self, asked: Asked, *, after: UUID, total: Any) -> Page:
        """The page of objects behind one, by id: some thousands, a few seconds' work; `total` of those before it, None
        before the first.

        :raises AppError: the report can't be made; it fails with that.
        """

    async def finish(self, asked: Asked, *, total: Any, found: Found) -> Finished:
        """The result of all pages.

        :raises AppError: the report can't be made; it fails with that.
        """


Contexts = Callable[[Actor], Awaitable[Presence | None]]
"""Whoever asked, as they are now, None where they have left; called in the step's transaction."""
