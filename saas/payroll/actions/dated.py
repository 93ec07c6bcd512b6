"""Dated rows that are never edited: a change from a day on supersedes what it touches, and keeps its beginning."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

import asyncpg

from tenants import current_tenant_id, current_transaction

KNOWN_AT = "known_at <= {at} AND (superseded_at IS NULL OR superseded_at > {at})"
"""The rows as they were known at an instant; ``{at}`` is its parameter."""


async def supersede_from(
    table: str, keys: Mapping[str, UUID], *, valid_from: date, at: datetime
) -> list[asyncpg.Record]:
    """Supersede the present rows that hold on or after a day; those that began before it, to be entered anew, cut.

    The caller inserts these once more with ``valid_to`` = `valid_from`, and then its own row: so a run that was opened
    in between still sees what was known when it was opened.
    """
    conditions = " AND ".join(f"{column} = ${place}" for place, column in enumerate(keys, start=4))
    rows = await current_transaction().fetch(
        f"UPDATE {table} SET superseded_at = $3 WHERE tenant_id = $1 AND {conditions} AND superseded_at IS NULL"
        " AND (valid_to IS NULL OR valid_to > $2) RETURNING *",
        current_tenant_id(),
        valid_from,
        at,
        *keys.values(),
    )
    return [row for row in rows if row["valid_from"] < valid_from]
