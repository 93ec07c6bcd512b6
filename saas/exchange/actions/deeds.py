"""What people ask of a batch: preview it, commit it, cancel it, take it back. Steps then carry it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import orjson

from saas.access import require
from saas.audit import record
from saas.exchange.actions.applying import verify_chunk
from saas.exchange.actions.reading import remove_after_commit
from saas.exchange.actions.staging import write_headers
from saas.exchange.actions.steps import Onward, first_place, make_due, places
from saas.exchange.columns import apply_mapping, columns_by_place
from saas.exchange.errors import MappingRefused, PlanChanged, RowsRefused
from saas.exchange.kinds import ImportContext, Kinds
from saas.exchange.queries import Batch, BatchPromises, Part, list_parts, lock_batch
from saas.exchange.rules import BatchState, Deed, Mode, OnChange, Phase, check_deed
from saas.exchange.store import FileStore
from tenants import current_tenant_id, current_transaction

_VERIFIED_AT_ONCE = 2
"""Chunks of a commit that are verified before it answers; of a longer one, in steps before anything is written."""

_SET = """
UPDATE import_batch SET state = $3::text, mode = $4, on_change = $5, actor = $6::text::jsonb, updated_at = $7,
    plan_hash = CASE WHEN $3::text = 'previewing' THEN NULL ELSE plan_hash END, failure_key = NULL, failure = NULL
WHERE tenant_id = $1 AND id = $2
"""
_CANCEL = """
UPDATE import_batch SET state = 'cancelled', phase = NULL, step = step + 1, file_id = NULL, updated_at = $3
WHERE tenant_id = $1 AND id = $2
"""
_REMEMBER = """
INSERT INTO import_mapping (tenant_id, kind, fingerprint, columns, used_at) VALUES ($1, $2, $3, $4::text::jsonb, $5)
ON CONFLICT (tenant_id, kind, fingerprint) DO UPDATE SET columns = excluded.columns, used_at = excluded.used_at
"""

Chosen = Mapping[str, Mapping[str, str | None]]
"""What a person chose: sheet → header → column key, or None to ignore the header."""


async def preview_import(
    context: ImportContext,
    *,
    batch_id: UUID,
    kinds: Kinds,
    mode: Mode = Mode.REJECT_ALL,
    on_change: OnChange = OnChange.REFUSE,
    chosen: Chosen | None = None,
) -> None:
    """Begin a preview, the first or another one with another mapping (permission ``import:preview`` and each kind's).

    :raises BatchNotFound: the caller sees no such batch.
    :raises StateRefused: the batch was committed, cancelled or taken back, or is at work.
    :raises MappingRefused: a sheet, header or column is not there, or a required column is not mapped.
    """
    batch, parts = await _begin(context, batch_id, Deed.PREVIEW, "import:preview", kinds)
    await _remap(context, parts, chosen or {}, kinds)
    await _set_state(context, batch, BatchState.PREVIEWING, mode=mode, on_change=on_change)
    onward = Onward(Phase.CHECKING, *first_place(parts)) if batch.is_read else _read_on(batch)
    await make_due(batch.id, onward, clock=context.clock)


async def commit_import(context: ImportContext, *, batch_id: UUID, plan_hash: str, kinds: Kinds) -> None:
    """Begin to write what the preview of that hash showed (permission ``import:commit`` and each kind's).

    A short import is verified before this answers; of a long one each row is verified before the first is written.

    :raises BatchNotFound: the caller sees no such batch.
    :raises StateRefused: there is no preview to commit; of two commits at once one gets this.
    :raises PlanChanged: another preview was made since, or a record was changed that would be written.
    :raises RowsRefused: rows failed, and all or none are to be taken.
    """
    batch, parts = await _begin(context, batch_id, Deed.COMMIT, "import:commit", kinds)
    if batch.plan_hash != plan_hash:
        raise PlanChanged("exchange.plan_of_other_preview").at("input", "planHash")
    if batch.mode is Mode.REJECT_ALL and batch.failed:
        raise RowsRefused("exchange.rows_failed", {"failed": batch.failed})
    await _remember(context, parts)
    await _set_state(context, batch, BatchState.COMMITTING)
    await _record(context, batch, "import.commit_begun")
    phase = Phase.APPLYING
    if batch.on_change is OnChange.REFUSE and not await _verified_at_once(context, batch, parts, kinds):
        phase = Phase.VERIFYING
    await make_due(batch.id, Onward(phase, *first_place(parts)), clock=context.clock)


async def cancel_import(context: ImportContext, *, batch_id: UUID, kinds: Kinds, files: FileStore) -> None:
    """Stop a batch where it is (permission ``import:preview``); chunks that were written stand and can be taken back.

    :raises BatchNotFound: the caller sees no such batch.
    :raises StateRefused: it was committed or taken back, or is being taken back.
    """
    batch, _ = await _begin(context, batch_id, Deed.CANCEL, "import:preview", kinds)
    await current_transaction().execute(_CANCEL, current_tenant_id(), batch.id, context.clock.now())
    remove_after_commit(batch, files=files)
    await _record(context, batch, "import.cancelled")


async def undo_import(context: ImportContext, *, batch_id: UUID, kinds: Kinds) -> None:
    """Begin to take back every row that was written and that nobody has changed since (permission ``import:undo``).

    :raises BatchNotFound: the caller sees no such batch.
    :raises StateRefused: nothing of it was written, or its rows are older than seven days.
    """
    batch, parts = await _begin(context, batch_id, Deed.UNDO, "import:undo", kinds)
    await _set_state(context, batch, BatchState.UNDOING)
    await _record(context, batch, "import.undo_begun")
    await make_due(batch.id, Onward(Phase.UNDOING, *places(parts)[-1]), clock=context.clock)


async def _begin(
    context: ImportContext, batch_id: UUID, deed: Deed, permission: str, kinds: Kinds
) -> tuple[Batch, list[Part]]:
    """The batch, locked and in a state that allows the deed, and its parts, all of which the caller may import."""
    require(context.access, permission)
    batch = await lock_batch(batch_id, seen_by=context)
    check_deed(deed, batch.state, applied=batch.applied, is_purged=batch.is_purged)
    parts = await list_parts(batch.id)
    for name in {part.kind for part in parts}:
        require(context.access, kinds.get(name).permission)
    return batch, parts


def _read_on(batch: Batch) -> Onward:
    """Where reading goes on: at the beginning, or where a damaged or missing file stopped it."""
    return Onward(Phase.READING, batch.at_part, batch.at_chunk)


async def _remap(context: ImportContext, parts: Sequence[Part], chosen: Chosen, kinds: Kinds) -> None:
    """Write what was chosen, and refuse a mapping that no row could satisfy."""
    unknown = next((sheet for sheet in chosen if sheet not in {part.sheet for part in parts}), None)
    if unknown is not None:
        raise MappingRefused("exchange.sheet_unknown", {"sheet": unknown[:60]})
    for part in parts:
        columns = kinds.get(part.kind).columns
        headers = apply_mapping(part.headers, columns, chosen.get(part.sheet, {}))
        columns_by_place(headers, columns, unit=part.unit, locale=context.actor.locale, currency=context.currency)
        if headers != part.headers:
            await write_headers(part.id, headers)


async def _verified_at_once(context: ImportContext, batch: Batch, parts: Sequence[Part], kinds: Kinds) -> bool:
    """Whether the batch is so short that its verification is done already."""
    found = places(parts)
    if len(found) > _VERIFIED_AT_ONCE:
        return False
    for place, chunk in found:
        part = parts[place]
        promises = BatchPromises(batch.id, part.place, chunk, context.keyring)
        await verify_chunk(replace(context, promises=promises), part, chunk, kind=kinds.get(part.kind))
    return True


async def _remember(context: ImportContext, parts: Sequence[Part]) -> None:
    """A committed mapping is one that somebody stands for: it comes first when such headers are uploaded again."""
    for part in parts:
        columns = orjson.dumps({header.header: header.key for header in part.headers}).decode()
        await current_transaction().execute(
            _REMEMBER, current_tenant_id(), part.kind, part.fingerprint, columns, context.clock.now()
        )


async def _set_state(
    context: ImportContext,
    batch: Batch,
    state: BatchState,
    *,
    mode: Mode | None = None,
    on_change: OnChange | None = None,
) -> None:
    """The state in which steps are due; they act for whoever asked for this deed."""
    await current_transaction().execute(
        _SET,
        current_tenant_id(),
        batch.id,
        state.value,
        (mode or batch.mode).value,
        (on_change or batch.on_change).value,
        orjson.dumps(context.actor.plain()).decode(),
        context.clock.now(),
    )


async def _record(context: ImportContext, batch: Batch, action: str) -> None:
    await record(context.actor, action, object_type="ImportBatch", object_id=batch.id, clock=context.clock)
