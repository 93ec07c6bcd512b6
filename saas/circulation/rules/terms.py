"""The terms of a pool's policies, typed and checked as a whole: when old customers decline, how reps are assessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar

from saas.circulation.errors import TermsRefused
from saas.kernel import AppErrors, Scalar


class PolicyKind(Enum):
    """What a policy is about."""

    DECLINE = "decline"
    ASSESSMENT = "assessment"


class DeclineMeasure(Enum):
    """By what a customer's performance is measured, each against its own history."""

    DEALS = "deals"
    COLLECTIONS = "collections"
    FOLLOW_UPS = "follow_ups"


class UseMeasure(Enum):
    """What a customer that is used shows in a period, in the order in which sentences name it."""

    FOLLOWED_UP = "followed_up"
    DEALS = "deals"
    COLLECTIONS = "collections"
    OPPORTUNITIES = "opportunities"


class Cycle(Enum):
    """How long a period of an assessment is."""

    QUARTER = "quarter"
    YEAR = "year"


class Rotation(Enum):
    """Where reclaimed customers go: they wait in the pool, or the flexible method gives them to others."""

    POOL = "pool"
    FLEXIBLE = "flexible"


def _refused(name: str, given: int, least: int, most: int) -> TermsRefused:
    values: dict[str, Scalar] = {"given": given, "least": least, "most": most}
    return TermsRefused("circulation.term_out_of_range", values, field=(camel(name),))


def camel(name: str) -> str:
    """A term's name as the API has it."""
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _range_faults(terms: object, ranges: Mapping[str, tuple[int, int]]) -> Iterator[TermsRefused]:
    for name, (least, most) in ranges.items():
        given = getattr(terms, name)
        if given is not None and not least <= given <= most:
            yield _refused(name, given, least, most)


@dataclass(frozen=True, slots=True)
class DeclineTerms:
    """When a customer with a deal counts as declining.

    The last `recent_months` closed months stand against the `history_months` before them. A figure that is at least
    `fall_percent` below its own history falls. A customer with fewer than `least_history_months` of history, or fewer
    than `least_events` deals (collections, gaps between follow-ups) in it, never does. `notice_days` lie between the
    warning and the day from which recycling counts.
    """

    KIND: ClassVar[PolicyKind] = PolicyKind.DECLINE
    RANGES: ClassVar[Mapping[str, tuple[int, int]]] = MappingProxyType(
        {
            "recent_months": (1, 12),
            "history_months": (2, 60),
            "fall_percent": (1, 99),
            "least_history_months": (1, 60),
            "least_events": (1, 100),
            "notice_days": (0, 365),
        }
    )

    is_enabled: bool = False
    measures: tuple[DeclineMeasure, ...] = tuple(DeclineMeasure)
    recent_months: int = 3
    history_months: int = 12
    fall_percent: int = 50
    least_history_months: int = 6
    least_events: int = 3
    notice_days: int = 14

    def check(self, *, warns: bool) -> None:
        """Refuse terms that no customer could be judged by, all faults at once; `warns` is the pool's own setting.

        :raises AppErrors: a `TermsRefused` for each.
        """
        _raise_all([*_range_faults(self, self.RANGES), *self._contradictions(warns=warns)])

    def _contradictions(self, *, warns: bool) -> Iterator[TermsRefused]:
        if not self.measures or len(set(self.measures)) < len(self.measures):
            yield TermsRefused("circulation.measures_refused", {"given": len(self.measures)}, field=("measures",))
        if self.least_history_months > self.history_months:
            values: dict[str, Scalar] = {"least": self.least_history_months, "history": self.history_months}
            yield TermsRefused("circulation.history_too_short", values, field=("leastHistoryMonths",))
        if warns and self.notice_days == 0:
            yield TermsRefused("circulation.notice_needed", field=("noticeDays",))

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {**_plain(self), "measures": [each.value for each in self.measures]}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> DeclineTerms:
        """From what `plain` gave."""
        return cls(**{**plain, "measures": tuple(DeclineMeasure(each) for each in plain["measures"])})


_WEIGHTS: Mapping[UseMeasure, int] = MappingProxyType(
    {
        UseMeasure.FOLLOWED_UP: 40,
        UseMeasure.DEALS: 20,
        UseMeasure.COLLECTIONS: 20,
        UseMeasure.OPPORTUNITIES: 20,
    }
)


@dataclass(frozen=True, slots=True)
class AssessmentTerms:
    """How the customers that reps hold are assessed after each period, and what is reclaimed.

    `weights` are whole percents of the measures and add up to 100. A rep keeps `quota` customers in any case; of those
    above, `reclaim_percent` are reclaimed, the worst-used first, at most `cap` (None: no bound), and nothing of a rep
    whose utilisation is `keeps_from_percent` or more. Exempt are newcomers (hired less than `newcomer_days` ago) and
    customers held for less than `least_held_days`, or with an open opportunity where `open_opportunity_exempts`.
    """

    KIND: ClassVar[PolicyKind] = PolicyKind.ASSESSMENT
    RANGES: ClassVar[Mapping[str, tuple[int, int]]] = MappingProxyType(
        {
            "quota": (0, 10_000),
            "reclaim_percent": (1, 100),
            "cap": (1, 10_000),
            "keeps_from_percent": (1, 100),
            "newcomer_days": (0, 1_000),
            "least_held_days": (0, 1_000),
            "notice_days": (0, 90),
            "appeal_days": (0, 90),
        }
    )

    is_enabled: bool = False
    cycle: Cycle = Cycle.QUARTER
    weights: Mapping[UseMeasure, int] = field(default_factory=lambda: dict(_WEIGHTS))
    quota: int = 50
    reclaim_percent: int = 20
    cap: int | None = 20
    keeps_from_percent: int = 90
    newcomer_days: int = 90
    least_held_days: int = 60
    open_opportunity_exempts: bool = True
    notice_days: int = 14
    appeal_days: int = 7
    follow_up_saves: bool = False
    rotation: Rotation = Rotation.FLEXIBLE

    def check(self, *, warns: bool) -> None:
        """Refuse terms that contradict each other, all faults at once; `warns` is the pool's own setting.

        :raises AppErrors: a `TermsRefused` for each.
        """
        _raise_all([*_range_faults(self, self.RANGES), *self._contradictions(warns=warns)])

    def _contradictions(self, *, warns: bool) -> Iterator[TermsRefused]:
        whole = sum(self.weights.values())
        if whole != 100 or min(self.weights.values()) < 0:
            yield TermsRefused("circulation.weights_not_whole", {"given": whole}, field=("weights",))
        if warns and self.notice_days == 0:
            yield TermsRefused("circulation.notice_needed", field=("noticeDays",))
        if self.appeal_days > self.notice_days:
            values: dict[str, Scalar] = {"appeal": self.appeal_days, "notice": self.notice_days}
            yield TermsRefused("circulation.appeal_beyond_notice", values, field=("appealDays",))
        if self.notice_days > 0 and self.appeal_days == 0:
            yield TermsRefused("circulation.appeal_needed", field=("appealDays",))

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        weights = {measure.value: percent for measure, percent in self.weights.items()}
        enums = {"cycle": self.cycle.value, "rotation": self.rotation.value}
        return {**_plain(self), **enums, "weights": weights}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> AssessmentTerms:
        """From what `plain` gave."""
        weights = {UseMeasure(name): percent for name, percent in plain["weights"].items()}
        enums = {"cycle": Cycle(plain["cycle"]), "rotation": Rotation(plain["rotation"])}
        return cls(**{**plain, **enums, "weights": weights})


Terms = DeclineTerms | AssessmentTerms
TERMS: Mapping[PolicyKind, type[DeclineTerms] | type[AssessmentTerms]] = MappingProxyType(
    {PolicyKind.DECLINE: DeclineTerms, PolicyKind.ASSESSMENT: AssessmentTerms}
)


def changed(terms: Terms, wanted: Mapping[str, Any], *, warns: bool) -> Terms:
    """The terms with others in the place of some, checked; `wanted` maps names of terms to values.

    :raises AppErrors: what is out of range or contradicts.
    """
    after = replace(terms, **wanted)
    after.check(warns=warns)
    return after


def differences(before: Terms | None, after: Terms) -> dict[str, list[Scalar]]:
    """Name → [before, after] of what differs, as the audit trail holds it."""
    old: Mapping[str, Any] = {} if before is None else before.plain()
    return {
        name: [_told(old.get(name)), _told(value)] for name, value in after.plain().items() if old.get(name) != value
    }


def _told(value: object) -> Scalar:
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _plain(terms: Terms) -> dict[str, Any]:
    return {each.name: getattr(terms, each.name) for each in fields(terms)}


def _raise_all(faults: list[TermsRefused]) -> None:
    if faults:
        raise AppErrors(faults)
