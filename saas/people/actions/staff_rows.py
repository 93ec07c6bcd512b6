"""The statements that write people of lists, many at a time, with their dated employments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from saas.kernel import new_id
from tenants import current_tenant_id, current_transaction


@dataclass(frozen=True, slots=True)
class PersonValues:
    """What a person's row holds, beside number and account."""

    name: str
    name_key: str
    department_id: UUID
    legal_entity_id: UUID
    manager_id: UUID | None
    position: str | None
    status: str
    hired_on: date
    left_on: date | None
    phone_sealed: bytes | None
    phone_masked: str | None
    phone_index: bytes | None

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {name: _plain(getattr(self, name)) for name in PersonValues.__slots__}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> PersonValues:
        """What `plain` gave."""
        found = {name: _READERS.get(name, _same)(plain[name]) for name in cls.__slots__}
        return cls(**found)


@dataclass(frozen=True, slots=True)
class StoredPerson:
    """A person as they stand."""

    id: UUID
    number: str
    version: int
    values: PersonValues
    manager: str | None
    legal_entity: str


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, UUID | date) else value


def _same(value: Any) -> Any:
    return value


def _id(value: str | None) -> UUID | None:
    return UUID(value) if value else None


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _bytes(value: str | None) -> bytes | None:
    return bytes.fromhex(value) if value else None


_READERS: Mapping[str, Any] = {
    **dict.fromkeys(("department_id", "legal_entity_id", "manager_id"), _id),
    **dict.fromkeys(("hired_on", "left_on"), _day),
    **dict.fromkeys(("phone_sealed", "phone_index"), _bytes),
}
_values_of = attrgetter(*PersonValues.__slots__)
_COLUMNS = ", ".join(PersonValues.__slots__)
_ARRAYS = """unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::text[],
    $10::date[], $11::date[], $12::bytea[], $13::text[], $14::bytea[]"""
_STORED = f"""
SELECT e.id, e.number, e.version, {", ".join(f"e.{name}" for name in PersonValues.__slots__)}, m.number AS manager,
       l.name AS legal_entity
FROM employee e JOIN legal_entity l ON l.tenant_id = e.tenant_id AND l.id = e.legal_entity_id
LEFT JOIN employee m ON m.tenant_id = e.tenant_id AND m.id = e.manager_id
WHERE e.tenant_id = $1 AND e.number = ANY ($2) ORDER BY e.id
"""
_INSERT = f"""
INSERT INTO employee (tenant_id, id, {_COLUMNS}, number, created_at)
SELECT $1, id, {_COLUMNS}, number, $16 FROM {_ARRAYS}, $15::text[]) AS made (id, {_COLUMNS}, number)
"""
_UPDATE = f"""
UPDATE employee e SET version = e.version + 1, {", ".join(f"{name} = made.{name}" for name in PersonValues.__slots__)}
FROM {_ARRAYS}, $15::int[]) AS made (id, {_COLUMNS}, seen)
WHERE e.tenant_id = $1 AND e.id = made.id AND e.version = made.seen RETURNING e.id
"""
_INSERT_EMPLOYMENTS = """
INSERT INTO employment (tenant_id, id, employee_id, legal_entity_id, department_id, position, valid_from, valid_to,
    known_at)
SELECT $1, made.*, $2 FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::date[], $9::date[])
    AS made
"""
_SET_MANAGERS = """
UPDATE employee e SET manager_id = made.manager FROM unnest($2::uuid[], $3::uuid[]) AS made (id, manager)
WHERE e.tenant_id = $1 AND e.id = made.id
"""
_REMOVE = """
WITH mine AS (
    SELECT e.id FROM employee e JOIN unnest($2::uuid[], $3::int[]) AS made (id, seen) ON made.id = e.id
    WHERE e.tenant_id = $1 AND e.version = made.seen
), gone AS (
    DELETE FROM employment w USING mine WHERE w.tenant_id = $1 AND w.employee_id = mine.id
)
DELETE FROM employee e USING mine WHERE e.tenant_id = $1 AND e.id = mine.id RETURNING e.id
"""


async def find_people_by_number(numbers: Collection[str], *, is_locking: bool) -> dict[str, StoredPerson]:
    """The people with those staff numbers, by number."""
    lock = "FOR NO KEY UPDATE OF e" if is_locking else ""
    rows = await current_transaction().fetch(f"{_STORED} {lock}", current_tenant_id(), list(numbers))
    return {
        row["number"]: StoredPerson(
            row["id"],
            row["number"],
            row["version"],
            PersonValues(**{name: row[name] for name in PersonValues.__slots__}),
            row["manager"],
            row["legal_entity"],
        )
        for row in rows
    }


async def insert_people(rows: Sequence[tuple[UUID, str, PersonValues]], *, at: datetime) -> None:
    """New people (id, number, values) with the first row of their employments, which has ended for those who left."""
    if not rows:
        return
    columns = _arrays([(person_id, values) for person_id, _, values in rows])
    await current_transaction().execute(_INSERT, current_tenant_id(), *columns, [number for _, number, _ in rows], at)
    await insert_employments(
        [
            (
                new_id(),
                person_id,
                each.legal_entity_id,
                each.department_id,
                each.position,
                each.hired_on,
                None if each.left_on is None else date.fromordinal(each.left_on.toordinal() + 1),
            )
            for person_id, _, each in rows
        ],
        at=at,
    )


async def insert_employments(rows: Sequence[tuple[object, ...]], *, at: datetime) -> None:
    """Rows of employment: id, person, legal entity, department, position, first day, first day no more."""
    if rows:
        columns = map(list, zip(*rows, strict=True))
        await current_transaction().execute(_INSERT_EMPLOYMENTS, current_tenant_id(), at, *columns)


async def update_people(rows: Sequence[tuple[UUID, int, PersonValues]]) -> set[UUID]:
    """Give people (id, version, values) other values; those who are not of that version any more are left out."""
    if not rows:
        return set()
    columns = _arrays([(person_id, values) for person_id, _, values in rows])
    found = await current_transaction().fetch(
        _UPDATE, current_tenant_id(), *columns, [version for _, version, _ in rows]
    )
    return {row["id"] for row in found}


async def set_managers(managers: Mapping[UUID, UUID]) -> None:
    """Whom people report to who were written in this transaction."""
    if managers:
        await current_transaction().execute(
            _SET_MANAGERS, current_tenant_id(), list(managers.keys()), list(managers.values())
        )


async def remove_people(rows: Sequence[tuple[UUID, int]]) -> set[UUID]:
    """Remove people (id, version) of whom nothing else is known; those of another version stay."""
    if not rows:
        return set()
    found = await current_transaction().fetch(
        _REMOVE, current_tenant_id(), [person_id for person_id, _ in rows], [version for _, version in rows]
    )
    return {row["id"] for row in found}


def _arrays(rows: Sequence[tuple[UUID, PersonValues]]) -> list[list[object]]:
    whole = [(person_id, *_values_of(values)) for person_id, values in rows]
    return list(map(list, zip(*whole, strict=True)))
