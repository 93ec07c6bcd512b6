"""An oracle of explanations: the roster is dealt again, and every pick and filter of the whole allocation looked at."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from uuid import UUID

from saas.customers.allocation import (
    Allocation,
    Candidate,
    FilterRule,
    Method,
    Pick,
    PickFacts,
    Roster,
    Tally,
    shown_shares,
)
from saas.customers.allocation.draw import candidate_entries
from saas.kernel import EXACT, Explanation, rounded
from saas.kernel.explanations import Shown

_OVER = {
    Method.WEIGHTED: "share",
    Method.PERFORMANCE: "share",
    Method.LOAD_ABSOLUTE: "load",
    Method.LOAD_RELATIVE: "load",
}


class DealtAgain:
    """An allocation, and why one of its customers went where it did."""

    def __init__(self, roster: Roster, allocation: Allocation, customer_id: UUID) -> None:
        self.roster, self.allocation = roster, allocation
        (self.label,) = [each.label for each in roster.customers if each.customer_id == customer_id]
        (self.unit,) = [pick for pick in allocation.picks if customer_id in pick.customer_ids]

    def why(self) -> Explanation:
        """Why it went where it did."""
        if self.unit.nobody is not None:
            parts = [self.filtered(each) for each in self.roster.candidates]
            told = tuple(part for part in parts if part is not None)
            return Explanation(f"customers.allocated_{self.unit.nobody.value}", {"customer": self.label}, parts=told)
        chosen = self.person(self.unit.employee_id)
        eligible = sum(self.filtered(each) is None for each in self.roster.candidates)
        args: dict[str, Shown] = {"customer": self.label, "eligible": eligible}
        if self.is_by_guarantee:
            parts = (self.guaranteed(chosen),)
            return Explanation("customers.allocated_newcomer", args | self.progress(chosen), parts=parts)
        args |= self.standing(chosen)
        return Explanation(f"customers.allocated_{self.roster.method.value}", args, parts=self.grounds(chosen))

    def why_not(self, employee_id: UUID) -> Explanation:
        """Why it did not go to a person."""
        asking = self.person(employee_id)
        if employee_id == self.unit.employee_id:
            return self.why()
        if (filtered := self.filtered(asking)) is not None:
            return filtered
        chosen = self.person(self.unit.employee_id)
        if self.is_by_guarantee:
            parts = (self.guaranteed(chosen),)
            args = {"customer": self.label, **self.progress(chosen)}
            return Explanation("customers.passed_over_newcomer", args, parts=parts)
        args: dict[str, Shown] = {"customer": self.label, "chosen": chosen.name, **self.standing(asking)}
        args |= {f"chosen_{name}": value for name, value in self.standing(chosen).items()}
        key = _OVER.get(self.roster.method, self.roster.method.value)
        return Explanation(f"customers.passed_over_{key}", args, parts=(*self.grounds(asking), *self.grounds(chosen)))

    def facts(self) -> PickFacts:
        """What the product explains it from."""
        return PickFacts(
            label=self.label,
            place=self.unit.place,
            records=frozenset(self.unit.customer_ids),
            employee_id=self.unit.employee_id,
            nobody=self.unit.nobody,
            received={each.employee_id: self.tally(each) for each in self.roster.candidates},
            shares=shown_shares(self.allocation.shares),
        )

    def tally(self, who: Candidate) -> Tally:
        """What a person had received before."""
        before = self.before(who)
        return Tally(len(before), sum(len(pick.customer_ids) for pick in before), before[-1].place if before else None)

    def person(self, employee_id: UUID | None) -> Candidate:
        (found,) = [each for each in self.roster.candidates if each.employee_id == employee_id]
        return found

    def before(self, who: Candidate) -> list[Pick]:
        return [pick for pick in self.allocation.picks[: self.unit.place] if pick.employee_id == who.employee_id]

    def room(self, who: Candidate) -> int | None:
        taken = sum(len(pick.customer_ids) for pick in self.before(who))
        return None if who.holding_room is None else who.holding_room - taken

    def filtered(self, who: Candidate) -> Explanation | None:
        for each in self.allocation.filtered:
            if each.employee_id == who.employee_id and each.covers(self.unit.place):
                args: dict[str, Shown] = {"name": who.name, "customer": self.label, "limit": who.holding_limit}
                args |= {"assignable": who.assignable, "room": self.room(who), "day": self.roster.day.isoformat()}
                return Explanation(f"customers.filtered_{each.rule.value}", args)
        return None

    def standing(self, who: Candidate) -> dict[str, Shown]:
        method, named = self.roster.method, {"name": who.name}
        if method is Method.FLEXIBLE:
            return {**named}
        if method is Method.STRICT:
            return {**named, "turn": who.turn}
        if method in (Method.LOAD_ABSOLUTE, Method.LOAD_RELATIVE):
            return {**named, "room": self.room(who), "limit": who.holding_limit}
        if method is Method.DRAW:
            drawn, by_id = self.allocation.drawn[self.unit.place], lambda each: each.employee_id
            wheel = [each for each in sorted(self.roster.candidates, key=by_id) if self.filtered(each) is None]
            weights = [self.drawn_weight(each) for each in wheel]
            end = list(accumulate(weights))[wheel.index(who)]
            first = end - weights[wheel.index(who)]
            return {**named, "number": drawn.number, "total": drawn.total, "first": first, "last": end - 1}
        dealt = sum(pick.employee_id is not None for pick in self.allocation.picks[: self.unit.place])
        return {**named, "share": self.share(who), "received": len(self.before(who)), "dealt": dealt}

    def standing_at_all(self) -> list[Candidate]:
        """Those whom no filter kept from every customer."""
        out = {each.employee_id for each in self.allocation.filtered if (each.first, each.last) == (0, None)}
        rooms = {each.employee_id for each in self.allocation.filtered if each.first and each.last is None}
        assert not out & rooms
        by_share = FilterRule.NO_WEIGHT if self.roster.method is Method.PERFORMANCE else None
        left_out = {each.employee_id for each in self.allocation.filtered if each.rule is by_share}
        return [each for each in self.roster.candidates if each.employee_id not in out - left_out]

    def newcomers(self) -> list[Candidate]:
        """Newcomers who could receive, where they are guaranteed anything."""
        floor, day = self.roster.newcomers, self.roster.day
        if floor is None or not self.rate():
            return []
        hired = [each for each in self.standing_at_all() if each.hired_on is not None]
        return [each for each in hired if (day - each.hired_on).days < floor.days]  # type: ignore[operator]

    def rate(self) -> Fraction:
        floor = self.roster.newcomers
        assert floor is not None
        people = max(len(self.standing_at_all()), 1)
        return max(Fraction(floor.floor_percent, 100) / people, Fraction(floor.share_percent, 100))

    @property
    def is_by_guarantee(self) -> bool:
        """Whether a newcomer was served who could fall below the guarantee before all newcomers were served once."""
        if self.roster.method not in (Method.LOAD_ABSOLUTE, Method.LOAD_RELATIVE, Method.FLEXIBLE, Method.STRICT):
            return False
        newcomers = self.newcomers()
        is_equal = self.roster.method in (Method.FLEXIBLE, Method.STRICT)
        if is_equal and (not newcomers or self.rate() <= Fraction(1, len(self.standing_at_all()))):
            return False
        ahead = self.unit.place + len(newcomers)
        return any(
            each.employee_id == self.unit.employee_id and len(self.before(each)) + 1 <= self.rate() * ahead
            for each in newcomers
        )

    def progress(self, who: Candidate) -> dict[str, Shown]:
        return {"name": who.name, "received": len(self.before(who)), "dealt": self.unit.place}

    def guaranteed(self, who: Candidate) -> Explanation:
        assert self.roster.newcomers is not None
        args: dict[str, Shown] = {"name": who.name, "hired": str(who.hired_on), "days": self.roster.newcomers.days}
        return Explanation("customers.newcomer_guaranteed", {**args, "least": percent(self.rate())})

    def drawn_weight(self, who: Candidate) -> int:
        entries = {each["id"]: each["weight"] for each in candidate_entries(self.roster, self.roster.units())}
        return int(entries[str(who.employee_id)])

    def share(self, who: Candidate) -> str:
        return percent(self.allocation.shares.get(who.employee_id, Fraction(0)))

    def grounds(self, who: Candidate) -> tuple[Explanation, ...]:
        if self.roster.method is Method.FLEXIBLE:
            cycle: dict[str, Shown] = {"name": who.name, "count": who.assigned_in_cycle}
            if before := self.before(who):
                return (Explanation("customers.served_in_this", {**cycle, "place": before[-1].place + 1}),)
            if who.last_served_at is None:
                return (Explanation("customers.served_never", cycle),)
            return (Explanation("customers.served_last", {**cycle, "at": who.last_served_at.isoformat()}),)
        if self.roster.performance is None or self.roster.method is not Method.PERFORMANCE:
            is_told = self.roster.method in (Method.WEIGHTED, Method.DRAW) and who in self.newcomers()
            return (self.guaranteed(who),) if is_told else ()
        plan, shares = self.roster.performance, self.allocation.shares
        least = plan.guarantee(len(shares), is_newcomer=plan.is_newcomer(who.hired_on, self.roster.day))
        least = max(least, self.rate() if who in self.newcomers() else Fraction(0))
        args: dict[str, Shown] = {"name": who.name, "share": self.share(who), "least": percent(least)}
        args |= {"from": plan.period.first.isoformat(), "to": str(plan.period.last)}
        if who.attainment is None:
            return (Explanation("customers.share_of_average", args),)
        weight = plan.weight(who.attainment)
        args |= {"attainment": percent(Fraction(who.attainment)), "weight": decimal(weight, 4)}
        return (Explanation("customers.share_of_attainment", args),)


def percent(share: Fraction) -> str:
    return decimal(share * 100, 2)


def decimal(number: Fraction, digits: int) -> str:
    return str(rounded(EXACT.divide(EXACT.create_decimal(number.numerator), number.denominator), digits))
