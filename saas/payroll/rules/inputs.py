"""All that one payslip is computed from, frozen when a run begins: what replay reads years later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from saas.kernel import Localised, Period, minor_digits
from saas.payroll.rules.canonical import amount_text, canonical_text, is_plain_amount, number_text


class OneOffEffect(Enum):
    """What a one-off amount (一次性薪资项) does to its component, in its period only."""

    ADD = "ADD"
    REPLACE = "REPLACE"


@dataclass(frozen=True, slots=True)
class DatedAmount:
    """A monthly amount by the code of its item, and the days for which it holds."""

    code: str
    amount: Decimal
    period: Period


@dataclass(frozen=True, slots=True)
class SettledCommission:
    """A line of a settlement (结算) that is paid with this payslip. `source` is its public id."""

    source: str
    amount: Decimal
    titles: Localised


@dataclass(frozen=True, slots=True)
class OneOff:
    """A one-off amount of one component. `source` is its public id."""

    source: str
    component: str
    effect: OneOffEffect
    amount: Decimal
    reason: str


A = TypeVar("A", DatedAmount, SettledCommission, OneOff)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is paid, by whom, in which department; as it stood when the inputs were frozen."""

    employment_id: UUID
    employee_id: UUID
    number: str
    name: str
    legal_entity_id: UUID
    legal_entity: str
    department_id: UUID
    department: str
    position: str | None
    hired_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenInputs:
    """One person's inputs of one period.

    `employed` are the spans at the legal entity, gap-free ones joined, oldest first. `pay_days` are the days of the
    period that a month's wage pays for. `absences` are days by kind and `days_worked` a count, both None where nobody
    recorded attendance: the month then counts as kept in full. `declarations` are what the person declared for the
    country, as its pack reads them; `year_to_date` is what the pack gave with the last payslip of the tax year.
    """

    person: Person
    period: Period
    pays_on: date
    currency: str
    structure_hash: str
    employed: tuple[Period, ...]
    pay_days: tuple[date, ...]
    amounts: tuple[DatedAmount, ...] = ()
    days_worked: Decimal | None = None
    absences: Mapping[str, Decimal] | None = None
    commission: tuple[SettledCommission, ...] = ()
    one_offs: tuple[OneOff, ...] = ()
    declarations: Mapping[str, Any] = field(default_factory=dict)
    year_to_date: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Numbers as they come back from storage: 22.0 and 22 must not make two payslips."""
        for name in ("amounts", "commission", "one_offs"):
            object.__setattr__(self, name, tuple(map(self._exact, getattr(self, name))))
        if self.days_worked is not None:
            object.__setattr__(self, "days_worked", Decimal(number_text(self.days_worked)))
        if self.absences is not None:
            days = {kind: Decimal(number_text(days)) for kind, days in self.absences.items()}
            object.__setattr__(self, "absences", days)

    def _exact(self, each: A) -> A:
        if is_plain_amount(each.amount, minor_digits(self.currency)):
            return each
        text = amount_text(each.amount, self.currency)
        return each if str(each.amount) == text else replace(each, amount=Decimal(text))

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        person = self.person
        return {
            "format": "payroll-inputs/1",
            "person": {
                "employment": person.employment_id.hex,
                "employee": person.employee_id.hex,
                "number": person.number,
                "name": person.name,
                "legalEntityId": person.legal_entity_id.hex,
                "legalEntity": person.legal_entity,
                "departmentId": person.department_id.hex,
                "department": person.department,
                "position": person.position,
                "hiredOn": person.hired_on.isoformat(),
            },
            "period": _plain_period(self.period),
            "paysOn": self.pays_on.isoformat(),
            "currency": self.currency,
            "structure": self.structure_hash,
            "employed": [_plain_period(span) for span in self.employed],
            "payDays": [day.isoformat() for day in self.pay_days],
            "amounts": [
                {
                    "code": each.code,
                    "amount": amount_text(each.amount, self.currency),
                    "period": _plain_period(each.period),
                }
                for each in self.amounts
            ],
            "daysWorked": None if self.days_worked is None else number_text(self.days_worked),
            "absences": None
            if self.absences is None
            else {kind: number_text(days) for kind, days in self.absences.items()},
            "commission": [
                {"source": each.source, "amount": amount_text(each.amount, self.currency), "titles": dict(each.titles)}
                for each in self.commission
            ],
            "oneOffs": [
                {
                    "source": each.source,
                    "component": each.component,
                    "effect": each.effect.value,
                    "amount": amount_text(each.amount, self.currency),
                    "reason": each.reason,
                }
                for each in self.one_offs
            ],
            "declarations": dict(self.declarations),
            "yearToDate": None if self.year_to_date is None else dict(self.year_to_date),
        }

    @property
    def text(self) -> str:
        """The canonical text: what is sealed."""
        return canonical_text(self.plain())

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> FrozenInputs:
        """From what `plain` gave."""
        worked, absences = plain["daysWorked"], plain["absences"]
        return cls(
            person=_person_of(plain["person"]),
            period=_period_of(*plain["period"]),
            pays_on=_day_of(plain["paysOn"]),
            currency=plain["currency"],
            structure_hash=plain["structure"],
            employed=tuple(_period_of(*span) for span in plain["employed"]),
            pay_days=_days_of(*plain["payDays"]),
            amounts=tuple(
                DatedAmount(each["code"], Decimal(each["amount"]), _period_of(*each["period"]))
                for each in plain["amounts"]
            ),
            days_worked=None if worked is None else Decimal(worked),
            absences=None if absences is None else {kind: Decimal(days) for kind, days in absences.items()},
            commission=tuple(
                SettledCommission(each["source"], Decimal(each["amount"]), each["titles"])
                for each in plain["commission"]
            ),
            one_offs=tuple(
                OneOff(
                    each["source"],
                    each["component"],
                    OneOffEffect(each["effect"]),
                    Decimal(each["amount"]),
                    each["reason"],
                )
                for each in plain["oneOffs"]
            ),
            declarations=plain["declarations"],
            year_to_date=plain["yearToDate"],
        )


def joined_spans(spans: Iterable[Period]) -> tuple[Period, ...]:
    """Spans in order, with those that touch or overlap made one: a change of department is no end of employment."""
    joined: list[Period] = []
    for span in sorted(spans, key=lambda span: span.first):
        last = joined[-1] if joined else None
        if last is None or (last.until is not None and last.until < span.first):
            joined.append(span)
        elif last.until is not None:
            until = None if span.until is None else max(last.until, span.until)
            joined[-1] = Period(last.first, until)
    return tuple(joined)


def _person_of(plain: Mapping[str, Any]) -> Person:
    return Person(
        employment_id=UUID(int=int(plain["employment"], 16)),
        employee_id=UUID(int=int(plain["employee"], 16)),
        number=plain["number"],
        name=plain["name"],
        legal_entity_id=_shared_id(plain["legalEntityId"]),
        legal_entity=plain["legalEntity"],
        department_id=_shared_id(plain["departmentId"]),
        department=plain["department"],
        position=plain["position"],
        hired_on=_day_of(plain["hiredOn"]),
    )


# Texts that many people of a run have in common are read once.


@lru_cache(maxsize=1_024)
def _shared_id(text: str) -> UUID:
    return UUID(hex=text)


@lru_cache(maxsize=4_096)
def _day_of(text: str) -> date:
    return date.fromisoformat(text)


@lru_cache(maxsize=64)
def _days_of(*texts: str) -> tuple[date, ...]:
    return tuple(map(date.fromisoformat, texts))


@lru_cache(maxsize=4_096)
def _period_of(first: str, until: str | None) -> Period:
    return Period(date.fromisoformat(first), None if until is None else date.fromisoformat(until))


def _plain_period(period: Period) -> list[str | None]:
    return [period.first.isoformat(), None if period.until is None else period.until.isoformat()]
