"""Reads of the payroll room, for actions and jobs; lists and details go through the compiled reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from saas.access import AccessTable, scope_predicate
from saas.access.table import FieldAccess
from saas.kernel import Actor, Money, Period
from saas.payroll.errors import (
    EmploymentNotFound,
    LegalEntityNotFound,
    PayslipNotFound,
    RunNotFound,
    StructureNotFound,
)
from saas.payroll.policies import PAYSLIP_SCOPES
from saas.payroll.rules.plans import PayslipState, PlanHasher, PlannedPayslip, RunPins
from saas.payroll.rules.runs import RunFacts, RunStage, RunState
from saas.payroll.rules.structures import Structure
from saas.people import get_employee
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

_STRUCTURE_ON = """
SELECT document FROM salary_structure_version
WHERE tenant_id = $1 AND structure_id = $2 AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3)
  AND known_at <= $4 AND (superseded_at IS NULL OR superseded_at > $4)
"""
_RUN = """
SELECT r.id, r.legal_entity_id, r.pay_period_id, r.state, r.stage, r.plan_hash, r.failed, r.prepared_by::text,
       r.calculation, r.pack, r.pack_version, r.pack_calculation, r.pack_settings::text, r.pay_days::text, r.currency,
       r.opened_at, r.takes_open_settlements, r.computes_at_once, p.month, p.first_on, p.until_on, p.pays_on,
       e.name AS legal_entity
FROM payroll_run r
JOIN pay_period p ON p.tenant_id = r.tenant_id AND p.id = r.pay_period_id
JOIN legal_entity e ON e.tenant_id = r.tenant_id AND e.id = r.legal_entity_id
WHERE r.tenant_id = $1 AND r.id = $2
"""
# OFFSET 0: each person's inputs are looked up by the whole key. As a join over tables that were never analyzed, each
# payslip would be compared with all inputs of the run.
_PLAN = """
SELECT s.employment_id, i.digest AS inputs, s.digest AS payslip, s.state
FROM payslip s
CROSS JOIN LATERAL (
    SELECT digest FROM payroll_input WHERE tenant_id = $1 AND run_id = $2 AND employee_id = s.employee_id OFFSET 0
) i
WHERE s.tenant_id = $1 AND s.run_id = $2
ORDER BY s.employment_id
"""
_PLANNED_AT_ONCE = 1_000

_FAILED = """
SELECT s.id, s.employee_id, e.number, e.name, s.failure FROM payslip s
JOIN employee e ON e.tenant_id = s.tenant_id AND e.id = s.employee_id
WHERE s.tenant_id = $1 AND s.run_id = $2 AND s.state = 'failed' ORDER BY s.employee_id LIMIT $3
"""
_BEFORE = """
SELECT r.id FROM payroll_run r JOIN pay_period p ON p.tenant_id = r.tenant_id AND p.id = r.pay_period_id
WHERE r.tenant_id = $1 AND r.legal_entity_id = $2 AND r.state IN ('locked', 'published') AND p.month < $3
ORDER BY p.month DESC LIMIT 1
"""
_COMPONENTS = """
SELECT coalesce(a.key, b.key) AS code, b.amount_minor AS before, a.amount_minor AS after,
       b.id IS NOT NULL AS was, a.id IS NOT NULL AS is_now
FROM (SELECT * FROM payroll_total WHERE tenant_id = $1 AND run_id = $2 AND dimension = 'component') a
FULL JOIN (SELECT * FROM payroll_total WHERE tenant_id = $1 AND run_id = $3 AND dimension = 'component') b
  ON b.tenant_id = a.tenant_id AND b.key = a.key
ORDER BY 1
"""
_ARRIVED = """
SELECT arrived.kind, arrived.employee_id, arrived.known_at FROM (
    SELECT 'pay_item' AS kind, i.employee_id, greatest(i.known_at, i.withdrawn_at) AS known_at
    FROM pay_item i WHERE i.tenant_id = $1 AND i.month = $2 AND (i.known_at > $5 OR i.withdrawn_at > $5)
    UNION ALL
    SELECT 'pay_assignment', a.employee_id, a.known_at FROM pay_assignment a
    WHERE a.tenant_id = $1 AND a.known_at > $5 AND a.superseded_at IS NULL AND a.valid_from < $4
      AND (a.valid_to IS NULL OR a.valid_to > $3)
    UNION ALL
    SELECT 'pay_declaration', d.employee_id, d.known_at FROM pay_declaration d
    WHERE d.tenant_id = $1 AND d.known_at > $5 AND d.superseded_at IS NULL AND d.valid_from < $4
      AND (d.valid_to IS NULL OR d.valid_to > $3)
    UNION ALL
    SELECT 'attendance', m.employee_id, max(c.known_at) FROM attendance_day_count c
    JOIN employment m ON m.tenant_id = c.tenant_id AND m.id = c.employment_id
    WHERE c.tenant_id = $1 AND c.month = $2 AND c.known_at > $5 GROUP BY m.employee_id
) arrived
JOIN payroll_input n ON n.tenant_id = $1 AND n.run_id = $6 AND n.employee_id = arrived.employee_id
WHERE arrived.known_at > n.known_at
ORDER BY arrived.known_at, arrived.employee_id LIMIT $7
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A run with its period and what it pins."""

    facts: RunFacts
    legal_entity_id: UUID
    legal_entity: str
    pay_period_id: UUID
    month: str
    period: Period
    pays_on: date
    pay_days: tuple[date, ...]
    currency: str
    opened_at: datetime
    takes_open_settlements: bool
    computes_at_once: bool
    pins: RunPins

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.facts.id


async def get_run(run_id: UUID, *, lock: bool = False) -> Run:
    """A run of this company; with `lock` its row is held until the transaction ends.

    :raises RunNotFound: there is none.
    """
    return await _get_run(run_id, f"{_RUN} FOR UPDATE OF r" if lock else _RUN)


async def get_run_at_work(run_id: UUID) -> Run:
    """A run for a job that works on it beside others: its row is held against steps, but not against their counting.

    :raises RunNotFound: there is none.
    """
    return await _get_run(run_id, f"{_RUN} FOR KEY SHARE OF r")


async def _get_run(run_id: UUID, sql: str) -> Run:
    row = await current_transaction().fetchrow(sql, current_tenant_id(), run_id)
    if row is None:
        raise RunNotFound("payroll.run_not_found", field=("id",))
    return _run_of(row)


def _run_of(row: asyncpg.Record) -> Run:
    settings = row["pack_settings"]
    return Run(
        facts=RunFacts(
            id=row["id"],
            state=RunState(row["state"]),
            stage=RunStage(row["stage"]),
            plan_hash=row["plan_hash"],
            failed=row["failed"],
            prepared_by=frozenset(UUID(each) for each in orjson.loads(row["prepared_by"])),
        ),
        legal_entity_id=row["legal_entity_id"],
        legal_entity=row["legal_entity"],
        pay_period_id=row["pay_period_id"],
        month=row["month"],
        period=Period(row["first_on"], row["until_on"]),
        pays_on=row["pays_on"],
        pay_days=tuple(date.fromisoformat(day) for day in orjson.loads(row["pay_days"])),
        currency=row["currency"],
        opened_at=row["opened_at"],
        takes_open_settlements=row["takes_open_settlements"],
        computes_at_once=row["computes_at_once"],
        pins=RunPins(
            calculation=row["calculation"],
            pack=row["pack"],
            pack_version=row["pack_version"],
            pack_calculation=row["pack_calculation"],
            pack_settings=None if settings is None else orjson.loads(settings),
        ),
    )


async def present_plan_hash(run: Run) -> str:
    """The hash of a run's plan from what is stored, read a part at a time."""
    hasher = PlanHasher(run.id, run.pins)
    transaction = current_transaction()
    async with transaction.lock:
        cursor = await transaction.connection.cursor(_PLAN, current_tenant_id(), run.id)
        while rows := await cursor.fetch(_PLANNED_AT_ONCE):
            for row in rows:
                state = PayslipState(row["state"])
                hasher.add(PlannedPayslip(row["employment_id"], row["inputs"], row["payslip"], state))
    return hasher.hexdigest()


async def structure_on(structure_id: UUID, *, day: date, known_at: datetime) -> Structure:
    """What a structure says on a day, as it was known at an instant.

    :raises StructureNotFound: there is none, or it says nothing on that day.
    """
    text = await current_transaction().fetchval(_STRUCTURE_ON, current_tenant_id(), structure_id, day, known_at)
    if text is None:
        raise StructureNotFound("payroll.structure_not_found", {"on": day.isoformat()}, field=("structureId",))
    return Structure.of_plain(orjson.loads(text))


async def lock_employment(employment_id: UUID) -> UUID:
    """Whose employment it is; its row is held until the transaction ends, so that changes of pay follow each other.

    :raises EmploymentNotFound: nobody's of this company.
    """
    found: UUID | None = await current_transaction().fetchval(
        "SELECT employee_id FROM employment WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE",
        current_tenant_id(),
        employment_id,
    )
    if found is None:
        raise EmploymentNotFound("payroll.employment_not_found", field=("employmentId",))
    return found


async def lock_employee(employee_id: UUID) -> None:
    """Hold a person's row until the transaction ends, so that changes of declarations follow each other.

    :raises EmployeeNotFound: there is none.
    """
    await get_employee(employee_id)
    await current_transaction().execute(
        "SELECT FROM employee WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE", current_tenant_id(), employee_id
    )


async def find_employment(employee_id: UUID) -> UUID:
    """The person's latest employment, which pay is assigned to where the person is named and no employment.

    :raises EmploymentNotFound: there is none.
    """
    found: UUID | None = await current_transaction().fetchval(
        "SELECT id FROM employment WHERE tenant_id = $1 AND employee_id = $2 ORDER BY valid_from DESC, id DESC LIMIT 1",
        current_tenant_id(),
        employee_id,
    )
    if found is None:
        raise EmploymentNotFound("payroll.employment_not_found", field=("employeeId",))
    return found


async def require_legal_entity(legal_entity_id: UUID) -> None:
    """Refuse an id that is no legal entity of this company.

    :raises LegalEntityNotFound: it is not.
    """
    found = await current_transaction().fetchval(
        "SELECT true FROM legal_entity WHERE tenant_id = $1 AND id = $2", current_tenant_id(), legal_entity_id
    )
    if not found:
        raise LegalEntityNotFound("payroll.legal_entity_not_found", field=("legalEntityId",))


async def get_readable_payslip(actor: Actor, access: AccessTable, payslip_id: UUID, keyring: Keyring) -> dict[str, Any]:
    """The document of a payslip that the caller may see and read, as the compiled reader would show it.

    :raises PayslipNotFound: missing, another company's, not visible, not readable, or not one that is paid.
    """
    right = access.read("Payslip", "document")
    readable = access.visible("Payslip") if right.access is FieldAccess.ALLOW else right.scopes
    visible, permitted = (
        scope_predicate(PAYSLIP_SCOPES, frozenset(scopes), alias="p", tenant="$1", employee="me.id")
        for scopes in (access.visible("Payslip"), readable)
    )
    row = await current_transaction().fetchrow(
        "SELECT p.document_sealed FROM payslip p CROSS JOIN (SELECT $3::uuid AS id) me"
        f" WHERE p.tenant_id = $1 AND p.id = $2 AND p.state = 'ok' AND {visible} AND {permitted}",
        current_tenant_id(),
        payslip_id,
        actor.employee_id,
    )
    if row is None:
        raise PayslipNotFound("payroll.payslip_not_found", field=("id",))
    place = Place("payslip", "document_sealed", payslip_id)
    document: dict[str, Any] = orjson.loads(keyring.open(place, row["document_sealed"]))
    return document


@dataclass(frozen=True, slots=True)
class FailedPayslip:
    """Somebody whose payslip failed; the reasons with their amounts are sealed, the key of the first one is not."""

    payslip_id: UUID
    employee_id: UUID
    number: str
    name: str
    failure: str


async def failed_payslips(run_id: UUID, *, most: int = 200) -> list[FailedPayslip]:
    """Who of a run has no payslip that can be paid, by name, and why."""
    rows = await current_transaction().fetch(_FAILED, current_tenant_id(), run_id, most)
    return [FailedPayslip(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """A component's total in the run before and in this one; None where it is hidden, or was not paid."""

    code: str
    before: Decimal | None
    after: Decimal | None
    was_paid: bool
    is_paid: bool


async def component_changes(run: Run) -> list[ComponentChange]:
    """Each component's total against the last locked run of the legal entity."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    before = await previous_run_id(run)
    rows = await transaction.fetch(_COMPONENTS, tenant_id, run.id, before)
    return [
        ComponentChange(
            row["code"],
            _amount(row["before"], run.currency),
            _amount(row["after"], run.currency),
            row["was"],
            row["is_now"],
        )
        for row in rows
    ]


async def previous_run_id(run: Run) -> UUID | None:
    """The last locked run of the legal entity before this one's month."""
    found: UUID | None = await current_transaction().fetchval(
        _BEFORE, current_tenant_id(), run.legal_entity_id, run.month
    )
    return found


def _amount(minor: int | None, currency: str) -> Decimal | None:
    return None if minor is None else Money.of_minor(minor, currency).amount


@dataclass(frozen=True, slots=True)
class ArrivedFact:
    """Something that became known after a person's inputs were frozen, and that the run does not hold."""

    kind: str
    employee_id: UUID
    known_at: datetime


async def arrived_since(run: Run, *, most: int = 200) -> list[ArrivedFact]:
    """What became known of a run's people and period since; it does not block the run."""
    days = (run.month, run.period.first, run.period.until, run.opened_at)
    rows = await current_transaction().fetch(_ARRIVED, current_tenant_id(), *days, run.id, most)
    return [ArrivedFact(*row) for row in rows]
