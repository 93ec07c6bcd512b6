"""Totals per legal entity, department and component, and which of them may be kept in the open.

What a group of fewer than five people is paid stays sealed in their payslips. So that it can't be found by taking the
visible groups from the whole either, further groups are hidden, the smallest first, until five people are behind them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

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


class Totals:
    """Adds up payslips, one after the other, from their documents."""

    def __init__(self) -> None:
        self._people: dict[tuple[Dimension, str], set[UUID]] = defaultdict(set)
        self._sums: dict[tuple[Dimension, str, TotalMeasure], Decimal] = defaultdict(Decimal)

    def add(self, payee: Payee, document: Mapping[str, Any]) -> None:
        """Count one payslip that is paid."""
        measures = _measures(document)
        for dimension, id_ in (
            (Dimension.LEGAL_ENTITY, payee.legal_entity_id),
            (Dimension.DEPARTMENT, payee.department_id),
        ):
            self._people[dimension, id_.hex].add(payee.employee_id)
            for measure, amount in measures.items():
                self._sums[dimension, id_.hex, measure] += amount
        for line in document["lines"]:
            if line["kind"] != LineKind.STATISTIC.value:
                self._people[Dimension.COMPONENT, line["code"]].add(payee.employee_id)
                self._sums[Dimension.COMPONENT, line["code"], TotalMeasure.AMOUNT] += Decimal(line["amount"])

    def shown(self) -> tuple[Total, ...]:
        """All totals, in a fixed order, with the amounts that may be seen."""
        hidden = {
            (dimension, key)
            for dimension in Dimension
            for key in hidden_groups({key: who for (other, key), who in self._people.items() if other is dimension})
        }
        return tuple(
            Total(
                dimension,
                key,
                measure,
                len(self._people[dimension, key]),
                None if (dimension, key) in hidden else self._sums[dimension, key, measure],
            )
            for dimension, key, measure in sorted(self._sums, key=lambda each: (each[0].value, each[1], each[2].value))
        )


def hidden_groups(groups: Mapping[str, Iterable[UUID]]) -> frozenset[str]:
    """The groups whose totals are hidden, out of groups that make up one whole.

    Those of fewer than five people; and where fewer than five are behind all of these together, the next smallest too.
    """
    members = {key: frozenset(people) for key, people in groups.items()}
    by_size = sorted(members, key=lambda key: (len(members[key]), key))
    hidden = [key for key in by_size if len(members[key]) < PEOPLE_LEAST]
    for key in by_size[len(hidden) :]:
        if not hidden or len(frozenset().union(*(members[each] for each in hidden))) >= PEOPLE_LEAST:
            break
        hidden.append(key)
    return frozenset(hidden)


def _measures(document: Mapping[str, Any]) -> dict[TotalMeasure, Decimal]:
    of_kind: dict[str, Decimal] = defaultdict(Decimal)
    for line in document["lines"]:
        of_kind[line["kind"]] += Decimal(line["amount"])
    return {
        TotalMeasure.GROSS: Decimal(document["gross"]),
        TotalMeasure.CONTRIBUTIONS: of_kind[LineKind.CONTRIBUTION.value],
        TotalMeasure.TAX: of_kind[LineKind.TAX.value],
        TotalMeasure.NET: Decimal(document["net"]),
        TotalMeasure.EMPLOYER_COST: Decimal(document["employerCost"]),
    }
