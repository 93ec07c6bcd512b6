"""One step of a batch: what is next, done in the open transaction, and the next one made due.

A step is idempotent by its number: the batch is locked, a step of another number does nothing, and what it writes
commits together with the number's rise. So a killed worker loses at most the step it was in, and two do no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from saas.audit import record
from saas.events import emit
from saas.exchange.actions.applying import apply_chunk, undo_chunk, verify_chunk
from saas.exchange.actions.checking import check_chunk
from saas.exchange.actions.counting import forget_checking
from saas.exchange.actions.reading import finish_reading, read_rows
from saas.exchange.actions.remarks import Scribe
from saas.exchange.events import (
    IMPORT_COMMITTED,
    IMPORT_FAILED,
    IMPORT_PREVIEWED,
    IMPORT_UNDONE,
    STEP_FALLEN_DUE,
)
from saas.exchange.kinds import Contexts, ImportContext, Kinds
from saas.exchange.queries import Batch, BatchPromises, Part, list_parts, lock_batch
from saas.exchange.rules import BatchState, Phase, plan_hash
from saas.exchange.store import FileStore
from saas.kernel import Actor, AppError, AppErrors, Catalogue, Clock, refusals_of
from tenants import current_tenant_id, current_transaction

_ONWARD = """
UPDATE import_batch SET step = step + 1, phase = $3::text, at_part = $4, at_chunk = $5, updated_at = $6,
    done_count = CASE WHEN phase IS DISTINCT FROM $3::text THEN 0 ELSE done_count END + $7
WHERE tenant_id = $1 AND id = $2 RETURNING step
"""
_PLAN_AFRESH = "DISCARD PLANS"
"""Where a sheet has more than one chunk. A first import fills empty tables within a minute, long before the server
counts their rows; plans that the connection keeps from before, those of foreign keys among them, may then read a whole
table for each row of a list."""

_DIGESTS = """
SELECT c.plan_digest FROM import_chunk c JOIN import_part p ON p.tenant_id = c.tenant_id AND p.id = c.part_id
WHERE c.tenant_id = $1 AND p.batch_id = $2 ORDER BY p.place, c.number
"""
_END = """
UPDATE import_batch SET state = $3::text, phase = NULL, step = step + 1, updated_at = $4::timestamptz,
    plan_hash = coalesce($5, plan_hash),
    previewed_at = CASE WHEN $3::text = 'previewed' THEN $4::timestamptz ELSE previewed_at END,
    committed_at = CASE WHEN $3::text = 'committed' THEN $4::timestamptz ELSE committed_at END,
    undone_at = CASE WHEN $3::text = 'undone' THEN $4::timestamptz ELSE undone_at END,
    done_count = CASE WHEN $6::text IS NULL THEN row_count ELSE done_count END, failure_key = $6, failure = $7
WHERE tenant_id = $1 AND id = $2
"""


@dataclass(frozen=True, slots=True)
class Importer:
    """What steps are made of, put together by the wiring."""

    kinds: Kinds
    files: FileStore
    contexts: Contexts
    catalogue: Catalogue
    clock: Clock


@dataclass(frozen=True, slots=True)
class Onward:
    """Where the next step goes on, and how many rows this one has dealt with."""

    phase: Phase
    part: int
    chunk: int
    rows: int = 0


async def advance(importer: Importer, batch_id: UUID, *, step: int | None = None) -> bool:
    """Take the batch's next step in the open transaction; whether another is due, which an event then tells.

    A refusal ends the batch as failed: what this step wrote is rolled back, earlier chunks stand and can be undone.

    :param step: the step that is meant; one that was taken already, or was cancelled, does nothing.
    :raises BatchNotFound: the company has no such batch.
    """
    batch = await lock_batch(batch_id)
    if not batch.state.is_moving or step not in (None, batch.step):
        return False
    scribe = Scribe(importer.catalogue, batch.actor.locale)
    try:
        async with current_transaction().savepoint():
            context = replace(await importer.contexts(batch.actor), batch_id=batch.id)
            onward = await _step(importer, context, batch, scribe)
            if onward is None:
                await _finish(importer, context, batch)
    except (AppError, AppErrors) as refused:
        await _fail(importer, batch, scribe, refusals_of(refused)[0])
        return False
    if onward is None:
        return False
    await make_due(batch.id, onward, clock=importer.clock)
    return True


async def make_due(batch_id: UUID, onward: Onward, *, clock: Clock) -> None:
    """Write down where the batch goes on, and tell a worker."""
    step = await current_transaction().fetchval(
        _ONWARD,
        current_tenant_id(),
        batch_id,
        onward.phase.value,
        onward.part,
        onward.chunk,
        clock.now(),
        onward.rows,
    )
    await emit(STEP_FALLEN_DUE, {"batch_id": str(batch_id), "step": step})


async def _step(importer: Importer, context: ImportContext, batch: Batch, scribe: Scribe) -> Onward | None:
    """Do what is due; None where nothing is left to do."""
    parts = await list_parts(batch.id)
    if batch.phase is Phase.READING:
        return await _read(importer, context, batch, parts, scribe)
    if batch.phase is Phase.CHECKING and (batch.at_part, batch.at_chunk) == first_place(parts):
        await forget_checking(batch.id)
    if len(places(parts)) > len(parts):
        await current_transaction().execute(_PLAN_AFRESH)
    part = parts[batch.at_part]
    context = replace(context, promises=BatchPromises(batch.id, part.place, batch.at_chunk, context.keyring))
    rows = await _on_chunk(importer, context, batch, part, scribe)
    place = _neighbour(parts, (batch.at_part, batch.at_chunk), by=-1 if batch.phase is Phase.UNDOING else 1)
    if place is not None:
        assert batch.phase is not None, "a moving batch has a phase"
        return Onward(batch.phase, *place, rows)
    return Onward(Phase.APPLYING, *first_place(parts)) if batch.phase is Phase.VERIFYING else None


async def _read(
    importer: Importer, context: ImportContext, batch: Batch, parts: Sequence[Part], scribe: Scribe
) -> Onward:
    part = parts[batch.at_part]
    next_chunk = await read_rows(context, batch, part, files=importer.files, scribe=scribe)
    if next_chunk is not None:
        return Onward(Phase.READING, batch.at_part, next_chunk)
    if batch.at_part + 1 < len(parts):
        return Onward(Phase.READING, batch.at_part + 1, 0)
    await finish_reading(batch, files=importer.files)
    return Onward(Phase.CHECKING, *first_place(await list_parts(batch.id)))


async def _on_chunk(importer: Importer, context: ImportContext, batch: Batch, part: Part, scribe: Scribe) -> int:
    kind, number = importer.kinds.get(part.kind), batch.at_chunk
    match batch.phase:
        case Phase.CHECKING:
            return await check_chunk(context, batch, part, number, kind=kind, scribe=scribe)
        case Phase.VERIFYING:
            return await verify_chunk(context, part, number, kind=kind)
        case Phase.APPLYING:
            return await apply_chunk(context, batch, part, number, kind=kind, scribe=scribe)
        case _:
            return await undo_chunk(context, batch, part, number, kind=kind, scribe=scribe)


def places(parts: Sequence[Part]) -> list[tuple[int, int]]:
    """Part and chunk of every chunk, in the order in which they are written; a sheet without rows has none."""
    return [(part.place, chunk) for part in parts for chunk in range(part.chunk_count)]


def first_place(parts: Sequence[Part]) -> tuple[int, int]:
    """The first chunk: there is one, or reading would have been refused."""
    return places(parts)[0]


def _neighbour(parts: Sequence[Part], place: tuple[int, int], *, by: int) -> tuple[int, int] | None:
    found = places(parts)
    index = found.index(place) + by
    return found[index] if 0 <= index < len(found) else None


async def _finish(importer: Importer, context: ImportContext, batch: Batch) -> None:
    """The deed is done: preview, commit or undo."""
    match batch.state:
        case BatchState.PREVIEWING:
            await _end(importer, batch, BatchState.PREVIEWED, plan=await _plan_hash(batch))
            await emit(IMPORT_PREVIEWED, {"batch_id": str(batch.id)})
        case BatchState.COMMITTING:
            await _end(importer, batch, BatchState.COMMITTED)
            await _record(importer, context.actor, batch, "import.committed", ("applied_count", "passed_count"))
            await emit(IMPORT_COMMITTED, {"batch_id": str(batch.id)})
        case _:
            await _end(importer, batch, BatchState.UNDONE)
            await _record(importer, context.actor, batch, "import.undone", ("undone_count", "kept_count"))
            await emit(IMPORT_UNDONE, {"batch_id": str(batch.id)})


async def _plan_hash(batch: Batch) -> str:
    """The hash over what the preview shows: settings, mappings, and every row with the version that it rests on."""
    parts = await list_parts(batch.id)
    mappings = [[part.sheet, part.kind, part.unit, [[h.header, h.key] for h in part.headers]] for part in parts]
    rows = await current_transaction().fetch(_DIGESTS, current_tenant_id(), batch.id)
    return plan_hash([batch.mode.value, batch.on_change.value, mappings], [row["plan_digest"] for row in rows])


async def _end(
    importer: Importer,
    batch: Batch,
    state: BatchState,
    *,
    plan: str | None = None,
    failure: tuple[str, str] | None = None,
) -> None:
    key, sentence = failure or (None, None)
    await current_transaction().execute(
        _END, current_tenant_id(), batch.id, state.value, importer.clock.now(), plan, key, sentence
    )


async def _record(importer: Importer, actor: Actor, batch: Batch, action: str, counts: Sequence[str]) -> None:
    """An entry with what became of the rows: each row's own entry is its kind's."""
    row = await current_transaction().fetchrow(
        f"SELECT {', '.join(counts)} FROM import_batch WHERE tenant_id = $1 AND id = $2", current_tenant_id(), batch.id
    )
    assert row is not None, "the batch is locked"
    await record(
        actor,
        action,
        object_type="ImportBatch",
        object_id=batch.id,
        changes={name: [None, row[name]] for name in counts},
        clock=importer.clock,
    )


async def _fail(importer: Importer, batch: Batch, scribe: Scribe, refused: AppError) -> None:
    sentence = scribe.sentence(refused.key, refused.values)
    await _end(importer, batch, BatchState.FAILED, failure=(refused.key, sentence))
    await record(
        batch.actor,
        f"import.{batch.state.value}",
        object_type="ImportBatch",
        object_id=batch.id,
        reason=refused.key,
        outcome="failed",
        clock=importer.clock,
    )
    await emit(IMPORT_FAILED, {"batch_id": str(batch.id)})
