"""How many claims were refused, by pool, day and rule: counted in the process, and written a few times a minute.

A refused claim rolls back and costs nothing; so it is not written in its own transaction, nor in another one beside it:
it is added up here, and a second later all that came meanwhile is written by one statement for each company. A process
that is killed loses what it has not written, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import asyncpg

from saas.customers.errors import (
    ApprovalNeeded,
    BacklogFull,
    ClaimLimitReached,
    ClaimTooSoon,
    CooldownRunning,
    CustomerAlreadyOwned,
    FairWindowRuns,
    HoldingLimitReached,
    NotAPoolMember,
    PoolBeingAllocated,
    PoolDisabled,
    WayClosed,
)
from saas.kernel import AppError, Period, RuleRefused
from tenants import Database, current_tenant_id, current_transaction

EVERY_SECONDS = 1.0
PLACES_MAX = 10_000
"""Customers and rules that are told apart between two writings; what is beyond them is not counted."""

_RULES: Mapping[type[AppError], str] = MappingProxyType(
    {
        PoolDisabled: "disabled",
        NotAPoolMember: "not_a_member",
        WayClosed: "claims_closed",
        CustomerAlreadyOwned: "taken",
        PoolBeingAllocated: "being_allocated",
        ApprovalNeeded: "approval",
        FairWindowRuns: "fair_window",
        CooldownRunning: "cooldown",
        ClaimLimitReached: "claim_limit",
        ClaimTooSoon: "interval",
        BacklogFull: "backlog",
        HoldingLimitReached: "holding_limit",
        RuleRefused: "plugin",
    }
)
RULES = frozenset({*_RULES.values(), "department_limit"})

_WRITE = """
INSERT INTO claim_refusal_count AS n (tenant_id, pool_id, counted_on, rule, refusals)
SELECT $1, c.pool_id, i.counted_on, i.rule, sum(i.refusals)
FROM unnest($2::uuid[], $3::date[], $4::text[], $5::int[]) AS i (customer_id, counted_on, rule, refusals)
JOIN customer c ON c.tenant_id = $1 AND c.id = i.customer_id
GROUP BY c.pool_id, i.counted_on, i.rule ORDER BY c.pool_id, i.counted_on, i.rule
ON CONFLICT (tenant_id, pool_id, counted_on, rule) DO UPDATE SET refusals = n.refusals + excluded.refusals
"""
_READ = """
SELECT rule, sum(refusals) AS refusals FROM claim_refusal_count
WHERE tenant_id = $1 AND pool_id = $2 AND counted_on >= $3 AND counted_on < $4 GROUP BY rule ORDER BY rule
"""


class _Place(NamedTuple):
    """Where a refusal is counted, until the customer's pool is looked up."""

    customer_id: UUID
    counted_on: date
    rule: str


def refusal_rule(refusal: AppError) -> str | None:
    """The rule that a claim was refused by; None where it was no rule of the pool, as with what is not there."""
    if refusal.key == "customers.department_limit_reached":
        return "department_limit"
    return _RULES.get(type(refusal))


class RefusalTally:
    """The refusals of a process that are not written yet; no person is in it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: dict[UUID, Counter[_Place]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    def note(self, refusal: AppError, *, tenant_id: UUID, customer_id: UUID, today: date) -> None:
        """Count a refused claim; refusals that are no rule's are left out."""
        rule = refusal_rule(refusal)
        if rule is None or sum(map(len, self._counts.values())) >= PLACES_MAX:
            return
        self._counts.setdefault(tenant_id, Counter())[_Place(customer_id, today, rule)] += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._writing = asyncio.create_task(self.write())

    async def write(self) -> None:
        """Write what was counted; what can't be written, since the database is away, is counted on."""
        async with self._lock:
            counts, self._counts = self._counts, {}
            for tenant_id, places in counts.items():
                try:
                    async with self._database.transaction(tenant_id):
                        await _write(places)
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    self._counts.setdefault(tenant_id, Counter()).update(places)

    async def close(self) -> None:
        """Write the rest now, instead of soon."""
        if self._timer is not None:
            self._timer.cancel()
        await self.write()


async def _write(places: Counter[_Place]) -> None:
    rows = [(*place, refusals) for place, refusals in places.items()]
    await current_transaction().execute(_WRITE, current_tenant_id(), *map(list, zip(*rows, strict=True)))


async def count_refusals(pool_id: UUID, period: Period) -> dict[str, int]:
    """How many claims of the pool's customers each rule refused on the days of a period."""
    days = (period.first, period.until)
    rows = await current_transaction().fetch(_READ, current_tenant_id(), pool_id, *days)
    return {row["rule"]: row["refusals"] for row in rows}
