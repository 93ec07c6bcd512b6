"""What became of one person's inputs: a payslip, or the reasons why there is none to be paid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from saas.formulas import Sheet
from saas.kernel import AppError, AppErrors
from saas.payroll.rules.canonical import canonical_text
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.packs import Pack
from saas.payroll.rules.plans import PayslipState
from saas.payroll.rules.structures import Structure
from saas.payroll.rules.versions import Calculation

FAILURE = "payslip-failure/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The document that is sealed, its state, and the key of what failed first (the reasons quote amounts: sealed)."""

    text: str
    state: PayslipState
    failure: str | None = None


def outcome_of(
    inputs: FrozenInputs, structure: Structure, sheet: Sheet, pack: Pack | None, *, calculation: Calculation
) -> Outcome:
    """The payslip; where it can't be computed, or a finding blocks it, the reason. Pure, as the calculation is."""
    try:
        slip = calculation.compute(inputs, structure, sheet, pack)
    except AppErrors as refused:
        return failed(refused.errors)
    except AppError as refused:
        return failed((refused,))
    blocking = next((finding for finding in slip.findings if finding.is_blocking), None)
    if blocking is None:
        return Outcome(slip.text, PayslipState.OK)
    return Outcome(slip.text, PayslipState.FAILED, blocking.key)


def failed(errors: Iterable[AppError]) -> Outcome:
    """The outcome of inputs that no payslip can be computed from."""
    reasons: list[dict[str, Any]] = [{"key": error.key, "args": dict(error.values)} for error in errors]
    document = {"format": FAILURE, "failures": reasons}
    return Outcome(canonical_text(document), PayslipState.FAILED, reasons[0]["key"])
