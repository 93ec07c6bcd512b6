"""What an audit is made from: who could have had each customer, by which weights, who got it, and what it was worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum
from uuid import UUID


class Measure(Enum):
    """Of what a share is told.

    PICKS counts customers; VALUE adds up what was expected of them; WIN_RATE adds up how often customers of such a
    value were won, whoever had them; WAITING counts those that had waited longer than half of all.
    """

    PICKS = "picks"
    VALUE = "value"
    WIN_RATE = "win_rate"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Wheel:
    """Who could have had a customer, with the weight that the rule published for each; newcomers as of that day.

    Weights are whole numbers above 0. Picks of one wheel share the object: it is told apart by identity.
    """

    people: tuple[UUID, ...]
    weights: tuple[int, ...]
    newcomers: frozenset[UUID] = frozenset()

    def __post_init__(self) -> None:
        if not self.people or len(self.people) != len(self.weights) or len(set(self.people)) < len(self.people):
            raise ValueError(f"a wheel has a weight for each of its people: {len(self.people)}, {len(self.weights)}")
        if min(self.weights) <= 0:
            raise ValueError(f"weights on a wheel are above 0: {min(self.weights)}")


@dataclass(frozen=True, slots=True)
class AuditedPick:
    """A customer that somebody got: `value` in the currency's minor unit, `waited_days` in the pool before it.

    `is_won` tells whether a deal came of it. Records of one company that went together are one pick.
    """

    wheel: Wheel
    employee_id: UUID
    value: int
    waited_days: int
    is_won: bool = False


@dataclass(frozen=True, slots=True)
class AuditedPeriod:
    """The picks of a period, in an order that never changes, and the groups that somebody declared, by name."""

    picks: tuple[AuditedPick, ...]
    groups: Mapping[str, frozenset[UUID]] = field(default_factory=dict)


def is_newcomer(hired_on: date | None, *, day: date, days: int) -> bool:
    """Whether somebody was hired less than `days` days before `day`; who has no such day is none."""
    return hired_on is not None and day < hired_on + timedelta(days=days)
