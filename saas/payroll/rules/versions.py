"""The versions of the calculations that this release holds: a run pins one, and it is never edited afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from saas.formulas import Sheet
from saas.payroll.errors import CalculationUnknown
from saas.payroll.rules.compiled import PayslipWriter, payslip_writer
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.packs import Pack
from saas.payroll.rules.payslips import Payslip
from saas.payroll.rules.structures import Structure
from saas.payroll.rules.v1 import components as components_v1
from saas.payroll.rules.v1 import computing as computing_v1


@dataclass(frozen=True, slots=True)
class Calculation:
    """One version: how a structure becomes a checked sheet, how a payslip is computed with it, and what writes the same
    payslips for many people, in one currency."""

    sheet_of: Callable[[Structure], Sheet]
    compute: Callable[[FrozenInputs, Structure, Sheet, Pack | None], Payslip]
    writer: Callable[[Structure, Sheet, Pack | None, str], PayslipWriter | None]


CALCULATIONS: Mapping[str, Calculation] = {
    computing_v1.VERSION: Calculation(components_v1.sheet_of, computing_v1.compute_payslip, payslip_writer),
}
NEWEST = computing_v1.VERSION
"""What a new run pins."""


def calculation(version: str) -> Calculation:
    """The calculation of a version.

    :raises CalculationUnknown: this release does not hold it.
    """
    found = CALCULATIONS.get(version)
    if found is None:
        raise CalculationUnknown("payroll.calculation_unknown", {"version": version, "known": ", ".join(CALCULATIONS)})
    return found
