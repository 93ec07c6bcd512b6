"""What a person declared for payroll in China, and how the year so far is kept between payslips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal
from uuid import UUID

from plugins.china.tables.schemes import Scheme
from plugins.china.v1.income_tax import ZERO
from plugins.china.v1.withholding import TaxKey, YearToDate
from saas.sdk import PluginSettings, parse_settings


class YearBeforeDeclared(PluginSettings):
    """What this entity withheld in the year before (STA Announcement 2020 No.19)."""

    months_withheld: int
    income: Decimal


class Declarations(PluginSettings):
    """Amounts in yuan a month. `bases` are the declared contribution bases by scheme (none for who is not insured).

    `special_additional` is the sum of the month's special additional deductions, with what is caught up. `first_wage`:
    the person had no wage since January (STA Announcement 2020 No.13). `annual_bonus` is the chosen method.
    """

    bases: dict[Scheme, Decimal] | None = None
    special_additional: Decimal = ZERO
    other: Decimal = ZERO
    credits: Decimal = ZERO
    exempt: Decimal = ZERO
    first_wage: bool = False
    year_before: YearBeforeDeclared | None = None
    annual_bonus: Literal["SEPARATE", "MERGED"] | None = None


_KEPT = tuple(each.name for each in fields(YearToDate) if each.name != "key")
_kept_of = attrgetter(*_KEPT)


def declared(sent: Mapping[str, Any]) -> Declarations:
    """The typed declarations.

    :raises SettingRefused: an unknown name or a value of another type, with its path.
    """
    return parse_settings(Declarations, sent)


def plain_year(year: YearToDate, *, bonus_taken_on: date | None) -> dict[str, Any]:
    """The year so far as JSON, all amounts as texts."""
    kept = zip(_KEPT, _kept_of(year), strict=True)
    plain: dict[str, Any] = {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in kept}
    plain["tax_year"] = year.key.tax_year
    plain["bonus_taken_on"] = None if bonus_taken_on is None else bonus_taken_on.isoformat()
    return plain


def year_of(plain: Mapping[str, Any] | None, *, legal_entity: UUID, person: UUID, tax_year: int) -> YearToDate:
    """The year so far; an empty one where nothing was paid yet."""
    key = TaxKey(legal_entity=legal_entity, person=person, tax_year=tax_year)
    if plain is None:
        return YearToDate(key=key)
    amounts: dict[str, Any] = {
        name: Decimal(value) if isinstance(value, str) else value
        for name, value in plain.items()
        if name not in ("tax_year", "bonus_taken_on")
    }
    return YearToDate(key=TaxKey(legal_entity=legal_entity, person=person, tax_year=plain["tax_year"]), **amounts)


def bonus_taken_on(plain: Mapping[str, Any] | None) -> date | None:
    """The day of an annual bonus that was taxed separately in the year, as far as this entity knows."""
    text = plain and plain["bonus_taken_on"]
    return date.fromisoformat(text) if text else None
