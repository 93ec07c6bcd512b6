"""How customers are allocated: newcomers' guarantee, ramps, counters, ordered rules (P41, P44, P47, P48)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from saas.customers.allocation import (
    AllocationRule,
    Condition,
    CounterCycle,
    Method,
    NewcomerFloor,
    OrderedRules,
    TraitKind,
)
from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.options.declaring import option
from saas.customers.options.holding import DAYS_MAX, HOLDING_MAX
from saas.customers.options.working import WorkingHours
from saas.reads.mapping import EnumKind

TITLE_MAX = 50
HOURS_MAX = 200
CATCH_UP_NONE, CATCH_UP_CAPPED, CATCH_UP_FULL = "none", "capped", "full"

COUNTER_CYCLE = EnumKind(
    "CounterCycle",
    "When the counters of allocations begin anew (P47).",
    {
        "MONTH": (CounterCycle.MONTH.value, "On the first day of each month."),
        "QUARTER": (CounterCycle.QUARTER.value, "On the first day of each quarter."),
        "NEVER": (CounterCycle.NEVER.value, "Never: they count everything."),
    },
)
ABSENCE_CATCH_UP = EnumKind(
    "AbsenceCatchUp",
    "What becomes of the customers that somebody missed on leave (P46).",
    {
        "NONE": (CATCH_UP_NONE, "Nothing: who comes back stands where the others do."),
        "CAPPED": (CATCH_UP_CAPPED, "They are made up for, up to absenceCatchUpCap in a cycle."),
        "FULL": (CATCH_UP_FULL, "They are all made up for."),
    },
)


@dataclass(frozen=True, slots=True)
class PoolAllocationRule:
    """An ordered rule (P48): customers that have one of the values of each kind that is given go to one of `people` by
    `method`; no values at all are all other customers, no people everybody on the roster.
    """

    title: str
    territories: tuple[str, ...] = field(default=())
    industries: tuple[str, ...] = field(default=())
    sources: tuple[str, ...] = field(default=())
    levels: tuple[str, ...] = field(default=())
    people: tuple[UUID, ...] = field(default=())
    method: str = Method.FLEXIBLE.value
    languages: tuple[str, ...] = field(default=())
    skills: tuple[str, ...] = field(default=())
    products: tuple[str, ...] = field(default=())

    def rule(self) -> AllocationRule:
        """As an allocation goes by it."""
        values = {
            TraitKind.TERRITORY: self.territories,
            TraitKind.INDUSTRY: self.industries,
            TraitKind.SOURCE: self.sources,
            TraitKind.LEVEL: self.levels,
            TraitKind.LANGUAGE: self.languages,
            TraitKind.SKILL: self.skills,
            TraitKind.PRODUCT: self.products,
        }
        conditions = tuple(Condition(kind, given) for kind, given in values.items() if given)
        return AllocationRule(self.title, conditions, self.people, Method(self.method))


@dataclass(frozen=True)
class AllocatingOptions:
    """Options of allocations by a method."""

    weight_ramp_percents: tuple[int, ...] = option(
        "P41",
        (),
        "Percent of their weight that people count with in each month since they were hired; after the last, 100.",
        least=1,
        most=100,
        length=24,
    )
    newcomer_days: int = option(
        "P44", 90, "Days after hiring for which a person is a newcomer.", least=0, most=DAYS_MAX
    )
    newcomer_floor_percent: int = option(
        "P44", 20, "Percent of an equal share that each newcomer is guaranteed by every method.", least=0, most=100
    )
    newcomer_share_percent: int = option(
        "P44", 0, "Percent of all customers that each newcomer is guaranteed by every method.", least=0, most=100
    )
    absence_skips: bool = option("P46", True, "Whether allocations pass over people who are on leave on that day.")
    working_hours: tuple[WorkingHours, ...] = option(
        "P46",
        (),
        "When people are there to be given customers by a method: of everybody, of departments, of people.",
        length=HOURS_MAX,
    )
    absence_catch_up: str = option(
        "P46",
        CATCH_UP_NONE,
        "What becomes of the customers that somebody missed on leave in the present cycle.",
        choices=ABSENCE_CATCH_UP,
    )
    absence_catch_up_cap: int = option(
        "P46",
        10,
        "With CAPPED: the customers that are made up for to a person in a cycle.",
        least=1,
        most=HOLDING_MAX,
    )
    counter_cycle: str = option(
        "P47", CounterCycle.MONTH.value, "When the counters of allocations begin anew.", choices=COUNTER_CYCLE
    )
    allocation_rules: tuple[PoolAllocationRule, ...] = option(
        "P48", (), "Ordered rules of allocation, the first that fits decides; the last is for all others.", length=50
    )
    allocation_default_owner: UUID | None = option(
        "P48", None, "Who gets what nobody of a rule could have; null: it stays in the pool.", reference="emp"
    )

    def newcomer_floor(self) -> NewcomerFloor:
        """What newcomers are guaranteed."""
        return NewcomerFloor(self.newcomer_days, self.newcomer_floor_percent, self.newcomer_share_percent)

    def ordered_rules(self) -> OrderedRules | None:
        """The rules, where there are any."""
        if not self.allocation_rules:
            return None
        return OrderedRules(tuple(each.rule() for each in self.allocation_rules), self.allocation_default_owner)

    def most_made_up(self) -> int | None:
        """How many customers missed on leave are made up for to a person in a cycle; None is no bound."""
        bounds = {CATCH_UP_NONE: 0, CATCH_UP_CAPPED: self.absence_catch_up_cap}
        return bounds.get(self.absence_catch_up)

    def allocating_faults(self) -> Iterator[PoolRuleOutOfRange]:
        """Rules without one for all others at the end, or that can't be applied; titles and hours out of range."""
        for at, hours in enumerate(self.working_hours):
            yield from hours.faults(at)
        rules = self.ordered_rules()
        for fault in () if rules is None else rules.faults():
            yield PoolRuleOutOfRange(fault.key, fault.values, field=("allocationRules",))
        for at, each in enumerate(self.allocation_rules):
            if not 1 <= len(each.title) <= TITLE_MAX:
                told = {"given": len(each.title), "least": 1, "most": TITLE_MAX}
                yield PoolRuleOutOfRange(
                    "customers.pool_rule_out_of_range", told, field=("allocationRules", str(at), "title")
                )
