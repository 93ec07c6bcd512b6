"""What became of one person's inputs: a payslip, or the reasons why there is none to be paid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from saas.formulas import Sheet
from saas.kernel import AppError, AppErrors
from saas.payroll.rules.canonical import canonical_text
from saas.payroll.rules.compiled import PayslipWriter
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.packs import Finding, Pack
from saas.payroll.rules.plans import PayslipState
from saas.payroll.rules.structures import Structure
from saas.payroll.rules.totals import Counted
from saas.payroll.rules.versions import Calculation

FAILURE = "payslip-failure/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The UTF-8 of the document that is sealed, its state, the key of what failed first (the reasons quote amounts:
    sealed), and the text of what totals need of a payslip (`Counted`)."""

    data: bytes
    state: PayslipState
    failure: str | None = None
    counted: str | None = None

    @property
    def text(self) -> str:
        """The document."""
        return self.data.decode()


class Outcomes:
    """What becomes of the inputs of many people who have one version of a structure: mostly written by forms."""

    def __init__(self, structure: Structure, sheet: Sheet, pack: Pack | None, *, calculation: Calculation) -> None:
        self._structure = structure
        self._sheet = sheet
        self._pack = pack
        self._calculation = calculation
        self._writers: dict[str, PayslipWriter | None] = {}

    def written(self, inputs: FrozenInputs) -> Outcome:
        """What `computed` gives, byte by byte, from forms where they foresee the person."""
        writer = self._writer(inputs.currency)
        written = None if writer is None else writer.write(inputs)
        return self.computed(inputs) if written is None else _outcome(written.data, written.findings, written.counted)

    def computed(self, inputs: FrozenInputs) -> Outcome:
        """What the calculation says."""
        return outcome_of(inputs, self._structure, self._sheet, self._pack, calculation=self._calculation)

    def _writer(self, currency: str) -> PayslipWriter | None:
        if currency not in self._writers:
            self._writers[currency] = self._calculation.writer(self._structure, self._sheet, self._pack, currency)
        return self._writers[currency]


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
    plain = slip.plain()
    return _outcome(canonical_text(plain).encode(), slip.findings, Counted.of_document(plain).text)


def _outcome(data: bytes, findings: Iterable[Finding], counted: str) -> Outcome:
    blocking = next((finding for finding in findings if finding.is_blocking), None)
    if blocking is None:
        return Outcome(data, PayslipState.OK, counted=counted)
    return Outcome(data, PayslipState.FAILED, blocking.key)


def failed(errors: Iterable[AppError]) -> Outcome:
    """The outcome of inputs that no payslip can be computed from."""
    reasons: list[dict[str, Any]] = [{"key": error.key, "args": dict(error.values)} for error in errors]
    document = {"format": FAILURE, "failures": reasons}
    return Outcome(canonical_text(document).encode(), PayslipState.FAILED, reasons[0]["key"])
