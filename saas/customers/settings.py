"""A pool's settings: typed, checked as a whole, dated and versioned; each decision names the version it used.

What each option is stands in `saas.customers.options`. The limits of a claim stand in columns of the pool as well, so
that a claim needs nothing else; they are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any, Protocol, get_type_hints
from uuid import UUID

from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.marks import MarkKind, MarkRules
from saas.customers.options import (
    AllocatingOptions,
    AssigningOptions,
    ClaimingOptions,
    EnteringOptions,
    GoverningOptions,
    HoldingOptions,
    RecyclingOptions,
    ReturningOptions,
    ShowingOptions,
    TellingOptions,
    as_text,
    from_json,
    options_of,
    written,
)
from saas.customers.options.keeping import KeptRules, as_plain, check_kept
from saas.customers.recycling import (
    ChangeEffect,
    ConditionRule,
    EarlierRules,
    InactivityRule,
    OwnershipFacts,
    Records,
    RecycleFacts,
    RecycleRules,
    Restart,
    can_take_sooner,
    recycle_verdict,
)
from saas.customers.rules import FairWindow, PoolRules, RareClaimRules
from saas.kernel import AppErrors, Scalar


@dataclass(frozen=True)
class PoolSettings(
    ShowingOptions,
    GoverningOptions,
    TellingOptions,
    AllocatingOptions,
    EnteringOptions,
    ReturningOptions,
    RecyclingOptions,
    HoldingOptions,
    AssigningOptions,
    ClaimingOptions,
):
    """What a pool allows and demands; the numbers are the product's.

    What follows is not set but follows from changes (P27): nothing is due before `not_before`, no clock counts from
    before `restart`, holdings that were open go by the rules that were `kept` for them, the oldest first. Protections
    bring customers back that are over on `protection_ends_from` or later (P16).
    """

    not_before: date | None = None
    protection_ends_from: date | None = None
    restart: Restart | None = None
    kept: tuple[KeptRules, ...] = ()

    def check(self) -> None:
        """Refuse settings out of range or that contradict each other, all at once.

        :raises AppErrors: a `PoolRuleOutOfRange` for each, naming the field and the range.
        """
        faults = list(self._faults())
        if faults:
            raise AppErrors(faults)

    def _faults(self) -> Iterator[PoolRuleOutOfRange]:
        for name, each in OPTIONS.items():
            yield from each.faults(getattr(self, name))
        yield from self.claiming_faults()
        methods = {each.method for each in self.allocation_rules}
        yield from self.assigning_faults(rule_methods=methods, holding_limit=self.holding_limit)
        yield from self.holding_faults()
        yield from self.recycling_faults()
        yield from self.returning_faults()
        yield from self.telling_faults()
        yield from self.allocating_faults()

    def changed(
        self, wanted: Mapping[str, Any], *, valid_from: date, version: int = 1, at: datetime | None = None
    ) -> PoolSettings:
        """These settings with others in the place of some, checked; `wanted` maps names of fields to values.

        A change that moves due dates makes nothing due before `valid_from` + the grace, and takes the effect that it
        says itself (P27). `version` is that of these settings, `at` when the change is decided, None: it is tried.

        :raises AppErrors: what is out of range.
        """
        after = replace(self, **{name: OPTIONS[name].normal(given) for name, given in wanted.items()})
        after.check()
        moved = {name: getattr(self, name) for name in _MOVE_DUE if getattr(after, name) != getattr(self, name)}
        if not moved:
            return after
        ends_from = valid_from if "rep_protection_end" in moved else self.protection_ends_from
        not_before = valid_from + timedelta(days=after.grace_days)
        after = replace(after, not_before=not_before, protection_ends_from=ends_from)
        if after.change_effect == ChangeEffect.NEW_OWNERSHIPS:
            unchanged = (self.not_before, self.protection_ends_from, as_plain(moved))
            kept = (*self.kept, KeptRules(version, valid_from, at, *unchanged))
            check_kept(kept)
            return replace(after, kept=kept)
        is_restart = after.change_effect == ChangeEffect.RESTART
        return replace(after, kept=(), restart=Restart(version + 1, valid_from) if is_restart else self.restart)

    def tightened(self, before: PoolSettings) -> tuple[str, ...]:
        """The options by which these settings can take a customer sooner than those of before, whatever customers
        there are (L28): each that can by itself, all that move due dates where only several together can.

        A shorter grace does, for the change after it, and so does it where nobody is asked any more.
        """
        old, new = before.recycle_rules(), self.recycle_rules()
        names = [name for name in OPTIONS if getattr(before, name) != getattr(self, name)]
        alone = [name for name in names if can_take_sooner(old, self._only(name, before).recycle_rules())]
        if not alone and can_take_sooner(old, new):
            alone = [name for name in names if name in _MOVE_DUE] or names or ["grace_days"]
        shorter = ["grace_days"] if self.grace_days < before.grace_days else []
        asked = (
            ["tightening_needs_approval"] if before.tightening_needs_approval > self.tightening_needs_approval else []
        )
        return tuple(dict.fromkeys([*alone, *shorter, *asked]))

    def _only(self, name: str, before: PoolSettings) -> PoolSettings:
        """Those of before with one option as it is here."""
        return replace(before, **{name: getattr(self, name)})

    def decided_by_two(self, before: PoolSettings) -> tuple[str, ...]:
        """The options whose change a second person decides about (P49); none where there are no such.

        Whether there are such is among them, either way: so nobody is bound to a second person who is not there.
        """
        if before.tightening_needs_approval:
            return self.tightened(before)
        return ("tightening_needs_approval",) if self.tightening_needs_approval else ()

    def recycle_rules(self) -> RecycleRules:
        """What the verdict of recycling goes by, with what older holdings go by."""
        return self._recycle_rules

    @cached_property
    def _recycle_rules(self) -> RecycleRules:
        """Kept, since the verdict of each customer asks. Going back from change to change, each is taken back."""
        earlier: list[EarlierRules] = []
        settings = replace(self, kept=())
        for each in reversed(self.kept):
            settings = replace(settings, **each.as_before(_HINTS))
            earlier.append(EarlierRules(each.version, each.until_on, each.until_at, settings.recycle_rules()))
        return replace(self._newest_rules(), earlier=tuple(reversed(earlier)))

    def _newest_rules(self) -> RecycleRules:
        return RecycleRules(
            no_follow_up=self._rule("follow_up", keeps_opportunity=self.follow_up_opportunity_exempt),
            no_opportunity=self._rule("opportunity", keeps_opportunity=True),
            no_deal=self._rule("deal", keeps_opportunity=self.deal_opportunity_exempt),
            dealt_follow_up=InactivityRule(self.recycle_dealt_follow_up_days, exempts_dealt=False),
            decline=InactivityRule(self.recycle_decline_days, exempts_dealt=False),
            contract_end=InactivityRule(self.recycle_contract_end_days, exempts_dealt=False),
            protection_ended=InactivityRule(
                0 if self.rep_protection_end == "recycle" else None, exempts_dealt=self.dealt_exempt
            ),
            protection_ends_from=self.protection_ends_from,
            condition=self._condition(),
            opportunity_days=self.opportunity_moves_within_days,
            protection_days=self.protection_days,
            reminder_days=self.reminder_days,
            not_before=self.not_before,
            restart=self.restart,
            transfer_keeps_clock=self.transfer_keeps_clock,
            collaborators_count=self.collaborators_count,
            follow_up_kinds=self.follow_up_kinds,
        )

    def _condition(self) -> ConditionRule | None:
        if self.recycle_conditions is None:
            return None
        asks_all = self.recycle_conditions_join == "all"
        return ConditionRule(self.recycle_conditions, asks_all, Records(self.recycle_conditions_records))

    def _rule(self, of: str, *, keeps_opportunity: bool) -> InactivityRule:
        """One of the rules that have days by level and leave dealt customers alone (P18 to P20, P22, P23)."""
        days, by_level = getattr(self, f"recycle_{of}_days"), getattr(self, f"recycle_{of}_days_by_level")
        return InactivityRule(
            days,
            {each.level: each.days for each in by_level},
            exempts_dealt=self.dealt_exempt,
            exempts_open_opportunity=keeps_opportunity,
        )

    def mark_rules(self, kind: MarkKind) -> MarkRules:
        """What marks of a kind go by."""
        if kind is MarkKind.EXTENSION:
            return MarkRules(self.extension_times, self.extension_days, 0)
        if kind is MarkKind.LOCK:
            return MarkRules(self.lock_limit, self.lock_days, self.cooldown_days)
        return MarkRules(self.rep_protection_limit, self.rep_protection_days, self.cooldown_days)

    def claim_rules(self, name: str, *, limit: int | None) -> PoolRules:
        """What a claim goes by in the pool of that name, for somebody with that holding limit."""
        return PoolRules(name, self.claim_limit, limit, self.cooldown_days, self.rare_claim_rules)

    @cached_property
    def rare_claim_rules(self) -> RareClaimRules:
        """The settings of a claim that few pools have."""
        return RareClaimRules(
            allows_claims=self.allows_claims,
            interval_minutes=self.claim_interval_minutes,
            cooldown_hours=self.cooldown_hours,
            is_cooldown_of_department=self.cooldown_of_department,
            fair_window=FairWindow(
                self.fair_window_hours,
                self.fair_window_days,
                None if self.fair_window_opens_at is None else time.fromisoformat(self.fair_window_opens_at),
            ),
            first_follow_up_limit=self.first_follow_up_limit,
            needs_approval=self.claims_need_approval,
        )

    @cached_property
    def holding_rules(self) -> dict[str, Any] | None:
        """What counts for the holding limit, as `counts_as_held` reads it; None as the product has it."""
        rules = {name: getattr(self, name) for name in _HOLDING_RULES}
        return None if all(rules[name] == OPTIONS[name].default for name in rules) else rules

    def limit_of(self, employee_id: UUID | None, departments: Sequence[UUID] = ()) -> int | None:
        """The holding limit of a person, the most specific one (P09); `departments` are theirs, the nearest first."""
        people = {each.employee: each.limit for each in self.holding_limits_of_people}
        if employee_id in people:
            return people[employee_id]
        own = {each.department: each.each for each in self.holding_limits_of_departments if each.each is not None}
        return next((own[each] for each in departments if each in own), self.holding_limit)

    def limits_together(self, departments: Iterable[UUID]) -> dict[UUID, int]:
        """The limits of a person's departments for all their people together (P09)."""
        limits = {each.department: each.together for each in self.holding_limits_of_departments}
        return {each: most for each in departments if (most := limits.get(each)) is not None}

    @property
    def holding_text(self) -> str | None:
        """The same as JSON."""
        return None if self.holding_rules is None else json.dumps(self.holding_rules)

    @property
    def has_thresholds(self) -> bool:
        """Whether there is anything that ends assignments before the holding limit does (P13, P14)."""
        return bool(
            self.assignment_threshold is not None
            or self.assignment_thresholds_of_people
            or self.capacity_per_30_days is not None
        )

    @cached_property
    def asks_more(self) -> bool:
        """Whether a claim needs facts that few pools ask for: times, waiting records, departments."""
        return bool(
            self.claim_interval_minutes
            or self.cooldown_hours
            or self.cooldown_of_department
            or self.rare_claim_rules.fair_window.is_on
            or self.first_follow_up_limit
            or self.holding_limits_of_departments
        )

    def text(self) -> str:
        """As JSON, for the database."""
        return written(self)

    def differences(self, before: PoolSettings) -> dict[str, list[Scalar]]:
        """Name → [before, after] of what differs, as the audit trail holds it."""
        pairs = ((each.name, getattr(before, each.name), getattr(self, each.name)) for each in fields(self))
        return {name: [_told(old), _told(new)] for name, old, new in pairs if old != new}


OPTIONS = options_of(PoolSettings)
"""Every option of a pool, by name."""

_HOLDING_RULES = ("counts_dealt", "uncounted_levels", "uncounted_sources", "uncounted_industries")
_MOVE_DUE = tuple(name for name, each in OPTIONS.items() if each.declared.moves_due)


@dataclass(frozen=True, slots=True)
class PoolChange:
    """A change of a pool; what is None or absent stays. `settings` maps names of `PoolSettings` to new values.

    `valid_from` is the first day of the new settings, today when None. `department_ids` are the departments whose
    people, those below included, are members, `member_ids` are people who are so by themselves; both empty is
    everybody. `administrator_ids` are those who administer the pool of all who may assign, empty is all of these.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    is_enabled: bool | None = None
    is_default: bool = False
    department_ids: tuple[UUID, ...] | None = None
    member_ids: tuple[UUID, ...] | None = None
    administrator_ids: tuple[UUID, ...] | None = None
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
    created_on: date | None = None,
    start_kind: str = "claim",
) -> Due:
    """The due date of a customer that somebody received on that day from the pool: nothing before it counts."""
    opened = OwnershipFacts(_ANYBODY, None, received_on, start_kind=start_kind)
    facts = RecycleFacts(
        ownerships=(opened,),
        created_on=created_on,
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


_HINTS = get_type_hints(PoolSettings)


@lru_cache(maxsize=512)
def settings_of(text: str) -> PoolSettings:
    """From what `text` gave, by an older version too; kept, since each claim asks and a company has few."""
    return PoolSettings(**{name: from_json(_HINTS[name], value) for name, value in json.loads(text).items()})


def wanted_text(wanted: Mapping[str, Any]) -> str:
    """A change of settings as JSON, by their names; for `wanted_of`."""
    return json.dumps({name: json.loads(as_text(value)) for name, value in sorted(wanted.items())})


def wanted_of(text: str) -> dict[str, Any]:
    """From what `wanted_text` gave."""
    return {name: from_json(_HINTS[name], value) for name, value in json.loads(text).items()}


def settings_in_force(row: _Row) -> PoolSettings:
    """From a pool's row with `settings` as text and the three columns of a claim, which have the last word."""
    return _in_force(row["settings"], row["claim_limit"], row["holding_limit"], row["cooldown_days"])


@lru_cache(maxsize=512)
def _in_force(text: str, claim_limit: int | None, holding_limit: int | None, cooldown_days: int) -> PoolSettings:
    """Kept, as `settings_of` is: putting them together anew takes ten microseconds of each customer and claim."""
    return replace(settings_of(text), claim_limit=claim_limit, holding_limit=holding_limit, cooldown_days=cooldown_days)


def _told(value: object) -> Scalar:
    return value if value is None or isinstance(value, bool | int | str) else as_text(value)
