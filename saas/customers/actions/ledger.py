"""The public ledger (公示) of pools: a line for each change of owner and each warning, in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from saas.kernel import Actor, Explanation, new_id
from tenants import current_tenant_id, current_transaction

JOB = UUID(int=0)
"""The account under which the product's own jobs stand in the trail: nobody's."""

_INSERT = """
INSERT INTO pool_event (tenant_id, id, pool_id, customer_id, kind, employee_id, former_owner_id, operator_id,
    happened_at, happened_on, reason, rule, allocation_id, settings_version, explanation)
SELECT $1, id, pool_id, customer_id, kind, employee_id, former_owner_id, $2, $3, $4, reason, rule, allocation_id,
    settings_version, explanation::jsonb
FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::uuid[], $10::uuid[], $11::text[], $12::text[],
    $13::uuid[], $14::int[], $15::text[])
    AS line (id, pool_id, customer_id, kind, employee_id, former_owner_id, reason, rule, allocation_id,
        settings_version, explanation)
"""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What happened to a customer of a pool: `employee_id` owns it now (or is told), `former_owner_id` did before."""

    kind: str
    pool_id: UUID
    customer_id: UUID | None
    employee_id: UUID | None = None
    former_owner_id: UUID | None = None
    reason: str | None = None
    rule: str | None = None
    allocation_id: UUID | None = None
    settings_version: int | None = None
    explanation: Explanation | None = None

    def values(self) -> tuple[object, ...]:
        """The values of a row, in the order of the arrays."""
        told = None if self.explanation is None else json.dumps(self.explanation.plain(), ensure_ascii=False)
        return (
            new_id(),
            self.pool_id,
            self.customer_id,
            self.kind,
            self.employee_id,
            self.former_owner_id,
            self.reason,
            self.rule,
            self.allocation_id,
            self.settings_version,
            told,
        )


async def write_ledger(actor: Actor, lines: Sequence[LedgerLine], *, at: datetime, on: date) -> None:
    """Write lines of one instant, `on` being its day in the company's calendar, in one statement."""
    if not lines:
        return
    columns = map(list, zip(*(line.values() for line in lines), strict=True))
    operator = None if actor.account_id == JOB else actor.account_id
    await current_transaction().execute(_INSERT, current_tenant_id(), operator, at, on, *columns)


def job_actor(tenant_id: UUID) -> Actor:
    """Who acts where a job of the product does."""
    return Actor(tenant_id, account_id=JOB, employee_id=None, roles=frozenset(), client="job")
