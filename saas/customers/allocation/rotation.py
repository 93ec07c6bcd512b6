"""Round robin, flexible and strict, and by load: whose turn it is by what each has had or can take (P40, P42)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from saas.customers.allocation.dealing import May, Queue
from saas.customers.allocation.roster import Candidate

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER, _BEFORE, _NOW = 0, 1, 2


class LeastRecentlyServed:
    """Flexible round robin: who was served least recently; ties by fewest in the cycle, then by the seed's order.

    Equal members end equal however slowly customers arrive: who is passed over keeps their place.
    """

    def __init__(self, seats: Sequence[Candidate]) -> None:
        self._queue = Queue()
        self._queue.fill([(last_served(each), seat) for seat, each in enumerate(seats)])
        self._turns = 0

    def choose(self, may: May) -> int | None:
        """The seat that waits longest."""
        return self._queue.take(may)

    def take_out(self, seat: int) -> None:
        """Somebody served out of turn waits no longer."""
        self._queue.remove(seat)

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """To the end of the queue."""
        self._turns += 1
        if has_room:
            self._queue.put((_NOW, self._turns), seat)

    def leave(self, seats: Iterable[int]) -> None:
        """Out of the queue."""
        for seat in seats:
            self._queue.remove(seat)


def last_served(candidate: Candidate) -> tuple[int, int, int]:
    """Orders by when somebody was served last, never before all; ties by fewest in the cycle."""
    if candidate.last_served_at is None:
        return _NEVER, 0, candidate.counted_in_cycle
    microseconds = (candidate.last_served_at - _EPOCH) // timedelta(microseconds=1)
    return _BEFORE, microseconds, candidate.counted_in_cycle


class FixedTurns:
    """Strict round robin: the next in the fixed order after the turn served last.

    Who may not have the customer is skipped and not made up. With no turn served yet, the seed says who begins.
    """

    def __init__(self, seats: Sequence[Candidate], turn_after: int | None) -> None:
        by_turn = sorted(range(len(seats)), key=lambda seat: seats[seat].turn or 0)
        self._ring = deque(by_turn)
        if turn_after is None:
            self._ring.rotate(-by_turn.index(0) if by_turn else 0)
        else:
            self._ring.rotate(-sum((seats[seat].turn or 0) <= turn_after for seat in by_turn))

    def choose(self, may: May) -> int | None:
        """The next in the ring; who is passed goes behind."""
        for _ in range(len(self._ring)):
            seat = self._ring[0]
            self._ring.rotate(-1)
            if may(seat):
                return seat
        return None

    def take_out(self, seat: int) -> None:
        """Somebody served out of turn keeps the turn that is coming."""

    def aside(self, seat: int, *, has_room: bool) -> None:
        """The seat got a customer that was made up for: its turn is still to come, if it has room for one."""
        if not has_room:
            self._ring.remove(seat)

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """The seat stands in the ring still; without room it leaves."""
        if not has_room:
            self._ring.remove(seat)

    def leave(self, seats: Iterable[int]) -> None:
        """Out of the ring."""
        for seat in seats:
            self._ring.remove(seat)


class MostRoom:
    """By load: most room left under the holding limit, in customers or as a share of the limit; ties by the seed."""

    def __init__(self, seats: Sequence[Candidate], *, relative: bool) -> None:
        self._rooms = [each.holding_room or 0 for each in seats]
        self._limits = [max(each.holding_limit or 0, 1) if relative else 1 for each in seats]
        self._shift = 2 * max(self._limits, default=1).bit_length()
        self._queue = Queue()
        self._queue.fill([(self._key(seat), seat) for seat in range(len(seats))])

    def _key(self, seat: int) -> tuple[int]:
        """Orders just as the fractions room / limit do: two that differ, differ by more than a unit of the shift."""
        return (-((self._rooms[seat] << self._shift) // self._limits[seat]),)

    def choose(self, may: May) -> int | None:
        """The seat with most room."""
        return self._queue.take(may)

    def take_out(self, seat: int) -> None:
        """Its room is about to be less."""
        self._queue.remove(seat)

    def served(self, seat: int, *, records: int, has_room: bool) -> None:
        """Room for so many records less."""
        self._rooms[seat] -= records
        if has_room:
            self._queue.put(self._key(seat), seat)

    def leave(self, seats: Iterable[int]) -> None:
        """Out of the queue."""
        for seat in seats:
            self._queue.remove(seat)
