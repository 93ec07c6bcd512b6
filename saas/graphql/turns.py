"""Whose turn it is among this process's requests that want the same thing.

Without turns they would wait in PostgreSQL for the first one's row lock, each with a connection in its hands that
other requests need, only to be refused when the first has committed. Rivals in other processes are PostgreSQL's to
order, as ever: turns save waiting, the transaction decides.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Self


class Turns:
    """The turns of one process."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[asyncio.Future[bool]]] = {}

    def turn(self, thing: Hashable) -> Turn:
        """A try for `thing`, to be entered."""
        return Turn(self, thing)

    async def take(self, thing: Hashable) -> bool:
        """Wait while another has the turn for `thing`; True: it is the caller's, who ends it. False: settled."""
        queue = self._waiting.get(thing)
        if queue is None:
            self._waiting[thing] = deque()
            return True
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        queue.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.result():
                self.end(thing, is_settled=False)  # the turn came at the moment of the cancellation
            raise

    def end(self, thing: Hashable, *, is_settled: bool) -> None:
        """Give the turn to the next who waits, or tell all of them that the thing is settled."""
        queue = self._waiting[thing]
        while queue and not is_settled:
            waiter = queue.popleft()
            if not waiter.done():
                waiter.set_result(True)
                return
        del self._waiting[thing]
        for waiter in queue:
            if not waiter.done():
                waiter.set_result(False)


class Turn:
    """A try for something: enter it to wait while another has the turn.

    `is_mine`: nobody else of this process has the turn meanwhile; otherwise the thing was settled while the caller
    waited, and looking whether it can still be had needs no turn. `is_settled`: the others should look as well;
    otherwise only the next of them gets the turn.
    """

    __slots__ = ("_thing", "_turns", "is_mine", "is_settled")

    def __init__(self, turns: Turns, thing: Hashable) -> None:
        self._turns = turns
        self._thing = thing
        self.is_mine = False
        self.is_settled = True

    async def __aenter__(self) -> Self:
        self.is_mine = await self._turns.take(self._thing)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.is_mine:
            self._turns.end(self._thing, is_settled=self.is_settled)
