"""Questions that are asked in the same moment, put to the database as one statement.

Sixteen rivals who learn at once that the turn is over would ask sixteen times the same, each for itself. What they
ask waits for the others of the same turn of the event loop, and goes as arrays; each gets the row of its own values.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import partial

import asyncpg

from tenants import Database

Rows = list[asyncpg.Record]
MOST_TOGETHER = 100


@dataclass(slots=True)
class _Batch:
    values: list[tuple[object, ...]] = field(default_factory=list)
    waiting: list[asyncio.Future[asyncpg.Record]] = field(default_factory=list)


class Gathering:
    """The questions of one process that are being gathered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: dict[tuple[str, Hashable], _Batch] = {}
        self._asking: set[asyncio.Task[Rows]] = set()

    async def fetchrow(self, sql: str, shared: Hashable, *values: object) -> asyncpg.Record:
        """The row of `values` in the answer to `sql`.

        The statement takes `shared` as ``$1`` and the callers' values as arrays from ``$2`` on, one array a value, and
        returns a row for each caller in their order. It begins after every one of them has asked.
        """
        key, loop = (sql, shared), asyncio.get_running_loop()
        batch = self._open.get(key)
        if batch is None or len(batch.values) >= MOST_TOGETHER:
            batch = self._open[key] = _Batch()
            loop.call_soon(self._send, key, batch)
        mine: asyncio.Future[asyncpg.Record] = loop.create_future()
        batch.values.append(values)
        batch.waiting.append(mine)
        return await mine

    def _send(self, key: tuple[str, Hashable], batch: _Batch) -> None:
        if self._open.get(key) is batch:
            del self._open[key]
        sql, shared = key
        columns = [list(column) for column in zip(*batch.values, strict=True)]
        task = asyncio.ensure_future(self._database.fetch(sql, shared, *columns))
        self._asking.add(task)
        task.add_done_callback(partial(self._deliver, batch))

    def _deliver(self, batch: _Batch, task: asyncio.Task[Rows]) -> None:
        self._asking.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        for place, mine in enumerate(batch.waiting):
            if mine.done():
                continue  # its request was given up
            if error is not None:
                mine.set_exception(error)
            else:
                mine.set_result(task.result()[place])
