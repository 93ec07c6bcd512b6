"""The payslip (工资条): one immutable document, whose canonical text is sealed and compared by replay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from saas.kernel import Explanation, Localised, month_of
from saas.payroll.rules.canonical import amount_text, canonical_text
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.packs import Finding, Pack


class LineKind(Enum):
    """What a line does to net pay; the order is that of the payslip."""

    EARNING = "EARNING"
    DEDUCTION = "DEDUCTION"
    CONTRIBUTION = "CONTRIBUTION"
    TAX = "TAX"
    EMPLOYER_COST = "EMPLOYER_COST"
    STATISTIC = "STATISTIC"

    @property
    def sign(self) -> int:
        """1 for what is paid, -1 for what is taken off, 0 for the rest."""
        return _SIGNS[self]


_SIGNS = {
    LineKind.EARNING: 1,
    LineKind.DEDUCTION: -1,
    LineKind.CONTRIBUTION: -1,
    LineKind.TAX: -1,
    LineKind.EMPLOYER_COST: 0,
    LineKind.STATISTIC: 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PayslipLine:
    """One line. `formula` and `inputs` (name → value as shown) are those it was computed with; `sources` are public
    ids of records it comes from. `amount` has the currency's digits, but for statistics, which may have others."""

    code: str
    titles: Localised
    kind: LineKind
    amount: Decimal
    explanation: Explanation
    formula: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def plain(self, currency: str) -> dict[str, Any]:
        """As JSON holds it."""
        is_amount = self.kind is not LineKind.STATISTIC
        return self.plain_with(amount_text(self.amount, currency) if is_amount else format(self.amount, "f"))

    def plain_with(self, amount: str) -> dict[str, Any]:
        """The same with the amount as it is to be shown."""
        return {
            "code": self.code,
            "titles": dict(self.titles),
            "kind": self.kind.value,
            "amount": amount,
            "formula": self.formula,
            "inputs": dict(self.inputs),
            "sources": list(self.sources),
            "explanation": self.explanation.plain(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Payslip:
    """What one person is paid in one period, and everything it rests on.

    gross − deductions = net, and the signed lines add up to net, to the last digit of the currency.
    """

    inputs: FrozenInputs
    calculation: str
    structure_code: str
    pack: Pack | None
    lines: tuple[PayslipLine, ...]
    findings: tuple[Finding, ...] = ()
    rows: tuple[str, ...] = ()
    year_to_date: Mapping[str, Any] | None = None

    @property
    def gross(self) -> Decimal:
        """应发: all that is earned."""
        return self.sum_of(LineKind.EARNING)

    @property
    def deductions(self) -> Decimal:
        """All that is taken off: deductions, contributions, tax."""
        return self.sum_of(LineKind.DEDUCTION, LineKind.CONTRIBUTION, LineKind.TAX)

    @property
    def net(self) -> Decimal:
        """实发: what is paid out."""
        return self.gross - self.deductions

    @property
    def employer_cost(self) -> Decimal:
        """What the employer bears on top of gross pay."""
        return self.sum_of(LineKind.EMPLOYER_COST)

    @property
    def is_payable(self) -> bool:
        """Whether no finding keeps it from being paid."""
        return not any(finding.is_blocking for finding in self.findings)

    def sum_of(self, *kinds: LineKind) -> Decimal:
        """The sum of the lines of these kinds."""
        return sum((line.amount for line in self.lines if line.kind in kinds), Decimal(0))

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        inputs, person, currency = self.inputs, self.inputs.person, self.inputs.currency
        last = inputs.period.last
        assert last is not None, "pay periods end"
        gross, deductions = self.gross, self.deductions
        return {
            "format": "payslip/1",
            "calculation": self.calculation,
            "structure": {"code": self.structure_code, "hash": inputs.structure_hash},
            "pack": None
            if self.pack is None
            else {"name": self.pack.name, "version": self.pack.version, "calculation": self.pack.calculation},
            "person": {"number": person.number, "name": person.name, "position": person.position},
            "legalEntity": person.legal_entity,
            "department": person.department,
            "month": month_of(inputs.period.first),
            "from": inputs.period.first.isoformat(),
            "to": last.isoformat(),
            "paysOn": inputs.pays_on.isoformat(),
            "currency": currency,
            "lines": [line.plain(currency) for line in self.lines],
            "gross": amount_text(gross, currency),
            "deductions": amount_text(deductions, currency),
            "net": amount_text(gross - deductions, currency),
            "employerCost": amount_text(self.employer_cost, currency),
            "findings": [finding.plain() for finding in self.findings],
            "rows": list(self.rows),
            "yearToDate": None if self.year_to_date is None else dict(self.year_to_date),
        }

    @property
    def text(self) -> str:
        """The canonical text: what is sealed, and what replay compares."""
        return canonical_text(self.plain())


def in_order(lines: Iterable[PayslipLine]) -> tuple[PayslipLine, ...]:
    """The lines by their kind, else in the order given."""
    places = {kind: place for place, kind in enumerate(LineKind)}
    return tuple(sorted(lines, key=lambda line: places[line.kind]))
