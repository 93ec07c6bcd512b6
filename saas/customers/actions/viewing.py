"""How many customers of a pool a person opens in a day (P52, L02): counted at once, and each in the trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from saas.audit import entry_values, record_many
from saas.customers.errors import PoolViewsUsedUp
from saas.customers.settings import OPTIONS
from saas.kernel import Actor, Clock
from tenants import current_tenant_id, current_transaction

_COUNT = f"""
WITH seen AS (
    SELECT p.id AS pool_id, p.name, count(*)::int AS views,
        CASE WHEN p.settings ? 'views_per_day' THEN (p.settings ->> 'views_per_day')::int
             ELSE {OPTIONS["views_per_day"].default} END AS most
    FROM customer c JOIN customer_pool p ON p.tenant_id = $1 AND p.id = c.pool_id
    WHERE c.tenant_id = $1 AND c.id = ANY ($2) GROUP BY p.tenant_id, p.id
), counted AS (
    INSERT INTO pool_view_count AS n (tenant_id, pool_id, account_id, counted_on, views, most)
    SELECT $1, pool_id, $3, $4, views, most FROM seen WHERE most IS NULL OR views <= most
    ON CONFLICT (tenant_id, pool_id, account_id, counted_on)
    DO UPDATE SET views = n.views + excluded.views, most = excluded.most
    WHERE excluded.most IS NULL OR n.views + excluded.views <= excluded.most
    RETURNING n.pool_id
)
SELECT s.name, s.most FROM seen s WHERE s.pool_id NOT IN (SELECT pool_id FROM counted) ORDER BY s.name
"""
"""One statement: of any number at once not one more gets through than the limit."""


async def count_pool_views(actor: Actor, *, customer_ids: Sequence[UUID], today: date, clock: Clock) -> None:
    """Count and record that the caller opened these customers, all of them or none.

    :raises PoolViewsUsedUp: they are more than their pool allows on a day.
    """
    if not customer_ids:
        return
    values = (list(customer_ids), actor.account_id, today)
    refused = await current_transaction().fetchrow(_COUNT, current_tenant_id(), *values)
    if refused is not None:
        lifts_on = (today + timedelta(days=1)).isoformat()
        told = {"pool": refused["name"], "limit": refused["most"], "lifts_on": lifts_on}
        raise PoolViewsUsedUp("customers.pool_views_used_up", told)
    await record_many(
        [
            entry_values(actor, "customer.viewed", object_type="Customer", object_id=each, clock=clock)
            for each in customer_ids
        ]
    )
