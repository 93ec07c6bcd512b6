"""Sums of what a person did in a department: they add up to those of departments and of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import TypeAlias
from uuid import UUID

from saas.analytics.behaviour.facts import CustomerFacts, Stay, Terms, end_of, stays
from saas.kernel import Period
from saas.sales import Achieved

START_KINDS = ("created", "imported", "claim", "assign", "automatic", "transfer")
END_KINDS = ("release", "recycle", "transfer", "merge", "separation")
RECEIVED = frozenset({"claim", "assign", "automatic"})
"""Starts from the pool: who received a customer so is to do something with it."""

CONVERTED = ("claim", "assign", "automatic", "transfer")
_TAKEN_AWAY = frozenset({"transfer", "merge", "separation"})

Seat: TypeAlias = tuple[UUID, UUID]
"""A person in a department."""


@dataclass(slots=True)
class Tally:
    """`sums` by name, days between follow-ups (`gaps`) and seconds to the first one (`answers`) by how often."""

    sums: Counter[str] = field(default_factory=Counter)
    gaps: Counter[int] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Take another's in; amounts may be below 0, and stay."""
        for mine, theirs in ((self.sums, other.sums), (self.gaps, other.gaps), (self.answers, other.answers)):
            for name, number in theirs.items():
                mine[name] += number  # type: ignore[index]

    def plain(self) -> list[dict[str, str | int]]:
        """As JSON values; sums as texts, for amounts times days may be longer than JSON's numbers."""
        sums: dict[str, str | int] = {name: str(value) for name, value in self.sums.items()}
        gaps, answers = ({str(key): count for key, count in each.items()} for each in (self.gaps, self.answers))
        return [sums, {**gaps}, {**answers}]

    @classmethod
    def of_plain(cls, plain: Sequence[Mapping[str, str | int]]) -> Tally:
        """What `plain` described."""
        sums, *others = plain
        gaps, answers = (Counter({int(key): int(count) for key, count in each.items()}) for each in others)
        return cls(Counter({name: int(value) for name, value in sums.items()}), gaps, answers)

    @classmethod
    def of(cls, tallies: Iterable[Tally]) -> Tally:
        """All of them together."""
        whole = cls()
        for each in tallies:
            whole.add(each)
        return whole


Tallies: TypeAlias = MutableMapping[Seat, Tally]


def tally_of(tallies: Tallies, seat: Seat) -> Tally:
    """The tally of a person in a department; made where there is none yet, and not for each question."""
    found = tallies.get(seat)
    if found is None:
        found = tallies[seat] = Tally()
    return found


def observe(customer: CustomerFacts, periods: Iterable[Period], terms: Terms, into: Iterable[Tallies]) -> None:
    """Add what happened with a customer in each period to the tallies of that period.

    Ownerships that the report is not about are left out.
    """
    own = [stay for stay in stays(customer, terms) if terms.asks(stay.ownership)]
    for place, (period, tallies) in enumerate(zip(periods, into, strict=True)):
        for stay in own:
            held = stay.ownership
            if _reaches(stay, period):
                tally = tally_of(tallies, (held.owner_id, held.department_id))
                _count_holding(tally.sums, stay, period)
                _count_touches(tally, customer, stay, period, terms)
                _count_silence(tally.sums, stay, period, terms, worth=customer.worth(place, period, unit=terms.unit))
                if held.started_on in period:
                    _count_answer(tally, stay, terms)
                    _count_conversion(tally.sums, customer, stay, terms)


def add_achieved(achieved: Iterable[Achieved], into: Tallies) -> None:
    """Add deals, and what was signed and collected, to the tallies of a period."""
    for each in achieved:
        sums = tally_of(into, (each.employee_id, each.department_id)).sums
        sums[each.metric] += each.amount
        if each.is_new:
            sums[f"new_{each.metric}"] += each.amount


def _reaches(stay: Stay, period: Period) -> bool:
    held = stay.ownership
    return held.started_on < end_of(period) and (held.ended_on is None or held.ended_on >= period.first)


def _count_holding(sums: Counter[str], stay: Stay, period: Period) -> None:
    held = stay.ownership
    sums["held"] += 1
    sums["opening"] += held.started_on < period.first
    sums["closing"] += held.ended_on is None or held.ended_on not in period
    if held.started_on in period:
        sums[f"in_{held.start_kind}"] += 1
    if held.ended_on is not None and held.ended_on in period:
        sums[f"out_{held.end_kind}"] += 1
        sums["expired_untouched"] += held.end_kind == "recycle" and not stay.touches


def _count_touches(tally: Tally, customer: CustomerFacts, stay: Stay, period: Period, terms: Terms) -> None:
    done = [each.on for each in stay.touches if each.on in period]
    if done:
        new_until = customer.new_until(period, new_days=terms.new_days)
        tally.sums["touches"] += len(done)
        tally.sums["touched"] += 1
        tally.sums["new_touches"] += sum(day < new_until for day in done)
        for before, after in pairwise(sorted({each.on for each in stay.touches})):
            if after in period:
                tally.gaps[(after - before).days] += 1


def _count_silence(sums: Counter[str], stay: Stay, period: Period, terms: Terms, *, worth: int) -> None:
    """Days held, and those of them on which more than the rule's days had passed without an effective follow-up.

    The day an ownership ends is not one that it held; of the open one today is.
    """
    held, tomorrow = stay.ownership, terms.today.toordinal() + 1
    begins = max(held.started_on, period.first).toordinal()
    ends = min(tomorrow if held.ended_on is None else held.ended_on.toordinal(), tomorrow, end_of(period).toordinal())
    days, silent, until = max(0, ends - begins), 0, ends
    for since in reversed(stay.quiet_from):
        silent += max(0, min(until, ends) - max(since + stay.rule_days + 1, begins))
        until = since
    sums["held_days"] += days
    sums["silent_days"] += silent
    sums["held_worth"] += worth * days
    sums["silent_worth"] += worth * silent


def _count_answer(tally: Tally, stay: Stay, terms: Terms) -> None:
    """How long the first effective follow-up took, or that there was none until the end, or beyond the rule's days."""
    held = stay.ownership
    if held.start_kind not in RECEIVED:
        return
    if stay.touches:
        seconds = (stay.touches[0].at - held.started_at).total_seconds()
        tally.answers[max(0, int(seconds))] += 1
    elif held.ended_on is not None or (terms.today - held.started_on).days > stay.rule_days:
        tally.sums["never_answered"] += 1
    else:
        tally.sums["waiting"] += 1


def _count_conversion(sums: Counter[str], customer: CustomerFacts, stay: Stay, terms: Terms) -> None:
    """Won or not within the days of a deal; who has not had them all yet, or lost the customer to others, is censored.

    Wins of those whose days are not over are left out too: counting them early would favour the latest.
    """
    held = stay.ownership
    if held.start_kind not in CONVERTED:
        return
    last = held.started_on + timedelta(days=terms.conversion_days)
    until = min(last, held.ended_on or last)
    is_won = any(held.started_on <= each.signed_on <= until for each in customer.deals)
    is_taken = held.end_kind in _TAKEN_AWAY and held.ended_on is not None and held.ended_on < last
    if terms.today <= last or (is_taken and not is_won):
        sums["censored"] += 1
        return
    sums[f"cohort_{held.start_kind}"] += 1
    sums[f"won_{held.start_kind}"] += is_won


def people_of(tallies: Mapping[Seat, Tally]) -> dict[UUID, Tally]:
    """The tallies of people, whichever departments they worked in."""
    found: dict[UUID, Tally] = {}
    for (person, _), tally in tallies.items():
        found.setdefault(person, Tally()).add(tally)
    return found
