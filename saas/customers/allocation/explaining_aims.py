"""Whom a customer was for when it was dealt, told: the rule or the match that came before the line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from uuid import UUID

from saas.customers.allocation.choices import CustomerFacts, MatchPlan, Method, OrderedRules, PluginPlace, TraitKind
from saas.customers.allocation.matching import Aims, unfit_kind
from saas.customers.allocation.roster import Candidate, Roster
from saas.kernel import Explanation
from saas.kernel.explanations import Shown

_UNFIT: Mapping[TraitKind, Explanation] = MappingProxyType(
    {
        TraitKind.TERRITORY: Explanation("customers.filtered_territory"),
        TraitKind.INDUSTRY: Explanation("customers.filtered_industry"),
        TraitKind.SOURCE: Explanation("customers.filtered_source"),
        TraitKind.LEVEL: Explanation("customers.filtered_level"),
        TraitKind.LANGUAGE: Explanation("customers.filtered_language"),
        TraitKind.SKILL: Explanation("customers.filtered_skill"),
        TraitKind.PRODUCT: Explanation("customers.filtered_product"),
    }
)
_RULED, _RULED_DEFAULT = Explanation("customers.ruled"), Explanation("customers.ruled_default")
_PREFERRED, _MATCHED = Explanation("customers.matched_preferred"), Explanation("customers.matched")
_BY_RULE, _BY_MATCH = Explanation("customers.passed_over_rules"), Explanation("customers.passed_over_match")


class Told:
    """A customer's aim. `known` is of all records that went with it, `turns` what somebody had had before."""

    def __init__(self, roster: Roster, known: Collection[CustomerFacts], turns: Callable[[Candidate], int]) -> None:
        self._roster, self._known, self._turns = roster, list(known), turns
        self._places = {each.employee_id: place for place, each in enumerate(roster.candidates)}
        self.aim = Aims(roster, roster.candidates).of(self._known)

    @property
    def method(self) -> Method:
        """The method that decided among several."""
        return self.aim.then

    def is_first(self, person: Candidate) -> bool:
        """Whether the customer was for them before others."""
        quota = self.aim.quota
        return self._places[person.employee_id] in self.aim.first and (quota is None or self._turns(person) < quota)

    def is_entitled(self, employee_id: UUID) -> bool:
        """Whether newcomers' guarantee counts for them here."""
        return self._places[employee_id] in self.aim.entitled

    def barred(self, person: Candidate, label: str) -> Explanation | None:
        """Why the customer was not for a person at all; None where it was."""
        if self._places[person.employee_id] in self.aim.first | self.aim.others:
            return None
        args: dict[str, Shown] = {"name": person.name, "customer": label}
        if self._roster.rules is not None and self._roster.method is Method.RULES:
            return Explanation("customers.filtered_rule", {**args, **self._rule(self._roster.rules)})
        assert self._roster.match is not None
        return self._unfit(self._roster.match, person, args)

    def _unfit(self, plan: MatchPlan, person: Candidate, args: dict[str, Shown]) -> Explanation:
        facts = next(each for each in self._known if unfit_kind(plan, person, each) is not None)
        kind = unfit_kind(plan, person, facts)
        assert kind is not None
        args |= {"theirs": ", ".join(person.values(kind)), "its": facts.value(kind) or "–"}
        return replace(_UNFIT[kind], args=args)

    def _rule(self, rules: OrderedRules) -> dict[str, Shown]:
        place = rules.rule_of(self._known[0])
        return {"number": place + 1, "title": rules.rules[place].title}

    def ground(self, chosen: Candidate) -> tuple[Explanation, ...]:
        """What came before the line: the rule, or the match."""
        if self._roster.rules is not None and self._roster.method is Method.RULES:
            told = _RULED if self.is_first(chosen) else _RULED_DEFAULT
            return (replace(told, args={"name": chosen.name, **self._rule(self._roster.rules)}),)
        if self._roster.method is Method.MATCH:
            return (replace(_PREFERRED if self.is_first(chosen) else _MATCHED, args={"name": chosen.name}),)
        return ()

    def passed_over(self, asking: Candidate, chosen: Candidate, label: str) -> Explanation | None:
        """Where the customer was for the chosen before the one who asks; None where both stood in the same line."""
        if self.is_first(asking) or not self.is_first(chosen):
            return None
        args: dict[str, Shown] = {"customer": label, "name": asking.name, "chosen": chosen.name}
        told = _BY_RULE if self._roster.method is Method.RULES else _BY_MATCH
        return replace(told, args=args, parts=self.ground(chosen))


def explain_outside(roster: Roster, answer: PluginPlace | None, person: Candidate, label: str) -> Explanation | None:
    """Why a plugin's method had the customer for others than this person; None where it had not."""
    if roster.plugin is None or answer is None or person.employee_id in roster.plugin.groups[answer.group]:
        return None
    args: dict[str, Shown] = {"name": person.name, "customer": label, "plugin": roster.plugin.plugin}
    return Explanation("customers.filtered_plugin", {**args, "method": roster.plugin.method})
