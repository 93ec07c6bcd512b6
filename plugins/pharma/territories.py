"""Hospitals by territory and level: whoever of the territory has had least work gets the next. Pure.

A hospital counts as much work as its level says (三级甲等 is more than 一级). A newcomer who would fall below what is
guaranteed of the territory's hospitals comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal
from uuid import UUID

from saas.sdk import (
    AllocationCustomer,
    AllocationFacts,
    AllocationPerson,
    AllocationPlace,
    EmployeeId,
    PluginSettings,
    Problem,
    Title,
)

METHOD = "territories"
WORK_MAX = 1000


class Territory(PluginSettings):
    """A territory: beginnings of its district codes (GB/T 2260) and the people who work it."""

    title: Title
    district_codes: tuple[str, ...]
    employees: tuple[EmployeeId, ...]


class LevelWork(PluginSettings):
    """How much work a hospital of a level is."""

    level: Title
    work: int


class Settings(PluginSettings):
    """Territories, the work of each level of hospitals, and where hospitals outside all territories go."""

    territories: tuple[Territory, ...] = ()
    levels: tuple[LevelWork, ...] = (
        LevelWork(level="三级甲等", work=5),
        LevelWork(level="三级乙等", work=4),
        LevelWork(level="二级甲等", work=3),
        LevelWork(level="二级乙等", work=2),
    )
    other_work: int = 1
    outside: Literal["EVERYBODY", "POOL"] = "POOL"

    def territory_of(self, district_code: str | None) -> Territory | None:
        """The territory with the longest beginning of the code; None outside all."""
        fits = [
            (len(code), territory)
            for territory in self.territories
            for code in territory.district_codes
            if district_code is not None and district_code.startswith(code)
        ]
        return max(fits, key=lambda fit: fit[0])[1] if fits else None

    def work_of(self, level: str | None) -> int:
        """The work of a hospital of a level."""
        return next((each.work for each in self.levels if each.level == level), self.other_work)

    def problems(self) -> Iterator[Problem]:
        """A territory without districts or people, somebody or a code in two of them, work out of range."""
        people: dict[UUID, Territory] = {}
        codes: dict[str, Territory] = {}
        for number, each in enumerate(self.territories):
            path = ("territories", str(number))
            if not each.district_codes or not all(each.district_codes):
                yield Problem("pharma.territory_without_districts", {"territory": each.title}, path)
            if not each.employees:
                yield Problem("pharma.territory_without_people", {"territory": each.title}, path)
            for code in each.district_codes:
                if codes.setdefault(code, each) is not each:
                    told = {"code": code, "first": codes[code].title, "second": each.title}
                    yield Problem("pharma.code_in_two_territories", told, path)
            for person in each.employees:
                if people.setdefault(person, each) is not each:
                    told = {"first": people[person].title, "second": each.title}
                    yield Problem("pharma.person_in_two_territories", told, path)
        for work in (*(each.work for each in self.levels), self.other_work):
            if not 1 <= work <= WORK_MAX:
                yield Problem("pharma.work_out_of_range", {"given": work, "most": WORK_MAX}, ("levels",))


def dealt(facts: AllocationFacts, settings: Settings) -> tuple[AllocationPlace, ...]:
    """Where each hospital goes, in their order."""
    dealing = _Dealing(facts, settings)
    return tuple(dealing.place(each) for each in facts.customers)


class _Dealing:
    """What everybody has had so far: work, turns, room left, and hospitals that were for them."""

    def __init__(self, facts: AllocationFacts, settings: Settings) -> None:
        self._settings = settings
        self._people = {each.employee_id: each for each in facts.people}
        self._rooms = {each.employee_id: each.room for each in facts.people}
        self._together = [(each.people, each.room) for each in facts.together]
        self._work: Counter[UUID] = Counter()
        self._turns: Counter[UUID] = Counter()
        self._seen: Counter[UUID] = Counter()

    def place(self, hospital: AllocationCustomer) -> AllocationPlace:
        """The hospital to whoever of its territory is behind what is guaranteed, else has had least work."""
        territory = self._settings.territory_of(hospital.district_code)
        team = self._team(territory)
        may = [each for each in team if self._may(each, hospital)]
        self._seen.update(each.employee_id for each in may)
        work = self._settings.work_of(hospital.level)
        if not may:
            key = "pharma.explained.outside" if territory is None else "pharma.explained.nobody"
            told: dict[str, str | int | None] = {} if territory is None else {"territory": territory.title}
            return AllocationPlace(hospital.place, None, frozenset(each.employee_id for each in team), key, told)
        due = [each for each in may if self._is_due(each, may)]
        chosen = min(due or may, key=lambda each: (self._work[each.employee_id], each.lot))
        args: dict[str, str | int | None] = {
            "territory": "–" if territory is None else territory.title,
            "level": hospital.level or "–",
            "work": work,
            "before": self._work[chosen.employee_id],
            "people": len(may),
        }
        self._take(chosen.employee_id, hospital.size, work)
        key = "pharma.explained.newcomer" if due else "pharma.explained.least_work"
        whose = frozenset(each.employee_id for each in team)
        return AllocationPlace(hospital.place, chosen.employee_id, whose, key, args)

    def _team(self, territory: Territory | None) -> list[AllocationPerson]:
        if territory is None:
            return list(self._people.values()) if self._settings.outside == "EVERYBODY" else []
        return [self._people[each] for each in territory.employees if each in self._people]

    def _may(self, person: AllocationPerson, hospital: AllocationCustomer) -> bool:
        room, who = self._rooms[person.employee_id], person.employee_id
        if any(left < hospital.size for people, left in self._together if who in people):
            return False
        return who not in hospital.barred and (room is None or room >= hospital.size)

    def _is_due(self, person: AllocationPerson, may: list[AllocationPerson]) -> bool:
        """Whether a newcomer could fall below the guarantee before all newcomers of the team were served once."""
        others = sum(each.least_percent > 0 for each in may) - 1
        seen = self._seen[person.employee_id] + max(others, 0)
        return self._turns[person.employee_id] < int(person.least_percent * seen / Decimal(100))

    def _take(self, employee_id: UUID, size: int, work: int) -> None:
        self._work[employee_id] += work
        self._turns[employee_id] += 1
        room = self._rooms[employee_id]
        self._rooms[employee_id] = None if room is None else room - size
        self._together = [(people, left - size if employee_id in people else left) for people, left in self._together]
