"""Reads of the exchange room for actions and steps; lists and details go through the compiled reader."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from saas.access import scope_predicate
from saas.exchange.cells import Value
from saas.exchange.chunks import Chunk
from saas.exchange.columns import MappedHeader, MatchedBy, columns_by_place
from saas.exchange.errors import BatchNotFound
from saas.exchange.kinds import ImportContext, ImportKind, Kinds
from saas.exchange.policies import BATCH_SCOPES
from saas.exchange.rules import BatchState, Mode, OnChange, ParsedRow, Phase, canonical, parse_row, shared
from saas.exchange.sheets import SheetRow
from saas.kernel import Actor
from saas.sealing import Keyring
from tenants import current_tenant_id, current_transaction

_BATCH = """
SELECT b.id, b.filename, b.file_id, b.state, b.mode, b.on_change, b.plan_hash, b.phase, b.step, b.at_part, b.at_chunk,
       b.is_read, b.applied_count, b.failed_count, b.purged_at, b.actor::text AS actor,
       $3::uuid AS seen_by
FROM import_batch b WHERE b.tenant_id = $1 AND b.id = $2
"""
_PARTS = """
SELECT p.id, p.place, p.sheet, p.kind, p.header_row, p.unit, p.fingerprint, p.chunk_count
FROM import_part p WHERE p.tenant_id = $1 AND p.batch_id = $2 ORDER BY p.place
"""
_HEADERS = (
    "SELECT place, header, key, matched_by FROM import_header WHERE tenant_id = $1 AND part_id = $2 ORDER BY place"
)
_CHUNK = "SELECT id, content, undo FROM import_chunk WHERE tenant_id = $1 AND part_id = $2 AND number = $3"
_REMEMBERED = """
SELECT columns::text FROM import_mapping WHERE tenant_id = $1 AND kind = $2 AND fingerprint = $3
"""
_FORMER = """
SELECT id FROM import_batch WHERE tenant_id = $1 AND sha256 = $2 AND state = 'committed'
ORDER BY created_at DESC, id DESC LIMIT 1
"""
_ERRORS = """
SELECT row_number, key, args::text AS args FROM import_remark
WHERE tenant_id = $1 AND part_id = $2 AND severity = 'error' AND row_number = ANY ($3) ORDER BY row_number, id
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as steps and actions need it."""

    id: UUID
    filename: str
    file_id: UUID | None
    state: BatchState
    mode: Mode
    on_change: OnChange
    plan_hash: str | None
    phase: Phase | None
    step: int
    at_part: int
    at_chunk: int
    is_read: bool
    applied: int
    failed: int
    purged_at: datetime | None
    actor: Actor

    @property
    def is_purged(self) -> bool:
        """Whether its rows are gone."""
        return self.purged_at is not None


@dataclass(frozen=True, slots=True)
class Part:
    """A sheet of a batch with its mapping."""

    id: UUID
    place: int
    sheet: str
    kind: str
    header_row: int
    unit: str
    fingerprint: str
    chunk_count: int
    headers: tuple[MappedHeader, ...]


async def lock_batch(batch_id: UUID, *, seen_by: ImportContext | None = None) -> Batch:
    """The batch, held until the transaction ends: steps and deeds follow each other.

    :param seen_by: whose row scopes must cover it; None for a step, which acts for the batch's own person.
    :raises BatchNotFound: missing, another company's, or not visible.
    """
    predicate, employee_id = "true", None
    if seen_by is not None:
        visible, employee_id = seen_by.access.visible("ImportBatch"), seen_by.actor.employee_id
        predicate = scope_predicate(BATCH_SCOPES, visible, alias="b", tenant="$1", employee="$3")
    sql = f"{_BATCH} AND {predicate} FOR UPDATE OF b"
    row = await current_transaction().fetchrow(sql, current_tenant_id(), batch_id, employee_id)
    if row is None:
        raise BatchNotFound("exchange.batch_not_found")
    return _batch(dict(row))


def _batch(row: dict[str, Any]) -> Batch:
    return Batch(
        id=row["id"],
        filename=row["filename"],
        file_id=row["file_id"],
        state=BatchState(row["state"]),
        mode=Mode(row["mode"]),
        on_change=OnChange(row["on_change"]),
        plan_hash=row["plan_hash"],
        phase=Phase(row["phase"]) if row["phase"] else None,
        step=row["step"],
        at_part=row["at_part"],
        at_chunk=row["at_chunk"],
        is_read=row["is_read"],
        applied=row["applied_count"],
        failed=row["failed_count"],
        purged_at=row["purged_at"],
        actor=Actor.of_plain(orjson.loads(row["actor"]), tenant_id=current_tenant_id()),
    )


async def list_parts(batch_id: UUID) -> list[Part]:
    """The batch's parts in their order, with their mappings; a workbook has few."""
    rows = await current_transaction().fetch(_PARTS, current_tenant_id(), batch_id)
    return [Part(**dict(row), headers=await _headers(row["id"])) for row in rows]


async def _headers(part_id: UUID) -> tuple[MappedHeader, ...]:
    rows = await current_transaction().fetch(_HEADERS, current_tenant_id(), part_id)
    return tuple(
        MappedHeader(
            row["place"], row["header"], row["key"], MatchedBy(row["matched_by"]) if row["matched_by"] else None
        )
        for row in rows
    )


_PROMISED = """
SELECT k.digest FROM import_part p CROSS JOIN unnest($6::bytea[]) AS asked (digest)
CROSS JOIN LATERAL (
    SELECT digest, number FROM import_key WHERE tenant_id = $1 AND part_id = p.id AND digest = asked.digest OFFSET 0
) k
CROSS JOIN LATERAL (
    SELECT chunk, outcome FROM import_row WHERE tenant_id = $1 AND part_id = p.id AND number = k.number OFFSET 0
) r
WHERE p.tenant_id = $1 AND p.batch_id = $2 AND p.kind = $3 AND (p.place, r.chunk) < ($4, $5) AND r.outcome <> 'failed'
"""
"""Two look-ups by primary key for each digest, whatever the planner thinks of how many rows there are."""

_PLEDGED = """
SELECT r.token, count(*) AS rows FROM import_part p
JOIN import_row r ON r.tenant_id = p.tenant_id AND r.part_id = p.id
WHERE p.tenant_id = $1 AND p.batch_id = $2 AND p.kind = $3 AND (p.place, r.chunk) < ($4, $5)
  AND r.outcome = 'new' AND r.applied_at IS NULL
GROUP BY r.token
"""


def key_digest(keyring: Keyring, text: str) -> bytes:
    """What `import_key` holds of a row or of a unique value: keyed, for telephone numbers are guessed easily."""
    return keyring.blind_index("import.key", text)


@dataclass(frozen=True, slots=True)
class BatchPromises:
    """`Promises` of the rows of a batch that stand before a chunk of the part at `place`."""

    batch_id: UUID
    place: int
    chunk: int
    keyring: Keyring

    async def made(self, kind: str, key: str, values: Iterable[Value]) -> set[Value]:
        """Those of `values` that one good row of `kind` has in its column `key`."""
        texts = {value: canonical({key: value}) for value in values if value is not None}
        if not texts:
            return set()
        once = {value: key_digest(self.keyring, text) for value, text in texts.items()}
        several = {value: key_digest(self.keyring, shared(text)) for value, text in texts.items()}
        wanted = [*once.values(), *several.values()]
        found = {row["digest"] for row in await self._fetch(_PROMISED, kind, wanted)}
        return {value for value in texts if once[value] in found and several[value] not in found}

    async def pledged(self, kind: str) -> Mapping[str, int]:
        """How many new rows of `kind` stand before the chunk and are not written yet, by token."""
        return {row["token"]: row["rows"] for row in await self._fetch(_PLEDGED, kind)}

    async def _fetch(self, sql: str, kind: str, *more: object) -> list[asyncpg.Record]:
        return await current_transaction().fetch(
            sql, current_tenant_id(), self.batch_id, kind, self.place, self.chunk, *more
        )


@dataclass(frozen=True, slots=True)
class OpenChunk:
    """A chunk of a part, opened: its rows as they stand in the file."""

    sealer: Chunk
    rows: list[SheetRow]
    undo: bytes | None


async def open_chunk(part: Part, number: int, *, keyring: Keyring) -> OpenChunk:
    """The rows of one chunk, numbered from 0."""
    row = await current_transaction().fetchrow(_CHUNK, current_tenant_id(), part.id, number)
    assert row is not None, "chunk_count says that it is there, and purged batches take no steps"
    sealer = Chunk(keyring, row["id"])
    return OpenChunk(sealer, sealer.open_rows(row["content"]), row["undo"])


def parsed(context: ImportContext, rows: Sequence[SheetRow], part: Part, kind: ImportKind) -> list[ParsedRow]:
    """The rows' values by the part's mapping, amounts in the company's currency."""
    columns = columns_by_place(
        part.headers, kind.columns, unit=part.unit, locale=context.actor.locale, currency=context.currency
    )
    titles = {header.place: header.header for header in part.headers}
    return [parse_row(row.number, row.cells, columns, titles) for row in rows]


async def find_remembered(kind: str, fingerprint: str) -> Mapping[str, str | None]:
    """The mapping that the company last committed for these headers: header → column key; empty if there is none."""
    found = await current_transaction().fetchval(_REMEMBERED, current_tenant_id(), kind, fingerprint)
    columns: Mapping[str, str | None] = orjson.loads(found) if found else {}
    return columns


async def find_former(sha256: str) -> UUID | None:
    """The last committed import of a file with the same content."""
    found: UUID | None = await current_transaction().fetchval(_FORMER, current_tenant_id(), sha256)
    return found


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row failed: the key of the sentence and its values."""

    key: str
    args: Mapping[str, Any]


async def failed_rows(part: Part, *, keyring: Keyring) -> AsyncIterator[tuple[SheetRow, tuple[Reason, ...]]]:
    """The failed rows of a part as they stand in the file, with their reasons; a chunk at a time."""
    for number in range(part.chunk_count):
        chunk = await open_chunk(part, number, keyring=keyring)
        numbers = [row.number for row in chunk.rows]
        found = await current_transaction().fetch(_ERRORS, current_tenant_id(), part.id, numbers)
        reasons: dict[int, list[Reason]] = {}
        for remark in found:
            reasons.setdefault(remark["row_number"], []).append(Reason(remark["key"], orjson.loads(remark["args"])))
        for row in chunk.rows:
            if row.number in reasons:
                yield row, tuple(reasons[row.number])


def order_of(kinds: Kinds, kind: str, place: int) -> tuple[int, int]:
    """Where a sheet's turn is: by its kind, then by its place in the workbook."""
    return kinds.place(kind), place


@dataclass(frozen=True, slots=True)
class PartSummary:
    """A sheet of a batch and what became of its rows."""

    sheet: str
    kind: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """A batch as whoever waits for it wants to know it; counts by their column without ``_count``."""

    state: BatchState
    phase: str | None
    plan_hash: str | None
    failure_key: str | None
    failure: str | None
    counts: Mapping[str, int]
    parts: tuple[PartSummary, ...]


@dataclass(frozen=True, slots=True)
class RemarkLine:
    """What is to know of a row, in the language of whoever asked."""

    sheet: str
    row: int
    severity: str
    message: str


_COUNTED = (
    "row_count, done_count, new_count, changed_count, unchanged_count, duplicate_count, failed_count, applied_count,"
    " passed_count, undone_count, kept_count"
)
_REMARKS = """
SELECT coalesce(p.sheet, '') AS sheet, r.row_number, r.severity, r.message FROM import_remark r
LEFT JOIN import_part p ON p.tenant_id = r.tenant_id AND p.id = r.part_id
WHERE r.tenant_id = $1 AND r.batch_id = $2 ORDER BY r.severity <> 'error', p.place, r.row_number, r.id LIMIT $3
"""


async def summarise(batch_id: UUID) -> BatchSummary:
    """How far a batch is and what became of its rows.

    :raises BatchNotFound: the company has no such batch.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    row = await transaction.fetchrow(
        f"SELECT state, phase, plan_hash, failure_key, failure, {_COUNTED} FROM import_batch"
        " WHERE tenant_id = $1 AND id = $2",
        tenant_id,
        batch_id,
    )
    if row is None:
        raise BatchNotFound("exchange.batch_not_found")
    parts = await transaction.fetch(
        f"SELECT sheet, kind, {_COUNTED.replace(' done_count,', '')} FROM import_part"
        " WHERE tenant_id = $1 AND batch_id = $2 ORDER BY place",
        tenant_id,
        batch_id,
    )
    return BatchSummary(
        BatchState(row["state"]),
        row["phase"],
        row["plan_hash"],
        row["failure_key"],
        row["failure"],
        _counts(row),
        tuple(PartSummary(part["sheet"], part["kind"], _counts(part)) for part in parts),
    )


def _counts(row: asyncpg.Record) -> dict[str, int]:
    return {name.removesuffix("_count"): value for name, value in row.items() if name.endswith("_count")}


async def list_remarks(batch_id: UUID, *, most: int) -> list[RemarkLine]:
    """The first remarks of a batch, errors before the others."""
    rows = await current_transaction().fetch(_REMARKS, current_tenant_id(), batch_id, most)
    return [RemarkLine(row["sheet"], row["row_number"], row["severity"], row["message"]) for row in rows]
