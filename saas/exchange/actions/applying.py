"""Steps that verify a plan and carry it out, a chunk in a transaction; and those that take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from saas.access import require
from saas.exchange.actions.checking import planned_by
from saas.exchange.actions.counting import count
from saas.exchange.actions.remarks import Remark, Scribe, Severity
from saas.exchange.errors import PlanChanged
from saas.exchange.kinds import Applied, ImportContext, ImportKind, Row, Verdict
from saas.exchange.queries import Batch, OpenChunk, Part, open_chunk, parsed
from saas.exchange.rules import OnChange, ParsedRow
from tenants import current_tenant_id, current_transaction

_TO_WRITE = """
SELECT number, outcome, token FROM import_row
WHERE tenant_id = $1 AND part_id = $2 AND chunk = $3 AND outcome IN ('new', 'changed') ORDER BY number
"""
_APPLIED = """
UPDATE import_row r SET object_id = done.object_id, applied_at = $3
FROM unnest($4::int[], $5::uuid[]) AS done (number, object_id)
WHERE r.tenant_id = $1 AND r.part_id = $2 AND r.number = done.number
"""
_SET_UNDO = "UPDATE import_chunk SET undo = $4 WHERE tenant_id = $1 AND part_id = $2 AND number = $3"
_UNDONE = """
UPDATE import_row SET applied_at = NULL WHERE tenant_id = $1 AND part_id = $2 AND number = ANY ($3)
"""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row to write, and the kind's verdict now; `holds` where that is what the preview showed."""

    row: ParsedRow
    verdict: Verdict
    holds: bool


async def verify_chunk(context: ImportContext, part: Part, number: int, *, kind: ImportKind) -> int:
    """Ask the kind again about the rows that would be written; how many rows the chunk has.

    :raises PlanChanged: a record was changed since the preview; nothing was written yet.
    """
    chunk, judged = await _judge(context, part, number, kind=kind)
    _refuse_changed([each for each in judged if not each.holds])
    return len(chunk.rows)


async def apply_chunk(
    context: ImportContext, batch: Batch, part: Part, number: int, *, kind: ImportKind, scribe: Scribe
) -> int:
    """Write a chunk's rows in the open transaction; how many rows the chunk has.

    :raises PlanChanged: a record was changed since the preview, and such rows are not to be skipped.
    :raises PermissionMissing: whoever committed may not write such rows any more.
    """
    require(context.access, kind.permission)
    chunk, judged = await _judge(replace(context, is_commit=True), part, number, kind=kind)
    changed = [each for each in judged if not each.holds]
    if batch.on_change is OnChange.REFUSE:
        _refuse_changed(changed)
    due = [each for each in judged if each.holds]
    applied = await _applied(context, kind, due)
    if applied:
        await _note_applied(context, part, number, chunk, applied)
    await scribe.note(batch.id, (_passed(part, each.row) for each in changed))
    await count(batch.id, part.id, {"applied_count": len(applied), "passed_count": len(changed)})
    return len(chunk.rows)


async def _judge(
    context: ImportContext, part: Part, number: int, *, kind: ImportKind
) -> tuple[OpenChunk, list[_Judged]]:
    found = await current_transaction().fetch(_TO_WRITE, current_tenant_id(), part.id, number)
    chunk = await open_chunk(part, number, keyring=context.keyring)
    shown = {row["number"]: (row["outcome"], row["token"]) for row in found}
    rows = parsed(context, [row for row in chunk.rows if row.number in shown], part, kind)
    verdicts = await planned_by(kind, context, rows)
    return chunk, [
        _Judged(row, verdict, (verdict.outcome.value, verdict.token) == shown[row.number])
        for row, verdict in zip(rows, verdicts, strict=True)
    ]


def _refuse_changed(changed: Sequence[_Judged]) -> None:
    if changed:
        raise PlanChanged("exchange.plan_changed", {"rows": len(changed), "row": changed[0].row.number})


async def _applied(context: ImportContext, kind: ImportKind, due: Sequence[_Judged]) -> list[Applied]:
    if not due:
        return []
    rows = [Row(each.row.number, each.row.values) for each in due]
    applied = await kind.apply(replace(context, is_commit=True), rows, [each.verdict for each in due])
    if {each.number for each in applied} != {row.number for row in rows}:
        raise ValueError(f"{kind.name}.apply did not answer for every row: an undo would forget some")
    return applied


async def _note_applied(
    context: ImportContext, part: Part, number: int, chunk: OpenChunk, applied: Sequence[Applied]
) -> None:
    transaction, tenant_id = current_transaction(), current_tenant_id()
    numbers, objects = [each.number for each in applied], [each.object_id for each in applied]
    await transaction.execute(_APPLIED, tenant_id, part.id, context.clock.now(), numbers, objects)
    await transaction.execute(_SET_UNDO, tenant_id, part.id, number, chunk.sealer.seal_undo(applied))


def _passed(part: Part, row: ParsedRow) -> Remark:
    return Remark(Severity.WARNING, "exchange.row_passed_over", {"row": row.number}, part.id, row.number)


async def undo_chunk(
    context: ImportContext, batch: Batch, part: Part, number: int, *, kind: ImportKind, scribe: Scribe
) -> int:
    """Have the kind take a chunk back, its last row first; rows that must stay are told. How many the chunk has."""
    chunk = await open_chunk(part, number, keyring=context.keyring)
    if chunk.undo is None:
        return len(chunk.rows)
    applied = chunk.sealer.open_undo(chunk.undo)[::-1]
    outcomes = await kind.undo(context, applied)
    if len(outcomes) != len(applied):
        raise ValueError(f"{kind.name}.undo gave {len(outcomes)} answers for {len(applied)} rows: one each is needed")
    undone = [each.number for each, refusal in zip(applied, outcomes, strict=True) if refusal is None]
    await _note_undone(part.id, number, undone)
    await scribe.note(
        batch.id,
        (
            Remark.of_error(refusal, severity=Severity.WARNING, part_id=part.id, row=each.number)
            for each, refusal in zip(applied, outcomes, strict=True)
            if refusal is not None
        ),
    )
    await count(batch.id, part.id, {"undone_count": len(undone), "kept_count": len(applied) - len(undone)})
    return len(chunk.rows)


async def _note_undone(part_id: UUID, number: int, undone: Sequence[int]) -> None:
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute(_UNDONE, tenant_id, part_id, list(undone))
    await transaction.execute(_SET_UNDO, tenant_id, part_id, number, None)
