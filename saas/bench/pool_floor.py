"""The floors of a night's recycling: hand-written statements, one a page, that find what is due and write it.

Same role, same row-level security, same gate to the database, same pages, same bytes. There is no rule, no history, no
follow-up and no verdict: whatever has a due date goes. One writes all that the job writes; the other only takes
customers from their owners.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from time import perf_counter, process_time
from uuid import UUID

from saas.bench.machine import PostgresProcesses, spent
from saas.bench.pool_data import CLOCK, TENANT, TODAY
from saas.customers import PoolSettings
from saas.customers.recycling import OwnershipFacts, RecycleFacts, RecycleRule, ReminderFacts, recycle_verdict
from tenants import Database, DatabaseUrls

_PAGE = 200
_NOBODY = UUID(int=0)
_FIND = f"""
due AS (
    SELECT id, pool_id, owner_id, due_rule FROM customer
    WHERE tenant_id = $1 AND due_on <= $2 ORDER BY due_on, id LIMIT {_PAGE} FOR NO KEY UPDATE
), returned AS (
    UPDATE customer c SET owner_id = NULL, owner_department_id = NULL, status = 'pooled', received_on = NULL,
        due_on = NULL, due_rule = NULL, settings_version = NULL, effective_follow_up_on = NULL, version = c.version + 1
    FROM due WHERE c.tenant_id = $1 AND c.id = due.id
), ended AS (
    UPDATE ownership o SET ended_at = $3, ended_on = $2, end_kind = 'recycle', reason = due.due_rule
    FROM due WHERE o.tenant_id = $1 AND o.customer_id = due.id AND o.ended_at IS NULL
)"""
_BARE = f"WITH {_FIND} SELECT count(*) FROM due"
_WHOLE = f"""
WITH {_FIND}, published AS (
    INSERT INTO pool_event (tenant_id, id, pool_id, customer_id, kind, former_owner_id, happened_at, happened_on, rule,
        settings_version, explanation)
    SELECT $1, uuidv7(), pool_id, id, 'recycled', owner_id, $3, $2, due_rule, 1, $4::jsonb FROM due
), audited AS (
    INSERT INTO audit_entry (tenant_id, id, at, account_id, client, address, request_id, action, object_type,
        object_id, changes, reason, outcome)
    SELECT $1, uuidv7(), $3, $5, 'job', '', '', 'customer.recycled', 'Customer', id, jsonb_build_object('owner',
        jsonb_build_array(owner_id, NULL), 'rule', jsonb_build_array(NULL, due_rule)), '', 'done' FROM due
), told AS (
    INSERT INTO outbox (tenant_id, id, topic, payload, due_at, created_at)
    SELECT $1, uuidv7(), 'customers.customer_recycled', jsonb_build_object('customer_id', id, 'owner_id', owner_id,
        'rule', due_rule), now(), now() FROM due
)
SELECT count(*) FROM due
"""


@dataclass(frozen=True, slots=True)
class NightSample:
    """A night by one contender: customers taken back, seconds, processor seconds, bytes of memory (0: not looked at).

    Processor time is None where the system does not tell.
    """

    recycled: int
    seconds: float
    own_cpu: float
    postgres_cpu: float | None
    memory_before: int = 0
    memory_peak: int = 0


async def measure_night(urls: DatabaseUrls, owner_url: str, *, is_whole: bool) -> NightSample:
    """Take back what is due, with ledger, trail and events where `is_whole`."""
    database = Database(urls, size=1)
    try:
        async with PostgresProcesses(owner_url) as postgres:
            async with database.transaction(TENANT) as transaction:
                await transaction.fetchval("SELECT 1")  # the connection is there
            before, worked, began = await postgres.cpu(), process_time(), perf_counter()
            recycled = 0
            while found := await _page(database, is_whole=is_whole):
                recycled += found
            took, own = perf_counter() - began, process_time() - worked
            return NightSample(recycled, took, own, spent(before, await postgres.cpu()))
    finally:
        await database.close()


async def _page(database: Database, *, is_whole: bool) -> int:
    more = (_explanation(), _NOBODY) if is_whole else ()
    async with database.transaction(TENANT) as transaction:
        await transaction.plan_by_index()
        sql = _WHOLE if is_whole else _BARE
        found: int = await transaction.fetchval(sql, TENANT, TODAY, CLOCK.now(), *more)
    return found


@cache
def _explanation() -> str:
    """What the ledger keeps of each: as long as the product's."""
    received_on = TODAY - timedelta(days=31)
    reminder = ReminderFacts(RecycleRule.NO_FOLLOW_UP, received_on, 7, is_delivered=True)
    facts = RecycleFacts((OwnershipFacts(_NOBODY, _NOBODY, received_on),), reminders=(reminder,))
    verdict = recycle_verdict(facts, PoolSettings().recycle_rules(), TODAY)
    return json.dumps(verdict.explanation.plain(), ensure_ascii=False)
