"""Steps that read an uploaded file into sealed chunks; when all is read, the file is removed.

A step reads as much as fits well into the time that one may take: fifty chunks, or fewer of a wide sheet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from saas.exchange.actions.counting import count
from saas.exchange.actions.remarks import Remark, Scribe, Severity
from saas.exchange.chunks import Chunk
from saas.exchange.errors import FileRefused, SheetRefused
from saas.exchange.headers import is_total
from saas.exchange.kinds import ImportContext
from saas.exchange.queries import Batch, Part
from saas.exchange.rules import CHUNK_ROWS
from saas.exchange.sheets import SheetRow, open_sheets
from saas.exchange.store import FileStore
from saas.kernel import new_id
from tenants import current_tenant_id, current_transaction

_CHUNKS_A_STEP = 50
_CELLS_A_STEP = 1_000_000
_INSERT = """
INSERT INTO import_chunk (tenant_id, id, part_id, number, content, row_count) VALUES ($1, $2, $3, $4, $5, $6)
"""
_COUNT_CHUNKS = "UPDATE import_part SET chunk_count = $3 WHERE tenant_id = $1 AND id = $2"
_HAS_ROWS = "SELECT EXISTS (SELECT FROM import_part WHERE tenant_id = $1 AND batch_id = $2 AND row_count > 0)"


async def read_rows(
    context: ImportContext, batch: Batch, part: Part, *, files: FileStore, scribe: Scribe
) -> int | None:
    """Read on from where the last step of this part ended; the chunk to go on with, None where the part is read.

    :raises FileRefused: the file is gone, or damaged behind its beginning.
    """
    if batch.file_id is None:
        raise FileRefused("exchange.file_gone")
    async with files.opened(current_tenant_id(), batch.file_id) as path:
        with ExitStack() as stack:
            rows = await asyncio.to_thread(_rows_behind, stack, path, batch, part)
            cells = 0
            for number in range(batch.at_chunk, batch.at_chunk + _CHUNKS_A_STEP):
                found, totals = await asyncio.to_thread(_next_rows, rows)
                await scribe.note(batch.id, (_total_remark(part, row) for row in totals))
                if found:
                    await _keep(context, batch, part, number, found)
                if len(found) < CHUNK_ROWS:
                    return None
                cells += sum(len(row.cells) for row in found)
                if cells > _CELLS_A_STEP:
                    break
    return number + 1


def _rows_behind(stack: ExitStack, path: Path, batch: Batch, part: Part) -> Iterator[SheetRow]:
    """The rows below the header, without those that earlier steps have kept."""
    sheets = stack.enter_context(open_sheets(path, filename=batch.filename))
    below = (row for row in sheets.rows(part.sheet) if row.number > part.header_row and not row.is_blank)
    for _ in range(batch.at_chunk):
        _next_rows(below)
    return below


def _next_rows(rows: Iterator[SheetRow]) -> tuple[list[SheetRow], list[SheetRow]]:
    """The next thousand rows, and the total rows that stand among them."""
    found: list[SheetRow] = []
    totals: list[SheetRow] = []
    for row in rows:
        (totals if is_total(row) else found).append(row)
        if len(found) == CHUNK_ROWS:
            break
    return found, totals


def _total_remark(part: Part, row: SheetRow) -> Remark:
    return Remark(Severity.NOTE, "exchange.total_row_left_out", {"row": row.number}, part.id, row.number)


async def _keep(context: ImportContext, batch: Batch, part: Part, number: int, rows: list[SheetRow]) -> None:
    """Seal and store a chunk; a chunk that stands already would violate the key of (part, number)."""
    chunk_id, transaction, tenant_id = new_id(), current_transaction(), current_tenant_id()
    content = Chunk(context.keyring, chunk_id).seal_rows(rows)
    await transaction.execute(_INSERT, tenant_id, chunk_id, part.id, number, content, len(rows))
    await transaction.execute(_COUNT_CHUNKS, tenant_id, part.id, number + 1)
    await count(batch.id, part.id, {"row_count": len(rows)})


async def finish_reading(batch: Batch, *, files: FileStore) -> None:
    """Every row is kept, so the file goes once that is certain.

    :raises SheetRefused: there was not a single row below the headers.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    if not await transaction.fetchval(_HAS_ROWS, tenant_id, batch.id):
        raise SheetRefused("exchange.no_rows")
    await transaction.execute(
        "UPDATE import_batch SET is_read = true, file_id = NULL WHERE tenant_id = $1 AND id = $2", tenant_id, batch.id
    )
    remove_after_commit(batch, files=files)


def remove_after_commit(batch: Batch, *, files: FileStore) -> None:
    """Remove the batch's file when the open transaction has committed; one that stays goes with the purge."""
    file_id, tenant_id = batch.file_id, current_tenant_id()
    if file_id is not None:
        current_transaction().after_commit(lambda: files.remove(tenant_id, file_id))
