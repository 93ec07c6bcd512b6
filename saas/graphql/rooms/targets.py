"""Root fields about targets."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum

import strawberry

from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Ref, enum_of, mapped, stored_text
from saas.graphql.rooms.references import optional_id
from saas.sales import TARGET_METRIC, NewTarget, set_target


@strawberry.input(description="What a person or a department is to achieve. Since 0.1.")
class TargetSetInput:
    """A target, or a new amount for one."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key sets it once.")
    employee: strawberry.ID | None = strawberry.field(description="The person (emp_…), or …", default=None)
    department: strawberry.ID | None = strawberry.field(description="… the department (dep_…).", default=None)
    metric: Enum = enum_of(TARGET_METRIC, description="By what it is met.")
    period_first: date = strawberry.field(description="The first day.")
    period_until: date = strawberry.field(description="The day after the last one.")
    amount: Decimal = strawberry.field(description="How much, above 0, in the company's currency.")
    expected_version: int | None = strawberry.field(
        description="The version of the target that is changed; absent for a new one.", default=None
    )


@strawberry.type(description="The target. Since 0.1.")
class TargetSetPayload(IdempotentPayload):
    """Answer of targetSet."""

    target: Ref | None = mapped("Target", description="The target; null when refused. Since 0.1.")


@mutation(
    requires="target:set",
    idempotent=True,
    description="Set or change a target (业绩目标); those of one subject and metric never have days in common",
)
async def target_set(info: Info, input: TargetSetInput) -> TargetSetPayload:  # noqa: A002
    new = NewTarget(
        employee_id=optional_id(input.employee, prefix="emp", field=("employee",)),
        department_id=optional_id(input.department, prefix="dep", field=("department",)),
        metric=stored_text(TARGET_METRIC, input.metric),
        first=input.period_first,
        until=input.period_until,
        amount=input.amount,
    )
    target_id = await set_target(
        info.actor,
        new,
        expected_version=input.expected_version,
        currency=info.currency,
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return TargetSetPayload(target=Ref("Target", target_id))
