"""The product as it is served, with one figure changed: a budget of points that a benchmark does not use up.

Points are still counted and taken at each request; a caller as busy as this one would be refused after a minute.
"""

from __future__ import annotations

import logging
import os
from contextlib import AsyncExitStack
from dataclasses import replace

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from saas.backing import backing
from saas.config import read_settings
from saas.graphql.limits import Limits
from saas.main import installed_product, opened, web_services
from saas.web import create_app as create_web_app

_POINTS = 10**12
"""More than a run asks for."""


class _Lifespan:
    """Opens the product when the server starts and closes it when the server stops."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message: Message = await receive()
            if message["type"] == "lifespan.startup":
                await self._open()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._stack.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _open(self) -> None:
        settings = read_settings(os.environ)
        servers = await self._stack.enter_async_context(backing(settings))
        installation = await self._stack.enter_async_context(opened(installed_product(), settings, servers))
        limits = Limits(bucket=_POINTS, restore_rate=_POINTS)
        self._app = create_web_app(replace(web_services(installation), limits=limits))


def create_app() -> ASGIApp:
    """The product as an ASGI application; its servers come from the environment. The access log is off, as it is
    for every contender."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    return _Lifespan()
