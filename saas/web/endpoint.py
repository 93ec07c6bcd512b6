"""POST /graphql: from bytes to bytes, with time limit, hang-up and one line of log."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping
from itertools import count
from typing import Any

import structlog

from saas.graphql.answer import Answer
from saas.graphql.errors import TimedOut, fault_of
from saas.graphql.execute import Executor
from saas.graphql.operation import Request
from saas.graphql.services import Services
from saas.kernel import BadUserInput
from saas.web.event_stream import EventStream
from saas.web.requests import (
    GRAPHQL_RESPONSE,
    ClientGone,
    GraphQLBody,
    Headers,
    Receive,
    RefusedByHttp,
    Scope,
    Send,
    accepted_locale,
    bearer_token,
    check_content,
    client_name,
    parse_body,
    read_body,
    response_type,
    wants_stream,
)
from saas.web.watch import Watch

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
access_log = structlog.get_logger("saas.web.access")


class GraphQLEndpoint:
    """The endpoint as a bare ASGI application: routing would cost as much as everything else it does."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._log = access_log.bind()  # once: at each line it would cost as much as the line
        self._watch = Watch(services.limits.seconds)
        self._process, self._numbers = secrets.token_hex(6), count(1)
        self.executor = Executor(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = dict(scope["headers"])
        request_id = self.request_id(headers)
        exchange = _Exchange(self._services, headers, request_id)
        try:
            request = await self._request(scope, headers, receive, request_id)
            if wants_stream(headers):
                exchange.answer = await self._stream(request, receive, send)
                exchange.status = 200
            else:
                await exchange.reply(send, await self._bounded(request, receive))
        except RefusedByHttp as refused:
            await exchange.refuse(send, refused)
        except ClientGone:
            exchange.status = 499
        exchange.log(self._log, scope)

    def request_id(self, headers: Headers) -> str:
        """The caller's own request id where it is well-formed, else one of ours: process and number."""
        given = headers.get(b"x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given.decode("ascii")
        return f"{self._process}{next(self._numbers):012x}"

    async def _request(self, scope: Scope, headers: Headers, receive: Receive, request_id: str) -> Request:
        if scope["method"] != "POST":
            raise RefusedByHttp(405, BadUserInput("web.method", {"method": scope["method"][:20]}), {"Allow": "POST"})
        if not wants_stream(headers):
            response_type(headers.get(b"accept"))
        check_content(headers)
        body = parse_body(await read_body(headers, receive, most=self._services.limits.body_bytes))
        return request_of(body, scope, headers, token=bearer_token(headers), request_id=request_id)

    async def _stream(self, request: Request, receive: Receive, send: Send) -> Answer:
        """Answer with a stream of events, until one side ends it; the last answer."""
        stream = EventStream(self._services, request, receive, send)
        return await stream.run(self.executor.stream(request))

    async def _bounded(self, request: Request, receive: Receive) -> Answer:
        """Run the request, for as long as limits and client allow.

        :raises ClientGone: it has hung up; what was begun is rolled back.
        """
        watched = self._watch.begin(receive)
        try:
            return await self.executor.run(request)
        except asyncio.CancelledError:
            if not watched.absorb():
                raise
            if watched.is_client_gone:
                raise ClientGone from None
            error = TimedOut("graphql.request_timeout", {"seconds": f"{self._services.limits.seconds:g}"})
            return Answer(None, [fault_of(error)], locale=request.locale or "en")
        finally:
            self._watch.end(watched)


def request_of(body: GraphQLBody, scope: Scope, headers: Headers, *, token: str | None, request_id: str) -> Request:
    """A request for an operation, with what the connection tells of its sender."""
    client = scope.get("client") or ("", 0)
    return Request(
        text=body.text,
        document_hash=body.document_hash,
        operation_name=body.operation_name,
        variables=body.variables,
        token=token,
        address=client[0],
        client=client_name(headers),
        request_id=request_id,
        locale=accepted_locale(headers.get(b"accept-language")),
        is_plain=body.is_plain,
    )


class _Exchange:
    """One response: its headers, its bytes, its line in the log."""

    __slots__ = ("_began", "_headers", "_request_id", "_services", "answer", "status")

    def __init__(self, services: Services, headers: Headers, request_id: str) -> None:
        self._services = services
        self._headers = headers
        self._request_id = request_id
        self._began = asyncio.get_running_loop().time()
        self.status = 0
        self.answer: Answer | None = None

    async def reply(self, send: Send, answer: Answer) -> None:
        """Send an answer in the media type that the client prefers."""
        self.answer = answer
        media_type = response_type(self._headers.get(b"accept"))
        self.status = answer.status(strict=media_type == GRAPHQL_RESPONSE)
        headers = dict(answer.headers)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        services = self._services
        body = answer.body(catalogue=services.catalogue, limits=services.limits, request_id=self._request_id)
        await self._send(send, media_type, body, headers)

    async def refuse(self, send: Send, refused: RefusedByHttp) -> None:
        """Send a refusal that HTTP itself asks for, in the same shape as any error."""
        self.status = refused.status
        locale = accepted_locale(self._headers.get(b"accept-language")) or "en"
        self.answer = Answer(None, [fault_of(refused.error)], locale=locale)
        services = self._services
        body = self.answer.body(catalogue=services.catalogue, limits=services.limits, request_id=self._request_id)
        try:
            media_type = response_type(self._headers.get(b"accept"))
        except RefusedByHttp:
            media_type = b"application/json"
        await self._send(send, media_type, body, refused.headers)

    async def _send(self, send: Send, media_type: bytes, body: bytes, headers: Mapping[str, str]) -> None:
        listed = [
            (b"content-type", media_type + b"; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-request-id", self._request_id.encode("ascii")),
        ]
        listed += [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": listed})
        await send({"type": "http.response.body", "body": body})

    def log(self, log: Any, scope: Scope) -> None:
        """One line: what was asked of whom and how it went; never a text, variable, header or token."""
        took = asyncio.get_running_loop().time() - self._began
        answer = self.answer
        log.info(
            "request",
            method=scope["method"][:20],
            path="/graphql",
            status=self.status,
            milliseconds=round(took * 1000, 2),
            request_id=self._request_id,
            operation=answer.operation[:60] if answer else "",
            cost=answer.actual if answer else 0,
            codes=sorted({fault.code.value for fault in answer.faults}) if answer and answer.faults else [],
        )
