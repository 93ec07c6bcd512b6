"""Where the customers of a page go that rules take back: their pools, and the people who get them (P30, P31).

People are locked before customers, as claims lock them: so whoever may get one is looked up before the page is locked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import asyncpg

from saas.customers.actions.due_dates import OwnedCustomer
from saas.customers.errors import PoolRuleOutOfRange
from saas.customers.moments import refuse_one_more
from saas.customers.queries import Pool
from saas.customers.recycling import PersonFacts, PoolFacts, Target, recycle_target
from saas.customers.rules import cooldown_ends
from saas.customers.settings import PoolSettings, due_of_new_holding
from saas.kernel import Actor, new_id
from tenants import current_tenant_id, current_transaction

_ASKED = """
SELECT c.id, c.pool_id, c.owner_id, CASE p.settings ->> 'recycle_to' WHEN 'supervisor' THEN e.manager_id
       ELSE (p.settings ->> 'recycle_backup')::uuid END AS person_id
FROM customer c JOIN customer_pool p ON p.tenant_id = $1 AND p.id = c.pool_id
JOIN employee e ON e.tenant_id = $1 AND e.id = c.owner_id
WHERE c.tenant_id = $1 AND c.id = ANY ($2) AND p.settings ->> 'recycle_to' IN ('supervisor', 'backup')
"""
_LOAD = """
SELECT l.department, l.holding FROM customer_pool p
CROSS JOIN LATERAL claimant_load($1, $3, p.id, $4, p.holding_rules) l WHERE p.tenant_id = $1 AND p.id = $2
"""
_POOLS = """
SELECT p.id, p.name, p.is_default, ARRAY(SELECT d.department_id FROM pool_department d
    WHERE d.tenant_id = $1 AND d.pool_id = p.id) AS departments,
    EXISTS (SELECT FROM pool_member n WHERE n.tenant_id = $1 AND n.pool_id = p.id) AS names_people
FROM customer_pool p WHERE p.tenant_id = $1 AND p.status = 'open'
"""
_ABOVE = """
SELECT descendant_id, ancestor_id FROM department_closure WHERE tenant_id = $1 AND descendant_id = ANY ($2)
ORDER BY descendant_id, depth
"""
_HAND_ON = """
WITH item AS (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::date[], $6::text[], $7::int[], $8::uuid[], $9::uuid[])
        AS i (customer_id, owner_id, department_id, due_on, due_rule, settings_version, pool_id, ownership_id)
), given AS (
    UPDATE customer c SET owner_id = i.owner_id, owner_department_id = i.department_id, status = 'owned',
        received_on = $11, due_on = i.due_on, due_rule = i.due_rule, settings_version = i.settings_version,
        version = c.version + 1
    FROM item i WHERE c.tenant_id = $1 AND c.id = i.customer_id
)
INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    start_kind, operator_id)
SELECT $1, i.ownership_id, i.customer_id, i.owner_id, i.department_id, i.pool_id, $10, $11, 'assign', $12 FROM item i
"""
_UNKNOWN = """
SELECT NOT EXISTS (SELECT FROM customer_pool p WHERE p.tenant_id = $1 AND p.id = asked.id AND p.status <> 'closed')
FROM unnest($2::uuid[]) WITH ORDINALITY AS asked (id, place) ORDER BY asked.place
"""
_ON_STAFF = "SELECT true FROM employee WHERE tenant_id = $1 AND id = $2 AND status = 'active'"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whom the rules name for a customer, as it was before it was locked."""

    owner_id: UUID
    person_id: UUID | None


@dataclass(slots=True)
class Receivers:
    """The people who may get customers of a page, locked; `got` counts what they are to get by pool."""

    asked: Mapping[UUID, _Asked] = field(default_factory=dict)
    loads: Mapping[tuple[UUID, UUID], tuple[UUID | None, int]] = field(default_factory=dict)
    got: Counter[tuple[UUID, UUID]] = field(default_factory=Counter)

    def department_of(self, pool_id: UUID, employee_id: UUID) -> UUID:
        """Where somebody works who gets a customer."""
        department_id, _ = self.loads[pool_id, employee_id]
        assert department_id is not None, "who left gets nothing"
        return department_id

    async def person(self, customer: OwnedCustomer) -> PersonFacts | None:
        """Whom the rules name for a customer, None where nobody; it may have another owner by now, and then nobody."""
        asked = self.asked.get(customer.customer_id)
        if asked is None or asked.person_id is None or asked.owner_id != customer.owner_id:
            return None
        place = customer.pool_id, asked.person_id
        department_id, holding = self.loads[place]
        if department_id is None:
            return PersonFacts(asked.person_id, is_on_staff=False)
        full = await refuse_one_more(
            _pool_of(customer), holding + self.got[place], employee_id=asked.person_id, department_id=department_id
        )
        return PersonFacts(asked.person_id, is_full=full is not None, free_on=_free_on(customer, asked.person_id))

    def count(self, customer: OwnedCustomer, employee_id: UUID) -> None:
        """One more for a person, unless it is a customer with a deal that does not count (P10)."""
        counts = customer.facts.last_deal_on is None or customer.settings.counts_dealt
        self.got[customer.pool_id, employee_id] += counts


def _pool_of(customer: OwnedCustomer) -> Pool:
    return Pool(customer.pool_id, customer.pool_name, customer.settings, customer.settings_version)


def _free_on(customer: OwnedCustomer, employee_id: UUID) -> date | None:
    """The first day after the cooldown of a former owner, which no rule passes over (P34)."""
    ended = [each.ended_on for each in customer.facts.ownerships if each.owner_id == employee_id and each.ended_on]
    return cooldown_ends(max(ended, default=None), customer.settings.cooldown_days)


async def lock_receivers(customer_ids: Collection[UUID], *, today: date) -> Receivers:
    """Lock the people to whom customers may go, in the order of their ids, and count what they hold."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    rows = await transaction.fetch(_ASKED, tenant_id, list(customer_ids))
    places = {(row["pool_id"], row["person_id"]) for row in rows if row["person_id"] is not None}
    loads: dict[tuple[UUID, UUID], tuple[UUID | None, int]] = {}
    for pool_id, person_id in sorted(places, key=lambda place: (place[1], place[0])):
        load = await transaction.fetchrow(_LOAD, tenant_id, pool_id, person_id, today)
        loads[pool_id, person_id] = (None, 0) if load is None else (load["department"], load["holding"] or 0)
    return Receivers({row["id"]: _Asked(row["owner_id"], row["person_id"]) for row in rows}, loads)


async def find_targets(going: Sequence[OwnedCustomer], receivers: Receivers, *, today: date) -> dict[UUID, Target]:
    """Where each customer goes, by its id."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    rows = await transaction.fetch(_POOLS, tenant_id)
    pools = [_pool_facts(row) for row in rows]
    above: dict[UUID, list[UUID]] = {}
    if any(each.department_ids for each in pools):
        for row in await transaction.fetch(_ABOVE, tenant_id, [each.owner_department_id for each in going]):
            above.setdefault(row["descendant_id"], []).append(row["ancestor_id"])
    targets: dict[UUID, Target] = {}
    for each in going:
        target = recycle_target(
            each.settings.target_rules,
            own_pool_id=each.pool_id,
            former_owner_id=each.owner_id,
            pools=pools,
            departments=above.get(each.owner_department_id, ()),
            person=await receivers.person(each),
            today=today,
        )
        if target.employee_id is not None:
            receivers.count(each, target.employee_id)
        targets[each.customer_id] = target
    return targets


def _pool_facts(row: asyncpg.Record) -> PoolFacts:
    named = frozenset(row["departments"])
    return PoolFacts(
        row["id"], row["name"], row["is_default"], named, is_everybodys=not named and not row["names_people"]
    )


async def hand_on(
    actor: Actor, customers: Sequence[tuple[OwnedCustomer, UUID]], receivers: Receivers, *, at: datetime, on: date
) -> None:
    """Give customers that have gone back to the people who get them: a new holding, from today."""
    rows = []
    for customer, employee_id in customers:
        facts = customer.facts
        due = due_of_new_holding(
            customer.settings,
            received_on=on,
            last_deal_on=facts.last_deal_on,
            level=facts.level,
            contract_ended_on=facts.contract_ended_on,
            declined_on=facts.declined_on,
            created_on=facts.created_on,
            start_kind="assign",
        )
        department_id = receivers.department_of(customer.pool_id, employee_id)
        told = (due.on, due.rule, customer.settings_version, customer.pool_id, new_id())
        rows.append((customer.customer_id, employee_id, department_id, *told))
    if rows:
        columns = map(list, zip(*rows, strict=True))
        await current_transaction().execute(_HAND_ON, current_tenant_id(), *columns, at, on, actor.account_id)


async def refuse_unknown_targets(settings: PoolSettings) -> None:
    """Refuse pools and a backup that are not there.

    :raises PoolRuleOutOfRange: naming the field.
    """
    transaction, tenant_id = current_transaction(), current_tenant_id()
    if settings.recycle_pools:
        found = await transaction.fetch(_UNKNOWN, tenant_id, list(settings.recycle_pools))
        for at, (is_unknown,) in enumerate(found):
            if is_unknown:
                raise PoolRuleOutOfRange("customers.pool_target_unknown", field=("recyclePools", str(at)))
    if settings.recycle_backup is not None and not await transaction.fetchval(
        _ON_STAFF, tenant_id, settings.recycle_backup
    ):
        raise PoolRuleOutOfRange("customers.pool_backup_unknown", field=("recycleBackup",))
