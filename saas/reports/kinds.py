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
    """What a page came to, as JSON values, of how many objects, and the last of them; None where there was none."""

    part: Any
    done: int
    last: UUID | None


@dataclass(frozen=True, slots=True)
class Finished:
    """A result as JSON values: `summary`, and by name the lists, whose entries are read a page at a time."""

    summary: Mapping[str, Any]
    lists: Mapping[str, Sequence[Any]]


Parts = Callable[[], AsyncIterator[Any]]
"""What the pages came to, in their order, one at a time; it may be read more than once."""


class ReportKind(Protocol):
    """A kind of report. Its steps are short transactions of their own, and only read."""

    @property
    def name(self) -> str:
        """``room.report``; it is stored, so it must stay."""

    @property
    def permission(self) -> str:
        """What whoever asked must still hold at each step."""

    async def reckon(self, asked: Asked, *, after: UUID) -> Page:
        """The page of objects behind one, by id: some thousands, a few seconds' work.

        :raises AppError: the report can't be made; it fails with that.
        """

    async def finish(self, asked: Asked, parts: Parts) -> Finished:
        """The result, from all pages.

        :raises AppError: the report can't be made; it fails with that.
        """


Contexts = Callable[[Actor], Awaitable[Presence | None]]
"""Whoever asked, as they are now, None where they have left; called in the step's transaction."""
