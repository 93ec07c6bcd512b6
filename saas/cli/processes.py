"""The two processes of an installation, as operators run them: web under uvicorn, and the worker."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from saas.cli.failures import CommandRefused, explain
from saas.cli.installation import opened_installation
from saas.cli.parts import WEB_PROCESS, WEB_PROCESS_WITH_WORKER, find_part
from saas.cli.settings import begin_logs, settings_of_process
from saas.cli.terminal import note
from saas.config import Settings
from saas.main import (
    Backing,
    Installation,
    Product,
    backing,
    installed_product,
    opened,
    web_services,
    worker_services,
)
from saas.web import SPOKEN, create_app
from saas.worker import run_worker, stop_on_signals


def web_application() -> ASGIApp:
    """The application of one web process; a server calls this by name. Its settings are those of the environment.

    :raises ConfigError: one can't be used. :raises PluginRejected: a plugin does not fit.
    """
    return _web_process(has_worker=False)


def web_application_with_worker() -> ASGIApp:
    """`web_application` with a worker beside it, for an installation of one process.

    :raises ConfigError: a setting can't be used. :raises PluginRejected: a plugin does not fit.
    """
    return _web_process(has_worker=True)


def _web_process(*, has_worker: bool) -> ASGIApp:
    settings = settings_of_process()
    begin_logs(settings)
    return _WebProcess(installed_product(), settings, has_worker=has_worker)


class _WebProcess:
    """Opens the product in the server's own event loop, before the first request, and closes it after the last."""

    def __init__(self, product: Product, settings: Settings, *, has_worker: bool) -> None:
        self._product, self._settings, self._has_worker = product, settings, has_worker
        self._app: ASGIApp = self._lifespan
        product.schema  # noqa: B018 - built now: what contradicts in it stops the start, not a request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def _lifespan(self, _: Scope, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                stands_on = await stack.enter_async_context(backing(self._settings))
                installation = await stack.enter_async_context(opened(self._product, self._settings, stands_on))
                if self._has_worker:
                    await stack.enter_async_context(_working(installation))
                self._app = create_app(web_services(installation))
            except Exception as error:  # the door: the server prints this sentence, and no trace
                await send({"type": "lifespan.startup.failed", "message": " ".join(explain(error))})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def _working(installation: Installation) -> AsyncIterator[None]:
    """A worker runs inside the block; the process ends with it, because half of one is worse than none."""
    stop = asyncio.Event()
    working = asyncio.create_task(run_worker(worker_services(installation), stop=stop))
    working.add_done_callback(lambda _: None if stop.is_set() else signal.raise_signal(signal.SIGTERM))
    try:
        yield
    finally:
        stop.set()
        await working


def serve_web(
    settings: Settings, stands_on: Backing, listener: socket.socket, *, processes: int = 1, has_worker: bool = False
) -> None:
    """Serve the web application on a socket until a signal ends it; blocks, and needs the main thread.

    :param has_worker: run a worker in each process too.
    :raises CommandRefused: the application did not start.
    """
    app = WEB_PROCESS_WITH_WORKER if has_worker else WEB_PROCESS
    _hand_over(stands_on)
    begin_logs(settings)
    config = uvicorn.Config(
        app,
        **SPOKEN,
        factory=True,
        workers=processes,
        lifespan="on",
        access_log=False,  # the application writes its own
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=settings.completion_wait_seconds,
    )
    if processes == 1:
        _serve_here(config, listener)
    else:
        find_part(app)()  # what is wrong with settings or plugins is said once, not by every process
        _serve_apart(config, listener)


def _hand_over(stands_on: Backing) -> None:
    """Tell the application by its environment which servers to use; the owner's address is none of its business."""
    os.environ.pop("DATABASE_URL", None)
    os.environ["DATABASE_APP_URL"] = stands_on.database.app
    os.environ["DATABASE_PLATFORM_URL"] = stands_on.database.platform
    os.environ["DATABASE_RELAY_URL"] = stands_on.relay_url
    os.environ["REDIS_URL"] = stands_on.redis_url


class _AnnouncedServer(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        for listener in (sockets or []) if self.started else []:
            _announce(listener)


def _serve_here(config: uvicorn.Config, listener: socket.socket) -> None:
    server = _AnnouncedServer(config)
    _outlive_signals()
    server.run(sockets=[listener])
    if not server.started:
        raise _not_started()


def _outlive_signals() -> None:
    """The server raises its signals once more when it has finished; the embedded servers are to be stopped then."""

    def finished(number: int, frame: FrameType | None) -> None:
        return

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, finished)


def _serve_apart(config: uvicorn.Config, listener: socket.socket) -> None:
    supervisor = Multiprocess(config, sockets=[listener])
    _announce(listener)
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise _not_started()


def _not_started() -> CommandRefused:
    return CommandRefused("The web application did not start; its reason stands above.", "`saas doctor` looks closer.")


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    note(f"Fairlead listens on http://{shown}:{port}/graphql, with GraphiQL on /graphiql. Ctrl-C stops it.")


async def work() -> None:
    """Run a worker until a signal ends it."""
    async with opened_installation() as installation:
        begin_logs(installation.settings)
        services, stop = worker_services(installation), stop_on_signals()
        note("The worker waits for jobs. Ctrl-C stops it.")
        await run_worker(services, stop=stop)
