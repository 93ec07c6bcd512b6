"""What somebody missed on leave, and how much of it was made up for when a customer was dealt, told (P46)."""

from __future__ import annotations

from saas.customers.allocation.missed import WITHOUT_LINE
from saas.customers.allocation.roster import Candidate, Roster
from saas.kernel import Explanation
from saas.kernel.explanations import Shown


def left_to_make_up(roster: Roster, person: Candidate, received: int) -> int:
    """How many customers were still to be made up for once a person had received so many of the allocation."""
    return 0 if roster.method in WITHOUT_LINE else max(0, person.owed - received)


def counted(person: Candidate, received: int) -> int:
    """How many of those that a person had received count in the line: what was made up for stands beside it."""
    return received - min(person.owed, received)


def explain_missed(roster: Roster, person: Candidate, received: int) -> tuple[Explanation, ...]:
    """What a person missed, and what becomes of it; nothing where that is nothing, or the method has no line."""
    missed = person.missed
    if missed is None or not missed.customers or roster.method in WITHOUT_LINE:
        return ()
    args: dict[str, Shown] = {"name": person.name, "missed": missed.customers, "made_up": missed.made_up}
    args |= {"first": missed.first.isoformat(), "last": missed.last.isoformat()}
    if not missed.owed:
        return (Explanation("customers.missed_forgone", args),)
    left = left_to_make_up(roster, person, received)
    return (Explanation("customers.missed_owed", {**args, "owed": missed.owed, "left": left}),)
