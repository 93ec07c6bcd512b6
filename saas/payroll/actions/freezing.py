"""Freezing inputs: what is known of a chunk of people is read in a few statements and sealed, person by person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from saas.attendance import WORKED, find_day_counts
from saas.kernel import Period, new_id, public_id
from saas.payroll.actions.dated import KNOWN_AT
from saas.payroll.actions.sources import CommissionSource
from saas.payroll.queries import Run
from saas.payroll.rules.inputs import (
    DatedAmount,
    FrozenInputs,
    OneOff,
    OneOffEffect,
    Person,
    SettledCommission,
    joined_spans,
)
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

PAY_ITEM = "pit"

_EMPLOYED = """
SELECT DISTINCT ON (m.employee_id) m.id AS employment_id, m.employee_id, m.department_id, m.position,
       e.number, e.name, e.hired_on, d.name AS department
FROM employment m
JOIN employee e ON e.tenant_id = m.tenant_id AND e.id = m.employee_id
JOIN department d ON d.tenant_id = m.tenant_id AND d.id = m.department_id
WHERE m.tenant_id = $1 AND m.legal_entity_id = $2 AND m.valid_from < $4 AND (m.valid_to IS NULL OR m.valid_to > $3)
  AND {chosen}
ORDER BY m.employee_id, m.valid_from DESC, m.id DESC
LIMIT $6
"""
# OFFSET 0: each person is looked up by the whole key, however little the planner knows of the table.
_NEXT = _EMPLOYED.format(
    chosen="NOT EXISTS (SELECT FROM payroll_input i"
    " WHERE i.tenant_id = $1 AND i.run_id = $5 AND i.employee_id = m.employee_id OFFSET 0)"
)
_NAMED = _EMPLOYED.format(chosen="m.employee_id = ANY($5::uuid[])")
_SPANS = """
SELECT id, employee_id, valid_from, valid_to FROM employment
WHERE tenant_id = $1 AND legal_entity_id = $2 AND employee_id = ANY($3::uuid[]) AND valid_from < $4
"""
_ASSIGNED = f"""
SELECT id, employee_id, structure_id, amounts_sealed, valid_from, valid_to FROM pay_assignment
WHERE tenant_id = $1 AND employment_id = ANY($2::uuid[]) AND valid_from < $4 AND (valid_to IS NULL OR valid_to > $3)
  AND {KNOWN_AT.format(at="$5")}
ORDER BY employee_id, valid_from
"""
_DECLARED = f"""
SELECT id, employee_id, document_sealed FROM pay_declaration
WHERE tenant_id = $1 AND legal_entity_id = $2 AND employee_id = ANY($3::uuid[])
  AND valid_from < $4 AND (valid_to IS NULL OR valid_to >= $4) AND {KNOWN_AT.format(at="$5")}
"""
_ITEMS = """
SELECT id, employee_id, component, effect, amount_sealed, reason FROM pay_item
WHERE tenant_id = $1 AND employment_id = ANY($2::uuid[]) AND month = $3 AND run_id IS NULL
  AND known_at <= $4 AND (withdrawn_at IS NULL OR withdrawn_at > $4)
ORDER BY known_at, id
"""
_YEARS = """
SELECT id, employee_id, document_sealed FROM year_to_date
WHERE tenant_id = $1 AND legal_entity_id = $2 AND employee_id = ANY($3::uuid[]) AND tax_year = $4
"""
_VERSIONS = f"""
SELECT structure_id, id, hash FROM salary_structure_version
WHERE tenant_id = $1 AND structure_id = ANY($2::uuid[])
  AND valid_from < $3 AND (valid_to IS NULL OR valid_to >= $3) AND {KNOWN_AT.format(at="$4")}
"""
_INSERT = """
INSERT INTO payroll_input (tenant_id, id, run_id, employment_id, employee_id, department_id, structure_version_id,
    inputs_sealed, digest, failure, known_at, frozen_at)
SELECT $1, id, $2, employment_id, employee_id, department_id, version_id, sealed, digest, failure, $3, $4
FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::bytea[], $11::text[], $12::text[])
  AS fresh (id, employment_id, employee_id, department_id, version_id, sealed, digest, failure)
"""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a chunk of people, by person; commission by employment."""

    spans: Mapping[UUID, list[Period]]
    assigned: Mapping[UUID, list[asyncpg.Record]]
    declared: Mapping[UUID, asyncpg.Record]
    items: Mapping[UUID, list[asyncpg.Record]]
    years: Mapping[UUID, asyncpg.Record]
    days: Mapping[UUID, Mapping[str, Decimal]]
    commission: Mapping[UUID, Sequence[SettledCommission]]
    versions: Mapping[UUID, asyncpg.Record]


async def freeze_next(run: Run, *, most: int, keyring: Keyring, commission: CommissionSource, at: datetime) -> int:
    """Freeze the inputs of the next people of a run who have none yet, as known when it was opened; how many."""
    transaction, days = current_transaction(), (run.period.first, run.period.until)
    await transaction.plan_by_index()
    people = await transaction.fetch(_NEXT, current_tenant_id(), run.legal_entity_id, *days, run.id, most)
    await _freeze(run, people, known_at=run.opened_at, keyring=keyring, commission=commission, at=at)
    return len(people)


async def freeze_again(
    run: Run, employee_ids: Sequence[UUID], *, keyring: Keyring, commission: CommissionSource, at: datetime
) -> int:
    """Freeze the inputs of these people anew, as they are known now; how many of them are employed in the period."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    days = (run.period.first, run.period.until)
    people = await transaction.fetch(
        _NAMED, tenant_id, run.legal_entity_id, *days, list(employee_ids), len(employee_ids)
    )
    found = [person["employee_id"] for person in people]
    for table in ("payslip", "payroll_input"):
        await transaction.execute(
            f"DELETE FROM {table} WHERE tenant_id = $1 AND run_id = $2 AND employee_id = ANY($3::uuid[])",
            tenant_id,
            run.id,
            found,
        )
    await _freeze(run, people, known_at=at, keyring=keyring, commission=commission, at=at)
    return len(people)


async def _freeze(
    run: Run,
    people: Sequence[asyncpg.Record],
    *,
    known_at: datetime,
    keyring: Keyring,
    commission: CommissionSource,
    at: datetime,
) -> None:
    if not people:
        return
    known = await _known(run, people, keyring, known_at=known_at, commission=commission)
    rows = [_row(run, person, known, keyring) for person in people]
    await current_transaction().execute(
        _INSERT, current_tenant_id(), run.id, known_at, at, *map(list, zip(*rows, strict=True))
    )


async def _known(
    run: Run, people: Sequence[asyncpg.Record], keyring: Keyring, *, known_at: datetime, commission: CommissionSource
) -> _Known:
    employee_ids = [person["employee_id"] for person in people]
    transaction, tenant_id = current_transaction(), current_tenant_id()
    first, until, entity = run.period.first, run.period.until, run.legal_entity_id
    rows = await transaction.fetch(_SPANS, tenant_id, entity, employee_ids, until)
    employments = [row["id"] for row in rows]
    assigned = await transaction.fetch(_ASSIGNED, tenant_id, employments, first, until, known_at)
    structures = list({row["structure_id"] for row in assigned})
    counts = await find_day_counts(employments, month=run.month)
    owner = {row["id"]: row["employee_id"] for row in rows}
    return _Known(
        spans={key: [Period(row["valid_from"], row["valid_to"]) for row in of] for key, of in _by_person(rows).items()},
        assigned=_by_person(assigned),
        declared=_one_each(await transaction.fetch(_DECLARED, tenant_id, entity, employee_ids, until, known_at)),
        items=_by_person(await transaction.fetch(_ITEMS, tenant_id, employments, run.month, known_at)),
        years=_one_each(await transaction.fetch(_YEARS, tenant_id, entity, employee_ids, run.pays_on.year)),
        days=_days_by_person(counts, owner),
        commission=await commission.settled(
            [person["employment_id"] for person in people],
            period=run.period,
            run_id=run.id,
            keyring=keyring,
            with_open=run.takes_open_settlements,
        ),
        versions={
            row["structure_id"]: row
            for row in await transaction.fetch(_VERSIONS, tenant_id, structures, until, known_at)
        },
    )


def _by_person(rows: Iterable[asyncpg.Record]) -> dict[UUID, list[asyncpg.Record]]:
    found: dict[UUID, list[asyncpg.Record]] = {}
    for row in rows:
        found.setdefault(row["employee_id"], []).append(row)
    return found


def _one_each(rows: Iterable[asyncpg.Record]) -> dict[UUID, asyncpg.Record]:
    return {row["employee_id"]: row for row in rows}


def _days_by_person(
    counts: Mapping[UUID, Mapping[str, Decimal]], owner: Mapping[UUID, UUID]
) -> dict[UUID, dict[str, Decimal]]:
    """Who changed department has two employments in a month: their days are added up."""
    found: dict[UUID, dict[str, Decimal]] = {}
    for employment_id, days in counts.items():
        person = found.setdefault(owner[employment_id], {})
        for kind, count in days.items():
            person[kind] = person.get(kind, Decimal(0)) + count
    return found


def _row(run: Run, person: asyncpg.Record, known: _Known, keyring: Keyring) -> tuple[object, ...]:
    """One person's row: the sealed inputs, or why there are none."""
    row_id, employee_id = new_id(), person["employee_id"]
    ids = (row_id, person["employment_id"], employee_id, person["department_id"])
    assigned = known.assigned.get(employee_id)
    if not assigned:
        return (*ids, None, None, "", "payroll.not_assigned")
    version = known.versions.get(assigned[-1]["structure_id"])
    if version is None:
        return (*ids, None, None, "", "payroll.structure_not_in_force")
    text = _inputs(run, person, known, assigned, version["hash"], keyring).text
    sealed = keyring.seal("pay", Place("payroll_input", "inputs_sealed", row_id), text)
    return (*ids, version["id"], sealed, keyring.digest(text), None)


def _inputs(
    run: Run,
    person: asyncpg.Record,
    known: _Known,
    assigned: Sequence[asyncpg.Record],
    structure_hash: str,
    keyring: Keyring,
) -> FrozenInputs:
    employee_id = person["employee_id"]
    days = known.days.get(employee_id)
    declared, year = known.declared.get(employee_id), known.years.get(employee_id)
    return FrozenInputs(
        person=_person(run, person),
        period=run.period,
        pays_on=run.pays_on,
        currency=run.currency,
        structure_hash=structure_hash,
        employed=joined_spans(known.spans[employee_id]),
        pay_days=run.pay_days,
        amounts=tuple(each for row in assigned for each in _amounts(row, keyring)),
        days_worked=None if days is None else days.get(WORKED),
        absences=None if days is None else {kind: count for kind, count in days.items() if kind != WORKED},
        commission=tuple(known.commission.get(person["employment_id"], ())),
        one_offs=tuple(_one_off(row, keyring) for row in known.items.get(employee_id, ())),
        declarations=_opened("pay_declaration", declared, keyring) or {},
        year_to_date=_opened("year_to_date", year, keyring),
    )


def _person(run: Run, row: asyncpg.Record) -> Person:
    return Person(
        employment_id=row["employment_id"],
        employee_id=row["employee_id"],
        number=row["number"],
        name=row["name"],
        legal_entity_id=run.legal_entity_id,
        legal_entity=run.legal_entity,
        department_id=row["department_id"],
        department=row["department"],
        position=row["position"],
        hired_on=row["hired_on"],
    )


def _amounts(row: asyncpg.Record, keyring: Keyring) -> Iterable[DatedAmount]:
    text = keyring.open(Place("pay_assignment", "amounts_sealed", row["id"]), row["amounts_sealed"])
    period = Period(row["valid_from"], row["valid_to"])
    return (DatedAmount(code, Decimal(amount), period) for code, amount in sorted(orjson.loads(text).items()))


def _one_off(row: asyncpg.Record, keyring: Keyring) -> OneOff:
    amount = keyring.open(Place("pay_item", "amount_sealed", row["id"]), row["amount_sealed"])
    source = public_id(PAY_ITEM, row["id"])
    return OneOff(source, row["component"], OneOffEffect(row["effect"]), Decimal(amount), row["reason"])


def _opened(table: str, row: asyncpg.Record | None, keyring: Keyring) -> dict[str, Any] | None:
    if row is None:
        return None
    text = keyring.open(Place(table, "document_sealed", row["id"]), row["document_sealed"])
    document: dict[str, Any] = orjson.loads(text)
    return document
