"""The ASGI application: the GraphQL endpoint in front, and the few pages around it behind Starlette's router.

Subscriptions come to the same address: as a WebSocket, or by asking for a stream of events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from saas.graphql.services import ReadinessCheck, Services
from saas.web.endpoint import GraphQLEndpoint
from saas.web.files import file_routes
from saas.web.graphiql import graphiql_routes
from saas.web.sockets import Sockets

_CHECK_SECONDS = 1.0
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
log = structlog.get_logger("saas.web")


def create_app(services: Services) -> ASGIApp:
    """The application over wired services; the caller opens and closes what they hold."""
    endpoint = GraphQLEndpoint(services)
    return _Application(endpoint, Sockets(services, endpoint), _pages(services))


class _Application:
    """Sends /graphql straight to its endpoint and everything else to the router."""

    def __init__(self, endpoint: GraphQLEndpoint, sockets: Sockets, pages: Starlette) -> None:
        self._endpoint = endpoint
        self._sockets = sockets
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/graphql":
            await self._endpoint(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == "/graphql":
            await self._sockets(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


def _pages(services: Services) -> Starlette:
    routes: list[BaseRoute] = [
        Route("/healthz", _healthz),
        Route("/readyz", _readyz(services)),
        *file_routes(services),
    ]
    if services.serve_graphiql:
        routes += graphiql_routes()
    return Starlette(routes=routes)


async def _healthz(_: Request) -> JSONResponse:
    """Alive: asks nobody, so that a database that is away does not get the process killed."""
    return JSONResponse({"status": "alive"}, headers=_NO_STORE)


def _readyz(services: Services) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def answer(_: Request) -> JSONResponse:
        """Ready: every check answers within a second; the reasons stay in the log."""
        names = list(services.readiness)
        results = await asyncio.gather(*(_check(name, services.readiness[name]) for name in names))
        parts = dict(zip(names, results, strict=True))
        ready = all(result == "ready" for result in results)
        body = {"status": "ready" if ready else "not ready", "parts": parts}
        return JSONResponse(body, status_code=200 if ready else 503, headers=_NO_STORE)

    return answer


async def _check(name: str, check: ReadinessCheck) -> str:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except TimeoutError:
        return "slow"
    except Exception as error:  # the door: whatever a part fails with, it is not ready
        log.warning("not_ready", part=name, kind=type(error).__name__)
        return "failed"
    return "ready"
