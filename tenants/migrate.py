"""Migrations by Tortoise's own tool, one history per room, one runner at a time."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

import asyncpg
from tortoise import Tortoise
from tortoise.context import TortoiseContext
from tortoise.migrations.api.migrate import migrate as run_migrations
from tortoise.migrations.executor import MigrationExecutor

from tenants.database import Database, DatabaseRole
from tenants.orm import orm_config
from tenants.schema import APP, PLATFORM

Progress = Callable[[str], None]
_LET_READ = f"GRANT SELECT ON tortoise_migrations TO {APP}, {PLATFORM}"
_LOCK = "SELECT pg_advisory_lock(hashtext('fairlead.migrate'))"


async def migrate(owner_url: str, apps: Mapping[str, Sequence[str]], *, progress: Progress | None = None) -> None:
    """Bring the database up to the newest migration of every app; a second runner waits for the first.

    The advisory lock is needed because the migration tool has none: two pods that start together would both
    begin the same migration.
    """
    guard = await asyncpg.connect(owner_url, timeout=10)
    try:
        await guard.execute(_LOCK)
        async with TortoiseContext():
            await run_migrations(
                config=orm_config(apps, url=_tortoise_url(owner_url)),
                progress=lambda event, app, name: progress(f"{app}.{name}") if progress else None,
            )
            await Tortoise.close_connections()
        await guard.execute(_LET_READ)
    finally:
        await guard.close()


async def missing_migrations(database: Database, apps: Mapping[str, Sequence[str]]) -> list[str]:
    """The same as `pending_migrations`, for a process that knows only the working roles: is the code too new?"""
    sql = "SELECT app || '.' || name AS done FROM tortoise_migrations"
    async with database.transaction(None, role=DatabaseRole.PLATFORM) as transaction:
        done = {row["done"] for row in await transaction.fetch(sql)}
    return sorted(_written(apps) - done)


def _written(apps: Mapping[str, Sequence[str]]) -> set[str]:
    found = set()
    for label, (_, package) in apps.items():
        modules = pkgutil.iter_modules(import_module(package).__path__)
        found |= {f"{label}.{module.name}" for module in modules if not module.name.startswith("_")}
    return found


async def pending_migrations(owner_url: str, apps: Mapping[str, Sequence[str]]) -> list[str]:
    """The migrations that the code has and the database has not, as ``app.name``."""
    probe = await asyncpg.connect(owner_url, timeout=10)  # the tool takes a refused sign-in for "nothing applied"
    await probe.close()
    config = orm_config(apps, url=_tortoise_url(owner_url))
    async with TortoiseContext() as context:
        await context.init(config=config, init_connections=False)
        executor = MigrationExecutor(context.connections.get("default"), config["apps"])
        steps = await executor.plan(None)
        await context.close_connections()
    return [f"{step.migration.app_label}.{step.migration.name}" for step in steps]


def _tortoise_url(url: str) -> str:
    scheme, rest = url.split("://", 1)
    return f"asyncpg://{rest}" if scheme in {"postgres", "postgresql"} else url
