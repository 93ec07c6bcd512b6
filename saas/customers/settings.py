"""A pool's settings: typed, checked as a whole, dated and versioned; each decision names the version it used.

The limits of a claim stand in columns of the pool as well, so that a claim needs nothing else; they are the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.marks import MarkKind, MarkRules
from saas.customers.recycling import (
    FollowUpKind,
    InactivityRule,
    OwnershipFacts,
    RecycleFacts,
    RecycleRules,
    recycle_verdict,
)
from saas.customers.rules import PoolRules
from saas.kernel import AppErrors, Scalar

DAYS_MAX = 3650
REMINDERS_MAX = 5
LEVELS_MAX = 50
LEVEL_MAX = 20
REASONS_MAX = 30
REASON_MAX = 50
KINDS_MAX = 10
_KIND = re.compile(r"[a-z][a-z_]{0,19}", re.ASCII)
_RANGES: Mapping[str, tuple[int, int]] = {
    "claim_limit": (0, 200),
    "holding_limit": (0, 10_000),
    "cooldown_days": (0, 365),
    "protection_days": (0, DAYS_MAX),
    "recycle_follow_up_days": (1, DAYS_MAX),
    "recycle_deal_days": (1, DAYS_MAX),
    "grace_days": (1, 90),
    "lock_limit": (0, 10_000),
    "lock_days": (1, DAYS_MAX),
    "rep_protection_limit": (0, 10_000),
    "rep_protection_days": (1, DAYS_MAX),
    "extension_times": (0, 10),
    "extension_days": (1, 365),
}
"""Setting → the least and the most it takes. A grace of 1 is the next local day, the least that P27 knows."""

_RECYCLING = (
    "protection_days",
    "recycle_follow_up_days",
    "recycle_deal_days",
    "recycle_follow_up_days_by_level",
    "recycle_deal_days_by_level",
    "dealt_exempt",
    "follow_up_kinds",
    "transfer_keeps_clock",
)
"""The settings that move due dates: a change of one makes nothing due before the grace is over."""


@dataclass(frozen=True, slots=True)
class LevelDays:
    """The days of a rule for customers of a level, in the place of the rule's own (P22)."""

    level: str
    days: int


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """What a pool allows and demands; the numbers are the product's (P05, P09, P34, P15 to P18, P20, P22, P23,
    P27, P28, P32, P33, 3.1).

    Limits are counts, days are calendar days; None switches a recycling rule off. `assign_ignores_cooldown` is of
    assignments by an administrator (P07). `shows_names` lets the ledger name people. `release_reasons` are those that
    a release may have, any where there are none. `not_before` is not set but follows from a change and its grace:
    nothing is due sooner.
    """

    claim_limit: int = 10
    holding_limit: int = 200
    cooldown_days: int = 7
    protection_days: int = 3
    recycle_follow_up_days: int | None = 30
    recycle_deal_days: int | None = 180
    recycle_follow_up_days_by_level: tuple[LevelDays, ...] = ()
    recycle_deal_days_by_level: tuple[LevelDays, ...] = ()
    dealt_exempt: bool = True
    reminder_days: tuple[int, ...] = (7, 3, 1)
    follow_up_kinds: tuple[FollowUpKind, ...] = RecycleRules().follow_up_kinds
    transfer_keeps_clock: bool = True
    grace_days: int = 7
    assign_ignores_cooldown: bool = True
    shows_names: bool = True
    release_reasons: tuple[str, ...] = ()
    lock_limit: int = 5
    lock_days: int = 90
    rep_protection_limit: int = 10
    rep_protection_days: int = 30
    extension_times: int = 1
    extension_days: int = 15
    extension_needs_approval: bool = True
    not_before: date | None = None

    def check(self) -> None:
        """Refuse settings out of range, all at once.

        :raises AppErrors: a `PoolRuleOutOfRange` for each, naming the field and the range.
        """
        faults = list(self._faults())
        if faults:
            raise AppErrors(faults)

    def _faults(self) -> Iterator[PoolRuleOutOfRange]:
        for name, (least, most) in _RANGES.items():
            given = getattr(self, name)
            if given is not None and not least <= given <= most:
                yield _out_of_range(name, given, least, most)
        yield from self._faults_of_levels("recycle_follow_up_days")
        yield from self._faults_of_levels("recycle_deal_days")
        for days in self.reminder_days:
            if not 0 <= days <= DAYS_MAX:
                yield _out_of_range("reminder_days", days, 0, DAYS_MAX)
        if len(self.reminder_days) > REMINDERS_MAX:
            yield _out_of_range("reminder_days", len(self.reminder_days), 0, REMINDERS_MAX)
        yield from self._faults_of_reasons()
        if not 1 <= len(self.follow_up_kinds) <= KINDS_MAX:
            yield _out_of_range("follow_up_kinds", len(self.follow_up_kinds), 1, KINDS_MAX)
        for kind in self.follow_up_kinds:
            if not _KIND.fullmatch(kind.kind):
                yield PoolRuleOutOfRange(
                    "customers.pool_kind_malformed", {"kind": kind.kind[:40]}, field=("followUpKinds",)
                )
            for given, most in ((kind.least_seconds, 86_400), (kind.least_characters, 4_000)):
                if not 0 <= given <= most:
                    yield _out_of_range("follow_up_kinds", given, 0, most)

    def _faults_of_reasons(self) -> Iterator[PoolRuleOutOfRange]:
        if len(self.release_reasons) > REASONS_MAX:
            yield _out_of_range("release_reasons", len(self.release_reasons), 0, REASONS_MAX)
        for at, reason in enumerate(self.release_reasons):
            if not 1 <= len(reason) <= REASON_MAX or reason != reason.strip() or reason in self.release_reasons[:at]:
                given: dict[str, Scalar] = {"reason": reason[:60], "longest": REASON_MAX}
                yield PoolRuleOutOfRange("customers.pool_reason_refused", given, field=("releaseReasons", str(at)))

    def _faults_of_levels(self, rule: str) -> Iterator[PoolRuleOutOfRange]:
        """The days of a rule by level, and a protection that is longer than the rule: the rule would never act."""
        own, levels = getattr(self, rule), getattr(self, f"{rule}_by_level")
        place = (_camel(f"{rule}_by_level"),)
        if levels and own is None:
            yield PoolRuleOutOfRange("customers.pool_levels_of_no_rule", {"rule": _camel(rule)}, field=place)
        if len(levels) > LEVELS_MAX:
            yield _out_of_range(f"{rule}_by_level", len(levels), 0, LEVELS_MAX)
        names = [each.level for each in levels]
        for at, each in enumerate(levels):
            if not 1 <= len(each.level.strip()) <= LEVEL_MAX or each.level in names[:at]:
                given: dict[str, Scalar] = {"level": each.level[:40], "longest": LEVEL_MAX}
                yield PoolRuleOutOfRange("customers.pool_level_refused", given, field=(*place, str(at), "level"))
            if not 1 <= each.days <= DAYS_MAX:
                days: dict[str, Scalar] = {"given": each.days, "least": 1, "most": DAYS_MAX}
                yield PoolRuleOutOfRange("customers.pool_rule_out_of_range", days, field=(*place, str(at), "days"))
        shortest = min((days for days in (own, *(each.days for each in levels)) if days is not None), default=None)
        if own is not None and shortest is not None and 0 < shortest < self.protection_days <= DAYS_MAX:
            told: dict[str, Scalar] = {"protection": self.protection_days, "days": shortest, "rule": _camel(rule)}
            yield PoolRuleOutOfRange("customers.pool_protection_beyond_rule", told, field=("protectionDays",))

    def changed(self, wanted: Mapping[str, Any], *, valid_from: date) -> PoolSettings:
        """These settings with others in the place of some, checked; `wanted` maps names of fields to values.

        A change that moves due dates makes nothing due before `valid_from` + the grace.

        :raises AppErrors: what is out of range.
        """
        after = replace(self, **wanted)
        after.check()
        if any(getattr(after, name) != getattr(self, name) for name in _RECYCLING):
            return replace(after, not_before=valid_from + timedelta(days=after.grace_days))
        return after

    def recycle_rules(self) -> RecycleRules:
        """What the verdict of recycling goes by."""
        return RecycleRules(
            no_follow_up=self._rule(self.recycle_follow_up_days, self.recycle_follow_up_days_by_level),
            no_deal=self._rule(self.recycle_deal_days, self.recycle_deal_days_by_level),
            protection_days=self.protection_days,
            reminder_days=self.reminder_days,
            not_before=self.not_before,
            transfer_keeps_clock=self.transfer_keeps_clock,
            follow_up_kinds=self.follow_up_kinds,
        )

    def _rule(self, days: int | None, by_level: tuple[LevelDays, ...]) -> InactivityRule:
        return InactivityRule(days, {each.level: each.days for each in by_level}, exempts_dealt=self.dealt_exempt)

    def mark_rules(self, kind: MarkKind) -> MarkRules:
        """What marks of a kind go by."""
        if kind is MarkKind.EXTENSION:
            return MarkRules(self.extension_times, self.extension_days, 0)
        if kind is MarkKind.LOCK:
            return MarkRules(self.lock_limit, self.lock_days, self.cooldown_days)
        return MarkRules(self.rep_protection_limit, self.rep_protection_days, self.cooldown_days)

    def claim_rules(self, name: str) -> PoolRules:
        """What a claim goes by in the pool of that name."""
        return PoolRules(name, self.claim_limit, self.holding_limit, self.cooldown_days)

    def text(self) -> str:
        """As JSON, for the database."""
        plain = {**asdict(self), "not_before": None if self.not_before is None else self.not_before.isoformat()}
        return json.dumps(plain)

    def differences(self, before: PoolSettings) -> dict[str, list[Scalar]]:
        """Name → [before, after] of what differs, as the audit trail holds it."""
        pairs = ((each.name, getattr(before, each.name), getattr(self, each.name)) for each in fields(self))
        return {name: [_told(old), _told(new)] for name, old, new in pairs if old != new}


@dataclass(frozen=True, slots=True)
class PoolChange:
    """A change of a pool; what is None or absent stays. `settings` maps names of `PoolSettings` to new values.

    `valid_from` is the first day of the new settings, today when None. `department_ids` are the departments whose
    people, those below included, are members; empty is everybody.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    is_enabled: bool | None = None
    is_default: bool = False
    department_ids: tuple[UUID, ...] | None = None
    valid_from: date | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """When an owned customer goes back and by which rule; both None where no rule runs."""

    on: date | None
    rule: str | None


def due_of_new_holding(
    settings: PoolSettings,
    *,
    received_on: date,
    last_deal_on: date | None,
    level: str | None,
    contract_ended_on: date | None = None,
    declined_on: date | None = None,
) -> Due:
    """The due date of a customer that somebody received on that day from the pool: nothing before it counts."""
    opened = OwnershipFacts(_ANYBODY, None, received_on)
    facts = RecycleFacts(
        ownerships=(opened,),
        level=level,
        last_deal_on=last_deal_on,
        contract_ended_on=contract_ended_on,
        declined_on=declined_on,
    )
    verdict = recycle_verdict(facts, settings.recycle_rules(), received_on)
    return Due(verdict.due_on, None if verdict.clock is None else verdict.clock.rule.value)


_ANYBODY = UUID(int=0)


class _Row(Protocol):
    """A row of the database, by column."""

    def __getitem__(self, column: str, /) -> Any: ...


_BY_LEVEL = ("recycle_follow_up_days_by_level", "recycle_deal_days_by_level")


@lru_cache(maxsize=512)
def settings_of(text: str) -> PoolSettings:
    """From what `text` gave; kept, since each claim asks and a company has few."""
    plain = json.loads(text)
    day = plain["not_before"]
    kinds = tuple(FollowUpKind(**each) for each in plain["follow_up_kinds"])
    return PoolSettings(
        **{
            **plain,
            "reminder_days": tuple(plain["reminder_days"]),
            "follow_up_kinds": kinds,
            "release_reasons": tuple(plain.get("release_reasons", ())),
            **{name: tuple(LevelDays(**each) for each in plain.get(name, ())) for name in _BY_LEVEL},
            "not_before": None if day is None else date.fromisoformat(day),
        }
    )


def settings_in_force(row: _Row) -> PoolSettings:
    """From a pool's row with `settings` as text and the three columns of a claim, which have the last word."""
    limits = {name: row[name] for name in ("claim_limit", "holding_limit", "cooldown_days")}
    return replace(settings_of(row["settings"]), **limits)


def _out_of_range(name: str, given: int, least: int, most: int) -> PoolRuleOutOfRange:
    values: dict[str, Scalar] = {"given": given, "least": least, "most": most}
    return PoolRuleOutOfRange("customers.pool_rule_out_of_range", values, field=(_camel(name),))


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _told(value: object) -> Scalar:
    if value is None or isinstance(value, bool | int):
        return value
    return json.dumps(value, default=lambda each: each.isoformat() if isinstance(each, date) else asdict(each))
