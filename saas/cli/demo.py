"""`saas demo`: the product shown with two companies, one of them full of life."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from typing import Annotated

import typer
from rich.console import Console

from saas.cli.installation import held_servers
from saas.cli.processes import serve_web
from saas.cli.serving import listening_socket
from saas.cli.settings import begin_logs, settings_of_application
from saas.config import Settings
from saas.demo.story import tell_story
from saas.main import Backing, installed_product, opened


def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Go on serving the API and GraphiQL until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --serve: port; 0 for any free one.")] = 8000,
) -> None:
    """Show the product with a believable company.

    Signs up two companies, fills one with a year of work, and shows what becomes of it. Starts what it needs below
    SAAS_DATA. Seeded: two runs agree. A second run finds its companies and shows them again.

    \b
    Examples:
      saas demo
      saas demo --serve --port 8080
      SAAS_DATA=/tmp/try saas demo
    """
    settings = settings_of_application()
    taken = listening_socket("127.0.0.1", port) if serve else nullcontext()  # before the story, not after it
    with taken as listener, held_servers(settings, migrate=not settings.is_production) as stands_on:
        begin_logs(settings, least=logging.WARNING)  # the requests would drown the story
        asyncio.run(_tell(settings, stands_on))
        if listener is not None:
            serve_web(settings, stands_on, listener, has_worker=True)


async def _tell(settings: Settings, stands_on: Backing) -> None:
    async with opened(installed_product(), settings, stands_on) as installation:
        await tell_story(installation, console=Console())
