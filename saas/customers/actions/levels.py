"""A customer's level (客户级别) changes: by right, on the trail, and with more days to hold it once at most (L13)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from saas.access import AccessTable
from saas.audit import record
from saas.customers.actions.due_dates import Activity, ActivitySource, Asked, OwnedCustomer, find_owned, settle_due
from saas.customers.actions.reasons import checked_reason
from saas.customers.queries import get_visible_customer
from saas.customers.recycling import CountedLevel, counted_level
from saas.kernel import Actor, Clock, local_date
from saas.people import clean_optional
from tenants import current_tenant_id, current_transaction

LEVEL_PERMISSION = "customer:level"
LEVEL_MAX = 20

_LOCK = "SELECT level FROM customer WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE"
_LEVELS = "SELECT id, level FROM customer WHERE tenant_id = $1 AND id = ANY ($2)"
_CHANGE = "UPDATE customer SET level = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2"
_COUNT = """
UPDATE customer c SET counted_level = d.level, level_raised_at = d.raised_at, settings_version = NULL
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[]) AS d (id, level, raised_at)
WHERE c.tenant_id = $1 AND c.id = d.id
"""
"""Without the version they were reckoned by they are reckoned anew: at once, or by the next run."""


async def change_level(
    actor: Actor,
    *,
    customer_id: UUID,
    level: str | None,
    reason: str,
    access: AccessTable,
    activity: ActivitySource,
    time_zone: str,
    clock: Clock,
) -> UUID:
    """Give a customer another level, or none (permission ``customer:level``). It moves no clock.

    More days to hold it, by the pool's days by level, count once in a holding (L13).

    :raises BadUserInput: no reason is given, or too long a one; a level of more than 20 characters.
    :raises CustomerNotFound: missing, another company's, or not visible.
    """
    now, reason = clock.now(), checked_reason(reason)
    after = clean_optional(level, field="level", longest=LEVEL_MAX)
    await get_visible_customer(actor, access, customer_id=customer_id)
    before = await current_transaction().fetchval(_LOCK, current_tenant_id(), customer_id)
    if before == after:
        return customer_id
    await current_transaction().execute(_CHANGE, current_tenant_id(), customer_id, after)
    await count_levels({customer_id: before}, time_zone=time_zone, now=now)
    await settle_due([customer_id], activity=activity, time_zone=time_zone, today=local_date(now, time_zone))
    await record(
        actor,
        "customer.level_changed",
        object_type="Customer",
        object_id=customer_id,
        changes={"level": [before, after]},
        reason=reason,
        clock=clock,
    )
    return customer_id


async def count_levels(before: Mapping[UUID, str | None], *, time_zone: str, now: datetime) -> None:
    """Note by which level recycling counts for owned customers that have just been given another; `before` holds what
    theirs was. Their due dates are reckoned anew by `settle_due`, or by the next run.
    """
    owned = await find_owned(before, activity=_nothing, time_zone=time_zone, is_locking=True)
    counted = [(each.customer_id, _counted(each, before[each.customer_id], now)) for each in owned]
    if counted:
        columns = zip(*((key, each.level, each.raised_at) for key, each in counted), strict=True)
        await current_transaction().execute(_COUNT, current_tenant_id(), *map(list, columns))


def _counted(customer: OwnedCustomer, before: str | None, now: datetime) -> CountedLevel:
    stored = customer.stored_level
    counts = stored.raised_at is not None and stored.raised_at >= customer.held_since
    return counted_level(
        stored if counts else CountedLevel(before),
        customer.level,
        customer.rules,
        held_since=customer.held_since,
        now=now,
    )


async def find_levels(customer_ids: Collection[UUID]) -> dict[UUID, str | None]:
    """The levels of customers as they stand now."""
    rows = await current_transaction().fetch(_LEVELS, current_tenant_id(), list(customer_ids))
    return {row["id"]: row["level"] for row in rows}


async def _nothing(asked: Mapping[UUID, Asked]) -> Mapping[UUID, Activity]:
    """Levels have nothing to do with what was done: no statement is spent on it."""
    return {}


async def count_imported_levels(
    changed: Sequence[tuple[UUID, str | None, str | None]], *, time_zone: str, now: datetime
) -> None:
    """As `count_levels`, of customers (id, level before, level after) of a list, where the level is another."""
    before = {customer_id: was for customer_id, was, after in changed if was != after}
    if before:
        await count_levels(before, time_zone=time_zone, now=now)
