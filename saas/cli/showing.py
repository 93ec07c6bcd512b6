"""`saas demo` and `saas bench`: the product shown, and its speed measured."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from saas.cli.installation import held_servers
from saas.cli.parts import BENCH_READS, DEMO_STORY, find_part
from saas.cli.processes import serve_web
from saas.cli.serving import listening_socket
from saas.cli.settings import settings_of_application, settings_of_process
from saas.cli.terminal import bar, say
from saas.config import Settings
from saas.main import Backing, installed_product, opened

commands = typer.Typer(no_args_is_help=True, help="Benchmarks against their floors.")


@commands.callback()
def bench() -> None:
    """Measure the product against the least that any server could do; docs/benchmarks.md keeps the figures."""


def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Go on serving the API and GraphiQL afterwards.")] = False,
    host: Annotated[str, typer.Option(help="With --serve: address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --serve: port to listen on.")] = 8000,
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
    listener = listening_socket(host, port) if serve else None
    with held_servers(settings, migrate=not settings.is_production) as stands_on:
        asyncio.run(_tell(settings, stands_on))
        if listener is not None:
            with listener:
                serve_web(settings, stands_on, listener)


async def _tell(settings: Settings, stands_on: Backing) -> None:
    tell_story = find_part(DEMO_STORY)
    async with opened(installed_product(), settings, stands_on) as installation:
        with bar("Preparing") as progress:
            await tell_story(installation, say=say, progress=progress)


@commands.command()
def reads(
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Rounds; the contenders take turns in each.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long each case runs in a round.")] = 3.0,
    short: Annotated[bool, typer.Option("--short", help="One round of half a second: does everything run?")] = False,
) -> None:
    """Measure reads and claims: bare SQL, this product, and the same schema executed the ordinary way.

    Fills a database of its own below SAAS_DATA the first time (minutes). Needs an otherwise idle machine.

    \b
    Examples:
      saas bench reads
      saas bench reads --rounds 9 --seconds 5
      saas bench reads --short
    """
    rounds, seconds = (1, 0.5) if short else (rounds, seconds)
    measure = find_part(BENCH_READS)
    asyncio.run(measure(data=settings_of_process().data, rounds=rounds, seconds=seconds, report=say, is_short=short))
