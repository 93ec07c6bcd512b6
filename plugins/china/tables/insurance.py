"""All cities' rows together, and the look-up by city, scheme, side and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from plugins.china.errors import NotInForce, NotInsurable
from plugins.china.tables import beijing, kunming, shanghai
from plugins.china.tables.rows import in_force
from plugins.china.tables.schemes import Bounds, City, Rate, Scheme, Side


@dataclass(frozen=True, slots=True)
class InsuranceTables:
    """Rows of bounds and of rates, each with a range of its own."""

    bounds: tuple[Bounds, ...]
    rates: tuple[Rate, ...]

    def sides(self, city: City, scheme: Scheme) -> tuple[Side, ...]:
        """Who pays to a scheme in a city.

        :raises NotInsurable: the city has no such scheme of its own.
        """
        paying = {row.side for row in self.rates if (row.city, row.scheme) == (city, scheme)}
        if not paying:
            raise NotInsurable("china.scheme_unknown", {"city": city, "scheme": scheme})
        return tuple(side for side in Side if side in paying)

    def schemes(self, city: City) -> tuple[Scheme, ...]:
        """The schemes that a city has rates for."""
        known = {row.scheme for row in self.rates if row.city == city}
        return tuple(scheme for scheme in Scheme if scheme in known)

    def bounds_on(self, city: City, scheme: Scheme, side: Side, *, on: date, known_on: date | None = None) -> Bounds:
        """The bounds in force.

        :raises NotInForce: none are; it names city, scheme, side and day.
        """
        rows = (row for row in self.bounds if (row.city, row.scheme, row.side) == (city, scheme, side))
        found = in_force(rows, on=on, known_on=known_on)
        if found is None:
            raise NotInForce("china.bounds_not_in_force", _named(city, scheme, side, on))
        return found

    def rate_on(self, city: City, scheme: Scheme, side: Side, *, on: date, known_on: date | None = None) -> Rate:
        """The rate in force.

        :raises NotInForce: none is; it names city, scheme, side and day.
        """
        rows = (row for row in self.rates if (row.city, row.scheme, row.side) == (city, scheme, side))
        found = in_force(rows, on=on, known_on=known_on)
        if found is None:
            raise NotInForce("china.rate_not_in_force", _named(city, scheme, side, on))
        return found


def _named(city: City, scheme: Scheme, side: Side, on: date) -> dict[str, str]:
    return {"city": city, "scheme": scheme, "side": side, "on": on.isoformat()}


INSURANCE = InsuranceTables(
    bounds=(*shanghai.BOUNDS, *beijing.BOUNDS, *kunming.BOUNDS),
    rates=(*shanghai.RATES, *beijing.RATES, *kunming.RATES),
)
