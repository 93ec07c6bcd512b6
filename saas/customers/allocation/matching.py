"""Whom customers are for, by what is known of people and customers: matching (P43) and ordered rules (P48)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from saas.customers.allocation.choices import CustomerFacts, MatchPlan, Method, OrderedRules, TraitKind
from saas.customers.allocation.roster import Candidate, Roster


@dataclass(frozen=True, slots=True)
class Aim:
    """Whom a customer is for: `first`, until each has had `quota` turns, then `others`; among them `then` decides.

    People are told by their places in a list. Newcomers' guarantee counts among the `entitled`.
    """

    then: Method
    first: frozenset[int]
    others: frozenset[int]
    entitled: frozenset[int]
    quota: int | None = None


class _Fitting(NamedTuple):
    """Who may have customers of a value: those without a trait of its kind too; and who wants them."""

    may: frozenset[int]
    wants: frozenset[int]


class Aims:
    """Whom the customers of a roster are for, by what is known of them."""

    def __init__(self, roster: Roster, people: Sequence[Candidate]) -> None:
        self._roster, self._people = roster, people
        self._everybody = frozenset(range(len(people)))
        self._known: dict[tuple[CustomerFacts, ...], Aim] = {}
        self._fits: dict[tuple[TraitKind, str | None], _Fitting] = {}

    def of(self, records: Sequence[CustomerFacts]) -> Aim:
        """Of customers that go to one person together: who may have each of them."""
        known = tuple(dict.fromkeys(records))
        if known not in self._known:
            self._known[known] = self._found(known)
        return self._known[known]

    def _found(self, records: Sequence[CustomerFacts]) -> Aim:
        match, rules = self._roster.match, self._roster.rules
        if self._roster.method is Method.MATCH and match is not None:
            return self._matched(match, records)
        if self._roster.method is Method.RULES and rules is not None:
            return self._ruled(rules, records[0])
        return Aim(self._roster.method, self._everybody, frozenset(), self._everybody)

    def _matched(self, plan: MatchPlan, records: Sequence[CustomerFacts]) -> Aim:
        may, wanted = self._everybody, self._everybody
        for facts in records:
            may = may.intersection(*(self._fitting(kind, facts.value(kind)).may for kind in plan.must))
            wanted &= frozenset().union(*(self._fitting(kind, facts.value(kind)).wants for kind in plan.prefer))
        return Aim(plan.then, wanted & may, may, may, plan.quota)

    def _fitting(self, kind: TraitKind, value: str | None) -> _Fitting:
        """Whom a value of a kind fits."""
        if (kind, value) not in self._fits:
            facts = CustomerFacts(**{kind.value: value})
            having = {seat: each.values(kind) for seat, each in enumerate(self._people)}
            wants = frozenset(seat for seat, values in having.items() if facts.is_one_of(kind, values))
            without = frozenset(seat for seat, values in having.items() if not values)
            self._fits[kind, value] = _Fitting(wants | without, wants)
        return self._fits[kind, value]

    def _ruled(self, rules: OrderedRules, facts: CustomerFacts) -> Aim:
        """Several records of one company go by the first of them."""
        rule = rules.rules[rules.rule_of(facts)]
        named = frozenset(seat for seat, each in enumerate(self._people) if each.employee_id in rule.people)
        default = frozenset(seat for seat, each in enumerate(self._people) if each.employee_id == rules.default_owner)
        group = named if rule.people else self._everybody
        return Aim(rule.then, group, default, group)


def unfit_kind(plan: MatchPlan, person: Candidate, facts: CustomerFacts) -> TraitKind | None:
    """The kind of the first of a person's traits that keep the customer from them; None where none does."""
    for kind in plan.must:
        values = person.values(kind)
        if values and not facts.is_one_of(kind, values):
            return kind
    return None


def preferred_first(roster: Roster) -> Roster:
    """The roster with customers that somebody prefers before all others, as far as it goes by matching.

    Records of one company stand together where the first of them would.
    """
    if roster.method is not Method.MATCH:
        return roster
    aims = Aims(roster, roster.candidates)
    units = sorted(roster.units(), key=lambda unit: not aims.of([record.facts for record in unit.records]).first)
    return replace(roster, customers=tuple(record for unit in units for record in unit.records))
