"""Writes of salary structures: a version holds from a day on, and what a version says is never edited."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from saas.audit import record
from saas.kernel import Actor, Clock, new_id
from saas.payroll.actions.dated import supersede_from
from saas.payroll.errors import StructureChanged
from saas.payroll.rules.runs import clean_reason
from saas.payroll.rules.structure_checks import check_structure
from saas.payroll.rules.structures import Structure
from tenants import current_tenant_id, current_transaction, get_tenant_facts

_ENTER = """
INSERT INTO salary_structure (tenant_id, id, code, title_zh, title_en, version, created_at)
VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT (tenant_id, code) DO NOTHING
"""
_RAISE = """
UPDATE salary_structure SET version = version + 1, title_zh = $3, title_en = $4
WHERE tenant_id = $1 AND code = $2 AND version = $5 RETURNING id
"""
_PRESENT = "SELECT version FROM salary_structure WHERE tenant_id = $1 AND code = $2"
_INSERT = """
INSERT INTO salary_structure_version (tenant_id, id, structure_id, document, hash, valid_from, valid_to, known_at,
    created_by, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def save_structure(
    actor: Actor, structure: Structure, *, valid_from: date, reason: str, expected_version: int, clock: Clock
) -> UUID:
    """Save a structure from a day on (permission ``payroll:configure``); `expected_version` is 0 for a new one.

    It replaces whatever was planned from that day on. Runs that froze an earlier version keep it.

    :raises AppErrors: everything that is wrong with it, each at its path.
    :raises StructureChanged: somebody saved it meanwhile.
    """
    reason, now = clean_reason(reason), clock.now()
    check_structure(structure, currency=(await get_tenant_facts()).currency)
    structure_id = await _raised(structure, expected_version=expected_version, at=now)
    for old in await supersede_from(
        "salary_structure_version", {"structure_id": structure_id}, valid_from=valid_from, at=now
    ):
        kept = (old["document"], old["hash"], old["valid_from"], valid_from)
        await _insert(structure_id, *kept, at=now, by=old["created_by"], reason=old["reason"])
    fresh = (structure.text, structure.hash, valid_from, None)
    await _insert(structure_id, *fresh, at=now, by=actor.account_id, reason=reason)
    await record(
        actor,
        "salary_structure.saved",
        object_type="SalaryStructure",
        object_id=structure_id,
        changes={"code": [None, structure.code], "hash": [None, structure.hash], "from": [None, str(valid_from)]},
        reason=reason,
        clock=clock,
    )
    return structure_id


async def _raised(structure: Structure, *, expected_version: int, at: datetime) -> UUID:
    transaction, tenant_id = current_transaction(), current_tenant_id()
    code, titles = structure.code, structure.titles
    if expected_version == 0:
        await transaction.execute(_ENTER, tenant_id, new_id(), code, titles["zh-CN"], titles["en"], at)
    structure_id: UUID | None = await transaction.fetchval(
        _RAISE, tenant_id, code, titles["zh-CN"], titles["en"], expected_version
    )
    if structure_id is None:
        actual = await transaction.fetchval(_PRESENT, tenant_id, code)
        values = {"code": code, "expected": expected_version, "actual": actual or 0}
        raise StructureChanged("payroll.structure_changed", values, field=("expectedVersion",))
    return structure_id


async def _insert(
    structure_id: UUID,
    document: str,
    hash_: str,
    valid_from: date,
    valid_to: date | None,
    *,
    at: datetime,
    by: UUID,
    reason: str,
) -> None:
    values = (new_id(), structure_id, document, hash_, valid_from, valid_to, at, by, reason)
    await current_transaction().execute(_INSERT, current_tenant_id(), *values)
