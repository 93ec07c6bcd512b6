"""Totals per legal entity, department and component, and which of them may be kept in the open.

What a group of fewer than five people is paid stays sealed in their payslips. So that it can't be found by taking the
visible groups from the whole either, further groups are hidden, the smallest first, until five people are behind them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from itertools import islice
from operator import add
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from saas.payroll.rules.canonical import canonical_text
from saas.payroll.rules.payslips import LineKind

PEOPLE_LEAST = 5

_SHAPES_MOST = 1_000
"""Shapes of payslips whose sums are kept apart: few people have lines that nobody else of their department has."""


class Dimension(Enum):
    """What a total is of."""

    LEGAL_ENTITY = "legal_entity"
    DEPARTMENT = "department"
    COMPONENT = "component"


class TotalMeasure(Enum):
    """What is added up. A component's total is its AMOUNT; the others are those of whole payslips."""

    AMOUNT = "amount"
    GROSS = "gross"
    CONTRIBUTIONS = "contributions"
    TAX = "tax"
    NET = "net"
    EMPLOYER_COST = "employer_cost"


@dataclass(frozen=True, slots=True)
class Total:
    """One total; `amount` is None where it is hidden. `key` is a component's code or an id in hex."""

    dimension: Dimension
    key: str
    measure: TotalMeasure
    people: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Payee:
    """Whose payslip is counted, and where."""

    employee_id: UUID
    legal_entity_id: UUID
    department_id: UUID


class Counted(NamedTuple):
    """What totals need of a payslip, as texts of digits; `lines` are kind, code and amount of all but statistics.

    It is kept beside the document, which is twenty times as long.
    """

    gross: str
    net: str
    employer_cost: str
    lines: tuple[tuple[str, str, str], ...]

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Counted:
        """From a payslip's document."""
        lines = (
            (line["kind"], line["code"], line["amount"])
            for line in document["lines"]
            if line["kind"] != LineKind.STATISTIC.value
        )
        return cls(document["gross"], document["net"], document["employerCost"], tuple(lines))

    @classmethod
    def of_text(cls, text: str) -> Counted:
        """From what `text` gave."""
        gross, net, cost, *lines = orjson.loads(text)
        return cls(gross, net, cost, tuple(zip(lines[::3], lines[1::3], lines[2::3], strict=True)))

    @property
    def text(self) -> str:
        """The canonical text: one list, the members of lines following one another."""
        return canonical_text([*self[:3], *(part for line in self.lines for part in line)])


@dataclass(slots=True)
class _Group:
    """How many people are counted, and who the first of them are: whether a group is small needs no more of them."""

    people: int = 0
    first: set[UUID] = field(default_factory=set)

    def add(self, employee_id: UUID) -> None:
        self.people += 1
        if len(self.first) < PEOPLE_LEAST:
            self.first.add(employee_id)

    def join(self, other: _Group) -> None:
        """Count all whom `other` counts; they are others than those counted here."""
        self.people += other.people
        self.first |= set(islice(other.first, PEOPLE_LEAST - len(self.first)))


class _Shape(NamedTuple):
    """Where people are counted, and the kinds and codes of the lines of their payslips: the same for most of them."""

    legal_entity_id: UUID
    department_id: UUID
    kinds: tuple[str, ...]
    codes: tuple[str, ...]


@dataclass(slots=True)
class _Alike:
    """People of one shape: their number, and the sums of gross, net and employer's cost and of each line."""

    group: _Group
    sums: list[Decimal]


class Totals:
    """Adds up payslips, one after the other; each person's once.

    Those of one shape are added line by line, whatever the lines are; what is a total of what is found at the end.
    """

    def __init__(self) -> None:
        self._alike: dict[_Shape, _Alike] = {}
        self._groups: dict[_GroupKey, _Group] = defaultdict(_Group)
        self._sums: dict[_GroupKey, dict[TotalMeasure, Decimal]] = defaultdict(lambda: defaultdict(Decimal))

    def add(self, payee: Payee, counted: Counted) -> None:
        """Count one payslip that is paid."""
        kinds, codes, texts = zip(*counted.lines, strict=True) if counted.lines else ((), (), ())
        amounts = map(Decimal, (*counted[:3], *texts))
        shape = _Shape(payee.legal_entity_id, payee.department_id, kinds, codes)
        alike = self._alike.get(shape)
        if alike is None:
            if len(self._alike) == _SHAPES_MOST:
                self._fold()
            alike = self._alike[shape] = _Alike(_Group(), list(amounts))
        else:
            alike.sums = list(map(add, alike.sums, amounts))
        alike.group.add(payee.employee_id)

    def _fold(self) -> None:
        """Make totals of what was added up by shape."""
        for shape, alike in self._alike.items():
            self._count(shape, alike)
        self._alike.clear()

    def _count(self, shape: _Shape, alike: _Alike) -> None:
        gross, net, cost, *amounts = alike.sums
        of_kind: dict[str, Decimal] = defaultdict(Decimal)
        for kind, code, amount in zip(shape.kinds, shape.codes, amounts, strict=True):
            of_kind[kind] += amount
            self._sums[_COMPONENT, code][TotalMeasure.AMOUNT] += amount
        for code in set(shape.codes):
            self._groups[_COMPONENT, code].join(alike.group)
        for key in ((_ENTITY, shape.legal_entity_id.hex), (_DEPARTMENT, shape.department_id.hex)):
            self._groups[key].join(alike.group)
            sums = self._sums[key]
            sums[TotalMeasure.GROSS] += gross
            sums[TotalMeasure.CONTRIBUTIONS] += of_kind[LineKind.CONTRIBUTION.value]
            sums[TotalMeasure.TAX] += of_kind[LineKind.TAX.value]
            sums[TotalMeasure.NET] += net
            sums[TotalMeasure.EMPLOYER_COST] += cost

    def shown(self) -> tuple[Total, ...]:
        """All totals, in a fixed order, with the amounts that may be seen."""
        self._fold()
        hidden = {
            (dimension, key)
            for dimension in (_ENTITY, _DEPARTMENT, _COMPONENT)
            for key in _hidden({key: group for (other, key), group in self._groups.items() if other == dimension})
        }
        return tuple(
            Total(
                Dimension(key[0]), key[1], measure, self._groups[key].people, None if key in hidden else sums[measure]
            )
            for key, sums in sorted(self._sums.items(), key=lambda each: each[0])
            for measure in sorted(sums, key=lambda each: each.value)
        )


_GroupKey = tuple[str, str]
_ENTITY, _DEPARTMENT, _COMPONENT = (each.value for each in Dimension)


def hidden_groups(groups: Mapping[str, Iterable[UUID]]) -> frozenset[str]:
    """The groups whose totals are hidden, out of groups that make up one whole.

    Those of fewer than five people; and where fewer than five are behind all of these together, the next smallest too.
    """
    made: dict[str, _Group] = {}
    for key, people in groups.items():
        made[key] = _Group()
        for employee_id in frozenset(people):
            made[key].add(employee_id)
    return _hidden(made)


def _hidden(groups: Mapping[str, _Group]) -> frozenset[str]:
    by_size = sorted(groups, key=lambda key: (groups[key].people, key))
    hidden = [key for key in by_size if groups[key].people < PEOPLE_LEAST]
    for key in by_size[len(hidden) :]:
        if not hidden or len(set().union(*(groups[each].first for each in hidden))) >= PEOPLE_LEAST:
            break
        hidden.append(key)
    return frozenset(hidden)
