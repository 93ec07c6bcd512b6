"""Root fields of salary structures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry

from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import Payload, Ref, mapped
from saas.graphql.render_inputs import described_enum, nullable
from saas.kernel import Localised
from saas.payroll import (
    ComponentKind,
    MonthlyItem,
    Nature,
    PayComponent,
    Proration,
    ProrationMethod,
    RoundingMode,
    Structure,
    save_structure,
)

_KINDS = described_enum(
    "PayComponentKind",
    "What a component does. Since 0.1.",
    {
        "EARNING": "It is paid (应发). Since 0.1.",
        "DEDUCTION": "It is taken off (扣款). Since 0.1.",
        "STATISTIC": "It is computed and usable, not paid. Since 0.1.",
        "EMPLOYER_COST": "The employer bears it on top. Since 0.1.",
    },
)
_NATURES = described_enum(
    "PayComponentNature",
    "What laws on wages treat apart. Since 0.1.",
    {
        "ORDINARY": "Nothing special. Since 0.1.",
        "OVERTIME": "Overtime pay (加班费). Since 0.1.",
        "HARDSHIP": "Allowance for special surroundings or shifts. Since 0.1.",
        "BENEFIT": "Statutory benefit. Since 0.1.",
        "ANNUAL_BONUS": "Annual one-off bonus (全年一次性奖金). Since 0.1.",
        "DAMAGE": "Deduction for damage. Since 0.1.",
    },
)
_ROUNDINGS = described_enum(
    "PayRounding",
    "How a component is cut to its digits. Since 0.1.",
    {
        "HALF_UP": "A half away from zero (四舍五入). Since 0.1.",
        "HALF_EVEN": "A half to the even digit. Since 0.1.",
        "UP": "Away from zero. Since 0.1.",
        "DOWN": "Towards zero. Since 0.1.",
    },
)
_METHODS = described_enum(
    "ProrationMethod",
    "How a month that was not kept in full is divided. Since 0.1.",
    {
        "PER_DAY_WORKED": "Paid days over the days a month (21.75). Since 0.1.",
        "PER_DAY_ABSENT": "The month less unpaid days over the days a month. Since 0.1.",
        "ACTUAL_DAYS": "Paid days over the pay days of the month. Since 0.1.",
    },
)


@strawberry.input(description="A component of a salary structure. Since 0.1.")
class PayComponentInput:
    """One formula with its rounding."""

    code: str = strawberry.field(description="Lower-case letter, then letters, digits and _; formulas may use it.")
    title_zh: str = strawberry.field(description="Chinese title; formulas may use it where it is one word.")
    title_en: str = strawberry.field(description="English title.")
    kind: Enum = strawberry.field(description="What it does.", graphql_type=_KINDS)
    formula: str = strawberry.field(description="In the language of formulas, over inputs and other components.")
    digits: int | None = strawberry.field(
        description="Digits behind the point; null leaves a statistic unrounded.", default=2
    )
    rounding: Enum | None = strawberry.field(
        description="HALF_UP when absent.", graphql_type=nullable(_ROUNDINGS), default=None
    )
    floor: Decimal | None = strawberry.field(description="Least value, before rounding.", default=None)
    ceiling: Decimal | None = strawberry.field(description="Greatest value, before rounding.", default=None)
    is_taxed: bool = strawberry.field(
        description="An earning is income, a deduction lessens income; false: neither.", default=True
    )
    nature: Enum | None = strawberry.field(
        description="ORDINARY when absent.", graphql_type=nullable(_NATURES), default=None
    )


@strawberry.input(description="A dated monthly amount beside the base salary. Since 0.1.")
class MonthlyItemInput:
    """What assignments may hold; formulas read CODE and CODE.earned."""

    code: str = strawberry.field(description="Lower-case letter, then letters, digits and _.")
    title_zh: str = strawberry.field(description="Chinese title.")
    title_en: str = strawberry.field(description="English title.")


@strawberry.input(description="The unpaid part of a day of absence. Since 0.1.")
class UnpaidPartInput:
    """Kinds that are not named are paid."""

    kind: str = strawberry.field(description="annual_leave, paid_leave, sick_leave, personal_leave or absent.")
    part: Decimal = strawberry.field(description="From 0 (paid) to 1 (not paid).")


@strawberry.input(description="A salary structure from a day on. Since 0.1.")
class SalaryStructureSaveInput:
    """All of it, not a difference."""

    code: str = strawberry.field(description="Its code; the same code is the same structure.")
    title_zh: str = strawberry.field(description="Chinese title.")
    title_en: str = strawberry.field(description="English title.")
    items: list[MonthlyItemInput] = strawberry.field(
        description="Monthly amounts beside the base salary, at most 50.", default_factory=list
    )
    components: list[PayComponentInput] = strawberry.field(description="In the order of display, at most 500.")
    proration: Enum | None = strawberry.field(
        description="PER_DAY_WORKED when absent.", graphql_type=nullable(_METHODS), default=None
    )
    days_a_month: Decimal = strawberry.field(
        description="What the first two methods divide by.", default=Decimal("21.75")
    )
    unpaid: list[UnpaidPartInput] | None = strawberry.field(
        description="When absent: personal leave, sick leave and absence are not paid.", default=None
    )
    valid_from: date = strawberry.field(description="First day; what was planned from then on is replaced.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; it stands in the audit trail.")
    expected_version: int = strawberry.field(description="The structure's version as it was read; 0 for a new one.")


@strawberry.type(description="The structure with its new version. Since 0.1.")
class SalaryStructureSavePayload(Payload):
    """Answer of salaryStructureSave."""

    structure: Ref | None = mapped("SalaryStructure", description="The structure; null when refused. Since 0.1.")


@mutation(
    requires="payroll:configure",
    description="Save a salary structure from a day on; all that is wrong with it is told at once",
)
async def salary_structure_save(info: Info, input: SalaryStructureSaveInput) -> SalaryStructureSavePayload:  # noqa: A002
    structure_id = await save_structure(
        info.actor,
        _structure(input),
        valid_from=input.valid_from,
        reason=input.reason,
        expected_version=input.expected_version,
        clock=info.clock,
    )
    return SalaryStructureSavePayload(structure=Ref("SalaryStructure", structure_id))


def _structure(sent: SalaryStructureSaveInput) -> Structure:
    method = ProrationMethod.PER_DAY_WORKED if sent.proration is None else ProrationMethod[sent.proration.name]
    unpaid: dict[str, Any] = {}
    if sent.unpaid is not None:
        unpaid = {"unpaid": {each.kind: each.part for each in sent.unpaid}}
    return Structure(
        code=sent.code,
        titles=_titles(sent),
        items=tuple(MonthlyItem(code=item.code, titles=_titles(item)) for item in sent.items),
        components=tuple(_component(component) for component in sent.components),
        proration=Proration(method=method, days_a_month=sent.days_a_month, **unpaid),
    )


def _component(sent: PayComponentInput) -> PayComponent:
    return PayComponent(
        code=sent.code,
        titles=_titles(sent),
        kind=ComponentKind[sent.kind.name],
        formula=sent.formula,
        digits=sent.digits,
        rounding=RoundingMode.HALF_UP if sent.rounding is None else RoundingMode[sent.rounding.name],
        floor=sent.floor,
        ceiling=sent.ceiling,
        is_taxed=sent.is_taxed,
        nature=Nature.ORDINARY if sent.nature is None else Nature[sent.nature.name],
    )


def _titles(sent: SalaryStructureSaveInput | MonthlyItemInput | PayComponentInput) -> Localised:
    return {"zh-CN": sent.title_zh, "en": sent.title_en}
