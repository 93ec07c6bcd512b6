"""Writing the trail: entries in the business transaction, links behind it, in commit order.

No writer waits for another: entries are inserted unchained, and `chain_entries` links what is final. Final means
that the writing transaction's number lies below every transaction still running (the snapshot's xmin), so that no
entry with a smaller number can appear any more. (A long writing transaction, even one in another database of the
server, therefore delays links, and only delays them.) Linking by (xid, id) then meets every entry exactly once, and the
last link alone tells where to go on; no search for unlinked entries is needed. Only after a dump was restored into
another server, whose numbers begin anew below the last link's, unlinked entries are searched for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import asyncpg

from saas.audit.queries import ENTRY_BODY, entry_of
from saas.audit.rules import GENESIS, Link, link_hash
from saas.kernel import Actor, Clock, new_id
from tenants import Transaction, current_tenant_id, current_transaction

Value = str | int | bool | None
Changes = Mapping[str, Sequence[Value] | None]
"""Field → [before, after], or None where the field was read. Sealed values as `keyed_digest`, never themselves."""

_COLUMNS = (
    ("tenant_id", "uuid"),
    ("id", "uuid"),
    ("at", "timestamptz"),
    ("account_id", "uuid"),
    ("employee_id", "uuid"),
    ("session_id", "uuid"),
    ("client", "text"),
    ("address", "text"),
    ("request_id", "text"),
    ("action", "text"),
    ("object_type", "text"),
    ("object_id", "uuid"),
    ("changes", "jsonb"),
    ("reason", "text"),
    ("outcome", "text"),
)
ENTRY_VALUES = len(_COLUMNS)
"""How many parameters `insert_entry_sql` takes."""


def insert_entry_sql(*, first_parameter: int = 1, source: str = "") -> str:
    """The INSERT of one entry, to be folded into a statement of the caller's own.

    Its parameters begin at ``$first_parameter`` and are those of `entry_values`. With `source` (the name of a CTE)
    an entry is written for each of its rows: ``INSERT INTO audit_entry … SELECT … FROM claimed``.
    """
    names = ", ".join(name for name, _ in _COLUMNS)
    values = ", ".join(f"${first_parameter + place}::{kind}" for place, (_, kind) in enumerate(_COLUMNS))
    tail = f" FROM {source}" if source else ""
    return f"INSERT INTO audit_entry ({names}) SELECT {values}{tail}"


def entry_values(
    actor: Actor,
    action: str,
    *,
    object_type: str,
    object_id: UUID | None,
    changes: Changes | None = None,
    reason: str = "",
    outcome: str = "done",
    clock: Clock,
) -> tuple[object, ...]:
    """The values of one entry, in the order of `insert_entry_sql`'s parameters."""
    return (
        actor.tenant_id,
        new_id(),
        clock.now(),
        actor.account_id,
        actor.employee_id,
        actor.session_id,
        actor.client[:40],  # these three come from outside: too long a header must not fail the write
        actor.address[:64],
        actor.request_id[:64],
        action,
        object_type,
        object_id,
        json.dumps(dict(changes or {}), ensure_ascii=False),
        reason,
        outcome,
    )


_INSERT_ENTRY = insert_entry_sql()


async def record(
    actor: Actor,
    action: str,
    *,
    object_type: str,
    object_id: UUID | None,
    changes: Changes | None = None,
    reason: str = "",
    outcome: str = "done",
    clock: Clock,
) -> None:
    """Write one entry in the open transaction: where it can't be written, the business write fails with it.

    `action` is the room's word for what happened (``customer.claimed``); `outcome` is ``done``, ``refused`` or
    ``failed`` (the latter two from a transaction of their own, since the refused one rolls back).
    """
    values = entry_values(
        actor,
        action,
        object_type=object_type,
        object_id=object_id,
        changes=changes,
        reason=reason,
        outcome=outcome,
        clock=clock,
    )
    await current_transaction().execute(_INSERT_ENTRY, *values)


@dataclass(frozen=True, slots=True)
class OpenedFields:
    """Sensitive fields of one row that a read has opened."""

    object_type: str
    object_id: UUID
    fields: tuple[str, ...]


async def record_reads(actor: Actor, opened: Iterable[OpenedFields], *, clock: Clock) -> int:
    """Write who read which personal fields, one entry a row, in one statement; the number of entries.

    What people read about themselves is not recorded.
    """
    rows = [
        entry_values(
            actor,
            "personal.read",
            object_type=row.object_type,
            object_id=row.object_id,
            changes=dict.fromkeys(row.fields),
            clock=clock,
        )
        for row in opened
        if not (row.object_type == "Employee" and row.object_id == actor.employee_id)
    ]
    return await record_many(rows)


@lru_cache(maxsize=64)
def _insert_entries_sql(is_shared: tuple[bool, ...]) -> str:
    """The INSERT of many entries: shared columns are one parameter each, the others an array each."""
    places = list(enumerate(_COLUMNS, start=1))
    own = [(place, name, kind) for place, (name, kind) in places if not is_shared[place - 1]]
    values = (f"${place}::{kind}" if is_shared[place - 1] else name for place, (name, kind) in places)
    arrays = ", ".join(f"${place}::{kind}[]" for place, _, kind in own)
    source = f"FROM unnest({arrays}) AS entries ({', '.join(name for _, name, _ in own)})" if own else ""
    return f"INSERT INTO audit_entry ({', '.join(name for name, _ in _COLUMNS)}) SELECT {', '.join(values)} {source}"


async def record_many(rows: Sequence[tuple[object, ...]]) -> int:
    """Write entries, each the values that `entry_values` gives, in one statement; how many there are."""
    if not rows:
        return 0
    columns = list(zip(*rows, strict=True))
    is_shared = tuple(column.count(column[0]) == len(rows) for column in columns)
    values = (column[0] if same else list(column) for column, same in zip(columns, is_shared, strict=True))
    return await current_transaction().execute(_insert_entries_sql(is_shared), *values)


_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('audit.chain ' || $1, 0))"
_LAST = """
SELECT seq, xid, id, hash, xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS is_of_other_server
FROM audit_link WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1
"""
_FINAL = f"""
SELECT e.id, e.xid, {ENTRY_BODY}
FROM audit_entry e
WHERE e.tenant_id = $1
  AND e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  AND (e.xid, e.id) > ($2::bigint, $3::uuid)
ORDER BY e.xid, e.id
LIMIT $4
"""
_FINAL_AFTER_RESTORE = f"""
SELECT e.id, e.xid, {ENTRY_BODY}
FROM audit_entry e
WHERE e.tenant_id = $1
  AND (e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
       OR e.xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
  AND NOT EXISTS (SELECT FROM audit_link l WHERE l.tenant_id = $1 AND l.id = e.id)
ORDER BY e.xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint, e.xid, e.id
LIMIT $2
"""
"""The other server's entries first: the last link then carries a number of this one, and `_FINAL` goes on from it."""

_INSERT_LINKS = """
INSERT INTO audit_link (tenant_id, seq, id, xid, previous, hash, linked_at)
SELECT $1, seq, id, xid, decode(previous, 'hex'), decode(hash, 'hex'), $2
FROM unnest($3::bigint[], $4::uuid[], $5::bigint[], $6::text[], $7::text[]) AS fresh (seq, id, xid, previous, hash)
"""
_NIL = UUID(int=0)


async def chain_entries(*, clock: Clock, limit: int = 5_000) -> int:
    """Link up to `limit` final entries of the transaction's tenant; how many there were.

    The transaction must be one of the platform role's, at READ COMMITTED. While another worker links the same
    tenant there is nothing to do here: 0. The keys (tenant, seq) and (tenant, id) stand behind the lock.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    if not await transaction.fetchval(_LOCK, str(tenant_id)):
        return 0
    last = await transaction.fetchrow(_LAST, tenant_id)
    seq, previous = (last["seq"], last["hash"].hex()) if last else (0, GENESIS)
    links = []
    for row in await _final_entries(transaction, tenant_id, last, limit=limit):
        seq += 1
        entry = entry_of(row)
        digest = link_hash(entry, tenant=str(tenant_id), seq=seq, previous=previous)
        links.append((row["xid"], Link(seq, str(row["id"]), previous, digest, entry)))
        previous = digest
    if links:
        await _insert(transaction, tenant_id, links, at=clock.now())
    return len(links)


async def _final_entries(
    transaction: Transaction, tenant_id: UUID, last: asyncpg.Record | None, *, limit: int
) -> list[asyncpg.Record]:
    if last is None:
        return await transaction.fetch(_FINAL, tenant_id, -1, _NIL, limit)
    if last["is_of_other_server"]:
        return await transaction.fetch(_FINAL_AFTER_RESTORE, tenant_id, limit)
    return await transaction.fetch(_FINAL, tenant_id, last["xid"], last["id"], limit)


async def _insert(transaction: Transaction, tenant_id: UUID, links: list[tuple[int, Link]], *, at: datetime) -> None:
    await transaction.execute(
        _INSERT_LINKS,
        tenant_id,
        at,
        [link.seq for _, link in links],
        [link.entry_id for _, link in links],
        [xid for xid, _ in links],
        [link.previous for _, link in links],
        [link.hash for _, link in links],
    )
