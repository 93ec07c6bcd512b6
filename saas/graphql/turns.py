"""Whose turn it is among this process's requests that want the same thing.

Without turns they would wait in PostgreSQL for the first one's row lock, each with a connection in its hands that
other requests need, only to be refused when the first has committed. Rivals in other processes are PostgreSQL's to
order, as ever: turns save waiting, the transaction decides.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Turn:
    """A try for something.

    `is_mine`: nobody else of this process has the turn meanwhile; otherwise the thing was settled while the caller
    waited, and looking whether it can still be had needs no turn. `is_settled`: the others should look as well;
    otherwise only the next of them gets the turn.
    """

    is_mine: bool
    is_settled: bool = True


class Turns:
    """The turns of one process."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[asyncio.Future[bool]]] = {}

    @asynccontextmanager
    async def turn(self, thing: Hashable) -> AsyncIterator[Turn]:
        """Wait while another has the turn for `thing`; then have it, or learn that it is settled."""
        turn = Turn(is_mine=await self._take(thing))
        try:
            yield turn
        finally:
            if turn.is_mine:
                self._end(thing, is_settled=turn.is_settled)

    async def _take(self, thing: Hashable) -> bool:
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
                self._end(thing, is_settled=False)  # the turn came at the moment of the cancellation
            raise

    def _end(self, thing: Hashable, *, is_settled: bool) -> None:
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
