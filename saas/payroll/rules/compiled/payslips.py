"""One person's payslip as a text: lines by their forms, in the form of the document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from saas.formulas import Sheet, shown
from saas.kernel import AppError, AppErrors, TextForm, json_mark, mark, may_be_mistaken, month_of, utf8_letters
from saas.payroll.rules.canonical import amount_text, canonical_text
from saas.payroll.rules.compiled.components import ComponentWriter, Known, Texts, note
from saas.payroll.rules.compiled.lines import PLACES, Lines, Slot
from saas.payroll.rules.compiled.statutory import Writers
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.packs import Finding, GrossLine, Pack, PaidAmount
from saas.payroll.rules.payslips import LineKind, Payslip
from saas.payroll.rules.structures import PayComponent, Structure
from saas.payroll.rules.v1.computing import (
    COMMISSION,
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

_GROSS = (PLACES[LineKind.EARNING],)
_DEDUCTED = (PLACES[LineKind.DEDUCTION], PLACES[LineKind.CONTRIBUTION], PLACES[LineKind.TAX])
_COST = (PLACES[LineKind.EMPLOYER_COST],)


@dataclass(frozen=True, slots=True)
class WrittenPayslip:
    """The UTF-8 of a payslip's canonical text, its findings, and the text of what totals need of it (`Counted`)."""

    data: bytes
    findings: tuple[Finding, ...]
    counted: str


class PayslipWriter:
    """Writes the payslips of everybody who has one version of a structure, in one currency."""

    def __init__(self, structure: Structure, sheet: Sheet, pack: Pack | None, currency: str) -> None:
        self._structure = structure
        self._inputs = sheet.inputs
        self._currency = currency
        self._pack = pack
        self._writers = None if pack is None else Writers(pack, currency, _gross_lines(structure))
        writers = {each.code: ComponentWriter(each, sheet, currency) for each in structure.components}
        self._components = [writers[code] for code in sheet.formulas]
        self._layout = [_Placed(each, writers[each.code].slot) for each in structure.components]
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
        lines = Lines()
        paid = [*self._add_components(lines, inputs, share), *_add_commission(lines, inputs)]
        findings, rows, year = [*findings_of(inputs, share)], "[]", "null"
        if self._pack is None or self._writers is None:
            findings.append(Finding("payroll.no_pack"))
        else:
            facts = facts_of(inputs, share, tuple(paid), self._pack)
            result = self._writers.add(lines, facts)
            if result is None:
                return None
            findings += result.findings
            rows, year = _rows_text(result.rows), canonical_text(dict(result.year_to_date))
        return self._document_of(inputs, lines, findings, {"rows": rows, "yearToDate": utf8_letters(year)})

    def _add_components(self, lines: Lines, inputs: FrozenInputs, share: MonthShare) -> Iterator[PaidAmount]:
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
        for placed in self._layout:
            amount, line_amount, text = found[placed.component.code]
            lines.add(placed.slot, amount, line_amount, text)
            if placed.is_told:
                yield PaidAmount(*placed.gross, amount)

    def _document_of(
        self, inputs: FrozenInputs, lines: Lines, findings: list[Finding], texts: dict[str, str]
    ) -> WrittenPayslip:
        person, currency, period = inputs.person, self._currency, inputs.period
        gross, deductions = lines.sum_of(*_GROSS), lines.sum_of(*_DEDUCTED)
        net, gross_text = amount_text(gross - deductions, currency), amount_text(gross, currency)
        cost = amount_text(lines.sum_of(*_COST), currency)
        if gross < deductions:
            findings.append(net_negative(net, gross_text))
        assert period.last is not None, "pay periods end"
        name = canonical_text({"number": person.number, "name": person.name, "position": person.position})
        texts |= {
            "person": utf8_letters(name),
            "legalEntity": _name_text(person.legal_entity),
            "department": _name_text(person.department),
            "month": month_of(period.first),
            "from": period.first.isoformat(),
            "to": period.last.isoformat(),
            "paysOn": inputs.pays_on.isoformat(),
            "lines": lines.text,
            "gross": gross_text,
            "deductions": amount_text(deductions, currency),
            "net": net,
            "employerCost": cost,
            "findings": utf8_letters(canonical_text([each.plain() for each in findings])) if findings else "[]",
        }
        form = self._document = self._document or self._document_form(inputs)
        data, counted = form.filled(texts).encode("latin-1"), lines.counted(gross_text, net, cost)
        return WrittenPayslip(data, tuple(findings), counted)

    def _document_form(self, inputs: FrozenInputs) -> TextForm:
        """The document of somebody without lines, with marks for all that is of one person or one month."""
        plain = Payslip(
            inputs=inputs, calculation=VERSION, structure_code=self._structure.code, pack=self._pack, lines=()
        ).plain()
        marks = {name: json_mark(name) for name in _WHOLE} | {name: mark(name) for name in _TEXTS}
        return TextForm(canonical_text({**plain, **marks}))


_WHOLE = ("person", "legalEntity", "department", "lines", "findings", "rows", "yearToDate")
_TEXTS = ("month", "from", "to", "paysOn", "gross", "deductions", "net", "employerCost")


class _Placed:
    """Where a component's line stands, and what packs are told of it."""

    __slots__ = ("component", "gross", "is_told", "slot")

    def __init__(self, component: PayComponent, slot: Slot) -> None:
        self.component = component
        self.slot = slot
        self.is_told = component.kind in PAID_KINDS
        self.gross = GrossLine(component.code, component.kind, component.nature, component.is_taxed)


def _gross_lines(structure: Structure) -> tuple[GrossLine, ...]:
    told = (each for each in structure.components if each.kind in PAID_KINDS)
    return tuple(GrossLine(each.code, each.kind, each.nature, each.is_taxed) for each in told)


_COMMISSION_SLOT = Slot.of(LineKind.EARNING, COMMISSION)


def _add_commission(lines: Lines, inputs: FrozenInputs) -> Iterator[PaidAmount]:
    for line in commission_lines(inputs):
        plain = line.plain(inputs.currency)
        lines.add(_COMMISSION_SLOT, line.amount, plain["amount"], utf8_letters(canonical_text(plain)))
        yield commission_paid(line.amount)


@lru_cache(maxsize=64)
def _rows_text(rows: tuple[str, ...]) -> str:
    """Which rows a pack used; few sets of them come in a run."""
    return utf8_letters(canonical_text(sorted(set(rows))))


@lru_cache(maxsize=1024)
def _name_text(name: str) -> str:
    """The name of a department or legal entity, which many people have in common."""
    return utf8_letters(canonical_text(name))


def payslip_writer(structure: Structure, sheet: Sheet, pack: Pack | None, currency: str) -> PayslipWriter | None:
    """What writes the payslips of a structure; None where its titles or formulas hold characters that marks are of."""
    return None if may_be_mistaken(structure.text) else PayslipWriter(structure, sheet, pack, currency)
