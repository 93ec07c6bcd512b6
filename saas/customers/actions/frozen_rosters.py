"""The roster of an allocation, frozen as JSON beside its picks, and brought back.

What is brought back is equal to what was frozen, so the same allocation can be computed again years later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from sys import intern
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from saas.customers.actions.wishes import plain_match, plain_plan, restored_match, restored_plan
from saas.customers.allocation import (
    AllocationRule,
    Candidate,
    Condition,
    CustomerFacts,
    DepartmentRoom,
    Method,
    Missed,
    NewcomerFloor,
    OrderedRules,
    PluginMethod,
    PluginPlace,
    PooledCustomer,
    Roster,
    Trait,
    TraitKind,
)
from tenants import current_tenant_id, current_transaction

PICKS = """
SELECT id, place, customer_id, customer_version, label, facts::text AS facts FROM allocation_pick
WHERE tenant_id = $1 AND allocation_id = $2 ORDER BY place, customer_id
"""
_ROSTER = "SELECT roster::text FROM pool_allocation WHERE tenant_id = $1 AND id = $2"


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

    def with_customers(self, roster: Roster) -> FrozenRoster:
        """The same with a roster of the same customers, of whom more is known."""
        known = {each.customer_id: each for each in roster.customers}
        dealt = tuple(replace(each, customer=known[each.customer.customer_id]) for each in self.dealt)
        return FrozenRoster(roster, dealt, self.allocations)


def pooled_record(
    customer_id: UUID,
    label: str,
    place: int,
    *,
    is_alone: bool,
    facts: CustomerFacts,
    answer: PluginPlace | None = None,
) -> PooledCustomer:
    """A customer at its place; `is_alone` where no other record of its company stands there."""
    return PooledCustomer(customer_id, label, None if is_alone else str(place), facts, answer)


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
        "newcomers": None if roster.newcomers is None else asdict(roster.newcomers),
        "match": None if roster.match is None else plain_match(roster.match),
        "rules": None if roster.rules is None else plain_rules(roster.rules),
        "plugin": None if roster.plugin is None else _plain_plugin(roster.plugin),
        "local_time": roster.local_time,
        "candidates": [_plain_candidate(each) for each in roster.candidates],
        "overflow": None if roster.overflow is None else _plain_candidate(roster.overflow),
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
        "calibration": each.calibration,
        "credits": each.credits,
        "priority": each.priority,
        "ramp_percent": each.ramp_percent,
        "traits": sorted([trait.kind.value, trait.value] for trait in each.traits),
        **_plain_departments(each),
        "is_on_leave": each.is_on_leave,
        "is_off_hours": each.is_off_hours,
        "missed": None if each.missed is None else _plain_missed(each.missed),
    }


def _plain_departments(each: Candidate) -> dict[str, Any]:
    """Nothing where no department of the person is limited."""
    if not each.departments:
        return {}
    rooms = [[str(room.department_id), room.name, room.limit, room.holding] for room in each.departments]
    return {"departments": rooms, "department_share": each.department_share}


def _plain_missed(missed: Missed) -> dict[str, Any]:
    return {**asdict(missed), "first": missed.first.isoformat(), "last": missed.last.isoformat()}


def _restored_missed(plain: Mapping[str, Any] | None) -> Missed | None:
    if plain is None:
        return None
    days = {name: date.fromisoformat(plain[name]) for name in ("first", "last")}
    return Missed(**{**plain, **days})


def _plain_plugin(method: PluginMethod) -> dict[str, Any]:
    return {**asdict(method), "groups": [sorted(map(str, each)) for each in method.groups]}


def _restored_plugin(plain: Mapping[str, Any]) -> PluginMethod:
    groups = tuple(frozenset(map(UUID, each)) for each in plain["groups"])
    return PluginMethod(plain["plugin"], plain["version"], plain["method"], groups)


def plain_rules(rules: OrderedRules) -> dict[str, Any]:
    """Ordered rules as JSON values."""
    owner = rules.default_owner
    return {"rules": [_plain_rule(each) for each in rules.rules], "default": None if owner is None else str(owner)}


def _plain_rule(rule: AllocationRule) -> dict[str, Any]:
    return {
        "title": rule.title,
        "conditions": [[each.kind.value, list(each.values)] for each in rule.conditions],
        "people": [str(each) for each in rule.people],
        "then": rule.then.value,
    }


def restored_rules(plain: Mapping[str, Any]) -> OrderedRules:
    """The rules that `plain_rules` described."""
    owner = plain["default"]
    return OrderedRules(tuple(map(_restored_rule, plain["rules"])), None if owner is None else UUID(owner))


def _restored_rule(plain: Mapping[str, Any]) -> AllocationRule:
    conditions = tuple(Condition(TraitKind(kind), tuple(values)) for kind, values in plain["conditions"])
    return AllocationRule(plain["title"], conditions, tuple(map(UUID, plain["people"])), Method(plain["then"]))


def plain_facts(customer: PooledCustomer) -> str | None:
    """What is known of a customer, and what a plugin answered about it, as JSON; None where it is nothing."""
    plain: dict[str, Any] = {} if customer.facts == CustomerFacts() else asdict(customer.facts)
    if (answer := customer.answer) is not None:
        to = None if answer.employee_id is None else str(answer.employee_id)
        plain["answer"] = [to, answer.group, answer.key, dict(answer.args)]
    return json.dumps(plain, ensure_ascii=False) if plain else None


@lru_cache(maxsize=4096)
def restored_facts(text: str | None) -> CustomerFacts:
    """What `plain_facts` wrote; kept once, since many customers are alike."""
    plain = {} if text is None else json.loads(text)
    plain.pop("answer", None)
    return CustomerFacts(**plain)


def restored_answer(text: str | None) -> PluginPlace | None:
    """What a plugin answered, as `plain_facts` wrote it."""
    answer = None if text is None else json.loads(text).get("answer")
    if answer is None:
        return None
    to, group, key, args = answer
    return PluginPlace(None if to is None else UUID(to), group, key, args)


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
            pooled_record(
                pick["customer_id"],
                intern(pick["label"]),
                pick["place"],
                is_alone=sizes[pick["place"]] == 1,
                facts=restored_facts(pick["facts"]),
                answer=restored_answer(pick["facts"]) if plain.get("plugin") else None,
            ),
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
        match=None if plain.get("match") is None else restored_match(plain["match"]),
        rules=None if plain.get("rules") is None else restored_rules(plain["rules"]),
        plugin=None if plain.get("plugin") is None else _restored_plugin(plain["plugin"]),
        newcomers=NewcomerFloor(**guaranteed) if (guaranteed := plain.get("newcomers")) else None,
        overflow=None if plain.get("overflow") is None else _restored_candidate(plain["overflow"]),
        local_time=plain.get("local_time"),
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
            "traits": frozenset(Trait(TraitKind(kind), value) for kind, value in plain.get("traits", ())),
            "departments": tuple(DepartmentRoom(UUID(key), *room) for key, *room in plain.get("departments", ())),
            "missed": _restored_missed(plain.get("missed")),
        }
    )
