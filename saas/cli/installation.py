"""The installation that a command works on: its servers, its database, the product open on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from saas.cli.settings import settings_of_application
from saas.cli.terminal import spinner
from saas.config import Settings
from saas.main import Backing, Installation, Product, backing, bring_up_to_date, installed_product, opened


@asynccontextmanager
async def servers_of(product: Product, settings: Settings, *, migrate: bool = False) -> AsyncIterator[Backing]:
    """The servers, started where none are named. Migrated where they are ours, or where `migrate` says so."""
    async with AsyncExitStack() as stack:
        with spinner("Starting the servers") as step:
            stands_on = await stack.enter_async_context(backing(settings, progress=step))
            if settings.wants_embedded_postgres or migrate:
                await bring_up_to_date(product, stands_on, progress=step)
        yield stands_on


@contextmanager
def held_servers(settings: Settings, *, migrate: bool = False) -> Iterator[Backing]:
    """`servers_of` the installed product, for a block that runs event loops of its own."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        servers = servers_of(installed_product(), settings, migrate=migrate)
        stands_on = runner.run(stack.enter_async_context(servers))
        try:
            yield stands_on
        finally:
            runner.run(stack.aclose())


@asynccontextmanager
async def opened_installation() -> AsyncIterator[Installation]:
    """The product open on its servers, for a command that works on companies' rows."""
    product, settings = installed_product(), settings_of_application()
    async with servers_of(product, settings) as stands_on, opened(product, settings, stands_on) as installation:
        yield installation
