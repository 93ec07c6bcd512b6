"""What an allocation can be dealt by: the methods, and what some of them need beside their name.

All of it is frozen with the roster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from uuid import UUID

from saas.customers.allocation.errors import RosterImpossible
from saas.kernel import Scalar

RULES_MAX = 50
VALUES_MAX = 100
QUOTA_MAX = 100_000


class Method(Enum):
    """How customers are dealt."""

    FLEXIBLE = "flexible"
    STRICT = "strict"
    WEIGHTED = "weighted"
    PERFORMANCE = "performance"
    LOAD_ABSOLUTE = "load_absolute"
    LOAD_RELATIVE = "load_relative"
    DRAW = "draw"
    LEVEL = "level"
    MATCH = "match"
    RULES = "rules"
    PLUGIN = "plugin"

    @property
    def needs_weight(self) -> bool:
        """Whether a weight of 0 leaves a person out."""
        return self in (Method.WEIGHTED, Method.DRAW)


IN_LINE = (Method.FLEXIBLE, Method.LOAD_ABSOLUTE, Method.LOAD_RELATIVE, Method.LEVEL)
"""The methods that go by where somebody stands in a line: what matching and ordered rules go on by."""


GO_BY_FACTS = frozenset({Method.MATCH, Method.RULES, Method.PLUGIN})
"""The methods that go by what is known of customers."""


class CounterCycle(Enum):
    """When counters of what was assigned begin anew (P47)."""

    MONTH = "month"
    QUARTER = "quarter"
    NEVER = "never"

    def first(self, day: date) -> date:
        """The first day of the cycle that a day lies in."""
        if self is CounterCycle.NEVER:
            return date.min
        month = day.month if self is CounterCycle.MONTH else (day.month - 1) // 3 * 3 + 1
        return day.replace(month=month, day=1)


@dataclass(frozen=True, slots=True)
class NewcomerFloor:
    """What people hired less than `days` ago are guaranteed, each: `floor_percent` of an equal share of the customers,
    and `share_percent` of all of them; the larger counts.
    """

    days: int = 90
    floor_percent: int = 20
    share_percent: int = 0


class TraitKind(Enum):
    """What people and customers can have in common: a territory is the beginning of a district's code (GB/T 2260)."""

    TERRITORY = "territory"
    INDUSTRY = "industry"
    SOURCE = "source"
    LEVEL = "level"
    LANGUAGE = "language"
    SKILL = "skill"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that a person is there for: customers of a territory, an industry, a source or a level, who speak a
    language, need a skill or want a product.
    """

    kind: TraitKind
    value: str


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What matching and ordered rules know of a customer."""

    territory: str | None = None
    industry: str | None = None
    source: str | None = None
    level: str | None = None
    language: str | None = None
    skill: str | None = None
    product: str | None = None

    def value(self, kind: TraitKind) -> str | None:
        """What the customer has of a kind; None where that is not known."""
        found: str | None = getattr(self, kind.value)
        return found

    def is_one_of(self, kind: TraitKind, values: Sequence[str]) -> bool:
        """Whether the customer has one of the values; what is not known is none of them."""
        own = self.value(kind)
        if own is None:
            return False
        return any(own.startswith(each) for each in values) if kind is TraitKind.TERRITORY else own in values


NOTHING_KNOWN = CustomerFacts()


@dataclass(frozen=True, slots=True)
class MatchPlan:
    """Match first (P43): people with traits of a kind in `must` have no customers but those that fit; of those who may,
    the ones who prefer the customer come first, until each has had `quota` turns. `then` decides among several.

    Somebody prefers a customer who has a trait of a kind in `prefer` that fits it.
    """

    must: tuple[TraitKind, ...] = (TraitKind.TERRITORY,)
    prefer: tuple[TraitKind, ...] = ()
    then: Method = Method.FLEXIBLE
    quota: int | None = None

    def faults(self) -> Iterator[RosterImpossible]:
        """What is wrong with it."""
        if self.then not in IN_LINE:
            yield RosterImpossible("customers.match_then_refused", {"method": self.then.value})
        if self.quota is not None and not 1 <= self.quota <= QUOTA_MAX:
            yield RosterImpossible("customers.match_quota_out_of_range", {"given": self.quota, "most": QUOTA_MAX})
        if not self.must and not self.prefer:
            yield RosterImpossible("customers.match_of_nothing")


@dataclass(frozen=True, slots=True)
class Condition:
    """A customer fits that has one of the values of a kind."""

    kind: TraitKind
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllocationRule:
    """Customers that fit all conditions go to one of `people` by `then`; no condition fits every customer, and no
    people are everybody on the roster.
    """

    title: str
    conditions: tuple[Condition, ...] = ()
    people: tuple[UUID, ...] = ()
    then: Method = Method.FLEXIBLE

    def fits(self, facts: CustomerFacts) -> bool:
        """Whether the rule is for such customers."""
        return all(facts.is_one_of(each.kind, each.values) for each in self.conditions)


@dataclass(frozen=True, slots=True)
class OrderedRules:
    """The first rule that fits a customer decides (P48). Where nobody of it may have the customer it goes to the
    default owner, and where there is none, or they may not either, it stays in the pool, which is told.
    """

    rules: tuple[AllocationRule, ...]
    default_owner: UUID | None = None

    def rule_of(self, facts: CustomerFacts) -> int:
        """The place of the first rule that fits; the last fits all."""
        return next(place for place, rule in enumerate(self.rules) if rule.fits(facts))

    def faults(self) -> Iterator[RosterImpossible]:
        """What is wrong with them: above all, that no rule at the end is for all others."""
        if not 1 <= len(self.rules) <= RULES_MAX:
            yield RosterImpossible("customers.rules_too_many", {"given": len(self.rules), "most": RULES_MAX})
        if not self.rules or self.rules[-1].conditions:
            yield RosterImpossible("customers.rules_without_catch_all", {"rules": len(self.rules)})
        for number, rule in enumerate(self.rules, start=1):
            if not rule.conditions and number < len(self.rules):
                yield RosterImpossible("customers.rule_hides_others", {"number": number, "title": rule.title})
            if not all(1 <= len(each.values) <= VALUES_MAX for each in rule.conditions):
                yield RosterImpossible("customers.rule_condition_empty", {"number": number, "title": rule.title})
            if rule.then not in IN_LINE:
                told: dict[str, Scalar] = {"number": number, "title": rule.title, "method": rule.then.value}
                yield RosterImpossible("customers.rule_then_refused", told)


@dataclass(frozen=True, slots=True)
class PluginPlace:
    """Where a plugin's method put a customer, or records of one company together; nobody where `employee_id` is None.

    `key` and `args` are its sentence. `group` is the place, among the groups of its `PluginMethod`, of those whom the
    customer was for.
    """

    employee_id: UUID | None
    group: int
    key: str
    args: Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class PluginMethod:
    """The method of a plugin that dealt, in which version; `groups` are whom customers were for."""

    plugin: str
    version: str
    method: str
    groups: tuple[frozenset[UUID], ...]
