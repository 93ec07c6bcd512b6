"""The roster of an allocation: gathered from the database, frozen as JSON beside its picks, and brought back.

What is brought back is equal to what was frozen, so the same allocation can be computed again years later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from sys import intern
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from saas.customers.actions.wishes import AT_ONCE, AllocationWish, Participant, is_large, plain_plan, restored_plan
from saas.customers.allocation import Candidate, Method, PooledCustomer, Roster, RosterImpossible
from saas.customers.queries import Pool, is_member_sql
from saas.customers.rules import cooldown_ends
from saas.kernel import new_id
from tenants import current_tenant_id, current_transaction

PEOPLE_MAX = 500
CUSTOMERS_MAX = 100_000
LABEL_SHOWN = 2

_PEOPLE = f"""
SELECT e.id, e.name, e.hired_on,
       e.status = 'active' AND {is_member_sql(employee="e.id", department="e.department_id")} AS is_enabled,
       (SELECT count(*) FROM customer c WHERE c.tenant_id = $1 AND c.owner_id = e.id
        AND counts_as_held(c.last_deal_on, c.level, c.source, c.industry, p.holding_rules)) AS holding,
       ARRAY(SELECT u.ancestor_id FROM department_closure u WHERE u.tenant_id = $1
             AND u.descendant_id = e.department_id ORDER BY u.depth, u.ancestor_id) AS departments,
       served.last_at, coalesce(served.in_cycle, 0) AS in_cycle, coalesce(s.balance, 0) AS balance, s.turn
FROM customer_pool p CROSS JOIN unnest($3::uuid[]) WITH ORDINALITY AS asked (id, place)
JOIN employee e ON e.tenant_id = $1 AND e.id = asked.id
LEFT JOIN pool_standing s ON s.tenant_id = $1 AND s.pool_id = p.id AND s.method = $4 AND s.employee_id = e.id
LEFT JOIN LATERAL (
    SELECT max(o.started_at) AS last_at, count(*) FILTER (WHERE o.started_on >= $5) AS in_cycle FROM ownership o
    WHERE o.tenant_id = $1 AND o.owner_id = e.id AND o.pool_id = p.id AND o.start_kind = 'assign'
) served ON true
WHERE p.tenant_id = $1 AND p.id = $2 ORDER BY asked.place
"""
_OLDEST = """
SELECT id, name, match_key, version FROM customer
WHERE tenant_id = $1 AND pool_id = $2 AND owner_id IS NULL ORDER BY created_at, id LIMIT $3
"""
_WAITING = """
SELECT count(*) FROM (
    SELECT FROM customer WHERE tenant_id = $1 AND pool_id = $2 AND owner_id IS NULL LIMIT $3
) waiting
"""
_NAMED = """
SELECT c.id, c.name, c.match_key, c.version FROM unnest($3::uuid[]) WITH ORDINALITY AS asked (id, place)
JOIN customer c ON c.tenant_id = $1 AND c.id = asked.id AND c.pool_id = $2 AND c.owner_id IS NULL
ORDER BY asked.place
"""
_COOLING = """
SELECT o.owner_id, o.customer_id FROM ownership o
JOIN customer c ON c.tenant_id = $1 AND c.id = o.customer_id AND c.pool_id = $4 AND c.owner_id IS NULL
WHERE o.tenant_id = $1 AND o.owner_id = ANY ($2) AND o.ended_on >= $3
"""
PICKS = """
SELECT id, place, customer_id, customer_version, label FROM allocation_pick
WHERE tenant_id = $1 AND allocation_id = $2 ORDER BY place, customer_id
"""
_ROSTER = "SELECT roster::text FROM pool_allocation WHERE tenant_id = $1 AND id = $2"
_TURNS = """
SELECT p.turn_after, p.allocations,
       (SELECT max(s.turn) FROM pool_standing s WHERE s.tenant_id = $1 AND s.pool_id = p.id) AS last_turn
FROM customer_pool p WHERE p.tenant_id = $1 AND p.id = $2
"""


@dataclass(frozen=True, slots=True)
class Dealt:
    """A customer as it was when the roster was frozen; records of one company share a `place`.

    `pick_id` is the row that tells where it goes.
    """

    pick_id: UUID
    place: int
    customer: PooledCustomer
    version: int


@dataclass(frozen=True, slots=True)
class FrozenRoster:
    """A roster with what the commit checks: each customer's version, and how many allocations the pool had seen."""

    roster: Roster
    dealt: tuple[Dealt, ...]
    allocations: int


def refuse_sizes(wish: AllocationWish) -> None:
    """Refuse what no roster holds.

    :raises RosterImpossible: there are too many people or customers, or none.
    """
    for what, given, most in (("people", len(wish.people), PEOPLE_MAX), ("customers", wish.size, CUSTOMERS_MAX)):
        if not 1 <= given <= most:
            raise RosterImpossible("customers.roster_too_long", {"given": given, "most": most}, field=(what,))


async def is_for_a_job(pool_id: UUID, wish: AllocationWish) -> bool:
    """Whether the wish is for more customers than a request deals, as far as the pool has them."""
    if wish.customer_ids is not None or not is_large(wish.take):
        return is_large(wish.size)
    waiting = await current_transaction().fetchval(_WAITING, current_tenant_id(), pool_id, AT_ONCE + 1)
    return is_large(waiting)


async def gather_roster(
    pool: Pool, wish: AllocationWish, *, allocation_id: UUID, seed: bytes | None, day: date
) -> FrozenRoster:
    """Freeze who stands to receive what: the named customers of the pool, else the `take` that wait longest.

    :raises RosterImpossible: a person or a customer is not there to be listed.
    """
    dealt = _placed(await _customers(pool.id, wish.customer_ids, wish.take))
    frozen = await gather_people(pool, wish, allocation_id=allocation_id, seed=seed, day=day)
    roster = replace(frozen.roster, customers=tuple(each.customer for each in dealt))
    return replace(frozen, roster=roster, dealt=dealt)


async def gather_people(
    pool: Pool, wish: AllocationWish, *, allocation_id: UUID, seed: bytes | None, day: date
) -> FrozenRoster:
    """As `gather_roster`, without a customer: enough to judge people, method and plan by.

    :raises RosterImpossible: a person is not there to be listed.
    """
    state = await current_transaction().fetchrow(_TURNS, current_tenant_id(), pool.id)
    assert state is not None, "the pool was found a moment ago"
    roster = Roster(
        allocation_id=allocation_id,
        day=day,
        method=wish.method,
        settings_version=pool.settings_version,
        candidates=await _candidates(pool, wish.method, wish.people, last_turn=state["last_turn"], day=day),
        customers=(),
        seed=seed,
        turn_after=state["turn_after"] if wish.method is Method.STRICT else None,
        performance=wish.plan if wish.method is Method.PERFORMANCE else None,
    )
    return FrozenRoster(roster, (), state["allocations"])


async def _customers(pool_id: UUID, customer_ids: Sequence[UUID] | None, take: int) -> list[asyncpg.Record]:
    transaction, tenant_id = current_transaction(), current_tenant_id()
    if customer_ids is None:
        return await transaction.fetch(_OLDEST, tenant_id, pool_id, take)
    wanted = list(dict.fromkeys(customer_ids))
    rows = await transaction.fetch(_NAMED, tenant_id, pool_id, wanted)
    if len(rows) < len(wanted):
        missing = {"missing": len(wanted) - len(rows)}
        raise RosterImpossible("customers.roster_customers_missing", missing, field=("customers",))
    return rows


def _placed(rows: Iterable[asyncpg.Record]) -> tuple[Dealt, ...]:
    """Records of one company by their name, each group at the place of its first, by id as `PICKS` has them."""
    groups: dict[str, list[asyncpg.Record]] = {}
    for row in rows:
        groups.setdefault(row["match_key"], []).append(row)
    return tuple(
        Dealt(
            new_id(),
            place,
            _pooled(row["id"], masked_name(row["name"]), place, is_alone=len(group) == 1),
            row["version"],
        )
        for place, group in enumerate(groups.values())
        for row in sorted(group, key=lambda each: each["id"])
    )


def _pooled(customer_id: UUID, label: str, place: int, *, is_alone: bool) -> PooledCustomer:
    return PooledCustomer(customer_id, label, None if is_alone else str(place))


def masked_name(name: str) -> str:
    """The beginning of a customer's name, as everybody may see it; kept once, since many begin alike."""
    return intern(f"{name[:LABEL_SHOWN]}＊＊")


async def _candidates(
    pool: Pool, method: Method, people: Sequence[Participant], *, last_turn: int | None, day: date
) -> tuple[Candidate, ...]:
    asked = {each.employee_id: each for each in people}
    rows = await current_transaction().fetch(
        _PEOPLE, current_tenant_id(), pool.id, list(asked), method.value, day.replace(day=1)
    )
    if len(rows) < len(people):
        raise RosterImpossible(
            "customers.roster_people_missing", {"missing": len(people) - len(rows)}, field=("people",)
        )
    cooling = await _in_cooldown(pool, list(asked), day)
    free_turn = 0 if last_turn is None else last_turn + 1
    candidates = []
    for row in rows:
        turn = row["turn"]
        if turn is None:
            turn, free_turn = free_turn, free_turn + 1
        candidates.append(_candidate(row, asked[row["id"]], pool, cooling.get(row["id"], frozenset()), turn))
    return tuple(candidates)


async def _in_cooldown(pool: Pool, employee_ids: list[UUID], day: date) -> dict[UUID, frozenset[UUID]]:
    """Which of the pool's customers each person owned so lately that the cooldown runs on that day (P34)."""
    days = pool.settings.cooldown_days
    since = day - timedelta(days=days)
    if cooldown_ends(since, days) is None:
        return {}
    rows = await current_transaction().fetch(_COOLING, current_tenant_id(), employee_ids, since, pool.id)
    found: dict[UUID, set[UUID]] = {}
    for row in rows:
        found.setdefault(row["owner_id"], set()).add(row["customer_id"])
    return {owner_id: frozenset(customers) for owner_id, customers in found.items()}


def _candidate(row: asyncpg.Record, asked: Participant, pool: Pool, cooling: frozenset[UUID], turn: int) -> Candidate:
    return Candidate(
        employee_id=row["id"],
        name=row["name"],
        holding=row["holding"],
        holding_limit=pool.settings.limit_of(row["id"], row["departments"]),
        assignable=asked.most,
        assigned_in_cycle=row["in_cycle"],
        last_served_at=row["last_at"],
        hired_on=row["hired_on"],
        attainment=asked.attainment,
        weight=asked.weight,
        balance=row["balance"],
        turn=turn,
        is_enabled=row["is_enabled"],
        is_absent=asked.is_absent,
        cooldown_customers=cooling,
    )


def plain_roster(frozen: FrozenRoster) -> dict[str, Any]:
    """What is kept of a roster as JSON; its customers are kept as picks."""
    roster = frozen.roster
    return {
        "day": roster.day.isoformat(),
        "method": roster.method.value,
        "method_version": roster.method_version,
        "settings_version": roster.settings_version,
        "allocations": frozen.allocations,
        "turn_after": roster.turn_after,
        "seed": None if roster.seed is None else roster.seed.hex(),
        "performance": None if roster.performance is None else plain_plan(roster.performance),
        "candidates": [_plain_candidate(each) for each in roster.candidates],
    }


def _plain_candidate(each: Candidate) -> dict[str, Any]:
    return {
        "employee_id": str(each.employee_id),
        "name": each.name,
        "holding": each.holding,
        "holding_limit": each.holding_limit,
        "assignable": each.assignable,
        "assigned_in_cycle": each.assigned_in_cycle,
        "last_served_at": None if each.last_served_at is None else each.last_served_at.isoformat(),
        "hired_on": None if each.hired_on is None else each.hired_on.isoformat(),
        "attainment": None if each.attainment is None else str(each.attainment),
        "weight": each.weight,
        "balance": str(each.balance),
        "turn": each.turn,
        "is_enabled": each.is_enabled,
        "is_absent": each.is_absent,
        "cooldown_customers": sorted(map(str, each.cooldown_customers)),
    }


def restored_roster(allocation_id: UUID, text: str, picks: Sequence[asyncpg.Record]) -> FrozenRoster:
    """The roster that was frozen, from its JSON and its rows of `PICKS`."""
    plain = json.loads(text)
    sizes: dict[int, int] = {}
    for pick in picks:
        sizes[pick["place"]] = sizes.get(pick["place"], 0) + 1
    dealt = tuple(
        Dealt(
            pick["id"],
            pick["place"],
            _pooled(pick["customer_id"], intern(pick["label"]), pick["place"], is_alone=sizes[pick["place"]] == 1),
            pick["customer_version"],
        )
        for pick in picks
    )
    roster = replace(_restored_people(allocation_id, plain), customers=tuple(each.customer for each in dealt))
    return FrozenRoster(roster, dealt, plain["allocations"])


async def roster_about(allocation_id: UUID, customer_ids: Iterable[UUID]) -> Roster:
    """The roster of a plan without its customers, and of cooldowns without those that are of others than these.

    Cooldowns may be of as many customers as the pool has: to bring them all back would take longer than all else.
    """
    text = await current_transaction().fetchval(_ROSTER, current_tenant_id(), allocation_id)
    plain, about = orjson.loads(text), {str(each) for each in customer_ids}
    for candidate in plain["candidates"]:
        candidate["cooldown_customers"] = about.intersection(candidate["cooldown_customers"])
    return _restored_people(allocation_id, plain)


def _restored_people(allocation_id: UUID, plain: Mapping[str, Any]) -> Roster:
    """The roster but for its customers."""
    return Roster(
        allocation_id=allocation_id,
        day=date.fromisoformat(plain["day"]),
        method=Method(plain["method"]),
        settings_version=plain["settings_version"],
        candidates=tuple(_restored_candidate(each) for each in plain["candidates"]),
        customers=(),
        seed=None if plain["seed"] is None else bytes.fromhex(plain["seed"]),
        method_version=plain["method_version"],
        turn_after=plain["turn_after"],
        performance=None if plain["performance"] is None else restored_plan(plain["performance"]),
    )


def _restored_candidate(plain: Mapping[str, Any]) -> Candidate:
    last, hired, attainment = plain["last_served_at"], plain["hired_on"], plain["attainment"]
    return Candidate(
        **{
            **plain,
            "employee_id": UUID(plain["employee_id"]),
            "last_served_at": None if last is None else datetime.fromisoformat(last),
            "hired_on": None if hired is None else date.fromisoformat(hired),
            "attainment": None if attainment is None else Decimal(attainment),
            "balance": Decimal(plain["balance"]),
            "cooldown_customers": frozenset(map(UUID, plain["cooldown_customers"])),
        }
    )
