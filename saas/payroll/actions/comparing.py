"""Who gets more or less than the month before: payslips of two runs, opened and compared line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from saas.audit import OpenedFields, record_reads
from saas.kernel import Actor, Clock
from saas.payroll.queries import Run, previous_run_id
from saas.payroll.rules.differences import LineDifference, line_differences
from saas.sealing import Keyring, Place
from tenants import current_tenant_id, current_transaction

_PAGE = """
SELECT s.employee_id, s.id, s.document_sealed, b.id AS before_id, b.document_sealed AS before_sealed
FROM payslip s LEFT JOIN payslip b
  ON b.tenant_id = s.tenant_id AND b.run_id = $3 AND b.employee_id = s.employee_id AND b.state = 'ok'
WHERE s.tenant_id = $1 AND s.run_id = $2 AND s.state = 'ok' AND ($4::uuid IS NULL OR s.employee_id > $4)
ORDER BY s.employee_id LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class PayDifference:
    """One person's pay against the last locked run of the legal entity; `net_before` None: not paid by it."""

    payslip_id: UUID
    employee_id: UUID
    net_before: Decimal | None
    net: Decimal
    lines: tuple[LineDifference, ...]


async def pay_differences(
    actor: Actor, run: Run, *, after: UUID | None, most: int, keyring: Keyring, clock: Clock
) -> Sequence[PayDifference]:
    """A page of a run's people, by id, with what changed; the caller may read everybody's payslips, and it is noted.

    :raises SealBroken: a payslip was changed behind the product's back.
    """
    before = await previous_run_id(run)
    rows = await current_transaction().fetch(_PAGE, current_tenant_id(), run.id, before, after, most)
    read = [row["id"] for row in rows] + [row["before_id"] for row in rows if row["before_id"]]
    await record_reads(actor, [OpenedFields("Payslip", each, ("document",)) for each in read], clock=clock)
    found = []
    for row in rows:
        document = _opened(row["id"], row["document_sealed"], keyring)
        old = _opened(row["before_id"], row["before_sealed"], keyring) if row["before_id"] else None
        net_before = None if old is None else Decimal(old["net"])
        lines = line_differences(old, document)
        found.append(PayDifference(row["id"], row["employee_id"], net_before, Decimal(document["net"]), lines))
    return found


def _opened(payslip_id: UUID, sealed: bytes, keyring: Keyring) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(keyring.open(Place("payslip", "document_sealed", payslip_id), sealed))
    return document
