"""GraphiQL, served from files of this package alone: the page asks nobody else, and its policy would not let it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

STATIC = Path(str(files("saas.web").joinpath("static", "graphiql")))
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the editor measures its text through style elements
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def graphiql_routes() -> list[BaseRoute]:
    """The page at /graphiql/ and its files."""
    return [
        Route("/graphiql", _to_page),
        Route("/graphiql/", _page),
        Mount("/graphiql/", StaticFiles(directory=STATIC)),
    ]


async def _to_page(_: Request) -> RedirectResponse:
    return RedirectResponse("/graphiql/", status_code=308)


async def _page(_: Request) -> Response:
    return Response((STATIC / "index.html").read_bytes(), media_type="text/html", headers=_HEADERS)
