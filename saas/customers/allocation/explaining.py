"""Why a customer went to this person, and why not to me: from the roster and what was known at its pick.

Nothing is dealt again for that: whoever could not have the customer follows from the people on the roster and from
what they had received before, and so do share, room and turn.

A decision about people that a program makes is owed its reasons (PIPL, art. 24), so each method says in its own
terms what decided; whoever could not have the customer is told the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from types import MappingProxyType
from uuid import UUID

from saas.customers.allocation.choices import CustomerFacts, Method, PluginPlace
from saas.customers.allocation.dealing import Nobody
from saas.customers.allocation.draw import published_weights_of_draw
from saas.customers.allocation.explaining_aims import Told, explain_outside
from saas.customers.allocation.explaining_filters import Filters, room_left
from saas.customers.allocation.explaining_missed import counted, explain_missed, left_to_make_up
from saas.customers.allocation.newcomers import Guarantee, guaranteed_newcomers
from saas.customers.allocation.roster import Candidate, Roster
from saas.customers.allocation.tallies import Tallies, Tally
from saas.customers.allocation.verifier import number_below
from saas.kernel import EXACT, Explanation, rounded
from saas.kernel.explanations import Shown

_CHOSEN: Mapping[Method, Explanation] = MappingProxyType(
    {
        Method.FLEXIBLE: Explanation("customers.allocated_flexible"),
        Method.STRICT: Explanation("customers.allocated_strict"),
        Method.WEIGHTED: Explanation("customers.allocated_weighted"),
        Method.PERFORMANCE: Explanation("customers.allocated_performance"),
        Method.LOAD_ABSOLUTE: Explanation("customers.allocated_load_absolute"),
        Method.LOAD_RELATIVE: Explanation("customers.allocated_load_relative"),
        Method.DRAW: Explanation("customers.allocated_draw"),
        Method.LEVEL: Explanation("customers.allocated_level"),
        Method.PLUGIN: Explanation("customers.allocated_plugin"),
    }
)
_PASSED_OVER: Mapping[Method, Explanation] = MappingProxyType(
    {
        Method.FLEXIBLE: Explanation("customers.passed_over_flexible"),
        Method.STRICT: Explanation("customers.passed_over_strict"),
        Method.WEIGHTED: Explanation("customers.passed_over_share"),
        Method.PERFORMANCE: Explanation("customers.passed_over_share"),
        Method.LOAD_ABSOLUTE: Explanation("customers.passed_over_load"),
        Method.LOAD_RELATIVE: Explanation("customers.passed_over_load"),
        Method.DRAW: Explanation("customers.passed_over_draw"),
        Method.LEVEL: Explanation("customers.passed_over_level"),
        Method.PLUGIN: Explanation("customers.passed_over_plugin"),
    }
)
_NOBODY: Mapping[Nobody, Explanation] = MappingProxyType(
    {
        Nobody.NO_CANDIDATE: Explanation("customers.allocated_no_candidate"),
        Nobody.ALL_FULL: Explanation("customers.allocated_all_full"),
        Nobody.NONE_MAY: Explanation("customers.allocated_none_may"),
    }
)


_WITHOUT_TURNS = frozenset({Method.WEIGHTED, Method.DRAW, Method.PERFORMANCE, Method.PLUGIN})
"""The methods whose shares, weights or answers hold what newcomers are guaranteed already."""


@dataclass(frozen=True, slots=True)
class PickFacts:
    """A pick with what it was made on.

    `label` is the customer's that is asked about, `records` are all that went with it. `received` is what everybody had
    got before its place; `shares`, of the methods by share, are what `shown_shares` gives for the whole allocation.
    `known` is of the records, in their order, where the method goes by that; `answer` is a plugin's. `is_overflow`
    says that nobody could have it, as `nobody` tells, and that the overflow assignee got it (P13).
    """

    label: str
    place: int
    records: frozenset[UUID]
    employee_id: UUID | None
    nobody: Nobody | None
    received: Tallies
    shares: Mapping[UUID, str]
    known: tuple[CustomerFacts, ...] = ()
    answer: PluginPlace | None = None
    is_overflow: bool = False


def shown_shares(shares: Mapping[UUID, Fraction]) -> dict[UUID, str]:
    """Shares in percent, as they are told; who has none is not there."""
    return {employee_id: _percent(share) for employee_id, share in shares.items() if share}


def explain_pick(roster: Roster, facts: PickFacts) -> Explanation:
    """Why the customer went where it did; for one that stayed in the pool, each candidate's reason stands below.

    The roster's customers don't matter.
    """
    case = _Case(roster, facts)
    if facts.nobody is not None:
        parts = tuple(part for each in roster.candidates if (part := case.filtered(each)) is not None)
        args: dict[str, Shown] = {"customer": facts.label}
        if facts.is_overflow and roster.overflow is not None:
            return Explanation("customers.allocated_overflow", {**args, "name": roster.overflow.name}, parts=parts)
        return replace(_NOBODY[facts.nobody], args=args, parts=parts)
    chosen = case.candidate(facts.employee_id)
    args = {"customer": facts.label, "eligible": len(case.eligible)}
    if case.is_by_guarantee:
        parts = (case.guaranteed(chosen),)
        return Explanation("customers.allocated_newcomer", args | case.progress(chosen), parts=parts)
    args |= {"eligible": len(case.line(chosen))}
    if case.is_by_owed:
        parts = (*case.aimed(chosen), *case.missed(chosen))
        return Explanation("customers.allocated_owed", {**args, "name": chosen.name}, parts=parts)
    args |= case.standing(chosen)
    return replace(_CHOSEN[case.method], args=args, parts=(*case.aimed(chosen), *case.grounds(chosen)))


def explain_passed_over(roster: Roster, facts: PickFacts, *, employee_id: UUID) -> Explanation:
    """Why the customer did not go to this person: the rule that kept it from them, or who was ahead and by what.

    For whoever did get it, this is `explain_pick`.

    :raises KeyError: the person is not on the roster.
    """
    case = _Case(roster, facts)
    if facts.is_overflow and employee_id == facts.employee_id:
        return explain_pick(roster, facts)
    asking = case.candidate(employee_id)
    if employee_id == facts.employee_id:
        return explain_pick(roster, facts)
    filtered = case.filtered(asking)
    if filtered is not None:
        return filtered
    chosen = case.candidate(facts.employee_id)
    if case.is_by_guarantee:
        args = {"customer": facts.label, **case.progress(chosen)}
        return Explanation("customers.passed_over_newcomer", args, parts=(case.guaranteed(chosen),))
    if (others_first := case.others_first(asking, chosen)) is not None:
        return others_first
    if case.is_by_owed:
        args = {"customer": facts.label, "name": asking.name, "chosen": chosen.name}
        return Explanation("customers.passed_over_owed", args, parts=(*case.missed(asking), *case.missed(chosen)))
    args = {"customer": facts.label, "chosen": chosen.name, **case.standing(asking)}
    args |= {f"chosen_{name}": value for name, value in case.standing(chosen).items()}
    return replace(_PASSED_OVER[case.method], args=args, parts=(*case.grounds(asking), *case.grounds(chosen)))


class _Case:
    """One pick, with what was known when it was made."""

    def __init__(self, roster: Roster, facts: PickFacts) -> None:
        self.roster, self.facts = roster, facts
        self._people = {each.employee_id: each for each in roster.candidates}

    def candidate(self, employee_id: UUID | None) -> Candidate:
        if employee_id not in self._people:
            raise KeyError(employee_id)
        return self._people[employee_id]

    def filtered(self, candidate: Candidate) -> Explanation | None:
        """The first rule that kept the customer from a person, None where none did."""
        if self._filters.rule_of_all(candidate) is None and (barred := self._barred(candidate)) is not None:
            return barred
        return self._filters.told(candidate)

    @cached_property
    def _filters(self) -> Filters:
        facts = self.facts
        return Filters(self.roster, facts.label, facts.records, facts.shares, self._received)

    @cached_property
    def eligible(self) -> list[Candidate]:
        """Who could have had the customer."""
        could = (each for each in self.roster.candidates if self._filters.rule(each) is None)
        return [each for each in could if self._barred(each) is None]

    @cached_property
    def _told(self) -> Told | None:
        """Whom the customer was for, of the methods that say so."""
        if self.roster.method not in (Method.MATCH, Method.RULES):
            return None
        return Told(self.roster, self.facts.known, lambda each: self._received(each).turns)

    def _barred(self, candidate: Candidate) -> Explanation | None:
        if (outside := explain_outside(self.roster, self.facts.answer, candidate, self.facts.label)) is not None:
            return outside
        return None if self._told is None else self._told.barred(candidate, self.facts.label)

    @property
    def method(self) -> Method:
        """The method that decided among those whom the customer was for."""
        return self.roster.method if self._told is None else self._told.method

    def line(self, chosen: Candidate) -> list[Candidate]:
        """Those among whom it decided."""
        told = self._told
        if told is None or not told.is_first(chosen):
            return self.eligible
        return [each for each in self.eligible if told.is_first(each)]

    def aimed(self, chosen: Candidate) -> tuple[Explanation, ...]:
        """Why the customer was for those."""
        return () if self._told is None else self._told.ground(chosen)

    def others_first(self, asking: Candidate, chosen: Candidate) -> Explanation | None:
        """Where the customer was for others before the one who asks."""
        return None if self._told is None else self._told.passed_over(asking, chosen, self.facts.label)

    @cached_property
    def _guarantee(self) -> tuple[Guarantee, frozenset[UUID]]:
        return guaranteed_newcomers(self.roster)

    @cached_property
    def is_by_guarantee(self) -> bool:
        """Whether the customer went to a newcomer out of turn, who would have had too few otherwise."""
        guarantee, newcomers = self._guarantee
        method, chosen = self.roster.method, self.facts.employee_id
        if method in _WITHOUT_TURNS or chosen not in newcomers or not guarantee.decides(method):
            return False
        if self._told is not None and not self._told.is_entitled(chosen):
            return False
        return self._received(self.candidate(chosen)).turns < guarantee.due(self.facts.place)

    @cached_property
    def is_by_owed(self) -> bool:
        """Whether the customer made up for one that its receiver missed on leave."""
        chosen = self.candidate(self.facts.employee_id)
        return left_to_make_up(self.roster, chosen, self._received(chosen).records) > 0

    def missed(self, candidate: Candidate) -> tuple[Explanation, ...]:
        """What a person missed on leave, and what becomes of it."""
        return explain_missed(self.roster, candidate, self._received(candidate).records)

    def progress(self, candidate: Candidate) -> dict[str, Shown]:
        """What a newcomer had got of all that were dealt before."""
        return {"name": candidate.name, "received": self._received(candidate).turns, "dealt": self.facts.place}

    def guaranteed(self, newcomer: Candidate) -> Explanation:
        """Since when a newcomer is one, and what that guarantees."""
        floor, (guarantee, _) = self.roster.newcomers, self._guarantee
        args: dict[str, Shown] = {"name": newcomer.name, "hired": str(newcomer.hired_on)}
        args |= {"days": None if floor is None else floor.days, "least": _percent(guarantee.rate)}
        return Explanation("customers.newcomer_guaranteed", args)

    def _received(self, candidate: Candidate) -> Tally:
        return self.facts.received.get(candidate.employee_id, Tally())

    def standing(self, candidate: Candidate) -> dict[str, Shown]:
        """Where a person stood when the pick was made, in the terms of the method."""
        method, name = self.method, candidate.name
        if self.roster.plugin is not None:
            told = self.roster.plugin
            return {"name": name, "plugin": told.plugin, "version": told.version, "method": told.method}
        if method is Method.LEVEL:
            return {"name": name, "level": candidate.level + counted(candidate, self._received(candidate).records)}
        if method is Method.STRICT:
            return {"name": name, "turn": candidate.turn}
        if method in (Method.LOAD_ABSOLUTE, Method.LOAD_RELATIVE):
            return {
                "name": name,
                "room": room_left(candidate, self._received(candidate)),
                "limit": candidate.holding_limit,
            }
        if method is Method.DRAW:
            return {"name": name, **self._part_of_wheel(candidate)}
        if method is Method.FLEXIBLE:
            return {"name": name}
        dealt = sum(each.turns for each in self.facts.received.values())
        share = self.facts.shares[candidate.employee_id]
        return {"name": name, "share": share, "received": self._received(candidate).turns, "dealt": dealt}

    def _part_of_wheel(self, candidate: Candidate) -> dict[str, Shown]:
        """The numbers that would have fallen on a person, first and last, and the number that came."""
        standing = sorted(self.eligible, key=lambda each: each.employee_id)
        weights = self._drawn_weights
        ends = list(accumulate(weights[each.employee_id] for each in standing))
        end, draw = ends[standing.index(candidate)], str(self.roster.allocation_id)
        _, number = number_below(ends[-1], seed=self.roster.drawn_seed(), draw=draw, place=self.facts.place)
        first = end - weights[candidate.employee_id]
        return {"number": number, "total": ends[-1], "first": first, "last": end - 1}

    @cached_property
    def _drawn_weights(self) -> Mapping[UUID, int]:
        return published_weights_of_draw(self.roster)

    def grounds(self, candidate: Candidate) -> tuple[Explanation, ...]:
        """What the standing rests on."""
        return (*self._grounds(candidate), *self.missed(candidate))

    def _grounds(self, candidate: Candidate) -> tuple[Explanation, ...]:
        answer = self.facts.answer
        if answer is not None:
            is_chosen = candidate.employee_id == answer.employee_id
            return (Explanation(answer.key, dict(answer.args)),) if is_chosen else ()
        if self.method is Method.LEVEL:
            return (self._level(candidate), self._last_served(candidate))
        if self.method is Method.FLEXIBLE:
            return (self._last_served(candidate),)
        if self.roster.method is Method.PERFORMANCE:
            return (self._share(candidate),)
        if self.roster.method.needs_weight:
            is_newcomer = candidate.employee_id in self._guarantee[1]
            return (*_ramp(candidate), *((self.guaranteed(candidate),) if is_newcomer else ()))
        return ()

    def _last_served(self, candidate: Candidate) -> Explanation:
        cycle: dict[str, Shown] = {"name": candidate.name, "count": candidate.assigned_in_cycle}
        if (last := self._received(candidate).last) is not None:
            return Explanation("customers.served_in_this", {**cycle, "place": last + 1})
        if candidate.last_served_at is None:
            return Explanation("customers.served_never", cycle)
        return Explanation("customers.served_last", {**cycle, "at": candidate.last_served_at.isoformat()})

    def _level(self, candidate: Candidate) -> Explanation:
        args: dict[str, Shown] = {"name": candidate.name, "calibration": candidate.calibration}
        args |= {"assigned": candidate.assigned_in_cycle, "credits": candidate.credits}
        args |= {"received": counted(candidate, self._received(candidate).records), "priority": candidate.priority}
        return Explanation("customers.level_of", args)

    def _share(self, candidate: Candidate) -> Explanation:
        plan = self.roster.performance
        assert plan is not None
        people = sum(self._filters.rule_of_all(each) is None for each in self.roster.candidates)
        guarantee, newcomers = self._guarantee
        least = plan.guarantee(people, is_newcomer=plan.is_newcomer(candidate.hired_on, self.roster.day))
        if candidate.employee_id in newcomers:
            least = max(least, guarantee.rate)
        args: dict[str, Shown] = {
            "name": candidate.name,
            "share": self.facts.shares[candidate.employee_id],
            "least": _percent(least),
            "from": plan.period.first.isoformat(),
            "to": str(plan.period.last),
        }
        if candidate.attainment is None:
            return Explanation("customers.share_of_average", args)
        args |= {"attainment": _percent(Fraction(candidate.attainment))}
        weight = plan.weight(candidate.attainment)
        args |= {"weight": str(rounded(EXACT.divide(Decimal(weight.numerator), Decimal(weight.denominator)), 4))}
        return Explanation("customers.share_of_attainment", args)


def _ramp(candidate: Candidate) -> tuple[Explanation, ...]:
    if candidate.ramp_percent == 100:
        return ()
    args: dict[str, Shown] = {"name": candidate.name, "hired": str(candidate.hired_on)}
    args |= {"percent": candidate.ramp_percent, "weight": candidate.weight}
    return (Explanation("customers.weight_ramped", args),)


def _percent(share: Fraction) -> str:
    return str(rounded(EXACT.divide(Decimal(share.numerator * 100), Decimal(share.denominator)), 2))
