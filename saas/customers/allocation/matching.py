"""Whom customers are for, by what is known of people and customers: matching (P43) and ordered rules (P48)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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


class Aims:
    """Whom the customers of a roster are for, by what is known of them."""

    def __init__(self, roster: Roster, people: Sequence[Candidate]) -> None:
        self._roster, self._people = roster, people
        self._everybody = frozenset(range(len(people)))
        self._known: dict[tuple[CustomerFacts, ...], Aim] = {}

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
        may = frozenset(
            seat
            for seat, each in enumerate(self._people)
            if all(unfit_kind(plan, each, facts) is None for facts in records)
        )
        wanted = frozenset(seat for seat in may if all(prefers(plan, self._people[seat], each) for each in records))
        return Aim(plan.then, wanted, may, may, plan.quota)

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


def prefers(plan: MatchPlan, person: Candidate, facts: CustomerFacts) -> bool:
    """Whether a person prefers such customers."""
    return any(facts.is_one_of(kind, person.values(kind)) for kind in plan.prefer)


def preferred_first(roster: Roster) -> Roster:
    """The roster with customers that somebody prefers before all others, as far as it goes by matching.

    Records of one company stand together where the first of them would.
    """
    if roster.method is not Method.MATCH:
        return roster
    aims = Aims(roster, roster.candidates)
    units = sorted(roster.units(), key=lambda unit: not aims.of([record.facts for record in unit.records]).first)
    return replace(roster, customers=tuple(record for unit in units for record in unit.records))
