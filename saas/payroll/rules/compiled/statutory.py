"""The statutory lines of one person as texts, by the forms of the pack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from saas.kernel import Period, TextForm, mark
from saas.payroll.errors import PayslipRefused
from saas.payroll.rules.canonical import amount_text, canonical_text
from saas.payroll.rules.compiled.lines import FORMS_MOST, Lines, Slot
from saas.payroll.rules.packs import GrossLine, LineForm, Pack, PackTask, PayFacts, StatutoryWriter, WrittenResult
from saas.payroll.rules.payslips import LineKind, PayslipLine

_AMOUNT = "line amount"
_Shared = tuple[UUID, Period, date]
"""What people of one run have in common: the legal entity, the period, the day of payment."""


class Writers:
    """The pack's writers, one for each run that comes by, and the texts of their forms."""

    def __init__(self, pack: Pack, currency: str, gross: tuple[GrossLine, ...]) -> None:
        self._pack = pack
        self._currency = currency
        self._gross = gross
        self._writers: dict[_Shared, StatutoryWriter | None] = {}
        self._forms: dict[LineForm, tuple[Slot, TextForm]] = {}

    def add(self, lines: Lines, facts: PayFacts) -> WrittenResult | None:
        """Add one person's lines; what else the pack answered. None where it leaves the person to `statutory`.

        :raises PayslipRefused: a line that is none of the pack's.
        :raises ValueError: it has too many digits, lacks a text that its form wants, or has one that JSON would escape.
        """
        writer = self._writer((facts.legal_entity_id, facts.period, facts.pays_on))
        result = None if writer is None else writer.write(facts)
        for line, amount, texts in () if result is None else result.lines:
            slot, form = self._forms.get(line) or self._form(line)
            shown = amount_text(amount, self._currency)
            lines.add(slot, amount, shown, _filled(form, {**texts, _AMOUNT: shown}))
        return result

    def _writer(self, shared: _Shared) -> StatutoryWriter | None:
        if shared not in self._writers:
            entity, period, pays_on = shared
            task = PackTask(self._pack.calculation, entity, period, pays_on, self._currency, self._gross)
            self._writers[shared] = self._pack.writer(task)
        return self._writers[shared]

    def _form(self, line: LineForm) -> tuple[Slot, TextForm]:
        if not line.code.startswith(f"{self._pack.name}."):
            raise PayslipRefused("payroll.pack_line_unfit", {"pack": self._pack.name, "line": line.code})
        kind = LineKind(line.kind.value)
        plain = PayslipLine(
            code=line.code, titles=line.titles, kind=kind, amount=Decimal(0), explanation=line.explanation
        ).plain_with(mark(_AMOUNT))
        made = (Slot.of(kind, line.code), TextForm(canonical_text(plain)))
        if len(self._forms) < FORMS_MOST:
            self._forms[line] = made
        return made


def _filled(form: TextForm, texts: Mapping[str, str]) -> str:
    """What a plugin gave is looked at: the texts stand in JSON as they are."""
    joined = "".join(texts.values())
    if not (joined.isascii() and joined.isprintable()) or '"' in joined or "\\" in joined:
        raise ValueError("texts of a form are printable ASCII without quotes and backslashes")
    try:
        return form.filled(texts)
    except KeyError as missing:
        raise ValueError(f"a form wants the text {missing}") from None
