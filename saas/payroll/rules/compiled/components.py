"""A component's line: the formula's value, settled, and the text that explains it."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from decimal import Decimal
from typing import cast

from saas.formulas import MAGNITUDE, OPERAND, RESULT, Computed, PathFormula, Sheet, Value
from saas.kernel import EXACT, Explanation, TextForm, mark, minor_digits, utf8_letters
from saas.payroll.rules.canonical import amount_text, canonical_text
from saas.payroll.rules.compiled.lines import FORMS_MOST, Slot
from saas.payroll.rules.inputs import FrozenInputs, OneOff
from saas.payroll.rules.payslips import LineKind, PayslipLine
from saas.payroll.rules.structures import PayComponent
from saas.payroll.rules.v1.components import (
    bounds_explained,
    component_line,
    inputs_read,
    replacing,
    settled,
)

_LINE_AMOUNT, _EXPLAINED_AMOUNT = "line amount", "explained amount"
_ZERO = Decimal(0)
_WITHOUT_EXPONENT = 6
"""Digits behind the point up to which `str` of a decimal is plain, whatever its value."""

Known = MutableMapping[str, Value | None]
"""What names stand for; a component that is computed is added."""

Texts = MutableMapping[str, str]
"""Values as they are shown, by the names of their marks."""

WrittenLine = tuple[Decimal, str, str]
"""A line's amount, the amount as it is shown in it, and its text."""


def note(texts: Texts, name: str, text: str) -> None:
    """Add a value as it is shown, and as an operand."""
    texts[name] = text
    texts[OPERAND + name] = f"({text})" if text.startswith("-") else text


class ComponentWriter:
    """One component of a structure, for everybody who has the structure, in one currency."""

    def __init__(self, component: PayComponent, sheet: Sheet, currency: str) -> None:
        code = component.code
        self.component = component
        self.kind = LineKind(component.kind.value)
        self.slot = Slot.of(self.kind, code)
        self._sheet = sheet
        self._currency = currency
        self._is_read = any(code in formula.inputs for formula in sheet.formulas.values())
        self._formula = PathFormula(sheet.formulas[code])
        self._settle = _settler(component)
        self._operand = OPERAND + code
        self._show = _shower(component.digits)
        self._is_as_shown = self.kind is LineKind.STATISTIC or _has_digits_of(component, currency)
        self._forms: dict[tuple[int, bool, bool], TextForm] = {}

    def write(self, known: Known, texts: Texts) -> WrittenLine:
        """The line of somebody without one-off amounts of it.

        :raises ArithmeticError: the formula has no value; :raises ValueError: it has more digits than the currency.
        """
        value, path = self._formula.evaluate(known)
        amount, is_raised, is_cut = self._settle(value)
        shown = self._show(amount)
        texts[RESULT] = format(value, "f")
        texts[_EXPLAINED_AMOUNT] = shown
        line_amount = texts[_LINE_AMOUNT] = shown if self._is_as_shown else amount_text(amount, self._currency)
        form = self._forms.get((path, is_raised, is_cut)) or self._form(path, is_raised, is_cut)
        text = form.filled(texts)
        if self._is_read:
            known[self.component.code] = amount
            texts[self.component.code] = shown
            texts[self._operand] = f"({shown})" if shown[0] == "-" else shown
        return amount, line_amount, text

    def write_with(self, one_offs: Sequence[OneOff], known: Known, texts: Texts, inputs: FrozenInputs) -> WrittenLine:
        """The same where the period adds amounts or puts them in the formula's place: too few to have forms.

        :raises AppError: the formula has no value; :raises ValueError: as for `write`.
        """
        component, code = self.component, self.component.code
        instead = replacing(one_offs)
        if instead is None:
            value, explanation = self._formula.formula.explain(known)
            amount, explanations = settled(component, cast("Decimal", value), one_offs), {code: explanation}
        else:
            amount, explanations = instead, {}
        computed = Computed({code: amount}, {}, explanations)
        plain = component_line(component, computed, self._sheet, one_offs, inputs).plain(self._currency)
        known[code] = amount
        note(texts, code, format(amount, "f"))
        return amount, plain["amount"], utf8_letters(canonical_text(plain))

    def _form(self, path: int, is_raised: bool, is_cut: bool) -> TextForm:
        component, formula = self.component, self._formula.shape(path)
        explanation = Explanation(
            "payroll.component",
            {"title": component.titles},
            amount=mark(_EXPLAINED_AMOUNT),
            parts=(formula, *bounds_explained(component, is_raised=is_raised, is_cut=is_cut)),
        )
        line = PayslipLine(
            code=component.code,
            titles=component.titles,
            kind=self.kind,
            amount=_ZERO,
            formula=self._formula.formula.text,
            inputs=inputs_read(formula),
            explanation=explanation,
        )
        form = TextForm(canonical_text(line.plain_with(mark(_LINE_AMOUNT))))
        if len(self._forms) < FORMS_MOST:
            self._forms[path, is_raised, is_cut] = form
        return form


def _shower(digits: int | None) -> Callable[[Decimal], str]:
    """What writes amounts of so many digits out: `str` where it writes no exponent, because it is quicker."""
    has_no_exponent = digits is not None and 0 <= digits <= _WITHOUT_EXPONENT
    return str if has_no_exponent else lambda amount: format(amount, "f")


def _settler(component: PayComponent) -> Callable[[Decimal], tuple[Decimal, bool, bool]]:
    """What makes of a formula's value what the component comes to, and whether floor and ceiling cut in.

    It is `settled` of a component without one-off amounts, with all that is known beforehand in local names.
    """
    lowest = Decimal("-Infinity") if component.floor is None else component.floor
    highest = Decimal("Infinity") if component.ceiling is None else component.ceiling
    unit = None if component.digits is None else Decimal(1).scaleb(-component.digits)
    rounding, add = component.rounding.decimal, EXACT.add

    def settle(value: Decimal) -> tuple[Decimal, bool, bool]:
        is_raised = value < lowest
        bounded = lowest if is_raised else value
        is_cut = bounded > highest
        bounded = highest if is_cut else bounded
        return add(bounded if unit is None else bounded.quantize(unit, rounding, EXACT), _ZERO), is_raised, is_cut

    return settle


def _has_digits_of(component: PayComponent, currency: str) -> bool:
    """Whether what a component comes to is a text of an amount as it is: the right digits, and never too many."""
    bounds = [bound for bound in (component.floor, component.ceiling) if bound is not None]
    return component.digits == minor_digits(currency) and all(abs(bound) < MAGNITUDE for bound in bounds)
