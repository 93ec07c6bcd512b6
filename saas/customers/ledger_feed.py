"""The ledger as it grows: new lines for whoever reads on, in the order in which they became final.

A line is final once no transaction can commit any more that stands before it: lines follow each other by (number of
the writing transaction, id), as the audit trail is chained (ADR 15). So every reader sees the same order, none misses
a line that a slow transaction commits late, and where one has read to is the id of a line and nothing else. A long
writing transaction anywhere on the server delays lines, and only delays them.

In each process one task listens and looks once for all readers of a company; a reader holds its place and no queue,
so however slow it is nothing piles up for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol
from uuid import UUID

import asyncpg
import structlog

from saas.customers.errors import LedgerLineNotFound
from saas.kernel import Unavailable
from tenants import Database, current_tenant_id, current_transaction

_FINAL = "xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_COMMITTED_HERE = "xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
"""Lines of a dump from another server carry numbers that this one has not reached: they are nobody's news."""

_NEXT = f"""
SELECT xid, id, pool_id, {_FINAL} AS is_final FROM pool_event
WHERE tenant_id = $1 AND (xid, id) > ($2::bigint, $3::uuid) AND {_COMMITTED_HERE}
ORDER BY xid, id LIMIT $4
"""
_NOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1"
_PLACE = f"SELECT CASE WHEN {_COMMITTED_HERE} THEN xid ELSE -1 END FROM pool_event WHERE tenant_id = $1 AND id = $2"
_LAST_ID = UUID(int=(1 << 128) - 1)
_LOOK_ANYWAY_SECONDS, _LOOK_AGAIN_SECONDS = 5.0, 0.05
_PAGE, _KEPT = 500, 2_000
_log = structlog.get_logger()

Place = tuple[int, UUID]
"""Number of the writing transaction, and the line's id."""


class Ear(Protocol):
    """Hears in which companies something was written."""

    async def wait(self, seconds: float) -> frozenset[UUID]:
        """The companies, as soon as there are any; none after `seconds`."""
        ...


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line that has become final."""

    place: Place
    pool_id: UUID

    @property
    def id(self) -> UUID:
        """The line's id: to go on behind it."""
        return self.place[1]


async def ledger_place(after: UUID | None) -> Place:
    """Where a reader begins, in the open transaction: behind a line, or now.

    :raises LedgerLineNotFound: the company's ledger has no such line.
    """
    transaction = current_transaction()
    if after is None:
        return await transaction.fetchval(_NOW), _LAST_ID
    xid = await transaction.fetchval(_PLACE, current_tenant_id(), after)
    if xid is None:
        raise LedgerLineNotFound("customers.ledger_line_not_found", field=("after",))
    return xid, after


@dataclass(slots=True)
class _Company:
    """What this process knows of one ledger: the lines behind `since`, up to the last that it found."""

    since: Place
    lines: deque[NewLine] = field(default_factory=deque)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    readers: int = 0

    @property
    def last(self) -> Place:
        return self.lines[-1].place if self.lines else self.since

    def take_in(self, lines: Sequence[NewLine]) -> None:
        self.lines.extend(lines)
        while len(self.lines) > _KEPT:
            self.since = self.lines.popleft().place
        if lines:
            self.changed.set()
            self.changed = asyncio.Event()


class LedgerFeed:
    """The feed of one process. Its task runs while anybody reads."""

    def __init__(self, database: Database, ear: Ear) -> None:
        self._database, self._ear = database, ear
        self._companies: dict[UUID, _Company] = {}
        self._task: asyncio.Task[None] | None = None
        self._again: set[asyncio.Task[None]] = set()

    def reader(self, tenant_id: UUID, place: Place, *, pool_id: UUID | None = None) -> LedgerReader:
        """Read on behind `place`, of one pool or of all; the reader is to be entered."""
        return LedgerReader(self, tenant_id, place, pool_id)

    async def join(self, tenant_id: UUID, place: Place) -> _Company:
        """One more reader of a company."""
        company = self._companies.get(tenant_id)
        is_new = company is None
        if company is None:
            company = self._companies[tenant_id] = _Company(place)
        company.readers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._listen())
        if is_new:
            await self._look(tenant_id)
        return company

    def leave(self, tenant_id: UUID) -> None:
        """One reader less; a company that nobody reads is forgotten, and with the last one nobody listens."""
        company = self._companies[tenant_id]
        company.readers -= 1
        if not company.readers:
            del self._companies[tenant_id]
        if not self._companies and self._task is not None:
            self._task.cancel()
            self._task = None

    async def lines_after(self, tenant_id: UUID, place: Place, most: int) -> list[NewLine]:
        """Final lines behind `place`, from the table: for a reader who is further behind than what is kept."""
        async with self._database.transaction(tenant_id) as transaction:
            rows = await transaction.fetch(_NEXT, tenant_id, *place, most)
        return [_new(row) for row in rows if row["is_final"]]

    async def _listen(self) -> None:
        while True:
            rung = await self._ear.wait(_LOOK_ANYWAY_SECONDS)
            for tenant_id in [each for each in self._companies if not rung or each in rung]:
                await self._look(tenant_id)

    async def _look(self, tenant_id: UUID) -> None:
        """Take in what has become final; once more in a moment where there is more, or a line that is not final yet."""
        company = self._companies.get(tenant_id)
        if company is None:
            return
        async with company.looking:
            try:
                async with self._database.transaction(tenant_id) as transaction:
                    rows = await transaction.fetch(_NEXT, tenant_id, *company.last, _PAGE)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, Unavailable) as error:
                _log.warning("customers.ledger_not_looked_at", reason=type(error).__name__)
                return  # again when the bell rings, or in a while
            final = [_new(row) for row in rows if row["is_final"]]
            company.take_in(final)
        if len(final) < len(rows) or len(rows) == _PAGE:
            again = asyncio.create_task(self._look_again(tenant_id))
            self._again.add(again)
            again.add_done_callback(self._again.discard)

    async def _look_again(self, tenant_id: UUID) -> None:
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        await self._look(tenant_id)


class LedgerReader:
    """Somebody who reads on; entered for as long as that lasts."""

    def __init__(self, feed: LedgerFeed, tenant_id: UUID, place: Place, pool_id: UUID | None) -> None:
        self._feed, self._tenant_id, self._place, self._pool_id = feed, tenant_id, place, pool_id
        self._company: _Company | None = None

    async def __aenter__(self) -> LedgerReader:
        self._company = await self._feed.join(self._tenant_id, self._place)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._company = None
        self._feed.leave(self._tenant_id)

    async def next(self, most: int) -> Sequence[NewLine]:
        """The next lines, `most` of them at most, as soon as there are any."""
        company = self._company
        assert company is not None, "a reader is entered before it reads"
        while True:
            changed = company.changed
            lines = await self._behind(company, most)
            if lines:
                self._place = lines[-1].place
                wanted = [each for each in lines if self._pool_id in (None, each.pool_id)]
                if wanted:
                    return wanted
            else:
                await changed.wait()

    async def _behind(self, company: _Company, most: int) -> Sequence[NewLine]:
        if self._place >= company.since:
            return list(islice((each for each in company.lines if each.place > self._place), most))
        return await self._feed.lines_after(self._tenant_id, self._place, most)


def _new(row: asyncpg.Record) -> NewLine:
    return NewLine((row["xid"], row["id"]), row["pool_id"])
