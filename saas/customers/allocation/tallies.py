"""What everybody had received before a customer was dealt: with the roster, all that its explanation rests on.

Adding it up passes by every earlier pick. So it is taken at each so many places and kept: from there on few are left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from saas.customers.allocation.dealing import Pick


@dataclass(frozen=True, slots=True)
class Tally:
    """What a person had received: so many turns, `records` in them, and the place of the `last` of them."""

    turns: int = 0
    records: int = 0
    last: int | None = None

    def and_then(self, later: Tally) -> Tally:
        """Both together; `later` is of places behind this one's."""
        last = self.last if later.last is None else later.last
        return Tally(self.turns + later.turns, self.records + later.records, last)


Tallies = Mapping[UUID, Tally]
"""By person; who is not there had received nothing."""


def tallied(picks: Iterable[Pick], *, every: int) -> Iterator[tuple[int, Tallies]]:
    """What everybody had received before each `every`-th place but the first, which is before all."""
    received: dict[UUID, Tally] = {}
    for pick in picks:
        if pick.place and pick.place % every == 0:
            yield pick.place, dict(received)
        if pick.employee_id is not None:
            before = received.get(pick.employee_id, _NOTHING)
            records = before.records + len(pick.customer_ids)
            received[pick.employee_id] = Tally(before.turns + 1, records, pick.place)


_NOTHING = Tally()
