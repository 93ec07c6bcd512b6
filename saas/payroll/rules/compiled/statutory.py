"""The statutory lines of one person as texts, by the forms of the pack."""

from __future__ import annotations

from decimal import Decimal

from saas.kernel import TextForm, mark
from saas.payroll.rules.canonical import amount_text, canonical_text
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.packs import LineForm, Pack, PackTask, StatutoryWriter, WrittenLine
from saas.payroll.rules.payslips import LineKind, PayslipLine
from saas.payroll.rules.v1.computing import check_statutory

_AMOUNT = "line amount"


class LineForms:
    """The texts of a pack's forms, each made when it is first met: a pack has a score of them in a run."""

    def __init__(self, pack: Pack, currency: str) -> None:
        self._pack = pack
        self._currency = currency
        self._forms: dict[LineForm, TextForm] = {}

    def write(self, line: WrittenLine) -> str:
        """The text of one person's line.

        :raises PayslipRefused: it is no line of the pack's, or has more digits than the currency.
        """
        check_statutory(line.form.code, line.amount, self._pack, self._currency)
        form = self._forms.get(line.form) or self._added(line.form)
        return form.filled({**line.texts, _AMOUNT: amount_text(line.amount, self._currency)})

    def _added(self, line: LineForm) -> TextForm:
        plain = PayslipLine(
            code=line.code,
            titles=line.titles,
            kind=LineKind(line.kind.value),
            amount=Decimal(0),
            explanation=line.explanation,
        ).plain_with(mark(_AMOUNT))
        form = self._forms[line] = TextForm(canonical_text(plain))
        return form


class Writers:
    """The pack's writers by what the payslips of a run share; people of one run have one in common."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._kept: dict[PackTask, tuple[StatutoryWriter, LineForms] | None] = {}

    def find(self, inputs: FrozenInputs) -> tuple[StatutoryWriter, LineForms] | None:
        """The writer for these inputs, and the texts of its forms; None where the pack has none."""
        task = PackTask(
            self._pack.calculation, inputs.person.legal_entity_id, inputs.period, inputs.pays_on, inputs.currency
        )
        if task not in self._kept:
            writer = self._pack.writer(task)
            self._kept[task] = None if writer is None else (writer, LineForms(self._pack, inputs.currency))
        return self._kept[task]
