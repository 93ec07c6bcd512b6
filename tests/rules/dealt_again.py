"""An oracle of explanations: the roster is dealt again, and every pick and filter of the whole allocation looked at."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from uuid import UUID

from saas.customers.allocation import (
    Allocation,
    AllocationRule,
    Candidate,
    CustomerFacts,
    FilterRule,
    Method,
    Pick,
    PickFacts,
    Roster,
    Tally,
    TraitKind,
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
            reasons = [self.filtered(each) for each in self.roster.candidates]
            why = tuple(reason for reason in reasons if reason is not None)
            return Explanation(f"customers.allocated_{self.unit.nobody.value}", {"customer": self.label}, parts=why)
        chosen = self.person(self.unit.employee_id)
        eligible = sum(self.filtered(each) is None for each in self.roster.candidates)
        args: dict[str, Shown] = {"customer": self.label, "eligible": eligible}
        if self.is_by_guarantee:
            parts = (self.guaranteed(chosen),)
            return Explanation("customers.allocated_newcomer", args | self.progress(chosen), parts=parts)
        group, told = self.group()
        args |= {"eligible": sum(each in group for each in self.could())}
        if self.owed_before(chosen):
            why = (*told, *self.missed(chosen))
            return Explanation("customers.allocated_owed", {**args, "name": chosen.name}, parts=why)
        args |= self.standing(chosen)
        return Explanation(f"customers.allocated_{self.then.value}", args, parts=(*told, *self.grounds(chosen)))

    def why_not(self, employee_id: UUID) -> Explanation:
        """Why it did not go to a person."""
        asking = self.person(employee_id)
        if employee_id == self.unit.employee_id:
            return self.why()
        if (filtered := self.filtered(asking)) is not None:
            return filtered
        chosen = self.person(self.unit.employee_id)
        args: dict[str, Shown]
        if self.is_by_guarantee:
            parts = (self.guaranteed(chosen),)
            args = {"customer": self.label, **self.progress(chosen)}
            return Explanation("customers.passed_over_newcomer", args, parts=parts)
        group, told = self.group()
        if chosen in group and asking not in group:
            args = {"customer": self.label, "name": asking.name, "chosen": chosen.name}
            return Explanation(f"customers.passed_over_{self.roster.method.value}", args, parts=told)
        if self.owed_before(chosen):
            args = {"customer": self.label, "name": asking.name, "chosen": chosen.name}
            both = (*self.missed(asking), *self.missed(chosen))
            return Explanation("customers.passed_over_owed", args, parts=both)
        args = {"customer": self.label, "chosen": chosen.name, **self.standing(asking)}
        args |= {f"chosen_{name}": value for name, value in self.standing(chosen).items()}
        key = _OVER.get(self.then, self.then.value)
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
            known=tuple(self.records),
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
        if who in self.standing_at_all() and (barred := self.barred(who)) is not None:
            return barred
        for each in self.allocation.filtered:
            if each.employee_id == who.employee_id and each.covers(self.unit.place):
                args: dict[str, Shown] = {"name": who.name, "customer": self.label, "limit": who.holding_limit}
                args |= {"assignable": who.assignable, "room": self.room(who), "day": self.roster.day.isoformat()}
                if each.rule is FilterRule.DEPARTMENT_LIMIT:
                    return self.department_full(who, args)
                return Explanation(f"customers.filtered_{each.rule.value}", args)
        return None

    def department_full(self, who: Candidate, args: dict[str, Shown]) -> Explanation:
        """Counted pick by pick, of everybody who has the department."""
        if who.department_share is not None:
            least = min(who.departments, key=lambda each: each.limit - each.holding)
            args |= {"department": least.name, "free": max(0, least.limit - least.holding)}
            return Explanation("customers.filtered_department_share", {**args, "share": who.department_share})
        full = []
        for room in who.departments:
            theirs = {each.employee_id for each in self.roster.candidates if room in each.departments}
            before = [pick for pick in self.allocation.picks[: self.unit.place] if pick.employee_id in theirs]
            full.append((room, room.holding + sum(len(pick.customer_ids) for pick in before)))
        room, holding = min(full, key=lambda each: max(0, each[0].limit - each[0].holding) - each[1] + each[0].holding)
        args |= {"department": room.name, "limit": room.limit, "holding": holding}
        return Explanation("customers.filtered_department_limit", {**args, "records": len(self.unit.customer_ids)})

    def standing(self, who: Candidate) -> dict[str, Shown]:
        method, named = self.then, {"name": who.name}
        if method is Method.LEVEL:
            forgone = 0 if who.missed is None else max(who.missed.customers, who.missed.made_up) - who.missed.made_up
            before = who.calibration + who.assigned_in_cycle + forgone - who.credits
            return {**named, "level": before + self.in_line(who)}
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

    def waits(self, who: Candidate) -> Explanation:
        cycle: dict[str, Shown] = {"name": who.name, "count": who.assigned_in_cycle}
        if before := self.before(who):
            return Explanation("customers.served_in_this", {**cycle, "place": before[-1].place + 1})
        if who.last_served_at is None:
            return Explanation("customers.served_never", cycle)
        return Explanation("customers.served_last", {**cycle, "at": who.last_served_at.isoformat()})

    @property
    def records(self) -> list[CustomerFacts]:
        """What is known of the records that went together."""
        mine = self.unit.customer_ids
        return [each.facts for each in self.roster.customers if each.customer_id in mine]

    @property
    def rule(self) -> tuple[int, AllocationRule]:
        """The number of the rule that the customer falls under, and the rule."""
        assert self.roster.rules is not None
        for number, rule in enumerate(self.roster.rules.rules, start=1):
            if all(fits(each.kind, each.values, self.records[0]) for each in rule.conditions):
                return number, rule
        raise AssertionError

    @property
    def then(self) -> Method:
        """The method that decides in the end."""
        if self.roster.method is Method.MATCH:
            assert self.roster.match is not None
            return self.roster.match.then
        return self.rule[1].then if self.roster.method is Method.RULES else self.roster.method

    def could(self) -> list[Candidate]:
        return [each for each in self.roster.candidates if self.filtered(each) is None]

    def group(self) -> tuple[list[Candidate], tuple[Explanation, ...]]:
        """Among whom it was decided, and why among those."""
        chosen = self.person(self.unit.employee_id)
        named: dict[str, Shown] = {"name": chosen.name}
        if self.roster.method is Method.RULES:
            number, rule = self.rule
            first = [each for each in self.could() if not rule.people or each.employee_id in rule.people]
            key = "customers.ruled" if chosen in first else "customers.ruled_default"
            told = Explanation(key, {**named, "number": number, "title": rule.title})
            return first if chosen in first else self.could(), (told,)
        if self.roster.method is Method.MATCH:
            wanted = [each for each in self.could() if self.wants(each)]
            key = "customers.matched_preferred" if chosen in wanted else "customers.matched"
            return wanted if chosen in wanted else self.could(), (Explanation(key, named),)
        return self.could(), ()

    def wants(self, who: Candidate) -> bool:
        plan = self.roster.match
        assert plan is not None
        if plan.quota is not None and len(self.before(who)) >= plan.quota:
            return False
        return self.wants_at_all(who)

    def wants_at_all(self, who: Candidate) -> bool:
        """Whether a person prefers the customer, and it fits them."""
        plan = self.roster.match
        assert plan is not None
        return self.barred(who) is None and all(
            any(fits(kind, who.values(kind), each) for kind in plan.prefer) for each in self.records
        )

    def barred(self, who: Candidate) -> Explanation | None:
        """Why the customer was not for a person."""
        named: dict[str, Shown] = {"name": who.name, "customer": self.label}
        if self.roster.method is Method.RULES:
            number, rule = self.rule
            assert self.roster.rules is not None
            if not rule.people or who.employee_id in (*rule.people, self.roster.rules.default_owner):
                return None
            return Explanation("customers.filtered_rule", {**named, "number": number, "title": rule.title})
        if self.roster.method is Method.MATCH:
            assert self.roster.match is not None
            for record in self.records:
                for kind in self.roster.match.must:
                    if who.values(kind) and not fits(kind, who.values(kind), record):
                        told: dict[str, Shown] = {**named, "theirs": ", ".join(who.values(kind))}
                        its = record.value(kind)
                        return Explanation(f"customers.filtered_{kind.value}", {**told, "its": its or "–"})
        return None

    def standing_at_all(self) -> list[Candidate]:
        """Those whom no filter kept from every customer."""
        out = {each.employee_id for each in self.allocation.filtered if (each.first, each.last) == (0, None)}
        rooms = {each.employee_id for each in self.allocation.filtered if each.first and each.last is None}
        by_share = FilterRule.NO_WEIGHT if self.roster.method is Method.PERFORMANCE else None
        left_out = {each.employee_id for each in self.allocation.filtered if each.rule is by_share}
        assert not (out - left_out) & rooms  # who has no share sees their department close all the same
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
        if self.roster.method in (Method.WEIGHTED, Method.PERFORMANCE, Method.DRAW):
            return False
        named = self.rule[1].people if self.roster.method is Method.RULES else ()
        if named and self.unit.employee_id not in named:
            return False
        newcomers = self.newcomers()
        is_equal = self.roster.method in (Method.FLEXIBLE, Method.STRICT)
        is_behind = any(each.missed is not None and each.missed.owed for each in self.standing_at_all())
        if is_equal and not is_behind and (not newcomers or self.rate() <= Fraction(1, len(self.standing_at_all()))):
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

    def owed_before(self, who: Candidate) -> int:
        """How many were to be made up for still: as many as were owed, less all that came in before."""
        if who.missed is None or self.roster.method in (Method.DRAW, Method.PERFORMANCE):
            return 0
        came = sum(len(pick.customer_ids) for pick in self.before(who))
        return who.missed.owed - came if came < who.missed.owed else 0

    def in_line(self, who: Candidate) -> int:
        """What somebody got by the line, without what was made up for."""
        owed = 0 if who.missed is None else who.missed.owed
        return max(0, sum(len(pick.customer_ids) for pick in self.before(who)) - owed)

    def missed(self, who: Candidate) -> tuple[Explanation, ...]:
        missed = who.missed
        if missed is None or self.roster.method in (Method.DRAW, Method.PERFORMANCE):
            return ()
        told: dict[str, Shown] = {"name": who.name, "missed": missed.customers, "made_up": missed.made_up}
        told |= {"first": str(missed.first), "last": str(missed.last)}
        if missed.owed == 0:
            return (Explanation("customers.missed_forgone", told),)
        told |= {"owed": missed.owed, "left": self.owed_before(who)}
        return (Explanation("customers.missed_owed", told),)

    def grounds(self, who: Candidate) -> tuple[Explanation, ...]:
        return (*self.own_grounds(who), *self.missed(who))

    def own_grounds(self, who: Candidate) -> tuple[Explanation, ...]:
        if self.then is Method.LEVEL:
            level: dict[str, Shown] = {"name": who.name, "calibration": who.calibration, "priority": who.priority}
            level |= {"assigned": who.assigned_in_cycle, "credits": who.credits}
            level |= {"received": self.in_line(who)}
            return (Explanation("customers.level_of", level), self.waits(who))
        if self.then is Method.FLEXIBLE:
            return (self.waits(who),)
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


def fits(kind: TraitKind, values: Sequence[str], known: CustomerFacts) -> bool:
    """Whether a customer has one of the values, the other way round: what it begins with, or is, is one of them."""
    its = known.value(kind)
    if its is None:
        return False
    ways = [its[:length] for length in range(len(its) + 1)] if kind is TraitKind.TERRITORY else [its]
    return not set(ways).isdisjoint(values)


def percent(share: Fraction) -> str:
    return decimal(share * 100, 2)


def decimal(number: Fraction, digits: int) -> str:
    return str(rounded(EXACT.divide(EXACT.create_decimal(number.numerator), number.denominator), digits))
