"""Customers, owned ones too, belong to another pool from now on (P03)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from saas.audit import record
from saas.customers.actions.ledger import LedgerLine, write_ledger
from saas.customers.errors import ApprovalNeeded, PoolNotFound
from saas.customers.events import CUSTOMERS_MOVED
from saas.customers.options import camel
from saas.customers.queries import POOL_SETTINGS
from saas.customers.settings import PoolSettings, settings_in_force, settings_of
from saas.events import emit
from saas.kernel import Actor, Clock, Scalar, local_date
from tenants import current_tenant_id, current_transaction

MOVED_MAX = 1_000
"""How many customers one call moves from pool to pool."""

_LOCK_BOTH = f"""
SELECT p.id, p.name, {POOL_SETTINGS} FROM customer_pool p
WHERE p.tenant_id = $1 AND p.id = ANY ($2) AND p.status <> 'closed' ORDER BY p.id FOR NO KEY UPDATE
"""
_LATER = """
SELECT pool_id, settings::text AS settings FROM pool_setting s
WHERE tenant_id = $1 AND pool_id = ANY ($2) AND version > (SELECT p.settings_version FROM customer_pool p
    WHERE p.tenant_id = $1 AND p.id = s.pool_id)
"""
_IS_HELD = "SELECT true FROM customer WHERE tenant_id = $1 AND pool_id = $2 AND owner_id IS NOT NULL LIMIT 1"
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
    :raises ApprovalNeeded: somebody owns customers of the pool, a second person decides about tightening it (P49), and
        the other would let them go sooner.
    """
    now, wanted = clock.now(), {from_pool_id, to_pool_id}
    today = local_date(now, time_zone)
    rows = await current_transaction().fetch(_LOCK_BOTH, current_tenant_id(), sorted(wanted))
    pools = {row["id"]: row["name"] for row in rows}
    if len(rows) < 2:
        missing = "fromPool" if from_pool_id not in pools else "toPool"
        raise PoolNotFound("customers.pool_not_found", field=(missing,))
    settings = {row["id"]: [settings_in_force(row)] for row in rows}
    for row in await current_transaction().fetch(_LATER, current_tenant_id(), sorted(wanted)):
        settings[row["pool_id"]].append(settings_of(row["settings"]))
    if await current_transaction().fetchval(_IS_HELD, current_tenant_id(), from_pool_id):
        names = _tightened(settings[from_pool_id], settings[to_pool_id], today)
        if names:
            values: dict[str, Scalar] = {"pool": pools[from_pool_id], "target": pools[to_pool_id]}
            values["options"] = ", ".join(map(camel, names))
            raise ApprovalNeeded("customers.move_needs_approval", values, field=("toPool",))
    moved = await current_transaction().fetch(_MOVE, current_tenant_id(), from_pool_id, to_pool_id, MOVED_MAX)
    lines = [LedgerLine("moved", to_pool_id, row["id"], employee_id=row["owner_id"]) for row in moved]
    await write_ledger(actor, lines, at=now, on=today)
    await emit(CUSTOMERS_MOVED, {"pool_id": str(to_pool_id)})
    changes: dict[str, list[Scalar]] = {"moved": [None, len(moved)], "from": [None, str(from_pool_id)]}
    await record(
        actor,
        "customer_pool.received",
        object_type="CustomerPool",
        object_id=to_pool_id,
        changes=changes,
        clock=clock,
    )
    return len(moved)


def _tightened(source: list[PoolSettings], target: list[PoolSettings], today: date) -> tuple[str, ...]:
    """The options by which a pool takes customers of another sooner, by the settings in force of both and by all that
    are decided for a later day; none where nobody has to approve of that.
    """
    if not any(each.tightening_needs_approval for each in source):
        return ()
    found: dict[str, None] = {}
    for before in source:
        is_over = before.not_before is not None and before.not_before <= today
        running = replace(before, not_before=None) if is_over else before
        for after in target:
            found |= dict.fromkeys(after.tightened(replace(running, tightening_needs_approval=True)))
            if before.kept != after.kept:  # whom a change reached is told by versions, and each pool has its own
                found["change_effect"] = None
    return tuple(found)
