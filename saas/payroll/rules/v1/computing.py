"""From frozen inputs to a payslip: gross lines, statutory lines, net. Pure: equal inputs give equal bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from saas.formulas import Sheet
from saas.kernel import AppErrors, Explanation, minor_digits, rounded
from saas.payroll.errors import PayslipRefused
from saas.payroll.rules.canonical import amount_text, number_text
from saas.payroll.rules.inputs import FrozenInputs
from saas.payroll.rules.packs import Finding, Pack, PackResult, PaidAmount, PayFacts
from saas.payroll.rules.payslips import LineKind, Payslip, PayslipLine, in_order
from saas.payroll.rules.structures import BASE_SALARY, ComponentKind, Nature, Structure
from saas.payroll.rules.v1.components import component_lines
from saas.payroll.rules.v1.proration import MonthShare, days_in, in_force_last, share_of
from saas.payroll.rules.v1.vocabulary import values_of

VERSION = "v1"
COMMISSION = "commission"
"""The code of lines of settled commission; no component may have it."""

PAID_KINDS = (ComponentKind.EARNING, ComponentKind.DEDUCTION)
"""Kinds of components of which packs are told."""


def compute_payslip(inputs: FrozenInputs, structure: Structure, sheet: Sheet, pack: Pack | None) -> Payslip:
    """One person's payslip. `sheet` is that of `structure`, whose hash the inputs name.

    :raises AppErrors: with each component that has no value; or one-off amounts of components that there are not.
    :raises AppError: the pack can't compute the statutory lines.
    """
    check_inputs(inputs, structure)
    share = share_of(inputs, structure.proration)
    gross = [
        *component_lines(inputs, structure, sheet, values_of(inputs, structure, share)),
        *commission_lines(inputs),
    ]
    result = (
        None if pack is None else pack.statutory(facts_of(inputs, share, tuple(_paid_amounts(structure, gross)), pack))
    )
    lines = in_order([*gross, *_statutory_lines(pack, result, inputs.currency)])
    slip = Payslip(
        inputs=inputs,
        calculation=VERSION,
        structure_code=structure.code,
        pack=pack,
        lines=lines,
        rows=tuple(sorted(set(result.rows))) if result else (),
        year_to_date=result.year_to_date if result else None,
        findings=(*findings_of(inputs, share), *(result.findings if result else (Finding("payroll.no_pack"),))),
    )
    return _with_net_checked(slip)


def check_inputs(inputs: FrozenInputs, structure: Structure) -> None:
    """Whether inputs belong to a structure.

    :raises PayslipRefused: they name another.
    :raises AppErrors: one-off amounts of components that there are not.
    """
    if structure.hash != inputs.structure_hash:
        raise PayslipRefused("payroll.structure_other", {"structure": structure.code})
    if not inputs.one_offs:
        return
    known = {component.code for component in structure.components}
    strange = sorted({each.component for each in inputs.one_offs} - known)
    if strange:
        raise AppErrors(
            PayslipRefused("payroll.one_off_of_no_component", {"component": code, "structure": structure.code})
            for code in strange
        )


def commission_lines(inputs: FrozenInputs) -> Iterator[PayslipLine]:
    """A line for each settlement that is paid."""
    for settled in inputs.commission:
        amount = amount_text(settled.amount, inputs.currency)
        yield PayslipLine(
            code=COMMISSION,
            titles=settled.titles,
            kind=LineKind.EARNING,
            amount=Decimal(amount),
            sources=(settled.source,),
            explanation=Explanation(
                "payroll.settled_commission", {"title": settled.titles}, amount=amount, source=settled.source
            ),
        )


def facts_of(inputs: FrozenInputs, share: MonthShare, amounts: tuple[PaidAmount, ...], pack: Pack) -> PayFacts:
    """What a pack is told: of the gross lines, their amounts."""
    base = [each for each in inputs.amounts if each.code == BASE_SALARY]
    return PayFacts(
        calculation=pack.calculation,
        legal_entity_id=inputs.person.legal_entity_id,
        employee_id=inputs.person.employee_id,
        period=inputs.period,
        pays_on=inputs.pays_on,
        currency=inputs.currency,
        employed=inputs.employed,
        days_due=share.days_due,
        days_paid=share.days_paid,
        base_salary=in_force_last(base, inputs),
        amounts=amounts,
        declarations=inputs.declarations,
        year_to_date=inputs.year_to_date,
    )


def _paid_amounts(structure: Structure, gross: Iterable[PayslipLine]) -> Iterator[PaidAmount]:
    components = {component.code: component for component in structure.components}
    for line in gross:
        component = components.get(line.code)
        if component is None:
            yield commission_paid(line.amount)
        elif component.kind in PAID_KINDS:
            yield PaidAmount(line.code, component.kind, component.nature, component.is_taxed, line.amount)


def commission_paid(amount: Decimal) -> PaidAmount:
    """A line of commission as packs see it."""
    return PaidAmount(COMMISSION, ComponentKind.EARNING, Nature.ORDINARY, True, amount)


def _statutory_lines(pack: Pack | None, result: PackResult | None, currency: str) -> Iterator[PayslipLine]:
    for line in result.lines if result else ():
        assert pack is not None, "a result comes from a pack"
        _check_statutory(line.code, line.amount, pack, currency)
        yield PayslipLine(
            code=line.code,
            titles=line.titles,
            kind=LineKind(line.kind.value),
            amount=line.amount,
            explanation=line.explanation,
        )


def _check_statutory(code: str, amount: Decimal, pack: Pack, currency: str) -> None:
    """Whether a pack's line is one.

    :raises PayslipRefused: its code is not the pack's, or it has more digits than the currency.
    """
    is_own = code.startswith(f"{pack.name}.")
    if not is_own or rounded(amount, minor_digits(currency)) != amount:
        raise PayslipRefused("payroll.pack_line_unfit", {"pack": pack.name, "line": code})


def findings_of(inputs: FrozenInputs, share: MonthShare) -> Iterator[Finding]:
    """What is to be told of the inputs themselves."""
    if inputs.absences is None and inputs.days_worked is None:
        yield Finding("payroll.attendance_missing", {"days": share.days_due})
    if share.days_unpaid > len(share.kept):
        beyond: dict[str, str | int | None] = {"unpaid": number_text(share.days_unpaid), "days": len(share.kept)}
        yield Finding("payroll.absence_beyond_month", beyond, is_blocking=True)
    base = [each.period for each in inputs.amounts if each.code == BASE_SALARY]
    if any(days_in(period, share.kept) == len(share.kept) for period in base):
        return
    bare = [day for day in share.kept if not any(day in period for period in base)]
    if bare and base:
        gap: dict[str, str | int | None] = {"first": bare[0].isoformat(), "days": len(bare)}
        yield Finding("payroll.base_salary_gap", gap, is_blocking=True)


def _with_net_checked(slip: Payslip) -> Payslip:
    """The payslip; where more is taken off than earned, with the finding that keeps it from being paid."""
    if slip.net >= 0:
        return slip
    currency = slip.inputs.currency
    told = net_negative(amount_text(slip.net, currency), amount_text(slip.gross, currency))
    return replace(slip, findings=(*slip.findings, told))


def net_negative(net: str, gross: str) -> Finding:
    """More is taken off than earned."""
    return Finding("payroll.net_negative", {"net": net, "gross": gross}, is_blocking=True)
