"""What every row says of itself, and which row is in force. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from saas.sdk import Period


class Status(StrEnum):
    """How well a row's figures are known."""

    PUBLISHED = "published"
    VERIFY = "verify before use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure with its range of days, and the law or notice that it rests on.

    `announced_on` is None where the day is not known; the row then counts as known from the first.
    """

    id: str
    period: Period
    instrument: str
    status: Status = Status.PUBLISHED
    announced_on: date | None = None
    is_retroactive: bool = False

    @property
    def is_verified(self) -> bool:
        """Whether it may enter a run that pays without somebody's confirmation."""
        return self.status is Status.PUBLISHED


R = TypeVar("R", bound=Row)


def in_force(rows: Iterable[R], *, on: date, known_on: date | None = None) -> R | None:
    """The row that holds on a day, as it was known on another day, or as it is known now.

    A row announced on the very day `known_on` is not yet known. Of several rows the one announced last holds. None
    where no row does: the last known value is never taken for the present one.
    """
    holding = [row for row in rows if on in row.period and _is_known(row, known_on)]
    return max(holding, key=lambda row: (row.announced_on or row.period.first, row.period.first), default=None)


def _is_known(row: Row, known_on: date | None) -> bool:
    return known_on is None or row.announced_on is None or row.announced_on < known_on
