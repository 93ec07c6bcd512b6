"""Whether the public ledger says what was written, held against the audit trail; and which lines are new to a reader.

All in the transaction and tenant that is open. For a verdict on a ledger that is being written, open the transaction
REPEATABLE READ, and verify the trail itself first: what stands in it is taken for true here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from saas.customers.ledger import LEDGER, WrittenLine, unpacked
from saas.kernel import public_id
from tenants import current_tenant_id, current_transaction

_NIL = UUID(int=0)
_ENTRIES, _LINES = 200, 5_000
_SAID = ", ".join(f"e.{each.name}" for each in fields(WrittenLine))
_BINDING = f"""
SELECT id, changes -> '{LEDGER}' ->> 1 AS lines FROM audit_entry
WHERE tenant_id = $1 AND id > $2 AND changes ? '{LEDGER}' ORDER BY id LIMIT {_ENTRIES}
"""
_BEGUN = """
SELECT at, (changes -> 'unbound' ->> 1)::bigint AS unbound FROM audit_entry
WHERE tenant_id = $1 AND action = 'pool_ledger.begun' ORDER BY id LIMIT 1
"""
_WRITTEN = f"SELECT {_SAID} FROM pool_event e WHERE e.tenant_id = $1 AND e.id = ANY ($2)"
_IDS = f"""
SELECT id, happened_at FROM pool_event WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT {_LINES}
"""


class LedgerTampering(StrEnum):
    """What is wrong with a line of the ledger."""

    CHANGED_LINE = "changed_line"
    REMOVED_LINE = "removed_line"
    INVENTED_LINE = "invented_line"
    UNBOUND_COUNT = "unbound_count"


@dataclass(frozen=True, slots=True)
class WrongLine:
    """A line that is not as the trail has it; `line_id` is None where only their number is wrong."""

    tampering: LedgerTampering
    line_id: UUID | None
    detail: str


@dataclass(frozen=True, slots=True)
class LedgerVerdict:
    """The outcome: how many lines the trail is bound to, how many are older than that, and what is wrong.

    `bound_from` is when the first line was bound in a company that had older ones; None where every line is bound.
    """

    bound: int
    unbound: int
    bound_from: datetime | None
    wrong: tuple[WrongLine, ...]

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


@dataclass(slots=True)
class _Count:
    bound: int = 0
    found: int = 0


async def verify_ledger(*, most: int = 100) -> LedgerVerdict:
    """Hold every line against the digest that the trail has of it; at most about `most` wrong lines are named."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    wrong: list[WrongLine] = []
    count, last = _Count(), _NIL
    while entries := await transaction.fetch(_BINDING, tenant_id, last):
        for entry in entries:
            wrong += await _differing(entry, count)
        if len(wrong) >= most:
            break
        last = entries[-1]["id"]
    begun = await transaction.fetchrow(_BEGUN, tenant_id)
    since, declared = (begun["at"], begun["unbound"]) if begun is not None else (None, 0)
    there = await transaction.fetchval("SELECT count(*) FROM pool_event WHERE tenant_id = $1", tenant_id)
    if len(wrong) < most and there - count.found != declared:
        wrong += await _beside(since, declared, there - count.found)
    return LedgerVerdict(count.bound, declared, since, tuple(wrong))


async def _differing(entry: asyncpg.Record, count: _Count) -> list[WrongLine]:
    """The lines of one entry that are gone or say something else."""
    bound = dict(unpacked(entry["lines"]))
    rows = await current_transaction().fetch(_WRITTEN, current_tenant_id(), list(bound))
    written = {row["id"]: _line(row) for row in rows}
    count.bound += len(bound)
    count.found += len(written)
    wrong = []
    for line_id, digest in bound.items():
        line, told = written.get(line_id), f"entry {entry['id']}"
        if line is None:
            detail = f"line {_public(line_id)} is gone; {told} of the trail is bound to it"
            wrong.append(WrongLine(LedgerTampering.REMOVED_LINE, line_id, detail))
        elif line.digest() != digest:
            detail = f"line {_public(line_id)} does not say what was written; {told} of the trail has its digest"
            wrong.append(WrongLine(LedgerTampering.CHANGED_LINE, line_id, detail))
    return wrong


async def _beside(since: datetime | None, declared: int, there: int) -> list[WrongLine]:
    """What explains that there are more lines without an entry of the trail than were declared, or fewer."""
    invented = [
        WrongLine(
            LedgerTampering.INVENTED_LINE, line_id, f"line {_public(line_id)} stands in no entry of the trail: invented"
        )
        for line_id, happened_at in await _lines_without_entry()
        if since is None or happened_at >= since
    ]
    older = there - len(invented)
    if older == declared:
        return invented
    detail = f"{declared} lines are from before the trail was bound to them, and {older} such lines are there"
    return [*invented, WrongLine(LedgerTampering.UNBOUND_COUNT, None, detail)]


async def _lines_without_entry() -> list[tuple[UUID, datetime]]:
    """A second walk, with all bound ids in memory: only for a ledger that is known to be wrong."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    bound: set[bytes] = set()
    last = _NIL
    while entries := await transaction.fetch(_BINDING, tenant_id, last):
        bound.update(line_id.bytes for entry in entries for line_id, _ in unpacked(entry["lines"]))
        last = entries[-1]["id"]
    alone, last = [], _NIL
    while rows := await transaction.fetch(_IDS, tenant_id, last):
        alone += [(row["id"], row["happened_at"]) for row in rows if row["id"].bytes not in bound]
        last = rows[-1]["id"]
    return alone


def _line(row: asyncpg.Record) -> WrittenLine:
    explanation = row["explanation"]
    return WrittenLine(**{**dict(row), "explanation": None if explanation is None else json.loads(explanation)})


def _public(line_id: UUID) -> str:
    return public_id("pev", line_id)
