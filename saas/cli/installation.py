"""The installation that a command works on: its settings, its servers, its database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from saas.cli.terminal import spinner
from saas.config import ConfigError, Settings, read_settings
from saas.main import MODEL_APPS, Backing, backing, bring_up_to_date
from tenants import Database, bind_models, unbind_models

_STARTING = "Starting the servers"


def settings_of_process() -> Settings:
    """The settings in the environment.

    :raises ConfigError: one can't be used.
    """
    return read_settings(os.environ)


def settings_of_application() -> Settings:
    """The settings for whatever connects as the application.

    :raises ConfigError: one can't be used, or production names the owner alone: deriving the other roles' passwords
        from it would change those that the running processes use.
    """
    settings = settings_of_process()
    if settings.is_production and not settings.database_app_url:
        raise ConfigError(
            "SAAS_ENVIRONMENT is production and only the owner's DATABASE_URL is set; the application never connects "
            "as the owner. Set DATABASE_APP_URL and DATABASE_PLATFORM_URL."
        )
    return settings


@asynccontextmanager
async def servers_of(settings: Settings, *, migrate: bool = False) -> AsyncIterator[Backing]:
    """The servers, started where none are named. Migrated where they are ours, or where `migrate` says so."""
    async with AsyncExitStack() as stack:
        with spinner(_STARTING) as step:
            stands_on = await stack.enter_async_context(backing(settings, progress=step))
            if settings.wants_embedded_postgres or migrate:
                await bring_up_to_date(stands_on, progress=step)
        yield stands_on


@contextmanager
def held_servers(settings: Settings, *, migrate: bool = False) -> Iterator[Backing]:
    """`servers_of` for a block that runs event loops of its own."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        stands_on = runner.run(stack.enter_async_context(servers_of(settings, migrate=migrate)))
        try:
            yield stands_on
        finally:
            runner.run(stack.aclose())


@asynccontextmanager
async def opened_database() -> AsyncIterator[Database]:
    """The database, for a command that works on its rows."""
    async with servers_of(settings_of_application()) as stands_on:
        database = Database(stands_on.database, size=2, platform_size=2)
        await bind_models(MODEL_APPS)
        try:
            yield database
        finally:
            await unbind_models()
            await database.close()
