"""Steps that check a chunk: rows are parsed, told apart from each other, and planned by their kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from saas.exchange.actions.counting import count
from saas.exchange.actions.remarks import Remark, Scribe, Severity
from saas.exchange.errors import RowRefused
from saas.exchange.kinds import ImportContext, ImportKind, Outcome, Row, Verdict
from saas.exchange.queries import Batch, Part, key_digest, open_chunk, parsed
from saas.exchange.rules import ParsedRow, PlannedRow, canonical, chunk_digest, identities, masked, names, shared
from saas.kernel import AppError, new_id
from tenants import current_tenant_id, current_transaction

DIFFERENCES_KEPT = 100
"""Fields of a part whose before and after a preview shows."""

_HOLD_KEYS = """
INSERT INTO import_key (tenant_id, part_id, digest, number)
SELECT $1, $2, digest, number FROM unnest($3::bytea[], $4::int[]) AS fresh (digest, number)
ON CONFLICT DO NOTHING
"""
_HOLDERS = """
SELECT k.digest, k.number FROM unnest($3::bytea[]) AS asked (digest) CROSS JOIN LATERAL (
    SELECT digest, number FROM import_key WHERE tenant_id = $1 AND part_id = $2 AND digest = asked.digest OFFSET 0
) k
"""
_INSERT_ROWS = """
INSERT INTO import_row (tenant_id, part_id, number, chunk, outcome, token)
SELECT $1, $2, number, $3, outcome, token
FROM unnest($4::int[], $5::text[], $6::text[]) AS fresh (number, outcome, token)
"""
_INSERT_DIFFERENCES = """
INSERT INTO import_difference (tenant_id, id, part_id, row_number, key, before, after)
SELECT $1, id, $2, row_number, key, before, after
FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[]) AS fresh (id, row_number, key, before, after)
"""
_COUNT_DIFFERENCES = "SELECT count(*) FROM import_difference WHERE tenant_id = $1 AND part_id = $2"
_SET_DIGEST = "UPDATE import_chunk SET plan_digest = $4 WHERE tenant_id = $1 AND part_id = $2 AND number = $3"


@dataclass(slots=True)
class _Findings:
    """What becomes of the rows of a chunk, by row number."""

    verdicts: dict[int, Verdict] = field(default_factory=dict)
    firsts: dict[int, int] = field(default_factory=dict)


async def check_chunk(
    context: ImportContext, batch: Batch, part: Part, number: int, *, kind: ImportKind, scribe: Scribe
) -> int:
    """Parse, compare and plan the rows of a chunk; how many there are. It writes to the batch alone."""
    chunk = await open_chunk(part, number, keyring=context.keyring)
    rows = parsed(context, chunk.rows, part, kind)
    findings = await _compared(context, part, kind, rows)
    good = [row for row in rows if row.number not in findings.verdicts]
    planned = await planned_by(kind, context, good)
    findings.verdicts |= {row.number: verdict for row, verdict in zip(good, planned, strict=True)}
    await _write_rows(part, number, rows, findings.verdicts)
    await scribe.note(batch.id, _remarks(part, kind, rows, findings))
    await _write_differences(part, kind, findings.verdicts)
    outcomes = Counter(f"{verdict.outcome.value}_count" for verdict in findings.verdicts.values())
    await count(batch.id, part.id, outcomes)
    return len(rows)


async def planned_by(kind: ImportKind, context: ImportContext, rows: Sequence[ParsedRow]) -> list[Verdict]:
    """The kind's verdicts, one per row; the kind is not asked about nothing."""
    if not rows:
        return []
    verdicts = await kind.plan(context, [Row(row.number, row.values) for row in rows])
    if len(verdicts) != len(rows):
        raise ValueError(f"{kind.name}.plan gave {len(verdicts)} verdicts for {len(rows)} rows: one per row is needed")
    return verdicts


async def _compared(context: ImportContext, part: Part, kind: ImportKind, rows: Sequence[ParsedRow]) -> _Findings:
    """Rows that fail before the kind is asked: unreadable ones, repeated ones, ones that contradict an earlier row."""
    findings = _Findings({row.number: Verdict.refused(*row.errors) for row in rows if row.errors})
    keys = {row.number: _keys_of(context, kind, row) for row in rows if not row.errors}
    holders = await _held(part, keys)
    titles = _titles(part, kind)
    for number, by_name in keys.items():
        first = {name: holders[digest] for name, digest in by_name.items()}
        if first[""] != number:
            findings.verdicts[number], findings.firsts[number] = Verdict(Outcome.DUPLICATE), first[""]
            continue
        clashes = [_clash(number, name, titles.get(name, name), held) for name, held in first.items() if held != number]
        if clashes:
            findings.verdicts[number] = Verdict.refused(*clashes)
    await _hold_names(context, part, kind, [row for row in rows if row.number not in findings.verdicts])
    return findings


async def _hold_names(context: ImportContext, part: Part, kind: ImportKind, rows: Sequence[ParsedRow]) -> None:
    """Remember what other rows may call the records of these, and which of it several rows have."""
    by_row = {row.number: names(row.values, kind.columns) for row in rows}
    held = await _held(part, {number: _digests(context, found) for number, found in by_row.items()})
    again = {
        number: {name: text for name, text in found.items() if held[key_digest(context.keyring, text)] != number}
        for number, found in by_row.items()
    }
    several = {number: {name: shared(text) for name, text in found.items()} for number, found in again.items()}
    await _held(part, {number: _digests(context, found) for number, found in several.items()})


def _keys_of(context: ImportContext, kind: ImportKind, row: ParsedRow) -> dict[str, bytes]:
    """Digests of the whole row (under no name) and of what must not be repeated (under its column)."""
    unique = identities(row.values, kind.columns, kind.identity)
    return _digests(context, {"": f"{kind.name} {canonical(row.values)}", **unique})


def _digests(context: ImportContext, texts: Mapping[str, str]) -> dict[str, bytes]:
    return {name: key_digest(context.keyring, text) for name, text in texts.items()}


def _titles(part: Part, kind: ImportKind) -> dict[str, str]:
    titles = {header.key: header.header for header in part.headers if header.key}
    return titles | {"+".join(kind.identity): " + ".join(titles.get(key, key) for key in kind.identity)}


def _clash(number: int, name: str, title: str, first: int) -> AppError:
    return RowRefused("exchange.value_twice", {"row": number, "column": title, "first": first}, field=(name,))


async def _held(part: Part, keys: Mapping[int, Mapping[str, bytes]]) -> dict[bytes, int]:
    """Which row of the part holds each digest: the first that had it, in this chunk or an earlier one."""
    firsts: dict[bytes, int] = {}
    for number, by_name in keys.items():
        for digest in by_name.values():
            firsts.setdefault(digest, number)
    if not firsts:
        return {}
    transaction, tenant_id, digests = current_transaction(), current_tenant_id(), sorted(firsts)
    numbers = [firsts[digest] for digest in digests]
    if await transaction.execute(_HOLD_KEYS, tenant_id, part.id, digests, numbers) == len(firsts):
        return firsts
    return {row["digest"]: row["number"] for row in await transaction.fetch(_HOLDERS, tenant_id, part.id, digests)}


async def _write_rows(part: Part, chunk: int, rows: Sequence[ParsedRow], verdicts: Mapping[int, Verdict]) -> None:
    found = [
        PlannedRow(row.number, verdicts[row.number].outcome.value, verdicts[row.number].token, canonical(row.values))
        for row in rows
    ]
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute(
        _INSERT_ROWS,
        tenant_id,
        part.id,
        chunk,
        [row.number for row in found],
        [row.outcome for row in found],
        [row.token for row in found],
    )
    await transaction.execute(_SET_DIGEST, tenant_id, part.id, chunk, chunk_digest(found))


def _remarks(part: Part, kind: ImportKind, rows: Iterable[ParsedRow], findings: _Findings) -> Iterable[Remark]:
    titles = _titles(part, kind)
    for row in rows:
        for error in findings.verdicts[row.number].errors:
            yield _of_error(error, part.id, row.number, titles)
        for warning in findings.verdicts[row.number].warnings:
            yield _of_error(warning, part.id, row.number, titles, severity=Severity.WARNING)
        first = findings.firsts.get(row.number)
        if first is not None:
            args = {"row": row.number, "first": first}
            yield Remark(Severity.WARNING, "exchange.row_repeated", args, part.id, row.number)


def _of_error(
    error: AppError, part_id: UUID, number: int, titles: Mapping[str, str], *, severity: Severity = Severity.ERROR
) -> Remark:
    """An error with its row and column, also where the kind named only the column's key."""
    column = next((titles[name] for name in reversed(error.field) if name in titles), None)
    error.values.setdefault("row", number)
    if column is not None:
        error.values.setdefault("column", column)
    return Remark.of_error(error, severity=severity, part_id=part_id, row=number, column=column)


async def _write_differences(part: Part, kind: ImportKind, verdicts: Mapping[int, Verdict]) -> None:
    """Add differences until the part has as many as are kept; sensitive values are masked."""
    found = [(number, each) for number, verdict in verdicts.items() for each in verdict.differences]
    transaction, tenant_id = current_transaction(), current_tenant_id()
    if not found:
        return
    room = DIFFERENCES_KEPT - await transaction.fetchval(_COUNT_DIFFERENCES, tenant_id, part.id)
    shown, sensitive = found[: max(room, 0)], {column.key for column in kind.columns if column.is_sensitive}
    await transaction.execute(
        _INSERT_DIFFERENCES,
        tenant_id,
        part.id,
        [new_id() for _ in shown],
        [number for number, _ in shown],
        [each.key for _, each in shown],
        [masked(each.before, is_sensitive=each.key in sensitive) for _, each in shown],
        [masked(each.after, is_sensitive=each.key in sensitive) for _, each in shown],
    )
