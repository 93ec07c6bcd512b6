"""Due dates of owned customers: reckoned by the one verdict from all that is known, and stored for lists.

What moves a due date calls `settle_due` in its own transaction: a follow-up, a deal, a change of owner. When a pool's
settings change, the job comes round to all its customers, a page at a time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import asyncpg

from saas.customers.queries import POOL_SETTINGS, lock_customers
from saas.customers.recycling import (
    CountedLevel,
    FollowUpFacts,
    OpportunityFacts,
    OwnershipFacts,
    ProtectionFacts,
    RecycleFacts,
    RecycleRule,
    RecycleRules,
    ReminderFacts,
    Verdict,
    effective_follow_up,
    holding,
    recycle_verdict,
    rules_for,
)
from saas.customers.settings import PoolSettings, settings_in_force
from saas.kernel import local_date
from tenants import current_tenant_id, current_transaction


class Asked(NamedTuple):
    """From when on a customer's follow-ups are asked for, and whether its open opportunities are."""

    since: datetime
    asks_opportunities: bool


class Activity(NamedTuple):
    """What was done with a customer, in the order of entry, and what is open; of what was entered since the instant."""

    follow_ups: Sequence[FollowUpFacts] = ()
    opportunities: Sequence[OpportunityFacts] = ()


ActivitySource = Callable[[Mapping[UUID, Asked]], Awaitable[Mapping[UUID, Activity]]]
"""What goes on with customers: the sales room knows (`find_activity`). Customers with nothing may be missing."""

_OWNED = f"""
SELECT c.id, c.pool_id, c.owner_id, c.owner_department_id, c.level, c.created_at, c.last_deal_on,
       c.contract_ends_on, c.declined_on, c.counted_level, c.level_raised_at,
       p.name AS pool_name, {POOL_SETTINGS}
FROM customer c JOIN customer_pool p ON p.tenant_id = c.tenant_id AND p.id = c.pool_id
WHERE c.tenant_id = $1 AND c.id = ANY ($2) AND c.owner_id IS NOT NULL ORDER BY c.id
"""
_OWNERSHIPS = """
SELECT id, customer_id, owner_id, owner_department_id, started_at, started_on, ended_on, start_kind,
       end_kind FROM ownership
WHERE tenant_id = $1 AND customer_id = ANY ($2) ORDER BY customer_id, started_at, id
"""
_NOTICES = """
SELECT ownership_id, kind, rule, start_on, days, noticed_on, delivered_at IS NOT NULL AS is_delivered FROM pool_notice
WHERE tenant_id = $1 AND customer_id = ANY ($2) ORDER BY noticed_at, id
"""
_MARKS = """
SELECT ownership_id, kind, state, requested_on, until_on, ended_on FROM holding_mark
WHERE tenant_id = $1 AND customer_id = ANY ($2)
    AND (state = 'in_force' OR (state = 'ended' AND kind = 'protection'))
"""
_SETTLE = """
UPDATE customer c SET due_on = d.due_on, due_rule = d.due_rule, settings_version = d.settings_version,
    earlier_version = d.earlier_version, effective_follow_up_on = d.effective_on, received_on = d.received_on
FROM unnest($2::uuid[], $3::date[], $4::text[], $5::int[], $6::int[], $7::date[], $8::date[])
    AS d (id, due_on, due_rule, settings_version, earlier_version, effective_on, received_on)
WHERE c.tenant_id = $1 AND c.id = d.id AND (c.due_on, c.due_rule, c.settings_version, c.earlier_version,
    c.effective_follow_up_on, c.received_on) IS DISTINCT FROM (d.due_on, d.due_rule, d.settings_version,
    d.earlier_version, d.effective_on, d.received_on)
"""
_NOTE_DEALS = """
UPDATE customer c SET last_deal_on = d.signed_on, contract_ends_on = d.ends_on
FROM unnest($2::uuid[], $3::date[], $4::date[]) AS d (id, signed_on, ends_on)
WHERE c.tenant_id = $1 AND c.id = d.id
  AND (c.last_deal_on, c.contract_ends_on) IS DISTINCT FROM (d.signed_on, d.ends_on)
"""
_NOTE_DECLINES = """
UPDATE customer c SET declined_on = d.declined_on FROM unnest($2::uuid[], $3::date[]) AS d (id, declined_on)
WHERE c.tenant_id = $1 AND c.id = d.id AND c.declined_on IS DISTINCT FROM d.declined_on
"""


@dataclass(frozen=True, slots=True)
class OwnedCustomer:
    """An owned customer with all that decides when it goes back.

    `settings` and `settings_version` are what is in force in its pool. `level` is its own; `stored_level` the one that
    recycling counts by, where it was raised since `held_since`, the beginning of the holding (L13).
    """

    customer_id: UUID
    pool_id: UUID
    pool_name: str
    owner_id: UUID
    owner_department_id: UUID
    ownership_id: UUID
    settings: PoolSettings
    settings_version: int
    level: str | None
    stored_level: CountedLevel
    held_since: datetime
    facts: RecycleFacts

    @property
    def rules(self) -> RecycleRules:
        """The rules of recycling that reach it (P27): those in force, or of an earlier version."""
        return rules_for(self.facts, self.settings.recycle_rules()).rules

    @property
    def earlier_version(self) -> int | None:
        """The version of the settings that these are of, where it is not the one in force."""
        left = rules_for(self.facts, self.settings.recycle_rules()).left
        return None if left is None else left.version

    @property
    def rules_version(self) -> int:
        """The version of the settings whose rules of recycling it goes by."""
        return self.earlier_version or self.settings_version

    def verdict(self, today: date) -> Verdict:
        """Whether it goes today, and if not, when."""
        return recycle_verdict(self.facts, self.settings.recycle_rules(), today)

    def stored(self, today: date) -> tuple[object, ...]:
        """What the customer's row holds of it."""
        verdict, rules = self.verdict(today), self.rules
        effective = effective_follow_up(self.facts, rules, today=today)
        return (
            self.customer_id,
            verdict.due_on,
            None if verdict.clock is None else verdict.clock.rule.value,
            self.settings_version,
            self.earlier_version,
            None if effective is None else effective.on,
            holding(self.facts, rules)[0].began_on,
        )


async def settle_due(customer_ids: Collection[UUID], *, activity: ActivitySource, time_zone: str, today: date) -> int:
    """Reckon the due dates of customers anew, where they are owned, and store them; of how many.

    The customers are locked first, so that what is stored fits what has committed.
    """
    owned = await find_owned(customer_ids, activity=activity, time_zone=time_zone, is_locking=True)
    await store_due(owned, today=today)
    return len(owned)


async def store_due(owned: Sequence[OwnedCustomer], *, today: date) -> None:
    """Store the due dates of customers that the transaction has locked, in one statement."""
    if owned:
        columns = map(list, zip(*(each.stored(today) for each in owned), strict=True))
        await current_transaction().execute(_SETTLE, current_tenant_id(), *columns)


async def find_owned(
    customer_ids: Collection[UUID], *, activity: ActivitySource, time_zone: str, is_locking: bool = False
) -> list[OwnedCustomer]:
    """Those of the customers that are owned, with their facts; locked in the order of their ids.

    Five statements for any number of them, and a sixth where open opportunities decide.

    One without an open ownership is left out: there is nothing to reckon from.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    locking = " FOR NO KEY UPDATE OF c" if is_locking else ""
    rows = await transaction.fetch(_OWNED + locking, tenant_id, sorted(set(customer_ids)))
    ids = [row["id"] for row in rows]
    if not ids:
        return []
    histories = _grouped(await transaction.fetch(_OWNERSHIPS, tenant_id, ids), "customer_id")
    notices = _grouped(await transaction.fetch(_NOTICES, tenant_id, ids), "ownership_id")
    marks = _grouped(await transaction.fetch(_MARKS, tenant_id, ids), "ownership_id")
    found = [
        _owned(row, histories[row["id"]], notices, marks, time_zone)
        for row in rows
        if row["id"] in histories and histories[row["id"]][-1]["ended_on"] is None
    ]
    return await _with_activity(found, histories, activity)


def _grouped(rows: Iterable[asyncpg.Record], key: str) -> dict[UUID, list[asyncpg.Record]]:
    groups: dict[UUID, list[asyncpg.Record]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return groups


def _owned(
    row: asyncpg.Record,
    history: Sequence[asyncpg.Record],
    notices: Mapping[UUID, Sequence[asyncpg.Record]],
    marks: Mapping[UUID, Sequence[asyncpg.Record]],
    time_zone: str,
) -> OwnedCustomer:
    """Notices and marks count for the ownership they were given in: a new owner is warned anew, and has no lock; but
    the day on which a protection brings the customer back is the holding's (P16).
    """
    ownership_id: UUID = history[-1]["id"]
    given = notices.get(ownership_id, ())
    facts = RecycleFacts(
        ownerships=tuple(_ownership(each, marks.get(each["id"], ())) for each in history),
        created_on=local_date(row["created_at"], time_zone),
        last_deal_on=row["last_deal_on"],
        contract_ended_on=row["contract_ends_on"],
        declined_on=row["declined_on"],
        locked_until=_until(marks.get(ownership_id, ()), "lock"),
        protected_until=_until(marks.get(ownership_id, ()), "protection"),
        extended_until=_until(marks.get(ownership_id, ()), "extension"),
        reminders=tuple(_reminder(each) for each in given if each["kind"] == "reminder"),
        postponed_on=tuple(each["noticed_on"] for each in given if each["kind"] == "postponed"),
    )
    return OwnedCustomer(
        customer_id=row["id"],
        pool_id=row["pool_id"],
        pool_name=row["pool_name"],
        owner_id=row["owner_id"],
        owner_department_id=row["owner_department_id"],
        ownership_id=ownership_id,
        settings=settings_in_force(row),
        settings_version=row["settings_version"],
        level=row["level"],
        stored_level=CountedLevel(row["counted_level"], row["level_raised_at"]),
        held_since=history[-1]["started_at"],
        facts=facts,
    )


def _until(marks: Sequence[asyncpg.Record], kind: str) -> date | None:
    """The last day of the marks of a kind that are in force."""
    days = (each["until_on"] for each in marks if each["kind"] == kind and each["state"] == "in_force")
    return max(days, default=None)


def _ownership(row: asyncpg.Record, marks: Sequence[asyncpg.Record]) -> OwnershipFacts:
    return OwnershipFacts(
        owner_id=row["owner_id"],
        team_id=row["owner_department_id"],
        began_on=row["started_on"],
        ended_on=row["ended_on"],
        ended_by_transfer=row["end_kind"] == "transfer",
        start_kind=row["start_kind"],
        began_at=row["started_at"],
        protections=tuple(
            ProtectionFacts(each["requested_on"], each["until_on"], each["ended_on"])
            for each in marks
            if each["kind"] == "protection"
        ),
    )


def _reminder(row: asyncpg.Record) -> ReminderFacts:
    return ReminderFacts(RecycleRule(row["rule"]), row["start_on"], row["days"], row["is_delivered"])


async def _with_activity(
    owned: Sequence[OwnedCustomer], histories: Mapping[UUID, Sequence[asyncpg.Record]], source: ActivitySource
) -> list[OwnedCustomer]:
    """What was done before the holding never counts, though it was on the same day, so it is not asked for."""
    asked: dict[UUID, Asked] = {}
    since: dict[UUID, datetime] = {}
    for each in owned:
        rules = each.rules
        began: datetime = histories[each.customer_id][-len(holding(each.facts, rules))]["started_at"]
        since[each.customer_id] = began
        asked[each.customer_id] = Asked(began, rules.asks_opportunities(each.facts.level))
    done = await source(asked) if asked else {}
    return [_active(each, since[each.customer_id], done.get(each.customer_id, Activity())) for each in owned]


def _active(customer: OwnedCustomer, held_since: datetime, activity: Activity) -> OwnedCustomer:
    """A customer with what goes on, and the level that counts in this holding."""
    raised_at = customer.stored_level.raised_at
    is_raised = raised_at is not None and raised_at >= held_since
    facts = replace(
        customer.facts,
        level=customer.stored_level.level if is_raised else customer.level,
        follow_ups=tuple(activity.follow_ups),
        opportunities=tuple(activity.opportunities),
    )
    return replace(customer, held_since=held_since, facts=facts)


async def note_last_deals(
    days: Mapping[UUID, date | None], *, contract_ends: Mapping[UUID, date | None] = MappingProxyType({})
) -> None:
    """Keep the day of customers' last deals that stand, and the last day of their last contracts, None where there is
    none (P20, P23, P52); `settle_due` follows.
    """
    await current_transaction().execute(
        _NOTE_DEALS,
        current_tenant_id(),
        list(days),
        list(days.values()),
        [contract_ends.get(each) for each in days],
    )


async def note_declines(
    declines: Mapping[UUID, date | None], *, activity: ActivitySource, time_zone: str, today: date
) -> int:
    """Keep since when customers' performance is falling, None where it is not, and settle when they go; of how many.

    The trail of it is the caller's: who judges performance records what was judged.
    """
    await lock_customers(declines)
    await current_transaction().execute(_NOTE_DECLINES, current_tenant_id(), list(declines), list(declines.values()))
    return await settle_due(declines, activity=activity, time_zone=time_zone, today=today)
