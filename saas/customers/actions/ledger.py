"""The public ledger (公示) of pools: a line for each change of owner and each warning, in the same transaction.

With the lines goes an entry of the audit trail that is bound to them by their digests, in the same statement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from uuid import UUID

from saas.audit import entry_values, insert_entry_sql
from saas.customers.automation import JOB
from saas.customers.claim_queries import ClaimTarget
from saas.customers.ledger import LEDGER, WrittenLine, packed
from saas.jobs import CompanyBell, SilentBell
from saas.kernel import Actor, Explanation, FrozenClock, new_id
from tenants import current_tenant_id, current_transaction

BOUND_BY = "pool_ledger.written"
"""The action of entries that are there for the lines alone; a claim's own entry is bound to its line."""

_COLUMNS = 15
_INSERT = f"""
WITH written AS (
INSERT INTO pool_event (tenant_id, id, pool_id, customer_id, kind, employee_id, former_owner_id, operator_id,
    happened_at, happened_on, reason, rule, allocation_id, settings_version, explanation)
SELECT $1, id, pool_id, customer_id, kind, employee_id, former_owner_id, $2, $3, $4, reason, rule, allocation_id,
    settings_version, explanation::jsonb
FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::uuid[], $10::uuid[], $11::text[], $12::text[],
    $13::uuid[], $14::int[], $15::text[])
    AS line (id, pool_id, customer_id, kind, employee_id, former_owner_id, reason, rule, allocation_id,
        settings_version, explanation)
)
{insert_entry_sql(first_parameter=_COLUMNS + 1)}
"""


class _Telling:
    """The bell of this process; silent (readers look by themselves) until the wiring hangs one up."""

    bell: CompanyBell = SilentBell()


def tell_readers_with(bell: CompanyBell) -> None:
    """Tell readers of the ledger by `bell` after each commit that wrote to it; called once, by the wiring."""
    _Telling.bell = bell


def tell_readers_after_commit() -> None:
    """Wake whoever reads the ledger as it grows, once the open transaction has committed."""
    current_transaction().after_commit(partial(_Telling.bell.ring_for, current_tenant_id()))


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

    def written(self, *, operator_id: UUID | None, at: datetime, on: date) -> WrittenLine:
        """The line with an id of its own, as it will stand in the table."""
        return WrittenLine(
            id=new_id(),
            pool_id=self.pool_id,
            customer_id=self.customer_id,
            kind=self.kind,
            happened_at=at,
            happened_on=on,
            operator_id=operator_id,
            employee_id=self.employee_id,
            former_owner_id=self.former_owner_id,
            reason=self.reason,
            rule=self.rule,
            allocation_id=self.allocation_id,
            settings_version=self.settings_version,
            explanation=None if self.explanation is None else self.explanation.plain(),
        )


def _values(line: WrittenLine) -> tuple[object, ...]:
    """The values of a row, in the order of the arrays."""
    told = None if line.explanation is None else json.dumps(line.explanation, ensure_ascii=False)
    return (
        line.id,
        line.pool_id,
        line.customer_id,
        line.kind,
        line.employee_id,
        line.former_owner_id,
        line.reason,
        line.rule,
        line.allocation_id,
        line.settings_version,
        told,
    )


async def write_ledger(actor: Actor, lines: Sequence[LedgerLine], *, at: datetime, on: date) -> None:
    """Write lines of one instant, `on` being its day in the company's calendar, in one statement."""
    if not lines:
        return
    operator = None if actor.account_id == JOB else actor.account_id
    written = [line.written(operator_id=operator, at=at, on=on) for line in lines]
    entry = entry_values(
        actor,
        BOUND_BY,
        object_type="PoolEvent",
        object_id=written[0].id if len(written) == 1 else None,
        changes={"lines": [None, len(written)], LEDGER: [None, packed(written)]},
        clock=FrozenClock(at),
    )
    columns = map(list, zip(*map(_values, written), strict=True))
    await current_transaction().execute(_INSERT, current_tenant_id(), operator, at, on, *columns, *entry)
    tell_readers_after_commit()


def claimed_line(actor: Actor, target: ClaimTarget, *, settings_version: int, at: datetime, on: date) -> WrittenLine:
    """The line of a claim, which goes along with the claim's own statement and entry."""
    line = LedgerLine(
        "claimed",
        target.pool_id,
        target.customer_id,
        employee_id=actor.employee_id,
        settings_version=settings_version,
    )
    return line.written(operator_id=actor.account_id, at=at, on=on)
