"""Records of the staff that are one person (L08): both have one number, of a mobile phone, which people share seldom.

Which records they are is looked up anew each time: to correct a number is to part two people. A number that begins
with 0 is a landline of the mainland, one with 4, 8 or 9 a service line: they link nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from saas.access import AccessTable
from saas.kernel import Actor
from saas.people.errors import PhoneOfAnother
from saas.people.queries import find_readable_names
from tenants import current_tenant_id, current_transaction

ALIKE_MAX = 500
"""Groups that are told at once: far more than any staff has by mistake."""

RECORDS_MAX = 20
"""Records of one group that are told."""

_IS_MOBILE = "left({t}.phone_masked, 1) IN ('1', '+')"
_OTHERS = f"""
SELECT b.id AS other, a.id AS asked FROM unnest($2::uuid[]) AS known (id)
JOIN employee a ON a.tenant_id = $1 AND a.id = known.id AND {_IS_MOBILE.format(t="a")}
JOIN employee b ON b.tenant_id = $1 AND b.phone_index = a.phone_index AND b.id <> a.id
"""
_ALIKE = f"""
SELECT e.phone_index, e.id, e.status = 'active' AS is_active FROM employee e
WHERE e.tenant_id = $1 AND {_IS_MOBILE.format(t="e")} AND EXISTS (
    SELECT FROM employee o WHERE o.tenant_id = $1 AND o.phone_index = e.phone_index AND o.id <> e.id
) ORDER BY e.phone_index, e.created_at, e.id
"""
_KNOWN = f"""
SELECT DISTINCT e.phone_index FROM employee e
WHERE e.tenant_id = $1 AND e.phone_index = ANY ($2) AND {_IS_MOBILE.format(t="e")}
"""
_PHONE = "SELECT phone_masked FROM employee WHERE tenant_id = $1 AND id = $2"


def is_same_person_sql(*, record: str, employee: str) -> str:
    """Whether a record of the staff, an id as SQL, is the employee's own or another of the same person.

    Look-ups by the key, for each record that is not the employee's own.
    """
    return f"""({record} = {employee} OR EXISTS (
        SELECT FROM employee mine JOIN employee other ON other.tenant_id = $1 AND other.phone_index = mine.phone_index
        WHERE mine.tenant_id = $1 AND mine.id = {employee} AND other.id = {record}
          AND {_IS_MOBILE.format(t="mine")}
    ))"""


async def find_other_records(employee_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Other records of the same people: which of the people asked for each is; mostly none."""
    rows = await current_transaction().fetch(_OTHERS, current_tenant_id(), list(employee_ids))
    found: dict[UUID, set[UUID]] = {}
    for row in rows:
        found.setdefault(row["other"], set()).add(row["asked"])
    return found


@dataclass(frozen=True, slots=True)
class RecordAlike:
    """A record of the staff that has its number in common with others; what the caller may not read is None."""

    employee_id: UUID
    number: str | None
    name: str | None
    is_active: bool


async def list_people_alike(actor: Actor, access: AccessTable) -> list[tuple[RecordAlike, ...]]:
    """Records that are one person, oldest first, as far as the caller sees at least two of them; no number is told."""
    rows = await current_transaction().fetch(_ALIKE, current_tenant_id())
    names = await find_readable_names(actor, access, [row["id"] for row in rows])
    groups = []
    for _, members in groupby(rows, key=itemgetter("phone_index")):
        seen = tuple(
            RecordAlike(row["id"], names[row["id"]].number, names[row["id"]].name, row["is_active"])
            for row in members
            if row["id"] in names
        )
        if len(seen) > 1:
            groups.append(seen[:RECORDS_MAX])
    return groups[:ALIKE_MAX]


async def find_known_phones(indexes: Collection[bytes]) -> set[bytes]:
    """Those of the telephone numbers, by their blind indexes, that somebody of the staff has already."""
    if not indexes:
        return set()
    rows = await current_transaction().fetch(_KNOWN, current_tenant_id(), list(indexes))
    return {row["phone_index"] for row in rows}


async def alike_warning(employee_id: UUID) -> PhoneOfAnother | None:
    """What is told of a person who was just entered with the number of another record."""
    if not (await find_other_records([employee_id])):
        return None
    phone = await current_transaction().fetchval(_PHONE, current_tenant_id(), employee_id)
    return PhoneOfAnother("people.phone_of_another", {"phone": str(phone)}, field=("phone",))
