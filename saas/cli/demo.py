"""`saas demo`: the product shown with two companies, one of them full of life."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from saas.cli.failures import CommandRefused
from saas.cli.installation import held_servers
from saas.cli.processes import serve_web
from saas.cli.serving import listening_socket
from saas.cli.settings import begin_logs, settings_of_application
from saas.config import Settings
from saas.demo.export import NotAnExport, last_month_sold_in
from saas.demo.story import tell_story
from saas.main import Backing, installed_product, opened


def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Go on serving the API and GraphiQL until Ctrl-C.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Tell it of a real company: the folder of a CRM's export.", exists=True),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --serve: port; 0 for any free one.")] = 8000,
) -> None:
    """Show the product with a believable company.

    Signs up two companies, fills one with a year of work, and shows what becomes of it: claims, a verifiable draw,
    commission, and a payslip that explains itself. Starts what it needs below SAAS_DATA. Seeded: two runs of a day
    agree. A second run finds its companies and shows them again.

    \b
    Examples:
      saas demo
      saas demo --data ./crm_sales_opportunities
      saas demo --serve --port 8080
      SAAS_DATA=/tmp/try saas demo
    """
    if data is not None:
        _check_export(data)
    settings = settings_of_application()
    taken = listening_socket("127.0.0.1", port) if serve else nullcontext()  # before the story, not after it
    with taken as listener, held_servers(settings, migrate=not settings.is_production) as stands_on:
        begin_logs(settings, least=logging.WARNING)  # the requests would drown the story
        asyncio.run(_tell(settings, stands_on, data))
        if listener is not None:
            serve_web(settings, stands_on, listener, has_worker=True)


def _check_export(folder: Path) -> None:
    try:
        last_month_sold_in(folder)
    except NotAnExport as refused:
        raise CommandRefused(
            str(refused), "Name the folder of a CRM's export, as `saas import-crm` takes it."
        ) from None


async def _tell(settings: Settings, stands_on: Backing, data: Path | None) -> None:
    async with opened(installed_product(), settings, stands_on) as installation:
        await tell_story(installation, data=data, console=Console())
