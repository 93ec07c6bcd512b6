"""Pools and their rules: the one a company begins with, and changes of what a pool allows."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from saas.audit import record
from saas.customers.errors import PoolChanged, PoolNotFound
from saas.customers.models import CustomerPool
from saas.customers.rules import PoolChange
from saas.kernel import Actor, Clock
from saas.people import clean_name
from tenants import current_tenant_id, current_transaction

POOL_NAME_MAX = 100

_LOCK = """
SELECT claim_limit, holding_limit, cooldown_days, version FROM customer_pool WHERE tenant_id = $1 AND id = $2 FOR UPDATE
"""
_UPDATE = """
UPDATE customer_pool SET claim_limit = $3, holding_limit = $4, cooldown_days = $5, version = version + 1
 WHERE tenant_id = $1 AND id = $2
"""


async def create_default_pool(*, name: str) -> CustomerPool:
    """The pool that a new company begins with.

    :raises BadUserInput: the name is empty or too long.
    """
    return await CustomerPool.create(name=clean_name(name, field="name", longest=POOL_NAME_MAX), is_default=True)


async def configure_pool(
    actor: Actor, *, pool_id: UUID, change: PoolChange, expected_version: int, clock: Clock
) -> None:
    """Change what a pool allows (permission ``pool:configure``); claims from the next one on are judged by it.

    :raises BadUserInput: a number out of range.
    :raises PoolNotFound: this company has no such pool.
    :raises PoolChanged: somebody changed it meanwhile.
    """
    change.check()
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), pool_id)
    if row is None:
        raise PoolNotFound("customers.pool_not_found", field=("id",))
    before: dict[str, int] = dict(row)
    if before["version"] != expected_version:
        values = {"expected": expected_version, "actual": before["version"]}
        raise PoolChanged("customers.pool_changed", values)
    after = change.applied(before)
    await current_transaction().execute(_UPDATE, current_tenant_id(), pool_id, *after.values())
    await record(
        actor,
        "customer_pool.configured",
        object_type="CustomerPool",
        object_id=pool_id,
        changes=_differences(before, after),
        clock=clock,
    )


def _differences(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, list[int]]:
    return {name: [before[name], value] for name, value in after.items() if before[name] != value}
