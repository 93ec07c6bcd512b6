"""Both servers for one process, as one block of code."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from saas.servers.folder import prepare_folder
from saas.servers.postgres import Postgres
from saas.servers.sharing import Progress, shared
from saas.servers.valkey import Valkey


@dataclass(frozen=True, slots=True)
class Servers:
    """What a process gets; an address is empty where the server was not asked for.

    `superuser_url` makes roles and databases at the first start; the application itself connects with less.
    """

    superuser_url: str
    redis_url: str
    data: Path


@asynccontextmanager
async def running_servers(
    data: Path,
    *,
    postgres: bool = True,
    redis: bool = True,
    durable: bool = True,
    on_progress: Progress | None = None,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Servers]:
    """PostgreSQL and Valkey on the folder `data`, started or adopted; the last process to leave stops them.

    `durable=False` (tests) gives up safety in a power cut for speed; it has no effect on a server that runs already,
    as SAAS_PG_PORT and SAAS_REDIS_PORT have none. `on_progress` gets a sentence before each step that takes time.

    :raises ServerStartError: a server can't be had; nothing that this call started is left running.
    """
    settings = os.environ if environ is None else environ
    progress = on_progress or _silent
    data = prepare_folder(data)
    async with AsyncExitStack() as stack:
        superuser_url = redis_url = ""
        if postgres:
            database = Postgres(data, durable=durable, environ=settings, progress=progress)
            await stack.enter_async_context(shared(database))
            superuser_url = database.url
        if redis:
            queue = Valkey(data, durable=durable, environ=settings, progress=progress)
            await stack.enter_async_context(shared(queue))
            redis_url = queue.url
        yield Servers(superuser_url=superuser_url, redis_url=redis_url, data=data)


def _silent(_: str) -> None:
    """Nobody watches."""
