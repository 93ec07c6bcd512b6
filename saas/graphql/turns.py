"""Whose turn it is among this process's requests that want the same thing.

Without turns they would wait in PostgreSQL for the first one's row lock, each with a connection in its hands that
other requests need, only to be refused when the first has committed. Rivals in other processes are PostgreSQL's to
order, as ever: turns save waiting, the transaction decides.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable


class Turns:
    """The turns of one process."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[asyncio.Future[bool]]] = {}

    async def take(self, thing: Hashable) -> bool:
        """Wait until nobody else has the turn for `thing`.

        True: it is the caller's, who gives it back with `end`. False: somebody has changed the thing, look again.
        """
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
                self.end(thing, is_changed=False)  # the turn came at the moment of the cancellation
            raise

    def end(self, thing: Hashable, *, is_changed: bool) -> None:
        """Give the turn back: to the next who waits or, where the thing `is_changed`, to whoever still wants it."""
        queue = self._waiting[thing]
        while queue and not is_changed:
            waiter = queue.popleft()
            if not waiter.done():
                waiter.set_result(True)
                return
        del self._waiting[thing]
        for waiter in queue:
            if not waiter.done():
                waiter.set_result(False)
