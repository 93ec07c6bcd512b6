"""Files: an upload is streamed to where imports read it from; the error file of an import is streamed back.

Both take a bearer token and nothing else, so that no page of another site can make a browser do it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import structlog
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from saas.access import require
from saas.exchange import Importer, write_error_file
from saas.graphql.answer import Answer
from saas.graphql.errors import TimedOut, fault_of, internal
from saas.graphql.services import Authenticated, Services
from saas.kernel import AppError, BadUserInput, ErrorCode, Unauthenticated, new_id, parse_public_id, public_id
from saas.web.requests import accepted_locale, bearer_token

_UPLOAD_SECONDS, _BLOCK_SECONDS = 900.0, 30.0
"""How long an upload may take, and how long its sender may say nothing."""

_DISCARD_SECONDS = 2.0
_STATUS = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.TIMEOUT: 408,
    ErrorCode.CONFLICT: 409,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.INTERNAL: 500,
}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
log = structlog.get_logger("saas.web.files")

Handler = Callable[[Request, Authenticated], Awaitable[Response]]


def file_routes(services: Services) -> list[BaseRoute]:
    """POST /files and GET /files/{batch}, where the process is wired with an importer."""
    importer = services.rooms.get(Importer)
    if not isinstance(importer, Importer):
        return []
    files = _Files(services, importer)
    return [
        Route("/files", files.guarded(files.upload), methods=["POST"]),
        Route("/files/{batch}", files.guarded(files.error_file), methods=["GET"]),
    ]


class _Files:
    def __init__(self, services: Services, importer: Importer) -> None:
        self._services = services
        self._importer = importer

    def guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """The handler for signed-in callers; whatever it refuses is told in the one shape of errors."""

        async def answer(request: Request) -> Response:
            request_id = new_id().hex
            try:
                return await handler(request, await self._session(request, request_id))
            except ClientDisconnect:
                return Response(status_code=499)
            except AppError as error:
                await _discard(request)
                return self._refused(request, error, request_id)
            except Exception as error:  # the door: nothing unexpected reaches the caller
                log.exception("fault", kind=type(error).__name__, request_id=request_id)
                return self._told(request, Answer(None, [internal()], locale=_locale(request)), 500, request_id)

        return answer

    async def _session(self, request: Request, request_id: str) -> Authenticated:
        token = bearer_token(dict(request.scope["headers"]))
        client = request.client.host if request.client else ""
        if not token:
            raise Unauthenticated("graphql.sign_in_first")
        found = await self._services.sessions.authenticate(token, address=client, request_id=request_id, client="web")
        if found is None:
            raise Unauthenticated("graphql.session_ended")
        require(await self._services.access.table(found.actor), "import:preview")
        return found

    async def upload(self, request: Request, session: Authenticated) -> Response:
        """The body as a file; the answer names it for importStage."""
        if request.headers.get("content-type", "").lower().startswith("multipart/"):
            raise BadUserInput("web.upload_not_raw")
        try:
            async with asyncio.timeout(_UPLOAD_SECONDS):
                stored = await self._importer.files.save(session.actor.tenant_id, _blocks(request))
        except TimeoutError:
            raise TimedOut("web.upload_too_slow", {"seconds": f"{_BLOCK_SECONDS:g}"}) from None
        file = {"id": public_id("fil", stored.id), "size": stored.size, "sha256": stored.sha256}
        return JSONResponse({"file": file}, status_code=201, headers=_NO_STORE)

    async def error_file(self, request: Request, session: Authenticated) -> Response:
        """The failed rows of an import as a workbook, with the reasons in the caller's language."""
        batch_id = parse_public_id(str(request.path_params["batch"]), prefix="imp")
        descriptor, name = await asyncio.to_thread(tempfile.mkstemp, suffix=".xlsx")
        try:
            with os.fdopen(descriptor, "w+b") as target:
                await self._write(session, batch_id, target)
        except BaseException:
            await _remove(name)
            raise
        return FileResponse(
            name,
            media_type=_XLSX,
            filename=f"{public_id('imp', batch_id)}.xlsx",
            headers=_NO_STORE,
            background=BackgroundTask(_remove, name),
        )

    async def _write(self, session: Authenticated, batch_id: UUID, target: BinaryIO) -> None:
        async with self._services.database.transaction(session.actor.tenant_id):
            context = await self._importer.contexts(session.actor)
            await write_error_file(context, batch_id=batch_id, target=target, catalogue=self._services.catalogue)

    def _refused(self, request: Request, error: AppError, request_id: str) -> Response:
        key = error.key
        status = 413 if key == "exchange.file_too_large" else _STATUS.get(error.code, 400)
        return self._told(request, Answer(None, [fault_of(error)], locale=_locale(request)), status, request_id)

    def _told(self, request: Request, answer: Answer, status: int, request_id: str) -> Response:
        services = self._services
        body = answer.body(catalogue=services.catalogue, limits=services.limits, request_id=request_id)
        headers = {**_NO_STORE, "X-Request-Id": request_id}
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if request.method == "POST":
            headers["Connection"] = "close"  # what is left of the body is not read
        return Response(body, status_code=status, media_type="application/json", headers=headers)


async def _blocks(request: Request) -> AsyncIterator[bytes]:
    """The body block by block; a sender that pauses too long is given up."""
    stream = request.stream().__aiter__()
    while True:
        async with asyncio.timeout(_BLOCK_SECONDS):
            block = await anext(stream, None)
        if block is None:
            return
        if block:
            yield block


async def _discard(request: Request) -> None:
    """Read on without keeping, for a while: a client that is still sending would see a reset and not the answer."""
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):  # what was read to its end can't be read again
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for _ in request.stream():
                pass


async def _remove(name: str) -> None:
    with suppress(FileNotFoundError):
        await asyncio.to_thread(Path(name).unlink)


def _locale(request: Request) -> str:
    return accepted_locale(request.headers.get("accept-language", "").encode("latin-1")) or "en"
