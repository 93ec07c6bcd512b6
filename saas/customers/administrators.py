"""Who administers a pool (P01): of those who may assign customers the people whom it names, or all of them.

People who left don't count: a pool that names nobody else is administered by whoever may assign, so that it is never
without anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from saas.customers.automation import JOB
from saas.customers.errors import NotAPoolAdministrator
from saas.kernel import Actor, Scalar
from tenants import current_tenant_id, current_transaction

NAMED_MAX = 10
"""How many administrators a refusal names."""

_NAMED = """
SELECT a.pool_id, p.name AS pool_name, e.id, e.name FROM pool_administrator a
JOIN customer_pool p ON p.tenant_id = $1 AND p.id = a.pool_id
JOIN employee e ON e.tenant_id = $1 AND e.id = a.employee_id AND e.status = 'active'
WHERE a.tenant_id = $1 AND ($2::uuid[] IS NULL OR a.pool_id = ANY ($2)) ORDER BY e.name, e.id
"""
_LEFT_BY = """
SELECT count(*)::int FROM customer_pool p WHERE p.tenant_id = $1 AND p.status <> 'closed'
    AND EXISTS (SELECT FROM pool_administrator a WHERE a.tenant_id = $1 AND a.pool_id = p.id AND a.employee_id = $2)
    AND NOT EXISTS (SELECT FROM pool_administrator a JOIN employee e ON e.tenant_id = $1 AND e.id = a.employee_id
        AND e.status = 'active' WHERE a.tenant_id = $1 AND a.pool_id = p.id)
"""


@dataclass(frozen=True, slots=True)
class Administration:
    """A pool that names its administrators; `people` are those of them who are on the staff, by id."""

    pool_name: str
    people: Mapping[UUID, str]

    def refusal(self, actor: Actor) -> NotAPoolAdministrator | None:
        """Why the actor, who may assign, may not do it from this pool; None where they may.

        The product's own jobs may: they carry out what somebody decided.
        """
        if actor.employee_id in self.people or actor.account_id == JOB:
            return None
        names = sorted(self.people.values())
        more = ["…"] if len(names) > NAMED_MAX else []
        values: dict[str, Scalar] = {"pool": self.pool_name, "administrators": ", ".join(names[:NAMED_MAX] + more)}
        return NotAPoolAdministrator("customers.not_a_pool_administrator", values)


async def find_administrations(pool_ids: Collection[UUID] | None = None) -> dict[UUID, Administration]:
    """Of these pools, or of all, those that name somebody who is on the staff."""
    wanted = None if pool_ids is None else list(pool_ids)
    found: dict[UUID, Administration] = {}
    people: dict[UUID, dict[UUID, str]] = {}
    for row in await current_transaction().fetch(_NAMED, current_tenant_id(), wanted):
        named = people.setdefault(row["pool_id"], {})
        named[row["id"]] = row["name"]
        found[row["pool_id"]] = Administration(row["pool_name"], named)
    return found


async def require_administrator(actor: Actor, pool_id: UUID, *, place: tuple[str, ...] = ()) -> None:
    """Refuse whoever may assign customers, but not from this pool: the one check of all that administers a pool.

    :raises NotAPoolAdministrator: the pool names others; they are told.
    """
    found = (await find_administrations([pool_id])).get(pool_id)
    refusal = None if found is None else found.refusal(actor)
    if refusal is not None:
        raise refusal.at(*place) if place else refusal


async def is_administrator(actor: Actor, pool_id: UUID) -> bool:
    """Whether somebody who may assign customers may do so from this pool."""
    found = (await find_administrations([pool_id])).get(pool_id)
    return found is None or found.refusal(actor) is None


async def count_pools_left_by(employee_id: UUID) -> int:
    """Of how many pools somebody who left was the last administrator: whoever may assign administers them now."""
    return int(await current_transaction().fetchval(_LEFT_BY, current_tenant_id(), employee_id))
