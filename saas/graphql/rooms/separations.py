"""Root field about people who leave, and what becomes of their customers."""

from __future__ import annotations

from datetime import date

import strawberry

from saas.customers import Separation, count_pools_left_by
from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Ref, mapped
from saas.graphql.rooms.references import optional_id, placed_id
from saas.people import separate_employee
from saas.sales import find_activity


@strawberry.input(description="Who leaves the company. Since 0.1.")
class EmployeeSeparateInput:
    """The customers go at once, whatever the last day was."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key separates once.")
    employee: strawberry.ID = strawberry.field(description="The person (emp_…).")
    last_day: date | None = strawberry.field(
        description="Last day of work, today at the latest; today when absent.", default=None
    )
    successor: strawberry.ID | None = strawberry.field(
        description="Who gets the customers (emp_…), as far as the limits let them; absent: all go to their pools.",
        default=None,
    )
    reason: str = strawberry.field(description="Why, 1 to 200 characters; it stands in the ledger.")


@strawberry.type(description="The person who left, and where the customers went. Since 0.1.")
class EmployeeSeparatePayload(IdempotentPayload):
    """Answer of employeeSeparate."""

    employee: Ref | None = mapped("Employee", description="The person; null when refused. Since 0.1.")
    handed_over: int | None = strawberry.field(
        description="Customers that the successor got; null when refused. Since 0.1.", default=None
    )
    pooled: int | None = strawberry.field(
        description="Customers that went to their pools; null when refused. Since 0.1.", default=None
    )
    pools_without_administrators: int | None = strawberry.field(
        description="Pools of which they were the last administrator; see lacksAdministrators. Since 0.1.", default=None
    )


@mutation(
    requires="employee:separate",
    idempotent=True,
    description="Somebody leaves (离职): the customers go to a successor or to their pools at once",
)
async def employee_separate(info: Info, input: EmployeeSeparateInput) -> EmployeeSeparatePayload:  # noqa: A002
    employee_id = placed_id(input.employee, prefix="emp", field=("employee",))
    successor_id = optional_id(input.successor, prefix="emp", field=("successor",))
    await separate_employee(
        info.actor, employee_id=employee_id, left_on=input.last_day, time_zone=info.time_zone, clock=info.clock
    )
    separation = Separation(info.actor, input.reason, find_activity, info.time_zone, info.clock)
    left = await separation.leave_customers(employee_id=employee_id, successor_id=successor_id)
    return EmployeeSeparatePayload(
        employee=Ref("Employee", employee_id),
        handed_over=left.handed_over,
        pooled=left.pooled,
        pools_without_administrators=await count_pools_left_by(employee_id),
    )
