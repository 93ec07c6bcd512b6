"""Why a customer went to this person, and why not to me: from the roster and its allocation, for anybody who asks.

A decision about people that a program makes is owed its reasons (PIPL, art. 24), so each method says in its own
terms what decided; whoever could not have the customer is told the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from types import MappingProxyType
from uuid import UUID

from saas.customers.allocation.dealing import Allocation, FilterRule, Nobody, Pick
from saas.customers.allocation.roster import Candidate, Method, Roster
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
    }
)
_FILTERED: Mapping[FilterRule, Explanation] = MappingProxyType(
    {
        FilterRule.DISABLED: Explanation("customers.filtered_disabled"),
        FilterRule.ABSENT: Explanation("customers.filtered_absent"),
        FilterRule.NO_WEIGHT: Explanation("customers.filtered_no_weight"),
        FilterRule.HOLDING_LIMIT: Explanation("customers.filtered_holding_limit"),
        FilterRule.THRESHOLD: Explanation("customers.filtered_threshold"),
        FilterRule.COOLDOWN: Explanation("customers.filtered_cooldown"),
    }
)
_NOBODY: Mapping[Nobody, Explanation] = MappingProxyType(
    {
        Nobody.NO_CANDIDATE: Explanation("customers.allocated_no_candidate"),
        Nobody.ALL_FULL: Explanation("customers.allocated_all_full"),
        Nobody.NONE_MAY: Explanation("customers.allocated_none_may"),
    }
)


def explain_pick(roster: Roster, allocation: Allocation, customer_id: UUID) -> Explanation:
    """Why the customer went where it did; for one that stayed in the pool, each candidate's reason stands below.

    :raises KeyError: the customer is not on the roster.
    """
    case = _Case(roster, allocation, customer_id)
    if case.pick.nobody is not None:
        parts = tuple(part for each in roster.candidates if (part := case.filtered(each)) is not None)
        return replace(_NOBODY[case.pick.nobody], args={"customer": case.label}, parts=parts)
    chosen = case.candidate(case.pick.employee_id)
    args = {"customer": case.label, "eligible": case.eligible(), **case.standing(chosen)}
    return replace(_CHOSEN[roster.method], args=args, parts=case.grounds(chosen))


def explain_passed_over(roster: Roster, allocation: Allocation, customer_id: UUID, *, employee_id: UUID) -> Explanation:
    """Why the customer did not go to this person: the rule that kept it from them, or who was ahead and by what.

    For whoever did get it, this is `explain_pick`.

    :raises KeyError: the customer or the person is not on the roster.
    """
    case = _Case(roster, allocation, customer_id)
    asking = case.candidate(employee_id)
    if employee_id == case.pick.employee_id:
        return explain_pick(roster, allocation, customer_id)
    filtered = case.filtered(asking)
    if filtered is not None:
        return filtered
    chosen = case.candidate(case.pick.employee_id)
    args: dict[str, Shown] = {"customer": case.label, "chosen": chosen.name, **case.standing(asking)}
    args |= {f"chosen_{name}": value for name, value in case.standing(chosen).items()}
    return replace(_PASSED_OVER[roster.method], args=args, parts=(*case.grounds(asking), *case.grounds(chosen)))


class _Case:
    """One pick, with what was known when it was made."""

    def __init__(self, roster: Roster, allocation: Allocation, customer_id: UUID) -> None:
        self.roster, self.allocation = roster, allocation
        self.pick = _pick_of(allocation, customer_id)
        self.label = next(each.label for each in roster.customers if each.customer_id == customer_id)
        self._people = {each.employee_id: each for each in roster.candidates}

    def candidate(self, employee_id: UUID | None) -> Candidate:
        if employee_id not in self._people:
            raise KeyError(employee_id)
        return self._people[employee_id]

    def filtered(self, candidate: Candidate) -> Explanation | None:
        """The first rule that kept the customer from a person, None where none did."""
        for each in self.allocation.filtered:
            if each.employee_id == candidate.employee_id and each.covers(self.pick.place):
                args: dict[str, Shown] = {"name": candidate.name, "customer": self.label}
                args |= {"day": self.roster.day.isoformat(), "limit": candidate.holding_limit}
                args |= {"assignable": candidate.assignable, "room": self._room(candidate)}
                return replace(_FILTERED[each.rule], args=args)
        return None

    def eligible(self) -> int:
        """How many could have had the customer."""
        out = {each.employee_id for each in self.allocation.filtered if each.covers(self.pick.place)}
        return len(self.roster.candidates) - len(out)

    def _before(self, candidate: Candidate) -> list[Pick]:
        earlier = self.allocation.picks[: self.pick.place]
        return [pick for pick in earlier if pick.employee_id == candidate.employee_id]

    def _room(self, candidate: Candidate) -> int | None:
        taken = sum(len(pick.customer_ids) for pick in self._before(candidate))
        return None if candidate.holding_room is None else candidate.holding_room - taken

    def standing(self, candidate: Candidate) -> dict[str, Shown]:
        """Where a person stood when the pick was made, in the terms of the method."""
        method, name = self.roster.method, candidate.name
        if method is Method.STRICT:
            return {"name": name, "turn": candidate.turn}
        if method in (Method.LOAD_ABSOLUTE, Method.LOAD_RELATIVE):
            return {"name": name, "room": self._room(candidate), "limit": candidate.holding_limit}
        if method is Method.DRAW:
            return {"name": name, **self._part_of_wheel(candidate)}
        if method is Method.FLEXIBLE:
            return {"name": name}
        dealt = sum(pick.employee_id is not None for pick in self.allocation.picks[: self.pick.place])
        share = _percent(self.allocation.shares.get(candidate.employee_id, Fraction(0)))
        return {"name": name, "share": share, "received": len(self._before(candidate)), "dealt": dealt}

    def _part_of_wheel(self, candidate: Candidate) -> dict[str, Shown]:
        """The numbers that would have fallen on a person, first and last, and the number that came."""
        drawn = self.allocation.drawn[self.pick.place]
        people = sorted(self.roster.candidates, key=lambda each: each.employee_id)
        standing = [each for each in people if self.filtered(each) is None]
        ends = accumulate(each.weight for each in standing)
        end = next(end for each, end in zip(standing, ends, strict=True) if each == candidate)
        return {"number": drawn.number, "total": drawn.total, "first": end - candidate.weight, "last": end - 1}

    def grounds(self, candidate: Candidate) -> tuple[Explanation, ...]:
        """What the standing rests on."""
        if self.roster.method is Method.FLEXIBLE:
            return (self._last_served(candidate),)
        return (self._share(candidate),) if self.roster.method is Method.PERFORMANCE else ()

    def _last_served(self, candidate: Candidate) -> Explanation:
        cycle: dict[str, Shown] = {"name": candidate.name, "count": candidate.assigned_in_cycle}
        if before := self._before(candidate):
            return Explanation("customers.served_in_this", {**cycle, "place": before[-1].place + 1})
        if candidate.last_served_at is None:
            return Explanation("customers.served_never", cycle)
        return Explanation("customers.served_last", {**cycle, "at": candidate.last_served_at.isoformat()})

    def _share(self, candidate: Candidate) -> Explanation:
        plan, shares = self.roster.performance, self.allocation.shares
        assert plan is not None
        is_newcomer = plan.is_newcomer(candidate.hired_on, self.roster.day)
        args: dict[str, Shown] = {
            "name": candidate.name,
            "share": _percent(shares.get(candidate.employee_id, Fraction(0))),
            "least": _percent(plan.guarantee(len(shares), is_newcomer=is_newcomer)),
            "from": plan.period.first.isoformat(),
            "to": str(plan.period.last),
        }
        if candidate.attainment is None:
            return Explanation("customers.share_of_average", args)
        args |= {"attainment": _percent(Fraction(candidate.attainment))}
        weight = plan.weight(candidate.attainment)
        args |= {"weight": str(rounded(EXACT.divide(Decimal(weight.numerator), Decimal(weight.denominator)), 4))}
        return Explanation("customers.share_of_attainment", args)


def _pick_of(allocation: Allocation, customer_id: UUID) -> Pick:
    for pick in allocation.picks:
        if customer_id in pick.customer_ids:
            return pick
    raise KeyError(customer_id)


def _percent(share: Fraction) -> str:
    return str(rounded(EXACT.divide(Decimal(share.numerator * 100), Decimal(share.denominator)), 2))
