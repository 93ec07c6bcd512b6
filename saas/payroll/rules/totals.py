"""Totals per legal entity, department and component, and which of them may be kept in the open.

What a group of fewer than five people is paid stays sealed in their payslips. So that it can't be found by taking the
visible groups from the whole either, further groups are hidden, the smallest first, until five people are behind them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from saas.payroll.rules.canonical import canonical_text
from saas.payroll.rules.payslips import LineKind

PEOPLE_LEAST = 5


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
        gross, net, cost, *lines = json.loads(text)
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


class Totals:
    """Adds up payslips, one after the other; each person's once."""

    def __init__(self) -> None:
        self._groups: dict[_GroupKey, _Group] = defaultdict(_Group)
        self._sums: dict[_GroupKey, dict[TotalMeasure, Decimal]] = defaultdict(lambda: defaultdict(Decimal))

    def add(self, payee: Payee, counted: Counted) -> None:
        """Count one payslip that is paid."""
        amounts = [Decimal(amount) for _, _, amount in counted.lines]
        measures = _measures(counted, amounts)
        for key in ((_ENTITY, payee.legal_entity_id.hex), (_DEPARTMENT, payee.department_id.hex)):
            self._groups[key].add(payee.employee_id)
            sums = self._sums[key]
            for measure, amount in measures:
                sums[measure] += amount
        for code in {code for _, code, _ in counted.lines}:
            self._groups[_COMPONENT, code].add(payee.employee_id)
        for (_, code, _), amount in zip(counted.lines, amounts, strict=True):
            self._sums[_COMPONENT, code][TotalMeasure.AMOUNT] += amount

    def shown(self) -> tuple[Total, ...]:
        """All totals, in a fixed order, with the amounts that may be seen."""
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


def _measures(counted: Counted, amounts: Sequence[Decimal]) -> tuple[tuple[TotalMeasure, Decimal], ...]:
    of_kind: dict[str, Decimal] = defaultdict(Decimal)
    for (kind, _, _), amount in zip(counted.lines, amounts, strict=True):
        of_kind[kind] += amount
    return (
        (TotalMeasure.GROSS, Decimal(counted.gross)),
        (TotalMeasure.CONTRIBUTIONS, of_kind[LineKind.CONTRIBUTION.value]),
        (TotalMeasure.TAX, of_kind[LineKind.TAX.value]),
        (TotalMeasure.NET, Decimal(counted.net)),
        (TotalMeasure.EMPLOYER_COST, Decimal(counted.employer_cost)),
    )
