"""Leave by day (请假): entered, shortened and cancelled by somebody else than the person who is away.

Days are whole: half a day is no leave here. Two leaves of a person never share a day: the person's row is locked before
their other leave is looked at. The trail tells days and never the kind, which may be an illness.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

import asyncpg

from saas.access import AccessTable, scope_predicate
from saas.audit import record
from saas.kernel import Actor, Clock, Scalar, new_id
from saas.people.errors import EmployeeNotFound, LeaveNotFound, LeaveRefused
from saas.people.policies import LEAVE_SCOPES
from saas.people.queries import readable_rows
from saas.people.rules import clean_name
from tenants import current_tenant_id, current_transaction

KIND_MAX = 20

_LOCK = "SELECT hired_on, left_on FROM employee WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE"
_OVERLAPPING = """
SELECT first_on, last_on FROM employee_leave
WHERE tenant_id = $1 AND employee_id = $2 AND cancelled_at IS NULL AND first_on <= $4 AND last_on >= $3
ORDER BY first_on LIMIT 1
"""
_INSERT = """
INSERT INTO employee_leave (tenant_id, id, employee_id, first_on, last_on, kind, entered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_FIND = "SELECT employee_id, first_on, last_on, cancelled_at FROM employee_leave WHERE tenant_id = $1 AND id = $2"
_SHORTEN = "UPDATE employee_leave SET last_on = $3 WHERE tenant_id = $1 AND id = $2"
_CANCEL = "UPDATE employee_leave SET cancelled_at = $3 WHERE tenant_id = $1 AND id = $2"


@dataclass(frozen=True, slots=True)
class NewLeave:
    """From `first_on` to `last_on`, both counted."""

    employee_id: UUID
    first_on: date
    last_on: date
    kind: str


async def enter_leave(actor: Actor, leave: NewLeave, *, access: AccessTable, clock: Clock) -> UUID:
    """Enter that somebody is away (permission ``leave:write``, for those whose kind of leave the caller may read).

    Days that have passed can be entered too: an illness is known afterwards. What was allocated meanwhile stays.

    :raises EmployeeNotFound: no such person, or not one whose leave is the caller's to enter.
    :raises LeaveRefused: the last day is before the first, days overlap with other leave or lie beyond the employment;
        or the leave is the caller's own.
    :raises BadUserInput: the kind is empty or longer than 20 characters.
    """
    kind = clean_name(leave.kind, field="kind", longest=KIND_MAX)
    transaction, tenant_id = current_transaction(), current_tenant_id()
    if not await _may_change(actor, access, leave.employee_id):
        raise EmployeeNotFound("people.employee_not_found").at("input", "employee")
    _refuse_own(actor, leave.employee_id, field="employee")
    days: dict[str, Scalar] = {"first": leave.first_on.isoformat(), "last": leave.last_on.isoformat()}
    if leave.last_on < leave.first_on:
        raise LeaveRefused("people.leave_ends_before", days).at("input", "lastOn")
    person = await transaction.fetchrow(_LOCK, tenant_id, leave.employee_id)
    assert person is not None, "the person was found a moment ago"
    if leave.first_on < person["hired_on"] or (person["left_on"] is not None and leave.last_on > person["left_on"]):
        told = days | {"hired_on": str(person["hired_on"]), "left_on": str(person["left_on"] or "–")}
        raise LeaveRefused("people.leave_beyond_employment", told).at("input", "firstOn")
    other = await transaction.fetchrow(_OVERLAPPING, tenant_id, leave.employee_id, leave.first_on, leave.last_on)
    if other is not None:
        told = days | {"other_first": str(other["first_on"]), "other_last": str(other["last_on"])}
        raise LeaveRefused("people.leave_overlaps", told).at("input", "firstOn")
    leave_id, row = new_id(), (leave.employee_id, leave.first_on, leave.last_on, kind, clock.now())
    await transaction.execute(_INSERT, tenant_id, leave_id, *row)
    changes: dict[str, list[Scalar]] = {"employee": [None, str(leave.employee_id)]}
    changes |= {"first_on": [None, days["first"]], "last_on": [None, days["last"]]}
    await _record(actor, "entered", leave_id, changes, clock)
    return leave_id


async def shorten_leave(actor: Actor, *, leave_id: UUID, last_on: date, access: AccessTable, clock: Clock) -> None:
    """Somebody comes back sooner: `last_on` is the last day away (permission ``leave:write``, as `enter_leave`).

    :raises LeaveNotFound: no such leave, or not one that is the caller's to change.
    :raises LeaveRefused: it was cancelled, it is the caller's own, or the day is not within it.
    """
    row = await _locked(actor, access, leave_id)
    if not row["first_on"] <= last_on <= row["last_on"]:
        told = {"given": last_on.isoformat(), "first": str(row["first_on"]), "last": str(row["last_on"])}
        raise LeaveRefused("people.leave_day_outside", told).at("input", "lastOn")
    await current_transaction().execute(_SHORTEN, current_tenant_id(), leave_id, last_on)
    changes: dict[str, list[Scalar]] = {"last_on": [str(row["last_on"]), last_on.isoformat()]}
    await _record(actor, "shortened", leave_id, changes, clock)


async def cancel_leave(actor: Actor, *, leave_id: UUID, access: AccessTable, clock: Clock) -> None:
    """Somebody is not away after all (permission ``leave:write``, as `enter_leave`); the record stays, cancelled.

    :raises LeaveNotFound: no such leave, or not one that is the caller's to change.
    :raises LeaveRefused: it was cancelled before, or is the caller's own.
    """
    row = await _locked(actor, access, leave_id)
    now = clock.now()
    await current_transaction().execute(_CANCEL, current_tenant_id(), leave_id, now)
    changes: dict[str, list[Scalar]] = {
        "first_on": [str(row["first_on"]), None],
        "last_on": [str(row["last_on"]), None],
    }
    await _record(actor, "cancelled", leave_id, changes, clock)


async def _locked(actor: Actor, access: AccessTable, leave_id: UUID) -> asyncpg.Record:
    """The leave, which holds, with its person locked: whoever enters or changes leave of theirs waits."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    row = await transaction.fetchrow(_FIND, tenant_id, leave_id)
    if row is None or not await _may_change(actor, access, row["employee_id"]):
        raise LeaveNotFound("people.leave_not_found").at("input", "leave")
    _refuse_own(actor, row["employee_id"], field="leave")
    await transaction.fetchrow(_LOCK, tenant_id, row["employee_id"])
    row = await transaction.fetchrow(_FIND, tenant_id, leave_id)
    assert row is not None, "leave is never removed"
    if row["cancelled_at"] is not None:
        raise LeaveRefused("people.leave_cancelled").at("input", "leave")
    return row


def _refuse_own(actor: Actor, employee_id: UUID, *, field: str) -> None:
    """Whoever is away longer may get more on their return (P46), so nobody says that of themselves."""
    if employee_id == actor.employee_id:
        raise LeaveRefused("people.leave_of_oneself").at("input", field)


async def _may_change(actor: Actor, access: AccessTable, employee_id: UUID) -> bool:
    sql = _may_change_sql(readable_rows(access, "EmployeeLeave", "kind"))
    return bool(await current_transaction().fetchval(sql, current_tenant_id(), actor.employee_id, employee_id))


@lru_cache(maxsize=64)
def _may_change_sql(scopes: frozenset[str]) -> str:
    row = scope_predicate(LEAVE_SCOPES, scopes, alias="l", tenant="$1", employee="me.id")
    return f"""
        SELECT true FROM (SELECT tenant_id, id AS employee_id FROM employee) l CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE l.tenant_id = $1 AND l.employee_id = $3 AND {row}
    """


async def _record(actor: Actor, what: str, leave_id: UUID, changes: dict[str, list[Scalar]], clock: Clock) -> None:
    await record(actor, f"leave.{what}", object_type="EmployeeLeave", object_id=leave_id, changes=changes, clock=clock)
