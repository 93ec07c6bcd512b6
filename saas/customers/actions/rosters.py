"""The roster of an allocation, gathered from the database: who stands to receive which customers, and by what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from math import ceil
from sys import intern
from uuid import UUID

import asyncpg

from saas.customers.actions.absences import Absences, find_absences
from saas.customers.actions.frozen_rosters import Dealt, FrozenRoster, pooled_record
from saas.customers.actions.wishes import AT_ONCE, AllocationWish, Participant, is_large
from saas.customers.allocation import (
    GO_BY_FACTS,
    NOTHING_KNOWN,
    Candidate,
    CounterCycle,
    CustomerFacts,
    DepartmentRoom,
    Method,
    Roster,
    RosterImpossible,
    Trait,
    TraitKind,
    preferred_first,
    ramp_percent,
    with_department_shares,
)
from saas.customers.department_loads import find_loads
from saas.customers.moments import count_received
from saas.customers.queries import Pool, is_member_sql
from saas.customers.rules import cooldown_ends
from saas.customers.thresholds import Received, still_assignable
from saas.kernel import new_id
from saas.people import find_other_records
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
       served.last_at, coalesce(served.in_cycle, 0) AS in_cycle, coalesce(s.balance, 0) AS balance, s.turn,
       coalesce(v.calibration, 0) AS calibration, coalesce(v.priority, 0) AS priority,
       (SELECT coalesce(sum(k.customers), 0) FROM allocation_credit k WHERE k.tenant_id = $1 AND k.employee_id = e.id
        AND k.pool_id = p.id AND k.credited_on >= $5) AS credits,
       ARRAY(SELECT ARRAY[t.kind, t.value] FROM employee_trait t
             WHERE t.tenant_id = $1 AND t.employee_id = e.id) AS traits
FROM customer_pool p CROSS JOIN unnest($3::uuid[]) WITH ORDINALITY AS asked (id, place)
JOIN employee e ON e.tenant_id = $1 AND e.id = asked.id
LEFT JOIN pool_standing s ON s.tenant_id = $1 AND s.pool_id = p.id AND s.method = $4 AND s.employee_id = e.id
LEFT JOIN pool_standing v ON v.tenant_id = $1 AND v.pool_id = p.id AND v.method = 'level' AND v.employee_id = e.id
LEFT JOIN LATERAL (
    SELECT max(o.started_at) AS last_at, count(*) FILTER (WHERE o.started_on >= $5) AS in_cycle FROM ownership o
    WHERE o.tenant_id = $1 AND o.owner_id = e.id AND o.pool_id = p.id AND o.start_kind = 'assign'
) served ON true
WHERE p.tenant_id = $1 AND p.id = $2 ORDER BY asked.place
"""
_OLDEST = """
SELECT id, name, match_key, version, district_code, industry, source, level, language, required_skill, wanted_product
FROM customer
WHERE tenant_id = $1 AND pool_id = $2 AND owner_id IS NULL ORDER BY created_at, id LIMIT $3
"""
_WAITING = """
SELECT count(*) FROM (
    SELECT FROM customer WHERE tenant_id = $1 AND pool_id = $2 AND owner_id IS NULL LIMIT $3
) waiting
"""
_NAMED = """
SELECT c.id, c.name, c.match_key, c.version, c.district_code, c.industry, c.source, c.level, c.language,
       c.required_skill, c.wanted_product
FROM unnest($3::uuid[]) WITH ORDINALITY AS asked (id, place)
JOIN customer c ON c.tenant_id = $1 AND c.id = asked.id AND c.pool_id = $2 AND c.owner_id IS NULL
ORDER BY asked.place
"""
_COOLING = """
SELECT o.owner_id AS employee_id, o.customer_id FROM ownership o
JOIN customer c ON c.tenant_id = $1 AND c.id = o.customer_id AND c.pool_id = $4 AND c.owner_id IS NULL
WHERE o.tenant_id = $1 AND o.owner_id = ANY ($2) AND o.ended_on >= $3
"""
_COOLING_OF_DEPARTMENTS = """
SELECT e.id AS employee_id, o.customer_id FROM ownership o
JOIN customer c ON c.tenant_id = $1 AND c.id = o.customer_id AND c.pool_id = $4 AND c.owner_id IS NULL
JOIN employee e ON e.tenant_id = $1 AND e.id = ANY ($2)
    AND (e.department_id = o.owner_department_id OR e.id = o.owner_id)
WHERE o.tenant_id = $1 AND o.ended_on >= $3
"""
_TURNS = """
SELECT p.turn_after, p.allocations,
       (SELECT max(s.turn) FROM pool_standing s WHERE s.tenant_id = $1 AND s.pool_id = p.id) AS last_turn
FROM customer_pool p WHERE p.tenant_id = $1 AND p.id = $2
"""


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
    pool: Pool, wish: AllocationWish, *, allocation_id: UUID, seed: bytes | None, moment: datetime
) -> FrozenRoster:
    """Freeze who stands to receive what: the named customers of the pool, else the `take` that wait longest.

    `moment` is now in the company's time zone: its day is that of the allocation, its time says who is at work (P46).

    :raises RosterImpossible: a person or a customer is not there to be listed.
    """
    rows = await _customers(pool.id, wish.customer_ids, wish.take)
    dealt = _placed(rows, knows_facts=wish.method in GO_BY_FACTS)
    frozen = await gather_people(pool, wish, allocation_id=allocation_id, seed=seed, moment=moment)
    roster = replace(frozen.roster, customers=tuple(each.customer for each in dealt))
    if wish.method is Method.DRAW:
        roster = with_department_shares(roster)
    if wish.method is not Method.MATCH or wish.match is None:
        return replace(frozen, roster=roster, dealt=dealt)
    dealt = _in_order_of(preferred_first(roster), dealt)
    return replace(frozen, roster=replace(roster, customers=tuple(each.customer for each in dealt)), dealt=dealt)


async def gather_people(
    pool: Pool, wish: AllocationWish, *, allocation_id: UUID, seed: bytes | None, moment: datetime
) -> FrozenRoster:
    """As `gather_roster`, without a customer: enough to judge people, method and plan by.

    :raises RosterImpossible: a person is not there to be listed.
    """
    state = await current_transaction().fetchrow(_TURNS, current_tenant_id(), pool.id)
    assert state is not None, "the pool was found a moment ago"
    roster = Roster(
        allocation_id=allocation_id,
        day=moment.date(),
        method=wish.method,
        settings_version=pool.settings_version,
        candidates=await _candidates(pool, wish, wish.people, last_turn=state["last_turn"], moment=moment),
        customers=(),
        seed=seed,
        turn_after=state["turn_after"] if wish.method is Method.STRICT else None,
        performance=wish.plan if wish.method is Method.PERFORMANCE else None,
        newcomers=pool.settings.newcomer_floor(),
        match=wish.match if wish.method is Method.MATCH else None,
        rules=pool.settings.ordered_rules() if wish.method is Method.RULES else None,
        overflow=await _overflow(pool, wish, moment),
        local_time=f"{moment:%H:%M}",
    )
    return FrozenRoster(roster, (), state["allocations"])


async def _overflow(pool: Pool, wish: AllocationWish, moment: datetime) -> Candidate | None:
    """Who gets what thresholds keep from all others (P13): without a threshold, but with the bound of the wish."""
    assignee = pool.settings.assignment_overflow_to
    if assignee is None or not pool.settings.has_thresholds:
        return None
    asked = next((each for each in wish.people if each.employee_id == assignee), Participant(assignee))
    (found,) = await _candidates(pool, wish, [asked], last_turn=None, moment=moment)
    return replace(found, assignable=asked.most)


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


def _placed(rows: Iterable[asyncpg.Record], *, knows_facts: bool) -> tuple[Dealt, ...]:
    """Records of one company by their name, each group at the place of its first, by id as `PICKS` has them."""
    groups: dict[str, list[asyncpg.Record]] = {}
    for row in rows:
        groups.setdefault(row["match_key"], []).append(row)
    return tuple(
        Dealt(
            new_id(),
            place,
            pooled_record(
                row["id"],
                masked_name(row["name"]),
                place,
                is_alone=len(group) == 1,
                facts=_facts(row) if knows_facts else NOTHING_KNOWN,
            ),
            row["version"],
        )
        for place, group in enumerate(groups.values())
        for row in sorted(group, key=lambda each: each["id"])
    )


def _facts(row: asyncpg.Record) -> CustomerFacts:
    return CustomerFacts(
        territory=row["district_code"],
        industry=row["industry"],
        source=row["source"],
        level=row["level"],
        language=row["language"],
        skill=row["required_skill"],
        product=row["wanted_product"],
    )


def _in_order_of(roster: Roster, dealt: Iterable[Dealt]) -> tuple[Dealt, ...]:
    """What is dealt, at the places that the roster's units have."""
    places = {record.customer_id: unit.place for unit in roster.units() for record in unit.records}
    moved = []
    for each in dealt:
        place, customer = places[each.customer.customer_id], each.customer
        group = None if customer.match_group is None else str(place)
        moved.append(replace(each, place=place, customer=replace(customer, match_group=group)))
    return tuple(sorted(moved, key=lambda each: (each.place, each.customer.customer_id)))


def masked_name(name: str) -> str:
    """The beginning of a customer's name, as everybody may see it; kept once, since many begin alike."""
    return intern(f"{name[:LABEL_SHOWN]}＊＊")


async def _candidates(
    pool: Pool, wish: AllocationWish, people: Sequence[Participant], *, last_turn: int | None, moment: datetime
) -> tuple[Candidate, ...]:
    asked, day = {each.employee_id: each for each in people}, moment.date()
    rows = await current_transaction().fetch(
        _PEOPLE, current_tenant_id(), pool.id, list(asked), wish.method.value, _cycle_first(pool, day)
    )
    if len(rows) < len(people):
        raise RosterImpossible(
            "customers.roster_people_missing", {"missing": len(people) - len(rows)}, field=("people",)
        )
    cooling = await _in_cooldown(pool, list(asked), day, is_on_arrival=wish.is_on_arrival)
    limited = await find_loads(pool.settings, {each for row in rows for each in row["departments"]})
    rooms = {key: DepartmentRoom(key, load.name, load.limit, load.holding) for key, load in limited.items()}
    received = await count_received(pool, list(asked), day=day) if pool.settings.has_thresholds else {}
    absences = await find_absences(pool, wish.method, list(asked), moment=moment)
    free_turn = 0 if last_turn is None else last_turn + 1
    candidates = []
    for row in rows:
        turn = row["turn"]
        if turn is None:
            turn, free_turn = free_turn, free_turn + 1
        person = asked[row["id"]]
        left = still_assignable(pool.settings, row["id"], received.get(row["id"], Received()))
        given = [most for most in (person.most, left) if most is not None]
        person = replace(person, most=min(given, default=None))
        found = _candidate(row, person, pool, cooling.get(row["id"], frozenset()), turn, day)
        shared = tuple(rooms[each] for each in row["departments"] if each in rooms)
        found = _with_absence(found, row, pool, absences, keeps_hours=wish.keeps_hours)
        candidates.append(replace(found, departments=shared))
    return tuple(candidates)


async def _in_cooldown(
    pool: Pool, employee_ids: list[UUID], day: date, *, is_on_arrival: bool
) -> dict[UUID, frozenset[UUID]]:
    """Which of the pool's customers each person owned so lately that the cooldown runs on that day (P34).

    An allocation is of a day: a cooldown in hours holds for every day that it reaches into. What arrives goes on that
    day to nobody who lost it then, though the pool has no cooldown: it would go round.
    """
    settings = pool.settings
    hours = ceil((settings.cooldown_hours or 0) / 24)
    days = max(settings.cooldown_days, hours)
    since = day - timedelta(days=days)
    if cooldown_ends(since, days) is None and not is_on_arrival:
        return {}
    sql = _COOLING_OF_DEPARTMENTS if settings.cooldown_of_department else _COOLING
    others = await find_other_records(employee_ids)
    people = list({*employee_ids, *others})
    rows = await current_transaction().fetch(sql, current_tenant_id(), people, since, pool.id)
    found: dict[UUID, set[UUID]] = {}
    for row in rows:
        for who in {row["employee_id"], *others.get(row["employee_id"], ())}:
            found.setdefault(who, set()).add(row["customer_id"])
    return {owner_id: frozenset(customers) for owner_id, customers in found.items()}


def _candidate(
    row: asyncpg.Record, asked: Participant, pool: Pool, cooling: frozenset[UUID], turn: int, day: date
) -> Candidate:
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
        calibration=row["calibration"],
        credits=row["credits"],
        priority=row["priority"],
        traits=frozenset(Trait(TraitKind(kind), value) for kind, value in row["traits"]),
        ramp_percent=ramp_percent(pool.settings.weight_ramp_percents, row["hired_on"], day),
    )


def _with_absence(
    found: Candidate, row: asyncpg.Record, pool: Pool, absences: Absences, *, keeps_hours: bool
) -> Candidate:
    return replace(
        found,
        is_on_leave=found.employee_id in absences.on_leave,
        is_off_hours=keeps_hours and absences.is_off_hours(pool, found.employee_id, row["departments"]),
        missed=absences.missed.get(found.employee_id),
    )


def _cycle_first(pool: Pool, day: date) -> date:
    """From when on the pool counts what was assigned (P47)."""
    return CounterCycle(pool.settings.counter_cycle).first(day)
