"""Somebody leaves the company (离职): the last day stands in the record, and the employment ends with it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from saas.audit import record
from saas.kernel import Actor, Clock, Scalar, local_date
from saas.people.errors import EmployeeNotFound, SeparationRefused
from tenants import current_tenant_id, current_transaction

_LOCK = "SELECT status, hired_on, left_on FROM employee WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
_SEPARATE = "UPDATE employee SET status = 'separated', left_on = $3 WHERE tenant_id = $1 AND id = $2"
_END = """
UPDATE employment SET valid_to = greatest($3::date, valid_from) + 1
WHERE tenant_id = $1 AND employee_id = $2 AND valid_to IS NULL
"""


async def separate_employee(
    actor: Actor, *, employee_id: UUID, left_on: date | None, time_zone: str, clock: Clock
) -> date:
    """Somebody leaves; `left_on` is the last day of work, today when None. Gives that day.

    :raises EmployeeNotFound: no such person in this company.
    :raises SeparationRefused: they left before, or the day lies ahead or before the first one.
    """
    today = local_date(clock.now(), time_zone)
    last_day = left_on or today
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), employee_id)
    if row is None:
        raise EmployeeNotFound("people.employee_not_found").at("input", "employee")
    if row["status"] != "active":
        left = {"left_on": str(row["left_on"])}
        raise SeparationRefused("people.left_already", left).at("input", "employee")
    if last_day > today or (row["hired_on"] is not None and last_day < row["hired_on"]):
        days = {"left_on": last_day.isoformat(), "hired_on": str(row["hired_on"]), "today": today.isoformat()}
        raise SeparationRefused("people.left_out_of_range", days).at("input", "lastDay")
    await current_transaction().execute(_SEPARATE, current_tenant_id(), employee_id, last_day)
    await current_transaction().execute(_END, current_tenant_id(), employee_id, last_day)
    changes: dict[str, list[Scalar]] = {"status": ["active", "separated"], "left_on": [None, last_day.isoformat()]}
    await record(
        actor, "employee.separated", object_type="Employee", object_id=employee_id, changes=changes, clock=clock
    )
    return last_day
