"""What an allocation is computed from: who stands to receive, which customers, by which method and settings.

A roster is frozen and holds everything: the same roster always deals the same way, as a preview, as the real thing,
and years later. The order of its candidates means nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from saas.customers.allocation.choices import (
    NOTHING_KNOWN,
    CustomerFacts,
    MatchPlan,
    Method,
    NewcomerFloor,
    OrderedRules,
    PluginMethod,
    PluginPlace,
    Trait,
    TraitKind,
)
from saas.customers.allocation.errors import DrawSeedRefused, RosterImpossible
from saas.customers.allocation.performance import PerformancePlan
from saas.kernel import AppErrors, Scalar

SEED_BYTES = 32
WEIGHT_MAX = 1_000_000
METHOD_VERSION = 1
"""Version of every method's code here. Code that a closed allocation used is kept beside a newer one, never edited."""


@dataclass(frozen=True, slots=True)
class DepartmentRoom:
    """A department whose people, those below included, hold `holding` of the `limit` customers they may (P09)."""

    department_id: UUID
    name: str
    limit: int
    holding: int

    @property
    def room(self) -> int:
        """How many more they may hold; 0 where the limit was lowered below what is held."""
        return max(0, self.limit - self.holding)


@dataclass(frozen=True, slots=True)
class Missed:
    """What a person missed on leave since the cycle began (P46): `customers`, by the head of those who were there,
    rounded half up. `made_up` of them were, `owed` are to be made up still, by this allocation and later ones. The
    allocations were between the days `first` and `last`.
    """

    customers: int
    made_up: int
    owed: int
    first: date
    last: date

    @property
    def forgone(self) -> int:
        """What counts as received though it was not: whoever comes back stands where the others do."""
        return max(0, self.customers - self.made_up)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who may receive customers.

    Counts are customers. `holding_limit` None is no limit (P09); `assignable` is what the assignment threshold still
    allows, None without one (P13). `assigned_in_cycle` counts since the cycle began (P47). `attainment` is that of the
    plan's closed period, None where there is none. `turn` is the place in the fixed order of the strict method.
    `balance` is what earlier allocations by share still owe, in customers: what `Allocation.balances` gave.
    `cooldown_customers` are those the person owned within the cooldown (P34). `calibration`, `credits` and `priority`
    are of the method by level (P45): a lower priority comes first. `traits` are what matching goes by (P43).
    `ramp_percent` is how much of the weight counts, 1 to 100 (P41). `is_absent` was said by whoever allocates,
    `is_on_leave` and `is_off_hours` were looked up (P46). `departments` are the person's
    that are limited, the nearest first; `department_share` is the person's part of their room, of a draw that could
    fill it.
    """

    employee_id: UUID
    name: str
    holding: int = 0
    holding_limit: int | None = None
    assignable: int | None = None
    assigned_in_cycle: int = 0
    last_served_at: datetime | None = None
    hired_on: date | None = None
    attainment: Decimal | None = None
    weight: int = 1
    balance: Decimal = Decimal(0)
    turn: int | None = None
    is_enabled: bool = True
    is_absent: bool = False
    cooldown_customers: frozenset[UUID] = frozenset()
    calibration: int = 0
    credits: int = 0
    priority: int = 0
    traits: frozenset[Trait] = frozenset()
    ramp_percent: int = 100
    departments: tuple[DepartmentRoom, ...] = ()
    department_share: int | None = None
    is_on_leave: bool = False
    is_off_hours: bool = False
    missed: Missed | None = None

    @property
    def level(self) -> int:
        """Who has the lowest comes next: what was assigned in the cycle, without what was credited back (P45)."""
        return self.calibration + self.counted_in_cycle - self.credits

    @property
    def counted_in_cycle(self) -> int:
        """What was assigned in the cycle, with what was forgone on leave: nobody catches up by being behind (P46)."""
        return self.assigned_in_cycle + (0 if self.missed is None else self.missed.forgone)

    @property
    def owed(self) -> int:
        """How many customers are made up for before the line goes on (P46)."""
        return 0 if self.missed is None else self.missed.owed

    def values(self, kind: TraitKind) -> tuple[str, ...]:
        """What the person is there for, of a kind, in order."""
        return tuple(sorted(each.value for each in self.traits if each.kind is kind))

    @property
    def holding_room(self) -> int | None:
        """How many more the holding limit allows; 0 where it was lowered below what is held; None without a limit."""
        return None if self.holding_limit is None else max(0, self.holding_limit - self.holding)

    @property
    def own_room(self) -> int | None:
        """How many more this allocation may give by the person's own limits, whatever others get."""
        limits = (self.holding_room, self.assignable, self.department_share)
        return min((limit for limit in limits if limit is not None), default=None)

    @property
    def room(self) -> int | None:
        """How many more this allocation may give at most: what the tightest of all limits allows."""
        if not self.departments:
            return self.own_room
        shared = min(each.room for each in self.departments)
        return shared if self.own_room is None else min(self.own_room, shared)


@dataclass(frozen=True, slots=True)
class PooledCustomer:
    """A customer to allocate. `label` is its masked name; records with one `match_group` are of one company.

    `facts` are known where the method goes by them; `answer` is where a plugin's method puts it.
    """

    customer_id: UUID
    label: str
    match_group: str | None = None
    facts: CustomerFacts = NOTHING_KNOWN
    answer: PluginPlace | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """What goes to one person at once: a customer, or all records of one company. `place` counts from 0."""

    place: int
    records: tuple[PooledCustomer, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """The frozen inputs of one allocation, on the tenant's `day`.

    Customers are dealt in their order. `seed` are 32 bytes that break ties and decide draws; a draw is committed to
    before its seed is known, so it may be None until then. `turn_after` is the turn that the strict method served
    last. `performance` is the plan of the method of that name. `newcomers` None guarantees newcomers nothing, as it
    was before there were guarantees. `local_time` is when the plan was made ("18:05"), which working hours hold or not.
    `match`, `rules` and `plugin` are of the methods of those names. `overflow` gets what nobody could have
    for the thresholds alone (P13), whether among the candidates or not.
    """

    allocation_id: UUID
    day: date
    method: Method
    settings_version: int
    candidates: tuple[Candidate, ...]
    customers: tuple[PooledCustomer, ...]
    seed: bytes | None = field(default=None, repr=False)
    method_version: int = METHOD_VERSION
    turn_after: int | None = None
    performance: PerformancePlan | None = None
    newcomers: NewcomerFloor | None = None
    match: MatchPlan | None = None
    rules: OrderedRules | None = None
    plugin: PluginMethod | None = None
    overflow: Candidate | None = None
    local_time: str | None = None

    def units(self) -> tuple[Unit, ...]:
        """The customers without duplicates: records of one company stand where the first of them stood."""
        groups: dict[object, list[PooledCustomer]] = {}
        for customer in self.customers:
            groups.setdefault(customer.match_group or customer.customer_id, []).append(customer)
        return tuple(Unit(place, tuple(records)) for place, records in enumerate(groups.values()))

    def deciding_methods(self) -> set[Method]:
        """The methods that decide in the end: its own, or those that matching and ordered rules go on by."""
        if self.method is Method.MATCH and self.match is not None:
            return {self.match.then}
        if self.method is Method.RULES and self.rules is not None:
            return {rule.then for rule in self.rules.rules}
        return {self.method}

    def drawn_seed(self) -> bytes:
        """The seed.

        :raises DrawSeedRefused: it is not known yet, or not of 32 bytes.
        """
        if self.seed is None or len(self.seed) != SEED_BYTES:
            given = 0 if self.seed is None else len(self.seed)
            raise DrawSeedRefused("customers.draw_seed_malformed", {"given": given, "needed": SEED_BYTES})
        return self.seed


def check_roster(roster: Roster) -> None:
    """Refuse a roster that can't be dealt from.

    :raises AppErrors: everything that is wrong with it.
    """
    faults = [*_repeated(roster), *_out_of_range(roster), *_lacking(roster)]
    if faults:
        raise AppErrors(faults)


def _repeated(roster: Roster) -> Iterator[RosterImpossible]:
    people = Counter(candidate.employee_id for candidate in roster.candidates)
    if len(people) < len(roster.candidates):
        for candidate in {each.employee_id: each for each in roster.candidates}.values():
            if people[candidate.employee_id] > 1:
                yield RosterImpossible("customers.roster_candidate_twice", {"name": candidate.name})
    records = Counter(customer.customer_id for customer in roster.customers)
    if len(records) < len(roster.customers):
        for customer in {each.customer_id: each for each in roster.customers}.values():
            if records[customer.customer_id] > 1:
                yield RosterImpossible("customers.roster_customer_twice", {"customer": customer.label})


def _out_of_range(roster: Roster) -> Iterator[RosterImpossible]:
    for each in roster.candidates:
        counts = (each.holding, each.holding_limit or 0, each.assignable or 0, each.assigned_in_cycle)
        if min(counts) < 0:
            yield RosterImpossible("customers.roster_count_negative", {"name": each.name, "given": min(counts)})
        if not 0 <= each.weight <= WEIGHT_MAX:
            weight: dict[str, Scalar] = {"name": each.name, "given": each.weight, "most": WEIGHT_MAX}
            yield RosterImpossible("customers.roster_weight_out_of_range", weight)
        if each.attainment is not None and not (each.attainment.is_finite() and each.attainment >= 0):
            values = {"name": each.name, "given": str(each.attainment)}
            yield RosterImpossible("customers.roster_attainment_negative", values)


def _lacking(roster: Roster) -> Iterator[RosterImpossible]:
    """What the method needs and the roster has not."""
    if roster.method_version != METHOD_VERSION:
        values: dict[str, Scalar] = {"method": roster.method.value, "version": roster.method_version}
        values["known"] = METHOD_VERSION
        yield RosterImpossible("customers.roster_method_version_unknown", values)
    turns = {each.turn for each in roster.candidates if each.turn is not None}
    if roster.method is Method.STRICT and len(turns) < len(roster.candidates):
        yield RosterImpossible("customers.roster_turns_missing", {"people": len(roster.candidates)})
    yield from _meaningless(roster.newcomers)
    if roster.method is Method.MATCH:
        yield from _faults_of(roster.match, RosterImpossible("customers.roster_match_missing"))
    if roster.method is Method.PLUGIN and roster.plugin is None:
        yield RosterImpossible("customers.roster_plugin_missing")
    if roster.method is Method.RULES:
        yield from _faults_of(roster.rules, RosterImpossible("customers.roster_rules_missing"))
    if roster.method is Method.PERFORMANCE and roster.performance is None:
        yield RosterImpossible("customers.roster_plan_missing")
    if {Method.LOAD_ABSOLUTE, Method.LOAD_RELATIVE} & roster.deciding_methods():
        unlimited = (each.name for each in roster.candidates if each.holding_limit is None)
        yield from (RosterImpossible("customers.roster_limit_missing", {"name": name}) for name in unlimited)


def _meaningless(floor: NewcomerFloor | None) -> Iterator[RosterImpossible]:
    if floor is None or (floor.days >= 0 and 0 <= floor.floor_percent <= 100 and 0 <= floor.share_percent <= 100):
        return
    told: dict[str, Scalar] = {"days": floor.days, "floor": floor.floor_percent, "share": floor.share_percent}
    yield RosterImpossible("customers.newcomer_floor_out_of_range", told)


def _faults_of(plan: MatchPlan | OrderedRules | None, missing: RosterImpossible) -> Iterator[RosterImpossible]:
    if plan is None:
        yield missing
    else:
        yield from plan.faults()
