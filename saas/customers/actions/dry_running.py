"""A change of a pool's settings before it is saved: what it would do to those who hold customers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from saas.customers.actions.due_dates import ActivitySource, find_owned
from saas.customers.errors import DryRunTooLarge, PoolChanged, PoolNotFound
from saas.customers.queries import POOL_SETTINGS
from saas.customers.recycling import Comparison, Held
from saas.customers.settings import PoolSettings, settings_in_force, settings_of
from saas.kernel import BadUserInput, Scalar
from tenants import current_tenant_id, current_transaction

MOST = 10_000
"""Customers that one request judges, in about half of its time."""

HORIZON_DAYS = 3_650
_PAGE = 200
_POOL = f"""
SELECT p.version, {POOL_SETTINGS} FROM customer_pool p
WHERE p.tenant_id = $1 AND p.id = $2 AND p.status <> 'closed'
"""
_COUNT = """
SELECT count(*) FROM (SELECT FROM customer WHERE tenant_id = $1 AND pool_id = $2 AND owner_id IS NOT NULL LIMIT $3) held
"""
_VERSIONS = """
SELECT p.name AS pool_name, s.valid_from, s.settings::text AS after, b.settings::text AS before
FROM customer_pool p JOIN pool_setting s ON s.tenant_id = $1 AND s.pool_id = p.id AND s.version = $3
JOIN pool_setting b ON b.tenant_id = $1 AND b.pool_id = p.id AND b.version = $3 - 1
WHERE p.tenant_id = $1 AND p.id = $2
"""
_OWNED = """
SELECT id FROM customer WHERE tenant_id = $1 AND pool_id = $2 AND owner_id IS NOT NULL AND id > $3 ORDER BY id LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class SettingsWish:
    """Settings that are thought of: `PoolSettings` by name, from which day, and by which day their effect is shown.

    `on` None is the first day on which a change can take a customer: after its grace (P27).
    """

    pool_id: UUID
    settings: Mapping[str, Any]
    expected_version: int
    valid_from: date | None = None
    on: date | None = None


async def dry_run_settings(wish: SettingsWish, *, activity: ActivitySource, time_zone: str, today: date) -> Comparison:
    """Judge every owned customer of a pool by the settings in force and by new ones (permission ``pool:configure``).

    Nothing is written.

    :raises AppErrors: settings out of range, each with its field.
    :raises PoolNotFound: this company has no such pool.
    :raises PoolChanged: somebody changed it meanwhile.
    :raises BadUserInput: the day lies before today, or further than ten years off.
    :raises DryRunTooLarge: more than `MOST` customers are owned.
    """
    trial = await prepare_trial(wish, today=today)
    if await count_owned(wish.pool_id, most=MOST + 1) > MOST:
        raise DryRunTooLarge("customers.dry_run_too_large", {"most": MOST}, field=("id",))
    comparison = trial.comparison()
    async for held in _held(wish.pool_id, activity=activity, time_zone=time_zone):
        comparison.add(held)
    return comparison


@dataclass(frozen=True, slots=True)
class Trial:
    """Two settings of a pool that are compared by a day; `before` are those of its `version`."""

    pool_id: UUID
    version: int
    before: PoolSettings
    after: PoolSettings
    on: date

    def comparison(self) -> Comparison:
        """Nothing compared yet."""
        return Comparison(self.before.recycle_rules(), self.after.recycle_rules(), self.on)


async def prepare_trial(wish: SettingsWish, *, today: date) -> Trial:
    """What a wish compares, checked.

    :raises AppErrors, PoolNotFound, PoolChanged, BadUserInput: see `dry_run_settings`.
    """
    row = await current_transaction().fetchrow(_POOL, current_tenant_id(), wish.pool_id)
    if row is None:
        raise PoolNotFound("customers.pool_not_found", field=("id",))
    if row["version"] != wish.expected_version:
        raise PoolChanged("customers.pool_changed", {"expected": wish.expected_version, "actual": row["version"]})
    before = settings_in_force(row)
    after = before.changed(wish.settings, valid_from=max(today, wish.valid_from or today))
    on = _checked_day(wish.on or max(today, after.not_before or today), today)
    return Trial(wish.pool_id, row["version"], before, after, on)


async def count_owned(pool_id: UUID, *, most: int | None = None) -> int:
    """How many customers of a pool somebody owns; counted up to `most`, where one is given."""
    return int(await current_transaction().fetchval(_COUNT, current_tenant_id(), pool_id, most))


async def find_version(pool_id: UUID) -> int | None:
    """The version of a pool that is not closed."""
    row = await current_transaction().fetchrow(_POOL, current_tenant_id(), pool_id)
    return None if row is None else int(row["version"])


@dataclass(frozen=True, slots=True)
class Losses:
    """What a version of a pool's settings takes on its first day that it may, beyond what the one before took.

    `customers` counts them by owner.
    """

    pool_name: str
    valid_from: date
    not_before: date
    customers: Mapping[UUID, int]


async def find_losses(*, pool_id: UUID, version: int, activity: ActivitySource, time_zone: str) -> Losses | None:
    """Who loses customers by a version of the settings; None where it has no grace, so moves no due date.

    It judges every owned customer of the pool, page by page, and keeps a number a person.
    """
    row = await current_transaction().fetchrow(_VERSIONS, current_tenant_id(), pool_id, version)
    after = None if row is None else settings_of(row["after"])
    if row is None or after is None or after.not_before is None:
        return None
    before, on = settings_of(row["before"]), after.not_before
    comparison = Comparison(before.recycle_rules(), after.recycle_rules(), on)
    async for held in _held(pool_id, activity=activity, time_zone=time_zone):
        comparison.add(held)
        comparison.taken.clear()
    taken = {owner_id: effect.taken for owner_id, effect in comparison.effects.items() if effect.taken}
    return Losses(row["pool_name"], row["valid_from"], on, taken)


async def _held(pool_id: UUID, *, activity: ActivitySource, time_zone: str) -> AsyncIterator[list[Held]]:
    """The owned customers of a pool, page by page."""
    last: UUID | None = UUID(int=0)
    while last is not None:
        held, last = await read_held(pool_id, after=last, most=_PAGE, activity=activity, time_zone=time_zone)
        yield held


async def read_held(
    pool_id: UUID, *, after: UUID, most: int, activity: ActivitySource, time_zone: str
) -> tuple[list[Held], UUID | None]:
    """A page of a pool's owned customers, by id, and the last of it; None where there was none."""
    rows = await current_transaction().fetch(_OWNED, current_tenant_id(), pool_id, after, most)
    ids: list[UUID] = [row["id"] for row in rows]
    owned = await find_owned(ids, activity=activity, time_zone=time_zone)
    return [Held(each.customer_id, each.owner_id, each.facts) for each in owned], ids[-1] if ids else None


def _checked_day(on: date, today: date) -> date:
    if not 0 <= (on - today).days <= HORIZON_DAYS:
        values: dict[str, Scalar] = {"on": on.isoformat(), "today": today.isoformat(), "most": HORIZON_DAYS}
        raise BadUserInput("customers.dry_run_day", values, field=("on",))
    return on
