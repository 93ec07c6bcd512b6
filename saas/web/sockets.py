"""Subscriptions over a WebSocket, by the protocol graphql-transport-ws and no other.

The token comes with ``connection_init``, within ten seconds; a page of another site is refused before that. What one
socket may hold open is bounded, and a client that does not take what is sent is let go with a reason: it comes back and
goes on ``after`` the last line it has. Queries and mutations are not taken here.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog

from saas.graphql.answer import Answer
from saas.graphql.errors import fault_of
from saas.graphql.operation import Request
from saas.graphql.services import Services
from saas.kernel import AppError, LimitExceeded, Scalar, Unauthenticated
from saas.web.endpoint import GraphQLEndpoint, request_of
from saas.web.event_stream import SLOW_SECONDS
from saas.web.requests import (
    Headers,
    Receive,
    RefusedByHttp,
    Scope,
    Send,
    accepted_locale,
    client_name,
    is_plain_text,
    members_of,
)

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, INIT_TIMEOUT = 4400, 4401, 4403, 4408
SUBSCRIBER_EXISTS, TOO_SLOW, TOO_MANY_INITS = 4409, 4413, 4429
_LAST_WORD_SECONDS = 1.0
_FAULT, _ID_MAX, _REASON_BYTES = 1011, 100, 120
access_log = structlog.get_logger("saas.web.access")


class _Ended(Exception):
    """The socket is to be closed, with a code and the reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Sockets:
    """The endpoint for WebSockets, as a bare ASGI application."""

    def __init__(self, services: Services, endpoint: GraphQLEndpoint) -> None:
        self._services, self._endpoint = services, endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _Socket(self._services, self._endpoint, scope, receive, send).serve()


class _Socket:
    """One connection."""

    def __init__(
        self, services: Services, endpoint: GraphQLEndpoint, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._services, self._endpoint, self._scope = services, endpoint, scope
        self._receive, self._send_message = receive, send
        self._headers: Headers = dict(scope["headers"])
        self._token: str | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._slow = asyncio.Event()
        self._served = 0

    async def serve(self) -> None:
        """Shake hands, then answer until one side closes."""
        await self._receive()
        if not _is_same_site(self._headers) or PROTOCOL not in self._scope.get("subprotocols", ()):
            await self._send_message({"type": "websocket.close", "code": FORBIDDEN})  # before the handshake: HTTP 403
            return
        await self._send_message({"type": "websocket.accept", "subprotocol": PROTOCOL})
        began = asyncio.get_running_loop().time()
        ended = await self._until_ended()
        if ended is not None:
            await self._close(ended)
        access_log.info(
            "socket",
            path="/graphql",
            code=ended.code if ended else 1000,
            milliseconds=round((asyncio.get_running_loop().time() - began) * 1000, 2),
            subscriptions=self._served,
        )

    async def _close(self, ended: _Ended) -> None:
        """Say why; who takes nothing is cut off without."""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LAST_WORD_SECONDS):
                message = {"type": "websocket.close", "code": ended.code, "reason": _short(ended.reason)}
                await self._send_message(message)

    async def _until_ended(self) -> _Ended | None:
        """Why the socket is to be closed; None where the client has left."""
        hearing = asyncio.create_task(self._hear())
        slow = asyncio.create_task(self._slow.wait())
        try:
            await asyncio.wait((hearing, slow), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancelled(hearing, slow, *self._running.values())
        if self._slow.is_set():
            return _Ended(TOO_SLOW, "Too slow: go on after the last line received")
        error = None if hearing.cancelled() else hearing.exception()
        if error is None or isinstance(error, _Ended):
            return error
        access_log.error("socket_fault", kind=type(error).__name__)
        return _Ended(_FAULT, "A fault of the server")

    async def _hear(self) -> None:
        """Take messages until the client leaves.

        :raises _Ended: it breaks the protocol.
        """
        message = await self._first()
        while message is not None:
            await self._take(message)
            message = await self._next()

    async def _first(self) -> dict[str, Any] | None:
        """What comes first, in time; pings may come before."""
        try:
            async with asyncio.timeout(INIT_SECONDS):
                while (message := await self._next()) is not None and message["type"] in ("ping", "pong"):
                    await self._take(message)
        except TimeoutError:
            raise _Ended(INIT_TIMEOUT, "Connection initialisation timeout") from None
        return message

    async def _next(self) -> dict[str, Any] | None:
        received = await self._receive()
        if received["type"] == "websocket.disconnect":
            return None
        text = received.get("text") or ""
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            raise _Ended(BAD_REQUEST, "Not a message of graphql-transport-ws")
        found["is_plain"] = is_plain_text(text.encode())
        return found

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._init(message.get("payload"))
            case "ping":
                await self._say(b'{"type":"pong"}')
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                await self._complete(message)
            case _:
                raise _Ended(BAD_REQUEST, f"Unknown message {message['type'][:40]!r}")

    async def _init(self, payload: object) -> None:
        if self._token is not None:
            raise _Ended(TOO_MANY_INITS, "Too many initialisation requests")
        token = _token_in(payload)
        client = self._scope.get("client") or ("", 0)
        try:
            await self._endpoint.executor.sessions.find(
                token, address=client[0], request_id=self._request_id(), client=client_name(self._headers)
            )
        except Unauthenticated:
            raise _Ended(FORBIDDEN, "Forbidden") from None
        except AppError as error:
            raise _Ended(_FAULT, error.key) from error
        self._token = token
        await self._say(b'{"type":"connection_ack"}')

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if self._token is None:
            raise _Ended(UNAUTHORIZED, "Unauthorized")
        name = _id_of(message)
        if name in self._running:
            raise _Ended(SUBSCRIBER_EXISTS, f"Subscriber for {name} already exists")
        try:
            body = members_of(message.get("payload"), is_plain=message["is_plain"])
            self._hold_bound()
        except RefusedByHttp as refused:
            await self._error(name, self._refused(refused.error), self._request_id())
            return
        except AppError as error:
            await self._error(name, self._refused(error), self._request_id())
            return
        request_id = self._request_id()
        request = request_of(body, self._scope, self._headers, token=self._token, request_id=request_id)
        self._served += 1
        self._running[name] = asyncio.create_task(self._follow(name, request))

    def _hold_bound(self) -> None:
        most = self._services.limits.socket_subscriptions
        if len(self._running) >= most:
            values: dict[str, Scalar] = {"limit": "socket_subscriptions", "allowed": most, "found": most + 1}
            raise LimitExceeded("graphql.limit_exceeded", values)

    async def _complete(self, message: dict[str, Any]) -> None:
        running = self._running.pop(_id_of(message), None)
        if running is not None:
            await _cancelled(running)

    async def _follow(self, name: str, request: Request) -> None:
        """Pass the answers of one subscription on."""
        try:
            async with aclosing(self._endpoint.executor.stream(request)) as answers:
                async for answer in answers:
                    if answer.parts is None:
                        await self._error(name, answer, request.request_id)
                        return
                    body = answer.body(
                        catalogue=self._services.catalogue,
                        limits=self._services.limits,
                        request_id=request.request_id,
                    )
                    await self._say(b'{"id":%b,"type":"next","payload":%b}' % (orjson.dumps(name), body))
            await self._say(b'{"id":%b,"type":"complete"}' % orjson.dumps(name))
        finally:
            self._running.pop(name, None)

    async def _error(self, name: str, answer: Answer, request_id: str) -> None:
        errors = answer.errors(catalogue=self._services.catalogue, request_id=request_id)
        await self._say(b'{"id":%b,"type":"error","payload":%b}' % (orjson.dumps(name), errors))

    def _refused(self, error: AppError) -> Answer:
        locale = accepted_locale(self._headers.get(b"accept-language")) or "en"
        return Answer(None, [fault_of(error)], locale=locale)

    async def _say(self, text: bytes) -> None:
        """Send, one message after the other, for as long as the client takes them."""
        async with self._sending:
            if self._slow.is_set():
                return
            try:
                async with asyncio.timeout(SLOW_SECONDS):
                    await self._send_message({"type": "websocket.send", "text": text.decode()})
            except TimeoutError:
                self._slow.set()
            except OSError:  # the client has left, which whoever hears learns by itself
                return

    def _request_id(self) -> str:
        return self._endpoint.request_id({})


def _is_same_site(headers: Headers) -> bool:
    """Browsers name the page's site, programs none; a page of another site gets nothing, whatever it would send."""
    origin = headers.get(b"origin")
    if origin is None:
        return True
    return urlsplit(origin.decode("latin-1")).netloc.lower() == headers.get(b"host", b"").decode("latin-1").lower()


def _token_in(payload: object) -> str:
    """The bearer token of a ``connection_init``: ``{"authorization": "Bearer …"}``.

    :raises _Ended: there is none.
    """
    given = payload.get("authorization") if isinstance(payload, dict) else None
    scheme, _, token = given.partition(" ") if isinstance(given, str) else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise _Ended(FORBIDDEN, "Forbidden")
    return token.strip()[:512]


def _id_of(message: dict[str, Any]) -> str:
    name = message.get("id")
    if not isinstance(name, str) or not 1 <= len(name) <= _ID_MAX:
        raise _Ended(BAD_REQUEST, f"An id has 1 to {_ID_MAX} characters")
    return name


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    """End tasks and wait until they have; what they ended with is looked at by whoever began them."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _short(reason: str) -> str:
    """A close frame has room for 123 bytes of reason."""
    return reason.encode()[:_REASON_BYTES].decode("utf-8", "ignore")
