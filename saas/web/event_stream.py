"""Subscriptions as server-sent events: the protocol of graphql-sse with a connection for each operation.

Each answer is an event ``next``; the last one is ``complete``. Where nothing happens a comment goes out now and then,
so that proxies keep the connection. A client that does not take what is sent is let go; it comes back with ``after``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from saas.graphql.answer import Answer
from saas.graphql.operation import Request
from saas.graphql.services import Services
from saas.web.requests import EVENT_STREAM, Receive, Send

SLOW_SECONDS = 20.0
"""How long a client may leave what is sent untaken."""

_BREATH_SECONDS = 15.0
_HEADERS = (
    (b"content-type", EVENT_STREAM + b"; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),
)


class EventStream:
    """One response that goes on."""

    def __init__(self, services: Services, request: Request, receive: Receive, send: Send) -> None:
        self._services, self._request = services, request
        self._receive, self._send_message = receive, send
        self._last = Answer(None)

    async def run(self, answers: AsyncGenerator[Answer, None]) -> Answer:
        """Send answers until they end, the client has gone, or it has stopped reading; the last one."""
        listening = asyncio.create_task(self._until_gone())
        sending = asyncio.create_task(self._pass_on(answers))
        try:
            await asyncio.wait((listening, sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (listening, sending):
                task.cancel()
            await asyncio.wait((listening, sending))
            await answers.aclose()
        if not sending.cancelled():
            with suppress(TimeoutError):  # too slow: the connection is closed, unfinished
                sending.result()
        return self._last

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _pass_on(self, answers: AsyncGenerator[Answer, None]) -> None:
        headers = [*_HEADERS, (b"x-request-id", self._request.request_id.encode("ascii"))]
        await self._send_message({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send(b":\n\n")
        services, coming = self._services, asyncio.ensure_future(anext(answers, None))
        try:
            while (answer := await self._awaited(coming)) is not None:
                self._last = answer
                body = answer.body(
                    catalogue=services.catalogue, limits=services.limits, request_id=self._request.request_id
                )
                await self._send(b"event: next\ndata: " + body + b"\n\n")
                coming = asyncio.ensure_future(anext(answers, None))
        finally:
            coming.cancel()
            await asyncio.wait((coming,))
        await self._send(b"event: complete\ndata:\n\n", is_last=True)

    async def _awaited(self, coming: asyncio.Future[Answer | None]) -> Answer | None:
        while not (await asyncio.wait((coming,), timeout=_BREATH_SECONDS))[0]:
            await self._send(b":\n\n")
        return coming.result()

    async def _send(self, text: bytes, *, is_last: bool = False) -> None:
        """Send, for as long as the client takes it.

        :raises TimeoutError: it does not.
        """
        async with asyncio.timeout(SLOW_SECONDS):
            await self._send_message({"type": "http.response.body", "body": text, "more_body": not is_last})
