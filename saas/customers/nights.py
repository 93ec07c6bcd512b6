"""The nights of pools: which pools want a run of recycling, and the rows that tell what each run did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from uuid import UUID

from saas.customers.events import CUSTOMERS_LOST
from saas.customers.settings import PoolSettings, settings_of
from saas.events import emit_many
from saas.kernel import new_id
from tenants import current_tenant_id, current_transaction

_POOLS = """
SELECT p.id, p.settings_version, p.settings::text AS settings,
    (SELECT max(r.ran_on) FROM recycle_run r
     WHERE r.tenant_id = $1 AND r.pool_id = p.id AND r.finished_at IS NOT NULL) AS last_ran_on
FROM customer_pool p WHERE p.tenant_id = $1 AND p.status <> 'closed' ORDER BY p.id
"""
_BEGIN = """
INSERT INTO recycle_run AS r (tenant_id, id, pool_id, ran_on, started_at, missed_days)
SELECT $1, id, pool_id, $2, $3, missed_days FROM unnest($4::uuid[], $5::uuid[], $6::int[])
    AS begun (id, pool_id, missed_days)
ON CONFLICT (tenant_id, pool_id, ran_on) DO NOTHING
"""
_TALLY = """
UPDATE recycle_run r SET reckoned = r.reckoned + t.reckoned, recycled = r.recycled + t.recycled,
    warned = r.warned + t.warned, postponed = r.postponed + t.postponed
FROM unnest($3::uuid[], $4::int[], $5::int[], $6::int[], $7::int[])
    AS t (pool_id, reckoned, recycled, warned, postponed)
WHERE r.tenant_id = $1 AND r.ran_on = $2 AND r.pool_id = t.pool_id
"""
_FINISH = """
WITH before AS (
    SELECT id, pool_id, coalesce(finished_at + interval '1 microsecond', started_at) AS since FROM recycle_run
    WHERE tenant_id = $1 AND ran_on = $2 AND pool_id = ANY ($4) ORDER BY pool_id FOR UPDATE
)
UPDATE recycle_run r SET finished_at = $3, failed = f.failed
FROM before b JOIN unnest($4::uuid[], $5::int[]) AS f (pool_id, failed) ON f.pool_id = b.pool_id
WHERE r.tenant_id = $1 AND r.id = b.id RETURNING r.pool_id, b.since
"""
_LOSERS = """
SELECT DISTINCT e.pool_id, e.former_owner_id FROM unnest($2::uuid[], $3::timestamptz[]) AS night (pool_id, since)
JOIN pool_event e ON e.tenant_id = $1 AND e.pool_id = night.pool_id AND e.happened_at >= night.since
    AND e.kind = 'recycled'
"""
NUMBERS = ("reckoned", "recycled", "warned", "postponed")
"""What a run counts: the fields of `Tally`."""


@dataclass(frozen=True, slots=True)
class NightPool:
    """A pool whose customers a run looks at; `last_ran_on` is the day of its last run that came to its end."""

    id: UUID
    settings_version: int
    settings: PoolSettings
    last_ran_on: date | None

    def is_wanted(self, *, today: date, time: str) -> bool:
        """Whether it is late enough in the company's day, and no run of the day came to its end.

        A day that comes twice, since the company moved to another time zone, has one run.
        """
        return time >= self.settings.recycle_time and (self.last_ran_on is None or self.last_ran_on < today)

    def missed_days(self, today: date) -> int:
        """Whole days since the last run that had none."""
        return 0 if self.last_ran_on is None else max((today - self.last_ran_on).days - 1, 0)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a page did to the customers of a pool."""

    reckoned: int = 0
    recycled: int = 0
    warned: int = 0
    postponed: int = 0


async def find_pools() -> list[NightPool]:
    """The company's pools, but those that were closed."""
    rows = await current_transaction().fetch(_POOLS, current_tenant_id())
    return [
        NightPool(row["id"], row["settings_version"], settings_of(row["settings"]), row["last_ran_on"]) for row in rows
    ]


async def begin_nights(pools: Sequence[NightPool], *, on: date, at: datetime) -> None:
    """Note that runs of a day begin; one that was begun before goes on."""
    ids, missed = [each.id for each in pools], [each.missed_days(on) for each in pools]
    begun = ([new_id() for _ in pools], ids, missed)
    await current_transaction().execute(_BEGIN, current_tenant_id(), on, at, *begun)


async def tally_nights(done: Mapping[UUID, Tally], *, on: date) -> None:
    """Add what a page did to the runs of its pools, in the page's own transaction: a run that is killed counts too."""
    if done:
        columns = map(list, zip(*((pool_id, *astuple(done[pool_id])) for pool_id in sorted(done)), strict=True))
        await current_transaction().execute(_TALLY, current_tenant_id(), on, *columns)


async def finish_nights(pools: Sequence[NightPool], failed: Mapping[UUID, int], *, on: date, at: datetime) -> None:
    """Note that runs came to their end, and how many customers failed; have former owners told once of all that they
    lost since the runs began, where the pool wants it (P29).
    """
    transaction, tenant_id, ids = current_transaction(), current_tenant_id(), [each.id for each in pools]
    ended = await transaction.fetch(_FINISH, tenant_id, on, at, ids, [failed.get(each, 0) for each in ids])
    telling = {each.id for each in pools if each.settings.notify_former_owner}
    since = {row["pool_id"]: row["since"] for row in ended if row["pool_id"] in telling}
    lost = await transaction.fetch(_LOSERS, tenant_id, list(since), list(since.values()))
    told = [
        {"pool_id": str(row["pool_id"]), "owner_id": str(row["former_owner_id"]), "on": on.isoformat()} for row in lost
    ]
    await emit_many(CUSTOMERS_LOST, told)
