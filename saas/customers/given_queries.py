"""What allocations gave out of a pool in a period, with the rosters they were dealt by: read for audits.

A roster holds its people as they were on its day; nothing of it is looked up again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from uuid import UUID

import asyncpg

from saas.access import AccessTable, scope_predicate
from saas.customers.actions.frozen_rosters import restored_answer, restored_facts, restored_roster
from saas.customers.allocation import DealtUnit, Roster, chances
from saas.customers.errors import PoolNotFound
from saas.customers.policies import ALLOCATION_SCOPES, PICK_SCOPES
from saas.kernel import Actor, local_date
from tenants import current_tenant_id, current_transaction

_SIZES = """
SELECT id, closed_at, given, jsonb_array_length(roster -> 'candidates') AS people FROM pool_allocation
WHERE tenant_id = $1 AND pool_id = $2 AND state = 'committed' AND closed_at >= $3 AND closed_at < $4
ORDER BY closed_at, id
"""
_ROSTERS = "SELECT id, roster::text AS roster FROM pool_allocation WHERE tenant_id = $1 AND id = ANY ($2)"
_PICKS = """
SELECT p.allocation_id, p.place, p.customer_id, p.employee_id, p.state, p.facts::text AS facts, c.created_at,
       p.is_overflow,
       (SELECT max(o.ended_on) FROM ownership o
         WHERE o.tenant_id = $1 AND o.customer_id = p.customer_id AND o.ended_at <= a.closed_at) AS pooled_on,
       (SELECT max(o.ended_on) FROM ownership o
         WHERE o.tenant_id = $1 AND o.customer_id = p.customer_id AND o.started_at = a.closed_at
           AND o.start_kind = 'assign') AS held_until
FROM allocation_pick p
JOIN pool_allocation a ON a.tenant_id = $1 AND a.id = p.allocation_id
JOIN customer c ON c.tenant_id = $1 AND c.id = p.customer_id
WHERE p.tenant_id = $1 AND p.allocation_id = ANY ($2) ORDER BY p.allocation_id, p.place, p.customer_id
"""


@dataclass(frozen=True, slots=True)
class GivenSize:
    """An allocation that was committed on a day: how many customers it gave, how many people its roster lists."""

    allocation_id: UUID
    given_on: date
    given: int
    people: int


@dataclass(frozen=True, slots=True)
class GivenCustomer:
    """A customer that somebody got on a day, after so many days in the pool, and held until a day if not still."""

    customer_id: UUID
    given_on: date
    waited_days: int
    held_until: date | None


@dataclass(frozen=True, slots=True)
class GivenUnit:
    """Customers that went to one person together; `weights` are of all who could have had them."""

    weights: Mapping[UUID, int]
    employee_id: UUID
    customers: tuple[GivenCustomer, ...]


@dataclass(frozen=True, slots=True)
class DealtAgain:
    """The day each person of a roster was hired, as it was known then, and what was given, in the order of places."""

    hired_on: Mapping[UUID, date | None]
    units: tuple[GivenUnit, ...]


@dataclass(frozen=True, slots=True)
class GivenAllocation:
    """A committed allocation as it is kept; `dealt` brings it back, which takes time where there are many."""

    allocation_id: UUID
    given_on: date
    time_zone: str
    roster: str
    rows: tuple[asyncpg.Record, ...]

    def customers(self) -> Iterator[GivenCustomer]:
        """The customers that were given by the method, in the order of places."""
        return (self._customer(row) for row in self.rows if _is_by_method(row))

    def dealt(self) -> DealtAgain:
        """Whom it was dealt among, and what was given; what stayed in the pool or had changed is left out."""
        roster = restored_roster(self.allocation_id, self.roster, ()).roster
        return DealtAgain({each.employee_id: each.hired_on for each in roster.candidates}, tuple(self._units(roster)))

    def _units(self, roster: Roster) -> Iterator[GivenUnit]:
        places = [(place, list(rows)) for place, rows in groupby(self.rows, key=itemgetter("place"))]
        units = [
            DealtUnit(
                place,
                tuple(row["customer_id"] for row in rows),
                None if rows[0]["is_overflow"] else rows[0]["employee_id"],
                tuple(restored_facts(row["facts"]) for row in rows),
                None if (answer := restored_answer(rows[0]["facts"])) is None else answer.group,
            )
            for place, rows in places
        ]
        for (_, rows), weights in zip(places, chances(roster, units), strict=True):
            given = tuple(self._customer(row) for row in rows if _is_by_method(row))
            if given:
                yield GivenUnit(weights, rows[0]["employee_id"], given)

    def _customer(self, row: asyncpg.Record) -> GivenCustomer:
        since = row["pooled_on"] or local_date(row["created_at"], self.time_zone)
        waited = max(0, (self.given_on - since).days)
        return GivenCustomer(row["customer_id"], self.given_on, waited, row["held_until"])


def _is_by_method(row: asyncpg.Record) -> bool:
    """What overflows goes to one person by decision (P13), so that it tells nothing of how fair the method is."""
    return row["state"] == "given" and not row["is_overflow"]


async def require_audited_pool(actor: Actor, access: AccessTable, *, pool_id: UUID) -> None:
    """Refuse unless there is such a pool whose allocations the caller may see.

    :raises PoolNotFound: missing, another company's, or one whose allocations are not for the caller.
    """
    sql = _visible_pool_sql(access.visible("Allocation"))
    if not await current_transaction().fetchval(sql, current_tenant_id(), actor.employee_id, pool_id):
        raise PoolNotFound("customers.pool_not_found", field=("pool",))


@lru_cache(maxsize=64)
def _visible_pool_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(ALLOCATION_SCOPES, scopes, alias="a", tenant="$1", employee="me.id")
    return f"""
        SELECT true FROM (SELECT tenant_id, id AS pool_id FROM customer_pool) a CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE a.tenant_id = $1 AND a.pool_id = $3 AND {visible}
    """


async def measure_given(*, pool_id: UUID, first: date, last: date, time_zone: str) -> list[GivenSize]:
    """The pool's allocations that were committed on the days from `first` to `last`, in their order."""
    around = _instants_around(first, last)
    rows = await current_transaction().fetch(_SIZES, current_tenant_id(), pool_id, *around)
    sizes = (
        GivenSize(row["id"], local_date(row["closed_at"], time_zone), row["given"], row["people"] or 0) for row in rows
    )
    return [each for each in sizes if first <= each.given_on <= last]


def _instants_around(first: date, last: date) -> tuple[datetime, datetime]:
    """From when to when the days may lie in any time zone, as far as there are days."""
    begins = first - min(timedelta(days=1), first - date.min)
    ends = last + min(timedelta(days=2), date.max - last)
    return datetime.combine(begins, time.min, tzinfo=UTC), datetime.combine(ends, time.max, tzinfo=UTC)


async def find_given(sizes: Collection[GivenSize], *, time_zone: str) -> list[GivenAllocation]:
    """The allocations that were measured, with their rosters and picks; two statements, in the order of `sizes`."""
    ids = [each.allocation_id for each in sizes]
    transaction, tenant_id = current_transaction(), current_tenant_id()
    rosters = {row["id"]: row["roster"] for row in await transaction.fetch(_ROSTERS, tenant_id, ids)}
    rows = await transaction.fetch(_PICKS, tenant_id, ids)
    picks = {found: tuple(of) for found, of in groupby(rows, key=itemgetter("allocation_id"))}
    return [
        GivenAllocation(
            each.allocation_id, each.given_on, time_zone, rosters[each.allocation_id], picks[each.allocation_id]
        )
        for each in sizes
    ]


async def find_visible_receivers(actor: Actor, access: AccessTable, people: Collection[UUID]) -> set[UUID]:
    """Those of the people whose picks the caller may see."""
    sql = _visible_receivers_sql(access.visible("AllocationPick"))
    rows = await current_transaction().fetch(sql, current_tenant_id(), actor.employee_id, sorted(people))
    return {row["employee_id"] for row in rows}


@lru_cache(maxsize=64)
def _visible_receivers_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(PICK_SCOPES, scopes, alias="p", tenant="$1", employee="me.id")
    return f"""
        SELECT p.employee_id FROM (SELECT id AS employee_id, tenant_id FROM employee) p
        CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE p.tenant_id = $1 AND p.employee_id = ANY ($3) AND {visible}
    """
