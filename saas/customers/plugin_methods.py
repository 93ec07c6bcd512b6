"""A plugin's method of allocation: asked with a frozen roster, its answer checked and frozen with the roster.

So what was planned is given, and explained, and dealt again years later, whether the plugin is there or not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from saas.customers.allocation import PluginMethod, PluginPlace, PooledCustomer, Roster, RosterImpossible
from saas.customers.allocation.dealing import Table
from saas.customers.allocation.newcomers import Guarantee, guarantee_of
from saas.customers.allocation.roster import Candidate, Unit
from saas.customers.hooks import (
    AllocationCustomer,
    AllocationFacts,
    AllocationPerson,
    AllocationPlace,
    AllocationTogether,
)
from saas.extensions import PluginFailed, PluginHost, PluginNotEnabled, TenantPlugins
from saas.kernel import EXACT

HOOK = "allocation_method"
LONGEST = timedelta(minutes=4)
"""How long a plugin may take for both answers together: an allocation of 100,000 customers has a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class PluginMethods:
    """The methods of the plugins that a company has enabled."""

    host: PluginHost
    enabled: TenantPlugins
    longest: timedelta = LONGEST

    def unanswered(self, roster: Roster, wanted: tuple[str, str]) -> Roster:
        """The roster of an allocation about which the plugin is to be asked later: enough to judge the people by.

        :raises PluginNotEnabled: the company has no such plugin.
        """
        plugin, method = wanted
        self._require_enabled(plugin)
        return replace(roster, plugin=PluginMethod(plugin, "", method, ()))

    async def answered_in_time(self, roster: Roster, wanted: tuple[str, str]) -> Roster:
        """As `answered`, in a thread, so that others go on. A plugin that takes too long is waited for no longer; its
        thread ends when the plugin does, which nothing can hurry.

        :raises PluginFailed: as `answered`, or it took longer than `longest`.
        """
        plugin, method = wanted
        try:
            async with asyncio.timeout(self.longest.total_seconds()):
                return await asyncio.to_thread(self.answered, roster, plugin=plugin, method=method)
        except TimeoutError:
            seconds = f"{self.longest.total_seconds():g}"
            raise PluginFailed(plugin, HOOK, f"took longer than {seconds} seconds") from None

    def _require_enabled(self, plugin: str) -> None:
        if plugin not in self.enabled.settings and plugin not in self.enabled.unusable:
            raise PluginNotEnabled("extensions.plugin_not_enabled", {"plugin": plugin[:40]}, field=("plugin",))

    def answered(self, roster: Roster, *, plugin: str, method: str) -> Roster:
        """The roster with where the plugin's method puts its customers.

        :raises PluginNotEnabled: the company has no such plugin.
        :raises RosterImpossible: the plugin has no such method.
        :raises PluginFailed: it raised, or its answer can't be given: the error names it and the fact.
        :raises PluginUnusable: it can't be asked.
        """
        self._require_enabled(plugin)
        asked = _Asked.of(roster, method)
        places = self._places(plugin, asked.facts)
        if places != self._places(plugin, asked.facts):
            raise PluginFailed(plugin, HOOK, "answered differently when it was asked again")
        fault = next(asked.faults(places), None)
        if fault is not None:
            raise PluginFailed(plugin, HOOK, fault)
        version = self.host.manifest(plugin).version
        return asked.with_answer(places, plugin=plugin, version=version)

    def _places(self, plugin: str, facts: AllocationFacts) -> dict[int, AllocationPlace]:
        """The plugin's answer by place; only the one plugin is asked."""
        alone = TenantPlugins(
            {name: settings for name, settings in self.enabled.settings.items() if name == plugin},
            {name: key for name, key in self.enabled.unusable.items() if name == plugin},
        )
        answer = self.host.first(HOOK, alone, facts=facts)
        if answer is None:
            told = {"plugin": plugin, "method": facts.method[:40]}
            raise RosterImpossible("customers.plugin_method_unknown", told, field=("plugin",))
        given: tuple[AllocationPlace, ...] = answer[1].places
        places = {each.place: each for each in given}
        if len(places) < len(given) or places.keys() != {each.place for each in facts.customers}:
            raise PluginFailed(plugin, HOOK, f"answered {len(given)} places for {len(facts.customers)} customers")
        return places


@dataclass(frozen=True, slots=True)
class _Asked:
    """A roster as a plugin is asked about it."""

    roster: Roster
    units: tuple[Unit, ...]
    seats: tuple[Candidate, ...]
    guarantee: Guarantee
    facts: AllocationFacts

    @classmethod
    def of(cls, roster: Roster, method: str) -> _Asked:
        units = roster.units()
        seats = Table(roster, units, needs_weight=False).seats
        guarantee = guarantee_of(roster, seats)
        people = tuple(_person(lot, each, guarantee) for lot, each in enumerate(seats))
        barred = _barred(seats)
        customers = tuple(_customer(unit, barred) for unit in units)
        facts = AllocationFacts(method, roster.day, people, customers, _together(seats))
        return cls(roster, units, seats, guarantee, facts)

    def faults(self, places: Mapping[int, AllocationPlace]) -> Iterator[str]:
        """What is wrong with an answer."""
        people = {each.employee_id: each for each in self.facts.people}
        got: Counter[UUID] = Counter()
        for customer in self.facts.customers:
            place = places[customer.place]
            if place.employee_id is None:
                continue
            if place.employee_id not in people or place.employee_id in customer.barred:
                yield f"gave place {customer.place} to somebody who may not have it"
                return
            if place.employee_id not in place.people:
                yield f"gave place {customer.place} to somebody it was not for"
            got[place.employee_id] += customer.size
        for employee_id, count in got.items():
            room = people[employee_id].room
            if room is not None and count > room:
                yield f"gave {count} customers where there is room for {room}"
        full = set[UUID]()
        for shared in self.facts.together:
            count = sum(got[each] for each in shared.people)
            if count > shared.room:
                yield f"gave a department {count} customers where there is room for {shared.room}"
            full |= shared.people if count >= shared.room else set()
        yield from self._short(places, full)

    def _short(self, places: Mapping[int, AllocationPlace], full: Collection[UUID]) -> Iterator[str]:
        """Newcomers who got less than is guaranteed of what was for them, though they had room and were not barred."""
        for who in (self.seats[seat] for seat in sorted(self.guarantee.newcomers)):
            if who.employee_id in full:
                continue
            mine = [
                each
                for each in self.facts.customers
                if who.employee_id in places[each.place].people and who.employee_id not in each.barred
            ]
            least = int(self.guarantee.rate * len(mine))
            turns = sum(places[each.place].employee_id == who.employee_id for each in mine)
            if turns < (least if who.room is None else min(least, who.room)):
                yield f"gave a newcomer {turns} of {len(mine)} customers; {least} are guaranteed"

    def with_answer(self, places: Mapping[int, AllocationPlace], *, plugin: str, version: str) -> Roster:
        """The roster with the answer on each customer."""
        groups: dict[frozenset[UUID], int] = {}
        customers: dict[UUID, PooledCustomer] = {}
        for unit in self.units:
            place = places[unit.place]
            group = groups.setdefault(place.people, len(groups))
            answer = PluginPlace(place.employee_id, group, place.key, dict(place.args))
            customers |= {each.customer_id: replace(each, answer=answer) for each in unit.records}
        method = PluginMethod(plugin, version, self.facts.method, tuple(groups))
        kept = tuple(customers[each.customer_id] for each in self.roster.customers)
        return replace(self.roster, customers=kept, plugin=method)


def _person(lot: int, each: Candidate, guarantee: Guarantee) -> AllocationPerson:
    rate = guarantee.rate * 100 if lot in guarantee.newcomers else guarantee.rate * 0
    percent = EXACT.divide(Decimal(rate.numerator), Decimal(rate.denominator))
    weight = each.weight * each.ramp_percent
    return AllocationPerson(each.employee_id, lot, each.room, each.assigned_in_cycle, weight, each.hired_on, percent)


def _together(seats: Sequence[Candidate]) -> tuple[AllocationTogether, ...]:
    rooms = dict.fromkeys(room for each in seats for room in each.departments)
    return tuple(
        AllocationTogether(frozenset(each.employee_id for each in seats if room in each.departments), room.room)
        for room in rooms
    )


def _barred(seats: Sequence[Candidate]) -> dict[UUID, set[UUID]]:
    """Who owned a customer too lately, by the customer."""
    found: dict[UUID, set[UUID]] = {}
    for each in seats:
        for customer_id in each.cooldown_customers:
            found.setdefault(customer_id, set()).add(each.employee_id)
    return found


def _customer(unit: Unit, barred: Mapping[UUID, set[UUID]]) -> AllocationCustomer:
    known = unit.records[0].facts
    out = frozenset().union(*(barred.get(each.customer_id, ()) for each in unit.records))
    return AllocationCustomer(
        unit.place, len(unit.records), known.territory, known.industry, known.source, known.level, out
    )
