"""One person's payslip as a text: lines by their forms, in the form of the document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from saas.formulas import Sheet, shown
from saas.kernel import AppError, AppErrors, TextForm, json_mark, mark, may_be_mistaken, month_of
from saas.payroll.rules.canonical import amount_text, canonical_text
from saas.payroll.rules.compiled.components import ComponentWriter, Known, Texts, note
from saas.payroll.rules.compiled.statutory import Writers
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.packs import Finding, Pack, PaidAmount, PayFacts, WrittenResult
from saas.payroll.rules.payslips import LineKind, Payslip
from saas.payroll.rules.structures import Structure
from saas.payroll.rules.v1.computing import (
    PAID_KINDS,
    VERSION,
    check_inputs,
    commission_lines,
    commission_paid,
    facts_of,
    findings_of,
    net_negative,
)
from saas.payroll.rules.v1.proration import MonthShare, share_of
from saas.payroll.rules.v1.vocabulary import values_of

_DEDUCTED = (LineKind.DEDUCTION, LineKind.CONTRIBUTION, LineKind.TAX)


@dataclass(frozen=True, slots=True)
class WrittenPayslip:
    """A payslip's canonical text, its findings, and its amounts as `Totals` adds them up."""

    text: str
    findings: tuple[Finding, ...]


class _Lines:
    """Lines as they come, kept by their kind, which is their order in the document."""

    def __init__(self) -> None:
        self._texts: dict[LineKind, list[str]] = {kind: [] for kind in LineKind}
        self._amounts: dict[LineKind, list[Decimal]] = {kind: [] for kind in LineKind}

    def add(self, kind: LineKind, amount: Decimal, text: str) -> None:
        self._texts[kind].append(text)
        self._amounts[kind].append(amount)

    def text(self) -> str:
        return f"[{','.join(text for texts in self._texts.values() for text in texts)}]"

    def sum_of(self, *kinds: LineKind) -> Decimal:
        return sum((amount for kind in kinds for amount in self._amounts[kind]), Decimal(0))


class PayslipWriter:
    """Writes the payslips of everybody who has one version of a structure, in one currency."""

    def __init__(self, structure: Structure, sheet: Sheet, pack: Pack | None, currency: str) -> None:
        self._structure = structure
        self._inputs = sheet.inputs
        self._pack = pack
        self._writers = None if pack is None else Writers(pack)
        by_code = {each.code: each for each in structure.components}
        self._components = [ComponentWriter(by_code[code], sheet, currency) for code in sheet.formulas]
        self._layout = [(each, LineKind(each.kind.value)) for each in structure.components]
        self._document: TextForm | None = None

    def write(self, inputs: FrozenInputs) -> WrittenPayslip | None:
        """The payslip that `compute_payslip` gives, as a text; None where that is to be asked, and to say why."""
        try:
            return self._written(inputs)
        except (AppError, AppErrors, ArithmeticError, ValueError):
            return None

    def _written(self, inputs: FrozenInputs) -> WrittenPayslip | None:
        check_inputs(inputs, self._structure)
        share = share_of(inputs, self._structure.proration)
        lines = _Lines()
        paid = [*self._add_components(lines, inputs, share), *_add_commission(lines, inputs)]
        findings, rows, year = [*findings_of(inputs, share)], "[]", "null"
        if self._pack is None:
            findings.append(Finding("payroll.no_pack"))
        else:
            result = self._add_statutory(lines, inputs, facts_of(inputs, share, tuple(paid), self._pack))
            if result is None:
                return None
            findings += result.findings
            rows, year = _rows_text(result.rows), canonical_text(dict(result.year_to_date))
        return self._document_of(inputs, lines, findings, {"rows": rows, "yearToDate": year})

    def _add_components(self, lines: _Lines, inputs: FrozenInputs, share: MonthShare) -> Iterator[PaidAmount]:
        """Lines of all components; those of which packs are told."""
        known: Known = values_of(inputs, self._structure, share)
        texts: Texts = {}
        for name in self._inputs:
            value = known[name]
            if value is not None:
                note(texts, name, shown(value))
        found = {}
        for writer in self._components:
            code = writer.component.code
            own = [each for each in inputs.one_offs if each.component == code] if inputs.one_offs else None
            found[code] = writer.write_with(own, known, texts, inputs) if own else writer.write(known, texts)
        for component, kind in self._layout:
            amount, text = found[component.code]
            lines.add(kind, amount, text)
            if component.kind in PAID_KINDS:
                yield PaidAmount(component.code, component.kind, component.nature, component.is_taxed, amount)

    def _add_statutory(self, lines: _Lines, inputs: FrozenInputs, facts: PayFacts) -> WrittenResult | None:
        assert self._writers is not None, "there is a pack"
        found = self._writers.find(inputs)
        result = None if found is None else found[0].write(facts)
        if found is not None and result is not None:
            for line in result.lines:
                lines.add(LineKind(line.form.kind.value), line.amount, found[1].write(line))
        return result

    def _document_of(
        self, inputs: FrozenInputs, lines: _Lines, findings: list[Finding], texts: dict[str, str]
    ) -> WrittenPayslip:
        person, currency = inputs.person, inputs.currency
        gross, deductions = lines.sum_of(LineKind.EARNING), lines.sum_of(*_DEDUCTED)
        net, gross_text = amount_text(gross - deductions, currency), amount_text(gross, currency)
        if gross < deductions:
            findings.append(net_negative(net, gross_text))
        last = inputs.period.last
        assert last is not None, "pay periods end"
        texts |= {
            "person": canonical_text({"number": person.number, "name": person.name, "position": person.position}),
            "legalEntity": canonical_text(person.legal_entity),
            "department": canonical_text(person.department),
            "month": month_of(inputs.period.first),
            "from": inputs.period.first.isoformat(),
            "to": last.isoformat(),
            "paysOn": inputs.pays_on.isoformat(),
            "lines": lines.text(),
            "gross": gross_text,
            "deductions": amount_text(deductions, currency),
            "net": net,
            "employerCost": amount_text(lines.sum_of(LineKind.EMPLOYER_COST), currency),
            "findings": canonical_text([finding.plain() for finding in findings]) if findings else "[]",
        }
        form = self._document = self._document or self._document_form(inputs)
        return WrittenPayslip(form.filled(texts), tuple(findings))

    def _document_form(self, inputs: FrozenInputs) -> TextForm:
        """The document of somebody without lines, with marks for all that is of one person or one month."""
        plain = Payslip(
            inputs=inputs, calculation=VERSION, structure_code=self._structure.code, pack=self._pack, lines=()
        ).plain()
        marks = {name: json_mark(name) for name in _WHOLE} | {name: mark(name) for name in _TEXTS}
        return TextForm(canonical_text({**plain, **marks}))


_WHOLE = ("person", "legalEntity", "department", "lines", "findings", "rows", "yearToDate")
_TEXTS = ("month", "from", "to", "paysOn", "gross", "deductions", "net", "employerCost")


def _add_commission(lines: _Lines, inputs: FrozenInputs) -> Iterator[PaidAmount]:
    for line in commission_lines(inputs):
        lines.add(line.kind, line.amount, canonical_text(line.plain(inputs.currency)))
        yield commission_paid(line.amount)


@lru_cache(maxsize=64)
def _rows_text(rows: tuple[str, ...]) -> str:
    """Which rows a pack used; few sets of them come in a run."""
    return canonical_text(sorted(set(rows)))


def payslip_writer(structure: Structure, sheet: Sheet, pack: Pack | None, *, currency: str) -> PayslipWriter | None:
    """What writes the payslips of a structure; None where its titles or formulas hold characters that marks are of."""
    return None if may_be_mistaken(structure.text) else PayslipWriter(structure, sheet, pack, currency)
