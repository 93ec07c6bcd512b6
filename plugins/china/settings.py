"""What a company sets: where each legal entity contributes, the unit's own rates, and rows that somebody confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from plugins.china.errors import LegalEntityNotPlaced
from plugins.china.tables.insurance import INSURANCE
from plugins.china.tables.minimum_wages import MINIMUM_WAGES
from plugins.china.tables.rows import Row
from plugins.china.tables.schemes import City, Scheme, Side, UnitRate
from saas.sdk import EmployeeId, LegalEntityId, PluginSettings, Problem

UNVERIFIED: Mapping[str, Row] = {
    row.id: row for row in (*INSURANCE.bounds, *INSURANCE.rates, *MINIMUM_WAGES) if not row.is_verified
}
"""Rows that enter a run that pays only after a named person has confirmed them."""


class Entity(PluginSettings):
    """A legal entity: its city, and the unit's own rates as decimal fractions (0.07 is 7 %).

    `undeclared_bases`: what somebody contributes by who declared no bases. Nothing, and they are not paid; or the base
    salary, as for new staff, whose base is the first month's wage until the next notice (Shanghai and Beijing ask so).
    """

    legal_entity: LegalEntityId
    city: City
    fund_rate: Decimal
    injury_rate: Decimal
    undeclared_bases: Literal["REFUSE", "BASE_SALARY"] = "REFUSE"

    @property
    def unit_rates(self) -> Mapping[Scheme, Decimal]:
        """The unit's own rates by scheme."""
        return {Scheme.HOUSING_FUND: self.fund_rate, Scheme.INJURY: self.injury_rate}


class Confirmation(PluginSettings):
    """Who read the notice behind a row that is marked “verify before use”, and when."""

    row: str
    confirmed_by: EmployeeId
    confirmed_on: date


class Settings(PluginSettings):
    """Legal entities and confirmed rows."""

    entities: tuple[Entity, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()

    @property
    def confirmed_rows(self) -> frozenset[str]:
        """Ids of the rows that may enter a run that pays, although they are marked."""
        return frozenset(each.row for each in self.confirmations)

    def entity(self, legal_entity: UUID) -> Entity:
        """What is set for a legal entity.

        :raises LegalEntityNotPlaced: nothing is.
        """
        found = next((each for each in self.entities if each.legal_entity == legal_entity), None)
        if found is None:
            raise LegalEntityNotPlaced("china.legal_entity_not_placed", {"legal_entity": str(legal_entity)})
        return found

    def problems(self) -> Iterator[Problem]:
        """An entity set twice, a unit's rate that its city does not know, a confirmation of no marked row."""
        seen: set[UUID] = set()
        for number, entity in enumerate(self.entities):
            path = ("entities", str(number))
            if entity.legal_entity in seen:
                yield Problem("china.legal_entity_twice", {"number": number + 1}, (*path, "legalEntity"))
            seen.add(entity.legal_entity)
            yield from _rate_problems(entity, Scheme.HOUSING_FUND, (*path, "fundRate"))
            yield from _rate_problems(entity, Scheme.INJURY, (*path, "injuryRate"))
        for number, each in enumerate(self.confirmations):
            if each.row not in UNVERIFIED:
                yield Problem(
                    "china.row_needs_no_confirmation", {"row": each.row}, ("confirmations", str(number), "row")
                )


def _rate_problems(entity: Entity, scheme: Scheme, path: tuple[str, ...]) -> Iterator[Problem]:
    """A rate must fit a row of its city, of whatever time; each month's calculation holds it to the row in force."""
    own = entity.unit_rates[scheme]
    limits = [
        row.rate
        for row in INSURANCE.rates
        if (row.city, row.scheme, row.side) == (entity.city, scheme, Side.EMPLOYER) and isinstance(row.rate, UnitRate)
    ]
    if not any(own in each for each in limits):
        lowest, highest = min(each.lowest for each in limits), max(each.highest for each in limits)
        values = {"city": entity.city, "scheme": scheme, "rate": str(own)}
        yield Problem("china.unit_rate_outside", {**values, "lowest": str(lowest), "highest": str(highest)}, path)
