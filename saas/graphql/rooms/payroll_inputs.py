"""Root fields of payroll's inputs: assignments, declarations, one-off amounts, days of attendance."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import orjson
import strawberry

from saas.attendance import MonthOfDays, set_day_counts
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Payload, Ref, mapped
from saas.graphql.render_inputs import described_enum, nullable
from saas.graphql.rooms.references import placed_id
from saas.graphql.scalars import check_texts
from saas.kernel import AppError, BadUserInput, public_id
from saas.payroll import (
    OneOffEffect,
    add_pay_item,
    assign_pay,
    declare,
    find_employment,
    withdraw_pay_item,
)
from saas.sealing import Sealer

PAY_ITEM = "pit"

_EFFECTS = described_enum(
    "PayItemEffect",
    "What a one-off amount does to its component. Since 0.1.",
    {"ADD": "It is added. Since 0.1.", "REPLACE": "It takes the formula's place. Since 0.1."},
)


@strawberry.input(description="A monthly amount. Since 0.1.")
class MonthlyAmountInput:
    """An item and its amount."""

    item: str = strawberry.field(description="base_salary, or the code of a monthly item of the structure.")
    amount: Decimal = strawberry.field(description="A month's amount, in the company's currency.")


@strawberry.input(description="What a person is paid by, from a day on. Since 0.1.")
class PayAssignInput:
    """All monthly amounts, not a difference."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key assigns once.")
    employee_id: strawberry.ID = strawberry.field(description="The person (emp_…); the latest employment is meant.")
    structure_id: strawberry.ID = strawberry.field(description="The structure (sst_…).")
    amounts: list[MonthlyAmountInput] = strawberry.field(description="Sealed; base_salary is needed. At most 51.")
    valid_from: date = strawberry.field(description="First day; what was planned from then on is replaced.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; it stands in the audit trail.")


@strawberry.type(description="The person with the new assignment. Since 0.1.")
class PayAssignPayload(IdempotentPayload):
    """Answer of payAssign."""

    employee: Ref | None = mapped("Employee", description="The person; null when refused. Since 0.1.")


@mutation(
    requires="payroll:assign", idempotent=True, description="Give a person a structure and monthly amounts (定薪)"
)
async def pay_assign(info: Info, input: PayAssignInput) -> PayAssignPayload:  # noqa: A002
    employee_id = placed_id(input.employee_id, prefix="emp", field=("employeeId",))
    await assign_pay(
        info.actor,
        employment_id=await find_employment(employee_id),
        structure_id=placed_id(input.structure_id, prefix="sst", field=("structureId",)),
        amounts={each.item: each.amount for each in input.amounts},
        valid_from=input.valid_from,
        reason=input.reason,
        keyring=await info.room(Sealer).keyring(info.actor.tenant_id),
        clock=info.clock,
    )
    return PayAssignPayload(employee=Ref("Employee", employee_id))


@strawberry.input(description="What a person declares for the country, from a day on. Since 0.1.")
class PayDeclareInput:
    """Sealed; what it means is the country pack's business."""

    employee_id: strawberry.ID = strawberry.field(description="The person (emp_…).")
    legal_entity_id: strawberry.ID = strawberry.field(description="Who withholds (ent_…).")
    declarations: str = strawberry.field(
        description="A JSON object as text, at most 16,000 characters; amounts as texts. Replaces earlier ones."
    )
    valid_from: date = strawberry.field(description="First day.")


@strawberry.type(description="The declarations are kept. Since 0.1.")
class PayDeclarePayload(Payload):
    """Answer of payDeclare."""

    employee: Ref | None = mapped("Employee", description="The person; null when refused. Since 0.1.")


@mutation(requires="payroll:assign", description="Keep what a person declares: bases, special additional deductions")
async def pay_declare(info: Info, input: PayDeclareInput) -> PayDeclarePayload:  # noqa: A002
    employee_id = placed_id(input.employee_id, prefix="emp", field=("employeeId",))
    await declare(
        info.actor,
        employee_id=employee_id,
        legal_entity_id=placed_id(input.legal_entity_id, prefix="ent", field=("legalEntityId",)),
        document=_json(input.declarations),
        valid_from=input.valid_from,
        keyring=await info.room(Sealer).keyring(info.actor.tenant_id),
        clock=info.clock,
    )
    return PayDeclarePayload(employee=Ref("Employee", employee_id))


def _json(text: str) -> dict[str, Any]:
    """The object that a text holds.

    :raises BadUserInput: it holds none, or a text that can't be stored.
    """
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise BadUserInput("graphql.json_malformed").at("input", "declarations")
    try:
        check_texts(found)
    except AppError as error:
        raise error.at("input", "declarations", *error.field) from None
    return found


@strawberry.input(description="A one-off amount of one component in one month. Since 0.1.")
class PayItemAddInput:
    """An amount that somebody decided."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key adds it once.")
    employee_id: strawberry.ID = strawberry.field(description="The person (emp_…); the latest employment is meant.")
    month: str = strawberry.field(description="YYYY-MM.")
    component: str = strawberry.field(description="Code of the component.")
    effect: Enum | None = strawberry.field(
        description="ADD when absent.", graphql_type=nullable(_EFFECTS), default=None
    )
    amount: Decimal = strawberry.field(description="In the company's currency; negative to correct.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; the payslip shows it.")


@strawberry.type(description="The one-off amount. Since 0.1.")
class PayItemAddPayload(IdempotentPayload):
    """Answer of payItemAdd."""

    item_id: strawberry.ID | None = strawberry.field(
        description="The amount (pit_…); null when refused. Since 0.1.", default=None
    )


@mutation(requires="payroll:assign", idempotent=True, description="Add a one-off amount to a component in one month")
async def pay_item_add(info: Info, input: PayItemAddInput) -> PayItemAddPayload:  # noqa: A002
    employee_id = placed_id(input.employee_id, prefix="emp", field=("employeeId",))
    item_id = await add_pay_item(
        info.actor,
        employment_id=await find_employment(employee_id),
        month=input.month,
        component=input.component,
        effect=OneOffEffect.ADD if input.effect is None else OneOffEffect[input.effect.name],
        amount=input.amount,
        reason=input.reason,
        keyring=await info.room(Sealer).keyring(info.actor.tenant_id),
        clock=info.clock,
    )
    return PayItemAddPayload(item_id=strawberry.ID(public_id(PAY_ITEM, item_id)))


@strawberry.input(description="Which one-off amount to take back, and why. Since 0.1.")
class PayItemWithdrawInput:
    """One that no run has paid."""

    id: strawberry.ID = strawberry.field(description="The amount (pit_…).")
    reason: str = strawberry.field(description="Why, 1 to 500 characters.")


@strawberry.type(description="The amount is taken back. Since 0.1.")
class PayItemWithdrawPayload(Payload):
    """Answer of payItemWithdraw."""

    item_id: strawberry.ID | None = strawberry.field(
        description="The amount; null when refused. Since 0.1.", default=None
    )


@mutation(requires="payroll:assign", description="Take back a one-off amount that no run has paid")
async def pay_item_withdraw(info: Info, input: PayItemWithdrawInput) -> PayItemWithdrawPayload:  # noqa: A002
    item_id = placed_id(input.id, prefix=PAY_ITEM, field=("id",))
    await withdraw_pay_item(info.actor, item_id=item_id, reason=input.reason, clock=info.clock)
    return PayItemWithdrawPayload(item_id=input.id)


@strawberry.input(description="Days of one kind. Since 0.1.")
class DayCountInput:
    """Kind and number."""

    kind: str = strawberry.field(description="worked, annual_leave, paid_leave, sick_leave, personal_leave or absent.")
    days: Decimal = strawberry.field(description="0 to the days of the month, hundredths allowed.")


@strawberry.input(description="A person's days of a month. Since 0.1.")
class AttendanceDaysSetInput:
    """All kinds of them; what is left out is none."""

    employee_id: strawberry.ID = strawberry.field(description="The person (emp_…); the latest employment is meant.")
    month: str = strawberry.field(description="YYYY-MM.")
    days: list[DayCountInput] = strawberry.field(description="At most one for each kind.")


@strawberry.type(description="The days are kept. Since 0.1.")
class AttendanceDaysSetPayload(Payload):
    """Answer of attendanceDaysSet."""

    employee: Ref | None = mapped("Employee", description="The person; null when refused. Since 0.1.")


@mutation(requires="attendance:write", description="Replace a person's days of a month (出勤天数)")
async def attendance_days_set(info: Info, input: AttendanceDaysSetInput) -> AttendanceDaysSetPayload:  # noqa: A002
    employee_id = placed_id(input.employee_id, prefix="emp", field=("employeeId",))
    month = MonthOfDays(await find_employment(employee_id), input.month, {each.kind: each.days for each in input.days})
    await set_day_counts(info.actor, [month], clock=info.clock)
    return AttendanceDaysSetPayload(employee=Ref("Employee", employee_id))
