"""All cities' rows together, and the look-up by city, scheme, side and day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from plugins.china.errors import NotInForce, NotInsurable
from plugins.china.tables import beijing, kunming, shanghai
from plugins.china.tables.rows import in_force
from plugins.china.tables.schemes import Bounds, City, KeyedRow, Rate, Scheme, Side

K = TypeVar("K", bound=KeyedRow)
_Key = tuple[City, Scheme, Side]


@dataclass(frozen=True, slots=True)
class InsuranceTables:
    """Rows of bounds and of rates, each with a range of its own; a payslip looks a score of them up, by their keys."""

    bounds: tuple[Bounds, ...]
    rates: tuple[Rate, ...]
    _bounds_of: Mapping[_Key, tuple[Bounds, ...]] = field(init=False, repr=False, compare=False)
    _rates_of: Mapping[_Key, tuple[Rate, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_bounds_of", _by_key(self.bounds))
        object.__setattr__(self, "_rates_of", _by_key(self.rates))

    def sides(self, city: City, scheme: Scheme) -> tuple[Side, ...]:
        """Who pays to a scheme in a city.

        :raises NotInsurable: the city has no such scheme of its own.
        """
        paying = tuple(side for side in Side if (city, scheme, side) in self._rates_of)
        if not paying:
            raise NotInsurable("china.scheme_unknown", {"city": city, "scheme": scheme})
        return paying

    def schemes(self, city: City) -> tuple[Scheme, ...]:
        """The schemes that a city has rates for."""
        known = {row.scheme for row in self.rates if row.city == city}
        return tuple(scheme for scheme in Scheme if scheme in known)

    def bounds_on(self, city: City, scheme: Scheme, side: Side, *, on: date, known_on: date | None = None) -> Bounds:
        """The bounds in force.

        :raises NotInForce: none are; it names city, scheme, side and day.
        """
        found = in_force(self._bounds_of.get((city, scheme, side), ()), on=on, known_on=known_on)
        if found is None:
            raise NotInForce("china.bounds_not_in_force", _named(city, scheme, side, on))
        return found

    def rate_on(self, city: City, scheme: Scheme, side: Side, *, on: date, known_on: date | None = None) -> Rate:
        """The rate in force.

        :raises NotInForce: none is; it names city, scheme, side and day.
        """
        found = in_force(self._rates_of.get((city, scheme, side), ()), on=on, known_on=known_on)
        if found is None:
            raise NotInForce("china.rate_not_in_force", _named(city, scheme, side, on))
        return found


def _by_key(rows: Iterable[K]) -> dict[_Key, tuple[K, ...]]:
    found: dict[_Key, tuple[K, ...]] = {}
    for row in rows:
        key = (row.city, row.scheme, row.side)
        found[key] = (*found.get(key, ()), row)
    return found


def _named(city: City, scheme: Scheme, side: Side, on: date) -> dict[str, str]:
    return {"city": city, "scheme": scheme, "side": side, "on": on.isoformat()}


INSURANCE = InsuranceTables(
    bounds=(*shanghai.BOUNDS, *beijing.BOUNDS, *kunming.BOUNDS),
    rates=(*shanghai.RATES, *beijing.RATES, *kunming.RATES),
)
