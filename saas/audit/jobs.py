"""What runs beside the requests: linking every second, publishing heads every minute.

Heads go to where the database's administrators do not write: a file under the data folder (to be shipped to a locked
object store or an auditor's mailbox) and the process's structured log.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from uuid import UUID

import structlog

from saas.audit.actions import chain_entries
from saas.audit.queries import head
from saas.audit.rules import Head, head_line, read_heads
from saas.kernel import Clock
from tenants import Database, DatabaseRole

_log = structlog.get_logger("saas.audit")


async def chain(database: Database, tenant_id: UUID, *, clock: Clock, batch: int = 5_000) -> int:
    """Link everything that is final in one tenant, in transactions of `batch` entries; how many were linked."""
    linked = 0
    while True:
        async with database.transaction(tenant_id, role=DatabaseRole.PLATFORM):
            fresh = await chain_entries(clock=clock, limit=batch)
        linked += fresh
        if fresh < batch:
            return linked


class HeadLog:
    """The published heads: one file a month in `folder`, a line a head, only ever appended to and synced to disk.

    Its methods block on the disk for some milliseconds: call them in a thread.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: dict[str, str] = {}

    def publish(self, heads: Iterable[Head], *, at: datetime) -> int:
        """Append the heads that moved since this process last wrote them; how many."""
        moved = [found for found in heads if self._last.get(found.tenant) != found.hash]
        if not moved:
            return 0
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"heads-{at:%Y%m}.jsonl"
        with path.open("ab") as file:
            if _is_torn(path):
                file.write(b"\n")
            file.writelines(f"{head_line(found)}\n".encode() for found in moved)
            file.flush()
            os.fsync(file.fileno())
        for found in moved:
            self._last[found.tenant] = found.hash
            _log.info("audit_head", tenant=found.tenant, seq=found.seq, hash=found.hash, at=found.at)
        return len(moved)

    def read(self) -> list[Head]:
        """Every head published so far, of all tenants."""
        heads: list[Head] = []
        for path in sorted(self._folder.glob("heads-*.jsonl")):
            with path.open(encoding="utf-8") as file:
                heads.extend(read_heads(file))
        return heads


def _is_torn(path: Path) -> bool:
    """Whether a crash cut the last line off."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


async def read_head(database: Database, tenant_id: UUID, *, clock: Clock) -> Head | None:
    """The present head of one tenant, to be published."""
    async with database.transaction(tenant_id):
        return await head(clock=clock)
