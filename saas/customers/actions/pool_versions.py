"""The versions of a pool's settings: kept for ever, in force from their day on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from saas.customers.actions.receivers import refuse_unfit_receivers
from saas.customers.actions.returning import refuse_unknown_targets
from saas.customers.errors import PoolChanged, PoolNotFound, SettingsScheduled
from saas.customers.events import CUSTOMERS_MOVED, RECYCLING_CHANGED
from saas.customers.settings import PoolChange, PoolSettings, settings_in_force, settings_of
from saas.events import emit
from saas.kernel import Actor, Clock, Scalar, local_date, new_id
from tenants import current_tenant_id, current_transaction

_LOCK = """
SELECT name, is_default, status, claim_limit, holding_limit, cooldown_days, settings::text AS settings,
       settings_version, version, created_at
FROM customer_pool WHERE tenant_id = $1 AND id = $2 AND status <> 'closed' FOR NO KEY UPDATE
"""
_INSERT_SETTING = """
INSERT INTO pool_setting (tenant_id, id, pool_id, version, settings, valid_from, created_at, created_by, proposal_id)
VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9) ON CONFLICT (tenant_id, pool_id, version) DO NOTHING
"""
_LAST_SETTING = """
SELECT version, settings::text AS settings, valid_from FROM pool_setting
WHERE tenant_id = $1 AND pool_id = $2 ORDER BY version DESC LIMIT 1
"""
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


def settings_json(settings: PoolSettings) -> dict[str, object]:
    """Settings as the ORM takes them for a column of JSON."""
    plain: dict[str, object] = json.loads(settings.text())
    return plain


async def locked_pool(pool_id: UUID) -> asyncpg.Record:
    """A pool, locked: whoever changes it, or decides about a change of it, goes on one after the other.

    :raises PoolNotFound: this company has no such pool, or it is closed.
    """
    row = await current_transaction().fetchrow(_LOCK, current_tenant_id(), pool_id)
    if row is None:
        raise PoolNotFound("customers.pool_not_found", field=("id",))
    return row


def refuse_stale(pool: asyncpg.Record, expected_version: int) -> None:
    """Refuse a change of a pool that is not as it was read.

    :raises PoolChanged: somebody changed it meanwhile.
    """
    if pool["version"] != expected_version:
        raise PoolChanged("customers.pool_changed", {"expected": expected_version, "actual": pool["version"]})


async def raise_version(pool_id: UUID) -> None:
    """What was read of the pool before is stale from now on."""
    await current_transaction().execute(
        "UPDATE customer_pool SET version = version + 1 WHERE tenant_id = $1 AND id = $2", current_tenant_id(), pool_id
    )


@dataclass(frozen=True, slots=True)
class NextVersion:
    """What a change makes of a pool's newest settings, checked and not yet kept; `version` is that of before."""

    pool_id: UUID
    before: PoolSettings
    after: PoolSettings
    version: int
    valid_from: date
    today: date

    @property
    def changes(self) -> dict[str, list[Scalar]]:
        """What differs, as the audit trail holds it; nothing where nothing does."""
        if self.after == self.before:
            return {}
        return {**self.after.differences(self.before), "settings_version": [self.version, self.version + 1]}


async def next_version(
    actor: Actor, pool_id: UUID, pool: asyncpg.Record, change: PoolChange, *, time_zone: str, clock: Clock
) -> NextVersion:
    """What a change of a locked pool leads to: of the newest version, though it may begin later than today.

    :raises AppErrors: what is out of range.
    :raises SettingsScheduled: settings of a later day are decided already.
    """
    today = local_date(clock.now(), time_zone)
    valid_from = max(today, change.valid_from or today)
    before, version = await _last_settings(actor, pool_id, pool, valid_from, time_zone=time_zone, clock=clock)
    after = before.changed(change.settings, valid_from=valid_from, version=version, at=clock.now())
    if after != before:
        await refuse_unknown_targets(after)
        await refuse_unfit_receivers(pool_id, before, after)
    return NextVersion(pool_id, before, after, version, valid_from, today)


async def keep_version(actor: Actor, wanted: NextVersion, *, proposal_id: UUID | None = None, clock: Clock) -> None:
    """Keep what differs as the next version; in force at once where it begins today."""
    version = wanted.version + 1
    await keep_settings(
        actor,
        wanted.pool_id,
        wanted.after,
        version=version,
        valid_from=wanted.valid_from,
        proposal_id=proposal_id,
        clock=clock,
    )
    if wanted.valid_from <= wanted.today:
        await _put_in_force(wanted.pool_id, wanted.after, version)
        if wanted.after.allocates_arrivals and not wanted.before.allocates_arrivals:
            await emit(CUSTOMERS_MOVED, {"pool_id": str(wanted.pool_id)})
    if wanted.after.not_before != wanted.before.not_before:
        await emit(RECYCLING_CHANGED, {"pool_id": str(wanted.pool_id), "version": version})


async def _last_settings(
    actor: Actor, pool_id: UUID, pool: asyncpg.Record, valid_from: date, *, time_zone: str, clock: Clock
) -> tuple[PoolSettings, int]:
    """What the change is of.

    A pool from before there was a history begins it with what was in force.
    """
    last = await current_transaction().fetchrow(_LAST_SETTING, current_tenant_id(), pool_id)
    if last is None or last["version"] <= pool["settings_version"]:
        settings, version = settings_in_force(pool), int(pool["settings_version"])
        began_on = local_date(pool["created_at"], time_zone)
        await keep_settings(actor, pool_id, settings, version=version, valid_from=began_on, clock=clock)
        return settings, version
    if valid_from < last["valid_from"]:
        scheduled = {"valid_from": last["valid_from"].isoformat(), "version": last["version"]}
        raise SettingsScheduled("customers.settings_scheduled", scheduled, field=("validFrom",))
    return settings_of(last["settings"]), int(last["version"])


async def keep_settings(
    actor: Actor,
    pool_id: UUID,
    settings: PoolSettings,
    *,
    version: int,
    valid_from: date,
    proposal_id: UUID | None = None,
    clock: Clock,
) -> None:
    """A version of a pool's history; nothing is done where it is there."""
    values = (version, settings.text(), valid_from, clock.now(), actor.account_id, proposal_id)
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
