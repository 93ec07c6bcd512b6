"""Salary structures (薪资结构): the components of pay, each a formula, and how a month is prorated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from enum import Enum
from typing import Any

from saas.kernel import Localised
from saas.payroll.rules.canonical import canonical_hash, canonical_text, number_text

PAY_DAYS_A_MONTH = Decimal("21.75")
"""(365 - 104) / 12; MOHRSS 2025 No.2. What a structure divides by unless it says otherwise."""

BASE_SALARY = "base_salary"
"""The monthly item that every structure has."""


class ComponentKind(Enum):
    """What a component does: paid, taken off, only computed, or borne by the employer."""

    EARNING = "EARNING"
    DEDUCTION = "DEDUCTION"
    STATISTIC = "STATISTIC"
    EMPLOYER_COST = "EMPLOYER_COST"


class Nature(Enum):
    """What laws on wages treat apart."""

    ORDINARY = "ORDINARY"
    OVERTIME = "OVERTIME"
    HARDSHIP = "HARDSHIP"
    BENEFIT = "BENEFIT"
    ANNUAL_BONUS = "ANNUAL_BONUS"
    DAMAGE = "DAMAGE"


class RoundingMode(Enum):
    """How a component is cut to its digits; half is away from zero unless it says even."""

    HALF_UP = "HALF_UP"
    HALF_EVEN = "HALF_EVEN"
    UP = "UP"
    DOWN = "DOWN"

    @property
    def decimal(self) -> str:
        """The mode as `decimal` names it."""
        return _DECIMAL_MODES[self]


_DECIMAL_MODES = {
    RoundingMode.HALF_UP: ROUND_HALF_UP,
    RoundingMode.HALF_EVEN: ROUND_HALF_EVEN,
    RoundingMode.UP: ROUND_UP,
    RoundingMode.DOWN: ROUND_DOWN,
}


class ProrationMethod(Enum):
    """How a month's amount is divided where the month was not kept in full."""

    PER_DAY_WORKED = "PER_DAY_WORKED"
    PER_DAY_ABSENT = "PER_DAY_ABSENT"
    ACTUAL_DAYS = "ACTUAL_DAYS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proration:
    """`days_a_month` is the divisor of the first two methods; `unpaid` is the part of a day's pay, from 0 to 1, that
    a day of each kind of absence loses."""

    method: ProrationMethod = ProrationMethod.PER_DAY_WORKED
    days_a_month: Decimal = PAY_DAYS_A_MONTH
    unpaid: Mapping[str, Decimal] = field(
        default_factory=lambda: {"personal_leave": Decimal(1), "sick_leave": Decimal(1), "absent": Decimal(1)}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyItem:
    """A dated monthly amount beside the base salary, such as an allowance (津贴); formulas read it by its code."""

    code: str
    titles: Localised


@dataclass(frozen=True, slots=True, kw_only=True)
class PayComponent:
    """One component (薪资项). `is_taxed`: an earning is income, a deduction lessens income; else neither.

    `digits` behind the point, None for a statistic that is not rounded. `floor` and `ceiling` bound the formula's value
    before it is rounded. Others that refer to the component read it as it is shown.
    """

    code: str
    titles: Localised
    kind: ComponentKind
    formula: str
    digits: int | None = 2
    rounding: RoundingMode = RoundingMode.HALF_UP
    floor: Decimal | None = None
    ceiling: Decimal | None = None
    is_taxed: bool = True
    nature: Nature = Nature.ORDINARY


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """One version of a structure; the order of its components is the order of display and nothing else.

    `hash` names this very content; it is worked out once, for every payslip looks at it.
    """

    code: str
    titles: Localised
    components: tuple[PayComponent, ...]
    items: tuple[MonthlyItem, ...] = ()
    proration: Proration = field(default_factory=Proration)
    hash: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", canonical_hash(self.plain()))

    def plain(self) -> dict[str, Any]:
        """As JSON holds it: every setting is there, numbers are texts."""
        return {
            "code": self.code,
            "titles": dict(self.titles),
            "items": [{"code": item.code, "titles": dict(item.titles)} for item in self.items],
            "components": [_plain_component(component) for component in self.components],
            "proration": {
                "method": self.proration.method.value,
                "daysAMonth": number_text(self.proration.days_a_month),
                "unpaid": {kind: number_text(part) for kind, part in self.proration.unpaid.items()},
            },
        }

    @property
    def text(self) -> str:
        """The canonical text: what is stored."""
        return canonical_text(self.plain())

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Structure:
        """From what `plain` gave."""
        proration = plain["proration"]
        return cls(
            code=plain["code"],
            titles=plain["titles"],
            items=tuple(MonthlyItem(code=item["code"], titles=item["titles"]) for item in plain["items"]),
            components=tuple(_component_of(component) for component in plain["components"]),
            proration=Proration(
                method=ProrationMethod(proration["method"]),
                days_a_month=Decimal(proration["daysAMonth"]),
                unpaid={kind: Decimal(part) for kind, part in proration["unpaid"].items()},
            ),
        )


def _plain_component(component: PayComponent) -> dict[str, Any]:
    return {
        "code": component.code,
        "titles": dict(component.titles),
        "kind": component.kind.value,
        "formula": component.formula,
        "digits": component.digits,
        "rounding": component.rounding.value,
        "floor": _number_or_none(component.floor),
        "ceiling": _number_or_none(component.ceiling),
        "isTaxed": component.is_taxed,
        "nature": component.nature.value,
    }


def _component_of(plain: Mapping[str, Any]) -> PayComponent:
    return PayComponent(
        code=plain["code"],
        titles=plain["titles"],
        kind=ComponentKind(plain["kind"]),
        formula=plain["formula"],
        digits=plain["digits"],
        rounding=RoundingMode(plain["rounding"]),
        floor=_decimal_or_none(plain["floor"]),
        ceiling=_decimal_or_none(plain["ceiling"]),
        is_taxed=plain["isTaxed"],
        nature=Nature(plain["nature"]),
    )


def _number_or_none(value: Decimal | None) -> str | None:
    return None if value is None else number_text(value)


def _decimal_or_none(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
