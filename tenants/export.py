"""A company's data, whole and readable without us: one file of JSON lines per table, and a manifest.

The tables come from the catalogue (whatever has a ``tenant_id``), in the order in which a restore may insert them;
sealed values stay sealed. Everything is read in one snapshot.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import IO
from uuid import UUID

import orjson

from saas.kernel import Clock
from tenants.database import Database, DatabaseRole, Transaction
from tenants.errors import ExportFolderNotEmpty
from tenants.lifecycle import LifecycleStep, get_tenant, note_step

_TABLES = """
SELECT c.relname AS name,
       (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place)
          FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, place), pg_attribute a
         WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.attnum) AS key,
       ARRAY(SELECT DISTINCT target.relname::text FROM pg_constraint f JOIN pg_class target ON target.oid = f.confrelid
              WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid <> c.oid) AS needs
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
 ORDER BY c.relname
"""
_BATCH = 1000
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """One table of an export; `sha256` is that of its file."""

    table: str
    file: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ExportManifest:
    """What an export holds, in the order in which a restore may insert it."""

    tenant_id: UUID
    company: str
    exported_at: datetime
    tables: tuple[ExportedTable, ...]


async def export_tenant(
    database: Database, tenant_id: UUID, *, folder: Path, operator: str, reason: str, clock: Clock
) -> ExportManifest:
    """Write every row of the company below `folder`, which must be new or empty; it opens its own transaction.

    The manifest is written last: a folder without one is an export that did not finish.

    :raises TenantNotFound: no such company.
    :raises ExportFolderNotEmpty: something lies there already.
    """
    await asyncio.to_thread(_prepare, folder)
    async with database.transaction(tenant_id, role=DatabaseRole.PLATFORM, isolation="REPEATABLE READ") as transaction:
        company = await get_tenant(tenant_id)
        keys, order = await _plan(transaction)
        tables = [
            await _export_table(transaction, table, keys[table], folder / f"{place:02}-{table}.jsonl")
            for place, table in enumerate(order, start=1)
        ]
        await note_step(tenant_id, LifecycleStep.EXPORTED, operator=operator, reason=reason, clock=clock)
    manifest = ExportManifest(tenant_id, company.name, clock.now(), tuple(tables))
    content = orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2)
    await asyncio.to_thread((folder / MANIFEST).write_bytes, content)
    return manifest


def _prepare(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ExportFolderNotEmpty(str(folder))


async def _plan(transaction: Transaction) -> tuple[dict[str, str], list[str]]:
    """Each table's key, and the tables in insertion order."""
    rows = await transaction.fetch(_TABLES)
    keys = {row["name"]: row["key"] for row in rows}
    return keys, insertion_order({row["name"]: set(row["needs"]) & keys.keys() for row in rows})


def insertion_order(needs: Mapping[str, set[str]]) -> list[str]:
    """Tables so that each follows those it refers to; of a circle, the first by name goes before what it needs."""
    pending = {table: set(others) for table, others in sorted(needs.items())}
    while True:
        try:
            return list(TopologicalSorter(pending).static_order())
        except CycleError as circle:
            pending[min(circle.args[1])] = set()


async def _export_table(transaction: Transaction, table: str, key: str, path: Path) -> ExportedTable:
    sql = f'SELECT row_to_json(t)::text AS line FROM public."{table}" t WHERE tenant_id = $1 ORDER BY {key}'
    digest, rows = hashlib.sha256(), 0
    file = await asyncio.to_thread(path.open, "wb")
    try:
        async with transaction.lock:
            cursor = await transaction.connection.cursor(sql, transaction.tenant_id)
            while batch := await cursor.fetch(_BATCH):
                content = "".join(f"{row['line']}\n" for row in batch).encode()
                await asyncio.to_thread(_append, file, content)
                digest.update(content)
                rows += len(batch)
    finally:
        await asyncio.to_thread(file.close)
    return ExportedTable(table, path.name, rows, digest.hexdigest())


def _append(file: IO[bytes], content: bytes) -> None:
    file.write(content)
