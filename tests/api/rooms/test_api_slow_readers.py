"""A client that does not take what is sent is let go with a reason, and nothing piles up for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, MutableMapping
from typing import Any

import orjson
import pytest

from saas.graphql.answer import Answer
from saas.graphql.operation import Request
from saas.main import web_services
from saas.web import create_app
from saas.web.event_stream import EventStream
from tests.api.rooms.test_api_pool_ledger import KINDS, Begun, begun, release
from tests.api.rooms.web import Web

__all__ = ["begun"]

SOCKET = {
    "type": "websocket",
    "path": "/graphql",
    "headers": [],
    "subprotocols": ["graphql-transport-ws"],
    "client": ("192.0.2.7", 1),
}


class Stuffed:
    """The server's side of a connection whose client reads the first message and then no more."""

    def __init__(self, *messages: Mapping[str, Any]) -> None:
        self._coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for message in ({"type": "websocket.connect"}, *map(_as_text, messages)):
            self._coming.put_nowait(dict(message))
        self.sent: list[dict[str, Any]] = []
        self.waiting = 0

    async def receive(self) -> dict[str, Any]:
        return await self._coming.get()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "websocket.send" and any(each["type"] == "websocket.send" for each in self.sent):
            self.waiting += 1
            await asyncio.Event().wait()
        self.sent.append(dict(message))


def _as_text(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": orjson.dumps(message).decode()}


async def test_a_socket_that_is_not_read_is_closed(web: Web, begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saas.web.sockets.SLOW_SECONDS", 0.05)
    _, rep, customer_id, first = begun
    await release(rep, customer_id, "无法联系")
    subscribe = {"type": "subscribe", "payload": {"query": KINDS, "variables": {"after": first}}}
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {rep.token}"}}
    client = Stuffed(init, {**subscribe, "id": "1"}, {**subscribe, "id": "2"})
    async with asyncio.timeout(20):
        await create_app(web_services(web.installation))(dict(SOCKET), client.receive, client.send)
    accepted, acknowledged, closed = client.sent
    assert accepted == {"type": "websocket.accept", "subprotocol": "graphql-transport-ws"}
    assert acknowledged["text"] == '{"type":"connection_ack"}'
    assert closed == {
        "type": "websocket.close",
        "code": 4413,
        "reason": "Too slow: go on after the last line received",
    }
    assert client.waiting == 1


class Leaving:
    """The server's side of a response whose client takes so many pieces, and waits until it is told to leave."""

    def __init__(self, *, takes: int) -> None:
        self._takes = takes
        self.left = asyncio.Event()
        self.pieces: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            if len(self.pieces) == self._takes:
                await asyncio.Event().wait()
            self.pieces.append(message["body"])
            if len(self.pieces) == self._takes:
                self.left.set()


def asked() -> Request:
    return Request(None, None, None, {}, None, "192.0.2.7", "web", "request-1", "en")


async def lines_told(*, endless: bool) -> AsyncGenerator[Answer, None]:
    yield Answer({"poolLedgerLine": b'{"kind":"CLAIMED"}'})
    if endless:
        await asyncio.Event().wait()


async def test_a_stream_breathes_while_nothing_happens_and_ends_with_its_client(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas.web.event_stream._BREATH_SECONDS", 0.01)
    client = Leaving(takes=4)
    stream = EventStream(web_services(web.installation), asked(), client.receive, client.send)
    async with asyncio.timeout(20):
        last = await stream.run(lines_told(endless=True))
    assert [piece[:11] for piece in client.pieces] == [b":\n\n", b"event: next", b":\n\n", b":\n\n"]
    assert last.parts == {"poolLedgerLine": b'{"kind":"CLAIMED"}'}


async def test_a_stream_that_is_not_read_is_left(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saas.web.event_stream.SLOW_SECONDS", 0.05)
    client = Leaving(takes=1)
    stream = EventStream(web_services(web.installation), asked(), _never, client.send)
    async with asyncio.timeout(20):
        await stream.run(lines_told(endless=False))
    assert client.pieces == [b":\n\n"]


async def _never() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError
