"""A client that does not take what is sent is let go with a reason, and nothing piles up for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any

import orjson
import pytest

from saas.main import web_services
from saas.web import create_app
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
