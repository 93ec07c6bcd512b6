"""Rows of assignments (定薪), many people's in a statement: written over what was planned, and taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from saas.audit import entry_values, record_many
from saas.kernel import Actor, Clock, new_id
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

_SUPERSEDE = """
UPDATE pay_assignment p SET superseded_at = $2
FROM unnest($3::int[], $4::uuid[], $5::date[]) AS wanted (place, employment_id, valid_from)
JOIN employment w ON w.tenant_id = $1 AND w.id = wanted.employment_id
JOIN employment b ON b.tenant_id = $1 AND b.employee_id = w.employee_id AND b.legal_entity_id = w.legal_entity_id
WHERE p.tenant_id = $1 AND p.employment_id = b.id AND p.superseded_at IS NULL
  AND (p.valid_to IS NULL OR p.valid_to > wanted.valid_from)
RETURNING p.*, wanted.place, wanted.valid_from AS ends_on
"""
_INSERT = """
INSERT INTO pay_assignment (tenant_id, id, employment_id, employee_id, structure_id, amounts_sealed, valid_from,
    valid_to, known_at, created_by, reason)
SELECT $1, id, employment_id, employee_id, structure_id, sealed, valid_from, valid_to, $2, created_by, reason
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bytea[], $8::date[], $9::date[], $10::uuid[],
    $11::text[]) AS fresh (id, employment_id, employee_id, structure_id, sealed, valid_from, valid_to, created_by,
    reason)
"""
_INTACT = "SELECT id FROM pay_assignment WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND superseded_at IS NULL"
_REMOVE = "DELETE FROM pay_assignment WHERE tenant_id = $1 AND id = ANY($2::uuid[])"
_REVIVE = "UPDATE pay_assignment SET superseded_at = NULL WHERE tenant_id = $1 AND id = ANY($2::uuid[])"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAssignment:
    """What a person is to be paid by from a day on. `amounts` is the canonical text of the monthly amounts."""

    employment_id: UUID
    employee_id: UUID
    structure_id: UUID
    structure_code: str
    amounts: str
    valid_from: date
    reason: str


@dataclass(frozen=True, slots=True)
class WrittenAssignment:
    """An assignment that was written; with it, the rows that it superseded, and the beginnings of those kept anew."""

    id: UUID
    superseded: tuple[UUID, ...]
    kept: tuple[UUID, ...]


async def write_assignments(
    actor: Actor, wanted: Sequence[NewAssignment], *, keyring: Keyring, clock: Clock
) -> list[WrittenAssignment]:
    """Write one assignment for each of several people, who are checked and whose employments are held, and the trail.

    It supersedes what the person has from that day on at the same legal entity, whichever employment it was given to:
    after a change of department a month has two employments, and must not be paid by both. Rows are never edited, so
    that a run that was opened in between still sees what was known when it was opened.
    """
    if not wanted:
        return []
    now = clock.now()
    superseded = await _supersede(wanted, at=now)
    rows, written = [], []
    for place, new in enumerate(wanted):
        old = superseded.get(place, [])
        kept = [_kept(row, keyring) for row in old if row["valid_from"] < new.valid_from]
        row = _row(new, by=actor.account_id, keyring=keyring)
        rows += [*kept, row]
        written.append(_written(row, old, kept))
    await current_transaction().execute(_INSERT, current_tenant_id(), now, *map(list, zip(*rows, strict=True)))
    await _tell(actor, wanted, keyring, clock)
    return written


async def find_intact(written: Collection[WrittenAssignment]) -> set[UUID]:
    """Those of the assignments that nothing has superseded since, neither them nor what was kept before them."""
    ids = [row for each in written for row in (each.id, *each.kept)]
    rows = await current_transaction().fetch(_INTACT, current_tenant_id(), ids)
    present = {row["id"] for row in rows}
    return {each.id for each in written if present.issuperset((each.id, *each.kept))}


async def remove_assignments(written: Collection[WrittenAssignment]) -> None:
    """Remove assignments that nobody has used, so that what they superseded holds again."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute(_REMOVE, tenant_id, [row for each in written for row in (each.id, *each.kept)])
    await transaction.execute(_REVIVE, tenant_id, [row for each in written for row in each.superseded])


async def _supersede(wanted: Sequence[NewAssignment], *, at: datetime) -> dict[int, list[asyncpg.Record]]:
    """What is superseded, by the place of the new assignment."""
    employments, days = [new.employment_id for new in wanted], [new.valid_from for new in wanted]
    found: dict[int, list[asyncpg.Record]] = {}
    for row in await current_transaction().fetch(
        _SUPERSEDE, current_tenant_id(), at, list(range(len(wanted))), employments, days
    ):
        found.setdefault(row["place"], []).append(row)
    return found


_Row = tuple[UUID, UUID, UUID, UUID, bytes, date, date | None, UUID, str]


def _row(new: NewAssignment, *, by: UUID, keyring: Keyring) -> _Row:
    row_id = new_id()
    sealed = keyring.seal("pay", Place("pay_assignment", "amounts_sealed", row_id), new.amounts)
    ids = (row_id, new.employment_id, new.employee_id, new.structure_id)
    return (*ids, sealed, new.valid_from, None, by, new.reason)


def _kept(old: asyncpg.Record, keyring: Keyring) -> _Row:
    """The part of a superseded row that goes before, entered anew."""
    row_id = new_id()
    text = keyring.open(Place("pay_assignment", "amounts_sealed", old["id"]), old["amounts_sealed"])
    sealed = keyring.seal("pay", Place("pay_assignment", "amounts_sealed", row_id), text)
    ids = (row_id, old["employment_id"], old["employee_id"], old["structure_id"])
    return (*ids, sealed, old["valid_from"], old["ends_on"], old["created_by"], old["reason"])


def _written(row: _Row, old: Sequence[asyncpg.Record], kept: Sequence[_Row]) -> WrittenAssignment:
    return WrittenAssignment(row[0], tuple(each["id"] for each in old), tuple(each[0] for each in kept))


async def _tell(actor: Actor, wanted: Sequence[NewAssignment], keyring: Keyring, clock: Clock) -> None:
    """The trail names what changed by digest: it holds no amount."""
    await record_many(
        [
            entry_values(
                actor,
                "pay.assigned",
                object_type="Employee",
                object_id=new.employee_id,
                changes={
                    "structure": [None, new.structure_code],
                    "amounts": [None, keyring.digest(new.amounts)],
                    "from": [None, new.valid_from.isoformat()],
                },
                reason=new.reason,
                clock=clock,
            )
            for new in wanted
        ]
    )
