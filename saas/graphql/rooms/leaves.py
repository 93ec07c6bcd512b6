"""Root fields about who is away."""

from __future__ import annotations

from datetime import date

import strawberry

from saas.graphql.fields import Info, mutation
from saas.graphql.payloads import IdempotentPayload, Payload, Ref, mapped
from saas.graphql.rooms.references import placed_id
from saas.people import NewLeave, cancel_leave, enter_leave, shorten_leave


@strawberry.input(description="Who is away, from day to day. Since 0.1.")
class EmployeeLeaveEnterInput:
    """Whole days, both ends counted."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key enters once.")
    employee: strawberry.ID = strawberry.field(
        description="The person (emp_…): not oneself, and one whose kind of leave the caller may read."
    )
    first_on: date = strawberry.field(description="The first day away; not before the person was hired.")
    last_on: date = strawberry.field(description="The last day away.")
    kind: str = strawberry.field(description="The kind, a word of the company's, 1 to 20 characters.")


@strawberry.type(description="The leave. Since 0.1.")
class EmployeeLeaveEnterPayload(IdempotentPayload):
    """Answer of employeeLeaveEnter."""

    leave: Ref | None = mapped("EmployeeLeave", description="The leave; null when refused. Since 0.1.")


@mutation(requires="leave:write", idempotent=True, description="Enter that somebody is away (请假)")
async def employee_leave_enter(info: Info, input: EmployeeLeaveEnterInput) -> EmployeeLeaveEnterPayload:  # noqa: A002
    employee_id = placed_id(input.employee, prefix="emp", field=("employee",))
    wanted = NewLeave(employee_id, input.first_on, input.last_on, input.kind)
    leave_id = await enter_leave(info.actor, wanted, access=info.rights, clock=info.clock)
    return EmployeeLeaveEnterPayload(leave=Ref("EmployeeLeave", leave_id))


@strawberry.input(description="The last day of a leave. Since 0.1.")
class EmployeeLeaveShortenInput:
    """A leave that ends sooner."""

    leave: strawberry.ID = strawberry.field(description="The leave (lea_…).")
    last_on: date = strawberry.field(description="The last day away, within the leave.")


@strawberry.type(description="The leave. Since 0.1.")
class EmployeeLeaveShortenPayload(Payload):
    """Answer of employeeLeaveShorten."""

    leave: Ref | None = mapped("EmployeeLeave", description="The leave; null when refused. Since 0.1.")


@mutation(requires="leave:write", description="Let a leave end sooner (提前销假)")
async def employee_leave_shorten(info: Info, input: EmployeeLeaveShortenInput) -> EmployeeLeaveShortenPayload:  # noqa: A002
    leave_id = placed_id(input.leave, prefix="lea", field=("leave",))
    await shorten_leave(info.actor, leave_id=leave_id, last_on=input.last_on, access=info.rights, clock=info.clock)
    return EmployeeLeaveShortenPayload(leave=Ref("EmployeeLeave", leave_id))


@strawberry.input(description="A leave that is not taken. Since 0.1.")
class EmployeeLeaveCancelInput:
    """It stays on record, cancelled."""

    leave: strawberry.ID = strawberry.field(description="The leave (lea_…).")


@strawberry.type(description="The leave. Since 0.1.")
class EmployeeLeaveCancelPayload(Payload):
    """Answer of employeeLeaveCancel."""

    leave: Ref | None = mapped("EmployeeLeave", description="The leave; null when refused. Since 0.1.")


@mutation(requires="leave:write", description="Cancel a leave (撤销请假)")
async def employee_leave_cancel(info: Info, input: EmployeeLeaveCancelInput) -> EmployeeLeaveCancelPayload:  # noqa: A002
    leave_id = placed_id(input.leave, prefix="lea", field=("leave",))
    await cancel_leave(info.actor, leave_id=leave_id, access=info.rights, clock=info.clock)
    return EmployeeLeaveCancelPayload(leave=Ref("EmployeeLeave", leave_id))
