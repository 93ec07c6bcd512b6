"""From a stored file to a staged batch: which sheets hold which kinds of rows, and how their columns map."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import orjson

from saas.access import require
from saas.audit import record
from saas.exchange.actions.remarks import Remark, Scribe, Severity
from saas.exchange.columns import (
    ImportColumn,
    MappedHeader,
    MatchedBy,
    apply_mapping,
    column_letters,
    fingerprint,
    propose,
)
from saas.exchange.errors import FileRefused, SheetRefused
from saas.exchange.headers import Table, find_table
from saas.exchange.kinds import ImportContext, Kinds
from saas.exchange.queries import find_former, find_remembered, order_of
from saas.exchange.rules import BatchState, Mode, OnChange
from saas.exchange.sheets import open_sheets
from saas.exchange.store import FileStore, StoredFile
from saas.kernel import AppError, Catalogue, new_id
from tenants import current_tenant_id, current_transaction

_FILENAME_MAX = 200
_SHEETS_MAX = 50
_INSERT_BATCH = """
INSERT INTO import_batch (tenant_id, id, filename, file_id, format, encoding, size, sha256, repeats_id, state, mode,
    on_change, account_id, employee_id, actor, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::text::jsonb, $16, $16)
"""
_INSERT_PART = """
INSERT INTO import_part (tenant_id, id, batch_id, place, sheet, kind, header_row, unit, fingerprint)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_DELETE_HEADERS = "DELETE FROM import_header WHERE tenant_id = $1 AND part_id = $2"
_INSERT_HEADERS = """
INSERT INTO import_header (tenant_id, id, part_id, place, letters, header, key, matched_by)
SELECT $1, id, $2, place, letters, header, key, matched_by
FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[])
     AS fresh (id, place, letters, header, key, matched_by)
"""


@dataclass(frozen=True, slots=True)
class FoundSheet:
    """A sheet whose header was understood."""

    name: str
    kind: str
    header_row: int
    unit: str
    headers: tuple[MappedHeader, ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """A stored file as `inspect_upload` found it; `ignored` are sheets without a header, each with its refusal."""

    stored: StoredFile
    filename: str
    format: str
    encoding: str | None
    sheets: tuple[FoundSheet, ...]
    ignored: tuple[tuple[str, AppError], ...]


async def inspect_upload(
    stored: StoredFile, *, tenant_id: UUID, filename: str, kinds: Kinds, files: FileStore, kind: str | None = None
) -> Upload:
    """Look at a stored file, outside any transaction: what it is, and what each of its sheets holds.

    :param kind: the kind that every sheet holds; by default each sheet's headers tell.
    :raises KindUnknown: there is no such kind.
    :raises FileRefused, FileTooLarge: the file can't be read; it is removed.
    :raises SheetRefused: no sheet has a header that can be understood; the file is removed.
    """
    if kind:
        kinds = Kinds([kinds.get(kind)])
    try:
        async with files.opened(tenant_id, stored.id) as path:
            return await asyncio.to_thread(_inspect, path, stored, filename[-_FILENAME_MAX:], kinds)
    except AppError:
        await files.remove(tenant_id, stored.id)
        raise


def _inspect(path: Path, stored: StoredFile, filename: str, kinds: Kinds) -> Upload:
    found: list[FoundSheet] = []
    ignored: list[tuple[str, AppError]] = []
    with open_sheets(path, filename=filename) as sheets:
        if len(sheets.names) > _SHEETS_MAX:
            raise FileRefused("exchange.too_many_sheets", {"count": len(sheets.names), "most": _SHEETS_MAX})
        for name in sheets.names:
            try:
                table = find_table(sheets.rows(name), kinds.columns, named=kinds.titled(name))
            except SheetRefused as refused:
                ignored.append((name, refused))
            else:
                found.append(_found_sheet(name, table, kinds.columns))
        if not found:
            raise ignored[0][1] if ignored else SheetRefused("exchange.sheet_empty")
        return Upload(stored, filename, sheets.format.value, sheets.encoding, tuple(found), tuple(ignored))


def _found_sheet(name: str, table: Table, columns: Mapping[str, Sequence[ImportColumn]]) -> FoundSheet:
    headers = propose(table.headers, columns[table.kind])
    return FoundSheet(name[:_FILENAME_MAX], table.kind, table.header_row, table.unit, headers)


async def stage_import(context: ImportContext, upload: Upload, *, kinds: Kinds, catalogue: Catalogue) -> UUID:
    """A batch for the file, with a mapping proposed for every sheet (permission ``import:preview`` and each kind's).

    A mapping that the company committed for the same headers comes before what the headers suggest. A file that was
    committed before is told by `repeats_id`.

    :raises PermissionMissing: the caller lacks a permission.
    """
    require(context.access, "import:preview")
    for name in {sheet.kind for sheet in upload.sheets}:
        require(context.access, kinds.get(name).permission)
    batch_id = new_id()
    await _insert_batch(context, batch_id, upload)
    by_turn = sorted(enumerate(upload.sheets), key=lambda item: order_of(kinds, item[1].kind, item[0]))
    for place, (_, sheet) in enumerate(by_turn):
        await _insert_part(batch_id, place, sheet, kinds)
    await Scribe(catalogue, context.actor.locale).note(batch_id, _ignored(upload))
    await record(
        context.actor,
        "import.staged",
        object_type="ImportBatch",
        object_id=batch_id,
        changes={"file": [None, upload.filename], "sha256": [None, upload.stored.sha256]},
        clock=context.clock,
    )
    return batch_id


def _ignored(upload: Upload) -> Iterator[Remark]:
    for name, refused in upload.ignored:
        yield Remark(Severity.NOTE, "exchange.sheet_ignored", {"sheet": name[:60], "reason": refused.key})


async def _insert_batch(context: ImportContext, batch_id: UUID, upload: Upload) -> None:
    await current_transaction().execute(
        _INSERT_BATCH,
        current_tenant_id(),
        batch_id,
        upload.filename,
        upload.stored.id,
        upload.format,
        upload.encoding,
        upload.stored.size,
        upload.stored.sha256,
        await find_former(upload.stored.sha256),
        BatchState.STAGED.value,
        Mode.REJECT_ALL.value,
        OnChange.REFUSE.value,
        context.actor.account_id,
        context.actor.employee_id,
        orjson.dumps(context.actor.plain()).decode(),
        context.clock.now(),
    )


async def _insert_part(batch_id: UUID, place: int, sheet: FoundSheet, kinds: Kinds) -> None:
    part_id, mark = new_id(), fingerprint(sheet.headers)
    await current_transaction().execute(
        _INSERT_PART,
        current_tenant_id(),
        part_id,
        batch_id,
        place,
        sheet.name,
        sheet.kind,
        sheet.header_row,
        sheet.unit,
        mark,
    )
    await write_headers(part_id, await _with_memory(sheet, mark, kinds))


async def _with_memory(sheet: FoundSheet, mark: str, kinds: Kinds) -> tuple[MappedHeader, ...]:
    """The proposal with what was remembered for these headers, as far as the kind still has those columns."""
    columns = kinds.get(sheet.kind).columns
    known = {column.key for column in columns} | {None}
    remembered = await find_remembered(sheet.kind, mark)
    usable = {header: key for header, key in remembered.items() if key in known}
    return apply_mapping(sheet.headers, columns, usable, matched_by=MatchedBy.MEMORY)


async def write_headers(part_id: UUID, headers: Sequence[MappedHeader]) -> None:
    """The part's mapping, in the place of the one it had."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute(_DELETE_HEADERS, tenant_id, part_id)
    await transaction.execute(
        _INSERT_HEADERS,
        tenant_id,
        part_id,
        [new_id() for _ in headers],
        [each.place for each in headers],
        [column_letters(each.place) for each in headers],
        [each.header for each in headers],
        [each.key for each in headers],
        [each.matched_by.value if each.matched_by else None for each in headers],
    )
