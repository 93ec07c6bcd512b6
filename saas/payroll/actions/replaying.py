"""Replay: a run computed once more from its frozen inputs and pinned versions, and compared byte by byte."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson

from saas.extensions import PluginHost
from saas.payroll.actions.machinery import machinery_of
from saas.payroll.queries import get_run
from saas.payroll.rules.differences import replay_differences
from saas.payroll.rules.runs import RunState
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

_AT_ONCE = 200
_NOBODY = UUID(int=0)
_NEXT = """
SELECT i.id, i.employee_id, i.structure_version_id, i.inputs_sealed, i.failure, i.digest AS inputs_digest,
       s.id AS payslip_id, s.document_sealed, s.digest
FROM payroll_input i
JOIN payslip s ON s.tenant_id = i.tenant_id AND s.run_id = i.run_id AND s.employee_id = i.employee_id
WHERE i.tenant_id = $1 AND i.run_id = $2 AND i.employee_id > $3 ORDER BY i.employee_id LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class ReplayDifference:
    """A payslip that did not come out as it was stored: whose, and at which places of the document."""

    payslip_id: UUID
    employee_id: UUID
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """How many payslips were computed again, and those that differ: none, if nothing was tampered with."""

    compared: int
    differences: tuple[ReplayDifference, ...]


async def replay_run(run_id: UUID, *, host: PluginHost, keyring: Keyring) -> Replay:
    """Compute every payslip of a run again and compare the bytes; nothing is written.

    :raises RunNotFound: there is none; :raises RunNotReady: it is not computed.
    :raises CalculationUnknown, PackMissing: this installation can't compute it; :raises SealBroken: a row was changed.
    """
    run = await get_run(run_id)
    done = (RunState.COMPUTED, RunState.IN_REVIEW, RunState.APPROVED, RunState.LOCKED, RunState.PUBLISHED)
    run.facts.require(*done, step="replay")
    compared, passed, found = 0, _NOBODY, list[ReplayDifference]()
    while rows := await current_transaction().fetch(_NEXT, current_tenant_id(), run_id, passed, _AT_ONCE):
        versions = {row["structure_version_id"] for row in rows} - {None}
        machinery = await machinery_of(run, versions, host)
        for row in rows:
            places = _places(row, machinery.computed(row, keyring).text, keyring)
            if places:
                found.append(ReplayDifference(row["payslip_id"], row["employee_id"], places))
        compared += len(rows)
        passed = rows[-1]["employee_id"]
    return Replay(compared, tuple(found))


def _places(row: asyncpg.Record, computed: str, keyring: Keyring) -> tuple[str, ...]:
    """Where the stored document is not the computed one, byte by byte; or not the one whose digest was approved."""
    stored = keyring.open(Place("payslip", "document_sealed", row["payslip_id"]), row["document_sealed"])
    if stored != computed:
        return replay_differences(orjson.loads(stored), orjson.loads(computed)) or ("bytes",)
    return () if keyring.digest(stored) == row["digest"] else ("digest",)
