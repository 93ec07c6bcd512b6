"""Reads of the incentives room for its actions; lists and details go through the compiled reader.

The facts of a calculation are read in one statement that spans the tables of sales and customers: what one moment
shows of a deal, its credits and its collections belongs together, and several statements would see several moments.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from saas.access import AccessTable, FieldAccess, scope_predicate
from saas.incentives.errors import AccrualNotFound, PlanNotFound
from saas.incentives.policies import ACCRUAL_SCOPES
from saas.incentives.rules.naming import texts_in, with_names
from saas.incentives.rules.plan_text import plan_of_plain
from saas.incentives.rules.plans import Participant, Plan, PlanVersion
from saas.incentives.rules.recorded import (
    COLLECTION,
    CUSTOMER,
    DEAL,
    EMPLOYEE,
    STAGE,
    Recorded,
    RecordedCollection,
    RecordedDeal,
    RecordedStage,
    RecordedTarget,
)
from saas.kernel import Actor, AppError, Explanation, Period, parse_public_id, public_id, split_public_id
from tenants import current_tenant_id, current_transaction

NOBODY = "-"
"""Takes part in a plan whose participants are a department without people: without any it would be everybody's."""

_PLAN = "SELECT id, code, title, currency FROM incentive_plan WHERE tenant_id = $1 AND id = $2"
_VERSIONS = """
SELECT number, state, content::text AS content, content_hash, valid_from, valid_to, author_account_id, author_id
FROM incentive_plan_version WHERE tenant_id = $1 AND plan_id = $2 ORDER BY number
"""
_PARTICIPANTS = """
SELECT i.employee_id, i.valid_from, i.valid_to FROM incentive_participant i
WHERE i.tenant_id = $1 AND i.plan_id = $2 AND i.employee_id IS NOT NULL
UNION
SELECT w.employee_id, greatest(i.valid_from, w.valid_from), least(i.valid_to, w.valid_to)
FROM incentive_participant i
LEFT JOIN department_closure c ON c.tenant_id = i.tenant_id AND c.ancestor_id = i.department_id
LEFT JOIN employment w ON w.tenant_id = i.tenant_id AND w.department_id = c.descendant_id
    AND (i.valid_to IS NULL OR w.valid_from < i.valid_to) AND (w.valid_to IS NULL OR w.valid_to > i.valid_from)
WHERE i.tenant_id = $1 AND i.plan_id = $2 AND i.department_id IS NOT NULL
ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version as it stands, draft or published."""

    number: int
    is_published: bool
    alone: Plan
    content_hash: str
    author_account_id: UUID
    author_id: UUID | None

    @property
    def version(self) -> PlanVersion:
        """Its rules, in force as long as they are."""
        return self.alone.versions[0]


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan with all its versions."""

    id: UUID
    code: str
    title: str
    currency: str
    versions: tuple[StoredVersion, ...]

    @property
    def published(self) -> tuple[StoredVersion, ...]:
        """The versions that hold, in order."""
        return tuple(version for version in self.versions if version.is_published)

    @property
    def draft(self) -> StoredVersion | None:
        """The version that is being written."""
        return next((version for version in self.versions if not version.is_published), None)


async def get_plan(plan_id: UUID, *, is_locking: bool = False) -> StoredPlan:
    """A plan of this company; `is_locking` makes whoever else writes it, or settles by it, wait.

    :raises PlanNotFound: there is none.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    row = await transaction.fetchrow(f"{_PLAN}{' FOR UPDATE' if is_locking else ''}", tenant_id, plan_id)
    if row is None:
        raise PlanNotFound("incentives.plan_not_found", field=("plan",))
    versions = await transaction.fetch(_VERSIONS, tenant_id, plan_id)
    return StoredPlan(row["id"], row["code"], row["title"], row["currency"], tuple(map(_version, versions)))


def _version(row: asyncpg.Record) -> StoredVersion:
    alone = plan_of_plain(json.loads(row["content"]))
    (saved,) = alone.versions
    in_force = replace(saved, effective=Period(row["valid_from"], row["valid_to"]))
    return StoredVersion(
        row["number"],
        row["state"] == "published",
        replace(alone, versions=(in_force,)),
        row["content_hash"],
        row["author_account_id"],
        row["author_id"],
    )


async def find_participants(plan_id: UUID) -> tuple[Participant, ...]:
    """Who is in a plan and when, departments as the people who work in them; empty where the plan is everybody's."""
    rows = await current_transaction().fetch(_PARTICIPANTS, current_tenant_id(), plan_id)
    return tuple(
        Participant(
            NOBODY if row["employee_id"] is None else public_id(EMPLOYEE, row["employee_id"]),
            Period(row["valid_from"], row["valid_to"]),
        )
        for row in rows
    )


def plan_with(stored: StoredPlan, participants: tuple[Participant, ...]) -> Plan | None:
    """The plan as the rules take it: its published versions, each for the participants; None without any."""
    versions = tuple(replace(each.version, participants=participants) for each in stored.published)
    return replace(stored.published[-1].alone, versions=versions) if versions else None


_PEOPLE = """
SELECT c.employee_id FROM performance_credit c JOIN deal d ON d.tenant_id = c.tenant_id AND d.id = c.deal_id
WHERE c.tenant_id = $1 AND d.signed_on < $4 AND ($5 = 'signed' AND d.signed_on >= $3 OR $5 = 'collected' AND EXISTS (
    SELECT FROM collection r
    WHERE r.tenant_id = $1 AND r.deal_id = d.id AND r.received_on >= $3 AND r.received_on < $4))
UNION SELECT a.employee_id FROM accrual a WHERE a.tenant_id = $1 AND a.plan_id = $2
UNION SELECT l.employee_id FROM settlement_line l
JOIN settlement s ON s.tenant_id = l.tenant_id AND s.id = l.settlement_id WHERE l.tenant_id = $1 AND s.plan_id = $2
ORDER BY 1
"""


async def find_people(plan_id: UUID, plan: Plan, *, before: date) -> set[str]:
    """Everybody whom the plan might pay for what happened before a day, or has paid: a few too many do no harm."""
    since = plan.versions[0].effective.first
    rows = await current_transaction().fetch(_PEOPLE, current_tenant_id(), plan_id, since, before, plan.measure.value)
    named = {taking.person for version in plan.versions for taking in version.participants} - {NOBODY}
    return {public_id(EMPLOYEE, row["employee_id"]) for row in rows} | named


_SHARES = """
SELECT employee_id, count(*) AS shares FROM performance_credit
WHERE tenant_id = $1 AND employee_id = ANY ($2) GROUP BY employee_id
"""


async def count_shares(people: Collection[str]) -> dict[str, int]:
    """How many shares of deals each of the people has, of whatever time: what calculating them costs grows with it."""
    ids = [parse_public_id(person, prefix=EMPLOYEE) for person in people]
    rows = await current_transaction().fetch(_SHARES, current_tenant_id(), ids)
    return dict.fromkeys(people, 0) | {public_id(EMPLOYEE, row["employee_id"]): row["shares"] for row in rows}


# Each row is looked up by its key (OFFSET 0): where a company has just brought its sheets, no statistics say yet how
# few deals a person or a customer has, and joins would read all of them for each chunk of people.
_DEALS = """
SELECT d.id, d.signed_on, d.amount_minor, d.vat_rate::text AS vat_rate, d.customer_id, d.product, d.category, d.channel,
       d.cancelled_on,
       CASE WHEN f.is_settled THEN f.customer_level ELSE (
           SELECT c.level FROM customer c WHERE c.tenant_id = $1 AND c.id = d.customer_id
       ) END AS customer_level,
       (SELECT min(e.signed_on) FROM (
           SELECT o.signed_on FROM deal o
           WHERE o.tenant_id = $1 AND o.customer_id = d.customer_id AND o.cancelled_on IS NULL OFFSET 0) e
       ) AS first_order_on,
       (SELECT jsonb_agg(jsonb_build_array(p.employee_id, p.share::text) ORDER BY p.position) FROM performance_credit p
         WHERE p.tenant_id = $1 AND p.deal_id = d.id) AS credits
FROM unnest(ARRAY({chosen})) AS chosen (id)
CROSS JOIN LATERAL (
    SELECT * FROM deal x WHERE x.tenant_id = $1 AND x.id = chosen.id AND x.signed_on < $3 OFFSET 0
) d
LEFT JOIN LATERAL (
    SELECT a.customer_level, true AS is_settled FROM accrual a
    JOIN settlement s ON s.tenant_id = $1 AND s.id = a.settlement_id AND s.state = 'locked'
    WHERE a.tenant_id = $1 AND a.plan_id = $2 AND a.deal_id = d.id ORDER BY a.happened_on, a.id LIMIT 1
) f ON true
"""
_RECORDED = """
WITH d AS MATERIALIZED ({deals})
SELECT
    (SELECT json_agg(d) FROM d)::text AS deals,
    (SELECT json_agg(x) FROM (
        SELECT r.id, r.deal_id, r.kind, r.received_on, r.amount_minor, g.stage FROM d
        CROSS JOIN LATERAL (
            SELECT * FROM collection c WHERE c.tenant_id = $1 AND c.deal_id = d.id AND c.received_on < $3
              AND c.reverses_id IS NULL AND c.reversed_by_id IS NULL OFFSET 0
        ) r
        LEFT JOIN deal_stage g ON g.tenant_id = $1 AND g.collection_id = r.id) x)::text AS collections,
    (SELECT json_agg(x) FROM (
        SELECT g.id, g.deal_id, g.stage, g.reached_on FROM deal_stage g JOIN d ON d.id = g.deal_id
        WHERE g.tenant_id = $1 AND g.collection_id IS NULL AND g.reached_on < $3) x)::text AS stages,
    (SELECT json_agg(x) FROM (
        SELECT t.employee_id, t.period_first, t.period_until, t.amount_minor FROM target t
        WHERE t.tenant_id = $1 AND t.metric = $5 AND t.employee_id = ANY ({people})) x)::text AS targets
"""
_OF_PEOPLE = _RECORDED.format(
    deals=_DEALS.format(
        chosen="SELECT DISTINCT m.deal_id FROM performance_credit m WHERE m.tenant_id = $1 AND m.employee_id = ANY ($4)"
    ),
    people="$4",
)
_OF_DEALS = _RECORDED.format(
    deals=_DEALS.format(chosen="SELECT DISTINCT named.id FROM unnest($4::uuid[]) AS named (id)"),
    people="SELECT m.employee_id FROM performance_credit m WHERE m.tenant_id = $1 AND m.deal_id = ANY ($4)",
)


async def find_recorded(plan_id: UUID, plan: Plan, *, people: Collection[str], before: date) -> Recorded:
    """All that is recorded of the deals credited to people, as far as it happened before a day: one statement."""
    ids = [parse_public_id(person, prefix=EMPLOYEE) for person in people]
    return await _recorded(_OF_PEOPLE, plan_id, plan, ids, before)


async def find_recorded_deals(plan: Plan, *, deals: Collection[UUID], before: date) -> Recorded:
    """The same of some deals, for a plan that is not stored."""
    return await _recorded(_OF_DEALS, None, plan, list(deals), before)


async def _recorded(sql: str, plan_id: UUID | None, plan: Plan, ids: Sequence[UUID], before: date) -> Recorded:
    row = await current_transaction().fetchrow(sql, current_tenant_id(), plan_id, before, ids, plan.measure.value)
    assert row is not None, "a select without FROM has one row"
    deals, collections, stages, targets = (json.loads(row[name] or "[]") for name in row.keys())  # noqa: SIM118
    return Recorded(
        deals=[_deal(each) for each in deals],
        collections=[_collection(each) for each in collections],
        stages=[
            RecordedStage(_id(STAGE, each["id"]), _id(DEAL, each["deal_id"]), each["stage"], _day(each["reached_on"]))
            for each in stages
        ],
        targets=[
            RecordedTarget(
                _id(EMPLOYEE, each["employee_id"]),
                Period(_day(each["period_first"]), _day(each["period_until"])),
                each["amount_minor"],
            )
            for each in targets
        ],
    )


def _deal(row: Mapping[str, Any]) -> RecordedDeal:
    first, cancelled = row["first_order_on"], row["cancelled_on"]
    return RecordedDeal(
        id=_id(DEAL, row["id"]),
        signed_on=_day(row["signed_on"]),
        amount_minor=row["amount_minor"],
        vat_rate=Decimal(row["vat_rate"]),
        customer=_id(CUSTOMER, row["customer_id"]),
        customer_level=row["customer_level"],
        first_order_on=None if first is None else _day(first),
        product=row["product"],
        category=row["category"],
        channel=row["channel"],
        cancelled_on=None if cancelled is None else _day(cancelled),
        credits=[(_id(EMPLOYEE, person), Decimal(share)) for person, share in row["credits"]],
    )


def _collection(row: Mapping[str, Any]) -> RecordedCollection:
    return RecordedCollection(
        id=_id(COLLECTION, row["id"]),
        deal=_id(DEAL, row["deal_id"]),
        is_refund=row["kind"] == "refund",
        received_on=_day(row["received_on"]),
        amount_minor=row["amount_minor"],
        stage=row["stage"],
    )


def _id(prefix: str, text: str) -> str:
    return public_id(prefix, UUID(text))


_day = date.fromisoformat


_STRANGERS = """
SELECT name FROM unnest($2::text[], $3::uuid[]) AS asked (name, id)
WHERE NOT EXISTS (SELECT FROM employee e WHERE e.tenant_id = $1 AND e.id = asked.id)
  AND NOT EXISTS (SELECT FROM customer c WHERE c.tenant_id = $1 AND c.id = asked.id)
"""


async def find_strangers(*, people: Collection[str], customers: Collection[str]) -> set[str]:
    """Those of the public ids that are no person's, or no customer's, of this company."""
    known: dict[str, UUID] = {}
    for names, prefix in ((people, EMPLOYEE), (customers, CUSTOMER)):
        for name in names:
            try:
                known[name] = parse_public_id(name, prefix=prefix)
            except AppError:
                continue  # no id of that kind: a stranger as well
    rows = await current_transaction().fetch(_STRANGERS, current_tenant_id(), [*known], [*known.values()])
    return ({*people, *customers} - known.keys()) | {row["name"] for row in rows}


_NAMES = """
SELECT 'emp_' || replace(id::text, '-', '') AS id, name FROM employee WHERE tenant_id = $1 AND id = ANY ($2)
UNION ALL SELECT 'dea_' || replace(id::text, '-', ''), number FROM deal WHERE tenant_id = $1 AND id = ANY ($3)
UNION ALL SELECT 'cus_' || replace(id::text, '-', ''), name FROM customer WHERE tenant_id = $1 AND id = ANY ($4)
"""


async def named(explanations: Iterable[Explanation]) -> list[Explanation]:
    """Explanations with people, deals and customers by what they are called instead of their ids."""
    whole = list(explanations)
    ids: dict[str, set[UUID]] = {EMPLOYEE: set(), DEAL: set(), CUSTOMER: set()}
    for text in {text for each in whole for text in texts_in(each)}:
        try:
            prefix, found = split_public_id(text)
        except AppError:
            continue  # a text that is no id
        if prefix in ids:
            ids[prefix].add(found)
    rows = await current_transaction().fetch(_NAMES, current_tenant_id(), *map(list, ids.values()))
    names = {row["id"]: row["name"] for row in rows}
    return [with_names(each, names) for each in whole]


async def explain_accrual(actor: Actor, access: AccessTable, *, accrual_id: UUID) -> Explanation:
    """Why a line comes to its amount, for whoever may read the amount.

    :raises AccrualNotFound: missing, another company's, or not the caller's to read the amount of.
    """
    visible = scope_predicate(ACCRUAL_SCOPES, access.visible("Accrual"), alias="a", tenant="$1", employee="me.id")
    text = await current_transaction().fetchval(
        f"""
        SELECT a.explanation::text FROM accrual a CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE a.tenant_id = $1 AND a.id = $3 AND {visible} AND {_readable(access)}
        """,
        current_tenant_id(),
        actor.employee_id,
        accrual_id,
    )
    if text is None:
        raise AccrualNotFound("incentives.accrual_not_found", field=("id",))
    (explanation,) = await named([Explanation.of_plain(json.loads(text))])
    return explanation


def _readable(access: AccessTable) -> str:
    """The rows in which the caller may read the amount, which the explanation tells."""
    right = access.read("Accrual", "amount")
    if right.access is FieldAccess.ALLOW:
        return "true"
    scopes = right.scopes if right.access is FieldAccess.ROWS else frozenset()
    return scope_predicate(ACCRUAL_SCOPES, scopes, alias="a", tenant="$1", employee="me.id")
