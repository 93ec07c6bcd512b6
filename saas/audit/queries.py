"""Reading the trail: its head, its verdict, its export. All in the transaction and tenant that is open.

For a verdict on a trail that is being written, open the transaction REPEATABLE READ.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from saas.audit.rules import (
    ChainCheck,
    Head,
    Link,
    Tampering,
    Verdict,
    export_header,
    instant,
    link_line,
)
from saas.kernel import Clock, uuid7_from
from tenants import current_tenant_id, current_transaction

ENTRY_BODY = (
    "e.at, e.account_id, e.employee_id, e.session_id, e.client, e.address, e.request_id, e.action, e.object_type,"
    " e.object_id, e.changes, e.reason, e.outcome"
)
_PAGE = 5_000
_UNLINKED_PAGE = 200_000
_BEFORE_ALL = -(1 << 63)
_LINKS = f"""
SELECT l.seq, l.id, l.previous, l.hash, e.id IS NULL AS is_gone, {ENTRY_BODY}
FROM audit_link l LEFT JOIN audit_entry e ON e.tenant_id = l.tenant_id AND e.id = l.id
WHERE l.tenant_id = $1 AND l.seq > $2
ORDER BY l.seq
LIMIT {_PAGE}
"""
_UNLINKED = """
WITH page AS (
    SELECT e.id, e.at, e.xid FROM audit_entry e WHERE e.tenant_id = $1 AND e.id > $2 ORDER BY e.id LIMIT $3
), last AS (
    SELECT xid FROM audit_link WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1
)
SELECT (SELECT p.id FROM page p ORDER BY p.id DESC LIMIT 1) AS page_end, found.id, found.at
FROM (VALUES (1)) AS one LEFT JOIN LATERAL (
    SELECT p.id, p.at FROM page p
    WHERE NOT EXISTS (SELECT FROM audit_link l WHERE l.tenant_id = $1 AND l.id = p.id)
      AND (p.id < $4 OR p.xid < (SELECT xid FROM last
                                 WHERE xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint))
    ORDER BY p.id
    LIMIT 1
) AS found ON true
"""
"""Unlinked although old (an id tells the second in which it was made), or although later entries are linked."""


def entry_of(row: asyncpg.Record) -> dict[str, Any]:
    """The entry as it is hashed and exported: every column but the keys that the database fills in."""
    return {
        "id": str(row["id"]),
        "at": instant(row["at"]),
        "account": str(row["account_id"]),
        "employee": _text(row["employee_id"]),
        "session": _text(row["session_id"]),
        "client": row["client"],
        "address": row["address"],
        "requestId": row["request_id"],
        "action": row["action"],
        "objectType": row["object_type"],
        "objectId": _text(row["object_id"]),
        "changes": json.loads(row["changes"]),
        "reason": row["reason"],
        "outcome": row["outcome"],
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


async def head(*, clock: Clock) -> Head | None:
    """Where the tenant's chain ends; None where nothing is linked yet."""
    tenant_id = current_tenant_id()
    row = await current_transaction().fetchrow(
        "SELECT seq, hash FROM audit_link WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1", tenant_id
    )
    return Head(str(tenant_id), row["seq"], row["hash"].hex(), instant(clock.now())) if row else None


async def verify(
    published_heads: Iterable[Head] = (), *, clock: Clock, unlinked_after: timedelta = timedelta(minutes=10)
) -> Verdict:
    """Walk the tenant's chain and name the first thing that is wrong with it.

    :param published_heads: heads from outside the database; without them a cut tail can't be noticed.
    :param unlinked_after: how old an entry may be without a link; the chainer needs a second.
    """
    check = ChainCheck(str(current_tenant_id()), published_heads)
    async for link in _links():
        if not check.feed(link):
            return check.finish()
    verdict = check.finish()
    return await _with_unlinked(verdict, clock.now() - unlinked_after) if verdict.is_intact else verdict


async def _with_unlinked(verdict: Verdict, before: datetime) -> Verdict:
    """The verdict, after a search for entries without a link, page by page."""
    transaction, tenant_id, page_end = current_transaction(), current_tenant_id(), UUID(int=0)
    bound = uuid7_from(int(before.timestamp() * 1000), 0)
    while row := await transaction.fetchrow(_UNLINKED, tenant_id, page_end, _UNLINKED_PAGE, bound):
        if row["id"] is not None:
            detail = f"entry {row['id']} of {instant(row['at'])} has no link: slipped in, or its link was removed"
            return Verdict(verdict.links, verdict.head, Tampering.UNLINKED, None, detail)
        if row["page_end"] is None:
            break
        page_end = row["page_end"]
    return verdict


async def export(*, clock: Clock) -> AsyncIterator[str]:
    """The tenant's chain as JSON lines (without line ends): a header, then one link with its entry a line."""
    yield export_header(str(current_tenant_id()), clock.now())
    async for link in _links():
        yield link_line(link)


async def _links() -> AsyncIterator[Link]:
    transaction, tenant_id, seq = current_transaction(), current_tenant_id(), _BEFORE_ALL
    while rows := await transaction.fetch(_LINKS, tenant_id, seq):
        for row in rows:
            yield _link(row)
        seq = rows[-1]["seq"]


def _link(row: asyncpg.Record) -> Link:
    entry = None if row["is_gone"] else entry_of(row)
    return Link(row["seq"], str(row["id"]), row["previous"].hex(), row["hash"].hex(), entry)
