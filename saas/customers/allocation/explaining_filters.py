"""Why somebody could not have a customer: which rule kept it from them, with the values that it went by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from uuid import UUID

from saas.customers.allocation.choices import Method
from saas.customers.allocation.dealing import FilterRule, filter_rule, tighter_limit
from saas.customers.allocation.roster import Candidate, Roster
from saas.customers.allocation.tallies import Tally
from saas.kernel import Explanation
from saas.kernel.explanations import Shown

_FILTERED: Mapping[FilterRule, Explanation] = MappingProxyType(
    {
        FilterRule.DISABLED: Explanation("customers.filtered_disabled"),
        FilterRule.ABSENT: Explanation("customers.filtered_absent"),
        FilterRule.ON_LEAVE: Explanation("customers.filtered_on_leave"),
        FilterRule.OFF_HOURS: Explanation("customers.filtered_off_hours"),
        FilterRule.NO_WEIGHT: Explanation("customers.filtered_no_weight"),
        FilterRule.HOLDING_LIMIT: Explanation("customers.filtered_holding_limit"),
        FilterRule.THRESHOLD: Explanation("customers.filtered_threshold"),
        FilterRule.DEPARTMENT_LIMIT: Explanation("customers.filtered_department_limit"),
        FilterRule.COOLDOWN: Explanation("customers.filtered_cooldown"),
    }
)


def room_left(candidate: Candidate, received: Tally) -> int | None:
    """How many more customers the person could hold by then; None without a limit."""
    return None if candidate.holding_room is None else candidate.holding_room - received.records


class Filters:
    """The rules by which people are sorted out, at one pick: of so many `records` under one label.

    `shares` are those of the methods by share, `received` tells what somebody had received before.
    """

    def __init__(
        self,
        roster: Roster,
        label: str,
        records: Collection[UUID],
        shares: Collection[UUID],
        received: Callable[[Candidate], Tally],
    ) -> None:
        self._roster, self._label, self._records = roster, label, frozenset(records)
        self._shares, self._received = shares, received

    def told(self, candidate: Candidate) -> Explanation | None:
        """The first rule that kept the customer from a person, None where none did."""
        rule = self.rule(candidate)
        if rule is None:
            return None
        args: dict[str, Shown] = {"name": candidate.name, "customer": self._label}
        args |= {"day": self._roster.day.isoformat(), "limit": candidate.holding_limit}
        args |= {"assignable": candidate.assignable, "room": room_left(candidate, self._received(candidate))}
        args |= {"at": self._roster.local_time} if rule is FilterRule.OFF_HOURS else {}
        if rule is FilterRule.DEPARTMENT_LIMIT:
            return self._department_full(candidate, args)
        return replace(_FILTERED[rule], args=args)

    def rule(self, candidate: Candidate) -> FilterRule | None:
        """In the order in which a deal sorts out; what keeps a person from every customer comes first."""
        if (rule := self.rule_of_all(candidate)) is not None:
            return rule
        if not self._records.isdisjoint(candidate.cooldown_customers):
            return FilterRule.COOLDOWN
        if self._roster.method is Method.PERFORMANCE and candidate.employee_id not in self._shares:
            return FilterRule.NO_WEIGHT
        return self._short_of(candidate)

    def _short_of(self, candidate: Candidate) -> FilterRule | None:
        """Which room is too small for all records: who is out for good is so by the first limit that was reached."""
        own = None if candidate.own_room is None else candidate.own_room - self._received(candidate).records
        shared = [each.room - self._dealt_to[each.department_id] for each in candidate.departments]
        for records in (1, len(self._records)):
            if own is not None and own < records:
                return tighter_limit(candidate)
            if shared and min(shared) < records:
                return FilterRule.DEPARTMENT_LIMIT
        return None

    def rule_of_all(self, candidate: Candidate) -> FilterRule | None:
        """What keeps a person from every customer."""
        return filter_rule(candidate, needs_weight=self._roster.method.needs_weight)

    def _department_full(self, candidate: Candidate, args: dict[str, Shown]) -> Explanation:
        """Which department, and what it held by then; or the person's part of its room, which a draw was dealt by."""
        if candidate.department_share is not None:
            (least, *_) = sorted(candidate.departments, key=lambda each: each.room)
            args |= {"department": least.name, "free": least.room, "share": candidate.department_share}
            return Explanation("customers.filtered_department_share", args)
        room = min(candidate.departments, key=lambda each: each.room - self._dealt_to[each.department_id])
        args |= {"department": room.name, "limit": room.limit}
        args |= {"holding": room.holding + self._dealt_to[room.department_id], "records": len(self._records)}
        return replace(_FILTERED[FilterRule.DEPARTMENT_LIMIT], args=args)

    @cached_property
    def _dealt_to(self) -> Counter[UUID]:
        """What the people of each limited department had received before."""
        dealt: Counter[UUID] = Counter()
        for each in self._roster.candidates:
            received = self._received(each).records
            dealt.update({room.department_id: received for room in each.departments})
        return dealt
