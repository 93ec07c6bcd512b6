"""Dated employments (任职) of people whose record a list changes: what was stays, what is now begins today."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from saas.kernel import new_id
from saas.people.actions.staff_rows import PersonValues, insert_employments
from tenants import current_tenant_id, current_transaction

_OF = """
SELECT id, employee_id, legal_entity_id, department_id, position, valid_from, valid_to FROM employment
WHERE tenant_id = $1 AND employee_id = ANY ($2) ORDER BY employee_id, valid_from, id
"""
_UPDATE = """
UPDATE employment SET legal_entity_id = $3, department_id = $4, position = $5, valid_from = $6, valid_to = $7
WHERE tenant_id = $1 AND id = $2
"""
_REMOVE = "DELETE FROM employment WHERE tenant_id = $1 AND employee_id = $2 AND NOT id = ANY ($3)"

Employments = Mapping[UUID, Sequence[Mapping[str, Any]]]


async def find_employments(people: Collection[UUID]) -> Employments:
    """Everybody's employments, the oldest first."""
    found: dict[UUID, list[Mapping[str, Any]]] = {}
    for row in await current_transaction().fetch(_OF, current_tenant_id(), list(people)):
        found.setdefault(row["employee_id"], []).append(dict(row))
    return found


async def settle_employments(
    known: Sequence[Mapping[str, Any]], person_id: UUID, values: PersonValues, *, today: date, at: datetime
) -> None:
    """Bring a person's employments into line with what their record says now.

    Another department, position or legal entity begins today; a row that began today, or is still to begin, is put
    right in its place. Another first day moves the first row, a last day ends the open one.
    """
    rows = [dict(row) for row in known]
    if not rows:
        return
    latest = rows[0]["valid_to"] or date.max
    rows[0]["valid_from"] = values.hired_on if values.hired_on < latest else rows[0]["valid_from"]
    last, fresh = rows[-1], None
    place = {
        "legal_entity_id": values.legal_entity_id,
        "department_id": values.department_id,
        "position": values.position,
    }
    if last["valid_to"] is None and any(last[name] != value for name, value in place.items()):
        if last["valid_from"] >= today:
            last |= place
        else:
            last["valid_to"], fresh = today, {**place, "valid_from": today, "valid_to": None}
    if values.left_on is not None:
        _end(fresh or last, values.left_on)
    for row in rows:
        await _update(row)
    if fresh is not None:
        whole = (new_id(), person_id, *(fresh[name] for name in (*place, "valid_from", "valid_to")))
        await insert_employments([whole], at=at)


def _end(row: dict[str, Any], left_on: date) -> None:
    if row["valid_to"] is None:
        row["valid_to"] = max(left_on, row["valid_from"]) + timedelta(days=1)


async def restore_employments(person_id: UUID, plain: Sequence[Mapping[str, Any]]) -> None:
    """Give a person the employments that `plain_employments` told of, and no others."""
    rows = [
        {
            "id": UUID(row["id"]),
            "legal_entity_id": UUID(row["legal_entity_id"]),
            "department_id": UUID(row["department_id"]),
            "position": row["position"],
            "valid_from": date.fromisoformat(row["valid_from"]),
            "valid_to": date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        }
        for row in plain
    ]
    await current_transaction().execute(_REMOVE, current_tenant_id(), person_id, [row["id"] for row in rows])
    for row in rows:
        await _update(row)


def plain_employments(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Employments as JSON holds them."""
    return [{name: value if value is None else str(value) for name, value in row.items()} for row in rows]


async def _update(row: Mapping[str, Any]) -> None:
    await current_transaction().execute(
        _UPDATE,
        current_tenant_id(),
        row["id"],
        row["legal_entity_id"],
        row["department_id"],
        row["position"],
        row["valid_from"],
        row["valid_to"],
    )
