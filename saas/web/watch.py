"""Looks after running requests: ends one whose time is up, or whose client has hung up.

One timer for all of them, and only while there are any: a timer and a listener of its own would cost a short request
as much as its answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from saas.web.requests import Receive

_LOOK_EVERY_SECONDS = 0.1


class Watched:
    """A running request. `is_client_gone`: it was ended because its client hung up, else because its time was up."""

    __slots__ = ("_is_over", "_listener", "_receive", "_task", "began", "is_client_gone")

    def __init__(self, receive: Receive, began: float) -> None:
        self.began = began
        self.is_client_gone = False
        self._is_over = False
        self._receive = receive
        self._task = asyncio.current_task()
        self._listener: asyncio.Task[Any] | None = None

    def absorb(self) -> bool:
        """Whether the task was cancelled by its watch; if so, the cancellation is done with."""
        if self._is_over and self._task is not None:
            self._task.uncancel()
        return self._is_over

    def listen(self) -> None:
        """End the request when its client hangs up."""
        if self._listener is None:
            self._listener = asyncio.ensure_future(self._until_gone())

    def end(self) -> None:
        """Cancel the request's task."""
        if self._task is not None and not self._is_over:
            self._is_over = True
            self._task.cancel()

    def leave(self) -> None:
        """The request is done."""
        if self._listener is not None:
            self._listener.cancel()

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_client_gone = not self._is_over
        self.end()


class Watch:
    """The running requests of one process, each for `seconds` at most."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[Watched, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, receive: Receive) -> Watched:
        """Look after the request of the current task; it calls `end` when it is done."""
        loop = asyncio.get_running_loop()
        watched = Watched(receive, loop.time())
        self._running[watched] = None
        if self._timer is None:
            self._timer = loop.call_later(min(_LOOK_EVERY_SECONDS, self._seconds), self._look)
        return watched

    def end(self, watched: Watched) -> None:
        """Look after it no longer."""
        del self._running[watched]
        watched.leave()

    def _look(self) -> None:
        """The oldest come first; the first that is still young ends the round."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for watched in self._running:
            age = now - watched.began
            if age >= self._seconds:
                watched.end()
            elif age >= _LOOK_EVERY_SECONDS:
                watched.listen()
            else:
                break
        again = min(_LOOK_EVERY_SECONDS, self._seconds)
        self._timer = loop.call_later(again, self._look) if self._running else None
