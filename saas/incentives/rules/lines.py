"""A line of what somebody gets (计提, Accrual), with everything it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from saas.incentives.rules.plans import Award
from saas.kernel import Explanation


class Stream(Enum):
    """For what: the person's own credit, or the team's (管理提成)."""

    OWN = "own"
    OVERRIDE = "override"


class Cause(Enum):
    """Why the line is there."""

    EARNED = "earned"
    """The event itself earned it."""
    RELEASED = "released"
    """A receipt or stage released a part of what was fixed at signing."""
    CLAWED_BACK = "clawed_back"
    """A refund took it back."""
    CAPPED = "capped"
    """It is above a cap."""
    GUARANTEED = "guaranteed"
    """It was missing to a guarantee."""
    ADJUSTED = "adjusted"
    """A late fact changes a line of a locked period."""


@dataclass(frozen=True, slots=True)
class Accrual:
    """One line. `amount` is rounded once; `base` is the measure credited to the person, exact to sixty digits.

    `event` is what happened (deal, receipt, refund, stage, or the period of a limit), `of` the event that it takes its
    amount from: the deal of a release, the receipt of a clawback, the key of the line that is adjusted.
    """

    person: str
    stream: Stream
    award: Award
    cause: Cause
    plan: str
    version: int
    rule: str
    deal: str | None
    event: str
    of: str | None
    at: datetime
    on: date
    base: Decimal
    amount: Decimal
    currency: str
    explanation: Explanation

    @property
    def key(self) -> str:
        """What the line is, whatever it comes to: calculating again gives the same keys.

        A line may be adjusted again on a later day, so an adjustment's day is part of what it is.
        """
        names = (self.plan, self.person, self.stream.value, self.award.value, self.cause.value, self.event)
        day = (self.on.isoformat(),) if self.cause is Cause.ADJUSTED else ()
        return "/".join((*names, self.of or "", *day))

    @property
    def place(self) -> tuple[datetime, str, str]:
        """The order of lines: event time, then the event's id, then what tells its lines apart."""
        return self.at, self.event, self.key
