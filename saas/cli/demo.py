"""`saas demo`: the product shown with two companies, one of them full of life."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from saas.cli.serving import listening_socket
from saas.cli.settings import settings_of_application
from saas.config import Settings
from saas.demo.story import tell
from saas.worker import stop_on_signals


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
    if serve:
        listening_socket("127.0.0.1", port).close()  # a taken port is told now, not after the story
    asyncio.run(_tell(settings, port if serve else None))


async def _tell(settings: Settings, serve_on: int | None) -> None:
    """The story, ended in order by a signal: whatever it runs on is closed before the process leaves."""
    telling = asyncio.create_task(tell(settings, Console(), serve_on=serve_on))
    stopping = asyncio.create_task(stop_on_signals().wait())
    await asyncio.wait({telling, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if telling.done():
        stopping.cancel()
        return telling.result()
    telling.cancel()
    with suppress(asyncio.CancelledError):
        await telling
    if serve_on is None:
        raise KeyboardInterrupt
    return None
