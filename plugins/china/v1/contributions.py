"""Contributions to social insurance (社保) and housing fund (公积金) per scheme and side, and differences (补差)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from plugins.china.errors import NotInsurable
from plugins.china.tables.insurance import InsuranceTables
from plugins.china.tables.schemes import TITLES, Bounds, City, Rate, Scheme, Side, UnitRate
from plugins.china.v1.explaining import explained, percent, yuan
from plugins.china.v1.income_tax import ZERO
from plugins.china.v1.rounding import rounded_by
from saas.sdk import EXACT, Explanation, month_of


class Part(NamedTuple):
    """What one line is for: a month (``YYYY-MM``), a scheme, a side."""

    month: str
    scheme: Scheme
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Insured:
    """A person's declared bases, yuan a month, by the schemes they are in; the unit's own rates, decimal fractions."""

    city: City
    bases: Mapping[Scheme, Decimal]
    unit_rates: Mapping[Scheme, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionLine:
    """One scheme and side of a month: the base within its bounds, the rate, and yuan to pay."""

    part: Part
    declared: Decimal
    base: Decimal
    rate: Decimal
    amount: Decimal
    rows: tuple[Bounds, Rate]
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """All lines of a person and a month, in the order of schemes and sides."""

    lines: tuple[ContributionLine, ...]

    def total(self, side: Side) -> Decimal:
        """What a side pays: the sum of its rounded lines, yuan."""
        return sum((line.amount for line in self.lines if line.part.side is side), ZERO)

    def unverified(self, confirmed: Iterable[str] = ()) -> tuple[str, ...]:
        """Ids of the rows used that nobody has verified nor confirmed: with any, the run may only be a trial."""
        known = frozenset(confirmed)
        doubtful = {row.id for line in self.lines for row in line.rows if not row.is_verified}
        return tuple(sorted(doubtful - known))


def contributions(
    insured: Insured, *, month: date, tables: InsuranceTables, known_on: date | None = None
) -> Contributions:
    """round(clamp(base, floor, ceiling) × rate + fixed) of a month, for each scheme that has a base and for each side.

    `month` is any day of the month; rows hold from its first. With `known_on` only rows announced before are used.

    :raises NotInForce: no bounds or no rate on record for a city, scheme and side in that month.
    :raises NotInsurable: the city has no such scheme, or the unit's own rate is missing or outside the city's limits.
    """
    first = month.replace(day=1)
    city = insured.city
    lines = []
    for scheme in (each for each in Scheme if each in insured.bases):
        for side in tables.sides(city, scheme):
            bounds = tables.bounds_on(city, scheme, side, on=first, known_on=known_on)
            rate = tables.rate_on(city, scheme, side, on=first, known_on=known_on)
            lines.append(_line(Part(month_of(first), scheme, side), insured, bounds, rate))
    return Contributions(lines=tuple(lines))


def _line(part: Part, insured: Insured, bounds: Bounds, row: Rate) -> ContributionLine:
    declared = insured.bases[part.scheme]
    base = min(max(declared, bounds.floor), bounds.ceiling)
    rate = rate_of(row, insured.unit_rates)
    amount = rounded_by(EXACT.multiply(base, rate) + row.fixed, row.rounding)
    explanation = contribution_explained(
        part, bounds, row, rate=rate, declared=yuan(declared), base=yuan(base), amount=yuan(amount)
    )
    return ContributionLine(
        part=part,
        declared=declared,
        base=base,
        rate=rate,
        amount=amount,
        rows=(bounds, row),
        explanation=explanation,
    )


def contribution_explained(
    part: Part, bounds: Bounds, row: Rate, *, rate: Decimal, declared: str, base: str, amount: str
) -> Explanation:
    """Why a line is what it is; what differs from person to person is given as it is shown."""
    bound = {"declared": declared, "floor": yuan(bounds.floor), "ceiling": yuan(bounds.ceiling)}
    return explained(
        "contribution",
        amount,
        explained("base", base, source=bounds.id, **bound),
        source=row.id,
        month=part.month,
        city=TITLES[row.city],
        scheme=TITLES[part.scheme],
        side=TITLES[part.side],
        base=base,
        rate=percent(rate),
        fixed=yuan(row.fixed),
        rounding=row.rounding.title,
    )


def rate_of(row: Rate, unit_rates: Mapping[Scheme, Decimal]) -> Decimal:
    """The rate of a row, or the unit's own.

    :raises NotInsurable: the unit has none of its own, or one outside the city's limits.
    """
    if not isinstance(row.rate, UnitRate):
        return row.rate
    own = unit_rates.get(row.scheme)
    if own is None:
        raise NotInsurable("china.unit_rate_missing", {"city": row.city, "scheme": row.scheme})
    if own not in row.rate:
        limits = {"lowest": percent(row.rate.lowest), "highest": percent(row.rate.highest)}
        raise NotInsurable(
            "china.unit_rate_outside", {"city": row.city, "scheme": row.scheme, "rate": percent(own), **limits}
        )
    return own


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a later row changes in a line of a closed month: the amount now, less what was stored last; yuan."""

    part: Part
    amount: Decimal
    explanation: Explanation


def differences(stored: Mapping[Part, Decimal], recomputed: Iterable[Contributions]) -> tuple[Difference, ...]:
    """One line per month, scheme and side whose amount is no longer the stored one, each naming its notice.

    `stored` holds the last amounts with all earlier differences, so that nothing is found a second time; a part that
    was never stored counts 0. The employee's differences are deducted in the month in which they are withheld.
    """
    changed = ((line, line.amount - stored.get(line.part, ZERO)) for each in recomputed for line in each.lines)
    return tuple(_difference(line, amount) for line, amount in changed if amount)


def _difference(line: ContributionLine, amount: Decimal) -> Difference:
    instruments = "; ".join(dict.fromkeys(row.instrument for row in line.rows))
    explanation = explained(
        "difference",
        amount,
        line.explanation,
        month=line.part.month,
        now=yuan(line.amount),
        stored=yuan(line.amount - amount),
        instrument=instruments,
    )
    return Difference(part=line.part, amount=amount, explanation=explanation)
