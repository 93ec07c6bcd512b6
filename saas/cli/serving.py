"""`saas serve` and `saas worker`, and the worker's probe: it runs every minute, so nothing heavy is imported here."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Annotated

import typer

from saas.cli.failures import FAILED, CommandRefused
from saas.cli.parts import HELD_SERVERS, SERVE_WEB, WORK, find_part
from saas.cli.settings import settings_of_application, settings_of_process
from saas.cli.terminal import note, say
from saas.jobs import check_health
from saas.servers import running_servers

_HEALTH_SECONDS = 15.0


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port.")] = 1,
    migrate: Annotated[bool, typer.Option("--migrate", help="Migrate a named database first.")] = False,
    worker: Annotated[
        bool | None,
        typer.Option(
            "--worker/--no-worker",
            help="Run background jobs in the same process.",
            show_default="with an embedded database and one process",
        ),
    ] = None,
) -> None:
    """Serve the GraphQL API until Ctrl-C or SIGTERM.

    With no DATABASE_URL an embedded PostgreSQL starts below SAAS_DATA, with no REDIS_URL an embedded Valkey; both
    are migrated and stopped by the last process that uses them, and the jobs run in the same process. Named servers
    are for more: a database is migrated only with --migrate, and `saas worker` runs the jobs.

    \b
    Examples:
      saas serve
      saas serve --host 0.0.0.0 --port 8080 --workers 4
      DATABASE_URL=postgres://owner:…@db/fairlead REDIS_URL=redis://queue saas serve --migrate

    \b
    Environment: DATABASE_URL or DATABASE_APP_URL and DATABASE_PLATFORM_URL, REDIS_URL, SAAS_DATA,
      SAAS_ENVIRONMENT (development, production), SAAS_PUBLIC_URL, SAAS_MASTER_KEY_FILE, SAAS_LOG_FORMAT,
      SAAS_COMPLETION_WAIT_SECONDS, SAAS_POOL_SIZE, FORWARDED_ALLOW_IPS
    """
    settings = settings_of_application()
    has_worker = (settings.wants_embedded_postgres and workers == 1) if worker is None else worker
    with listening_socket(host, port) as listener, find_part(HELD_SERVERS)(settings, migrate=migrate) as stands_on:
        find_part(SERVE_WEB)(settings, stands_on, listener, processes=workers, has_worker=has_worker)


def listening_socket(host: str, port: int) -> socket.socket:
    """The socket to serve on, taken before anything slow starts.

    :raises CommandRefused: the port is taken or forbidden, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as refused:
        raise _not_listening(host, port, refused) from refused


def _not_listening(host: str, port: int, refused: OSError) -> CommandRefused:
    if refused.errno == errno.EADDRINUSE:
        return CommandRefused(
            f"Port {port} on {host} is taken by another program.", "Stop that program, or choose a port with --port."
        )
    if refused.errno == errno.EACCES:
        return CommandRefused(f"This user may not listen on port {port}.", "Choose one above 1023 with --port.")
    reason = refused.strerror or str(refused)
    return CommandRefused(f"{host} can't be listened on: {reason}.", "Choose an address of this machine with --host.")


def worker(
    check: Annotated[bool, typer.Option("--check", help="Only tell whether a worker is alive; exit 1 if not.")] = False,
) -> None:
    """Run background jobs until Ctrl-C or SIGTERM.

    They deliver events, send mail, and keep the audit chain. Any number of workers may run. A stopping worker gives
    its jobs SAAS_COMPLETION_WAIT_SECONDS to finish; what can't finish runs again elsewhere.

    \b
    Examples:
      saas worker
      saas worker --check    # for a probe: is a worker of this queue alive?

    \b
    Environment: DATABASE_URL or DATABASE_APP_URL, DATABASE_PLATFORM_URL and DATABASE_RELAY_URL, REDIS_URL,
      SAAS_DATA, SAAS_ENVIRONMENT, SAAS_MASTER_KEY_FILE, SAAS_COMPLETION_WAIT_SECONDS
    """
    if check:
        _check_worker()
    else:
        asyncio.run(find_part(WORK)())


def _check_worker() -> None:
    if asyncio.run(_is_worker_alive()):
        say("A worker is alive.")
        return
    note("saas: No worker has reported itself within the last 16 seconds. Start one with `saas worker`.")
    raise typer.Exit(FAILED)


async def _is_worker_alive() -> bool:
    """Whether a worker has reported itself; embedded servers that nobody runs have no worker either."""
    settings = settings_of_process()
    try:
        async with asyncio.timeout(_HEALTH_SECONDS):
            if settings.redis_url:
                return await check_health(settings.redis_url)
            async with running_servers(settings.data, postgres=False) as servers:
                return await check_health(servers.redis_url)
    except TimeoutError:
        return False
