"""What an explanation rests on beside the roster, kept when customers are dealt and found again for one pick.

Of an allocation that was dealt before tallies were kept, there is none: then everything is added up from its picks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from saas.customers.actions.frozen_rosters import restored_answer, restored_facts
from saas.customers.allocation import (
    Allocation,
    Candidate,
    Nobody,
    PickFacts,
    Roster,
    Tally,
    shares_of,
    shown_shares,
    tallied,
)
from saas.kernel import new_id
from tenants import current_tenant_id, current_transaction

EVERY = 1_000
"""Places between two tallies: an explanation reads fewer picks than that, and a tally is small beside so many."""

_INSERT = """
INSERT INTO allocation_tally (tenant_id, id, allocation_id, place, turns, records, last_places)
SELECT $1, id, $2, place, turns::jsonb, records::jsonb, last_places::jsonb
FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[])
    AS tally (id, place, turns, records, last_places)
"""
_UNIT = """
SELECT p.place, p.customer_id, p.label, p.employee_id, p.nobody, p.is_overflow, p.facts::text AS facts
FROM allocation_pick asked
JOIN allocation_pick p ON p.tenant_id = $1 AND p.allocation_id = $2 AND p.place = asked.place
WHERE asked.tenant_id = $1 AND asked.allocation_id = $2 AND asked.customer_id = $3
"""
_BEFORE = """
SELECT place, turns::text AS turns, records::text AS records, last_places::text AS last_places FROM allocation_tally
WHERE tenant_id = $1 AND allocation_id = $2 AND place <= $3 ORDER BY place DESC LIMIT 1
"""
_SINCE = """
SELECT employee_id, count(DISTINCT place) AS turns, count(*) AS records, max(place) AS last FROM allocation_pick
WHERE tenant_id = $1 AND allocation_id = $2 AND place >= $3 AND place < $4 AND employee_id IS NOT NULL
    AND NOT is_overflow
GROUP BY employee_id
"""


def shares_text(roster: Roster, allocation: Allocation) -> str | None:
    """The shares of an allocation as they are kept, in the order of its candidates; None of one without."""
    if not allocation.shares:
        return None
    shares = shown_shares(allocation.shares)
    return json.dumps([shares.get(each.employee_id) for each in roster.candidates])


async def keep_tallies(roster: Roster, allocation: Allocation) -> None:
    """Keep what everybody had received before each so many places of an allocation that was dealt; its row is there."""
    rows = await asyncio.to_thread(_rows, roster.candidates, allocation)
    if rows:
        columns = map(list, zip(*rows, strict=True))
        await current_transaction().execute(_INSERT, current_tenant_id(), roster.allocation_id, *columns)


def _rows(candidates: Sequence[Candidate], allocation: Allocation) -> list[tuple[object, ...]]:
    people, nothing, rows = [each.employee_id for each in candidates], Tally(), []
    for place, received in tallied(allocation.picks, every=EVERY):
        tallies = [received.get(each, nothing) for each in people]
        columns = [each.turns for each in tallies], [each.records for each in tallies], [each.last for each in tallies]
        rows.append((new_id(), place, *map(json.dumps, columns)))
    return rows


async def find_unit(allocation_id: UUID, customer_id: UUID) -> Mapping[UUID, asyncpg.Record]:
    """The picks that went together with a customer's, by customer; empty where it is not on the roster."""
    rows = await current_transaction().fetch(_UNIT, current_tenant_id(), allocation_id, customer_id)
    return {row["customer_id"]: row for row in rows}


async def pick_facts(
    roster: Roster, unit: Mapping[UUID, asyncpg.Record], customer_id: UUID, *, shares: str | None
) -> PickFacts:
    """Where a customer of a unit went, and what was known then; `shares` as they are kept, None where they are not."""
    asked = unit[customer_id]
    return PickFacts(
        label=asked["label"],
        place=asked["place"],
        records=frozenset(unit),
        employee_id=asked["employee_id"],
        nobody=None if asked["nobody"] is None else Nobody(asked["nobody"]),
        received=await _received(roster, asked["place"]),
        shares=await asyncio.to_thread(_shown, roster) if shares is None else _restored(roster, shares),
        known=tuple(restored_facts(unit[each]["facts"]) for each in sorted(unit)),
        answer=None if roster.plugin is None else restored_answer(asked["facts"]),
        is_overflow=asked["is_overflow"],
    )


async def _received(roster: Roster, place: int) -> dict[UUID, Tally]:
    """By person, from the last tally on; who is not there had received nothing."""
    transaction, named = current_transaction(), (current_tenant_id(), roster.allocation_id)
    kept = await transaction.fetchrow(_BEFORE, *named, place)
    start, received = (0, {}) if kept is None else (kept["place"], _tallies(roster, kept))
    for row in await transaction.fetch(_SINCE, *named, start, place):
        later = Tally(row["turns"], row["records"], row["last"])
        received[row["employee_id"]] = received.get(row["employee_id"], Tally()).and_then(later)
    return received


def _tallies(roster: Roster, row: asyncpg.Record) -> dict[UUID, Tally]:
    columns = (json.loads(row[name]) for name in ("turns", "records", "last_places"))
    people = (each.employee_id for each in roster.candidates)
    return {person: Tally(*counts) for person, *counts in zip(people, *columns, strict=True)}


def _shown(roster: Roster) -> dict[UUID, str]:
    return shown_shares(shares_of(roster))


def _restored(roster: Roster, text: str) -> Mapping[UUID, str]:
    pairs = zip(roster.candidates, json.loads(text), strict=True)
    return {each.employee_id: share for each, share in pairs if share is not None}
