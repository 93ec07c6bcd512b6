"""What somebody who leaves has in hand goes to a named successor or to the pool, on the same day (3.5, L30)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from saas.audit import entry_values, record_many
from saas.customers.actions.due_dates import ActivitySource, settle_due
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.actions.reasons import checked_reason
from saas.customers.errors import AssigneeNotOnStaff
from saas.customers.events import CUSTOMER_RELEASED, CUSTOMER_TRANSFERRED
from saas.customers.moments import room_of
from saas.customers.queries import Pool, get_pool
from saas.events import emit_many
from saas.kernel import Actor, Clock, local_date, new_id
from tenants import current_tenant_id, current_transaction

PAGE = 500
LEAVERS_AT_ONCE = 20
_SUCCESSOR = """
SELECT department_id FROM employee WHERE tenant_id = $1 AND id = $2 AND status = 'active' FOR NO KEY UPDATE
"""
_HELD = """
SELECT c.id, c.pool_id, counts_as_held(c.last_deal_on, c.level, c.source, c.industry, p.holding_rules) AS counts
FROM customer c JOIN customer_pool p ON p.tenant_id = $1 AND p.id = c.pool_id
WHERE c.tenant_id = $1 AND c.owner_id = $2 ORDER BY c.id LIMIT $3 FOR NO KEY UPDATE OF c
"""
_COUNTED = """
SELECT count(*) FROM customer c WHERE c.tenant_id = $1 AND c.owner_id = $2
    AND counts_as_held(c.last_deal_on, c.level, c.source, c.industry, $3::jsonb)
"""
_END = """
UPDATE ownership SET ended_at = $3, ended_on = $4, end_kind = 'separation', reason = $5
WHERE tenant_id = $1 AND customer_id = ANY ($2) AND ended_at IS NULL
"""
_TO_POOL = """
UPDATE customer SET owner_id = NULL, owner_department_id = NULL, status = 'pooled', received_on = NULL, due_on = NULL,
    due_rule = NULL, settings_version = NULL, earlier_version = NULL, effective_follow_up_on = NULL,
    version = version + 1
WHERE tenant_id = $1 AND id = ANY ($2)
"""
_TO_SUCCESSOR = """
WITH item AS (SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS i (customer_id, pool_id, ownership_id)),
given AS (
    UPDATE customer c SET owner_id = $5, owner_department_id = $6, received_on = $8, due_on = NULL, due_rule = NULL,
        settings_version = NULL, earlier_version = NULL, effective_follow_up_on = NULL, version = c.version + 1
    FROM item i WHERE c.tenant_id = $1 AND c.id = i.customer_id
)
INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    start_kind, operator_id)
SELECT $1, i.ownership_id, i.customer_id, $5, $6, i.pool_id, $7, $8, 'transfer', $9 FROM item i
"""
_LEAVERS = """
SELECT e.id FROM employee e WHERE e.tenant_id = $1 AND e.status = 'separated'
    AND EXISTS (SELECT FROM customer c WHERE c.tenant_id = $1 AND c.owner_id = e.id)
ORDER BY e.id LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Left:
    """How many customers a leaver's successor got, and how many went to their pools."""

    handed_over: int = 0
    pooled: int = 0


@dataclass(frozen=True, slots=True)
class Separation:
    """Who decides, why, and when; `follow_ups` is what due dates are reckoned from."""

    actor: Actor
    reason: str
    activity: ActivitySource
    time_zone: str
    clock: Clock

    @property
    def today(self) -> date:
        """The company's day."""
        return local_date(self.clock.now(), self.time_zone)

    async def leave_customers(self, *, employee_id: UUID, successor_id: UUID | None) -> Left:
        """All that a person owns goes to the successor as far as their limits let it, the rest to its pools.

        The successor begins a holding of their own, and no cooldown keeps them from it (3.5); marks end with the
        ownership.

        :raises BadUserInput: no reason is given, or too long a one.
        :raises AssigneeNotOnStaff: the successor is not on the staff of this company, or is the leaver.
        """
        checked_reason(self.reason)
        department_id = None
        if successor_id is not None:
            department_id = await current_transaction().fetchval(_SUCCESSOR, current_tenant_id(), successor_id)
            if department_id is None or successor_id == employee_id:
                raise AssigneeNotOnStaff("customers.assignee_not_on_staff").at("input", "successor")
        handed_over = pooled = 0
        while page := await current_transaction().fetch(_HELD, current_tenant_id(), employee_id, PAGE):
            taken: list[asyncpg.Record] = []
            if successor_id is not None and department_id is not None:
                taken = await self._within_limits(page, successor_id, department_id)
                await self._give(taken, employee_id, successor_id, department_id)
            kept = {row["id"] for row in taken}
            rest = [row for row in page if row["id"] not in kept]
            await self._to_pools(rest, employee_id)
            handed_over, pooled = handed_over + len(taken), pooled + len(rest)
        return Left(handed_over, pooled)

    async def _within_limits(
        self, page: Sequence[asyncpg.Record], successor_id: UUID, department_id: UUID
    ) -> list[asyncpg.Record]:
        """Of a page what the successor may hold by the rules of each pool; what does not count needs no room."""
        taken = []
        for pool_id in dict.fromkeys(row["pool_id"] for row in page):
            room = await self._room(await get_pool(pool_id), successor_id, department_id)
            for row in (each for each in page if each["pool_id"] == pool_id):
                if not row["counts"]:
                    taken.append(row)
                elif room > 0:
                    room -= 1
                    taken.append(row)
        return taken

    async def _room(self, pool: Pool, successor_id: UUID, department_id: UUID) -> int:
        counted = await current_transaction().fetchval(
            _COUNTED, current_tenant_id(), successor_id, pool.settings.holding_text
        )
        return await room_of(pool, counted, employee_id=successor_id, department_id=department_id, most=PAGE)

    async def _give(
        self, rows: Sequence[asyncpg.Record], leaver_id: UUID, successor_id: UUID, department_id: UUID
    ) -> None:
        if not rows:
            return
        now, ids = self.clock.now(), [row["id"] for row in rows]
        await self._end(ids, now)
        await current_transaction().execute(
            _TO_SUCCESSOR,
            current_tenant_id(),
            ids,
            [row["pool_id"] for row in rows],
            [new_id() for _ in rows],
            successor_id,
            department_id,
            now,
            self.today,
            self.actor.account_id,
        )
        await settle_due(ids, activity=self.activity, time_zone=self.time_zone, today=self.today)
        lines = [
            LedgerLine("transferred", row["pool_id"], row["id"], successor_id, leaver_id, self.reason) for row in rows
        ]
        await write_ledger(self.actor, lines, at=now, on=self.today)
        await self._record("customer.transferred", ids, leaver_id, successor_id)
        before, after = str(leaver_id), str(successor_id)
        told = [{"customer_id": str(each), "from_id": before, "owner_id": after} for each in ids]
        await emit_many(CUSTOMER_TRANSFERRED, told)

    async def _to_pools(self, rows: Sequence[asyncpg.Record], leaver_id: UUID) -> None:
        if not rows:
            return
        now, ids = self.clock.now(), [row["id"] for row in rows]
        await self._end(ids, now)
        await current_transaction().execute(_TO_POOL, current_tenant_id(), ids)
        lines = [
            LedgerLine("released", row["pool_id"], row["id"], former_owner_id=leaver_id, reason=self.reason)
            for row in rows
        ]
        await write_ledger(self.actor, lines, at=now, on=self.today)
        await self._record("customer.released", ids, leaver_id, None)
        await emit_many(CUSTOMER_RELEASED, [{"customer_id": str(each), "owner_id": str(leaver_id)} for each in ids])

    async def _end(self, ids: Sequence[UUID], now: datetime) -> None:
        await current_transaction().execute(_END, current_tenant_id(), list(ids), now, self.today, self.reason)

    async def _record(self, action: str, ids: Sequence[UUID], before: UUID, after: UUID | None) -> None:
        changes = {"owner": [str(before), None if after is None else str(after)]}
        await record_many(
            [
                entry_values(
                    self.actor,
                    action,
                    object_type="Customer",
                    object_id=each,
                    changes=changes,
                    reason=self.reason,
                    clock=self.clock,
                )
                for each in ids
            ]
        )


async def find_leavers() -> list[UUID]:
    """People who left and own customers still: those whom a list said to have left."""
    rows = await current_transaction().fetch(_LEAVERS, current_tenant_id(), LEAVERS_AT_ONCE)
    return [row["id"] for row in rows]
