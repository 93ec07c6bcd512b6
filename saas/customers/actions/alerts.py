"""Alerts of what a pool could not allocate by itself: once per reason and day, with an allocation that says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from uuid import UUID

from saas.customers.actions.plans import note_refused
from saas.customers.actions.problems import problems_text
from saas.customers.actions.wishes import AllocationWish
from saas.customers.errors import ArrivalsUnplaced
from saas.customers.events import ARRIVALS_STUCK
from saas.customers.queries import Pool
from saas.events import emit
from saas.kernel import Actor, AppError, AppErrors, Clock, Scalar, new_id
from tenants import current_tenant_id, current_transaction

_Values = Mapping[str, Scalar]
_UNPLACED: Mapping[str, Callable[[_Values], ArrivalsUnplaced]] = MappingProxyType(
    {
        "no_candidate": lambda values: ArrivalsUnplaced("customers.arrivals_no_candidate", values),
        "all_full": lambda values: ArrivalsUnplaced("customers.arrivals_all_full", values),
        "none_may": lambda values: ArrivalsUnplaced("customers.arrivals_none_may", values),
    }
)
_IS_TOLD = "SELECT true FROM pool_alert WHERE tenant_id = $1 AND pool_id = $2 AND reason = $3 AND alerted_on = $4"
_INSERT = """
INSERT INTO pool_alert (tenant_id, id, pool_id, reason, allocation_id, customers, alerted_on, alerted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, pool_id, reason, alerted_on) DO NOTHING RETURNING true
"""
_KEPT = """
SELECT nobody, count(*) AS customers FROM allocation_pick
WHERE tenant_id = $1 AND allocation_id = $2 AND state = 'kept' AND nobody IS NOT NULL GROUP BY nobody ORDER BY nobody
"""
_PROBLEMS = "UPDATE pool_allocation SET problems = $3::jsonb WHERE tenant_id = $1 AND id = $2"


@dataclass(frozen=True, slots=True)
class Alert:
    """Why something that was to be allocated stays in the pool: the kind of reason, and what the refusal says."""

    reason: str
    wish: AllocationWish
    refusal: AppError | AppErrors


async def alert(actor: Actor, found: Alert, *, today: date, clock: Clock) -> None:
    """Tell of an allocation that could not be planned, once per reason and day; it is kept, with its problems."""
    pool_id = found.wish.pool_id
    if await current_transaction().fetchval(_IS_TOLD, current_tenant_id(), pool_id, found.reason, today):
        return
    allocation_id = await note_refused(actor, found.wish, found.refusal, clock=clock)
    await alert_of_unplaced(found, allocation_id, today=today, clock=clock)


async def alert_of_unplaced(found: Alert, allocation_id: UUID, *, today: date, clock: Clock) -> None:
    """Tell of an allocation that left something in the pool, once per reason and day."""
    alert_id, customers = new_id(), found.wish.size
    if isinstance(found.refusal, ArrivalsUnplaced):
        customers = int(str(found.refusal.values["customers"]))
    values = (alert_id, found.wish.pool_id, found.reason, allocation_id, customers, today, clock.now())
    if await current_transaction().fetchval(_INSERT, current_tenant_id(), *values):
        await emit(ARRIVALS_STUCK, {"alert_id": str(alert_id)})


async def note_unplaced(pool: Pool, allocation_id: UUID) -> dict[str, ArrivalsUnplaced]:
    """Why customers of a committed allocation stay in the pool, by reason; kept with it as its problems."""
    rows = await current_transaction().fetch(_KEPT, current_tenant_id(), allocation_id)
    found = {
        row["nobody"]: _UNPLACED[row["nobody"]]({"pool": pool.name, "customers": row["customers"]}) for row in rows
    }
    if found:
        problems = problems_text(AppErrors(list(found.values())))
        await current_transaction().execute(_PROBLEMS, current_tenant_id(), allocation_id, problems)
    return found
