"""What may be done with a customer of an announced assessment on a day: appealed for, decided about, moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from types import MappingProxyType
from uuid import UUID

from saas.circulation.errors import AppealRefused, AppealStanding
from saas.circulation.rules.terms import AssessmentTerms
from saas.kernel import AppError, Explanation

UNDELIVERED_MAX = 3
"""How many days an owner whom no notice reached is waited for, as recycling waits (3.4)."""


class LineState(Enum):
    """What became of a customer of an assessment."""

    PLANNED = "planned"
    ANNOUNCED = "announced"
    APPEALED = "appealed"
    GRANTED = "granted"
    REFUSED = "refused"
    SPARED = "spared"
    RECLAIMED = "reclaimed"
    POOLED = "pooled"
    ROTATED = "rotated"


class Step(Enum):
    """What the job does with a customer now."""

    WAIT = "wait"
    SPARE = "spare"
    RECLAIM = "reclaim"


class Spared(Enum):
    """Why a customer stays after all."""

    OWNER_CHANGED = "owner_changed"
    MARKED = "marked"
    FOLLOWED_UP = "followed_up"


SPARED: Mapping[Spared, Explanation] = MappingProxyType(
    {
        Spared.OWNER_CHANGED: Explanation("circulation.spared_owner_changed"),
        Spared.MARKED: Explanation("circulation.spared_marked"),
        Spared.FOLLOWED_UP: Explanation("circulation.spared_followed_up"),
    }
)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Days of an announced assessment: appeals are taken through `appeal_until`, customers move from `due_on` on."""

    appeal_until: date
    due_on: date

    @classmethod
    def of(cls, terms: AssessmentTerms, announced_on: date) -> Deadlines:
        """Whole days of notice lie between the announcement and the day on which customers move."""
        return cls(
            announced_on + timedelta(days=terms.appeal_days), announced_on + timedelta(days=terms.notice_days + 1)
        )


def may_appeal(
    state: LineState, *, owner_id: UUID, actor_id: UUID | None, until: date | None, today: date
) -> AppError | None:
    """Why the actor may not appeal; None where they may. One appeal is decided once for all."""
    if actor_id != owner_id:
        return AppealRefused("circulation.appeal_of_somebody_else")
    if state is not LineState.ANNOUNCED or until is None:
        return AppealStanding("circulation.appeal_closed")
    if today > until:
        return AppealRefused("circulation.appeal_late", {"until": until.isoformat()})
    return None


def may_decide(
    state: LineState, *, appellants: frozenset[UUID | None], deciders: frozenset[UUID | None]
) -> AppError | None:
    """Why somebody may not decide; None where they may. People are known by account and by staff record."""
    if (appellants & deciders) - {None}:
        return AppealRefused("circulation.appeal_own")
    if state is not LineState.APPEALED:
        return AppealStanding("circulation.appeal_not_open")
    return None


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A customer of an assessment as its row and the locked customer have it.

    `is_marked` by a mark that was asked for before the announcement; later ones, like later follow-ups, save nothing
    by themselves. `is_followed_up`: effectively, by the owner, since the announcement.
    """

    state: LineState
    due_on: date
    is_owned_as_frozen: bool
    is_marked: bool
    is_followed_up: bool
    is_notified: bool


def next_step(facts: LineFacts, terms: AssessmentTerms, *, warns: bool, today: date) -> tuple[Step, Spared | None]:
    """What is done with the customer today. An open appeal holds it, however long the decision takes."""
    if facts.state not in (LineState.ANNOUNCED, LineState.REFUSED) or today < facts.due_on:
        return Step.WAIT, None
    if not facts.is_owned_as_frozen:
        return Step.SPARE, Spared.OWNER_CHANGED
    if facts.is_marked:
        return Step.SPARE, Spared.MARKED
    if terms.follow_up_saves and facts.is_followed_up:
        return Step.SPARE, Spared.FOLLOWED_UP
    if warns and not facts.is_notified and today < facts.due_on + timedelta(days=UNDELIVERED_MAX):
        return Step.WAIT, None
    return Step.RECLAIM, None
