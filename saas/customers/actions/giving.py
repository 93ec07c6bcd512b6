"""Giving many customers at once: people and customers are locked and looked at again, then written in chunks.

Locks are taken in the order of ids, people before customers, as claims take them; so nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple, TypeVar
from uuid import UUID

import asyncpg

from saas.audit import entry_values, record_many
from saas.customers.actions.frozen_rosters import Dealt, FrozenRoster
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.actions.rosters import CUSTOMERS_MAX
from saas.customers.allocation import Allocation
from saas.customers.department_loads import departments_of, find_loads, lock_departments
from saas.customers.errors import PlanChanged
from saas.customers.events import CUSTOMER_ALLOCATED
from saas.customers.queries import Pool
from saas.customers.settings import Due, due_of_new_holding
from saas.events import emit_many
from saas.kernel import Actor, Clock, local_date, new_id
from saas.people import find_on_leave
from tenants import current_tenant_id, current_transaction

CHUNK = 1_000
"""Customers of one statement; far below what the statement's time allows, and memory stays flat."""

_LOCK_PEOPLE = """
SELECT id, status = 'active' AS is_active, department_id FROM employee
WHERE tenant_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE
"""
_HOLDINGS = """
SELECT owner_id, count(*) AS holding FROM customer c WHERE tenant_id = $1 AND owner_id = ANY ($2)
    AND counts_as_held(c.last_deal_on, c.level, c.source, c.industry, $3::jsonb) GROUP BY owner_id
"""
_LOCK_CUSTOMERS = """
SELECT id, version, created_at, last_deal_on, contract_ends_on, declined_on, level FROM customer
WHERE tenant_id = $1 AND id = ANY ($2) AND pool_id = $3 AND owner_id IS NULL ORDER BY id FOR NO KEY UPDATE
"""
_GIVE = """
WITH item AS (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::date[], $6::text[], $7::uuid[])
        AS i (customer_id, owner_id, department_id, due_on, due_rule, ownership_id)
), given AS (
    UPDATE customer c SET owner_id = i.owner_id, owner_department_id = i.department_id, status = 'owned',
        received_on = $9, due_on = i.due_on, due_rule = i.due_rule, settings_version = $10,
        effective_follow_up_on = NULL, version = c.version + 1
    FROM item i WHERE c.tenant_id = $1 AND c.id = i.customer_id
)
INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    start_kind, operator_id)
SELECT $1, i.ownership_id, i.customer_id, i.owner_id, i.department_id, $11, $8, $9, 'assign', $12 FROM item i
"""
_NOTE = """
INSERT INTO allocation_pick (tenant_id, id, allocation_id, place, customer_id, customer_version, label, state,
    employee_id, nobody, is_overflow)
SELECT $1, id, $2, place, customer_id, version, label, state, employee_id, nobody, is_overflow
FROM unnest($3::uuid[], $4::int[], $5::uuid[], $6::int[], $7::text[], $8::text[], $9::uuid[], $10::text[], $11::bool[])
    AS pick (id, place, customer_id, version, label, state, employee_id, nobody, is_overflow)
ON CONFLICT (tenant_id, id) DO UPDATE
SET state = excluded.state, employee_id = excluded.employee_id, nobody = excluded.nobody,
    is_overflow = excluded.is_overflow
"""
"""Every pick is there and is changed. An UPDATE that joins may read all picks of the allocation for each chunk: a plan
was stored a moment ago, and the database has no statistics of it yet. The key of a conflict is looked up, always.
"""

T = TypeVar("T")
_Outcome = tuple[Dealt, str, UUID | None, str | None, bool]
"""A customer, its state, who got or missed it, why nobody could have it, and whether it overflowed."""

OVERFLOW = "超出分配上限 / over the assignment thresholds"
"""The reason in the ledger of what goes to the overflow assignee (P13): in both languages, for it is stored."""


class _Fresh(NamedTuple):
    """A pooled customer as it is once it is locked."""

    version: int
    created_on: date
    last_deal_on: date | None
    contract_ends_on: date | None
    declined_on: date | None
    level: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """What came of an allocation: who got the customer at each place, and who missed one that had changed.

    A place holds all records of one company; it counts as given where one of them was. `overflow` are the places of
    what the overflow assignee got, `overflow_missed` counts what they did not: the method owes nobody for that.
    """

    places: Mapping[int, UUID]
    missed: tuple[UUID, ...]
    overflow: frozenset[int] = frozenset()
    overflow_missed: int = 0

    @property
    def skipped(self) -> int:
        """How many customers had changed, or could not go to their person any more."""
        return len(self.missed) + self.overflow_missed


@dataclass(frozen=True, slots=True)
class _Item:
    dealt: Dealt
    employee_id: UUID
    nobody: str | None = None

    @property
    def is_overflow(self) -> bool:
        """Whether the method gave it to nobody, and the overflow assignee gets it."""
        return self.nobody is not None


@dataclass(frozen=True, slots=True)
class _Person:
    department_id: UUID
    room: int
    departments: Sequence[UUID] = ()


async def give(
    actor: Actor,
    frozen: FrozenRoster,
    allocation: Allocation,
    *,
    pool: Pool,
    on: date,
    time_zone: str,
    is_refusing: bool,
    clock: Clock,
) -> Given:
    """Give each customer to whom the allocation says, with its ownership, ledger line, audit entry and event.

    :raises PlanChanged: `is_refusing`, and a customer is not as it was, or a person left or has no room.
    """
    wanted, kept = _sorted_out(frozen, allocation)
    people = await _lock_people(frozen, pool, {item.employee_id for item in wanted}, on)
    people, rooms = await _lock_departments(pool, people)
    fresh = await _lock_customers(pool.id, wanted, time_zone)
    going, missed = _checked(wanted, people, rooms, fresh)
    if is_refusing and missed:
        changed = {"changed": len(missed), "of": len(wanted)}
        raise PlanChanged("customers.plan_items_changed", changed, field=("allocation",))
    writer = _Writer(actor, frozen, pool, on, clock, people, fresh)
    for items in _chunks(sorted(going, key=lambda item: item.dealt.customer.customer_id)):
        await writer.give(items)
    outcomes: list[_Outcome] = [_outcome(item, "given") for item in going]
    outcomes += [_outcome(item, "skipped") for item in missed]
    outcomes += [(each, "kept", None, nobody, False) for each, nobody in kept]
    for chunk in _chunks(outcomes):
        await _note(frozen.roster.allocation_id, chunk)
    overflow = frozenset(item.dealt.place for item in going if item.is_overflow)
    owed = tuple(item.employee_id for item in missed if not item.is_overflow)
    places = {item.dealt.place: item.employee_id for item in going}
    return Given(places, owed, overflow, len(missed) - len(owed))


def _outcome(item: _Item, state: str) -> _Outcome:
    return item.dealt, state, item.employee_id, item.nobody, item.is_overflow


def _sorted_out(frozen: FrozenRoster, allocation: Allocation) -> tuple[list[_Item], list[tuple[Dealt, str | None]]]:
    """Who gets which customer, in the order of places, and what stays in the pool and why."""
    wanted, kept = [], []
    for each in frozen.dealt:
        nobody, to = allocation.picks[each.place].nobody, allocation.receiver(each.place)
        why = None if nobody is None else nobody.value
        if to is None:
            kept.append((each, why))
        else:
            wanted.append(_Item(each, to, why))
    return wanted, kept


async def _lock_people(frozen: FrozenRoster, pool: Pool, employee_ids: set[UUID], on: date) -> dict[UUID, _Person]:
    """Those who are on the staff still and not on leave, with their room under the limit, which nobody else can use."""
    transaction, tenant_id, ids = current_transaction(), current_tenant_id(), sorted(employee_ids)
    rows = await transaction.fetch(_LOCK_PEOPLE, tenant_id, ids)
    away = await find_on_leave(ids, day=on) if pool.settings.absence_skips else set()
    counted = await transaction.fetch(_HOLDINGS, tenant_id, ids, pool.settings.holding_text)
    holdings = {row["owner_id"]: row["holding"] for row in counted}
    roster = frozen.roster
    listed = (*roster.candidates, *(() if roster.overflow is None else (roster.overflow,)))
    limits = {each.employee_id: each.holding_limit for each in listed}
    return {
        row["id"]: _Person(row["department_id"], _room(limits[row["id"]], holdings.get(row["id"], 0)))
        for row in rows
        if row["is_active"] and row["id"] not in away
    }


async def _lock_departments(pool: Pool, people: dict[UUID, _Person]) -> tuple[dict[UUID, _Person], dict[UUID, int]]:
    """The people with those of their departments that are limited, and the room of each, which nobody else can use."""
    if not pool.settings.holding_limits_of_departments:
        return people, {}
    above = await departments_of(people)
    limited = pool.settings.limits_together({each for those in above.values() for each in those})
    await lock_departments(limited)
    rooms = {key: load.limit - load.holding for key, load in (await find_loads(pool.settings, limited)).items()}
    placed = {
        key: replace(person, departments=[each for each in above[key] if each in rooms])
        for key, person in people.items()
    }
    return placed, rooms


def _room(limit: int | None, holding: int) -> int:
    """Under a limit, None is none: then there is room for all that an allocation may have."""
    return CUSTOMERS_MAX if limit is None else limit - holding


async def _lock_customers(pool_id: UUID, wanted: Sequence[_Item], time_zone: str) -> dict[UUID, _Fresh]:
    """Version and last deal of those that are in the pool still."""
    fresh: dict[UUID, _Fresh] = {}
    for ids in _chunks(sorted(item.dealt.customer.customer_id for item in wanted)):
        rows = await current_transaction().fetch(_LOCK_CUSTOMERS, current_tenant_id(), ids, pool_id)
        fresh |= {row["id"]: _fresh(row, time_zone) for row in rows}
    return fresh


def _fresh(row: asyncpg.Record, time_zone: str) -> _Fresh:
    return _Fresh(
        version=row["version"],
        created_on=local_date(row["created_at"], time_zone),
        last_deal_on=row["last_deal_on"],
        contract_ends_on=row["contract_ends_on"],
        declined_on=row["declined_on"],
        level=row["level"],
    )


def _checked(
    wanted: Sequence[_Item],
    people: Mapping[UUID, _Person],
    shared: dict[UUID, int],
    fresh: Mapping[UUID, _Fresh],
) -> tuple[list[_Item], list[_Item]]:
    """What can be given as it was planned, in the order of places, and what can't."""
    rooms = {employee_id: person.room for employee_id, person in people.items()} | shared
    drawn_on = {employee_id: (employee_id, *person.departments) for employee_id, person in people.items()}
    going, missed = [], []
    for item in wanted:
        known = fresh.get(item.dealt.customer.customer_id)
        whose = drawn_on.get(item.employee_id, ())
        has_room = bool(whose) and all(rooms[each] > 0 for each in whose)
        if known is not None and known.version == item.dealt.version and has_room:
            for each in whose:
                rooms[each] -= 1
            going.append(item)
        else:
            missed.append(item)
    return going, missed


def _chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


class _Writer:
    """Writes chunks of one allocation."""

    def __init__(
        self,
        actor: Actor,
        frozen: FrozenRoster,
        pool: Pool,
        on: date,
        clock: Clock,
        people: Mapping[UUID, _Person],
        fresh: Mapping[UUID, _Fresh],
    ) -> None:
        self._actor, self._pool, self._on, self._clock, self._now = actor, pool, on, clock, clock.now()
        self._allocation_id = frozen.roster.allocation_id
        self._people, self._fresh = people, fresh
        self._dues: dict[_Fresh, Due] = {}

    async def give(self, items: Sequence[_Item]) -> None:
        """Customers with their ownerships, ledger, trail and events of a chunk: a statement each."""
        rows = [self._row(item) for item in items]
        await current_transaction().execute(
            _GIVE,
            current_tenant_id(),
            *map(list, zip(*rows, strict=True)),
            self._now,
            self._on,
            self._pool.settings_version,
            self._pool.id,
            self._actor.account_id,
        )
        await write_ledger(self._actor, [self._line(item) for item in items], at=self._now, on=self._on)
        await record_many([self._entry(item) for item in items])
        await emit_many(CUSTOMER_ALLOCATED, [self._event(item) for item in items])

    def _row(self, item: _Item) -> tuple[object, ...]:
        customer_id = item.dealt.customer.customer_id
        due = self._due(self._fresh[customer_id])
        department_id = self._people[item.employee_id].department_id
        return customer_id, item.employee_id, department_id, due.on, due.rule, new_id()

    def _due(self, customer: _Fresh) -> Due:
        """Customers of one day differ by what a clock reads alone."""
        key = customer._replace(version=0)
        if key not in self._dues:
            self._dues[key] = due_of_new_holding(
                self._pool.settings,
                received_on=self._on,
                last_deal_on=customer.last_deal_on,
                level=customer.level,
                contract_ended_on=customer.contract_ends_on,
                declined_on=customer.declined_on,
                created_on=customer.created_on,
                start_kind="assign",
            )
        return self._dues[key]

    def _line(self, item: _Item) -> LedgerLine:
        return LedgerLine(
            "allocated",
            self._pool.id,
            item.dealt.customer.customer_id,
            employee_id=item.employee_id,
            reason=OVERFLOW if item.is_overflow else None,
            allocation_id=self._allocation_id,
            settings_version=self._pool.settings_version,
        )

    def _entry(self, item: _Item) -> tuple[object, ...]:
        return entry_values(
            self._actor,
            "customer.allocated",
            object_type="Customer",
            object_id=item.dealt.customer.customer_id,
            changes={"owner": [None, str(item.employee_id)], "allocation": [None, str(self._allocation_id)]},
            clock=self._clock,
        )

    def _event(self, item: _Item) -> dict[str, str]:
        return {
            "customer_id": str(item.dealt.customer.customer_id),
            "owner_id": str(item.employee_id),
            "allocation_id": str(self._allocation_id),
        }


async def _note(allocation_id: UUID, outcomes: Sequence[_Outcome]) -> None:
    """What became of the picks."""
    rows = (
        (each.pick_id, each.place, each.customer.customer_id, each.version, each.customer.label, *more)
        for each, *more in outcomes
    )
    columns = map(list, zip(*rows, strict=True))
    await current_transaction().execute(_NOTE, current_tenant_id(), allocation_id, *columns)
