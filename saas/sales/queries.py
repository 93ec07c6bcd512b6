"""Scoped reads of the sales room, for actions; lists and details go through the compiled reader."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

import asyncpg

from saas.access import AccessTable, scope_predicate
from saas.customers import Activity, Asked, OpportunityFacts
from saas.kernel import Actor, Period
from saas.sales.errors import DealNotFound, OpportunityNotFound
from saas.sales.history_queries import find_touches
from saas.sales.policies import DEAL_SCOPES, OPPORTUNITY_SCOPES
from saas.sales.rules.collections import CleanCollection, StoredCollection
from saas.sales.rules.credits import CreditPart
from saas.sales.rules.deals import DealValues, StoredDeal
from saas.sales.rules.opportunities import OpportunityValues, Stage, StoredOpportunity
from saas.sales.rules.targets import CleanTarget, StoredTarget
from tenants import current_tenant_id, current_transaction

_STAGES = "SELECT id, key, kind FROM opportunity_stage WHERE tenant_id = $1 ORDER BY position, id"
_DEAL = """
SELECT d.id, d.customer_id, d.opportunity_id, d.number, d.product, d.category, d.channel, d.signed_on, d.amount_minor,
       d.vat_rate, d.owner_id, d.external_system, d.external_key, d.contract_ends_on, d.collected_minor, d.cancelled_on,
       d.version,
       (SELECT array_agg(c.employee_id ORDER BY c.position) FROM performance_credit c
         WHERE c.tenant_id = $1 AND c.deal_id = d.id) AS people,
       (SELECT array_agg(c.share ORDER BY c.position) FROM performance_credit c
         WHERE c.tenant_id = $1 AND c.deal_id = d.id) AS shares
FROM deal d
"""
_DEALS_BY_ID = f"{_DEAL} WHERE d.tenant_id = $1 AND d.id = ANY ($2)"
_DEALS_BY_KEYS = f"""
{_DEAL} WHERE d.tenant_id = $1 AND d.id IN (
    SELECT k.id FROM deal k WHERE k.tenant_id = $1 AND k.number = ANY ($2)
    UNION SELECT k.id FROM deal k JOIN unnest($3::text[], $4::text[]) AS asked (system, key)
        ON k.external_system = asked.system AND k.external_key = asked.key WHERE k.tenant_id = $1
)
"""
_FIRST_DAYS = """
SELECT customer_id, min(signed_on) AS first_on FROM deal
WHERE tenant_id = $1 AND customer_id = ANY ($2) AND status = 'signed' GROUP BY customer_id
"""


async def find_stages() -> dict[str, Stage]:
    """The company's stages by key, in their order."""
    rows = await current_transaction().fetch(_STAGES, current_tenant_id())
    return {row["key"]: Stage(row["id"], row["key"], row["kind"]) for row in rows}


@dataclass(frozen=True, slots=True)
class NamedStage:
    """A stage with its titles, as sheets call it."""

    id: UUID
    key: str
    title_zh: str
    title_en: str
    kind: str

    @property
    def plain(self) -> Stage:
        """The stage as rules know it."""
        return Stage(self.id, self.key, self.kind)

    def is_called(self, word: str) -> bool:
        """Whether the word is its key or a title, whatever its case."""
        return word.casefold() in {self.key.casefold(), self.title_zh.casefold(), self.title_en.casefold()}


async def find_named_stages() -> list[NamedStage]:
    """The company's stages with their titles, in their order."""
    rows = await current_transaction().fetch(
        "SELECT id, key, title_zh, title_en, kind FROM opportunity_stage WHERE tenant_id = $1 ORDER BY position, id",
        current_tenant_id(),
    )
    return [NamedStage(**dict(row)) for row in rows]


async def find_visible_deals(actor: Actor, access: AccessTable, deal_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The customer of each deal that the caller may see, by the deal's id."""
    rows = await current_transaction().fetch(
        _visible_deals_sql(access.visible("Deal")), current_tenant_id(), actor.employee_id, list(set(deal_ids))
    )
    return {row["id"]: row["customer_id"] for row in rows}


@lru_cache(maxsize=64)
def _visible_deals_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(DEAL_SCOPES, scopes, alias="d", tenant="$1", employee="me.id")
    return f"""
        SELECT d.id, d.customer_id FROM deal d CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE d.tenant_id = $1 AND d.id = ANY ($3) AND {visible}
    """


async def get_deals(deal_ids: Collection[UUID]) -> dict[UUID, StoredDeal]:
    """Deals by id as they stand now; whoever writes them holds their customers' locks."""
    rows = await current_transaction().fetch(_DEALS_BY_ID, current_tenant_id(), list(deal_ids))
    return {row["id"]: _stored_deal(row) for row in rows}


async def find_deals_by_keys(
    numbers: Sequence[str], external: Sequence[tuple[str | None, str | None]]
) -> list[StoredDeal]:
    """The deals that have one of the numbers, or one of the (system, key) pairs."""
    rows = await current_transaction().fetch(
        _DEALS_BY_KEYS,
        current_tenant_id(),
        list(numbers),
        [system for system, _ in external],
        [key for _, key in external],
    )
    return [_stored_deal(row) for row in rows]


def _stored_deal(row: asyncpg.Record) -> StoredDeal:
    names = DealValues.__slots__
    return StoredDeal(
        id=row["id"],
        values=DealValues(**{name: row[name] for name in names}),
        collected_minor=row["collected_minor"],
        cancelled_on=row["cancelled_on"],
        version=row["version"],
        credits=tuple(map(CreditPart, row["people"] or (), row["shares"] or ())),
    )


async def find_first_days(customer_ids: Collection[UUID]) -> dict[UUID, date]:
    """The first day on which each customer signed a deal that stands."""
    rows = await current_transaction().fetch(_FIRST_DAYS, current_tenant_id(), list(customer_ids))
    return {row["customer_id"]: row["first_on"] for row in rows}


async def find_deal_by_external_key(system: str, key: str) -> UUID:
    """The deal that has this key in another system; whether the caller may see it is the action's to check.

    :raises DealNotFound: none has.
    """
    found: UUID | None = await current_transaction().fetchval(
        "SELECT id FROM deal WHERE tenant_id = $1 AND external_system = $2 AND external_key = $3",
        current_tenant_id(),
        system,
        key,
    )
    if found is None:
        raise DealNotFound("sales.deal_not_found", field=("deal", "external"))
    return found


_OPPORTUNITY = """
SELECT p.id, p.customer_id, p.owner_id, p.stage_id, p.product, p.engaged_on, p.closed_on, p.expected_minor,
       p.external_system, p.external_key, p.version, p.reached, p.advanced_on FROM opportunity p
"""
_OPPORTUNITIES_BY_KEYS = f"""
{_OPPORTUNITY} JOIN unnest($2::text[], $3::text[]) AS asked (system, key)
    ON p.external_system = asked.system AND p.external_key = asked.key WHERE p.tenant_id = $1
"""


async def find_visible_opportunities(
    actor: Actor, access: AccessTable, opportunity_ids: Collection[UUID]
) -> dict[UUID, UUID | None]:
    """The customer, None while unknown, of each of the opportunities that the caller may see."""
    sql = _visible_opportunities_sql(access.visible("Opportunity"), is_locking=False)
    rows = await current_transaction().fetch(sql, current_tenant_id(), actor.employee_id, list(set(opportunity_ids)))
    return {row["id"]: row["customer_id"] for row in rows}


async def lock_visible_opportunity(actor: Actor, access: AccessTable, *, opportunity_id: UUID) -> StoredOpportunity:
    """An opportunity that the caller may see, locked.

    :raises OpportunityNotFound: missing, another company's, or not visible.
    """
    sql = _visible_opportunities_sql(access.visible("Opportunity"), is_locking=True)
    row = await current_transaction().fetchrow(sql, current_tenant_id(), actor.employee_id, [opportunity_id])
    if row is None:
        raise OpportunityNotFound("sales.opportunity_not_found", field=("opportunity",))
    return _stored_opportunity(row)


@lru_cache(maxsize=128)
def _visible_opportunities_sql(scopes: frozenset[str], *, is_locking: bool) -> str:
    visible = scope_predicate(OPPORTUNITY_SCOPES, scopes, alias="p", tenant="$1", employee="me.id")
    return f"""
        {_OPPORTUNITY} CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE p.tenant_id = $1 AND p.id = ANY ($3) AND {visible} {"FOR UPDATE OF p" if is_locking else ""}
    """


async def find_opportunities_by_keys(
    external: Iterable[tuple[str | None, str | None]],
) -> dict[tuple[str | None, str | None], StoredOpportunity]:
    """The opportunities that have one of the (system, key) pairs, by it."""
    pairs = list(external)
    rows = await current_transaction().fetch(
        _OPPORTUNITIES_BY_KEYS, current_tenant_id(), [system for system, _ in pairs], [key for _, key in pairs]
    )
    return {(row["external_system"], row["external_key"]): _stored_opportunity(row) for row in rows}


async def get_opportunities(ids: Collection[UUID]) -> list[StoredOpportunity]:
    """Opportunities by id as they stand now; those that are not there any more are left out."""
    sql = f"{_OPPORTUNITY} WHERE p.tenant_id = $1 AND p.id = ANY ($2)"
    return [_stored_opportunity(row) for row in await current_transaction().fetch(sql, current_tenant_id(), list(ids))]


def _stored_opportunity(row: asyncpg.Record) -> StoredOpportunity:
    names = OpportunityValues.__slots__
    values = OpportunityValues(**{name: row[name] for name in names})
    return StoredOpportunity(row["id"], values, row["version"], row["reached"], row["advanced_on"])


_TARGETS = """
SELECT id, employee_id, department_id, metric, period_first, period_until, amount_minor, version FROM target
WHERE tenant_id = $1 AND (employee_id = ANY ($2) OR department_id = ANY ($2))
"""


async def find_targets_of(subjects: Collection[UUID]) -> Mapping[tuple[UUID, str], list[StoredTarget]]:
    """All targets of people and departments, by subject and metric."""
    found: dict[tuple[UUID, str], list[StoredTarget]] = {}
    for row in await current_transaction().fetch(_TARGETS, current_tenant_id(), list(subjects)):
        period = Period(row["period_first"], row["period_until"])
        of = CleanTarget(row["employee_id"], row["department_id"], row["metric"], period, row["amount_minor"])
        found.setdefault((of.subject, of.metric), []).append(StoredTarget(row["id"], of, row["version"]))
    return found


_COLLECTIONS_BY_KEYS = """
SELECT c.id, c.deal_id, c.kind, c.received_on, c.amount_minor, c.method, c.external_system, c.external_key
FROM collection c JOIN unnest($2::text[], $3::text[]) AS asked (system, key)
    ON c.external_system = asked.system AND c.external_key = asked.key
WHERE c.tenant_id = $1 AND c.reversed_by_id IS NULL
"""
_COLLECTIONS = """
SELECT id, deal_id, kind, received_on, amount_minor, method, external_system, external_key, reversed_by_id
FROM collection WHERE tenant_id = $1 AND id = ANY ($2) AND reverses_id IS NULL
"""


async def find_collections_by_keys(
    external: Sequence[tuple[str | None, str | None]],
) -> dict[tuple[str | None, str | None], StoredCollection]:
    """The collections that have one of the (system, key) pairs, by it; what was reversed has given its key back."""
    rows = await current_transaction().fetch(
        _COLLECTIONS_BY_KEYS, current_tenant_id(), [system for system, _ in external], [key for _, key in external]
    )
    return {
        (row["external_system"], row["external_key"]): StoredCollection(row["id"], _collection(row)) for row in rows
    }


def _collection(row: asyncpg.Record) -> CleanCollection:
    return CleanCollection(**{name: row[name] for name in CleanCollection.__slots__})


async def get_collections(ids: Collection[UUID]) -> list[StoredCollection]:
    """Collections and refunds by their ids, without counter entries."""
    rows = await current_transaction().fetch(_COLLECTIONS, current_tenant_id(), list(ids))
    return [StoredCollection(row["id"], _collection(row), row["reversed_by_id"] is not None) for row in rows]


_OPEN = """
SELECT p.customer_id, p.owner_id, p.engaged_on, p.advanced_on, s.key, s.position,
       p.product IS NOT NULL AND coalesce(p.expected_minor, 0) > 0 AS is_whole
FROM unnest($2::uuid[], $3::timestamptz[]) AS asked (id, instant)
JOIN opportunity p ON p.tenant_id = $1 AND p.customer_id = asked.id
    AND (p.engaged_on IS NOT NULL OR p.created_at >= asked.instant)
JOIN opportunity_stage s ON s.tenant_id = $1 AND s.id = p.stage_id AND s.kind = 'open'
ORDER BY p.customer_id, p.created_at, p.id
"""


async def find_activity(asked: Mapping[UUID, Asked]) -> dict[UUID, Activity]:
    """What was done with customers since an instant each, and what is open with them, as recycling judges it.

    One statement for the follow-ups of all of them; one more where open opportunities are asked for.
    """
    since = {customer_id: each.since for customer_id, each in asked.items()}
    followed = await find_touches(since)
    wanted = {customer_id: since[customer_id] for customer_id, each in asked.items() if each.asks_opportunities}
    opened = await _find_open(wanted) if wanted else {}
    return {
        customer_id: Activity(followed.get(customer_id, ()), opened.get(customer_id, ()))
        for customer_id in {**followed, **opened}
    }


async def _find_open(since: Mapping[UUID, datetime]) -> dict[UUID, list[OpportunityFacts]]:
    """The open opportunities of customers; those without a day are known by the instant of their entry."""
    rows = await current_transaction().fetch(_OPEN, current_tenant_id(), list(since), list(since.values()))
    found: dict[UUID, list[OpportunityFacts]] = {}
    for row in rows:
        facts = OpportunityFacts(
            owner_id=row["owner_id"],
            advanced_on=row["advanced_on"],
            on=row["engaged_on"],
            is_whole=row["is_whole"],
            stage=row["key"],
            position=row["position"],
        )
        found.setdefault(row["customer_id"], []).append(facts)
    return found


_EXPECTED_ON = """
SELECT asked.id, asked.day, sum(p.expected_minor)::bigint AS expected
FROM unnest($2::uuid[], $3::date[]) AS asked (id, day)
JOIN opportunity p ON p.tenant_id = $1 AND p.customer_id = asked.id AND p.expected_minor IS NOT NULL
    AND coalesce(p.engaged_on, (p.created_at AT TIME ZONE $4)::date) <= asked.day
    AND (p.closed_on IS NULL OR p.closed_on > asked.day)
GROUP BY asked.id, asked.day
"""
_MEDIAN = """
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY expected_minor) FROM opportunity
WHERE tenant_id = $1 AND expected_minor IS NOT NULL
"""
_WON = """
SELECT asked.id, asked.first FROM unnest($2::uuid[], $3::date[], $4::date[]) AS asked (id, first, last)
WHERE EXISTS (SELECT FROM deal d WHERE d.tenant_id = $1 AND d.customer_id = asked.id AND d.status = 'signed'
    AND d.signed_on >= asked.first AND (asked.last IS NULL OR d.signed_on <= asked.last))
"""


async def find_expected_on(days: Collection[tuple[UUID, date]], *, time_zone: str) -> dict[tuple[UUID, date], int]:
    """What the opportunities that were open on a day let expect of a customer, in minor units, by (customer, day).

    A pair is missing where no open opportunity had an amount. The amounts are those that are known today.
    """
    wanted = sorted(set(days))
    ids, on = [customer_id for customer_id, _ in wanted], [day for _, day in wanted]
    rows = await current_transaction().fetch(_EXPECTED_ON, current_tenant_id(), ids, on, time_zone)
    return {(row["id"], row["day"]): row["expected"] for row in rows}


async def median_expected() -> int | None:
    """The median amount of the company's opportunities, in minor units; None where none has an amount."""
    found: int | None = await current_transaction().fetchval(_MEDIAN, current_tenant_id())
    return found


async def find_won(held: Collection[tuple[UUID, date, date | None]]) -> set[tuple[UUID, date]]:
    """Of holdings (customer, first day, last day if over) those, by the first two, in which a deal was signed."""
    wanted = list(held)
    columns = [list(each) for each in zip(*wanted, strict=True)] or [[], [], []]
    rows = await current_transaction().fetch(_WON, current_tenant_id(), *columns)
    return {(row["id"], row["first"]) for row in rows}
