"""A structure at work: its formulas as one checked sheet, and what they come to for one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

from saas.formulas import Component, Computed, Kind, Sheet, Value, Vocabulary, Word, parse_sheet
from saas.kernel import EXACT, AppErrors, Explanation, rounded
from saas.payroll.rules.canonical import amount_text, number_text
from saas.payroll.rules.inputs import FrozenInputs, OneOff, OneOffEffect
from saas.payroll.rules.payslips import LineKind, PayslipLine
from saas.payroll.rules.structures import PayComponent, RoundingMode, Structure
from saas.payroll.rules.v1.vocabulary import words_of


def sheet_of(structure: Structure) -> Sheet:
    """The structure's formulas, each under its code and its Chinese title.

    :raises FormulaRefused: unknown words, circles and whatever else `saas.formulas` refuses; fields name the component.
    """
    components = [Component(_word(component), component.formula) for component in structure.components]
    return parse_sheet(components, Vocabulary(words_of(structure)))


def component_lines(
    inputs: FrozenInputs, structure: Structure, sheet: Sheet, values: Mapping[str, Value | None]
) -> list[PayslipLine]:
    """A line for each component, in the structure's order.

    :raises AppErrors: with each component that has no value, and why.
    """
    by_code = {component.code: component for component in structure.components}
    one_offs = {code: [each for each in inputs.one_offs if each.component == code] for code in by_code}
    replaced = {code: total for code, found in one_offs.items() if (total := replacing(found)) is not None}

    def settle(code: str, value: Value) -> Value:
        return settled(by_code[code], cast("Decimal", value), one_offs[code])

    computed = sheet.evaluate(values, explained=True, given=replaced, settled=settle)
    if computed.failures:
        raise AppErrors(computed.failures.values())
    return [
        component_line(component, computed, sheet, one_offs[component.code], inputs)
        for component in structure.components
    ]


def _word(component: PayComponent) -> Word:
    title = component.titles["zh-CN"]
    aliases = (title,) if title.isidentifier() and title != component.code else ()
    return Word(component.code, Kind.NUMBER, component.titles, aliases)


def settled(component: PayComponent, value: Decimal, one_offs: Sequence[OneOff]) -> Decimal:
    """Bounded, then rounded; what somebody entered for the period is added as it is."""
    bounded = value if component.floor is None else max(value, component.floor)
    bounded = bounded if component.ceiling is None else min(bounded, component.ceiling)
    shown = bounded if component.digits is None else rounded(bounded, component.digits, component.rounding.decimal)
    return EXACT.add(shown, sum((each.amount for each in one_offs), Decimal(0)))


def replacing(one_offs: Sequence[OneOff]) -> Decimal | None:
    """What the period's amounts put in the formula's place; added amounts go on top of replacing ones."""
    if not any(each.effect is OneOffEffect.REPLACE for each in one_offs):
        return None
    return sum((each.amount for each in one_offs), Decimal(0))


def component_line(
    component: PayComponent, computed: Computed, sheet: Sheet, one_offs: Sequence[OneOff], inputs: FrozenInputs
) -> PayslipLine:
    """The line of a component that is computed."""
    amount = cast("Decimal", computed.values[component.code])
    formula = computed.explanations.get(component.code)
    return PayslipLine(
        code=component.code,
        titles=component.titles,
        kind=LineKind(component.kind.value),
        amount=amount,
        formula=None if formula is None else sheet.formulas[component.code].text,
        inputs={} if formula is None else inputs_read(formula),
        sources=tuple(each.source for each in one_offs),
        explanation=_explained(component, amount, formula, one_offs, inputs.currency),
    )


def inputs_read(formula: Explanation) -> dict[str, str]:
    """Name → value of what the formula read, as it is explained."""
    read = (part for part in formula.parts if part.key == "formulas.input_read")
    return {str(part.args["name"]): str(part.args["value"]) for part in read}


def _explained(
    component: PayComponent, amount: Decimal, formula: Explanation | None, one_offs: Sequence[OneOff], currency: str
) -> Explanation:
    parts = [] if formula is None else [formula, *_bounds(component, formula)]
    parts += [
        Explanation(
            _ONE_OFF[each.effect],
            {"reason": each.reason},
            amount=amount_text(each.amount, currency),
            source=each.source,
        )
        for each in one_offs
    ]
    return Explanation("payroll.component", {"title": component.titles}, amount=format(amount, "f"), parts=tuple(parts))


_ONE_OFF = {OneOffEffect.ADD: "payroll.one_off_added", OneOffEffect.REPLACE: "payroll.one_off_instead"}


def _bounds(component: PayComponent, formula: Explanation) -> list[Explanation]:
    """What was done to the formula's value, where something was."""
    value, floor, ceiling = Decimal(formula.amount or 0), component.floor, component.ceiling
    is_cut = ceiling is not None and max(value, floor if floor is not None else value) > ceiling
    return bounds_explained(component, is_raised=floor is not None and value < floor, is_cut=is_cut)


def bounds_explained(component: PayComponent, *, is_raised: bool, is_cut: bool) -> list[Explanation]:
    """The sentences of the bounds that cut in, and of rounding."""
    found = []
    if is_raised and component.floor is not None:
        found.append(Explanation("payroll.raised_to_floor", {"bound": number_text(component.floor)}))
    if is_cut and component.ceiling is not None:
        found.append(Explanation("payroll.cut_to_ceiling", {"bound": number_text(component.ceiling)}))
    if component.digits is not None:
        found.append(Explanation(_ROUNDED[component.rounding], {"digits": component.digits}))
    return found


_ROUNDED = {
    RoundingMode.HALF_UP: "payroll.rounded_half_up",
    RoundingMode.HALF_EVEN: "payroll.rounded_half_even",
    RoundingMode.UP: "payroll.rounded_up",
    RoundingMode.DOWN: "payroll.rounded_down",
}
