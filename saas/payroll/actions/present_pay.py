"""What people are paid by at present, and the company's structures: what a sheet of salaries is compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg
import orjson

from saas.kernel import Period
from saas.payroll.columns import KnownStructure, StructureBook
from saas.payroll.rules.structures import Structure
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

_EMPLOYED = """
SELECT id, employee_id, legal_entity_id, valid_from, valid_to FROM employment
WHERE tenant_id = $1 AND employee_id = ANY($2::uuid[]) ORDER BY employee_id, valid_from, id
"""
_ASSIGNED = """
SELECT id, employment_id, structure_id, amounts_sealed, valid_from, valid_to FROM pay_assignment
WHERE tenant_id = $1 AND employment_id = ANY($2::uuid[]) AND superseded_at IS NULL ORDER BY valid_from, id
"""
_STRUCTURES = """
SELECT s.id, s.code, s.title_zh, s.title_en, v.document, v.valid_from, v.valid_to
FROM salary_structure s JOIN salary_structure_version v ON v.tenant_id = s.tenant_id AND v.structure_id = s.id
WHERE s.tenant_id = $1 AND v.superseded_at IS NULL ORDER BY s.code, v.valid_from
"""


@dataclass(frozen=True, slots=True)
class PresentAssignment:
    """An assignment that is in force or planned; its amounts are opened."""

    id: UUID
    structure_id: UUID
    amounts: Mapping[str, Decimal]
    period: Period


@dataclass(frozen=True, slots=True)
class PresentPay:
    """A person's employments at the legal entity that employs them, and what they are paid by there; oldest first."""

    employee_id: UUID
    employments: Sequence[tuple[UUID, Period]]
    assigned: Sequence[PresentAssignment]

    @property
    def hired_on(self) -> date:
        """The first day there."""
        return self.employments[0][1].first

    def employment_on(self, day: date) -> UUID:
        """The employment that a new assignment is given to: that of its first day, else the latest.

        A run looks at all that began before its period's end, so the months before a change of department are
        covered too.
        """
        return next((each for each, period in self.employments if day in period), self.employments[-1][0])

    def replaced_from(self, day: date) -> Sequence[PresentAssignment]:
        """What an assignment from this day on would replace: the one in force on it, and those planned behind."""
        return [each for each in self.assigned if each.period.until is None or each.period.until > day]


async def find_pay(employee_ids: Collection[UUID], *, keyring: Keyring, is_locking: bool) -> dict[UUID, PresentPay]:
    """What people are paid by; with `is_locking` their employments are held, so that changes of pay follow each other.

    Who has no employment is left out.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    sql = f"{_EMPLOYED} FOR NO KEY UPDATE" if is_locking else _EMPLOYED
    people: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for row in await transaction.fetch(sql, tenant_id, list(employee_ids)):
        people[row["employee_id"]].append(row)
    present = {
        person: [row for row in rows if row["legal_entity_id"] == rows[-1]["legal_entity_id"]]
        for person, rows in people.items()
    }
    employments = [row["id"] for rows in present.values() for row in rows]
    assigned: dict[UUID, list[PresentAssignment]] = defaultdict(list)
    for row in await transaction.fetch(_ASSIGNED, tenant_id, employments):
        assigned[row["employment_id"]].append(_opened(row, keyring))
    return {person: _pay(rows, assigned) for person, rows in present.items()}


def _opened(row: asyncpg.Record, keyring: Keyring) -> PresentAssignment:
    text = keyring.open(Place("pay_assignment", "amounts_sealed", row["id"]), row["amounts_sealed"])
    amounts = {code: Decimal(amount) for code, amount in orjson.loads(text).items()}
    return PresentAssignment(row["id"], row["structure_id"], amounts, Period(row["valid_from"], row["valid_to"]))


def _pay(rows: Sequence[asyncpg.Record], assigned: Mapping[UUID, Sequence[PresentAssignment]]) -> PresentPay:
    found = [each for row in rows for each in assigned.get(row["id"], ())]
    employments = [(row["id"], Period(row["valid_from"], row["valid_to"])) for row in rows]
    by_day = sorted(found, key=lambda each: each.period.first)
    return PresentPay(rows[0]["employee_id"], employments, by_day)


async def find_structures() -> StructureBook:
    """The company's structures with what they say at present; a company has a few."""
    versions: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for row in await current_transaction().fetch(_STRUCTURES, current_tenant_id()):
        versions[row["id"]].append(row)
    return StructureBook([_structure(rows) for rows in versions.values()])


def _structure(rows: Sequence[asyncpg.Record]) -> KnownStructure:
    first = rows[0]
    titles = {"zh-CN": first["title_zh"], "en": first["title_en"]}
    said = [(Period(row["valid_from"], row["valid_to"]), _document(row["document"])) for row in rows]
    return KnownStructure(first["id"], first["code"], titles, said)


def _document(text: str) -> Structure:
    return Structure.of_plain(orjson.loads(text))
