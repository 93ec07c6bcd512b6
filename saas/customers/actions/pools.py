"""Pools and their settings: create, change, close; the one a company begins with; settings that begin on a day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from saas.audit import record
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.actions.receivers import refuse_unfit_receivers
from saas.customers.actions.returning import refuse_unknown_targets
from saas.customers.errors import PoolChanged, PoolNameTaken, PoolNeeded, PoolNotFound, SettingsScheduled
from saas.customers.events import CUSTOMERS_MOVED, RECYCLING_CHANGED
from saas.customers.models import CustomerPool
from saas.customers.moments import OverLimit, people_over_limit
from saas.customers.settings import PoolChange, PoolSettings, settings_in_force, settings_of
from saas.events import emit
from saas.kernel import Actor, AppError, Clock, Scalar, local_date, new_id
from saas.people import clean_name, get_department, get_employee
from tenants import current_tenant_id, current_transaction

POOL_NAME_MAX = 100
MOVED_MAX = 1_000
"""How many customers one call moves from pool to pool."""

_LOCK = """
SELECT name, is_default, status, claim_limit, holding_limit, cooldown_days, settings::text AS settings,
       settings_version, version, created_at
FROM customer_pool WHERE tenant_id = $1 AND id = $2 AND status <> 'closed' FOR NO KEY UPDATE
"""
_INSERT_SETTING = """
INSERT INTO pool_setting (tenant_id, id, pool_id, version, settings, valid_from, created_at, created_by)
VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8) ON CONFLICT (tenant_id, pool_id, version) DO NOTHING
"""
_LAST_SETTING = """
SELECT version, settings::text AS settings, valid_from FROM pool_setting
WHERE tenant_id = $1 AND pool_id = $2 ORDER BY version DESC LIMIT 1
"""
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

_PUT_IN_FORCE = """
UPDATE customer_pool SET claim_limit = $3, holding_limit = $4, cooldown_days = $5, shows_names = $6,
    holding_rules = $9::jsonb, settings = $7::jsonb, settings_version = $8
WHERE tenant_id = $1 AND id = $2
"""
_BEGUN = """
SELECT DISTINCT ON (s.pool_id) s.pool_id, s.version, s.settings::text AS settings
FROM customer_pool p JOIN pool_setting s ON s.tenant_id = $1 AND s.pool_id = p.id AND s.version > p.settings_version
WHERE p.tenant_id = $1 AND p.status <> 'closed' AND s.valid_from <= $2
ORDER BY s.pool_id, s.version DESC
"""


async def create_default_pool(*, name: str) -> CustomerPool:
    """The pool that a new company begins with.

    :raises BadUserInput: the name is empty or too long.
    """
    name = clean_name(name, field="name", longest=POOL_NAME_MAX)
    return await CustomerPool.create(name=name, is_default=True, settings=settings_json(PoolSettings()))


def settings_json(settings: PoolSettings) -> dict[str, object]:
    """Settings as the ORM takes them for a column of JSON."""
    plain: dict[str, object] = json.loads(settings.text())
    return plain


async def create_pool(actor: Actor, *, name: str, time_zone: str, clock: Clock) -> UUID:
    """Another pool, with the product's own settings and open to everybody (permission ``pool:configure``).

    :raises BadUserInput: the name is empty or too long.
    :raises PoolNameTaken: another pool has it.
    """
    settings, pool_id = PoolSettings(), new_id()
    name = clean_name(name, field="name", longest=POOL_NAME_MAX)
    await _refuse_taken(name)
    await CustomerPool.create(id=pool_id, name=name, settings=settings_json(settings))
    await _keep(actor, pool_id, settings, version=1, valid_from=local_date(clock.now(), time_zone), clock=clock)
    changes: dict[str, list[Scalar]] = {"name": [None, name]}
    await _record(actor, "customer_pool.created", pool_id, changes, clock=clock)
    return pool_id


async def configure_pool(
    actor: Actor, *, pool_id: UUID, change: PoolChange, expected_version: int, time_zone: str, clock: Clock
) -> list[OverLimit]:
    """Change a pool and what it allows (permission ``pool:configure``); claims from the next one on are judged by it.

    Gives those who hold more than the new settings allow, where these lower what people may hold: they keep all.
    Due dates of its customers follow in the job's next run, and nothing is due before the change's grace is over.

    :raises AppErrors: settings out of range, each with its field.
    :raises BadUserInput: the name is empty or too long.
    :raises DepartmentNotFound: a department is not one of this company.
    :raises PoolNotFound: this company has no such pool.
    :raises PoolChanged: somebody changed it meanwhile.
    :raises PoolNameTaken: another pool has the name.
    :raises PoolNeeded: the default pool can't be disabled.
    :raises SettingsScheduled: settings of a later day are decided already.
    """
    before = await _locked(pool_id, expected_version)
    changes = await _change_pool(pool_id, before, change)
    over: list[OverLimit] = []
    if change.settings:
        settings, changed = await _change_settings(actor, pool_id, before, change, time_zone=time_zone, clock=clock)
        changes |= changed
        over = await people_over_limit(settings) if _LOWERING.intersection(changed) else []
    await current_transaction().execute(
        "UPDATE customer_pool SET version = version + 1 WHERE tenant_id = $1 AND id = $2", current_tenant_id(), pool_id
    )
    await _record(actor, "customer_pool.configured", pool_id, changes, clock=clock)
    return over


async def _locked(pool_id: UUID, expected_version: int) -> asyncpg.Record:
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), pool_id)
    if row is None:
        raise PoolNotFound("customers.pool_not_found", field=("id",))
    if row["version"] != expected_version:
        raise PoolChanged("customers.pool_changed", {"expected": expected_version, "actual": row["version"]})
    return row


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


async def _change_settings(
    actor: Actor, pool_id: UUID, pool: asyncpg.Record, change: PoolChange, *, time_zone: str, clock: Clock
) -> tuple[PoolSettings, dict[str, list[Scalar]]]:
    """The next version, and what it changes; in force at once where it begins today."""
    today = local_date(clock.now(), time_zone)
    valid_from = max(today, change.valid_from or today)
    before, version = await _last_settings(actor, pool_id, pool, valid_from, time_zone=time_zone, clock=clock)
    after = before.changed(change.settings, valid_from=valid_from)
    if after == before:
        return before, {}
    await refuse_unknown_targets(after)
    await refuse_unfit_receivers(pool_id, before, after)
    await _keep(actor, pool_id, after, version=version + 1, valid_from=valid_from, clock=clock)
    if valid_from <= today:
        await _put_in_force(pool_id, after, version + 1)
        if after.allocates_arrivals and not before.allocates_arrivals:
            await emit(CUSTOMERS_MOVED, {"pool_id": str(pool_id)})
    if after.not_before != before.not_before:
        await emit(RECYCLING_CHANGED, {"pool_id": str(pool_id), "version": version + 1})
    return after, {**after.differences(before), "settings_version": [version, version + 1]}


async def _last_settings(
    actor: Actor, pool_id: UUID, pool: asyncpg.Record, valid_from: date, *, time_zone: str, clock: Clock
) -> tuple[PoolSettings, int]:
    """What the change is of: the newest version, though it may begin later than today.

    A pool from before there was a history begins it with what was in force.
    """
    last = await current_transaction().fetchrow(_LAST_SETTING, current_tenant_id(), pool_id)
    if last is None or last["version"] <= pool["settings_version"]:
        settings, version = settings_in_force(pool), int(pool["settings_version"])
        began_on = local_date(pool["created_at"], time_zone)
        await _keep(actor, pool_id, settings, version=version, valid_from=began_on, clock=clock)
        return settings, version
    if valid_from < last["valid_from"]:
        scheduled = {"valid_from": last["valid_from"].isoformat(), "version": last["version"]}
        raise SettingsScheduled("customers.settings_scheduled", scheduled, field=("validFrom",))
    return settings_of(last["settings"]), int(last["version"])


async def _keep(
    actor: Actor, pool_id: UUID, settings: PoolSettings, *, version: int, valid_from: date, clock: Clock
) -> None:
    values = (version, settings.text(), valid_from, clock.now(), actor.account_id)
    await current_transaction().execute(_INSERT_SETTING, current_tenant_id(), new_id(), pool_id, *values)


async def _put_in_force(pool_id: UUID, settings: PoolSettings, version: int) -> None:
    limits = (settings.claim_limit, settings.holding_limit, settings.cooldown_days, settings.shows_names)
    await current_transaction().execute(
        _PUT_IN_FORCE, current_tenant_id(), pool_id, *limits, settings.text(), version, settings.holding_text
    )


async def apply_begun_settings(*, today: date) -> int:
    """Put in force what was decided for a day that has come; of how many pools. For the job that runs each day."""
    rows = await current_transaction().fetch(_BEGUN, current_tenant_id(), today)
    for row in rows:
        await _put_in_force(row["pool_id"], settings_of(row["settings"]), row["version"])
    return len(rows)


async def close_pool(actor: Actor, *, pool_id: UUID, expected_version: int, clock: Clock) -> None:
    """Close a pool for ever (permission ``pool:configure``); its history stays (P03).

    :raises PoolNotFound: this company has no such pool.
    :raises PoolChanged: somebody changed it meanwhile.
    :raises PoolNeeded: it is the default pool, as the last one always is, or has customers.
    """
    pool = await _locked(pool_id, expected_version)
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
    changes: dict[str, list[Scalar]] = {"status": [pool["status"], "closed"]}
    await _record(actor, "customer_pool.closed", pool_id, changes, clock=clock)


_LOCK_BOTH = """
SELECT id FROM customer_pool WHERE tenant_id = $1 AND id = ANY ($2) AND status <> 'closed' ORDER BY id
FOR NO KEY UPDATE
"""
_MOVE = """
WITH wanted AS (
    SELECT id FROM customer WHERE tenant_id = $1 AND pool_id = $2 ORDER BY id LIMIT $4 FOR NO KEY UPDATE
)
UPDATE customer c SET pool_id = $3, settings_version = NULL, version = version + 1
FROM wanted WHERE c.tenant_id = $1 AND c.id = wanted.id RETURNING c.id, c.owner_id
"""


async def move_customers(actor: Actor, *, from_pool_id: UUID, to_pool_id: UUID, time_zone: str, clock: Clock) -> int:
    """Let at most `MOVED_MAX` customers of a pool, owned ones too, belong to another from now on; how many (P03).

    :raises PoolNotFound: one of the two is not a pool of this company, or both are the same.
    """
    now, wanted = clock.now(), {from_pool_id, to_pool_id}
    rows = await current_transaction().fetch(_LOCK_BOTH, current_tenant_id(), sorted(wanted))
    if len(rows) < 2:
        missing = "fromPool" if from_pool_id not in {row["id"] for row in rows} else "toPool"
        raise PoolNotFound("customers.pool_not_found", field=(missing,))
    moved = await current_transaction().fetch(_MOVE, current_tenant_id(), from_pool_id, to_pool_id, MOVED_MAX)
    lines = [LedgerLine("moved", to_pool_id, row["id"], employee_id=row["owner_id"]) for row in moved]
    await write_ledger(actor, lines, at=now, on=local_date(now, time_zone))
    await emit(CUSTOMERS_MOVED, {"pool_id": str(to_pool_id)})
    changes: dict[str, list[Scalar]] = {"moved": [None, len(moved)], "from": [None, str(from_pool_id)]}
    await _record(actor, "customer_pool.received", to_pool_id, changes, clock=clock)
    return len(moved)


async def _record(actor: Actor, action: str, pool_id: UUID, changes: dict[str, list[Scalar]], *, clock: Clock) -> None:
    await record(actor, action, object_type="CustomerPool", object_id=pool_id, changes=changes, clock=clock)
