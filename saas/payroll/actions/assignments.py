"""Writes of what a person is paid by: structure and monthly amounts (定薪), and declarations for the country."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from saas.audit import record
from saas.kernel import Actor, Clock, new_id
from saas.payroll.actions.assignment_rows import NewAssignment, write_assignments
from saas.payroll.actions.dated import supersede_from
from saas.payroll.errors import PayInputRefused
from saas.payroll.queries import lock_employee, lock_employment, require_legal_entity, structure_on
from saas.payroll.rules.assignments import amounts_text
from saas.payroll.rules.canonical import canonical_text
from saas.payroll.rules.runs import clean_reason, refuse_own_pay
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction, get_tenant_facts

_INSERT_DECLARATION = """
INSERT INTO pay_declaration (tenant_id, id, employee_id, legal_entity_id, document_sealed, valid_from, valid_to,
    known_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def assign_pay(
    actor: Actor,
    *,
    employment_id: UUID,
    structure_id: UUID,
    amounts: Mapping[str, Decimal],
    valid_from: date,
    reason: str,
    keyring: Keyring,
    clock: Clock,
) -> UUID:
    """Give an employment a structure and its monthly amounts from a day on (permission ``payroll:assign``).

    `amounts` holds the base salary and the structure's other monthly items; it replaces what was planned from then on
    at the same legal entity.

    :raises EmploymentNotFound, StructureNotFound: there is none, or the structure says nothing on that day.
    :raises OwnPay: it is the caller's own employment.
    :raises PayInputRefused: no base salary, an amount that can't be, an item that the structure does not have.
    """
    reason = clean_reason(reason)
    employee_id = await lock_employment(employment_id)
    refuse_own_pay(actor, employee_id)
    structure = await structure_on(structure_id, day=valid_from, known_at=clock.now())
    new = NewAssignment(
        employment_id=employment_id,
        employee_id=employee_id,
        structure_id=structure_id,
        structure_code=structure.code,
        amounts=amounts_text(amounts, structure, currency=(await get_tenant_facts()).currency),
        valid_from=valid_from,
        reason=reason,
    )
    (written,) = await write_assignments(actor, [new], keyring=keyring, clock=clock)
    return written.id


async def declare(
    actor: Actor,
    *,
    employee_id: UUID,
    legal_entity_id: UUID,
    document: Mapping[str, Any],
    valid_from: date,
    keyring: Keyring,
    clock: Clock,
) -> UUID:
    """Keep what a person declares for the country at a legal entity, from a day on (permission ``payroll:assign``).

    What the declarations mean is the country pack's business: one that does not fit fails the payslip, at its path.

    :raises EmployeeNotFound, LegalEntityNotFound: this company has none of that id.
    :raises PayInputRefused: the document holds floats or is too large.
    """
    now = clock.now()
    await lock_employee(employee_id)
    await require_legal_entity(legal_entity_id)
    text = _document_text(document)
    keys = {"employee_id": employee_id, "legal_entity_id": legal_entity_id}
    for old in await supersede_from("pay_declaration", keys, valid_from=valid_from, at=now):
        kept = keyring.open(Place("pay_declaration", "document_sealed", old["id"]), old["document_sealed"])
        await _insert_declaration(keys, kept, (old["valid_from"], valid_from, now, old["created_by"]), keyring)
    row_id = await _insert_declaration(keys, text, (valid_from, None, now, actor.account_id), keyring)
    await record(
        actor,
        "pay.declared",
        object_type="Employee",
        object_id=employee_id,
        changes={"declarations": [None, keyring.digest(text)], "from": [None, valid_from.isoformat()]},
        clock=clock,
    )
    return row_id


DOCUMENT_LONGEST = 16_000


def _document_text(document: Mapping[str, Any]) -> str:
    try:
        text = canonical_text(dict(document))
    except TypeError:
        raise PayInputRefused("payroll.declaration_inexact", field=("declarations",)) from None
    if len(text) > DOCUMENT_LONGEST:
        values = {"length": len(text), "longest": DOCUMENT_LONGEST}
        raise PayInputRefused("payroll.declaration_too_long", values, field=("declarations",))
    return text


async def _insert_declaration(
    keys: Mapping[str, UUID], text: str, dates: tuple[date, date | None, datetime, UUID], keyring: Keyring
) -> UUID:
    row_id = new_id()
    sealed = keyring.seal("pay", Place("pay_declaration", "document_sealed", row_id), text)
    values = (row_id, keys["employee_id"], keys["legal_entity_id"], sealed, *dates)
    await current_transaction().execute(_INSERT_DECLARATION, current_tenant_id(), *values)
    return row_id
