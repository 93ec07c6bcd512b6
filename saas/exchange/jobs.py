"""Background work of the exchange room: steps of batches as they fall due, and the removal of what is old."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from saas.events import Event
from saas.exchange.actions.steps import Importer, advance
from saas.exchange.queries import BatchSummary, summarise
from saas.exchange.rules import KEPT
from saas.exchange.store import FileStore
from saas.kernel import Clock
from tenants import Database, current_tenant_id, current_transaction

TAKE_STEP = "exchange.take_step"
_AT_ONCE = 20
_OLD = """
SELECT id FROM import_batch WHERE tenant_id = $1 AND purged_at IS NULL AND created_at < $2
  AND state NOT IN ('previewing', 'committing', 'undoing')
ORDER BY created_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
"""
_OF_PARTS = ("import_row", "import_key", "import_difference", "import_chunk", "import_header")


class TakeStep:
    """Handles `STEP_FALLEN_DUE`: one step, in the event's own transaction, and the next one made due in it."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer

    async def __call__(self, event: Event) -> None:
        """Take the step that the event names."""
        await advance(self._importer, UUID(str(event.payload["batch_id"])), step=int(str(event.payload["step"])))


def _unwatched(_: BatchSummary) -> None:
    """Nobody watches."""


async def carry_out(
    database: Database,
    importer: Importer,
    *,
    tenant_id: UUID,
    batch_id: UUID,
    watch: Callable[[BatchSummary], None] = _unwatched,
) -> BatchSummary:
    """Take every step that is due, each in a transaction of its own: for the command line, which waits for the end.

    A worker may work on the same batch meanwhile; each step is taken by one of the two. `watch` is told how far the
    batch is after each.
    """
    is_due = True
    while is_due:
        async with database.transaction(tenant_id):
            is_due = await advance(importer, batch_id)
            now = await summarise(batch_id)
        watch(now)
    return now


async def purge_imports(*, files: FileStore, clock: Clock) -> int:
    """Remove rows and remarks of at most twenty of the tenant's batches older than seven days, and old files.

    The batches stay with their counts: that a file was imported before is told for as long as the company exists.
    How many batches there were.
    """
    before, tenant_id, transaction = clock.now() - KEPT, current_tenant_id(), current_transaction()
    batches = [row["id"] for row in await transaction.fetch(_OLD, tenant_id, before, _AT_ONCE)]
    parts = "part_id IN (SELECT id FROM import_part WHERE tenant_id = $1 AND batch_id = ANY ($2))"
    for table in _OF_PARTS:
        await transaction.execute(f"DELETE FROM {table} WHERE tenant_id = $1 AND {parts}", tenant_id, batches)
    await transaction.execute(
        "DELETE FROM import_remark WHERE tenant_id = $1 AND batch_id = ANY ($2)", tenant_id, batches
    )
    await transaction.execute(
        "UPDATE import_batch SET purged_at = $3, file_id = NULL WHERE tenant_id = $1 AND id = ANY ($2)",
        tenant_id,
        batches,
        clock.now(),
    )
    await files.purge(tenant_id, before=before)
    return len(batches)
