"""Pools: create, change, close; the one a company begins with."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from saas.audit import record
from saas.customers.actions.due_dates import ActivitySource
from saas.customers.actions.pool_versions import (
    NextVersion,
    keep_settings,
    keep_version,
    locked_pool,
    next_version,
    raise_version,
    refuse_stale,
    settings_json,
)
from saas.customers.actions.proposals import lapse_proposals, refuse_unapproved
from saas.customers.errors import AdministratorNotOnStaff, PoolNameTaken, PoolNeeded
from saas.customers.models import CustomerPool
from saas.customers.moments import OverLimit, people_over_limit
from saas.customers.settings import PoolChange, PoolSettings
from saas.kernel import Actor, AppError, Clock, Scalar, local_date, new_id
from saas.people import clean_name, get_department, get_employee
from tenants import current_tenant_id, current_transaction

POOL_NAME_MAX = 100
_LOWERING = frozenset(
    {
        "holding_limit",
        "holding_limits_of_people",
        "holding_limits_of_departments",
        "counts_dealt",
        "uncounted_levels",
        "uncounted_sources",
        "uncounted_industries",
    }
)
"""The settings by which people may come to hold more than they may."""


async def create_default_pool(*, name: str) -> CustomerPool:
    """The pool that a new company begins with.

    :raises BadUserInput: the name is empty or too long.
    """
    name = clean_name(name, field="name", longest=POOL_NAME_MAX)
    return await CustomerPool.create(name=name, is_default=True, settings=settings_json(PoolSettings()))


async def create_pool(actor: Actor, *, name: str, time_zone: str, clock: Clock) -> UUID:
    """Another pool, with the product's own settings and open to everybody (permission ``pool:configure``).

    :raises BadUserInput: the name is empty or too long.
    :raises PoolNameTaken: another pool has it.
    """
    settings, pool_id = PoolSettings(), new_id()
    name = clean_name(name, field="name", longest=POOL_NAME_MAX)
    await _refuse_taken(name)
    await CustomerPool.create(id=pool_id, name=name, settings=settings_json(settings))
    await keep_settings(actor, pool_id, settings, version=1, valid_from=local_date(clock.now(), time_zone), clock=clock)
    changes: dict[str, list[Scalar]] = {"name": [None, name]}
    await _record(actor, "customer_pool.created", pool_id, changes, clock=clock)
    return pool_id


async def configure_pool(
    actor: Actor,
    *,
    pool_id: UUID,
    change: PoolChange,
    expected_version: int,
    activity: ActivitySource | None = None,
    time_zone: str,
    clock: Clock,
) -> list[OverLimit]:
    """Change a pool and what it allows (permission ``pool:configure``); claims from the next one on are judged by it.

    Gives those who hold more than the new settings allow, where these lower what people may hold: they keep all.
    Due dates of its customers follow in the job's next run, and nothing is due before the change's grace is over.
    Proposals of other settings lapse. With `activity`, a change that needs approval is told whom it would take.

    :raises AppErrors: settings out of range, each with its field.
    :raises ApprovalNeeded: a second person decides about such a change (P49).
    :raises BadUserInput: the name is empty or too long.
    :raises DepartmentNotFound: a department is not one of this company.
    :raises EmployeeNotFound: a member or administrator is not one of this company.
    :raises AdministratorNotOnStaff: an administrator has left it.
    :raises PoolNotFound: this company has no such pool.
    :raises PoolChanged: somebody changed it meanwhile.
    :raises PoolNameTaken: another pool has the name.
    :raises PoolNeeded: the default pool can't be disabled.
    :raises SettingsScheduled: settings of a later day are decided already.
    """
    before = await locked_pool(pool_id)
    refuse_stale(before, expected_version)
    changes = await _change_pool(pool_id, before, change)
    over: list[OverLimit] = []
    if change.settings:
        wanted = await next_version(actor, pool_id, before, change, time_zone=time_zone, clock=clock)
        await refuse_unapproved(wanted, before, change, activity=activity, time_zone=time_zone)
        await _keep(actor, wanted, clock=clock)
        changes |= wanted.changes
        over = await people_over_limit(wanted.after) if _LOWERING.intersection(wanted.changes) else []
    await raise_version(pool_id)
    await _record(actor, "customer_pool.configured", pool_id, changes, clock=clock)
    return over


async def _keep(actor: Actor, wanted: NextVersion, *, clock: Clock) -> None:
    if wanted.changes:
        await keep_version(actor, wanted, clock=clock)
        await lapse_proposals(actor, wanted.pool_id, clock=clock)


async def _change_pool(pool_id: UUID, before: asyncpg.Record, change: PoolChange) -> dict[str, list[Scalar]]:
    """Name, state, default and members; what changed, by name."""
    changes: dict[str, list[Scalar]] = {}
    if change.name is not None:
        changes |= await _rename(pool_id, before["name"], change.name)
    if change.is_default and not before["is_default"]:
        await _make_default(pool_id)
        changes["is_default"] = [False, True]
    if change.is_enabled is not None:
        status = "open" if change.is_enabled else "disabled"
        if status == "disabled" and (before["is_default"] or change.is_default):
            raise PoolNeeded("customers.pool_is_default", {"pool": before["name"]}, field=("id",))
        await _update(pool_id, "status", status)
        changes |= {"status": [before["status"], status]} if status != before["status"] else {}
    if change.department_ids is not None:
        changes |= await _set_departments(pool_id, change.department_ids)
    if change.member_ids is not None:
        changes |= await _set_members(pool_id, change.member_ids)
    if change.administrator_ids is not None:
        changes |= await _set_administrators(pool_id, change.administrator_ids)
    return changes


async def _rename(pool_id: UUID, old: str, wanted: str) -> dict[str, list[Scalar]]:
    name = clean_name(wanted, field="name", longest=POOL_NAME_MAX)
    if name == old:
        return {}
    await _refuse_taken(name)
    await _update(pool_id, "name", name)
    return {"name": [old, name]}


async def _refuse_taken(name: str) -> None:
    """Two that take a name at once follow each other; the unique index stands behind."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::uuid || 'pool.name', 0))", tenant_id)
    taken = await transaction.fetchval(
        "SELECT true FROM customer_pool WHERE tenant_id = $1 AND name = $2 AND status <> 'closed'", tenant_id, name
    )
    if taken:
        raise PoolNameTaken("customers.pool_name_taken", {"pool": name}, field=("name",))


async def _make_default(pool_id: UUID) -> None:
    transaction, tenant_id = current_transaction(), current_tenant_id()
    await transaction.execute(
        "UPDATE customer_pool SET is_default = false, version = version + 1 WHERE tenant_id = $1 AND is_default",
        tenant_id,
    )
    await transaction.execute(
        "UPDATE customer_pool SET is_default = true, status = 'open' WHERE tenant_id = $1 AND id = $2",
        tenant_id,
        pool_id,
    )


async def _update(pool_id: UUID, column: str, value: object) -> None:
    await current_transaction().execute(
        f"UPDATE customer_pool SET {column} = $3 WHERE tenant_id = $1 AND id = $2", current_tenant_id(), pool_id, value
    )


async def _set_departments(pool_id: UUID, department_ids: tuple[UUID, ...]) -> dict[str, list[Scalar]]:
    for department_id in department_ids:
        await get_department(department_id)
    before = await _replaced("pool_department", "department_id", pool_id, department_ids)
    return _listed("departments", before, department_ids)


async def _set_members(pool_id: UUID, member_ids: tuple[UUID, ...]) -> dict[str, list[Scalar]]:
    for place, employee_id in enumerate(member_ids):
        try:
            await get_employee(employee_id)
        except AppError as unknown:
            raise unknown.at("members", str(place)) from None
    return _listed("members", await _replaced("pool_member", "employee_id", pool_id, member_ids), member_ids)


async def _set_administrators(pool_id: UUID, people: tuple[UUID, ...]) -> dict[str, list[Scalar]]:
    """Whoever has left can't be named: a pool that names only such people names nobody."""
    for place, employee_id in enumerate(people):
        try:
            employee = await get_employee(employee_id)
        except AppError as unknown:
            raise unknown.at("administrators", str(place)) from None
        if employee.status != "active":
            values: dict[str, Scalar] = {"person": employee.name}
            field = ("administrators", str(place))
            raise AdministratorNotOnStaff("customers.administrator_not_on_staff", values, field=field)
    return _listed("administrators", await _replaced("pool_administrator", "employee_id", pool_id, people), people)


async def _replaced(table: str, column: str, pool_id: UUID, wanted: tuple[UUID, ...]) -> list[UUID]:
    """Other rows of a pool in the place of those it had; what they named."""
    transaction, tenant_id = current_transaction(), current_tenant_id()
    gone = await transaction.fetch(
        f"DELETE FROM {table} WHERE tenant_id = $1 AND pool_id = $2 RETURNING {column}", tenant_id, pool_id
    )
    sql = f"INSERT INTO {table} (tenant_id, pool_id, {column}) SELECT $1, $2, unnest($3::uuid[])"
    await transaction.execute(sql, tenant_id, pool_id, sorted(set(wanted)))
    return [row[column] for row in gone]


def _listed(name: str, before: Sequence[UUID], after: Sequence[UUID]) -> dict[str, list[Scalar]]:
    old, new = sorted(map(str, before)), sorted(map(str, set(after)))
    return {name: [", ".join(old), ", ".join(new)]} if old != new else {}


async def close_pool(actor: Actor, *, pool_id: UUID, expected_version: int, clock: Clock) -> None:
    """Close a pool for ever (permission ``pool:configure``); its history stays (P03).

    :raises PoolNotFound: this company has no such pool.
    :raises PoolChanged: somebody changed it meanwhile.
    :raises PoolNeeded: it is the default pool, as the last one always is, or has customers.
    """
    pool = await locked_pool(pool_id)
    refuse_stale(pool, expected_version)
    if pool["is_default"]:
        raise PoolNeeded("customers.pool_is_default", {"pool": pool["name"]}, field=("id",))
    held = await current_transaction().fetchval(
        "SELECT count(*) FROM customer WHERE tenant_id = $1 AND pool_id = $2", current_tenant_id(), pool_id
    )
    if held:
        raise PoolNeeded("customers.pool_holds_customers", {"pool": pool["name"], "count": held}, field=("id",))
    await current_transaction().execute(
        "UPDATE customer_pool SET status = 'closed', version = version + 1 WHERE tenant_id = $1 AND id = $2",
        current_tenant_id(),
        pool_id,
    )
    await lapse_proposals(actor, pool_id, clock=clock)
    changes: dict[str, list[Scalar]] = {"status": [pool["status"], "closed"]}
    await _record(actor, "customer_pool.closed", pool_id, changes, clock=clock)


async def _record(actor: Actor, action: str, pool_id: UUID, changes: dict[str, list[Scalar]], *, clock: Clock) -> None:
    await record(actor, action, object_type="CustomerPool", object_id=pool_id, changes=changes, clock=clock)
