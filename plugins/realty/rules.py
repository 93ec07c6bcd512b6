"""Exclusive areas (专属片区): who may claim a customer of which district. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from saas.sdk import ClaimFacts, EmployeeId, PluginSettings, Problem, Refusal, Title


class Area(PluginSettings):
    """An area: its districts (codes of GB/T 2260, as customers carry them) and the only people who may claim there."""

    title: Title
    district_codes: tuple[str, ...]
    employees: tuple[EmployeeId, ...]


class Settings(PluginSettings):
    """Which areas there are, and whether a district of none is open to all or closed."""

    areas: tuple[Area, ...] = ()
    unassigned: Literal["OPEN", "CLOSED"] = "OPEN"

    def area_of(self, district_code: str | None) -> Area | None:
        """The area a district belongs to; districts compare equal, a city's code does not cover its districts."""
        return next((area for area in self.areas if district_code in area.district_codes), None)

    def problems(self) -> Iterator[Problem]:
        """An empty area, one without people, and a district in two areas."""
        owners: dict[str, Area] = {}
        for number, area in enumerate(self.areas):
            path = ("areas", str(number))
            if not area.district_codes:
                yield Problem("realty.area_without_districts", {"area": area.title}, (*path, "districtCodes"))
            if not area.employees:
                yield Problem("realty.area_without_employees", {"area": area.title}, (*path, "employees"))
            for code in area.district_codes:
                first = owners.setdefault(code, area)
                if first is not area:
                    args = {"district": code, "first": first.title, "second": area.title}
                    yield Problem("realty.district_in_two_areas", args, (*path, "districtCodes"))


def may_claim(facts: ClaimFacts, settings: Settings) -> Refusal | None:
    """None where the claimant may claim; else the refusal, which tells how many may, not who."""
    area = settings.area_of(facts.district_code)
    if area is None:
        return None if settings.unassigned == "OPEN" else Refusal("realty.unassigned_closed", {})
    if facts.claimant_id in area.employees:
        return None
    return Refusal("realty.area_exclusive", {"area": area.title, "count": len(set(area.employees))})
