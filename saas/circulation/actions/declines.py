"""Findings of declines, a page of customers at a time: opened, kept while they last, closed.

What recycling goes by is told to the customers room: the day from which a decline counts, or that there is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from saas.audit import entry_values, record_many
from saas.circulation.queries import gather_histories
from saas.circulation.rules.declines import Decline, find_declines
from saas.circulation.rules.terms import DeclineMeasure, DeclineTerms
from saas.customers import PoolHolding, PoolSettings, find_named_dealt_customers, note_declines
from saas.kernel import Actor, Clock, local_date, new_id
from saas.sales import find_follow_up_facts
from tenants import current_tenant_id, current_transaction

_OPEN_OF = """
SELECT id, customer_id, measure, received_on, before, counts_from FROM customer_decline
WHERE tenant_id = $1 AND customer_id = ANY ($2) AND state = 'open' ORDER BY customer_id, measure
"""
_LEFT_BEHIND = """
SELECT f.id, f.customer_id,
       EXISTS (SELECT FROM ownership o WHERE o.tenant_id = $1 AND o.customer_id = f.customer_id
           AND o.ended_on >= f.found_on AND o.end_kind = 'recycle' AND o.reason = 'decline') AS by_rule
FROM customer_decline f JOIN customer c ON c.tenant_id = $1 AND c.id = f.customer_id
WHERE f.tenant_id = $1 AND f.state = 'open' AND f.id > $2 AND (c.owner_id IS NULL OR c.pool_id <> f.pool_id
    OR c.received_on IS DISTINCT FROM f.received_on OR NOT f.pool_id = ANY ($3))
    AND ($5::uuid[] IS NULL OR f.id = ANY ($5))
ORDER BY f.id LIMIT $4
"""
"""Findings of holdings that are over, and of pools without a policy: no page of dealt customers comes round to them."""

_INSERT = """
INSERT INTO customer_decline (tenant_id, id, customer_id, pool_id, owner_id, owner_department_id, received_on, measure,
    since_on, found_on, found_at, counts_from, before, after, policy_version, explanation, state)
SELECT $1, f.id, f.customer_id, $2, f.owner_id, f.department_id, f.received_on, f.measure, f.since_on, $3, $4, $5,
    f.before, f.after, $6, f.explanation::jsonb, 'open'
FROM unnest($7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::date[], $12::text[], $13::date[], $14::numeric[],
    $15::numeric[], $16::text[])
    AS f (id, customer_id, owner_id, department_id, received_on, measure, since_on, before, after, explanation)
ON CONFLICT DO NOTHING RETURNING id, customer_id
"""
_CLOSE = """
UPDATE customer_decline f SET state = c.state, closed_on = $4
FROM unnest($2::uuid[], $3::text[]) AS c (id, state) WHERE f.tenant_id = $1 AND f.id = c.id AND f.state = 'open'
RETURNING f.id
"""
_FOLLOW_OWNERS = """
UPDATE customer_decline f SET owner_id = c.owner_id, owner_department_id = c.owner_department_id
FROM customer c WHERE f.tenant_id = $1 AND f.customer_id = ANY ($2) AND f.state = 'open' AND c.tenant_id = $1
    AND c.id = f.customer_id AND (c.owner_id, c.owner_department_id) <> (f.owner_id, f.owner_department_id)
"""
"""A transfer within a team goes on with the holding, so what was found is the new owner's to see."""

_COUNTING = """
SELECT customer_id, min(counts_from) AS counts_from FROM customer_decline
WHERE tenant_id = $1 AND customer_id = ANY ($2) AND state = 'open' AND counts_from <= $3 GROUP BY customer_id
"""
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class DeclinePolicy:
    """What customers of a pool are judged by on a day."""

    pool_id: UUID
    version: int
    terms: DeclineTerms
    settings: PoolSettings


@dataclass(frozen=True, slots=True)
class PageDone:
    """What a page came to."""

    judged: int = 0
    found: int = 0
    closed: int = 0


async def judge_customers(
    actor: Actor,
    policy: DeclinePolicy,
    customer_ids: Sequence[UUID],
    *,
    currency: str,
    time_zone: str,
    clock: Clock,
) -> PageDone:
    """Judge dealt customers of the pool; judging them again on the same day changes nothing."""
    today = local_date(clock.now(), time_zone)
    held = await find_named_dealt_customers(policy.pool_id, customer_ids, today=today)
    page = _Page(actor, policy, held, await _open_of(held), today, time_zone, clock)
    found, closed = await page.judge(currency)
    return PageDone(len(held), found, closed)


async def find_left_behind(*, after: UUID, most: int, pool_ids: Sequence[UUID]) -> list[UUID]:
    """Findings of holdings that are over, and of pools that judge no declines (any more), a page by id."""
    rows = await current_transaction().fetch(_LEFT_BEHIND, current_tenant_id(), after, list(pool_ids), most, None)
    return [row["id"] for row in rows]


async def close_left_behind(
    actor: Actor, decline_ids: Sequence[UUID], *, pool_ids: Sequence[UUID], time_zone: str, clock: Clock
) -> PageDone:
    """Close those of some findings that are left behind still."""
    today, ids = local_date(clock.now(), time_zone), list(decline_ids)
    rows = await current_transaction().fetch(_LEFT_BEHIND, current_tenant_id(), NOBODY, list(pool_ids), len(ids), ids)
    if not rows:
        return PageDone()
    states = {row["id"]: "recycled" if row["by_rule"] else "ended" for row in rows}
    closed = await _close(actor, states, today=today, clock=clock)
    await _note({row["customer_id"] for row in rows}, today=today, time_zone=time_zone)
    return PageDone(closed=closed)


async def _open_of(held: Sequence[PoolHolding]) -> dict[UUID, list[asyncpg.Record]]:
    """The open findings of the present holdings."""
    received = {each.customer_id: each.received_on for each in held}
    rows = await current_transaction().fetch(_OPEN_OF, current_tenant_id(), list(received))
    found: dict[UUID, list[asyncpg.Record]] = {}
    for row in rows:
        if received[row["customer_id"]] == row["received_on"]:
            found.setdefault(row["customer_id"], []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class _Page:
    actor: Actor
    policy: DeclinePolicy
    held: Sequence[PoolHolding]
    open: Mapping[UUID, Sequence[asyncpg.Record]]
    today: date
    time_zone: str
    clock: Clock

    async def judge(self, currency: str) -> tuple[int, int]:
        """How many findings were opened, and closed."""
        declines = await self._declines(currency)
        fresh: list[tuple[PoolHolding, Decline]] = []
        recovered: dict[UUID, str] = {}
        for each in self.held:
            known = {DeclineMeasure(row["measure"]): row["id"] for row in self.open.get(each.customer_id, ())}
            falling = {decline.measure: decline for decline in declines[each.customer_id]}
            fresh += [(each, decline) for measure, decline in falling.items() if measure not in known]
            recovered |= {known[measure]: "recovered" for measure in known if measure not in falling}
        opened = await self._insert(fresh) if fresh else []
        closed = await _close(self.actor, recovered, today=self.today, clock=self.clock) if recovered else 0
        await current_transaction().execute(_FOLLOW_OWNERS, current_tenant_id(), list(self.open))
        touched = {*self.open, *(row["customer_id"] for row in opened)}
        if touched:
            await _note(touched, today=self.today, time_zone=self.time_zone)
        return len(opened), closed

    async def _declines(self, currency: str) -> dict[UUID, tuple[Decline, ...]]:
        policy = self.policy
        histories = await gather_histories(
            self.held, policy.terms, policy.settings, today=self.today, time_zone=self.time_zone
        )
        return {
            each.customer_id: find_declines(
                each,
                policy.terms,
                today=self.today,
                currency=currency,
                known={DeclineMeasure(row["measure"]): row["before"] for row in self.open.get(each.customer_id, ())},
            )
            for each in histories
        }

    async def _insert(self, fresh: Sequence[tuple[PoolHolding, Decline]]) -> list[asyncpg.Record]:
        """The findings that were new: of two runs at once one opens each."""
        columns = map(list, zip(*(_row(held, decline) for held, decline in fresh), strict=True))
        opened = await current_transaction().fetch(
            _INSERT,
            current_tenant_id(),
            self.policy.pool_id,
            self.today,
            self.clock.now(),
            self.today + timedelta(days=self.policy.terms.notice_days),
            self.policy.version,
            *columns,
        )
        await _record(self.actor, "customer_decline.found", (row["id"] for row in opened), self.clock)
        return opened


def _row(held: PoolHolding, decline: Decline) -> tuple[object, ...]:
    return (
        new_id(),
        held.customer_id,
        held.owner_id,
        held.department_id,
        held.received_on,
        decline.measure.value,
        decline.since_on,
        decline.before,
        decline.after,
        json.dumps(decline.explanation.plain(), ensure_ascii=False),
    )


async def _close(actor: Actor, states: Mapping[UUID, str], *, today: date, clock: Clock) -> int:
    closed = await current_transaction().fetch(_CLOSE, current_tenant_id(), list(states), list(states.values()), today)
    await _record(actor, "customer_decline.closed", (row["id"] for row in closed), clock)
    return len(closed)


async def _record(actor: Actor, action: str, decline_ids: Iterable[UUID], clock: Clock) -> None:
    entries = [
        entry_values(actor, action, object_type="CustomerDecline", object_id=each, clock=clock) for each in decline_ids
    ]
    if entries:
        await record_many(entries)


async def _note(customer_ids: Iterable[UUID], *, today: date, time_zone: str) -> None:
    """Tell recycling since when each customer's decline counts; None where none does, or not yet."""
    ids = sorted(set(customer_ids))
    rows = await current_transaction().fetch(_COUNTING, current_tenant_id(), ids, today)
    counting = {row["customer_id"]: row["counts_from"] for row in rows}
    await note_declines(
        {each: counting.get(each) for each in ids}, follow_ups=find_follow_up_facts, time_zone=time_zone, today=today
    )
